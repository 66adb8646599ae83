//! What only a bucket of S3 does: its own check of bytes, writers that meet, damage.

use crate::between::{Between, s3_refusal};
use crate::stage::{Stage, ports, run};
use futures::future::join_all;
use plumbline_ports::{ObjectKey, PortError, PutOutcome};
use plumbline_store_aws::{Aws, Server};
use serde_json::{Value, json};

const FOLDER: &str = "ws/wsp_1/baseline/pack";

fn base64(bytes: impl AsRef<[u8]>) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

fn bytes(text: &str) -> Value {
    json!({ "$bytes": base64(text) })
}

/// Writes an object past the store.
fn overwrite(stage: &Stage<'_>, key: &ObjectKey, text: &str) {
    stage.account.call(
        "s3",
        "put_object",
        &json!({ "Bucket": stage.bucket(), "Key": key.to_string(), "Body": bytes(text) }),
    );
}

/// Two hundred rounds of twelve writers: one creates, eleven find.
#[test]
fn of_many_writers_of_one_object_one_creates_it() {
    let stage = Stage::new();
    run(async {
        let objects = stage.ports().await.objects;
        for round in 0..200_u32 {
            let bytes = format!("round {round}").into_bytes();
            let key = ObjectKey::of(FOLDER, &bytes).unwrap();
            let told = join_all((0..12).map(|_| objects.put(&key, bytes.clone()))).await;
            let told: Vec<PutOutcome> = told.into_iter().map(Result::unwrap).collect();
            let created = told.iter().filter(|told| **told == PutOutcome::Created).count();
            assert_eq!(created, 1, "round {round}: {told:?}");
        }
    });
}

#[test]
fn a_damaged_object_is_told_and_replaced() {
    let stage = Stage::new();
    run(async {
        let objects = stage.ports().await.objects;
        let key = ObjectKey::of(FOLDER, b"right").unwrap();
        for damage in ["wrong", "", "right and more"] {
            overwrite(&stage, &key, damage);
            let told = objects.get(&key).await;
            assert!(matches!(told, Err(PortError::Corrupt { .. })), "{told:?}");
            assert_eq!(objects.put(&key, b"right".to_vec()).await, Ok(PutOutcome::Created));
            assert_eq!(objects.get(&key).await, Ok(Some(b"right".to_vec())));
            let again = objects.put(&key, b"right".to_vec()).await;
            assert_eq!(again, Ok(PutOutcome::AlreadyThere));
        }
    });
}

/// The store checks bytes before it sends them; what breaks them on the way is found by the server.
#[test]
fn bytes_without_their_checksum_are_refused_by_the_server() {
    let stage = Stage::new();
    run(async {
        let objects = stage.ports().await.objects;
        let key = ObjectKey::of(FOLDER, b"sent").unwrap();
        objects.put(&key, b"sent".to_vec()).await.unwrap();
        let place = json!({ "Bucket": stage.bucket(), "Key": key.to_string() });
        let mut head = place.clone();
        head["ChecksumMode"] = json!("ENABLED");
        let head = stage.account.call("s3", "head_object", &head);
        let checksum = base64(key.digest().as_bytes());
        assert_eq!(head["ChecksumSHA256"], json!(checksum), "an object has its checksum");
        let mut put = place;
        put["ChecksumSHA256"] = json!(checksum);
        put["Body"] = bytes("broken");
        let refusal = stage.account.try_call("s3", "put_object", &put).unwrap_err();
        assert_eq!(refusal.code, "BadDigest", "{refusal}");
        assert_eq!(objects.get(&key).await, Ok(Some(b"sent".to_vec())));
    });
}

#[test]
fn writers_that_meet_wait_for_each_other() {
    let stage = Stage::new();
    run(async {
        let between = Between::before(&stage.account.server.url()).await;
        let server = Server { url: between.url(), ..stage.server() };
        let aws = Aws::connect_to(&server, stage.settings.clone()).await;
        let objects = ports(&aws).objects;
        let meet = s3_refusal(409, "ConditionalRequestConflict");
        between.plan("PUT", vec![meet.clone(); 2]);
        let key = ObjectKey::of(FOLDER, b"met").unwrap();
        assert_eq!(objects.put(&key, b"met".to_vec()).await, Ok(PutOutcome::Created));
        assert_eq!(between.calls("PUT"), 3);
        between.plan("PUT", vec![meet; 20]);
        let told = objects.put(&key, b"met".to_vec()).await.unwrap_err();
        assert!(told.is_retryable(), "{told}");
        assert!(between.calls("PUT") < 3 + 20, "it gives up");
    });
}

#[test]
fn a_slow_bucket_is_waited_for_and_then_told() {
    let stage = Stage::new();
    run(async {
        let between = Between::before(&stage.account.server.url()).await;
        let server = Server { url: between.url(), ..stage.server() };
        let aws = Aws::connect_to(&server, stage.settings.clone()).await;
        let objects = ports(&aws).objects;
        let key = ObjectKey::of(FOLDER, b"slow").unwrap();
        between.plan("PUT", vec![s3_refusal(503, "SlowDown"); 2]);
        assert_eq!(objects.put(&key, b"slow".to_vec()).await, Ok(PutOutcome::Created));
        between.plan("GET", vec![s3_refusal(503, "SlowDown"); 9]);
        let told = objects.get(&key).await.unwrap_err();
        assert!(told.is_retryable() && told.to_string().contains("SlowDown"), "{told}");
    });
}

/// S3 answers 403 for an object that is not there to who may list a part of the bucket only. The server that
/// plays it answers 404.
#[test]
fn what_a_session_may_not_see_is_looked_for() {
    let stage = Stage::new();
    run(async {
        let between = Between::before(&stage.account.server.url()).await;
        let server = Server { url: between.url(), ..stage.server() };
        let aws = Aws::connect_to(&server, stage.settings.clone()).await;
        let objects = ports(&aws).objects;
        let denied = || s3_refusal(403, "AccessDenied");
        let there = ObjectKey::of(FOLDER, b"there").unwrap();
        objects.put(&there, b"there".to_vec()).await.unwrap();
        let gone = ObjectKey::of(FOLDER, b"gone").unwrap();

        between.plan("GET", [denied()]);
        assert_eq!(objects.get(&gone).await, Ok(None));
        between.plan("GET", [denied()]);
        assert_eq!(objects.get_range(&gone, 0, 2).await, Ok(None));
        between.plan("HEAD", [denied()]);
        assert_eq!(objects.get_range(&gone, 0, 0).await, Ok(None));

        between.plan("GET", [denied()]);
        let told = objects.get(&there).await.unwrap_err();
        assert!(told.to_string().contains("AccessDenied"), "it is there: {told}");
        between.plan("GET", [denied(), denied()]);
        let told = objects.get(&gone).await.unwrap_err();
        assert!(told.to_string().contains("AccessDenied"), "nobody may look: {told}");
    });
}

#[test]
fn what_lies_beside_the_objects_is_not_listed() {
    let stage = Stage::new();
    run(async {
        let objects = stage.ports().await.objects;
        let mut keys = Vec::new();
        for text in ["a", "b", "c"] {
            let key = ObjectKey::of(FOLDER, text.as_bytes()).unwrap();
            objects.put(&key, text.into()).await.unwrap();
            keys.push(key);
        }
        keys.sort();
        for stray in ["0", "README.md", "zzz"] {
            let key = format!("{FOLDER}/{stray}");
            let put = json!({ "Bucket": stage.bucket(), "Key": key, "Body": bytes(stray) });
            stage.account.call("s3", "put_object", &put);
        }
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let page = objects.list(FOLDER, after.as_ref(), 2).await.unwrap();
            assert!(page.objects.len() <= 2);
            found.extend(page.objects.into_iter().map(|listed| listed.key));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(found, keys);
    });
}
