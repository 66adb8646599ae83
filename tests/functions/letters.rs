//! Dead letters and ticks.

use crate::events::{event, with_ids};
use crate::workers::{on_runtime, started};
use plumbline_deadletter::{DeadQueues, handle};
use plumbline_lambda_kit::Answer;
use plumbline_operations::Work;
use plumbline_ports::QueueName;
use plumbline_tests::stage::{Stage, must};
use serde_json::{Value, json};
use std::time::Duration;

fn dead(stage: &Stage, event: Value) -> Answer<Value> {
    let queues = DeadQueues::named("plumbline-capture-dead", "plumbline-compare-dead");
    let event = serde_json::from_value(event).unwrap();
    stage.plan.reset();
    let Answer { body, counts } = on_runtime(handle(&stage.system, &queues, event)).unwrap();
    Answer { body: serde_json::to_value(body).unwrap(), counts }
}

#[test]
fn the_run_of_a_letter_ends_with_its_reason() {
    let (stage, work) = started();
    let Work::Run { tenant, run, .. } = work else { panic!() };
    let mut letter =
        with_ids("compare", &stage.workspace.to_string(), &tenant.to_string(), &run.to_string());
    letter["Records"].as_array_mut().unwrap().remove(0);
    letter["Records"][0]["eventSourceARN"] =
        json!("arn:aws:sqs:eu-central-1:123456789012:plumbline-compare-dead");
    letter["Records"][0]["messageAttributes"] =
        json!({"reason": {"stringValue": "an object is gone", "dataType": "String"}});
    let answer = dead(&stage, letter.clone());
    assert_eq!(answer.body, json!({"batchItemFailures": []}));
    assert_eq!(answer.counts, [("LettersDone", 1)].into());
    let ended = must(futures::executor::block_on(stage.system.run(stage.workspace, tenant, run)));
    assert_eq!(ended.outcome().as_str(), "failed");
    assert_eq!(ended.failure().unwrap().message, "an object is gone");
    // Once more changes nothing.
    let before = stage.dump();
    assert_eq!(dead(&stage, letter).counts, [("LettersDone", 1)].into());
    assert_eq!(stage.dump(), before);
}

/// What SQS itself moved to the dead letters was delivered too often.
#[test]
fn a_letter_without_a_reason_was_delivered_too_often() {
    let (stage, work) = started();
    let Work::Run { tenant, .. } = work else { panic!() };
    let (workspace, tenant_id) = (stage.workspace.to_string(), tenant.to_string());
    let answer = dead(&stage, with_ids("deadletter", &workspace, &tenant_id, "run_none"));
    assert_eq!(answer.counts, [("LettersDone", 2)].into());
    let runs = must(futures::executor::block_on(stage.system.runs(stage.workspace, tenant, 10)));
    let night = runs.iter().find(|run| run.failure().is_some()).unwrap();
    let reason = &night.failure().unwrap().message;
    assert!(reason.contains("delivered 5 times"), "{reason}");
}

#[test]
fn a_letter_of_a_newer_program_is_sent_again() {
    let stage = Stage::new();
    let answer = dead(&stage, event("deadletter-newer-version"));
    assert_eq!(answer.counts, [("LettersDone", 1)].into());
    let again = stage.raw.queue.receive(QueueName::Compare, 10, Duration::from_secs(1));
    let again = must(futures::executor::block_on(again));
    assert_eq!(again.len(), 1);
    assert!(again[0].body.contains("\"v\":2"), "{}", again[0].body);
}

#[test]
fn a_letter_that_nobody_can_read_is_done_with() {
    let stage = Stage::new();
    let answer = dead(&stage, event("deadletter-bad-body"));
    assert_eq!(answer.body, json!({"batchItemFailures": []}));
}

#[test]
fn a_letter_of_an_unknown_queue_stays() {
    let stage = Stage::new();
    let letter = event("deadletter-unknown-queue");
    let id = letter["Records"][0]["messageId"].clone();
    let answer = dead(&stage, letter);
    assert_eq!(answer.body, json!({"batchItemFailures": [{"itemIdentifier": id}]}));
    assert_eq!(answer.counts, [("LettersKept", 1)].into());
    assert_eq!(stage.plan.count(), 0);
}

/// A letter whose run cannot be ended now is kept.
#[test]
fn a_letter_stays_while_the_stores_do_not_answer() {
    let (stage, work) = started();
    let Work::Run { tenant, run, .. } = work else { panic!() };
    let mut letter =
        with_ids("compare", &stage.workspace.to_string(), &tenant.to_string(), &run.to_string());
    letter["Records"].as_array_mut().unwrap().remove(0);
    letter["Records"][0]["eventSourceARN"] = json!("arn:aws:sqs:eu-central-1:1:d");
    let queues = DeadQueues::named("c", "d");
    stage.plan.reset();
    stage.plan.at(0, plumbline_testkit::faults::Fault::Throttle(100));
    let event = serde_json::from_value(letter).unwrap();
    let answer = on_runtime(handle(&stage.system, &queues, event)).unwrap();
    assert_eq!(answer.counts, [("LettersKept", 1)].into());
    assert_eq!(answer.body.batch_item_failures.len(), 1);
}

#[test]
fn a_dead_queue_is_known_by_its_address() {
    let address = |name: &str| Some(format!("https://sqs.eu-central-1.amazonaws.com/1/{name}"));
    assert_eq!(
        DeadQueues::from_env(&address).unwrap(),
        DeadQueues::named("PLUMBLINE_DEAD_CAPTURE", "PLUMBLINE_DEAD_COMPARE")
    );
    let missing = DeadQueues::from_env(&|_| None).unwrap_err();
    assert!(missing.to_string().contains("PLUMBLINE_DEAD_CAPTURE"), "{missing}");
}

#[test]
fn a_tick_says_what_it_did() {
    let (stage, work) = started();
    stage.schedule("01:00", "UTC");
    stage.wait(25 * 3600);
    let answer = on_runtime(plumbline_schedule::handle(&stage.system)).unwrap();
    let body = serde_json::to_value(answer.body).unwrap();
    assert_eq!(body["nightsStarted"], 1, "{body}");
    assert_eq!(answer.counts["NightsStarted"], 1);
    assert_eq!(answer.counts.len(), 4, "a metric that an alarm watches is always there");
    let _ = work;
    // A tick that fails says so; whoever sent it sends it again.
    stage.plan.reset();
    stage.plan.at(0, plumbline_testkit::faults::Fault::Fail);
    assert!(on_runtime(plumbline_schedule::handle(&stage.system)).is_err());
}
