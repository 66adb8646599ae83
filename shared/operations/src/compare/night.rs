//! The compare of a night: its run is made here, with an id that the night gives.

use super::Step;
use super::inputs::{Inputs, asked_for, fresh_memo, inputs, remembered};
use crate::error::OperationError;
use crate::repository::Stored;
use crate::repository::keys::{self, sk};
use crate::repository::rows::{Assignment, Guard, Posture};
use crate::run::{Claim, later, outcome_of};
use crate::system::System;
use jiff::Timestamp;
use jiff::civil::Date;
use plumbline_governance::ids::{RunId, TenantId, WorkspaceId};
use plumbline_governance::report::Trust;
use plumbline_governance::run::{
    Failure, ReasonCode, Run, RunContext, RunOutcome, RunState, RunType, Trigger,
};
use plumbline_ports::{Batch, Query, Range};
use std::collections::BTreeMap;

impl System {
    /// Compares a tenant for a night. The run is made here, with an id that the night gives, so that two
    /// messages make one run. `None`: another worker has it until then, or it is done.
    pub(crate) async fn night_compare(
        &self,
        workspace: WorkspaceId,
        tenant: TenantId,
        date: Date,
        due: Timestamp,
    ) -> Result<Step, OperationError> {
        let (system, counters) = self.metered();
        let run_type = RunType::BaselineCompare;
        let id = RunId::scheduled(workspace, tenant, run_type, date, due);
        let (assignment, guards) = system.held(workspace, tenant).await?;
        // A tenant that is held to a profile is there, and active. One that is not may be gone, or never
        // have been this workspace's own.
        if assignment.is_none() {
            match system.tenant(workspace, tenant).await {
                Ok(_) => {}
                Err(OperationError::NotFound { .. }) => return Ok(Step::Nothing),
                Err(error) => return Err(error),
            }
        }
        let identity = assignment.as_ref().map(|one| one.row.profile.to_string());
        let identity = identity.unwrap_or_default();
        let stored = guards.into_iter().find(|one| one.row.identity == identity);
        let read = stored.as_ref().map(|stored| stored.revision);
        let guard = stored
            .map_or_else(|| Guard::new(workspace, tenant, run_type, identity), |stored| stored.row);
        let now = system.now();
        let run = Run {
            id,
            workspace,
            tenant,
            run_type,
            trigger: Trigger::Night { date },
            created_at: now,
            deadline: later(due, crate::schedule::NIGHT_DEADLINE),
            state: RunState::Queued,
            context: RunContext {
                baseline_profile_id: assignment.as_ref().map(|one| one.row.profile),
                ..RunContext::default()
            },
            summary_counts: BTreeMap::new(),
        };
        // A later night of the tenant was compared already: this message is old.
        if guard.last_night.is_some_and(|last| last > date) {
            let failure = failure(ReasonCode::Superseded, "a later night was compared already");
            return system.note_night(run, failure, None).await;
        }
        if let Some(active) = guard.active.filter(|active| *active != id) {
            match system.stored_run(workspace, tenant, active).await {
                Ok(other) if !other.row.is_completed() => {
                    let message = format!("the run {active} compares the tenant already");
                    let failure = failure(ReasonCode::Superseded, &message);
                    return system.note_night(run, failure, None).await;
                }
                Ok(_) | Err(OperationError::NotFound { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        // The same night again, after this tenant's part of it was done.
        if guard.last_night == Some(date) && guard.active != Some(id) {
            return Ok(Step::Nothing);
        }
        let (inputs, context) =
            match system.freeze_night(workspace, tenant, assignment.as_ref()).await {
                Ok(frozen) => frozen,
                Err(OperationError::Ends(failure)) => {
                    return system.note_night(run, failure, Some((&guard, read))).await;
                }
                Err(error) => return Err(error),
            };
        let mut run = run;
        run.context = context;
        if guard.active.is_none()
            && let Some(memo) = fresh_memo(&guard, &inputs, now)
        {
            let remembered = remembered(run, guard, &inputs, &memo, now, &counters)?;
            return system.answer_night(remembered, read).await;
        }
        let key = keys::in_tenant(workspace, tenant, sk::run(id));
        // A claim is noted in the guard. Where it is not, the run is most likely not there yet.
        let before = match guard.active {
            Some(_) => system.read::<Run>(&key).await?,
            None => None,
        };
        let (run, run_read) = match before {
            // A night freezes when it is claimed. What a lease that ended had frozen was never summed up.
            Some(stored) => (Run { context: run.context, ..stored.row }, Some(stored.revision)),
            None => (run, None),
        };
        match system.claim(run, run_read, guard, read).await? {
            Claim::Nothing => Ok(Step::Nothing),
            Claim::Busy(until) => match system.read::<Run>(&key).await? {
                Some(stored) if stored.row.is_completed() => Ok(Step::Nothing),
                _ => Ok(Step::Later(until)),
            },
            // Who takes the profile away moves the guard, so a claim of a guard that was there proves that
            // what was read before it still held. The first compare of all reads again.
            Claim::Taken(lease) => self.work_on(*lease, read.map(|_| inputs)).await,
        }
    }

    /// Writes a night that the memo answers: run and guard, in one commit without a claim.
    async fn answer_night(
        &self,
        (run, guard): (Run, Guard),
        read: Option<u64>,
    ) -> Result<Step, OperationError> {
        let batch = self.insert(Batch::new(), &run).await?;
        let batch = self.upsert(batch, &guard, read).await?;
        if self.commit_if(batch).await? {
            return Ok(Step::Ended(Box::new(run)));
        }
        // The night may have been noted before: the message came twice.
        match self.stored_run(run.workspace, run.tenant, run.id).await {
            Ok(found) if found.row.is_completed() => Ok(Step::Nothing),
            Ok(_) | Err(OperationError::NotFound { .. }) => Ok(Step::Later(self.now())),
            Err(error) => Err(error),
        }
    }

    /// Reads a tenant's assignment and the guards of its compares. They stand side by side, so that one
    /// question answers both: every night asks it of every tenant.
    async fn held(
        &self,
        workspace: WorkspaceId,
        tenant: TenantId,
    ) -> Result<(Option<Stored<Assignment>>, Vec<Stored<Guard>>), OperationError> {
        let first = sk::active(RunType::BaselineCompare, "");
        let query = Query {
            range: Range::Between(first.clone(), sk::ASSIGNMENT.to_owned()),
            ..Query::prefix(keys::tenant(workspace, tenant), "")
        };
        let (mut assignment, mut guards) = (None, Vec::new());
        for record in self.ports.records.query_all(query).await? {
            if record.key.sk == sk::ASSIGNMENT {
                assignment = Some(self.decode::<Assignment>(&record).await?);
            } else if record.key.sk.starts_with(&first) {
                guards.push(self.decode::<Guard>(&record).await?);
            }
        }
        Ok((assignment, guards))
    }

    /// Records a night that came to nothing for a tenant.
    async fn note_night(
        &self,
        mut run: Run,
        failure: Failure,
        blocked: Option<(&Guard, Option<u64>)>,
    ) -> Result<Step, OperationError> {
        let (workspace, tenant, id) = (run.workspace, run.tenant, run.id);
        let outcome = outcome_of(Some(&failure));
        run.finish(self.now(), outcome, Some(failure))?;
        let mut batch = self.insert(Batch::new(), &run).await?;
        if let Some((guard, read)) = blocked {
            batch = self.without_proof(batch, &run).await?;
            if let (Some(read), true) = (read, guard.memo.is_some()) {
                let guard = Guard { memo: None, ..guard.clone() };
                batch = self.update(batch, &guard, read).await?;
            }
        }
        if self.commit_if(batch).await? {
            return Ok(Step::Ended(Box::new(run)));
        }
        // It is there, because the message came twice, or somebody acted at the same time.
        match self.stored_run(workspace, tenant, id).await {
            Ok(found) if found.row.is_completed() => Ok(Step::Nothing),
            Ok(_) | Err(OperationError::NotFound { .. }) => Ok(Step::Later(self.now())),
            Err(error) => Err(error),
        }
    }

    /// Adds to a batch that nothing is proven of a tenant any more: a compare that could not be done is
    /// no all-clear, whatever the one before it had proven.
    pub(crate) async fn without_proof(
        &self,
        batch: Batch,
        run: &Run,
    ) -> Result<Batch, OperationError> {
        let failed = matches!(run.outcome(), RunOutcome::Blocked | RunOutcome::Failed);
        let Some(stored) = self.posture_row(run.workspace, run.tenant).await? else {
            return Ok(batch);
        };
        let none = Trust::UnprovenSuppressed.as_str();
        if run.run_type != RunType::BaselineCompare
            || !failed
            || stored.row.trust.as_deref() == Some(none)
        {
            return Ok(batch);
        }
        let row = Posture {
            trust: Some(none.to_owned()),
            run: Some(run.id),
            updated_at: self.now(),
            ..stored.row
        };
        self.update(batch, &row, stored.revision).await
    }

    async fn freeze_night(
        &self,
        workspace: WorkspaceId,
        tenant: TenantId,
        assignment: Option<&Stored<Assignment>>,
    ) -> Result<(Inputs, RunContext), OperationError> {
        let Some(assignment) = assignment else {
            return Err(OperationError::ends(
                ReasonCode::NotAssigned,
                "the tenant is held to no profile; assign one (`plumbline assign`)",
            ));
        };
        let profile = self.stored_profile(workspace, assignment.row.profile).await?;
        let state = self.state(workspace, tenant).await?;
        let asked = asked_for(&profile.row, &assignment.row)?;
        let context = RunContext {
            baseline_profile_id: Some(profile.row.id),
            baseline_snapshot_id: profile.row.active_snapshot,
            effective_scope_hash: Some(asked.hash()),
            state_root: state.as_ref().map(|state| state.root),
            state_index: state.as_ref().map(|state| state.index),
            ..RunContext::default()
        };
        let inputs = inputs(profile, &assignment.row, state.as_ref(), &context, self.now())?;
        Ok((inputs, context))
    }
}

fn failure(reason_code: ReasonCode, message: &str) -> Failure {
    Failure { reason_code, message: message.to_owned() }
}
