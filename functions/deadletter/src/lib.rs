//! Ends the runs of messages that were given up.

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use plumbline_lambda_kit::batch::{Done, delivery, each};
use plumbline_lambda_kit::settings::{BadSetting, Environment, required};
use plumbline_lambda_kit::{Answer, Failed, Systems};
use plumbline_operations::{OperationError, Work};
use plumbline_ports::queue::exhausted;
use plumbline_ports::{DeadLetter, QueueName};
use std::collections::BTreeMap;
use tracing::error;

/// What must be set for the function.
pub const NEEDS: &[&str] = &[
    "PLUMBLINE_TABLE",
    "PLUMBLINE_BUCKET",
    "PLUMBLINE_QUEUE_CAPTURE",
    "PLUMBLINE_QUEUE_COMPARE",
    "PLUMBLINE_DEAD_CAPTURE",
    "PLUMBLINE_DEAD_COMPARE",
];

/// The attribute in which a worker says why it gave a message up.
const REASON: &str = "reason";

/// Which queue the letters of a dead-letter queue come from, by the name of the latter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeadQueues(BTreeMap<String, QueueName>);

impl DeadQueues {
    /// Takes the names from the addresses of the dead-letter queues.
    ///
    /// # Errors
    /// An address is missing.
    pub fn from_env(environment: Environment<'_>) -> Result<Self, BadSetting> {
        let url = |name| required(name, environment);
        let (capture, compare) = (url("PLUMBLINE_DEAD_CAPTURE")?, url("PLUMBLINE_DEAD_COMPARE")?);
        let name = |url: &str| url.rsplit('/').next().unwrap_or_default().to_owned();
        Ok(Self::named(name(&capture), name(&compare)))
    }

    /// Takes the names of the dead-letter queues.
    #[must_use]
    pub fn named(capture: impl Into<String>, compare: impl Into<String>) -> Self {
        Self(BTreeMap::from([
            (capture.into(), QueueName::Capture),
            (compare.into(), QueueName::Compare),
        ]))
    }

    /// The queue that the letters of a record's queue come from.
    fn behind(&self, record: &SqsMessage) -> Option<QueueName> {
        let arn = record.event_source_arn.as_deref()?;
        self.0.get(arn.rsplit(':').next()?).copied()
    }
}

/// Ends the run of each message, with the reason it was given up for. What a newer program sent is sent
/// again, for one that understands it.
///
/// # Errors
/// The batch is not as SQS writes it.
pub async fn handle(
    systems: &dyn Systems,
    queues: &DeadQueues,
    event: SqsEvent,
) -> Result<Answer<SqsBatchResponse>, Failed> {
    each(event, |record| async move {
        match end(systems, queues, record).await {
            Ok(()) => Done { metric: "LettersDone", comes_again: false },
            Err(reason) => {
                error!("the letter stays: {reason}");
                Done { metric: "LettersKept", comes_again: true }
            }
        }
    })
    .await
}

async fn end(systems: &dyn Systems, queues: &DeadQueues, record: SqsMessage) -> Result<(), String> {
    let queue = queues.behind(&record).ok_or("it comes from no dead-letter queue of ours")?;
    let said = record.message_attributes.get(REASON).and_then(|one| one.string_value.clone());
    let reason = said.unwrap_or_else(exhausted);
    let delivery = delivery(record);
    error!(queue = queue.as_str(), "the message {} was given up: {reason}", delivery.message_id);
    let letter = DeadLetter {
        receipt: delivery.receipt,
        message_id: delivery.message_id,
        group: delivery.group,
        body: delivery.body,
        reason,
    };
    let told = |error: OperationError| error.to_string();
    let system = match Work::read(&letter.body) {
        Ok(work) => systems.of(work.workspace()).await.map_err(told)?,
        Err(_) => systems.whole(),
    };
    system.end_dead(queue, &letter).await.map_err(told)
}
