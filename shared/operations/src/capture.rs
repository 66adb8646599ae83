//! Capture: freezes a tenant's state into a snapshot of a profile.

use crate::archive::{PackWriter, PendingFrame, Written, compress};
use crate::compare::as_frozen;
use crate::error::OperationError;
use crate::import::{ReadPayload, account_localiser, count_types};
use crate::repository::keys::folder;
use crate::repository::rows::{AuditEntry, Lineage, Snapshot, Suspect, TenantStatus};
use crate::repository::{Row as _, Stored};
use crate::run::{Finish, Lease, Started, usage_map};
use crate::system::{Actor, System, digest_of};
use plumbline_governance::ids::{ProfileId, SnapshotId, TenantId, WorkspaceId};
use plumbline_governance::index::{Entry, Frame, SnapshotIndex, StateIndex};
use plumbline_governance::profile::{Profile, ProfileStatus};
use plumbline_governance::run::{CaptureResult, ReasonCode, Run, RunContext, RunType};
use plumbline_governance::scope::EffectiveScope;
use plumbline_policy::digest::{Digest, NORMALISER_VERSION};
use plumbline_policy::tenant::Localiser;
use plumbline_ports::{Batch, Condition, Counters};
use rayon::prelude::*;
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;

/// Payloads are read and written in lots of this many.
const LOT: usize = 256;

impl System {
    /// Starts a capture: profile and source tenant to snapshot. The state is frozen now.
    ///
    /// # Errors
    /// Not found; refuses an archived profile or tenant.
    pub async fn start_capture(
        &self,
        workspace: WorkspaceId,
        actor: &Actor,
        profile: ProfileId,
        source: TenantId,
    ) -> Result<Started, OperationError> {
        let of = self.profile(workspace, profile).await?;
        if of.status == ProfileStatus::Archived {
            return Err(OperationError::Refused(format!(
                "the profile `{}` is archived, which is final; nothing is captured for it",
                of.name
            )));
        }
        let tenant = self.tenant(workspace, source).await?;
        if tenant.status != TenantStatus::Active {
            return Err(OperationError::Refused(format!(
                "the tenant `{}` is archived; nothing is captured from it",
                tenant.name
            )));
        }
        let state = self.state(workspace, source).await?;
        let context = RunContext {
            baseline_profile_id: Some(profile),
            source_tenant_id: Some(source),
            effective_scope_hash: Some(of.check()?.hash()),
            state_root: state.as_ref().map(|state| state.root),
            state_index: state.as_ref().map(|state| state.index),
            ..RunContext::default()
        };
        let identity = profile.to_string();
        self.start(workspace, source, RunType::BaselineCapture, &identity, actor, context).await
    }

    /// Does a capture that was claimed.
    pub(crate) async fn capture(
        &self,
        lease: &Lease,
        counters: &Counters,
    ) -> Result<Option<Run>, OperationError> {
        let run = &lease.run.row;
        let (workspace, source) = (run.workspace, run.tenant);
        let profile = profile_of(run)?;
        let Some(index) = run.context.state_index else {
            return Err(OperationError::ends(
                ReasonCode::NoInventory,
                "the source tenant was never imported; import it first (`plumbline import`)",
            ));
        };
        let state: StateIndex =
            self.document(&folder::tenant(workspace, source, "index"), index).await?;
        if state.normaliser_version != NORMALISER_VERSION {
            return Err(OperationError::ends(
                ReasonCode::RenormalisePending,
                "the state was read under other rules; run `plumbline renormalise`, then capture again",
            ));
        }
        self.is_fit(run, &state).await?;
        let localiser = account_localiser(&state.facts, &state.entries);
        // What a person changes while we write makes the commit fail, and then everything that depends
        // on it is looked at again.
        for _ in 0..5 {
            let stored = self.stored_profile(workspace, profile).await?;
            let scope = capture_scope(&stored.row, &state)?;
            as_frozen(&scope, &run.context)?;
            let mut snapshot = SnapshotIndex::capture(&state, &scope, &localiser);
            let identity = snapshot.identity();
            let id = SnapshotId::derive(&Digest::of(format!("{profile}\n{identity}").as_bytes()));
            let before = self.read::<Snapshot>(&Snapshot::key_of(workspace, profile, id)).await?;
            let suspect = Suspect::of_profile(workspace, profile, self.now());
            let suspect = self.read::<Suspect>(&suspect.key()).await?;
            let existing = before.is_some() && suspect.is_none();
            let mut batch = Batch::new();
            if !existing {
                // What is under suspicion is not named again.
                let old = match suspect {
                    Some(_) => None,
                    None => self.active_index(&stored.row).await?,
                };
                let (digest, written) =
                    self.freeze(run, old.as_ref(), &mut snapshot, &localiser).await?;
                let mut header = Snapshot {
                    id,
                    workspace,
                    profile,
                    snapshot_identity_hash: identity,
                    captured_at: self.now(),
                    items: snapshot.entries.len() as u64,
                    by_type: count_types(&snapshot.entries),
                    indexes: BTreeMap::from([(snapshot.normaliser_version, digest)]),
                };
                let lineage = Lineage { workspace, tenant: source, snapshot: id, run: run.id };
                if let Some(before) = &before {
                    // The same snapshot, with objects that are whole again.
                    header.captured_at = before.row.captured_at;
                }
                let known = self.read::<Lineage>(&lineage.key()).await?;
                let read = before.as_ref().map(|before| before.revision);
                batch = self.upsert(batch, &header, read).await?;
                if known.is_none() {
                    batch = self.insert(batch, &lineage).await?;
                }
                batch = self.secure(batch, workspace, &written).await?;
                if let Some(stored) = &suspect {
                    batch = batch.delete(stored.row.key(), Condition::Revision(stored.revision));
                }
            }
            let (batch, audit) = self.point_to(batch, &stored, id, source).await?;
            let items = snapshot.entries.len() as u64;
            let mut context = run.context.clone();
            context.baseline_snapshot_id = Some(id);
            context.baseline_capture = Some(CaptureResult { items, confirmed_existing: existing });
            context.usage = usage_map(counters.usage());
            let summary_counts = BTreeMap::from([("total".to_owned(), items)]);
            let finish = Finish { failure: None, context, summary_counts };
            let (batch, run) = self.ended(batch, lease, lease.guard.row.clone(), finish).await?;
            if self.commit_audited(batch, audit).await?.is_done() {
                return Ok(Some(run));
            }
            if !self.holds(lease).await? {
                return Ok(None);
            }
        }
        Err(OperationError::Conflict("the profile".to_owned()))
    }

    /// A baseline is made of what the tenant is known to be now: not of a state that is too old, and not of
    /// one that was read before its ids and domains were known, which would stand in the baseline.
    async fn is_fit(&self, run: &Run, index: &StateIndex) -> Result<(), OperationError> {
        let stale = |why: String| {
            let message = format!("{why}; import the source tenant again, then capture again");
            Err(OperationError::ends(ReasonCode::InventoryTooOld, message))
        };
        let read = self.state(run.workspace, run.tenant).await?;
        if let Some(old) = read.filter(|read| read.fresh_until <= self.now()) {
            return stale(format!("the source tenant was last read at {}", old.read_at));
        }
        if self.tenant(run.workspace, run.tenant).await?.facts != index.facts {
            return stale(
                "the source tenant's id, domains or account changed after it was read".into(),
            );
        }
        Ok(())
    }

    /// Makes a snapshot the profile's active one, with a line in the audit.
    async fn point_to(
        &self,
        batch: Batch,
        stored: &Stored<Profile>,
        snapshot: SnapshotId,
        source: TenantId,
    ) -> Result<(Batch, AuditEntry), OperationError> {
        let mut next = stored.row.clone();
        next.active_snapshot = Some(snapshot);
        if next != stored.row {
            next.updated_at = self.now();
        }
        let workspace = stored.row.workspace;
        let mut audit = self.audit(workspace, &Actor::system(), "snapshot.capture", snapshot);
        audit.tenant = Some(source);
        (audit.before, audit.after) = (digest_of(&stored.row), digest_of(&next));
        Ok((self.update(batch, &next, stored.revision).await?, audit))
    }

    /// Writes the payloads of a snapshot, without the tenant, and then its index.
    async fn freeze(
        &self,
        run: &Run,
        old: Option<&SnapshotIndex>,
        snapshot: &mut SnapshotIndex,
        localiser: &Localiser,
    ) -> Result<(Digest, Written), OperationError> {
        let (workspace, source) = (run.workspace, run.tenant);
        let known = old.map(known_frames).unwrap_or_default();
        let mut packs = PackWriter::new(folder::baseline(workspace, "pack"));
        let mut frames = Vec::with_capacity(snapshot.entries.len());
        let tenant_packs = folder::tenant(workspace, source, "pack");
        for lot in snapshot.entries.chunks(LOT) {
            let of = self.freeze_lot(&tenant_packs, lot, localiser, &known, &mut packs).await?;
            frames.extend(of);
        }
        let closed = packs.finish(self).await?;
        let mut written = closed.written.clone();
        for (entry, pending) in snapshot.entries.iter_mut().zip(frames) {
            entry.frame = closed
                .frame(pending)
                .ok_or_else(|| OperationError::damaged("a pack", "it was not closed"))?;
        }
        // Targets are compared by name and id alone; their payloads are not part of a baseline.
        for target in &mut snapshot.targets {
            target.frame = nowhere();
        }
        let index_folder = folder::baseline(workspace, "index");
        let digest = self.store_document(&index_folder, snapshot, &mut written).await?;
        Ok((digest, written))
    }

    /// Whether a lease is still ours.
    pub(crate) async fn holds(&self, lease: &Lease) -> Result<bool, OperationError> {
        let found = self.ports.records.get(&lease.guard.row.key()).await?;
        Ok(found.is_some_and(|record| record.revision == lease.guard.revision))
    }

    async fn active_index(
        &self,
        profile: &Profile,
    ) -> Result<Option<SnapshotIndex>, OperationError> {
        let Some(id) = profile.active_snapshot else { return Ok(None) };
        let key = Snapshot::key_of(profile.workspace, profile.id, id);
        let Some(header) = self.read::<Snapshot>(&key).await? else { return Ok(None) };
        match header.row.indexes.get(&NORMALISER_VERSION) {
            // What cannot be read is not reused; the capture writes everything itself.
            Some(digest) => {
                let index_folder = folder::baseline(profile.workspace, "index");
                Ok(self.document(&index_folder, *digest).await.ok())
            }
            None => Ok(None),
        }
    }

    /// Takes the tenant out of a lot of payloads and adds them to the baseline's packs.
    async fn freeze_lot(
        &self,
        tenant_packs: &str,
        lot: &[Entry],
        localiser: &Localiser,
        known: &FxHashMap<Digest, Frame>,
        packs: &mut PackWriter,
    ) -> Result<Vec<PendingFrame>, OperationError> {
        let frames: Vec<Frame> = lot.iter().map(|entry| entry.frame).collect();
        let payloads = self.payloads(tenant_packs, &frames).await?;
        let ready: Vec<Result<ReadPayload, OperationError>> = payloads
            .par_iter()
            .map(|payload| {
                let bytes = payload.without_tenant(localiser).to_stored();
                let digest = Digest::of(&bytes);
                let fresh = !known.contains_key(&digest);
                Ok((digest, fresh.then(|| compress(&bytes)).transpose()?))
            })
            .collect();
        let mut out = Vec::with_capacity(lot.len());
        for one in ready {
            let (digest, compressed) = one?;
            out.push(match (known.get(&digest), compressed) {
                (Some(frame), _) => PendingFrame::Kept(*frame),
                (None, Some(compressed)) => packs.add(self, digest, &compressed).await?,
                (None, None) => return Err(OperationError::damaged("a pack", "a payload is gone")),
            });
        }
        Ok(out)
    }
}

/// The types that a capture freezes: the profile's, every one of them read in full.
fn capture_scope(profile: &Profile, state: &StateIndex) -> Result<EffectiveScope, OperationError> {
    if profile.status == ProfileStatus::Archived {
        let message = format!("the profile `{}` was archived", profile.name);
        return Err(OperationError::ends(ReasonCode::Deleted, message));
    }
    let scope = profile.check()?;
    let unproven: Vec<String> = state
        .coverage
        .unproven(&scope)
        .map(|(key, coverage)| match state.coverage.reason(key) {
            Some(reason) => format!("{key} is {} ({reason})", coverage.as_str()),
            None => format!("{key} is {}", coverage.as_str()),
        })
        .collect();
    if unproven.is_empty() {
        return Ok(scope);
    }
    let more = unproven.len().saturating_sub(5);
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    let named = unproven.iter().take(5).cloned().collect::<Vec<_>>().join("; ");
    Err(OperationError::ends(
        ReasonCode::UnprovenTypes,
        format!(
            "a baseline needs every type of its scope read in full, but {named}{rest}; import the \
             tenant again with its coverage stated (--coverage), or narrow the profile's scope"
        ),
    ))
}

/// The profile that a run is about.
pub(crate) fn profile_of(run: &Run) -> Result<ProfileId, OperationError> {
    run.context.baseline_profile_id.ok_or_else(|| {
        OperationError::damaged(format!("the run {}", run.id), "it names no profile")
    })
}

fn known_frames(index: &SnapshotIndex) -> FxHashMap<Digest, Frame> {
    let packs: std::collections::BTreeSet<Digest> =
        index.entries.iter().map(|entry| entry.frame.pack).collect();
    if packs.len() >= crate::archive::MAX_PACKS {
        return FxHashMap::default();
    }
    index.entries.iter().map(|entry| (entry.frame.payload, entry.frame)).collect()
}

/// The frame of what has no payload in the baseline.
fn nowhere() -> Frame {
    let nothing = Digest::of(b"");
    Frame { pack: nothing, offset: 0, length: 0, payload: nothing }
}
