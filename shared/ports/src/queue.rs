//! Queues: messages that are delivered at least once, in any order.
//!
//! The contract is that of a standard SQS queue with a dead-letter queue:
//! - A sent message is delivered until somebody deletes it; it may be delivered twice, late and out of
//!   order, also to two receivers at one time.
//! - A delivered message is hidden for the visibility time; then it comes again, with one attempt more.
//! - After [`MAX_ATTEMPTS`] deliveries it goes to the dead letters instead, at the receive that would have
//!   delivered it once more.
//! - Messages of one group are no more than a hint for fairness: a group with many messages must not keep
//!   others waiting.
//! - A body is text that stands in XML: no control characters but tab and the ends of lines. A group is
//!   visible ASCII.

use crate::PortError;
use async_trait::async_trait;
use std::time::Duration;

/// The most messages in one send or receive.
pub const MAX_MESSAGES: usize = 10;
/// A request is billed once for every so many bytes that it carries.
pub const REQUEST_BYTES: usize = 64 * 1024;
/// The most bytes of one message of ours. SQS takes 1 MiB; what is more than this is billed twice.
pub const MAX_MESSAGE_BYTES: usize = REQUEST_BYTES;
/// How often a message is delivered before it is given up.
pub const MAX_ATTEMPTS: u32 = 5;
/// The most bytes of a group.
pub const MAX_GROUP_BYTES: usize = 128;
/// The longest visibility time.
pub const MAX_VISIBILITY: Duration = Duration::from_hours(12);

/// The queues, one a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum QueueName {
    /// Captures of baselines.
    Capture,
    /// Compares.
    Compare,
}

impl QueueName {
    /// Every queue.
    pub const ALL: [Self; 2] = [Self::Capture, Self::Compare];

    /// The word used in configuration and in messages.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Capture => "capture",
            Self::Compare => "compare",
        }
    }
}

/// A message to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// The workspace, so that one with much work does not keep others waiting.
    pub group: String,
    /// The content.
    pub body: String,
}

/// Names one delivery of one message; it ends with the visibility time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Receipt(pub String);

/// A message that was delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Names this delivery.
    pub receipt: Receipt,
    /// Names the message in logs.
    pub message_id: String,
    /// The group it was sent with.
    pub group: String,
    /// The content.
    pub body: String,
    /// How often it was delivered, this time included.
    pub attempts: u32,
}

/// A message that was given up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// Names it among the dead letters until they are listed again.
    pub receipt: Receipt,
    /// Names the message in logs.
    pub message_id: String,
    /// The group it was sent with.
    pub group: String,
    /// The content.
    pub body: String,
    /// Why it was given up.
    pub reason: String,
}

/// Why a message is given up that was delivered too often.
#[must_use]
pub fn exhausted() -> String {
    format!("delivered {MAX_ATTEMPTS} times without success")
}

/// Keeps messages.
#[async_trait]
pub trait Queue: Send + Sync {
    /// Sends up to [`MAX_MESSAGES`] messages. Answers the places of those that were not taken, to be sent
    /// again; an error means that any of them may have been taken.
    async fn send(
        &self,
        queue: QueueName,
        messages: Vec<Outgoing>,
    ) -> Result<Vec<usize>, PortError>;

    /// Receives up to `limit` messages (at most [`MAX_MESSAGES`]) and hides them for `visibility`. Does
    /// not wait: no message is an empty answer.
    async fn receive(
        &self,
        queue: QueueName,
        limit: usize,
        visibility: Duration,
    ) -> Result<Vec<Delivery>, PortError>;

    /// Hides a delivered message for `visibility` from now; zero gives it back at once. A delivery that
    /// ended is left alone, which is no error.
    async fn extend(
        &self,
        queue: QueueName,
        receipt: &Receipt,
        visibility: Duration,
    ) -> Result<(), PortError>;

    /// Deletes a delivered message. One that is gone, or that was delivered again since, is left alone.
    async fn delete(&self, queue: QueueName, receipt: &Receipt) -> Result<(), PortError>;

    /// Gives a delivered message up at once, with a reason. A delivery that ended may leave the message
    /// where it is and a dead letter besides.
    async fn bury(
        &self,
        queue: QueueName,
        delivery: &Delivery,
        reason: &str,
    ) -> Result<(), PortError>;

    /// Lists up to `limit` dead letters. They stay until [`Queue::forget`].
    async fn dead_letters(
        &self,
        queue: QueueName,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, PortError>;

    /// Deletes a dead letter; one that is gone stays so.
    async fn forget(&self, queue: QueueName, receipt: &Receipt) -> Result<(), PortError>;
}

/// Checks the limits of a send.
///
/// # Errors
/// [`PortError::Refused`] names the limit.
pub fn check_send(messages: &[Outgoing]) -> Result<(), PortError> {
    const OP: &str = "send messages";
    if messages.is_empty() || messages.len() > MAX_MESSAGES {
        return Err(PortError::refused(
            OP,
            format!("{} messages, but a send takes 1 to {MAX_MESSAGES}", messages.len()),
        ));
    }
    for Outgoing { group, body } in messages {
        if body.is_empty() || body.len() > MAX_MESSAGE_BYTES {
            return Err(PortError::refused(
                OP,
                format!("a message has {} bytes, but takes 1 to {MAX_MESSAGE_BYTES}", body.len()),
            ));
        }
        if let Some(wrong) = body.chars().find(|sign| !is_plain(*sign)) {
            return Err(PortError::refused(OP, format!("a message holds {wrong:?}")));
        }
        let visible = group.bytes().all(|byte| byte.is_ascii_graphic());
        if group.is_empty() || group.len() > MAX_GROUP_BYTES || !visible {
            return Err(PortError::refused(
                OP,
                format!("a group has 1 to {MAX_GROUP_BYTES} visible ASCII characters"),
            ));
        }
    }
    Ok(())
}

/// Whether a message may hold a character.
#[must_use]
pub fn is_plain(sign: char) -> bool {
    matches!(sign, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..)
}

/// Checks the limits of a receive.
///
/// # Errors
/// [`PortError::Refused`] names the limit.
pub fn check_receive(limit: usize, visibility: Duration) -> Result<(), PortError> {
    const OP: &str = "receive messages";
    if limit == 0 || limit > MAX_MESSAGES {
        return Err(PortError::refused(
            OP,
            format!("{limit} messages, but a receive takes 1 to {MAX_MESSAGES}"),
        ));
    }
    check_visibility(visibility)
}

/// Checks a visibility time.
///
/// # Errors
/// [`PortError::Refused`] when it is over [`MAX_VISIBILITY`].
pub fn check_visibility(visibility: Duration) -> Result<(), PortError> {
    if visibility > MAX_VISIBILITY {
        return Err(PortError::refused(
            "hide messages",
            format!(
                "{} seconds, but a message is hidden for at most {}",
                visibility.as_secs(),
                MAX_VISIBILITY.as_secs()
            ),
        ));
    }
    Ok(())
}
