//! Stored captures under the rules of this program: tried out (*replay*), or taken over (*renormalise*).
//!
//! Payloads are kept redacted but not normalised, so a change of the rules can be looked at before it
//! counts. See contracts 1.8 and `shared/decisions/0014-rules-over-time.md`.

use crate::archive::Written;
use crate::compare::{Golden, asked_for, options_of};
use crate::error::OperationError;
use crate::repository::keys::{self, folder, sk};
use crate::repository::rows::{Assignment, Lineage, Snapshot, State, Tenant, TenantStatus};
use crate::system::{Actor, System, digest_of};
use plumbline_governance::compare::CompareOptions;
use plumbline_governance::finding::reconcile::{FindingEvent, Reconciliation};
use plumbline_governance::finding::record::{DriftFacts, Finding};
use plumbline_governance::finding::state::FindingState;
use plumbline_governance::ids::{ProfileId, RunId, TenantId, WorkspaceId};
use plumbline_governance::index::{Entry, Frame, SnapshotIndex, StateIndex, sort_entries};
use plumbline_governance::profile::Profile;
use plumbline_governance::report::{Facet, Report};
use plumbline_governance::scope::Scope;
use plumbline_governance::severity::Severity;
use plumbline_governance::subject::{Source, Subject};
use plumbline_policy::digest::NORMALISER_VERSION;
use plumbline_policy::secret::SecretKey;
use plumbline_policy::tenant::{Localiser, TenantFacts};
use plumbline_ports::{Batch, Query};
use rayon::prelude::*;
use serde::Serialize;
use std::collections::BTreeMap;

/// Payloads are read in lots of this many.
const LOT: usize = 256;

/// What a replay tries out. `None` leaves a thing as the profile has it; the rules for payloads are
/// always those of this program.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReplayOptions {
    /// Only this tenant.
    pub tenant: Option<TenantId>,
    /// Only tenants of this profile.
    pub profile: Option<ProfileId>,
    /// Other severities.
    pub severities: Option<BTreeMap<String, Severity>>,
    /// Other facets.
    pub facets: Option<Vec<Facet>>,
    /// Another scope.
    pub scope: Option<Scope>,
}

/// What would happen to one finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Foreseen {
    /// The tenant.
    pub tenant: TenantId,
    /// The tenant's name.
    pub tenant_name: String,
    /// `appeared`, `changed`, `reopened` or `resolved`.
    pub event: &'static str,
    /// Catalog key.
    pub policy_type: String,
    /// The subject.
    pub display_name: String,
    /// The severity it has now; `None` where there is no finding yet.
    pub severity_before: Option<Severity>,
    /// The severity it would have.
    pub severity_after: Severity,
    /// The rule that would rate it.
    pub severity_rule: String,
}

/// What a replay foresees.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Replayed {
    /// The rules it was tried with.
    pub normaliser_version: u32,
    /// Tenants that were tried.
    pub tenants: u64,
    /// Tenants that could not be tried, with the reason.
    pub left_out: Vec<(TenantId, String)>,
    /// What would happen, by tenant.
    pub findings: Vec<Foreseen>,
}

/// What a renormalisation did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Renormalised {
    /// Snapshots that have an index under the new rules now.
    pub snapshots: u64,
    /// Tenants whose state has one now.
    pub tenants: u64,
    /// Acceptances and closings that were pinned to the same drift under its new name.
    pub repinned: u64,
}

impl System {
    /// Says which findings would appear, change or vanish under the rules of this program and the given
    /// choices. Writes nothing.
    ///
    /// # Errors
    /// Not found, refused choices, or the stores'.
    pub async fn replay(
        &self,
        workspace: WorkspaceId,
        options: &ReplayOptions,
    ) -> Result<Replayed, OperationError> {
        self.workspace(workspace).await?;
        let mut out = Replayed { normaliser_version: NORMALISER_VERSION, ..Replayed::default() };
        let tenants: Vec<Tenant> = match options.tenant {
            Some(id) => vec![self.tenant(workspace, id).await?],
            None => self.tenants(workspace).await?,
        };
        for tenant in tenants {
            let Some(assignment) = self.assignment(workspace, tenant.id).await? else { continue };
            if options.profile.is_some_and(|profile| profile != assignment.profile) {
                continue;
            }
            let mut profile = self.profile(workspace, assignment.profile).await?;
            profile.severities = options.severities.clone().unwrap_or(profile.severities);
            profile.facets = options.facets.clone().unwrap_or(profile.facets);
            profile.scope = options.scope.clone().unwrap_or(profile.scope);
            profile.check()?;
            match self.foresee(&tenant, &profile, &assignment, &mut out).await {
                Ok(()) => out.tenants += 1,
                Err(OperationError::Port(error)) => return Err(error.into()),
                Err(error) => out.left_out.push((tenant.id, error.to_string())),
            }
        }
        Ok(out)
    }

    async fn foresee(
        &self,
        tenant: &Tenant,
        profile: &Profile,
        assignment: &Assignment,
        out: &mut Replayed,
    ) -> Result<(), OperationError> {
        let (report, options) = self.rederived_report(tenant, profile, assignment).await?;
        let asked = asked_for(profile, assignment)?;
        let snapshot = profile.active_snapshot.ok_or_else(|| no_snapshot(profile))?;
        let standing = self.standing(tenant.workspace, tenant.id).await?.latest(profile.id);
        let guard = self.compare_guard(tenant.workspace, tenant.id, profile.id).await?;
        let seen = guard.map(|stored| stored.row.seen).unwrap_or_default();
        let changes = Reconciliation {
            workspace: tenant.workspace,
            tenant: tenant.id,
            profile: profile.id,
            snapshot,
            run: RunId::from_uuid(self.mint()),
            report: &report,
            scope: &options.scope,
            asked: &asked,
            before: &seen,
            after: &seen,
            now: self.now(),
        }
        .changes(&standing);
        for change in changes {
            let before = standing.get(&change.finding.row_key());
            let facts = &change.finding.drift;
            out.findings.push(Foreseen {
                tenant: tenant.id,
                tenant_name: tenant.name.clone(),
                event: change.event.as_str(),
                policy_type: facts.policy_type.clone(),
                display_name: facts.display_name.clone(),
                severity_before: before
                    .filter(|_| change.event != FindingEvent::Appeared)
                    .map(|finding| finding.drift.severity),
                severity_after: facts.severity,
                severity_rule: facts.severity_rule.clone(),
            });
        }
        Ok(())
    }

    /// Compares a tenant's stored captures under the rules of this program.
    async fn rederived_report(
        &self,
        tenant: &Tenant,
        profile: &Profile,
        assignment: &Assignment,
    ) -> Result<(Report, CompareOptions), OperationError> {
        let (workspace, id) = (tenant.workspace, tenant.id);
        let snapshot = profile.active_snapshot.ok_or_else(|| no_snapshot(profile))?;
        let header = self.snapshot(workspace, profile.id, snapshot).await?;
        let state = self.state(workspace, id).await?.ok_or_else(|| {
            OperationError::Refused(format!("the tenant `{}` was never imported", tenant.name))
        })?;
        let index = self.golden_under_these_rules(&header).await?;
        let scope = index.scope(&asked_for(profile, assignment)?);
        let golden = Golden::of(&index)?;
        drop(index);
        let current = self.state_under_these_rules(tenant, &state).await?;
        let lineage = keys::in_tenant(workspace, id, sk::lineage(snapshot));
        let literal = self.read::<Lineage>(&lineage).await?.is_some();
        let options =
            options_of(workspace, id, profile, scope, literal, assignment.role_mappings());
        let report = self.report(workspace, id, golden, current, &options).await?;
        Ok((report, options))
    }

    async fn golden_under_these_rules(
        &self,
        header: &Snapshot,
    ) -> Result<SnapshotIndex, OperationError> {
        let (_, newest) = header
            .indexes
            .last_key_value()
            .ok_or_else(|| OperationError::damaged("a snapshot", "it names no index"))?;
        let mut index: SnapshotIndex =
            self.document(&folder::baseline(header.workspace, "index"), *newest).await?;
        if index.normaliser_version == NORMALISER_VERSION {
            return Ok(index);
        }
        let key = self.workspace_key(header.workspace).await?;
        let nobody = Localiser::new(&TenantFacts::default());
        let packs = folder::baseline(header.workspace, "pack");
        index.entries = self.rederive(&packs, &index.entries, &nobody, &key).await?;
        index.normaliser_version = NORMALISER_VERSION;
        Ok(index)
    }

    async fn state_under_these_rules(
        &self,
        tenant: &Tenant,
        state: &State,
    ) -> Result<StateIndex, OperationError> {
        let (workspace, id) = (tenant.workspace, tenant.id);
        let mut index: StateIndex =
            self.document(&folder::tenant(workspace, id, "index"), state.index).await?;
        if index.normaliser_version == NORMALISER_VERSION {
            return Ok(index);
        }
        let key = self.workspace_key(workspace).await?;
        let localiser = Localiser::new(&index.facts);
        let packs = folder::tenant(workspace, id, "pack");
        index.entries = self.rederive(&packs, &index.entries, &localiser, &key).await?;
        index.targets = self.rederive(&packs, &index.targets, &localiser, &key).await?;
        index.normaliser_version = NORMALISER_VERSION;
        Ok(index)
    }

    /// Derives entries again from their payloads. What a baseline's payload no longer holds (its ids)
    /// stays as it was.
    async fn rederive(
        &self,
        packs: &str,
        entries: &[Entry],
        localiser: &Localiser,
        key: &SecretKey,
    ) -> Result<Vec<Entry>, OperationError> {
        let mut out = Vec::with_capacity(entries.len());
        for lot in entries.chunks(LOT) {
            let frames: Vec<Frame> = lot.iter().map(|entry| entry.frame).collect();
            let payloads = self.payloads(packs, &frames).await?;
            let derived: Vec<Entry> = lot
                .par_iter()
                .zip(payloads)
                .map(|(entry, payload)| {
                    let source = Source { file: String::new(), index: 0 };
                    let subject = Subject::read(&payload, localiser, source);
                    Entry {
                        external_id: entry.external_id.clone(),
                        identity_ref: entry.identity_ref.clone(),
                        named_as: entry.named_as.clone(),
                        ..Entry::of(&subject, key, entry.frame)
                    }
                })
                .collect();
            out.extend(derived);
        }
        sort_entries(&mut out);
        Ok(out)
    }

    /// Takes the rules of this program over for everything that a workspace stores: each snapshot and
    /// each state gets an index under them, and what people accepted or closed stays so where the drift
    /// is the same. Safe to repeat; what is done already is left alone.
    ///
    /// # Errors
    /// The stores', or damage: nothing is taken over of what cannot be read.
    pub async fn renormalise(
        &self,
        workspace: WorkspaceId,
        actor: &Actor,
    ) -> Result<Renormalised, OperationError> {
        let mut out = Renormalised::default();
        let query = Query::prefix(keys::workspace(workspace), "SNAPSHOT#");
        for stored in self.list::<Snapshot>(query).await? {
            if stored.row.indexes.contains_key(&NORMALISER_VERSION) {
                continue;
            }
            let index = self.golden_under_these_rules(&stored.row).await?;
            let mut written = Written::default();
            let place = folder::baseline(workspace, "index");
            let digest = self.store_document(&place, &index, &mut written).await?;
            let mut header = stored.row.clone();
            header.indexes.insert(NORMALISER_VERSION, digest);
            let mut audit = self.audit(workspace, actor, "snapshot.renormalise", header.id);
            (audit.before, audit.after) = (digest_of(&stored.row), digest_of(&header));
            let batch = self.update(Batch::new(), &header, stored.revision).await?;
            let batch = self.secure(batch, workspace, &written).await?;
            self.commit_audited(batch, audit).await?.or_conflict("the snapshot")?;
            out.snapshots += 1;
        }
        for tenant in self.tenants(workspace).await? {
            if tenant.status == TenantStatus::Active {
                self.renormalise_tenant(&tenant, actor, &mut out).await?;
            }
        }
        Ok(out)
    }

    async fn renormalise_tenant(
        &self,
        tenant: &Tenant,
        actor: &Actor,
        out: &mut Renormalised,
    ) -> Result<(), OperationError> {
        let (workspace, id) = (tenant.workspace, tenant.id);
        let key = keys::in_tenant(workspace, id, sk::STATE);
        let Some(stored) = self.read::<State>(&key).await? else { return Ok(()) };
        if stored.row.normaliser_version == NORMALISER_VERSION {
            return Ok(());
        }
        let index = self.state_under_these_rules(tenant, &stored.row).await?;
        // Pins first: until the state is replaced, compares are blocked, so none can reopen them.
        out.repinned += self.repin(tenant, actor).await?;
        let mut written = Written::default();
        let place = folder::tenant(workspace, id, "index");
        let digest = self.store_document(&place, &index, &mut written).await?;
        let mut state = stored.row.clone();
        state.index = digest;
        state.root = index.root();
        state.normaliser_version = NORMALISER_VERSION;
        let mut audit = self.audit(workspace, actor, "state.renormalise", id);
        audit.tenant = Some(id);
        (audit.before, audit.after) = (Some(stored.row.root), Some(state.root));
        let batch = self.update(Batch::new(), &state, stored.revision).await?;
        let batch = self.secure(batch, workspace, &written).await?;
        self.commit_audited(batch, audit).await?.or_conflict("the state")?;
        out.tenants += 1;
        Ok(())
    }

    /// Pins acceptances and closings to the new name of a drift whose evidence is the same as before.
    async fn repin(&self, tenant: &Tenant, actor: &Actor) -> Result<u64, OperationError> {
        let (workspace, id) = (tenant.workspace, tenant.id);
        let Some(assignment) = self.assignment(workspace, id).await? else { return Ok(0) };
        let profile = self.profile(workspace, assignment.profile).await?;
        let Some(snapshot) = profile.active_snapshot else { return Ok(0) };
        let (report, _) = self.rederived_report(tenant, &profile, &assignment).await?;
        let standing = self.standing(workspace, id).await?;
        let mut repinned = 0;
        for (row_key, finding) in standing.latest(profile.id) {
            let pinned = matches!(
                finding.state,
                FindingState::Accepted { .. } | FindingState::Closed { .. }
            );
            if !pinned {
                continue;
            }
            let recurrence = finding.recurrence_key.to_string();
            let drifts = report.drift.iter().filter(|drift| drift.recurrence_key == recurrence);
            let mut same = None;
            for drift in drifts {
                if self.is_same_drift(&finding, drift).await? {
                    same = DriftFacts::of(drift, snapshot);
                }
            }
            let Some(facts) = same.filter(|facts| facts.fingerprint != finding.drift.fingerprint)
            else {
                continue;
            };
            let mut next = finding.clone();
            match &mut next.state {
                FindingState::Accepted { fingerprint, .. }
                | FindingState::Closed { fingerprint, .. } => *fingerprint = facts.fingerprint,
                _ => {}
            }
            next.drift = facts;
            let read = standing.revision((row_key, finding.occurrence));
            let mut audit = self.audit(workspace, actor, "finding.repin", finding.id);
            audit.tenant = Some(id);
            (audit.before, audit.after) = (digest_of(&finding), digest_of(&next));
            let batch = self.upsert(Batch::new(), &next, read).await?;
            if self.commit_audited(batch, audit).await?.is_done() {
                repinned += 1;
            }
        }
        Ok(repinned)
    }

    /// Whether a drift under the new rules shows what the finding's evidence shows.
    async fn is_same_drift(
        &self,
        finding: &Finding,
        drift: &plumbline_governance::report::Drift,
    ) -> Result<bool, OperationError> {
        if finding.drift.change_type != drift.change_type {
            return Ok(false);
        }
        let evidence = match self.evidence(finding).await {
            Ok(evidence) => evidence,
            Err(OperationError::Port(error)) if error.is_retryable() => return Err(error.into()),
            // What cannot be shown to be the same is not.
            Err(_) => return Ok(false),
        };
        Ok(evidence.changes == drift.changes)
    }
}

fn no_snapshot(profile: &Profile) -> OperationError {
    OperationError::Refused(format!("the profile `{}` has no snapshot", profile.name))
}
