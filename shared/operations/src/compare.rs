//! Compare: one tenant against its baseline. The inputs are frozen, the result is remembered, and the
//! findings are written row by row under a fence; summary and posture come last.

use crate::archive::{ClosedPacks, PackWriter, PendingFrame, compress};
use crate::capture::profile_of;
use crate::error::OperationError;
use crate::posture::{Standing, counted};
use crate::repository::Stored;
use crate::repository::keys::{self, folder, sk};
use crate::repository::rows::{
    Assignment, Guard, Lineage, Memo, Posture, Snapshot, State, TenantStatus,
};
use crate::run::{Claim, Finish, Lease, Started, later, outcome_of, usage_map};
use crate::stored_payloads::StoredPayloads;
use crate::system::{Actor, System};
use jiff::Timestamp;
use jiff::civil::Date;
use plumbline_governance::compare::{CompareOptions, ReferenceMode, compare};
use plumbline_governance::finding::Owner;
use plumbline_governance::finding::reconcile::{FindingChange, FindingEvent, Reconciliation};
use plumbline_governance::finding::record::Finding;
use plumbline_governance::finding::seen::SeenCounters;
use plumbline_governance::finding::state::FindingState;
use plumbline_governance::ids::{RunId, SnapshotId, TenantId, WorkspaceId};
use plumbline_governance::index::{Frame, SnapshotIndex, StateIndex};
use plumbline_governance::matching::MatchMode;
use plumbline_governance::profile::{Profile, ProfileStatus};
use plumbline_governance::report::{Report, Trust};
use plumbline_governance::run::{
    CompareResult, Failure, ReasonCode, RoleSummary, Run, RunContext, RunOutcome, RunState,
    RunType, Trigger,
};
use plumbline_governance::scope::EffectiveScope;
use plumbline_policy::digest::{Digest, NORMALISER_VERSION};
use plumbline_ports::{Batch, CommitError, Condition, Counters, Query, Range};
use std::collections::{BTreeMap, BTreeSet};

/// Stands for the rules of the compare itself (matching, severity, reconciliation). Raise it with any
/// change that can alter a verdict, so that no memo of the old rules answers.
const COMPARE_RULES_VERSION: u32 = 1;
/// How many findings go into one batch, beside the check of the lease.
const ROWS: usize = 60;
/// How often rows and posture are tried while people act on findings at the same time.
const TRIES: usize = 8;
/// How many gaps and suppressed subjects a run names one by one.
const NAMED: usize = 100;

/// Everything that a compare rests on, read once.
struct Inputs {
    profile: Stored<Profile>,
    asked: EffectiveScope,
    snapshot: SnapshotId,
    state_root: Digest,
    state_index: Digest,
    memo_key: Digest,
}

impl System {
    /// Starts a compare of one tenant with the profile it is held to. Snapshot and state are frozen now.
    ///
    /// # Errors
    /// Not found; refuses a tenant that is held to no profile.
    pub async fn start_compare(
        &self,
        workspace: WorkspaceId,
        actor: &Actor,
        tenant: TenantId,
    ) -> Result<Started, OperationError> {
        let of = self.tenant(workspace, tenant).await?;
        if of.status != TenantStatus::Active {
            return Err(OperationError::Refused(format!("the tenant `{}` is archived", of.name)));
        }
        let Some(assignment) = self.assignment(workspace, tenant).await? else {
            return Err(OperationError::Refused(format!(
                "the tenant `{}` is held to no profile; assign one first (`plumbline assign`)",
                of.name
            )));
        };
        let profile = self.profile(workspace, assignment.profile).await?;
        let state = self.state(workspace, tenant).await?;
        let scope = asked_for(&profile, &assignment)?;
        let context = RunContext {
            baseline_profile_id: Some(profile.id),
            baseline_snapshot_id: profile.active_snapshot,
            effective_scope_hash: Some(scope.hash()),
            state_root: state.as_ref().map(|state| state.root),
            state_index: state.as_ref().map(|state| state.index),
            ..RunContext::default()
        };
        let identity = profile.id.to_string();
        self.start(workspace, tenant, RunType::BaselineCompare, &identity, actor, context).await
    }

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
        let frozen = match system.freeze_night(workspace, tenant, assignment.as_ref()).await {
            Ok(frozen) => frozen,
            Err(OperationError::Ends(failure)) => {
                return system.note_night(run, failure, Some((&guard, read))).await;
            }
            Err(error) => return Err(error),
        };
        let mut run = run;
        run.context = frozen.1;
        if let Some(inputs) = &frozen.0
            && guard.active.is_none()
            && let Some(memo) = fresh_memo(&guard, inputs, now)
        {
            let lease = Lease {
                run: Stored { row: run.clone(), revision: 0 },
                guard: Stored { row: guard.clone(), revision: read.unwrap_or_default() },
                posture: None,
            };
            let (run, guard) = remembered(&lease, inputs, &memo, now, &counters)?;
            let batch = system.insert(Batch::new(), &run).await?;
            let batch = system.upsert(batch, &guard, read).await?;
            return match system.commit(batch).await {
                Ok(()) => Ok(Step::Ended(Box::new(run))),
                // The night may have been noted before: the message came twice.
                Err(CommitError::Condition { .. }) => {
                    match system.stored_run(workspace, tenant, id).await {
                        Ok(found) if found.row.is_completed() => Ok(Step::Nothing),
                        Ok(_) | Err(OperationError::NotFound { .. }) => Ok(Step::Later(now)),
                        Err(error) => Err(error),
                    }
                }
                Err(CommitError::Port(error)) => Err(error.into()),
            };
        }
        let before = system.read::<Run>(&keys::in_tenant(workspace, tenant, sk::run(id))).await?;
        let (run, run_read) = match before {
            Some(stored) => (stored.row, Some(stored.revision)),
            None => (run, None),
        };
        match system.claim(run, run_read, guard, read).await? {
            Claim::Nothing => Ok(Step::Nothing),
            Claim::Busy(until) => Ok(Step::Later(until)),
            Claim::Taken(lease) => self.work_on(*lease).await,
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
    ) -> Result<(Option<Inputs>, RunContext), OperationError> {
        let Some(assignment) = assignment else {
            return Err(OperationError::ends(
                ReasonCode::NotAssigned,
                "the tenant is held to no profile; assign one (`plumbline assign`)",
            ));
        };
        let profile = self.stored_profile(workspace, assignment.row.profile).await?;
        let state = self.state(workspace, tenant).await?;
        let mut context = RunContext {
            baseline_profile_id: Some(profile.row.id),
            baseline_snapshot_id: profile.row.active_snapshot,
            state_root: state.as_ref().map(|state| state.root),
            state_index: state.as_ref().map(|state| state.index),
            ..RunContext::default()
        };
        let inputs = inputs(profile, &assignment.row, state.as_ref(), &context, self.now())?;
        context.effective_scope_hash = Some(inputs.asked.hash());
        Ok((Some(inputs), context))
    }

    /// Does a compare that was claimed.
    pub(crate) async fn compare(
        &self,
        lease: &Lease,
        counters: &Counters,
    ) -> Result<Option<Run>, OperationError> {
        let run = &lease.run.row;
        let (workspace, tenant) = (run.workspace, run.tenant);
        let profile = profile_of(run)?;
        let assignment = self.assignment(workspace, tenant).await?;
        let Some(assignment) = assignment.filter(|one| one.profile == profile) else {
            return Err(OperationError::ends(
                ReasonCode::Deleted,
                "the tenant is not held to this profile any more",
            ));
        };
        let stored = self.stored_profile(workspace, profile).await?;
        let state = self.state(workspace, tenant).await?;
        let now = self.now();
        let inputs = inputs(stored, &assignment, state.as_ref(), &run.context, now)?;
        if let Some(memo) = fresh_memo(&lease.guard.row, &inputs, now) {
            let (run, guard) = remembered(lease, &inputs, &memo, now, counters)?;
            let batch = self.update(Batch::new(), &run, lease.run.revision).await?;
            let batch = self.update(batch, &guard, lease.guard.revision).await?;
            let batch = batch.check(
                keys::in_tenant(workspace, tenant, sk::POSTURE),
                lease.posture.map_or(Condition::Absent, Condition::Revision),
            );
            if self.commit_if(batch).await? {
                return Ok(Some(run));
            }
            if !self.holds(lease).await? {
                return Ok(None);
            }
            // A person acted meanwhile, perhaps so that the memo no longer holds.
        }
        let compared = self.compare_inputs(run, &inputs).await?;
        self.publish(lease, &inputs, &compared, counters).await
    }

    async fn compare_inputs(&self, run: &Run, inputs: &Inputs) -> Result<Compared, OperationError> {
        let (workspace, tenant) = (run.workspace, run.tenant);
        let header = self
            .snapshot(workspace, inputs.profile.row.id, inputs.snapshot)
            .await
            .map_err(|error| match error {
                OperationError::NotFound { .. } => {
                    OperationError::ends(ReasonCode::NoSnapshot, "the profile's snapshot is gone")
                }
                other => other,
            })?;
        let golden = self.snapshot_index(&header).await?;
        let state: StateIndex =
            self.document(&folder::tenant(workspace, tenant, "index"), inputs.state_index).await?;
        if state.normaliser_version != NORMALISER_VERSION {
            return Err(renormalise());
        }
        let lineage = keys::in_tenant(workspace, tenant, sk::lineage(inputs.snapshot));
        let literal = self.read::<Lineage>(&lineage).await?.is_some();
        let scope = golden.scope(&inputs.asked);
        let options = options_of(workspace, tenant, &inputs.profile.row, scope, literal);
        let report = self.report(workspace, tenant, &golden, &state, &options).await?;
        Ok(Compared { report, options })
    }

    /// The index of a snapshot under the rules of this program.
    pub(crate) async fn snapshot_index(
        &self,
        header: &Snapshot,
    ) -> Result<SnapshotIndex, OperationError> {
        let digest = header.indexes.get(&NORMALISER_VERSION).ok_or_else(renormalise)?;
        self.document(&folder::baseline(header.workspace, "index"), *digest).await
    }

    /// Compares a snapshot with a state. The compare asks for payloads that it needs; those that are not
    /// there yet are read, and it is asked again, until nothing is missing.
    pub(crate) async fn report(
        &self,
        workspace: WorkspaceId,
        tenant: TenantId,
        golden: &SnapshotIndex,
        state: &StateIndex,
        options: &CompareOptions,
    ) -> Result<Report, OperationError> {
        let baseline = golden.inventory()?;
        let current = state.inventory(&options.scope, &golden.held())?;
        let mut payloads = StoredPayloads::new(golden, state);
        loop {
            let report = compare(&baseline, &current, options, &payloads);
            let missing = payloads.missing();
            if missing.is_empty() {
                return Ok(report);
            }
            payloads.load(self, workspace, tenant, missing).await?;
        }
    }

    /// Writes what a compare found: evidence, rows, then run, memo and posture in one commit. The rows
    /// are true one by one; nothing is summed up before all of them stand.
    async fn publish(
        &self,
        lease: &Lease,
        inputs: &Inputs,
        compared: &Compared,
        counters: &Counters,
    ) -> Result<Option<Run>, OperationError> {
        let run = &lease.run.row;
        let report = &compared.report;
        let looked_at: BTreeSet<String> = inputs.asked.keys().map(str::to_owned).collect();
        let before = lease.guard.row.seen.clone();
        let after = before.after(&looked_at, &report.proven, self.now());
        let evidence = self.store_evidence(run, report).await?;
        for _ in 0..TRIES {
            let standing = self.standing(run.workspace, run.tenant).await?;
            let changes = self.plan(run, inputs, compared, &standing, (&before, &after), &evidence);
            for chunk in changes.chunks(ROWS) {
                let mut batch = Batch::new().check(
                    crate::repository::Row::key(&lease.guard.row),
                    Condition::Revision(lease.guard.revision),
                );
                for change in chunk {
                    let key = (change.finding.row_key(), change.finding.occurrence);
                    let read = standing.revision(key);
                    batch = self.upsert(batch, &change.finding, read).await?;
                }
                batch = self.secure(batch, run.workspace, &evidence.closed.written).await?;
                match self.commit(batch).await {
                    Ok(()) => {}
                    Err(CommitError::Condition { .. }) => {
                        if !self.holds(lease).await? {
                            return Ok(None);
                        }
                        // A person acted on one of them: look at all rows again.
                        break;
                    }
                    Err(CommitError::Port(error)) => return Err(error.into()),
                }
            }
            let posture = self.posture_row(run.workspace, run.tenant).await?;
            let standing = self.standing(run.workspace, run.tenant).await?;
            if !self.plan(run, inputs, compared, &standing, (&before, &after), &evidence).is_empty()
            {
                continue;
            }
            let events = events_of(run.id, &standing);
            let finish = finish_of(run, inputs, report, &events, counters);
            let result = finish.context.baseline_compare.clone();
            let mut guard = lease.guard.row.clone();
            guard.seen = after.clone();
            guard.memo = result.map(|result| Memo {
                key: inputs.memo_key,
                valid_until: first_expiry(standing.all(), run.tenant),
                run: run.id,
                result: CompareResult { gaps: Vec::new(), suppressed: Vec::new(), ..result },
                summary_counts: steady(&finish.summary_counts),
                outcome: outcome_of(finish.failure.as_ref()),
                failure: finish.failure.clone(),
                unproven: looked_at.difference(&report.proven).cloned().collect(),
            });
            note_night_in(&mut guard, run);
            let row = counted(
                run.workspace,
                run.tenant,
                standing.all(),
                Some((report.trust.as_str(), run.id)),
                self.now(),
            );
            let batch = self
                .upsert(Batch::new(), &row, posture.as_ref().map(|stored| stored.revision))
                .await?;
            let (batch, ended) = self.ended(batch, lease, guard, finish).await?;
            match self.commit(batch).await {
                Ok(()) => return Ok(Some(ended)),
                Err(CommitError::Condition { .. }) => {
                    if !self.holds(lease).await? {
                        return Ok(None);
                    }
                }
                Err(CommitError::Port(error)) => return Err(error.into()),
            }
        }
        Err(OperationError::Conflict("the findings of the tenant".to_owned()))
    }

    fn plan(
        &self,
        run: &Run,
        inputs: &Inputs,
        compared: &Compared,
        standing: &Standing,
        (before, after): (&SeenCounters, &SeenCounters),
        evidence: &Evidence,
    ) -> Vec<FindingChange> {
        let reconciliation = Reconciliation {
            workspace: run.workspace,
            tenant: run.tenant,
            profile: inputs.profile.row.id,
            snapshot: inputs.snapshot,
            run: run.id,
            report: &compared.report,
            scope: &compared.options.scope,
            asked: &inputs.asked,
            before,
            after,
            now: self.now(),
        };
        let mut changes = reconciliation.changes(&standing.latest(inputs.profile.row.id));
        for change in &mut changes {
            if let Some(place) = change.drift {
                change.finding.evidence = evidence.frame(place);
            }
        }
        changes
    }

    /// Stores the evidence of every drift that has no finding with it yet: one pack a run.
    async fn store_evidence(&self, run: &Run, report: &Report) -> Result<Evidence, OperationError> {
        let standing = self.standing(run.workspace, run.tenant).await?;
        let known: BTreeMap<Digest, Frame> =
            standing.all().filter_map(|one| Some((one.drift.fingerprint, one.evidence?))).collect();
        let mut packs = PackWriter::new(folder::tenant(run.workspace, run.tenant, "evidence"));
        let mut frames: BTreeMap<usize, PendingFrame> = BTreeMap::new();
        for (place, drift) in report.drift.iter().enumerate() {
            let fingerprint: Option<Digest> = drift.fingerprint.parse().ok();
            if let Some(frame) = fingerprint.and_then(|one| known.get(&one)) {
                frames.insert(place, PendingFrame::Kept(*frame));
                continue;
            }
            let plain = serde_json::to_vec(drift)
                .map_err(|error| OperationError::damaged("the evidence", error))?;
            let pending = packs.add(self, Digest::of(&plain), &compress(&plain)?).await?;
            frames.insert(place, pending);
        }
        let closed = packs.finish(self).await?;
        Ok(Evidence { closed, frames })
    }
}

/// What one step of a worker came to.
#[derive(Debug)]
pub enum Step {
    /// The run ended.
    Ended(Box<Run>),
    /// There is nothing to do: it ended before.
    Nothing,
    /// Somebody else has it; look again then.
    Later(Timestamp),
}

struct Compared {
    report: Report,
    options: CompareOptions,
}

/// Where the evidence of the drifts of one report stands.
struct Evidence {
    closed: ClosedPacks,
    frames: BTreeMap<usize, PendingFrame>,
}

impl Evidence {
    fn frame(&self, place: usize) -> Option<Frame> {
        self.closed.frame(*self.frames.get(&place)?)
    }
}

fn failure(reason_code: ReasonCode, message: &str) -> Failure {
    Failure { reason_code, message: message.to_owned() }
}

fn renormalise() -> OperationError {
    OperationError::ends(
        ReasonCode::RenormalisePending,
        "snapshot and state were made under different rules; run `plumbline renormalise`, then compare \
         again",
    )
}

/// The types that a profile and a tenant's override ask for. An override that the profile has since
/// outgrown asks for what both still hold.
pub(crate) fn asked_for(
    profile: &Profile,
    assignment: &Assignment,
) -> Result<EffectiveScope, OperationError> {
    let whole = profile.check()?;
    let Some(narrow) = &assignment.override_scope else { return Ok(whole) };
    let listed: BTreeSet<&str> =
        narrow.policy_types.iter().chain(&narrow.foundation_types).map(String::as_str).collect();
    Ok(whole.only(|key| listed.contains(key)))
}

pub(crate) fn options_of(
    workspace: WorkspaceId,
    tenant: TenantId,
    profile: &Profile,
    scope: EffectiveScope,
    literal: bool,
) -> CompareOptions {
    CompareOptions {
        mode: MatchMode::Auto,
        facets: profile.facets.clone(),
        scope,
        references: if literal { ReferenceMode::Literal } else { ReferenceMode::Portable },
        owner: Owner::of(workspace, tenant, profile.id),
        severities: profile.severities.clone(),
    }
}

/// Freezes and checks what a compare rests on. What a run froze when it was queued counts; a night
/// freezes now.
fn inputs(
    profile: Stored<Profile>,
    assignment: &Assignment,
    state: Option<&State>,
    frozen: &RunContext,
    now: Timestamp,
) -> Result<Inputs, OperationError> {
    match profile.row.status {
        ProfileStatus::Active => {}
        ProfileStatus::Archived => {
            return Err(OperationError::ends(
                ReasonCode::Deleted,
                format!("the profile `{}` was archived", profile.row.name),
            ));
        }
        ProfileStatus::Draft => {
            return Err(OperationError::ends(
                ReasonCode::ProfileNotActive,
                format!(
                    "the profile `{}` is a draft; activate it (`plumbline profile activate`)",
                    profile.row.name
                ),
            ));
        }
    }
    let snapshot = frozen.baseline_snapshot_id.ok_or_else(|| {
        OperationError::ends(
            ReasonCode::NoSnapshot,
            format!("the profile `{}` has no snapshot; capture one first", profile.row.name),
        )
    })?;
    let (Some(state_root), Some(state_index), Some(state)) =
        (frozen.state_root, frozen.state_index, state)
    else {
        return Err(OperationError::ends(
            ReasonCode::NoInventory,
            "the tenant was never imported; import it first (`plumbline import`)",
        ));
    };
    if state.fresh_until <= now {
        return Err(OperationError::ends(
            ReasonCode::InventoryTooOld,
            format!("the tenant was last read at {}; import it again", state.read_at),
        ));
    }
    let asked = asked_for(&profile.row, assignment)?;
    // Everything that a verdict rests on besides state and snapshot.
    let policy = (
        asked.keys().collect::<Vec<_>>(),
        &profile.row.facets,
        &profile.row.severities,
        profile.row.id,
    );
    let rules = (NORMALISER_VERSION, COMPARE_RULES_VERSION);
    let key = serde_json::to_vec(&(1, state_root, snapshot, policy, rules))
        .map_err(|error| OperationError::damaged("the memo key", error))?;
    Ok(Inputs { memo_key: Digest::of(&key), profile, asked, snapshot, state_root, state_index })
}

/// The memo that answers for these inputs, if it still holds.
fn fresh_memo(guard: &Guard, inputs: &Inputs, now: Timestamp) -> Option<Memo> {
    let memo = guard.memo.as_ref()?;
    let holds = memo.key == inputs.memo_key && memo.valid_until.is_none_or(|until| now < until);
    holds.then(|| memo.clone())
}

/// A compare that the memo answers: the run and the guard, nothing else.
fn remembered(
    lease: &Lease,
    inputs: &Inputs,
    memo: &Memo,
    now: Timestamp,
    counters: &Counters,
) -> Result<(Run, Guard), OperationError> {
    let mut run = lease.run.row.clone();
    run.context.baseline_compare = Some(CompareResult { from_memo: true, ..memo.result.clone() });
    run.context.state_root = Some(inputs.state_root);
    run.context.usage = usage_map(counters.usage());
    run.summary_counts = memo.summary_counts.clone();
    run.finish(now, memo.outcome, memo.failure.clone())?;
    let mut guard = lease.guard.row.clone();
    // What the memo's compare proved is proven again; all its types were looked at.
    let unproven: BTreeSet<String> = memo.unproven.iter().cloned().collect();
    let looked_at: BTreeSet<String> = inputs.asked.keys().map(str::to_owned).collect();
    let proven = looked_at.difference(&unproven).cloned().collect();
    guard.seen = guard.seen.after(&looked_at, &proven, now);
    (guard.active, guard.lease_until) = (None, None);
    note_night_in(&mut guard, &run);
    Ok((run, guard))
}

/// What a run did to the findings, told from the rows it wrote: a worker that went on where another died
/// counts the other's rows too.
fn events_of(run: RunId, standing: &Standing) -> BTreeMap<&'static str, u64> {
    let mut events = BTreeMap::new();
    for finding in standing.all().filter(|finding| finding.last_run == run) {
        let event = match &finding.state {
            _ if finding.first_run == run => FindingEvent::Appeared,
            FindingState::Resolved { .. } => FindingEvent::Resolved,
            FindingState::Reopened { at } if *at == finding.changed_at => FindingEvent::Reopened,
            _ => FindingEvent::Changed,
        };
        *events.entry(event.as_str()).or_default() += 1;
    }
    events
}

fn note_night_in(guard: &mut Guard, run: &Run) {
    if let Trigger::Night { date } = run.trigger {
        guard.last_night = guard.last_night.max(Some(date));
    }
}

/// The earliest end of an acceptance; from then on the memo says nothing.
fn first_expiry<'f>(
    findings: impl Iterator<Item = &'f Finding>,
    tenant: TenantId,
) -> Option<Timestamp> {
    findings
        .filter(|finding| finding.tenant == tenant)
        .filter_map(|finding| match &finding.state {
            FindingState::Accepted { until, .. } => *until,
            _ => None,
        })
        .min()
}

/// The counts that hold for a compare that changes nothing.
fn steady(counts: &BTreeMap<String, u64>) -> BTreeMap<String, u64> {
    let events = [
        FindingEvent::Appeared,
        FindingEvent::Changed,
        FindingEvent::Reopened,
        FindingEvent::Resolved,
    ];
    counts
        .iter()
        .filter(|(name, _)| !events.iter().any(|event| event.as_str() == name.as_str()))
        .map(|(name, count)| (name.clone(), *count))
        .collect()
}

fn finish_of(
    run: &Run,
    inputs: &Inputs,
    report: &Report,
    events: &BTreeMap<&'static str, u64>,
    counters: &Counters,
) -> Finish {
    let summary = &report.summary;
    let mut counts: BTreeMap<String, u64> = [
        ("total", summary.compared),
        ("unchanged", summary.unchanged),
        ("missing_policy", summary.missing_policy),
        ("different_version", summary.different_version),
        ("unexpected_policy", summary.unexpected_policy),
        ("suppressed", summary.suppressed),
        ("gaps", summary.gaps),
    ]
    .into_iter()
    .chain(summary.by_severity.iter().map(|(severity, count)| (*severity, *count)))
    .map(|(name, count)| (name.to_owned(), count as u64))
    .collect();
    counts.extend(events.iter().map(|(name, count)| ((*name).to_owned(), *count)));
    let gaps: Vec<String> = report
        .gaps
        .iter()
        .filter(|gap| gap.kind.lowers_trust())
        .map(|gap| gap.detail.clone())
        .collect();
    let named = |list: Vec<String>| list.into_iter().take(NAMED).collect::<Vec<_>>();
    let suppressed = report
        .suppressed
        .iter()
        .map(|one| format!("{} ({}): {}", one.display_name, one.policy_type, one.reason))
        .collect();
    let result = CompareResult {
        trust: report.trust.as_str().to_owned(),
        from_memo: false,
        rbac_role_definitions: summary.rbac_role_definitions.map(|counts| RoleSummary {
            total_compared: counts.total_compared as u64,
            unchanged: counts.unchanged as u64,
            modified: counts.modified as u64,
            missing: counts.missing as u64,
            unexpected: counts.unexpected as u64,
        }),
        gaps: named(gaps.clone()),
        suppressed: named(suppressed),
    };
    let mut context = run.context.clone();
    context.effective_scope_hash = Some(inputs.asked.hash());
    context.baseline_compare = Some(result);
    context.usage = usage_map(counters.usage());
    let failure = (report.trust != Trust::Full).then(|| Failure {
        reason_code: ReasonCode::NotProven,
        message: match gaps.first() {
            Some(first) if gaps.len() > 1 => {
                format!("{first} (and {} more that were not proven)", gaps.len() - 1)
            }
            Some(first) => first.clone(),
            None => "not everything was proven".to_owned(),
        },
    });
    Finish { failure, context, summary_counts: counts }
}

/// The row of a tenant's posture, as stored.
impl System {
    pub(crate) async fn posture_row(
        &self,
        workspace: WorkspaceId,
        tenant: TenantId,
    ) -> Result<Option<Stored<Posture>>, OperationError> {
        self.read(&keys::in_tenant(workspace, tenant, sk::POSTURE)).await
    }
}
