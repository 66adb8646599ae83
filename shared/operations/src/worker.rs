//! Workers: take a message, do its run, and say what is to become of the message. A worker never drops
//! what it could not do, and gives back in time what it cannot finish.

use crate::capture::profile_of;
use crate::compare::{Inputs, Step};
use crate::error::OperationError;
use crate::message::{BadMessage, Work};
use crate::repository::Row as _;
use crate::repository::rows::{Guard, Suspect};
use crate::run::{Claim, Lease};
use crate::system::{Actor, System};
use futures::future::{Either, select};
use plumbline_governance::run::{Failure, ReasonCode, Run, RunType};
use plumbline_ports::{
    Batch, CommitError, Counters, DeadLetter, Delivery, Outgoing, PortError, QueueName,
};
use std::sync::Arc;
use std::time::Duration;

/// How long a message is hidden while its run is done; a little more than a lease, so that a second
/// delivery finds the lease ended.
pub const VISIBILITY: Duration = Duration::from_mins(16);
/// How long a message that could not be done waits for the next try, for the first time; it doubles.
const RETRY: Duration = Duration::from_secs(5);
/// How long a message of a newer program waits for one that understands it.
const NEWER: Duration = Duration::from_hours(1);

/// What is to become of a message.
#[derive(Debug)]
pub enum Handled {
    /// Its run ended; the message is done with.
    Ended(Box<Run>),
    /// There was nothing to do; the message is done with.
    Nothing,
    /// It comes again.
    Again {
        /// After so long.
        wait: Duration,
        /// Why it could not be done now.
        reason: String,
    },
    /// It is given up, with a reason.
    Buried(String),
}

impl Handled {
    /// Says that a message which was delivered so often comes again, after a wait that doubles.
    pub fn again(attempts: u32, reason: impl std::fmt::Display) -> Self {
        let wait = RETRY * 2_u32.pow(attempts.clamp(1, 6) - 1);
        Self::Again { wait, reason: reason.to_string() }
    }
}

impl From<BadMessage> for Handled {
    fn from(error: BadMessage) -> Self {
        let reason = error.to_string();
        match error {
            // A newer program sent it; one that understands it may come.
            BadMessage::Newer(_) => Self::Again { wait: NEWER, reason },
            BadMessage::Form(_) => Self::Buried(reason),
        }
    }
}

impl System {
    /// Receives up to `limit` messages of a queue and does each. One that fails holds no other up.
    ///
    /// # Errors
    /// Only when the queue itself does not answer.
    pub async fn work(
        &self,
        queue: QueueName,
        limit: usize,
    ) -> Result<Vec<Handled>, OperationError> {
        let mut out = Vec::new();
        for delivery in self.ports.queue.receive(queue, limit, VISIBILITY).await? {
            let handled = match Work::read(&delivery.body) {
                Ok(work) => Box::pin(self.judge(&work, delivery.attempts)).await,
                Err(bad) => bad.into(),
            };
            // What the queue does not settle comes again; the others are not held up.
            out.push(match self.settle(queue, &delivery, &handled).await {
                Ok(()) => handled,
                Err(error) => Handled::Again { wait: VISIBILITY, reason: error.to_string() },
            });
        }
        Ok(out)
    }

    /// Does what a message asks and says what is to become of it. Whoever has the message from its queue
    /// then settles it there.
    pub async fn judge(&self, work: &Work, attempts: u32) -> Handled {
        if self.is_over() {
            return Handled::again(attempts, over());
        }
        match Box::pin(self.perform(work)).await {
            Ok(Step::Ended(run)) => Handled::Ended(run),
            Ok(Step::Nothing) => Handled::Nothing,
            Ok(Step::Later(at)) => {
                let wait = at.duration_since(self.now());
                let wait = Duration::try_from(wait).unwrap_or(RETRY).clamp(RETRY, VISIBILITY);
                Handled::Again { wait, reason: "somebody else works on it".to_owned() }
            }
            Err(error) if error.is_retryable() => Handled::again(attempts, error),
            Err(error) => {
                let reason = error.to_string();
                match self.close_work(work, ReasonCode::PoisonMessage, &reason).await {
                    Err(error) if error.is_retryable() => Handled::again(attempts, error),
                    // A run that cannot be read cannot be ended either; the letter tells of it.
                    Ok(()) | Err(_) => Handled::Buried(reason),
                }
            }
        }
    }

    /// Does to a delivered message what is to become of it.
    ///
    /// # Errors
    /// The queue's; the message comes again.
    pub async fn settle(
        &self,
        queue: QueueName,
        delivery: &Delivery,
        handled: &Handled,
    ) -> Result<(), OperationError> {
        let (port, receipt) = (&self.ports.queue, &delivery.receipt);
        match handled {
            Handled::Ended(_) | Handled::Nothing => port.delete(queue, receipt).await?,
            Handled::Again { wait, .. } => port.extend(queue, receipt, *wait).await?,
            Handled::Buried(reason) => port.bury(queue, delivery, reason).await?,
        }
        Ok(())
    }

    /// Does a piece of work.
    ///
    /// # Errors
    /// What may succeed later is retryable; anything else is not to be tried again.
    pub async fn perform(&self, work: &Work) -> Result<Step, OperationError> {
        match work {
            Work::Night { workspace, tenant, date, due } => {
                Box::pin(self.night_compare(*workspace, *tenant, *date, *due)).await
            }
            Work::Run { workspace, tenant, run, run_type } => {
                let stored = match self.stored_run(*workspace, *tenant, *run).await {
                    Ok(stored) => stored,
                    Err(OperationError::NotFound { .. }) => return Ok(Step::Nothing),
                    Err(error) => return Err(error),
                };
                if stored.row.is_completed() {
                    return Ok(Step::Nothing);
                }
                if stored.row.run_type != *run_type {
                    return Err(OperationError::Invalid(format!(
                        "the message says {}, but the run {run} is a {}",
                        run_type.as_str(),
                        stored.row.run_type.as_str()
                    )));
                }
                let identity = profile_of(&stored.row)?.to_string();
                let key = Guard::key_of(*workspace, *tenant, *run_type, &identity);
                let guard = self.read::<Guard>(&key).await?;
                // Another run took its place while the message waited.
                if let Some(other) =
                    guard.as_ref().and_then(|guard| guard.row.active).filter(|id| id != run)
                {
                    let failure = Failure {
                        reason_code: ReasonCode::Superseded,
                        message: format!("the run {other} took its place"),
                    };
                    let ended = self
                        .close_run(*workspace, *tenant, *run, failure, &Actor::system())
                        .await?;
                    return Ok(Step::Ended(Box::new(ended)));
                }
                let (guard, read) = match guard {
                    Some(stored) => (stored.row, Some(stored.revision)),
                    None => (Guard::new(*workspace, *tenant, *run_type, identity), None),
                };
                match self.claim(stored.row, Some(stored.revision), guard, read).await? {
                    Claim::Nothing => Ok(Step::Nothing),
                    Claim::Busy(until) => Ok(Step::Later(until)),
                    Claim::Taken(lease) => self.work_on(*lease, None).await,
                }
            }
        }
    }

    /// Does the work of a run that is ours. Whatever it comes to, the run ends, or the message comes
    /// again. `frozen` is what a night froze for its claim.
    pub(crate) async fn work_on(
        &self,
        lease: Lease,
        frozen: Option<Inputs>,
    ) -> Result<Step, OperationError> {
        let (system, counters): (Self, Arc<Counters>) = self.metered();
        let work = async {
            match lease.run.row.run_type {
                RunType::BaselineCapture => system.capture(&lease, &counters).await,
                RunType::BaselineCompare => system.compare(&lease, frozen, &counters).await,
                other @ (RunType::InventoryImport | RunType::Renormalise) => {
                    Err(OperationError::Invalid(format!("no worker does a {}", other.as_str())))
                }
            }
        };
        // Work may break off at any call: what it wrote is true by itself, and the next try goes on.
        let result = match select(self.expiry.clone(), Box::pin(work)).await {
            Either::Left(_) => Err(over()),
            Either::Right((result, _)) => result,
        };
        let ended = match result {
            Ok(ended) => ended,
            Err(error) if error.is_retryable() => {
                self.give_back(&lease).await;
                return Err(error);
            }
            Err(error) => {
                let failure = failure_of(error);
                if matches!(
                    failure.reason_code,
                    ReasonCode::MissingObject | ReasonCode::CorruptObject
                ) {
                    self.suspect(&lease.run.row).await?;
                }
                self.end_with(&lease, failure, counters.usage()).await?
            }
        };
        match ended {
            Some(run) => Ok(Step::Ended(Box::new(run))),
            // The lease was taken from us; look again at what came of the run.
            None => Ok(Step::Later(self.now())),
        }
    }

    /// Notes that objects behind a run are not as they should be, so that the next import and the next
    /// capture write them anew.
    async fn suspect(&self, run: &Run) -> Result<(), OperationError> {
        let now = self.now();
        let mut suspects = vec![Suspect::of_tenant(run.workspace, run.tenant, now)];
        suspects.extend(
            run.context
                .baseline_profile_id
                .map(|profile| Suspect::of_profile(run.workspace, profile, now)),
        );
        for suspect in &suspects {
            if self.read::<Suspect>(&suspect.key()).await?.is_some() {
                continue;
            }
            let batch = self.insert(Batch::new(), suspect).await?;
            match self.commit(batch).await {
                Ok(()) | Err(CommitError::Condition { .. }) => {}
                Err(CommitError::Port(error)) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Ends a lease early, so that the next try need not wait for it. If that fails, it ends by itself.
    async fn give_back(&self, lease: &Lease) {
        let mut guard = lease.guard.row.clone();
        guard.lease_until = None;
        if let Ok(batch) = self.update(Batch::new(), &guard, lease.guard.revision).await {
            // Nothing depends on it.
            let _ = self.commit(batch).await;
        }
    }

    /// Ends the runs of messages that were given up. Safe to repeat; a letter is forgotten once its run
    /// has ended, or cannot be ended because its row is damaged. What a newer program sent is sent again,
    /// for one that understands it. One letter's trouble does not hold the others up.
    ///
    /// # Errors
    /// The stores', the first, after every letter was looked at.
    pub async fn bury_dead(&self, queue: QueueName) -> Result<Vec<DeadLetter>, OperationError> {
        let letters = self.ports.queue.dead_letters(queue, 100).await?;
        let mut trouble = None;
        for letter in &letters {
            if let Err(error) = self.bury_one(queue, letter).await {
                trouble.get_or_insert(error);
            }
        }
        trouble.map_or(Ok(letters), Err)
    }

    async fn bury_one(&self, queue: QueueName, letter: &DeadLetter) -> Result<(), OperationError> {
        self.end_dead(queue, letter).await?;
        Ok(self.ports.queue.forget(queue, &letter.receipt).await?)
    }

    /// Ends the run of one message that was given up, and leaves the letter where it is. What a newer
    /// program sent is sent again instead.
    ///
    /// # Errors
    /// The stores'; the letter must be kept then.
    pub async fn end_dead(
        &self,
        queue: QueueName,
        letter: &DeadLetter,
    ) -> Result<(), OperationError> {
        match Work::read(&letter.body) {
            Ok(work) => {
                match self.close_work(&work, ReasonCode::PoisonMessage, &letter.reason).await {
                    Err(error) if error.is_retryable() => return Err(error),
                    Err(error) => {
                        tracing::error!(%error, "the run of a dead letter cannot be ended: {error}");
                    }
                    Ok(()) => {}
                }
            }
            Err(BadMessage::Newer(_)) => {
                let again = Outgoing { group: letter.group.clone(), body: letter.body.clone() };
                if !self.ports.queue.send(queue, vec![again]).await?.is_empty() {
                    let reason = "the message was not taken";
                    return Err(PortError::unavailable("send messages", reason).into());
                }
            }
            Err(BadMessage::Form(_)) => {}
        }
        Ok(())
    }

    /// Ends the run of a piece of work that nobody will do.
    pub(crate) async fn close_work(
        &self,
        work: &Work,
        reason_code: ReasonCode,
        reason: &str,
    ) -> Result<(), OperationError> {
        let failure = Failure { reason_code, message: reason.to_owned() };
        let closed = match work {
            Work::Run { workspace, tenant, run, .. } => {
                self.close_run(*workspace, *tenant, *run, failure, &Actor::system()).await
            }
            Work::Night { workspace, tenant, date, due } => {
                return self.close_night(*workspace, *tenant, *date, *due, failure).await;
            }
        };
        match closed {
            Ok(_) | Err(OperationError::NotFound { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// The time of a worker is over; another one goes on.
fn over() -> OperationError {
    PortError::unavailable("do the work", "the time of this worker was over").into()
}

/// What an error that no try can mend means for a run.
fn failure_of(error: OperationError) -> Failure {
    match error {
        OperationError::Ends(failure) => failure,
        OperationError::NotFound { .. } => {
            Failure { reason_code: ReasonCode::Deleted, message: error.to_string() }
        }
        OperationError::Damaged { .. } => {
            Failure { reason_code: ReasonCode::CorruptObject, message: error.to_string() }
        }
        other => Failure { reason_code: ReasonCode::BadInput, message: other.to_string() },
    }
}
