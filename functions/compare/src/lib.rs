//! Compares one tenant with its baseline, a message each.

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use plumbline_lambda_kit::{Answer, Failed, Systems, batch};
use plumbline_ports::QueueName;
use std::time::Duration;

/// What must be set for the function.
pub const NEEDS: &[&str] =
    &["PLUMBLINE_TABLE", "PLUMBLINE_BUCKET", "PLUMBLINE_QUEUE_COMPARE", "PLUMBLINE_DEAD_COMPARE"];

/// Does a batch of messages, with so much time left.
///
/// # Errors
/// The batch is not as SQS writes it.
pub async fn handle(
    systems: &dyn Systems,
    event: SqsEvent,
    time: Duration,
) -> Result<Answer<SqsBatchResponse>, Failed> {
    batch::work(systems, QueueName::Compare, event, time).await
}
