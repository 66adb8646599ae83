//! What only a queue of SQS does: groups on the message, sends that are taken in part, a dead-letter queue
//! of its own.

use crate::between::{Between, Fault, refusal};
use crate::stage::{Stage, ports, run};
use plumbline_ports::queue::exhausted;
use plumbline_ports::{Outgoing, PortError, Ports, QueueName, Receipt};
use plumbline_store_aws::{Aws, Server};
use serde_json::{Value, json};
use std::time::Duration;

const QUEUE: QueueName = QueueName::Capture;
const HIDDEN: Duration = Duration::from_mins(5);

fn messages(count: usize) -> Vec<Outgoing> {
    let message = |n| Outgoing { group: format!("wsp_{n}"), body: format!("body {n}") };
    (0..count).map(message).collect()
}

async fn through(stage: &Stage<'_>) -> (Ports, Between) {
    let between = Between::before(&stage.account.server.url()).await;
    let server = Server { url: between.url(), ..stage.server() };
    let aws = Aws::connect_to(&server, stage.settings.clone()).await;
    (ports(&aws), between)
}

fn received(stage: &Stage<'_>, url: Option<&String>) -> Vec<Value> {
    let found = stage.account.call(
        "sqs",
        "receive_message",
        &json!({
            "QueueUrl": url,
            "MaxNumberOfMessages": 10,
            "VisibilityTimeout": 0,
            "MessageSystemAttributeNames": ["All"],
            "MessageAttributeNames": ["All"],
        }),
    );
    found["Messages"].as_array().cloned().unwrap_or_default()
}

/// The hint for fairness is the queue's own.
#[test]
fn the_group_stands_on_the_message() {
    let stage = Stage::new();
    run(async {
        let queue = stage.ports().await.queue;
        assert_eq!(queue.send(QUEUE, messages(1)).await, Ok(vec![]));
        let found = received(&stage, stage.urls(QUEUE).queue.as_ref());
        assert_eq!(found[0]["Attributes"]["MessageGroupId"], "wsp_0");
        assert_eq!(found[0]["Body"], "body 0");
    });
}

#[test]
fn what_was_not_taken_of_a_send_is_named_by_its_place() {
    let stage = Stage::new();
    run(async {
        let (ports, between) = through(&stage).await;
        let failed = |id: &str, fault: bool| json!({ "Id": id, "Code": "InternalError", "Message": "planned", "SenderFault": fault });
        let answer = |failed: Vec<Value>| {
            Fault::Answer(200, json!({ "Successful": [], "Failed": failed }).to_string())
        };
        between.plan("SendMessageBatch", [answer(vec![failed("7", false), failed("2", false)])]);
        assert_eq!(ports.queue.send(QUEUE, messages(10)).await, Ok(vec![2, 7]));
        between.plan("SendMessageBatch", [answer(vec![failed("1", false), failed("2", true)])]);
        let told = ports.queue.send(QUEUE, messages(3)).await;
        assert!(matches!(told, Err(PortError::Refused { .. })), "never taken: {told:?}");
        between.plan("SendMessageBatch", vec![refusal(400, "ThrottlingException"); 2]);
        assert_eq!(ports.queue.send(QUEUE, messages(2)).await, Ok(vec![]));
    });
}

#[test]
fn a_buried_message_lies_in_the_dead_letter_queue_with_its_reason() {
    let stage = Stage::new();
    run(async {
        let queue = stage.ports().await.queue;
        queue.send(QUEUE, messages(2)).await.unwrap();
        let found = queue.receive(QUEUE, 10, HIDDEN).await.unwrap();
        assert_eq!(found.len(), 2);
        queue.bury(QUEUE, &found[0], "not \u{0} JSON").await.unwrap();
        queue.bury(QUEUE, &found[1], "").await.unwrap();
        let dead = received(&stage, stage.urls(QUEUE).dead_letters.as_ref());
        let reason = |at: usize| dead[at]["MessageAttributes"]["reason"]["StringValue"].clone();
        assert_eq!(
            (reason(0), reason(1)),
            (json!("not \u{fffd} JSON"), json!("no reason was given"))
        );
        assert_eq!(dead[0]["Body"], json!(found[0].body));
        assert_eq!(dead[0]["Attributes"]["MessageGroupId"], json!(found[0].group));
        assert!(received(&stage, stage.urls(QUEUE).queue.as_ref()).is_empty());
    });
}

/// A message that SQS gave up itself has no reason with it.
#[test]
fn a_dead_letter_without_a_reason_was_delivered_too_often() {
    let stage = Stage::new();
    run(async {
        let queue = stage.ports().await.queue;
        let url = stage.urls(QUEUE).dead_letters.clone();
        for number in 0..23 {
            let body = format!("dead {number}");
            let send = json!({ "QueueUrl": url, "MessageBody": body, "MessageGroupId": "wsp_1" });
            stage.account.call("sqs", "send_message", &send);
        }
        let dead = queue.dead_letters(QUEUE, usize::MAX).await.unwrap();
        assert_eq!(dead.len(), 23);
        assert!(dead.iter().all(|letter| letter.reason == exhausted() && letter.group == "wsp_1"));
        assert_eq!(queue.dead_letters(QUEUE, 12).await.unwrap().len(), 12);
    });
}

#[test]
fn handles_of_nothing_are_left_alone() {
    let stage = Stage::new();
    run(async {
        let (ports, between) = through(&stage).await;
        let receipt = Receipt("nothing".to_owned());
        for code in [
            "ReceiptHandleIsInvalid",
            "AWS.SimpleQueueService.MessageNotInflight",
            "com.amazonaws.sqs#MessageNotInflight",
        ] {
            between.plan("ChangeMessageVisibility", [refusal(400, code)]);
            between.plan("DeleteMessage", [refusal(400, code)]);
            assert_eq!(ports.queue.extend(QUEUE, &receipt, HIDDEN).await, Ok(()), "{code}");
            assert_eq!(ports.queue.delete(QUEUE, &receipt).await, Ok(()), "{code}");
        }
        let message =
            "Value x for parameter ReceiptHandle is invalid. Reason: Message does not exist";
        let answer = json!({ "__type": "InvalidParameterValue", "message": message });
        between.plan("ChangeMessageVisibility", [Fault::Answer(400, answer.to_string())]);
        assert_eq!(ports.queue.extend(QUEUE, &receipt, HIDDEN).await, Ok(()));
        between.plan("DeleteMessage", [refusal(403, "AccessDeniedException")]);
        let told = ports.queue.delete(QUEUE, &receipt).await;
        assert!(matches!(told, Err(PortError::Refused { .. })), "{told:?}");
    });
}

#[test]
fn requests_are_counted_by_64_kilobytes() {
    let stage = Stage::new();
    run(async {
        let aws = stage.aws().await;
        let queue = ports(&aws).queue;
        let body = "x".repeat(60 * 1024);
        let message = |n: usize| Outgoing { group: format!("wsp_{n}"), body: body.clone() };
        queue.send(QUEUE, (0..4).map(message).collect()).await.unwrap();
        assert_eq!(aws.bill().queue_requests, 4, "240 KB are four times 64");
        queue.receive(QueueName::Compare, 10, HIDDEN).await.unwrap();
        assert_eq!(aws.bill().queue_requests, 5, "an empty answer is one");
    });
}
