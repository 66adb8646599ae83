//! The fence of a workspace, where policies are evaluated: a session for one workspace reads and writes
//! what is that workspace's, and is denied everything else.
//!
//! The server evaluates policies, but does not know the leading keys of a request; the harness tells it
//! (`tests/src/emulator.py`). What no server here evaluates, that AWS takes exactly this document, is left
//! to the golden test of the document in `shared/store-aws/src/session.rs`.

use crate::stage::{Stage, ports, ports_of, run};
use plumbline_ports::conformance::records::row;
use plumbline_ports::{
    Batch, CommitError, Condition, Index, IndexKey, IndexQuery, Key, ObjectKey, PortError, Query,
    Range, Record,
};
use plumbline_store_aws::Settings;
use plumbline_tests::bridge::Credentials;
use plumbline_tests::ministack::{Ministack, Policies, REGION};
use serde_json::{Value, json};

const MINE: &str = "wsp_1";
const OTHERS: &str = "wsp_2";

/// A stage whose data role may reach every workspace, so that only the session's policy fences it.
fn fenced(server: &Ministack) -> Stage<'_> {
    let mut stage = Stage::on(server);
    let (id, bucket) = (stage.account.id().to_owned(), stage.bucket().to_owned());
    let anybody = json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow", "Principal": { "AWS": "*" }, "Action": "sts:AssumeRole",
        }],
    });
    let role = json!({ "RoleName": "data", "AssumeRolePolicyDocument": anybody.to_string() });
    let made = stage.account.call("iam", "create_role", &role);
    let all = json!({
        "Version": "2012-10-17",
        "Statement": [
            { "Effect": "Allow", "Action": "dynamodb:*", "Resource": "*" },
            { "Effect": "Allow", "Action": "s3:*", "Resource": [
                format!("arn:aws:s3:::{bucket}"), format!("arn:aws:s3:::{bucket}/*"),
            ] },
        ],
    });
    let policy =
        json!({ "RoleName": "data", "PolicyName": "all", "PolicyDocument": all.to_string() });
    stage.account.call("iam", "put_role_policy", &policy);
    let arn = made["Role"]["Arn"].as_str().unwrap().to_owned();
    assert_eq!(arn, format!("arn:aws:iam::{id}:role/data"));
    stage.settings = Settings { data_role: Some(arn), ..stage.settings };
    stage
}

fn pk(workspace: &str) -> String {
    format!("WS#{workspace}#TEN#ten_1")
}

fn record(workspace: &str, sk: &str) -> Record {
    let place = IndexKey { index: Index::Findings, pk: format!("WS#{workspace}"), sk: "o".into() };
    Record { indexes: vec![place], ..row(&pk(workspace), sk, 1, workspace) }
}

fn index(workspace: &str) -> IndexQuery {
    IndexQuery {
        index: Index::Findings,
        pk: format!("WS#{workspace}"),
        range: Range::All,
        after: None,
        limit: 10,
        descending: false,
    }
}

fn denied<T: std::fmt::Debug>(told: Result<T, PortError>, what: &str) {
    match told {
        Err(error @ PortError::Refused { .. }) => {
            assert!(error.to_string().contains("AccessDenied"), "{what}: {error}");
            assert!(error.to_string().contains("data role"), "{what} says what to do: {error}");
        }
        other => panic!("{what}: {other:?}"),
    }
}

fn denied_commit(told: Result<(), CommitError>, what: &str) {
    match told {
        Err(CommitError::Port(error)) => denied::<()>(Err(error), what),
        other => panic!("{what}: {other:?}"),
    }
}

#[test]
fn a_session_reaches_its_workspace_and_nothing_else() {
    let server = Ministack::start(Policies::Evaluated);
    let stage = fenced(&server);
    run(async {
        let aws = stage.aws().await;
        aws.warm().await.unwrap();
        let whole = ports(&aws);
        for workspace in [MINE, OTHERS] {
            let record = record(workspace, "there");
            whole.records.commit(Batch::new().put(record, Condition::Absent)).await.unwrap();
        }
        let (mine, others) = (
            ObjectKey::of("ws/wsp_1/pack", b"x").unwrap(),
            ObjectKey::of("ws/wsp_2/pack", b"x").unwrap(),
        );
        whole.objects.put(&others, b"x".to_vec()).await.unwrap();

        let ports = ports_of(&aws, MINE).await;
        let (records, objects) = (&ports.records, &ports.objects);
        let put = |workspace, sk| Batch::new().put(record(workspace, sk), Condition::Absent);
        let there = Key::new(pk(OTHERS), "there");

        // Everything a worker does, in its own workspace.
        records.commit(put(MINE, "one")).await.unwrap();
        let both = put(MINE, "two").check(Key::new(pk(MINE), "one"), Condition::Revision(1));
        records.commit(both).await.unwrap();
        assert_eq!(records.get(&Key::new(pk(MINE), "one")).await, Ok(Some(record(MINE, "one"))));
        assert_eq!(records.query(&Query::prefix(pk(MINE), "")).await.unwrap().records.len(), 3);
        assert_eq!(records.query_index(&index(MINE)).await.unwrap().records.len(), 3);
        let gone = Batch::new().delete(Key::new(pk(MINE), "two"), Condition::Revision(1));
        records.commit(gone).await.unwrap();
        objects.put(&mine, b"x".to_vec()).await.unwrap();
        objects.put(&mine, b"x".to_vec()).await.unwrap();
        assert_eq!(objects.get(&mine).await, Ok(Some(b"x".to_vec())));
        assert_eq!(objects.list("ws/wsp_1", None, 10).await.unwrap().objects.len(), 1);

        // The same in another's.
        denied(records.get(&there).await, "a row");
        denied(records.query(&Query::prefix(pk(OTHERS), "")).await, "a partition");
        denied(records.query_index(&index(OTHERS)).await, "an index");
        denied_commit(records.commit(put(OTHERS, "one")).await, "a new row");
        let gone = Batch::new().delete(there.clone(), Condition::Always);
        denied_commit(records.commit(gone).await, "a delete");
        let mixed = put(MINE, "three").check(there.clone(), Condition::Revision(1));
        denied_commit(records.commit(mixed).await, "a batch that only looks at another's row");
        let mixed = put(MINE, "three").put(record(OTHERS, "three"), Condition::Absent);
        denied_commit(records.commit(mixed).await, "a batch that writes one");
        assert_eq!(records.get(&Key::new(pk(MINE), "three")).await, Ok(None), "nothing is written");
        for shared in ["OUTBOX#0", "DUE", "OVERVIEWS", "WORKSPACES", "SUBJECT#1", "WS#wsp_10"] {
            denied(records.get(&Key::new(shared, "x")).await, shared);
            let batch = Batch::new().put(row(shared, "x", 1, "x"), Condition::Always);
            denied_commit(records.commit(batch).await, shared);
        }
        denied(objects.get(&others).await, "an object");
        denied(objects.get_range(&others, 0, 1).await, "a part of one");
        denied(objects.put(&others, b"x".to_vec()).await, "a put");
        denied(objects.list("ws/wsp_2", None, 10).await, "a listing");
        denied(objects.list("ws", None, 10).await, "a listing of all");
        denied(objects.delete(&others).await, "a delete of an object");
        denied(objects.delete(&mine).await, "a delete of its own: only the collector deletes");

        // Nothing of it was a fault of what was asked.
        assert_eq!(whole.records.get(&there).await, Ok(Some(record(OTHERS, "there"))));
        assert_eq!(whole.objects.get(&others).await, Ok(Some(b"x".to_vec())));
    });
}

#[test]
fn sessions_are_kept_for_the_workspaces_used_last() {
    let server = Ministack::start(Policies::Evaluated);
    let stage = fenced(&server);
    run(async {
        let aws = stage.aws().await;
        for _ in 0..3 {
            let ports = ports_of(&aws, MINE).await;
            assert_eq!(ports.records.get(&Key::new(pk(MINE), "x")).await, Ok(None));
            let key = ObjectKey::of("ws/wsp_1/pack", b"").unwrap();
            assert_eq!(ports.objects.get(&key).await, Ok(None));
        }
        assert_eq!(aws.bill().sessions, 1, "one session, whatever is done with it");
        for number in 0..70 {
            ports_of(&aws, &format!("wsp_{number}")).await;
        }
        let before = aws.bill().sessions;
        assert_eq!(before, 70, "wsp_1 was one of them");
        ports_of(&aws, "wsp_69").await;
        assert_eq!(aws.bill().sessions, before, "kept");
        ports_of(&aws, "wsp_0").await;
        assert_eq!(aws.bill().sessions, before + 1, "forgotten");
        for wrong in ["*", "wsp_*", "wsp_1/x"] {
            let (clock, ids) = (ports(&aws).clock, ports(&aws).ids);
            let told = aws.of_workspace(wrong, clock, ids).await.map(drop);
            assert!(matches!(told, Err(PortError::Refused { .. })), "{wrong}: {told:?}");
        }
    });
}

/// The control: what the harness tells the server is what decides. A question without a leading key, such
/// as a scan, satisfies `ForAllValues`; `Null` denies it.
#[test]
fn a_question_without_a_leading_key_is_denied() {
    let server = Ministack::start(Policies::Evaluated);
    let stage = fenced(&server);
    let account = stage.account.id();
    let role = stage.settings.data_role.clone().unwrap();
    let assume = |policy: &str| -> Credentials {
        let session = json!({ "RoleArn": role, "RoleSessionName": "wsp_1", "Policy": policy });
        let given = stage.account.call("sts", "assume_role", &session)["Credentials"].clone();
        let text = |name: &str| given[name].as_str().unwrap().to_owned();
        Credentials {
            key: text("AccessKeyId"),
            secret: text("SecretAccessKey"),
            token: Some(text("SessionToken")),
        }
    };
    let fence = plumbline_store_aws::Fence {
        partition: "aws",
        region: REGION,
        account,
        table: Some(crate::stage::TABLE),
        bucket: None,
        workspace: MINE,
    };
    let mut document: Value = serde_json::from_str(&plumbline_store_aws::policy(&fence)).unwrap();
    document["Statement"][0]["Action"] = json!("dynamodb:*");
    let scan = |who: &Credentials| {
        let ask = json!({ "TableName": crate::stage::TABLE });
        stage.account.call_as(who, "dynamodb", "scan", &ask).map_err(|refusal| refusal.code)
    };
    let told = scan(&assume(&document.to_string()));
    assert_eq!(told, Err("AccessDeniedException".to_owned()), "with `Null`");
    document["Statement"][0]["Condition"].as_object_mut().unwrap().remove("Null");
    assert!(scan(&assume(&document.to_string())).is_ok(), "without `Null` nothing denies it");
}
