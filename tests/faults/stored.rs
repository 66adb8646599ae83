//! Stored state that is not as this program writes it, and ids that are none.

use futures::executor::block_on;
use plumbline_governance::ids::{
    ConnectionId, FindingId, ProfileId, RunId, SnapshotId, TenantId, WorkspaceId,
};
use plumbline_governance::run::ReasonCode;
use plumbline_operations::{CollectOptions, OperationError};
use plumbline_policy::digest::Digest;
use plumbline_ports::{Batch, Condition, Key, ObjectKey, Record};
use plumbline_tests::check::{assert_whole, body_of};
use plumbline_tests::policies::{FEATURE, many};
use plumbline_tests::stage::{Stage, complete, must};
use serde_json::{Value, json};

const TYPES: &[&str] = &[FEATURE];

fn key(stage: &Stage, tenant: TenantId, sk: &str) -> Key {
    Key::new(format!("WS#{}#TEN#{tenant}", stage.workspace), sk)
}

fn row(stage: &Stage, key: &Key) -> Record {
    must(block_on(stage.raw.records.get(key))).expect("a row")
}

/// Writes a row as something else wrote it.
fn rewrite(stage: &Stage, key: &Key, change: impl FnOnce(&mut Value)) {
    let mut record = row(stage, key);
    let mut body: Value = body_of(&record).expect("JSON");
    change(&mut body);
    record.body = serde_json::to_vec(&body).expect("JSON");
    must(block_on(stage.raw.records.commit(Batch::new().put(record, Condition::Always))));
}

fn drifted() -> (Stage, TenantId, TenantId, ProfileId) {
    let stage = Stage::new();
    let (golden, tenant, profile) = stage.governed(TYPES, &many(5, 0));
    stage.import(tenant, &many(5, 2));
    stage.compare(tenant);
    (stage, golden, tenant, profile)
}

/// Every kind of row, by partition and sort key.
fn kinds(stage: &Stage) -> Vec<Key> {
    let mut seen = std::collections::BTreeSet::new();
    stage
        .dump()
        .into_iter()
        .map(|record| record.key)
        .filter(|key| {
            let kind = key.sk.split('#').next().unwrap_or_default();
            let place = key.pk.split('#').nth(2).unwrap_or_default();
            seen.insert((kind.to_owned(), place.to_owned()))
        })
        .collect()
}

#[test]
fn f46_a_row_of_a_newer_form() {
    let (stage, _, tenant, _) = drifted();
    for sk in ["STATE", "ASSIGNMENT"] {
        let (stage, _, tenant, _) = drifted();
        let key = key(&stage, tenant, sk);
        rewrite(&stage, &key, |body| {
            *body = json!({ "form": 2, "row": { "altogether": "different" } });
        });
        let before = row(&stage, &key);
        let error = stage.start_compare(tenant).expect_err("it cannot be read");
        let text = error.to_string();
        assert!(
            text.contains(
                "was written by a newer version of the program (form 2, this one knows 1)"
            ),
            "{text}"
        );
        assert!(error.is_retryable());
        assert_eq!(row(&stage, &key), before, "it is left as it is");
    }
    // A run that was queued waits for a program that understands its rows; it is not ended.
    let started = must(stage.start_compare(tenant));
    rewrite(&stage, &key(&stage, tenant, "STATE"), |body| body["form"] = json!(2));
    stage.drain();
    assert!(!stage.run(tenant, &started).is_completed());
    rewrite(&stage, &key(&stage, tenant, "STATE"), |body| body["form"] = json!(1));
    stage.wait(120);
    stage.drain();
    assert_eq!(stage.run(tenant, &started).outcome().as_str(), "succeeded");
}

#[test]
fn f46_a_tick_beside_rows_of_a_newer_form() {
    let (stage, _, tenant, _) = drifted();
    let other = stage.tenant("newer");
    stage.schedule("02:00", "UTC");
    let started = must(stage.start_compare(tenant));
    let newer = |key: Key| Record {
        key,
        body: br#"{"form":9,"row":{"new":true}}"#.to_vec(),
        revision: 1,
        indexes: Vec::new(),
        expires_at: None,
    };
    let rows = [
        Key::new("OUTBOX#0", "000000000000000#0"),
        Key::new("DUE", "000000000000001#wsp"),
        Key::new(format!("WS#{}", stage.workspace), format!("TENANT#{other}")),
    ];
    for key in &rows {
        let batch = Batch::new().put(newer(key.clone()), Condition::Always);
        must(block_on(stage.raw.records.commit(batch)));
    }
    stage.wait(26 * 3_600);
    let error = stage.tick().expect_err("the trouble is told");
    assert!(error.to_string().contains("newer version"), "{error}");
    stage.drain();
    // What this program understands is done all the same.
    assert!(stage.run(tenant, &started).is_completed());
    assert_eq!(must(block_on(stage.system.nights(stage.workspace))).len(), 2, "one was missed");
    let runs = must(block_on(stage.system.runs(stage.workspace, tenant, 1)));
    assert!(
        matches!(runs[0].trigger, plumbline_governance::run::Trigger::Night { .. }),
        "{:?}",
        runs[0]
    );
    for key in &rows {
        assert_eq!(row(&stage, key).body, newer(key.clone()).body, "it is left as it is");
    }
}

#[test]
fn a_row_that_misses_an_attribute() {
    let (stage, _, tenant, _) = drifted();
    let place = key(&stage, tenant, "STATE");
    rewrite(&stage, &place, |body| {
        body["row"].as_object_mut().expect("a row").remove("root");
    });
    let error = stage.start_compare(tenant).expect_err("damaged").to_string();
    assert!(error.contains("the state at WS#") && error.contains("root"), "{error}");
    assert!(error.contains("is damaged") && error.contains("plumbline verify"), "{error}");
    let checked = must(block_on(stage.system.verify(stage.workspace)));
    assert!(checked.damage.iter().any(|one| one.what.contains("the state at")), "{checked:?}");
}

#[test]
fn rows_that_are_no_rows() {
    for body in [
        &b""[..],
        b"{",
        b"null",
        b"{\"form\":1}",
        b"{\"form\":1,\"row\":null}",
        b"{\"form\":\"1\"}",
        b"{\"form\":-1}",
        b"{\"form\":1,\"row\":{},\"spilled\":{\"folder\":\"ws\",\"digest\":\"00\"}}",
        b"\xff\xfe",
    ] {
        let (stage, _, tenant, _) = drifted();
        let mut record = row(&stage, &key(&stage, tenant, "STATE"));
        record.body = body.to_vec();
        must(block_on(stage.raw.records.commit(Batch::new().put(record, Condition::Always))));
        let error = stage.start_compare(tenant).expect_err("damaged");
        assert!(matches!(error, OperationError::Damaged { .. }), "{error}");
        let checked = must(block_on(stage.system.verify(stage.workspace)));
        assert!(!checked.damage.is_empty());
    }
}

#[test]
fn a_spilled_row_whose_object_is_gone() {
    let (stage, _, tenant, _) = drifted();
    let digest = Digest::of(b"nothing");
    rewrite(&stage, &key(&stage, tenant, "STATE"), |body| {
        let folder = format!("ws/{}/ten/{tenant}/spill", stage.workspace);
        *body = json!({ "form": 1, "spilled": { "folder": folder, "digest": digest } });
    });
    let error = stage.start_compare(tenant).expect_err("damaged").to_string();
    assert!(error.contains("its object") && error.contains("is gone"), "{error}");
}

/// A state and a run whose bodies are over the 400 KB of a record: names and reasons that go on and on.
#[test]
fn a_row_over_the_limit_of_a_record_is_spilled() {
    let stage = Stage::new();
    let (_, tenant, _) = stage.governed(&[], &many(5, 0));
    let name = "a name that goes on ".repeat(500);
    let policies = many(1, 1);
    let mut documents = vec![
        Ok((format!("{name}.json"), b"{ this is no JSON".to_vec())),
        Ok(("0000.json".to_owned(), policies["0000"].to_string().into_bytes())),
    ]
    .into_iter();
    let options = complete();
    let (workspace, actor) = (stage.workspace, &stage.actor);
    must(block_on(stage.system.import(workspace, actor, tenant, &options, &mut documents)));
    let run = stage.compare(tenant);
    assert_eq!(run.failure().map(|one| one.reason_code), Some(ReasonCode::NotProven));
    for sk in ["STATE".to_owned(), format!("RUN#{}", run.id)] {
        let record = row(&stage, &key(&stage, tenant, &sk));
        assert!(record.body.len() < 1_024, "{sk} has {} bytes", record.body.len());
        let spilled = body_of(&record).expect("JSON")["spilled"].clone();
        let text = |member: &str| spilled[member].as_str().expect("a text").to_owned();
        let digest: Digest = text("digest").parse().expect("a digest");
        let object = ObjectKey::new(&text("folder"), digest).expect("a key");
        let bytes = must(block_on(stage.raw.objects.get(&object))).expect("an object");
        assert!(bytes.len() > 400 * 1024, "{sk} spilled {} bytes", bytes.len());
    }
    // They read back, are whole, and the collector knows their objects.
    let stored = must(block_on(stage.system.state(stage.workspace, tenant))).expect("a state");
    assert!(stored.coverage.reason(FEATURE).is_some_and(|reason| reason.contains(&name)));
    assert!(run.context.baseline_compare.is_some_and(|one| one.gaps.len() > 50));
    let collect = CollectOptions { delete: true, ..CollectOptions::default() };
    for _ in 0..2 {
        must(block_on(stage.system.collect(stage.workspace, collect)));
        stage.wait(50 * 3_600);
    }
    must(block_on(stage.system.collect(stage.workspace, collect)));
    assert_eq!(must(block_on(stage.system.verify(stage.workspace))).damage, Vec::new());
    assert_whole(&stage, "spilled");
}

#[test]
fn verify_sees_every_kind_of_damaged_row() {
    let (stage, ..) = drifted();
    for kind in [
        "STATE",
        "ASSIGNMENT",
        "POSTURE",
        "RUN",
        "FINDING",
        "ACTIVE",
        "TENANT",
        "PROFILE",
        "SNAPSHOT",
    ] {
        let (stage, ..) = drifted();
        let key = kinds(&stage)
            .into_iter()
            .find(|key| key.sk.split('#').next() == Some(kind))
            .unwrap_or_else(|| panic!("no {kind}"));
        rewrite(&stage, &key, |body| body["row"] = json!({ "nothing": 1 }));
        let checked = must(block_on(stage.system.verify(stage.workspace)));
        assert!(!checked.damage.is_empty(), "{kind}");
    }
    assert_eq!(must(block_on(stage.system.verify(stage.workspace))).damage, Vec::new());
}

#[test]
fn verify_sees_what_does_not_fit_together() {
    type Change = fn(&mut Value);
    let other = "0".repeat(64);
    let changes: [(&str, Change); 5] = [
        ("STATE", |body| body["row"]["root"] = json!("0".repeat(64))),
        ("POSTURE", |body| body["row"]["by_status"]["new"] = json!(7)),
        ("SNAPSHOT#", |body| body["row"]["snapshot_identity_hash"] = json!("0".repeat(64))),
        ("STATE", |body| body["row"]["index"] = json!("0".repeat(64))),
        ("ACTIVE#baseline_compare", |body| {
            body["row"]["active"] = json!(format!("run_{}", "0".repeat(32)));
        }),
    ];
    for (kind, change) in changes {
        let (stage, ..) = drifted();
        let key = stage
            .dump()
            .into_iter()
            .map(|record| record.key)
            .find(|key| key.sk.starts_with(kind))
            .expect("a row");
        rewrite(&stage, &key, change);
        let checked = must(block_on(stage.system.verify(stage.workspace)));
        assert!(!checked.damage.is_empty(), "{kind} {other}");
    }
}

#[test]
fn a_counter_at_its_end() {
    let (stage, _, tenant, profile) = drifted();
    let guard = key(&stage, tenant, &format!("ACTIVE#baseline_compare#{profile}"));
    rewrite(&stage, &guard, |body| {
        body["row"]["fence"] = json!(u64::MAX);
        body["row"]["seen"]["common"]["count"] = json!(u64::MAX);
    });
    stage.import(tenant, &many(5, 3));
    // It stops there; nothing wraps round and nothing panics.
    let run = stage.compare(tenant);
    assert!(run.is_completed());
    let _ = stage.findings(tenant);
    let finding = stage.findings(tenant)[0].finding.clone();
    let sk = format!("FINDING#{}#{:06}", finding.row_key(), finding.occurrence);
    rewrite(&stage, &key(&stage, tenant, &sk), |body| {
        body["row"]["seen"]["times"] = json!(u64::MAX);
        body["row"]["seen"]["counter"] = json!(0);
    });
    assert!(stage.findings(tenant).iter().any(|one| one.seen.times == u64::MAX));
    stage.import(tenant, &many(5, 0));
    assert!(stage.compare(tenant).is_completed());
}

/// Puts an index of our making in the place of a tenant's.
fn with_index(change: impl FnOnce(&mut Value)) -> (Stage, TenantId) {
    let (stage, _, tenant, _) = drifted();
    stage.import(tenant, &many(5, 4));
    let place = key(&stage, tenant, "STATE");
    let body: Value = body_of(&row(&stage, &place)).expect("JSON");
    let folder = format!("ws/{}/ten/{tenant}/index", stage.workspace);
    let old: Digest = body["row"]["index"].as_str().expect("a digest").parse().expect("a digest");
    let old = ObjectKey::new(&folder, old).expect("a key");
    let bytes = must(block_on(stage.raw.objects.get(&old))).expect("an index");
    let plain = zstd::stream::decode_all(bytes.as_slice()).expect("zstd");
    let mut index: Value = serde_json::from_slice(&plain).expect("JSON");
    change(&mut index);
    let packed = match index.as_str() {
        Some(raw) => raw.as_bytes().to_vec(),
        None => zstd::bulk::compress(&serde_json::to_vec(&index).expect("JSON"), 3).expect("zstd"),
    };
    let new = ObjectKey::of(&folder, &packed).expect("a key");
    must(block_on(stage.raw.objects.put(&new, packed)));
    rewrite(&stage, &place, |body| body["row"]["index"] = json!(new.digest()));
    (stage, tenant)
}

/// A compare over such an index fails with words, and resolves nothing.
fn refused(change: impl FnOnce(&mut Value), words: &str) {
    let (stage, tenant) = with_index(change);
    let before = stage.findings(tenant);
    let run = stage.compare(tenant);
    assert_eq!(run.outcome().as_str(), "failed", "{words}");
    let failure = run.failure().expect("a reason");
    assert_eq!(failure.reason_code, ReasonCode::CorruptObject, "{words}: {}", failure.message);
    assert!(failure.message.contains(words), "{words}: {}", failure.message);
    assert_eq!(stage.findings(tenant), before, "{words}");
    let checked = must(block_on(stage.system.verify(stage.workspace)));
    assert!(!checked.damage.is_empty(), "{words}");
}

#[test]
fn an_object_with_an_unknown_compression() {
    refused(|index| *index = json!("PK\u{3}\u{4} not what we write"), "damaged");
    refused(|index| *index = json!(""), "damaged");
}

#[test]
fn an_index_out_of_order() {
    refused(
        |index| index["entries"].as_array_mut().expect("entries").reverse(),
        "the entries of the index are not in order",
    );
}

#[test]
fn an_index_with_an_entry_twice() {
    refused(
        |index| {
            let entries = index["entries"].as_array_mut().expect("entries");
            let first = entries[0].clone();
            entries.insert(0, first);
        },
        "the entries of the index",
    );
}

#[test]
fn an_index_with_an_unknown_type() {
    refused(
        |index| {
            for entry in index["entries"].as_array_mut().expect("entries") {
                entry["policy_type"] = json!("zzzUnknown");
            }
        },
        "zzzUnknown",
    );
}

#[test]
fn an_index_of_a_newer_version_waits() {
    let (stage, tenant) = with_index(|index| index["version"] = json!(99));
    let before = stage.findings(tenant);
    let started = must(stage.start_compare(tenant));
    stage.drain();
    // Neither an all-clear nor damage: the newer program can read it.
    let run = stage.run(tenant, &started);
    assert_ne!(run.outcome().as_str(), "succeeded");
    assert_eq!(stage.findings(tenant), before);
}

#[test]
fn frames_that_lie_wrong() {
    let beyond = |member: &'static str, value: Value| {
        move |index: &mut Value| {
            for entry in index["entries"].as_array_mut().expect("entries") {
                entry["frame"][member] = value.clone();
            }
        }
    };
    refused(beyond("offset", json!(1_000_000_000)), "damaged");
    refused(beyond("offset", json!(u64::MAX)), "damaged");
    refused(beyond("length", json!(u32::MAX)), "damaged");
    refused(beyond("length", json!(0)), "damaged");
    // Overlapping: each begins where the first one does.
    refused(beyond("offset", json!(0)), "damaged");
}

#[test]
fn ids_that_are_none() {
    fn refuses<T: std::str::FromStr<Err: std::fmt::Display>>(prefix: &str) {
        let digits = "0190a5c2f0b07c3e8d1f4b6a9c0d2e11";
        let right = format!("{prefix}_{digits}");
        assert!(right.parse::<T>().is_ok());
        for text in [
            String::new(),
            digits.to_owned(),
            format!("{prefix}_"),
            format!("{prefix}{digits}"),
            format!("{prefix}_{digits}0"),
            format!("{prefix}_{}", &digits[1..]),
            format!("{prefix}_{}", digits.to_uppercase()),
            format!("{}_{digits}", prefix.to_uppercase()),
            format!("xxx_{digits}"),
            format!("{prefix}_{}", digits.replace('0', "#")),
            format!("{prefix}_{}", digits.replace("01", "/.")),
            format!("{prefix}_{}", digits.replace("01", "%2")),
            format!("{prefix}_{}", digits.replace('1', "\u{661}")),
            format!("{prefix}_{}", digits.replace('1', "\u{ff11}")),
            format!("{prefix}_{} ", &digits[1..]),
            format!(" {right}"),
            format!("{right}\n"),
            format!("{prefix}_{}", "0".repeat(10_000)),
            format!("{prefix}_0190a5c2-f0b0-7c3e-8d1f-4b6a9c0d2e11"),
        ] {
            let Err(error) = text.parse::<T>() else { panic!("{text} is taken for an id") };
            let message = error.to_string();
            assert!(message.contains("is not an id of this kind"), "{message}");
            assert!(message.contains(prefix), "{message}");
        }
    }
    refuses::<WorkspaceId>("wsp");
    refuses::<TenantId>("ten");
    refuses::<ProfileId>("prf");
    refuses::<SnapshotId>("snp");
    refuses::<RunId>("run");
    refuses::<FindingId>("fnd");
    refuses::<ConnectionId>("con");
}

/// The all-zero id and ids of another workspace are met with the same words, and touch nothing of it.
#[test]
fn ids_of_others_and_of_nobody() {
    let stage = Stage::new();
    let (golden, tenant, profile) = stage.governed(TYPES, &many(3, 0));
    let person =
        plumbline_operations::Person { issuer: "local".to_owned(), subject: "mallory".to_owned() };
    let other = must(block_on(stage.system.create_workspace(&person, &stage.actor, "South"))).id;
    let actor = plumbline_operations::Actor::new("mallory");
    let zero = |prefix: &str| format!("{prefix}_{}", "0".repeat(32));
    let nobody: TenantId = zero("ten").parse().expect("an id");
    let none: ProfileId = zero("prf").parse().expect("an id");
    stage.plan.reset();
    let say = |tenant: TenantId, profile: ProfileId| -> Vec<String> {
        let system = &stage.system;
        let mut empty = std::iter::empty();
        let options = plumbline_tests::stage::complete();
        let words = [
            block_on(system.import(other, &actor, tenant, &options, &mut empty)).map(drop),
            block_on(system.start_compare(other, &actor, tenant)).map(drop),
            block_on(system.start_capture(other, &actor, profile, tenant)).map(drop),
            block_on(system.assign(other, &actor, tenant, profile, None, None)).map(drop),
            block_on(system.unassign(other, &actor, tenant, None)).map(drop),
            block_on(system.archive_tenant(other, &actor, tenant, None)).map(drop),
            block_on(system.profile(other, profile)).map(drop),
            block_on(system.snapshots(other, profile)).map(drop),
        ];
        words
            .into_iter()
            .map(|answer| {
                let error = answer.expect_err("it is another's");
                assert!(matches!(error, OperationError::NotFound { .. }), "{error}");
                error
                    .to_string()
                    .replace(&tenant.to_string(), "TENANT")
                    .replace(&profile.to_string(), "PROFILE")
            })
            .collect()
    };
    let foreign = say(tenant, profile);
    let calls = |stage: &Stage| -> Vec<(&'static str, usize)> {
        let calls = stage.plan.calls();
        let touched: Vec<_> =
            calls.iter().filter(|call| call.what.contains(&stage.workspace.to_string())).collect();
        assert_eq!(touched.len(), 0, "{touched:?}");
        calls.iter().map(|call| (call.op, call.what.len())).collect()
    };
    let first = calls(&stage);
    stage.plan.reset();
    let nowhere = say(nobody, none);
    assert_eq!(foreign, nowhere, "the words are the same");
    assert_eq!(first, calls(&stage), "and so are the calls");
    let _ = golden;
    assert_whole(&stage, "ids of others");
}
