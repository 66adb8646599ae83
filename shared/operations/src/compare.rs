//! Compare: one tenant against its baseline. The inputs are frozen, the result is remembered, and the
//! findings are written row by row under a fence; summary and posture come last.

mod inputs;
mod night;
mod publish;

pub(crate) use inputs::Inputs;
pub(crate) use inputs::{as_frozen, asked_for};
use inputs::{fresh_memo, inputs, remembered};

use crate::capture::profile_of;
use crate::error::OperationError;
use crate::repository::keys::{self, folder, sk};
use crate::repository::rows::{Lineage, Snapshot, TenantStatus};
use crate::run::{Lease, Started};
use crate::stored_payloads::{StoredPayloads, frames};
use crate::system::{Actor, System};
use jiff::Timestamp;
use plumbline_governance::compare::{CompareOptions, ReferenceMode, compare};
use plumbline_governance::finding::Owner;
use plumbline_governance::ids::{TenantId, WorkspaceId};
use plumbline_governance::index::{Frame, SnapshotIndex, StateIndex};
use plumbline_governance::inventory::Inventory;
use plumbline_governance::matching::{MatchMode, RoleMappings};
use plumbline_governance::profile::Profile;
use plumbline_governance::report::Report;
use plumbline_governance::run::{ReasonCode, Run, RunContext, RunType};
use plumbline_governance::scope::EffectiveScope;
use plumbline_policy::digest::NORMALISER_VERSION;
use plumbline_ports::{Batch, Condition, Counters};
use std::collections::BTreeSet;

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

    /// Does a compare that was claimed. `frozen` is what a night froze for its claim.
    pub(crate) async fn compare(
        &self,
        lease: &Lease,
        frozen: Option<Inputs>,
        counters: &Counters,
    ) -> Result<Option<Run>, OperationError> {
        let run = &lease.run.row;
        let (workspace, tenant) = (run.workspace, run.tenant);
        let now = self.now();
        let inputs = match frozen {
            Some(inputs) => inputs,
            None => self.inputs_of(run, now).await?,
        };
        if let Some(memo) = fresh_memo(&lease.guard.row, &inputs, now) {
            let (run, guard) =
                remembered(run.clone(), lease.guard.row.clone(), &inputs, &memo, now, counters)?;
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

    /// What a run that was queued rests on, as it is now.
    async fn inputs_of(&self, run: &Run, now: Timestamp) -> Result<Inputs, OperationError> {
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
        inputs(stored, &assignment, state.as_ref(), &run.context, now)
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
        let index = self.snapshot_index(&header).await?;
        let scope = index.scope(&inputs.asked);
        let golden = Golden::of(&index)?;
        drop(index);
        let state: StateIndex =
            self.document(&folder::tenant(workspace, tenant, "index"), inputs.state_index).await?;
        if state.normaliser_version != NORMALISER_VERSION {
            return Err(renormalise());
        }
        let lineage = keys::in_tenant(workspace, tenant, sk::lineage(inputs.snapshot));
        let literal = self.read::<Lineage>(&lineage).await?.is_some();
        let mappings = inputs.role_mappings.clone();
        let options = options_of(workspace, tenant, &inputs.profile.row, scope, literal, mappings);
        let report = self.report(workspace, tenant, golden, state, &options).await?;
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
    /// there yet are read, and it is asked again, until nothing is missing. Of each index, no more than
    /// the compare needs stays in memory.
    pub(crate) async fn report(
        &self,
        workspace: WorkspaceId,
        tenant: TenantId,
        golden: Golden,
        state: StateIndex,
        options: &CompareOptions,
    ) -> Result<Report, OperationError> {
        let held = golden.held.iter().map(String::as_str).collect();
        let current = state.inventory(&options.scope, &held)?;
        let mut payloads = StoredPayloads::new(golden.frames, &state);
        drop(state);
        loop {
            let report = compare(&golden.inventory, &current, options, &payloads);
            let missing = payloads.missing();
            if missing.is_empty() {
                return Ok(report);
            }
            payloads.load(self, workspace, tenant, missing).await?;
        }
    }
}

/// What a compare needs of a snapshot's index. The rest is not held while the state's is read.
pub(crate) struct Golden {
    inventory: Inventory,
    /// The types that the snapshot holds.
    held: BTreeSet<String>,
    frames: Vec<Frame>,
}

impl Golden {
    /// Takes it out of an index.
    ///
    /// # Errors
    /// Names a type that the catalog no longer holds.
    pub(crate) fn of(index: &SnapshotIndex) -> Result<Self, OperationError> {
        Ok(Self {
            inventory: index.inventory()?,
            held: index.held().into_iter().map(str::to_owned).collect(),
            frames: frames(&index.entries),
        })
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

fn renormalise() -> OperationError {
    OperationError::ends(
        ReasonCode::RenormalisePending,
        "snapshot and state were made under different rules; run `plumbline renormalise`, then compare \
         again",
    )
}

pub(crate) fn options_of(
    workspace: WorkspaceId,
    tenant: TenantId,
    profile: &Profile,
    scope: EffectiveScope,
    literal: bool,
    role_mappings: RoleMappings,
) -> CompareOptions {
    CompareOptions {
        mode: MatchMode::Auto,
        facets: profile.facets.clone(),
        scope,
        references: if literal { ReferenceMode::Literal } else { ReferenceMode::Portable },
        owner: Owner::of(workspace, tenant, profile.id),
        severities: profile.severities.clone(),
        role_mappings,
    }
}
