//! Runs: start, claim, finish, cancel. One run of a kind and identity is active at a time; whoever
//! starts another gets the active one.

use crate::error::OperationError;
use crate::message::Work;
use crate::repository::keys::{self, sk};
use crate::repository::rows::{Guard, Outbox, Watched};
use crate::repository::{Committed, Stored};
use crate::system::{Actor, System};
use jiff::{SignedDuration, Timestamp};
use plumbline_governance::ids::{RunId, TenantId, WorkspaceId};
use plumbline_governance::run::{
    Failure, ReasonCode, Run, RunContext, RunOutcome, RunState, RunType, Trigger,
};
use plumbline_ports::{Batch, CommitError, Outgoing, Query, Usage};
use std::collections::BTreeMap;

/// How long a worker has a run before another may take it. A worker that still works renews it.
pub(crate) const LEASE: SignedDuration = SignedDuration::from_mins(15);
/// When a run that nobody finished is given up.
pub(crate) const DEADLINE: SignedDuration = SignedDuration::from_hours(6);
/// When a run that is still queued has its message sent again.
pub(crate) const RESEND: SignedDuration = SignedDuration::from_mins(2);

/// A run that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Started {
    /// The run.
    pub run: Run,
    /// Whether it was active already, so that nothing new was started.
    pub was_active: bool,
}

/// A worker's hold on a run: only while both rows are as it left them may it write.
#[derive(Clone, Debug)]
pub(crate) struct Lease {
    pub(crate) run: Stored<Run>,
    pub(crate) guard: Stored<Guard>,
    /// The revision of the tenant's posture before the lease. Every action of a person moves it.
    pub(crate) posture: Option<u64>,
}

/// What came of an attempt to take a run.
pub(crate) enum Claim {
    /// It is ours.
    Taken(Box<Lease>),
    /// It ended before, or another run stands in its place.
    Nothing,
    /// Another worker has it until then.
    Busy(Timestamp),
}

/// How a run's work ended.
#[derive(Clone, Debug, Default)]
pub(crate) struct Finish {
    pub(crate) failure: Option<Failure>,
    pub(crate) context: RunContext,
    pub(crate) summary_counts: BTreeMap<String, u64>,
}

impl System {
    /// Reads a run.
    ///
    /// # Errors
    /// Not found, or the store's.
    pub async fn run(
        &self,
        workspace: WorkspaceId,
        tenant: TenantId,
        id: RunId,
    ) -> Result<Run, OperationError> {
        Ok(self.stored_run(workspace, tenant, id).await?.row)
    }

    pub(crate) async fn stored_run(
        &self,
        workspace: WorkspaceId,
        tenant: TenantId,
        id: RunId,
    ) -> Result<Stored<Run>, OperationError> {
        self.read(&keys::in_tenant(workspace, tenant, sk::run(id)))
            .await?
            .ok_or_else(|| OperationError::not_found("run", id))
    }

    /// Lists the runs of a tenant, the newest first.
    ///
    /// # Errors
    /// The store's.
    pub async fn runs(
        &self,
        workspace: WorkspaceId,
        tenant: TenantId,
        limit: usize,
    ) -> Result<Vec<Run>, OperationError> {
        let mut query = Query::prefix(keys::tenant(workspace, tenant), sk::RUNS);
        query.descending = true;
        query.limit = limit.max(1);
        let mut out = Vec::new();
        loop {
            let page = self.ports.records.query(&query).await?;
            for record in &page.records {
                out.push(self.decode::<Run>(record).await?.row);
            }
            match page.next {
                Some(next) if out.len() < limit => query.after = Some(next),
                _ => break,
            }
        }
        out.truncate(limit);
        Ok(out)
    }

    /// Starts a run for a person: run, guard, audit and outbox in one commit, then the message. If the
    /// message is lost, the schedule sends it again.
    pub(crate) async fn start(
        &self,
        workspace: WorkspaceId,
        tenant: TenantId,
        run_type: RunType,
        identity: &str,
        actor: &Actor,
        context: RunContext,
    ) -> Result<Started, OperationError> {
        let key = Guard::key_of(workspace, tenant, run_type, identity);
        for _ in 0..5 {
            let stored = self.read::<Guard>(&key).await?;
            let active =
                stored.as_ref().and_then(|stored| stored.row.active.zip(Some(&stored.row)));
            if let Some((active, guard)) = active {
                match self.stored_run(workspace, guard.tenant, active).await {
                    Ok(run) if !run.row.is_completed() && guard.tenant != tenant => {
                        return Err(OperationError::Refused(format!(
                            "the {} {active} is at it already, from the tenant {}; wait until it has \
                             ended, or cancel it (`plumbline run cancel`)",
                            run_type.as_str(),
                            guard.tenant
                        )));
                    }
                    Ok(run) if !run.row.is_completed() => {
                        return Ok(Started { run: run.row, was_active: true });
                    }
                    Ok(_) | Err(OperationError::NotFound { .. }) => {}
                    Err(error) => return Err(error),
                }
            }
            let now = self.now();
            let run = Run {
                id: RunId::from_uuid(self.mint()),
                workspace,
                tenant,
                run_type,
                trigger: Trigger::Person { actor: actor.name().to_owned() },
                created_at: now,
                deadline: later(now, DEADLINE),
                state: RunState::Queued,
                context: context.clone(),
                summary_counts: BTreeMap::new(),
            };
            let (mut guard, read) = match stored {
                Some(stored) => (stored.row, Some(stored.revision)),
                None => (Guard::new(workspace, tenant, run_type, identity.to_owned()), None),
            };
            guard.tenant = tenant;
            guard.active = Some(run.id);
            guard.lease_until = None;
            let outbox = Outbox {
                id: self.mint(),
                workspace,
                look_at: later(now, RESEND),
                deadline: run.deadline,
                what: Watched::Run { tenant, run: run.id, run_type },
            };
            let action = format!("run.start.{}", run_type.as_str());
            let mut audit = self.audit(workspace, actor, &action, run.id);
            audit.tenant = Some(tenant);
            let batch = self.insert(Batch::new(), &run).await?;
            let batch = self.upsert(batch, &guard, read).await?;
            let batch = self.insert(batch, &outbox).await?;
            match self.commit_audited(batch, audit).await? {
                Committed::Done => {
                    let work = Work::Run { workspace, tenant, run: run.id, run_type };
                    // The outbox sends it again if this is lost.
                    if let Err(error) = self.send(&[work]).await {
                        tracing::warn!(run.id = %run.id, %error, "the message of run {} waits for the schedule", run.id);
                    }
                    return Ok(Started { run, was_active: false });
                }
                // Somebody started one between our look and our commit: look again.
                Committed::Moved(_) => {}
            }
        }
        Err(OperationError::Conflict(format!("the {} of this tenant", run_type.as_str())))
    }

    /// Sends work, ten messages at a time; what the queue does not take is sent once more.
    pub(crate) async fn send(&self, work: &[Work]) -> Result<(), OperationError> {
        let mut by_queue: BTreeMap<_, Vec<Outgoing>> = BTreeMap::new();
        for one in work {
            by_queue
                .entry(one.queue())
                .or_default()
                .push(Outgoing { group: one.workspace().to_string(), body: one.to_message() });
        }
        let mut left = 0;
        for (queue, messages) in by_queue {
            for chunk in messages.chunks(plumbline_ports::queue::MAX_MESSAGES) {
                let mut waiting = chunk.to_vec();
                for _ in 0..3 {
                    let failed = self.ports.queue.send(queue, waiting.clone()).await?;
                    waiting = failed.iter().filter_map(|at| waiting.get(*at).cloned()).collect();
                    if waiting.is_empty() {
                        break;
                    }
                }
                left += waiting.len();
            }
        }
        if left > 0 {
            let reason = format!("{left} messages were not taken");
            return Err(plumbline_ports::PortError::unavailable("send messages", reason).into());
        }
        Ok(())
    }

    /// Takes a run: a new lease with a higher fencing counter, so that an earlier worker can write
    /// nothing any more. `run` is as read, or new for a night.
    pub(crate) async fn claim(
        &self,
        run: Run,
        run_read: Option<u64>,
        guard: Guard,
        guard_read: Option<u64>,
    ) -> Result<Claim, OperationError> {
        let now = self.now();
        if run.is_completed() {
            return Ok(Claim::Nothing);
        }
        if let (RunState::Running { .. }, Some(until)) = (&run.state, guard.lease_until)
            && guard.active == Some(run.id)
            && now < until
            && (self.alone.is_none() || guard.holder == self.alone)
        {
            return Ok(Claim::Busy(until));
        }
        let (mut run, mut guard) = (run, guard);
        if matches!(run.state, RunState::Running { .. }) {
            // While another worker had it, actions of people could not tell the memo.
            guard.memo = None;
        }
        let posture = match run.run_type {
            RunType::BaselineCompare => self.posture_row(run.workspace, run.tenant).await?,
            _ => None,
        };
        guard.fence = guard.fence.saturating_add(1);
        guard.active = Some(run.id);
        guard.lease_until = Some(later(now, LEASE));
        guard.holder = self.alone;
        run.claim(now, guard.fence)?;
        let batch = self.upsert(Batch::new(), &run, run_read).await?;
        let batch = self.upsert(batch, &guard, guard_read).await?;
        match self.commit(batch).await {
            Ok(()) => {
                let run =
                    Stored { row: run, revision: run_read.map_or(1, |read| read.wrapping_add(1)) };
                let guard = Stored {
                    row: guard,
                    revision: guard_read.map_or(1, |read| read.wrapping_add(1)),
                };
                let posture = posture.map(|stored| stored.revision);
                Ok(Claim::Taken(Box::new(Lease { run, guard, posture })))
            }
            // Another worker was faster.
            Err(CommitError::Condition { .. }) => {
                Ok(Claim::Busy(later(now, SignedDuration::from_secs(5))))
            }
            Err(CommitError::Port(error)) => Err(error.into()),
        }
    }

    /// Adds the end of a run to a batch: the run is completed, and the guard gives it up. `guard` is the
    /// guard as the work leaves it.
    pub(crate) async fn ended(
        &self,
        batch: Batch,
        lease: &Lease,
        guard: Guard,
        finish: Finish,
    ) -> Result<(Batch, Run), OperationError> {
        let mut run = lease.run.row.clone();
        let outcome = outcome_of(finish.failure.as_ref());
        run.context = finish.context;
        run.summary_counts = finish.summary_counts;
        run.finish(self.now(), outcome, finish.failure)?;
        let mut guard = guard;
        (guard.active, guard.lease_until) = (None, None);
        let batch = self.update(batch, &run, lease.run.revision).await?;
        let batch = self.update(batch, &guard, lease.guard.revision).await?;
        Ok((batch, run))
    }

    /// Ends a run without a result.
    pub(crate) async fn end_with(
        &self,
        lease: &Lease,
        failure: Failure,
        usage: Usage,
    ) -> Result<Option<Run>, OperationError> {
        let mut finish = Finish {
            failure: Some(failure),
            context: lease.run.row.context.clone(),
            summary_counts: BTreeMap::new(),
        };
        finish.context.usage = usage_map(usage);
        // Actions of people during the lease could not tell the memo.
        let guard = Guard { memo: None, ..lease.guard.row.clone() };
        let (batch, run) = self.ended(Batch::new(), lease, guard, finish).await?;
        let batch = self.without_proof(batch, &run).await?;
        match self.commit(batch).await {
            Ok(()) => Ok(Some(run)),
            // The lease is lost; whoever has it ends the run.
            Err(CommitError::Condition { .. }) => Ok(None),
            Err(CommitError::Port(error)) => Err(error.into()),
        }
    }

    /// Ends a run from outside: a person cancels it, or nobody finished it in time. Whoever works on it
    /// can write nothing any more. A run that ended before stays as it is.
    pub(crate) async fn close_run(
        &self,
        workspace: WorkspaceId,
        tenant: TenantId,
        id: RunId,
        failure: Failure,
        actor: &Actor,
    ) -> Result<Run, OperationError> {
        for _ in 0..5 {
            let stored = self.stored_run(workspace, tenant, id).await?;
            if stored.row.is_completed() {
                return Ok(stored.row);
            }
            let mut run = stored.row.clone();
            let outcome = outcome_of(Some(&failure));
            run.finish(self.now(), outcome, Some(failure.clone()))?;
            let mut batch = self.update(Batch::new(), &run, stored.revision).await?;
            let identity = identity_of(&run);
            let key = Guard::key_of(workspace, tenant, run.run_type, &identity);
            if let Some(guard) = self.read::<Guard>(&key).await?
                && guard.row.active == Some(id)
            {
                let mut row = guard.row;
                row.fence = row.fence.saturating_add(1);
                (row.active, row.lease_until) = (None, None);
                if matches!(stored.row.state, RunState::Running { .. }) {
                    row.memo = None;
                }
                batch = self.update(batch, &row, guard.revision).await?;
            }
            batch = self.without_proof(batch, &run).await?;
            let mut audit = self.audit(workspace, actor, &format!("run.{}", outcome.as_str()), id);
            (audit.tenant, audit.reason) = (Some(tenant), Some(failure.message.clone()));
            match self.commit_audited(batch, audit).await? {
                Committed::Done => {
                    self.recount_after(&run).await?;
                    return Ok(run);
                }
                Committed::Moved(_) => {}
            }
        }
        Err(OperationError::Conflict(format!("the run {id}")))
    }

    /// A compare that was ended from outside may have written findings, but no counts: those are made
    /// right here. The schedule does it too, before it forgets the run.
    pub(crate) async fn recount_after(&self, run: &Run) -> Result<(), OperationError> {
        let wrote_rows = run.run_type == RunType::BaselineCompare
            && matches!(run.state, RunState::Completed { started_at: Some(_), .. })
            && matches!(run.outcome(), RunOutcome::Failed | RunOutcome::Cancelled);
        if wrote_rows { self.recount(run.workspace, run.tenant).await } else { Ok(()) }
    }

    /// Cancels a run. One that ended stays as it is, which is an error here.
    ///
    /// # Errors
    /// Not found; refuses a run that ended.
    pub async fn cancel_run(
        &self,
        workspace: WorkspaceId,
        actor: &Actor,
        tenant: TenantId,
        id: RunId,
    ) -> Result<Run, OperationError> {
        let before = self.run(workspace, tenant, id).await?;
        if before.is_completed() {
            return Err(OperationError::Refused(format!(
                "the run {id} ended already ({})",
                before.outcome().as_str()
            )));
        }
        let failure = Failure {
            reason_code: ReasonCode::ByPerson,
            message: format!("{} cancelled it", actor.name()),
        };
        self.close_run(workspace, tenant, id, failure, actor).await
    }
}

/// What the guard of a run is identified by: the profile, or nothing.
pub(crate) fn identity_of(run: &Run) -> String {
    run.context.baseline_profile_id.map(|id| id.to_string()).unwrap_or_default()
}

/// How a run ends for a reason (contracts 5.7).
pub(crate) fn outcome_of(failure: Option<&Failure>) -> RunOutcome {
    let Some(failure) = failure else { return RunOutcome::Succeeded };
    match failure.reason_code {
        ReasonCode::NotProven => RunOutcome::Partial,
        ReasonCode::NoInventory
        | ReasonCode::InventoryTooOld
        | ReasonCode::UnprovenTypes
        | ReasonCode::ConfirmEmpty
        | ReasonCode::NotAssigned
        | ReasonCode::ProfileNotActive
        | ReasonCode::NoSnapshot
        | ReasonCode::RenormalisePending => RunOutcome::Blocked,
        ReasonCode::Superseded | ReasonCode::Deleted | ReasonCode::ByPerson => {
            RunOutcome::Cancelled
        }
        ReasonCode::NoDelivery
        | ReasonCode::PoisonMessage
        | ReasonCode::MissingObject
        | ReasonCode::CorruptObject
        | ReasonCode::Conflict
        | ReasonCode::BadInput
        | ReasonCode::ScopeMismatch => RunOutcome::Failed,
    }
}

/// A moment after another; the last moment there is, if that is past the end of time.
pub(crate) fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}

/// What a run used, by name, without what is zero.
pub(crate) fn usage_map(usage: Usage) -> BTreeMap<String, u64> {
    [
        ("records_read", usage.records_read),
        ("records_written", usage.records_written),
        ("record_bytes_read", usage.record_bytes_read),
        ("record_bytes_written", usage.record_bytes_written),
        ("record_requests", usage.record_requests),
        ("objects_read", usage.objects_read),
        ("objects_written", usage.objects_written),
        ("object_bytes_read", usage.object_bytes_read),
        ("object_bytes_written", usage.object_bytes_written),
    ]
    .into_iter()
    .filter(|(_, count)| *count > 0)
    .map(|(name, count)| (name.to_owned(), count))
    .collect()
}
