//! Batches of messages: each has a fate of its own, and only what comes again is named in the answer.

use crate::events::{batch_of, delivered, event, with_ids};
use async_trait::async_trait;
use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use plumbline_governance::ids::WorkspaceId;
use plumbline_governance::run::RunType;
use plumbline_lambda_kit::{Answer, Failed, Systems};
use plumbline_operations::{OperationError, System, Work};
use plumbline_ports::QueueName;
use plumbline_testkit::faults::Port;
use plumbline_tests::policies::{FEATURE, many};
use plumbline_tests::stage::{Stage, must};
use serde_json::Value;
use std::future::Future;
use std::time::Duration;

const MINUTE: Duration = Duration::from_mins(1);

/// Does something on a runtime with timers.
pub(crate) fn on_runtime<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

fn compare(stage: &Stage, event: SqsEvent) -> Result<Answer<SqsBatchResponse>, Failed> {
    stage.plan.reset();
    on_runtime(plumbline_compare::handle(&stage.system, event, MINUTE))
}

/// The ids of the messages that come again.
fn failures(answer: &Answer<SqsBatchResponse>) -> Vec<&str> {
    answer.body.batch_item_failures.iter().map(|one| &*one.item_identifier).collect()
}

/// What was asked of the queue.
fn settled(stage: &Stage) -> Vec<&'static str> {
    let calls = stage.plan.calls().into_iter();
    calls.filter(|call| call.port == Port::Queue).map(|call| call.op).collect()
}

/// A stage on which a compare was started whose message was lost, and the work of that message.
pub(crate) fn started() -> (Stage, Work) {
    let stage = Stage::new();
    let (_, other, _) = stage.governed(&[FEATURE], &many(6, 0));
    stage.import(other, &many(6, 2));
    stage.wait(60);
    let run = must(stage.start_compare(other)).run;
    let work = Work::Run {
        workspace: stage.workspace,
        tenant: other,
        run: run.id,
        run_type: RunType::BaselineCompare,
    };
    (stage, work)
}

fn ids(stage: &Stage, work: &Work) -> [String; 3] {
    let Work::Run { tenant, run, .. } = work else { panic!("{work:?}") };
    [stage.workspace.to_string(), tenant.to_string(), run.to_string()]
}

fn of_run(stage: &Stage, work: &Work, name: &str) -> Value {
    let [workspace, tenant, run] = ids(stage, work);
    with_ids(name, &workspace, &tenant, &run)
}

#[test]
fn a_capture_is_done() {
    let stage = Stage::new();
    let golden = stage.tenant("golden");
    let profile = stage.profile("Gold", &[FEATURE]);
    stage.import(golden, &many(3, 0));
    let started = must(stage.start_capture(profile, golden));
    let (workspace, tenant, run) =
        (stage.workspace.to_string(), golden.to_string(), started.run.id.to_string());
    let batch = with_ids("capture", &workspace, &tenant, &run);
    let batch = delivered(&stage, QueueName::Capture, batch);
    let answer = on_runtime(plumbline_capture::handle(&stage.system, batch, MINUTE)).unwrap();
    assert_eq!(failures(&answer), Vec::<&str>::new());
    assert_eq!(answer.counts, [("Succeeded", 1)].into());
    assert_eq!(stage.run(golden, &started).outcome().as_str(), "succeeded");
}

/// A night and a run of one tenant: whichever comes first, both messages are done with, and Lambda deletes
/// them without a call of ours.
#[test]
fn compares_are_done_without_a_call_to_the_queue() {
    let (stage, work) = started();
    let batch = delivered(&stage, QueueName::Compare, of_run(&stage, &work, "compare"));
    let answer = compare(&stage, batch).unwrap();
    assert_eq!(failures(&answer), Vec::<&str>::new());
    assert_eq!(answer.counts.values().sum::<u64>(), 2);
    assert!(answer.counts.contains_key("Succeeded"), "{:?}", answer.counts);
    assert_eq!(settled(&stage), Vec::<&str>::new());
    let Work::Run { tenant, .. } = work else { panic!() };
    assert_eq!(stage.findings(tenant).len(), 2);
}

#[test]
fn unknown_fields_and_missing_attributes_are_no_trouble() {
    for name in ["compare-unknown-fields", "compare-no-attributes"] {
        let (stage, work) = started();
        let batch = delivered(&stage, QueueName::Compare, of_run(&stage, &work, name));
        let answer = compare(&stage, batch).unwrap();
        assert_eq!(answer.counts, [("Succeeded", 1)].into(), "{name}");
    }
}

#[test]
fn an_empty_batch_is_no_trouble() {
    let stage = Stage::new();
    let batch = serde_json::from_value(event("compare-empty")).unwrap();
    let answer = compare(&stage, batch).unwrap();
    assert!(answer.body.batch_item_failures.is_empty() && answer.counts.is_empty());
}

/// What cannot be read is given up, with the reason; the rest of the batch is done.
#[test]
fn a_bad_body_is_given_up_alone() {
    let (stage, work) = started();
    let batch = delivered(&stage, QueueName::Compare, of_run(&stage, &work, "compare-bad-body"));
    let answer = compare(&stage, batch).unwrap();
    assert_eq!(failures(&answer), Vec::<&str>::new());
    assert_eq!(answer.counts, [("Buried", 1), ("Succeeded", 1)].into());
    assert_eq!(settled(&stage), ["bury a message"]);
    let letters = stage.raw.queue.dead_letters(QueueName::Compare, 10);
    let letters = must(futures::executor::block_on(letters));
    assert_eq!(letters.len(), 1);
    assert!(letters[0].reason.contains("cannot be read"), "{}", letters[0].reason);
}

/// A body of a size that no message of ours has is given up like any other.
#[test]
fn a_huge_body_is_given_up() {
    let (stage, work) = started();
    let mut batch = of_run(&stage, &work, "compare");
    batch["Records"][0]["body"] = "x".repeat(1024 * 1024).into();
    let answer = compare(&stage, serde_json::from_value(batch).unwrap()).unwrap();
    assert_eq!(failures(&answer), Vec::<&str>::new());
    assert_eq!(answer.counts, [("Buried", 1), ("Succeeded", 1)].into());
}

/// What a newer program sent waits for one that understands it, an hour each time.
#[test]
fn a_newer_message_stays() {
    let stage = Stage::new();
    let batch = delivered(&stage, QueueName::Compare, event("compare-newer-version"));
    let id = batch.records[0].message_id.clone().unwrap();
    let answer = compare(&stage, batch).unwrap();
    assert_eq!(failures(&answer), [id]);
    assert_eq!(answer.counts, [("Again", 1)].into());
    assert_eq!(settled(&stage), ["extend a delivery"]);
    let queue = &stage.raw.queue;
    let receive =
        || must(futures::executor::block_on(queue.receive(QueueName::Compare, 10, MINUTE)));
    stage.wait(59 * 60);
    assert!(receive().is_empty());
    stage.wait(2 * 60);
    assert_eq!(receive().len(), 1);
}

#[test]
fn a_message_of_the_wrong_kind_is_given_up_and_its_run_ended() {
    let (stage, work) = started();
    let batch = delivered(&stage, QueueName::Compare, of_run(&stage, &work, "compare-wrong-kind"));
    let answer = compare(&stage, batch).unwrap();
    assert_eq!(answer.counts, [("Buried", 1)].into());
    let Work::Run { tenant, run, .. } = work else { panic!() };
    let run = must(futures::executor::block_on(stage.system.run(stage.workspace, tenant, run)));
    assert_eq!(run.outcome().as_str(), "failed");
}

#[test]
fn what_is_anothers_is_nothing() {
    let (stage, work) = started();
    let before = stage.dump();
    let batch = of_run(&stage, &work, "compare-foreign-tenant");
    let answer = compare(&stage, delivered(&stage, QueueName::Compare, batch)).unwrap();
    assert_eq!((failures(&answer).len(), answer.counts), (0, [("Nothing", 2)].into()));
    assert_eq!(stage.dump(), before);
}

#[test]
fn a_record_without_an_id_fails_the_batch_before_anything_is_done() {
    let (stage, work) = started();
    let batch = of_run(&stage, &work, "compare-no-message-id");
    let failed = compare(&stage, serde_json::from_value(batch).unwrap()).unwrap_err();
    assert!(failed.to_string().contains("messageId"), "{failed}");
    assert_eq!(stage.plan.count(), 0);
}

/// A queue that does not answer leaves the message where it is, and the answer says so.
#[test]
fn what_is_not_settled_comes_again() {
    let (stage, work) = started();
    let batch = delivered(&stage, QueueName::Compare, of_run(&stage, &work, "compare-bad-body"));
    let id = batch.records[0].message_id.clone().unwrap();
    stage.plan.reset();
    stage.plan.next(|call| call.port == Port::Queue, plumbline_testkit::faults::Fault::Fail);
    let answer = on_runtime(plumbline_compare::handle(&stage.system, batch, MINUTE)).unwrap();
    assert_eq!(failures(&answer), [id]);
}

/// Stores that fail for a moment: the message comes again soon, and is done then.
#[test]
fn trouble_for_a_time_is_tried_again() {
    let (stage, work) = started();
    let batch = batch_of(&stage, QueueName::Compare, &[work]);
    let id = batch.records[0].message_id.clone().unwrap();
    stage.plan.reset();
    stage.plan.at(3, plumbline_testkit::faults::Fault::Fail);
    let answer =
        on_runtime(plumbline_compare::handle(&stage.system, batch.clone(), MINUTE)).unwrap();
    assert_eq!(failures(&answer), [id]);
    assert_eq!(settled(&stage), ["extend a delivery"]);
    stage.wait(6);
    let again = stage.raw.queue.receive(QueueName::Compare, 10, MINUTE);
    assert_eq!(must(futures::executor::block_on(again)).len(), 1);
    let answer = compare(&stage, batch).unwrap();
    assert_eq!(answer.counts, [("Succeeded", 1)].into());
}

/// A program with a fault that one workspace meets.
struct Faulty {
    system: System,
    at: WorkspaceId,
}

#[async_trait]
impl Systems for Faulty {
    async fn of(&self, workspace: WorkspaceId) -> Result<System, OperationError> {
        assert_ne!(workspace, self.at, "a fault of the program");
        Ok(self.system.clone())
    }

    fn whole(&self) -> System {
        self.system.clone()
    }
}

#[test]
fn a_fault_of_the_program_fails_one_message_alone() {
    let (stage, work) = started();
    let at: WorkspaceId = "wsp_0190a5c2f0b07c3e8d1f4b6a9c0d2eff".parse().unwrap();
    let Work::Run { tenant, run, run_type, .. } = work.clone() else { panic!() };
    let bad = Work::Run { workspace: at, tenant, run, run_type };
    let batch = batch_of(&stage, QueueName::Compare, &[bad.clone(), work, bad]);
    let faulty: Vec<String> =
        [0, 2].map(|place| batch.records[place].message_id.clone().unwrap()).into();
    let systems = Faulty { system: stage.system.clone(), at };
    let answer = on_runtime(plumbline_compare::handle(&systems, batch, MINUTE)).unwrap();
    let mut failed = failures(&answer);
    failed.sort_unstable();
    assert_eq!(failed, faulty);
    assert_eq!(answer.counts, [("Panicked", 2), ("Succeeded", 1)].into());
}
