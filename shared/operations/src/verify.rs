//! The check of everything that is stored: every pointer names an object, every object is what it says,
//! and what is counted is there.

use crate::archive::object_key;
use crate::collect::doom_key;
use crate::error::OperationError;
use crate::posture::counted;
use crate::repository::keys::{self, folder, sk};
use crate::repository::rows::{
    Assignment, Doomed, Guard, PartRow, Posture, Snapshot, State, Tenant,
};
use crate::repository::{Row, Stored};
use crate::system::System;
use plumbline_governance::finding::record::Finding;
use plumbline_governance::ids::WorkspaceId;
use plumbline_governance::index::{Entry, Frame, SnapshotIndex, StateIndex};
use plumbline_governance::profile::Profile;
use plumbline_governance::run::Run;
use plumbline_policy::digest::NORMALISER_VERSION;
use plumbline_policy::policy::{Facets, Payload};
use plumbline_policy::tenant::{Localiser, TenantFacts};
use plumbline_ports::Record;
use rayon::prelude::*;
use serde::Serialize;
use std::collections::BTreeSet;

/// Something that is not as it must be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Damage {
    /// What is damaged.
    pub what: String,
    /// What is wrong with it.
    pub reason: String,
    /// What to do.
    pub next: &'static str,
}

/// What a check looked at, and what it found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Checked {
    /// Rows that were read.
    pub records: u64,
    /// Objects that rows and indexes point to.
    pub pointers: u64,
    /// Payloads that were read and derived again.
    pub payloads: u64,
    /// What is wrong.
    pub damage: Vec<Damage>,
}

const IMPORT: &str = "import the tenant again";
const CAPTURE: &str = "capture the profile again, or promote another snapshot";
const COMPARE: &str = "compare the tenant again";
const UPLOAD: &str = "send the part again";
const RESTORE: &str = "restore the records from a backup";

/// Payloads are read in lots of this many.
const LOT: usize = 256;

impl Checked {
    pub(crate) fn wrong(
        &mut self,
        what: impl std::fmt::Display,
        reason: impl std::fmt::Display,
        next: &'static str,
    ) {
        let (what, reason) = (what.to_string(), reason.to_string());
        self.damage.push(Damage { what, reason, next });
    }
}

impl System {
    /// Checks everything that a workspace stores. Changes nothing.
    ///
    /// # Errors
    /// Only when a store does not answer; damage is no error here.
    pub async fn verify(&self, workspace: WorkspaceId) -> Result<Checked, OperationError> {
        let mut out = Checked::default();
        let mut profiles = Vec::new();
        let mut snapshots = Vec::new();
        let mut tenants = Vec::new();
        let mut guards = Vec::new();
        let mut pages = self.pages(keys::workspace(workspace));
        while let Some(page) = pages.next().await? {
            for record in page {
                out.records += 1;
                let kind = record.key.sk.clone();
                if kind.starts_with(sk::PROFILES) {
                    profiles.extend(self.row::<Profile>(&record, &mut out).await);
                } else if kind.starts_with("SNAPSHOT#") {
                    snapshots.extend(self.row::<Snapshot>(&record, &mut out).await);
                } else if kind.starts_with(sk::TENANTS) {
                    tenants.extend(self.row::<Tenant>(&record, &mut out).await);
                } else if kind.starts_with(sk::GUARDS) {
                    guards.extend(self.row::<Guard>(&record, &mut out).await);
                }
            }
        }
        for snapshot in &snapshots {
            self.verify_snapshot(snapshot, &mut out).await?;
        }
        for profile in &profiles {
            let active = profile.active_snapshot;
            if let Some(id) = active.filter(|id| !snapshots.iter().any(|one| one.id == *id)) {
                let reason = format!("its active snapshot {id} is not there");
                out.wrong(format!("the profile `{}`", profile.name), reason, CAPTURE);
            }
        }
        for guard in &guards {
            let what = format!("the captures of the profile {}", guard.identity);
            self.verify_guard(&what, guard, &mut out).await?;
        }
        for tenant in &tenants {
            self.verify_tenant(tenant, &profiles, &mut out).await?;
        }
        match self.workspace(workspace).await {
            Ok(workspace) => self.verify_audit(&workspace, &mut out).await?,
            Err(OperationError::Port(error)) => return Err(error.into()),
            Err(error) => out.wrong("the workspace", error, RESTORE),
        }
        Ok(out)
    }

    async fn row<R: Row>(&self, record: &Record, out: &mut Checked) -> Option<R> {
        match self.decode::<R>(record).await {
            Ok(Stored { row, .. }) => Some(row),
            Err(error) => {
                out.wrong(format!("the {} at {}", R::WHAT, record.key), error, RESTORE);
                None
            }
        }
    }

    async fn verify_snapshot(
        &self,
        snapshot: &Snapshot,
        out: &mut Checked,
    ) -> Result<(), OperationError> {
        let what = format!("the snapshot {}", snapshot.id);
        let workspace = snapshot.workspace;
        for (version, digest) in &snapshot.indexes {
            out.pointers += 1;
            let found: Result<SnapshotIndex, _> =
                self.document(&folder::baseline(workspace, "index"), *digest).await;
            let index = match found {
                Ok(index) => index,
                Err(OperationError::Port(error)) => return Err(error.into()),
                Err(error) => {
                    out.wrong(&what, error, CAPTURE);
                    continue;
                }
            };
            self.alive(workspace, &folder::baseline(workspace, "index"), *digest, &what, out)
                .await?;
            if index.normaliser_version != *version {
                out.wrong(&what, "its index was made under other rules than it says", CAPTURE);
            }
            // Under other rules than it was captured under, a snapshot has another identity.
            let first = snapshot.indexes.keys().next() == Some(version);
            if first && index.identity() != snapshot.snapshot_identity_hash {
                out.wrong(&what, "its content does not have the identity it names", CAPTURE);
            }
            let nobody = Localiser::new(&TenantFacts::default());
            let packs = folder::baseline(workspace, "pack");
            let check = Derivation { version: *version, localiser: &nobody, next: CAPTURE };
            self.verify_entries(&what, &packs, &index.entries, &check, out).await?;
        }
        Ok(())
    }

    /// An object that something points to must not be about to go.
    async fn alive(
        &self,
        workspace: WorkspaceId,
        folder: &str,
        digest: plumbline_policy::digest::Digest,
        what: &str,
        out: &mut Checked,
    ) -> Result<(), OperationError> {
        let doom = self.read::<Doomed>(&doom_key(workspace, folder, digest)).await?;
        if doom.is_some_and(|doom| doom.row.dying) {
            out.wrong(what, "the collector is deleting an object of it", RESTORE);
        }
        Ok(())
    }

    async fn verify_tenant(
        &self,
        tenant: &Tenant,
        profiles: &[Profile],
        out: &mut Checked,
    ) -> Result<(), OperationError> {
        let (workspace, id) = (tenant.workspace, tenant.id);
        let what = format!("the tenant `{}`", tenant.name);
        let mut findings: Vec<Finding> = Vec::new();
        let mut posture = None;
        let mut runs: Vec<Run> = Vec::new();
        let mut guards: Vec<Guard> = Vec::new();
        let mut parts: Vec<PartRow> = Vec::new();
        let mut state = None;
        let mut assignment = None;
        let mut pages = self.pages(keys::tenant(workspace, id));
        while let Some(page) = pages.next().await? {
            for record in page {
                out.records += 1;
                let kind = record.key.sk.clone();
                if kind == sk::STATE {
                    state = self.row::<State>(&record, out).await;
                } else if kind == sk::ASSIGNMENT {
                    assignment = self.row::<Assignment>(&record, out).await;
                } else if kind == sk::POSTURE {
                    posture = self.row::<Posture>(&record, out).await;
                } else if kind.starts_with(sk::RUNS) {
                    runs.extend(self.row::<Run>(&record, out).await);
                } else if kind.starts_with(sk::FINDINGS) {
                    findings.extend(self.row::<Finding>(&record, out).await);
                } else if kind.starts_with(sk::GUARDS) {
                    guards.extend(self.row::<Guard>(&record, out).await);
                } else if kind.starts_with(sk::UPLOAD_PARTS) && !self.is_expired(&record) {
                    parts.extend(self.row::<PartRow>(&record, out).await);
                }
            }
        }
        if let Some(state) = &state {
            self.verify_state(tenant, state, out).await?;
        }
        if let Some(one) = &assignment
            && !profiles.iter().any(|profile| profile.id == one.profile)
        {
            out.wrong(&what, format!("its profile {} is not there", one.profile), RESTORE);
        }
        if tenant.profile != assignment.as_ref().map(|one| one.profile) {
            out.wrong(&what, "tenant and assignment name two profiles", RESTORE);
        }
        for guard in &guards {
            self.verify_guard(&what, guard, out).await?;
        }
        let running = runs.iter().any(|run| !run.is_completed());
        if let Some(posture) = posture.filter(|_| !running) {
            let sum = counted(workspace, id, findings.iter(), None, posture.updated_at);
            if (sum.by_status, sum.open_by_severity)
                != (posture.by_status, posture.open_by_severity)
            {
                out.wrong(&what, "its counts are not those of its findings", COMPARE);
            }
        }
        self.verify_parts(&what, &parts, out).await?;
        let frames: Vec<Frame> = findings.iter().filter_map(|one| one.evidence).collect();
        out.pointers += frames.len() as u64;
        let packs = folder::tenant(workspace, id, "evidence");
        for lot in frames.chunks(LOT) {
            if let Err(error) = self.frames(&packs, lot).await {
                match error {
                    OperationError::Port(error) if error.is_retryable() => return Err(error.into()),
                    other => out.wrong(&what, format!("evidence is damaged: {other}"), COMPARE),
                }
            }
        }
        Ok(())
    }

    /// Reads the parts of uploads that may be imported still.
    async fn verify_parts(
        &self,
        what: &str,
        parts: &[PartRow],
        out: &mut Checked,
    ) -> Result<(), OperationError> {
        for part in parts {
            out.pointers += 1;
            let place = PartRow::folder(part.workspace, part.tenant);
            let named = format!("the part {} of the upload {} of {what}", part.number, part.upload);
            match self.object("part", &object_key(&place, part.digest)?).await {
                Ok(_) => self.alive(part.workspace, &place, part.digest, &named, out).await?,
                Err(OperationError::Port(error)) => return Err(error.into()),
                Err(error) => out.wrong(named, error, UPLOAD),
            }
        }
        Ok(())
    }

    /// What a guard holds active is there, and has not ended.
    async fn verify_guard(
        &self,
        what: &str,
        guard: &Guard,
        out: &mut Checked,
    ) -> Result<(), OperationError> {
        let Some(active) = guard.active else { return Ok(()) };
        match self.run(guard.workspace, guard.tenant, active).await {
            Ok(run) if run.is_completed() => {
                out.wrong(what, format!("the run {active} ended and is held active"), RESTORE);
            }
            Err(OperationError::NotFound { .. }) => {
                out.wrong(what, format!("the active run {active} is not there"), RESTORE);
            }
            Err(error) if error.is_retryable() => return Err(error),
            // One that cannot be read is told of where the runs are read.
            Ok(_) | Err(_) => {}
        }
        Ok(())
    }

    async fn verify_state(
        &self,
        tenant: &Tenant,
        state: &State,
        out: &mut Checked,
    ) -> Result<(), OperationError> {
        let (workspace, id) = (tenant.workspace, tenant.id);
        let what = format!("the state of the tenant `{}`", tenant.name);
        out.pointers += 1;
        let found: Result<StateIndex, _> =
            self.document(&folder::tenant(workspace, id, "index"), state.index).await;
        let index = match found {
            Ok(index) => index,
            Err(OperationError::Port(error)) => return Err(error.into()),
            Err(error) => {
                out.wrong(&what, error, IMPORT);
                return Ok(());
            }
        };
        let place = folder::tenant(workspace, id, "index");
        self.alive(workspace, &place, state.index, &what, out).await?;
        if index.root() != state.root {
            out.wrong(&what, "its index does not have the root it names", IMPORT);
        }
        let localiser = Localiser::new(&index.facts);
        let packs = folder::tenant(workspace, id, "pack");
        let check =
            Derivation { version: state.normaliser_version, localiser: &localiser, next: IMPORT };
        self.verify_entries(&what, &packs, &index.entries, &check, out).await
    }

    /// Reads every payload of an index and derives its digests again.
    async fn verify_entries(
        &self,
        what: &str,
        packs: &str,
        entries: &[Entry],
        check: &Derivation<'_>,
        out: &mut Checked,
    ) -> Result<(), OperationError> {
        let objects: BTreeSet<_> = entries.iter().map(|entry| entry.frame.pack).collect();
        out.pointers += objects.len() as u64;
        for digest in objects {
            let key = object_key(packs, digest)?;
            match self.object("pack", &key).await {
                Ok(_) => {}
                Err(OperationError::Port(error)) => return Err(error.into()),
                Err(error) => {
                    out.wrong(what, error, check.next);
                    return Ok(());
                }
            }
        }
        for lot in entries.chunks(LOT) {
            let frames: Vec<Frame> = lot.iter().map(|entry| entry.frame).collect();
            let payloads = match self.payloads(packs, &frames).await {
                Ok(payloads) => payloads,
                Err(OperationError::Port(error)) => return Err(error.into()),
                Err(error) => {
                    out.wrong(what, error, check.next);
                    continue;
                }
            };
            out.payloads += payloads.len() as u64;
            if check.version != NORMALISER_VERSION {
                continue;
            }
            let differ: Vec<&Entry> = lot
                .par_iter()
                .zip(payloads)
                .filter(|(entry, payload)| check.of(payload) != entry.facets)
                .map(|(entry, _)| entry)
                .collect();
            for entry in differ {
                let name = entry.display_name.as_deref().unwrap_or("without a name");
                let reason = format!(
                    "the payload of `{name}` ({}) does not have the digests that its index names",
                    entry.policy_type
                );
                out.wrong(what, reason, check.next);
            }
        }
        Ok(())
    }
}

/// How the digests of an index are derived again.
struct Derivation<'l> {
    version: u32,
    localiser: &'l Localiser,
    next: &'static str,
}

impl Derivation<'_> {
    fn of(&self, payload: &Payload<'_>) -> Facets {
        Facets::of(&payload.read(self.localiser))
    }
}
