//! Batches of messages from SQS. Each record has a fate of its own: those that are to come again are named
//! in the answer, all others are deleted by Lambda without a call of ours.

use crate::answer::{Answer, Counts, Failed};
use crate::log;
use crate::systems::Systems;
use aws_lambda_events::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent, SqsMessage};
use futures::{FutureExt as _, StreamExt as _, stream};
use plumbline_governance::run::RunOutcome;
use plumbline_operations::{Expiry, Handled, Work};
use plumbline_ports::{Delivery, QueueName, Receipt};
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::time::Duration;
use tracing::{Instrument as _, error, info_span};

/// How many records are done at the same time. They wait for the stores most of the time; each holds a
/// tenant's policies in memory.
const AT_ONCE: usize = 4;
/// How long before the end of its time a function gives back what it has not finished.
pub const MARGIN: Duration = Duration::from_secs(10);

/// What became of one record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Done {
    /// The name of its metric.
    pub metric: &'static str,
    /// Whether its message is to come again.
    pub comes_again: bool,
}

/// Does the work of a batch, for a worker that has so much time left.
///
/// # Errors
/// The batch is not as SQS writes it; nothing of it was done.
pub async fn work(
    systems: &dyn Systems,
    queue: QueueName,
    event: SqsEvent,
    time: Duration,
) -> Result<Answer<SqsBatchResponse>, Failed> {
    let over: Expiry = tokio::time::sleep(time.saturating_sub(MARGIN)).boxed().shared();
    each(event, |record| one(systems, queue, record, over.clone())).await
}

/// Does each record of a batch, a few at a time, and answers which are to come again. A fault of the
/// program at one record fails that record alone.
///
/// # Errors
/// A record has no id, so that its failure could not be told; nothing was done.
pub async fn each<F: Future<Output = Done>>(
    event: SqsEvent,
    one: impl Fn(SqsMessage) -> F,
) -> Result<Answer<SqsBatchResponse>, Failed> {
    let has_id =
        |record: &SqsMessage| record.message_id.as_deref().is_some_and(|id| !id.is_empty());
    if !event.records.iter().all(has_id) {
        return Err(Failed("a record of the batch has no messageId; nothing was done".to_owned()));
    }
    let one = &one;
    let done: Vec<(String, Done)> = stream::iter(event.records)
        .map(|record| async move {
            let id = record.message_id.clone().unwrap_or_default();
            let span = info_span!("message", message.id = %id);
            let work = async { one(record).await }.instrument(span.clone());
            let done = AssertUnwindSafe(work).catch_unwind().await.unwrap_or_else(|_| {
                let _in = span.enter();
                error!("the program failed at the message {id}, which comes again");
                Done { metric: "Panicked", comes_again: true }
            });
            (id, done)
        })
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    let mut body = SqsBatchResponse::default();
    let mut counts = Counts::new();
    for (id, done) in done {
        *counts.entry(done.metric).or_default() += 1;
        if done.comes_again {
            let mut failure = BatchItemFailure::default();
            failure.item_identifier = id;
            body.batch_item_failures.push(failure);
        }
    }
    Ok(Answer { body, counts })
}

/// Reads a record as the delivery of a message. What SQS leaves out is taken for a first delivery.
#[must_use]
pub fn delivery(record: SqsMessage) -> Delivery {
    let attribute = |name: &str| record.attributes.get(name).cloned();
    let message_id = record.message_id.clone().unwrap_or_default();
    Delivery {
        group: attribute("MessageGroupId").unwrap_or_else(|| message_id.clone()),
        attempts: attribute("ApproximateReceiveCount")
            .and_then(|count| count.parse().ok())
            .unwrap_or(1),
        receipt: Receipt(record.receipt_handle.unwrap_or_default()),
        body: record.body.unwrap_or_default(),
        message_id,
    }
}

async fn one(systems: &dyn Systems, queue: QueueName, record: SqsMessage, over: Expiry) -> Done {
    let delivery = delivery(record);
    let handled = match Work::read(&delivery.body) {
        Ok(work) => match systems.of(work.workspace()).await {
            Ok(system) => Box::pin(system.until(over).judge(&work, delivery.attempts)).await,
            Err(error) => Handled::again(delivery.attempts, error),
        },
        Err(bad) => bad.into(),
    };
    log::told(queue, &handled);
    let (metric, comes_again) = match &handled {
        Handled::Ended(run) => (metric_of(run.outcome()), false),
        Handled::Nothing => ("Nothing", false),
        Handled::Again { .. } => ("Again", true),
        Handled::Buried(_) => ("Buried", false),
    };
    if matches!(handled, Handled::Ended(_) | Handled::Nothing) {
        return Done { metric, comes_again };
    }
    match systems.whole().settle(queue, &delivery, &handled).await {
        Ok(()) => Done { metric, comes_again },
        Err(error) => {
            error!("the message comes again, because the queue did not settle it: {error}");
            Done { metric, comes_again: true }
        }
    }
}

fn metric_of(outcome: RunOutcome) -> &'static str {
    match outcome {
        RunOutcome::Succeeded => "Succeeded",
        RunOutcome::Partial => "Partial",
        RunOutcome::Blocked => "Blocked",
        RunOutcome::Failed => "Failed",
        RunOutcome::Cancelled => "Cancelled",
        RunOutcome::Pending => "Pending",
    }
}
