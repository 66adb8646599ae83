//! The files of `events/`, as they are and with ids that something has.

use aws_lambda_events::sqs::SqsEvent;
use plumbline_operations::Work;
use plumbline_ports::QueueName;
use plumbline_ports::{Outgoing, queue::MAX_MESSAGES};
use plumbline_tests::stage::{Stage, must};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../events")
}

/// An event as it is written.
pub(crate) fn event(name: &str) -> Value {
    let path = folder().join(name).with_extension("json");
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// The same event with other ids in the place of those that are made up.
pub(crate) fn with_ids(name: &str, workspace: &str, tenant: &str, run: &str) -> Value {
    let text = event(name).to_string();
    let text = text.replace("wsp_0190a5c2f0b07c3e8d1f4b6a9c0d2e11", workspace);
    let text = text.replace("ten_0190a5c2f0b17c3e8d1f4b6a9c0d2e12", tenant);
    serde_json::from_str(&text.replace("run_0190a5c2f0b27c3e8d1f4b6a9c0d2e13", run)).unwrap()
}

/// Sends the messages of a batch to the queue of a stage, and gives the batch as SQS would deliver them.
/// What the queue itself does not take stays as it is.
pub(crate) fn delivered(stage: &Stage, queue: QueueName, mut batch: Value) -> SqsEvent {
    let queued = &stage.raw.queue;
    for record in batch["Records"].as_array_mut().unwrap() {
        let body = record["body"].as_str().unwrap().to_owned();
        let group = stage.workspace.to_string();
        let sent = queued.send(queue, vec![Outgoing { group, body: body.clone() }]);
        assert!(must(futures::executor::block_on(sent)).is_empty());
        let received = queued.receive(queue, MAX_MESSAGES, Duration::from_mins(16));
        let received = must(futures::executor::block_on(received));
        let got = received.into_iter().find(|one| one.body == body).unwrap();
        record["messageId"] = json!(got.message_id);
        record["receiptHandle"] = json!(got.receipt.0);
    }
    serde_json::from_value(batch).unwrap()
}

/// A batch of some work.
pub(crate) fn batch_of(stage: &Stage, queue: QueueName, work: &[Work]) -> SqsEvent {
    let template = event("compare")["Records"][0].clone();
    let records: Vec<Value> = work
        .iter()
        .map(|one| {
            let mut record = template.clone();
            record["body"] = json!(one.to_message());
            record
        })
        .collect();
    delivered(stage, queue, json!({ "Records": records }))
}

/// Every file stands in the README, and names no thing that is not there.
#[test]
fn every_event_is_told_of() {
    let readme = std::fs::read_to_string(folder().join("README.md")).unwrap();
    let mut told = BTreeSet::new();
    for line in readme.lines().filter(|line| line.starts_with("| `")) {
        let cell = line.split('|').nth(1).unwrap();
        told.extend(cell.split('`').skip(1).step_by(2).map(str::to_owned));
    }
    let there: BTreeSet<String> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "json"))
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    assert!(there.len() > 20, "{there:?}");
    assert_eq!(told, there);
}

/// The messages in the events are those that this program sends.
#[test]
fn the_messages_are_ours() {
    for name in ["capture", "compare", "deadletter", "compare-foreign-tenant"] {
        for record in event(name)["Records"].as_array().unwrap() {
            let body = record["body"].as_str().unwrap();
            let work = Work::read(body).unwrap();
            let again: Value = serde_json::from_str(&work.to_message()).unwrap();
            assert_eq!(again, serde_json::from_str::<Value>(body).unwrap(), "{name}");
        }
    }
}
