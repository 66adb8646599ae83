//! Queues in SQS: a standard queue and its dead-letter queue for each worker, the workspace as the group
//! of its messages.

use crate::bill::Meter;
use crate::error::{not_set, port_error};
use crate::settings::{QueueUrls, queue_variables};
use async_trait::async_trait;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::{BuildError, ProvideErrorMetadata, SdkError};
use aws_sdk_sqs::types::{
    ChangeMessageVisibilityBatchRequestEntry, Message, MessageAttributeValue,
    MessageSystemAttributeName, QueueAttributeName, SendMessageBatchRequestEntry,
};
use plumbline_ports::queue::{
    MAX_MESSAGES, check_receive, check_send, check_visibility, exhausted, is_plain,
};
use plumbline_ports::{DeadLetter, Delivery, Outgoing, PortError, Queue, QueueName, Receipt};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

const SEND: &str = "send messages";
const RECEIVE: &str = "receive messages";
const EXTEND: &str = "extend a delivery";
const DELETE: &str = "delete a message";
const BURY: &str = "bury a message";
const LIST: &str = "list dead letters";
const FORGET: &str = "forget a dead letter";

/// The attribute of a dead letter that says why.
const REASON: &str = "reason";
/// The most characters of a reason.
const MOST_OF_A_REASON: usize = 1_000;
/// How long a listing hides the dead letters it looks at, if nobody shows them again.
const LOOKED_AT: Duration = Duration::from_secs(30);

/// Queues in SQS.
pub(crate) struct SqsQueue {
    client: Client,
    urls: BTreeMap<QueueName, QueueUrls>,
    meter: Arc<Meter>,
}

impl SqsQueue {
    pub(crate) fn new(
        client: Client,
        urls: BTreeMap<QueueName, QueueUrls>,
        meter: Arc<Meter>,
    ) -> Self {
        Self { client, urls, meter }
    }

    /// Proves that a queue and its dead letters are there, as far as they are set.
    pub(crate) async fn warm(&self, queue: QueueName) -> Result<(), PortError> {
        const OP: &str = "look at a queue";
        let urls = self.urls.get(&queue).cloned().unwrap_or_default();
        for url in [urls.queue, urls.dead_letters].into_iter().flatten() {
            self.meter.queue_request(0);
            let look = self.client.get_queue_attributes().queue_url(&url);
            let look = look.attribute_names(QueueAttributeName::QueueArn).send().await;
            look.map_err(|error| port_error(OP, &url, &error))?;
        }
        Ok(())
    }

    fn url(&self, op: &'static str, queue: QueueName) -> Result<&str, PortError> {
        let url = self.urls.get(&queue).and_then(|urls| urls.queue.as_deref());
        url.ok_or_else(|| not_set(op, queue_variables(queue).0))
    }

    fn dead_url(&self, op: &'static str, queue: QueueName) -> Result<&str, PortError> {
        let url = self.urls.get(&queue).and_then(|urls| urls.dead_letters.as_deref());
        url.ok_or_else(|| not_set(op, queue_variables(queue).1))
    }

    async fn receive_from(
        &self,
        op: &'static str,
        url: &str,
        limit: usize,
        visibility: Duration,
    ) -> Result<Vec<Message>, PortError> {
        let answer = self
            .client
            .receive_message()
            .queue_url(url)
            .max_number_of_messages(whole(limit))
            .visibility_timeout(seconds(visibility))
            .wait_time_seconds(0)
            .message_system_attribute_names(MessageSystemAttributeName::ApproximateReceiveCount)
            .message_system_attribute_names(MessageSystemAttributeName::MessageGroupId)
            .message_attribute_names(REASON)
            .send()
            .await
            .map_err(|error| port_error(op, url, &error))?;
        let messages = answer.messages.unwrap_or_default();
        let bytes = messages.iter().filter_map(Message::body).map(str::len).sum();
        self.meter.queue_request(bytes);
        Ok(messages)
    }

    async fn delete_from(
        &self,
        op: &'static str,
        url: &str,
        receipt: &Receipt,
    ) -> Result<(), PortError> {
        self.meter.queue_request(0);
        let delete = self.client.delete_message().queue_url(url).receipt_handle(&receipt.0);
        delete.send().await.map(drop).or_else(|error| left_alone(op, url, &error))
    }

    /// Shows messages again that were looked at.
    async fn show(&self, url: &str, messages: &[Message]) -> Result<(), PortError> {
        for ten in messages.chunks(MAX_MESSAGES) {
            self.meter.queue_request(0);
            let entries: Result<Vec<_>, BuildError> = ten
                .iter()
                .enumerate()
                .map(|(place, message)| {
                    ChangeMessageVisibilityBatchRequestEntry::builder()
                        .id(place.to_string())
                        .receipt_handle(message.receipt_handle().unwrap_or_default())
                        .visibility_timeout(0)
                        .build()
                })
                .collect();
            let show = self.client.change_message_visibility_batch().queue_url(url);
            let show = show.set_entries(Some(entries.map_err(|error| not_built(LIST, &error))?));
            show.send().await.map_err(|error| port_error(LIST, url, &error))?;
        }
        Ok(())
    }
}

fn not_built(op: &'static str, error: &BuildError) -> PortError {
    PortError::refused(op, error.to_string())
}

/// Nothing, for a delivery that ended or that is none of this queue's.
fn left_alone<E>(op: &'static str, url: &str, error: &SdkError<E>) -> Result<(), PortError>
where
    E: std::error::Error + ProvideErrorMetadata + 'static,
{
    const ENDED: &[&str] = &[
        "AWS.SimpleQueueService.MessageNotInflight",
        "MessageNotInflight",
        "ReceiptHandleIsInvalid",
    ];
    let code = error.code().unwrap_or_default();
    let told = error.message().unwrap_or_default();
    // A handle of another queue or of a message that is gone is told by a code that stands for any
    // parameter.
    let of_the_handle = code == "InvalidParameterValue" && told.contains("ReceiptHandle");
    if ENDED.contains(&code) || of_the_handle { Ok(()) } else { Err(port_error(op, url, error)) }
}

/// A time in whole seconds, not shorter.
fn seconds(time: Duration) -> i32 {
    whole(
        usize::try_from(time.as_secs()).unwrap_or(usize::MAX)
            + usize::from(time.subsec_nanos() > 0),
    )
}

fn whole(number: usize) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

fn system<'m>(message: &'m Message, name: &MessageSystemAttributeName) -> Option<&'m str> {
    message.attributes()?.get(name).map(String::as_str)
}

/// The parts of a message that a delivery and a dead letter share: receipt, id, group, body.
fn content(message: &Message) -> (Receipt, String, String, String) {
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    let group = system(message, &MessageSystemAttributeName::MessageGroupId);
    (
        Receipt(text(message.receipt_handle())),
        text(message.message_id()),
        text(group),
        text(message.body()),
    )
}

fn delivery(message: &Message) -> Delivery {
    let (receipt, message_id, group, body) = content(message);
    let attempts = system(message, &MessageSystemAttributeName::ApproximateReceiveCount);
    let attempts = attempts.and_then(|count| count.parse().ok()).unwrap_or(1);
    Delivery { receipt, message_id, group, body, attempts }
}

/// A dead letter. One without a reason was moved by SQS itself.
fn dead_letter(message: &Message) -> DeadLetter {
    let (receipt, message_id, group, body) = content(message);
    let reason = message.message_attributes().and_then(|all| all.get(REASON)?.string_value());
    let reason = reason.map_or_else(exhausted, str::to_owned);
    DeadLetter { receipt, message_id, group, body, reason }
}

/// A reason as a text that a message may carry: not empty, not long, plain.
fn carried(reason: &str) -> String {
    let sign = |sign| if is_plain(sign) { sign } else { char::REPLACEMENT_CHARACTER };
    let out: String = reason.chars().take(MOST_OF_A_REASON).map(sign).collect();
    if out.is_empty() { "no reason was given".to_owned() } else { out }
}

#[async_trait]
impl Queue for SqsQueue {
    async fn send(
        &self,
        queue: QueueName,
        messages: Vec<Outgoing>,
    ) -> Result<Vec<usize>, PortError> {
        check_send(&messages)?;
        let url = self.url(SEND, queue)?;
        self.meter.queue_request(messages.iter().map(|message| message.body.len()).sum());
        let entries: Result<Vec<_>, BuildError> = messages
            .into_iter()
            .enumerate()
            .map(|(place, message)| {
                SendMessageBatchRequestEntry::builder()
                    .id(place.to_string())
                    .message_group_id(message.group)
                    .message_body(message.body)
                    .build()
            })
            .collect();
        let entries = entries.map_err(|error| not_built(SEND, &error))?;
        let send = self.client.send_message_batch().queue_url(url).set_entries(Some(entries));
        let answer = send.send().await.map_err(|error| port_error(SEND, url, &error))?;
        if let Some(wrong) = answer.failed().iter().find(|failed| failed.sender_fault()) {
            let told = wrong.message().unwrap_or_default();
            return Err(PortError::refused(SEND, format!("{}: {told}", wrong.code())));
        }
        let mut places: Vec<usize> =
            answer.failed().iter().filter_map(|failed| failed.id().parse().ok()).collect();
        places.sort_unstable();
        Ok(places)
    }

    async fn receive(
        &self,
        queue: QueueName,
        limit: usize,
        visibility: Duration,
    ) -> Result<Vec<Delivery>, PortError> {
        check_receive(limit, visibility)?;
        let url = self.url(RECEIVE, queue)?;
        let messages = self.receive_from(RECEIVE, url, limit, visibility).await?;
        Ok(messages.iter().map(delivery).collect())
    }

    async fn extend(
        &self,
        queue: QueueName,
        receipt: &Receipt,
        visibility: Duration,
    ) -> Result<(), PortError> {
        check_visibility(visibility)?;
        let url = self.url(EXTEND, queue)?;
        self.meter.queue_request(0);
        let extend = self
            .client
            .change_message_visibility()
            .queue_url(url)
            .receipt_handle(&receipt.0)
            .visibility_timeout(seconds(visibility));
        extend.send().await.map(drop).or_else(|error| left_alone(EXTEND, url, &error))
    }

    async fn delete(&self, queue: QueueName, receipt: &Receipt) -> Result<(), PortError> {
        self.delete_from(DELETE, self.url(DELETE, queue)?, receipt).await
    }

    /// Sent to the dead letters first: broken off in between, the message comes again.
    async fn bury(
        &self,
        queue: QueueName,
        delivery: &Delivery,
        reason: &str,
    ) -> Result<(), PortError> {
        let (url, dead) = (self.url(BURY, queue)?, self.dead_url(BURY, queue)?);
        let reason = MessageAttributeValue::builder()
            .data_type("String")
            .string_value(carried(reason))
            .build()
            .map_err(|error| not_built(BURY, &error))?;
        self.meter.queue_request(delivery.body.len());
        let group = Some(delivery.group.clone()).filter(|group| !group.is_empty());
        let send = self
            .client
            .send_message()
            .queue_url(dead)
            .set_message_group_id(group)
            .message_body(&delivery.body)
            .message_attributes(REASON, reason);
        send.send().await.map_err(|error| port_error(BURY, dead, &error))?;
        self.delete_from(BURY, url, &delivery.receipt).await
    }

    async fn dead_letters(
        &self,
        queue: QueueName,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, PortError> {
        let url = self.dead_url(LIST, queue)?;
        let mut found: Vec<Message> = Vec::new();
        while found.len() < limit {
            let wanted = (limit - found.len()).min(MAX_MESSAGES);
            let more = self.receive_from(LIST, url, wanted, LOOKED_AT).await?;
            if more.is_empty() {
                break;
            }
            for message in more {
                // One that came twice is named by its last receipt.
                let known = found.iter_mut().find(|one| one.message_id() == message.message_id());
                match known {
                    Some(known) => *known = message,
                    None => found.push(message),
                }
            }
        }
        self.show(url, &found).await?;
        Ok(found.iter().map(dead_letter).collect())
    }

    async fn forget(&self, queue: QueueName, receipt: &Receipt) -> Result<(), PortError> {
        self.delete_from(FORGET, self.dead_url(FORGET, queue)?, receipt).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_made_plain_and_short() {
        assert_eq!(carried(""), "no reason was given");
        assert_eq!(carried("a\u{0}b\u{ffff}c\n"), "a\u{fffd}b\u{fffd}c\n");
        assert_eq!(carried(&"é".repeat(2_000)).chars().count(), 1_000);
    }

    #[test]
    fn times_are_rounded_up_to_seconds() {
        for (time, expected) in [(0, 0), (1, 1), (999, 1), (1_000, 1), (1_001, 2)] {
            assert_eq!(seconds(Duration::from_millis(time)), expected, "{time} ms");
        }
    }
}
