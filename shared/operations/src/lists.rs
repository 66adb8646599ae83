//! The lists of a workspace, a page at a time, and what is found by name.

use crate::error::OperationError;
use crate::paging::{Page, Position, Rows, Stretch, check_limit};
use crate::repository::keys::{self, sk};
use crate::repository::rows::{NameGuard, NightRecord, Posture, Snapshot, Tenant, TenantStatus};
use crate::repository::{Row as _, Stored};
use crate::system::System;
use plumbline_governance::ids::{ProfileId, TenantId, WorkspaceId};
use plumbline_governance::profile::{Profile, ProfileStatus};
use plumbline_governance::run::{Run, RunOutcome, RunType};
use plumbline_ports::{Index, IndexQuery, Key, Query, Range, Record};
use std::collections::BTreeSet;

/// Which tenants; `None` leaves none out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TenantFilter {
    /// Only these: what a limited member may know of.
    pub within: Option<BTreeSet<TenantId>>,
    /// Only those held to this profile.
    pub profile: Option<ProfileId>,
    /// Only those that stand so.
    pub status: Option<TenantStatus>,
}

/// Which runs; `None` leaves none out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunFilter {
    /// Only this tenant's; then every run is listed, those of quiet nights too.
    pub tenant: Option<TenantId>,
    /// Only those of these tenants: what a limited member may know of.
    pub within: Option<BTreeSet<TenantId>>,
    /// Only those that do this.
    pub run_type: Option<RunType>,
    /// Only those that are so far, as [`Run::status`] says it.
    pub status: Option<String>,
    /// Only those that ended so.
    pub outcome: Option<RunOutcome>,
}

/// How far a run may be.
const RUN_STATUSES: [&str; 3] = ["queued", "running", "completed"];

impl RunFilter {
    fn check(&self) -> Result<(), OperationError> {
        match self.status.as_deref().filter(|word| !RUN_STATUSES.contains(word)) {
            Some(word) => Err(OperationError::Invalid(format!(
                "`{word}` is no status of a run; those are {}",
                RUN_STATUSES.join(", ")
            ))),
            None => Ok(()),
        }
    }

    fn holds(&self, run: &Run) -> bool {
        self.run_type.is_none_or(|one| run.run_type == one)
            && self.status.as_deref().is_none_or(|word| run.status() == word)
            && self.outcome.is_none_or(|outcome| run.outcome() == outcome)
    }
}

/// All rows of a partition that begin so, from the last to the first.
fn last_first(pk: String, prefix: &str) -> Query {
    Query { descending: true, ..Query::prefix(pk, prefix) }
}

/// All rows of a workspace that its list holds under a prefix.
fn listed(workspace: WorkspaceId, prefix: String, descending: bool) -> Vec<Stretch> {
    let query = IndexQuery {
        index: Index::Tenants,
        pk: keys::workspace(workspace),
        range: Range::Prefix(prefix),
        after: None,
        limit: 1,
        descending,
    };
    vec![Stretch { name: String::new(), rows: Rows::Index(query) }]
}

/// One row of each tenant.
fn of_each(tenants: &BTreeSet<TenantId>, key: impl Fn(TenantId) -> Key) -> Vec<Stretch> {
    let one = |tenant: &TenantId| {
        let Key { pk, sk } = key(*tenant);
        let query = Query { range: Range::Between(sk.clone(), sk), ..Query::prefix(pk, "") };
        Stretch { name: tenant.to_string(), rows: Rows::Table(query) }
    };
    tenants.iter().map(one).collect()
}

impl System {
    /// Lists tenants, by id.
    ///
    /// # Errors
    /// Refuses limits and places that are none; the store's.
    pub async fn tenant_page(
        &self,
        workspace: WorkspaceId,
        filter: &TenantFilter,
        after: Option<&Position>,
        limit: usize,
    ) -> Result<Page<Tenant>, OperationError> {
        let stretches = match &filter.within {
            Some(within) => of_each(within, |id| keys::in_workspace(workspace, sk::tenant(id))),
            None => Stretch::only(Query::prefix(keys::workspace(workspace), sk::TENANTS)),
        };
        let keep = |stored: Stored<Tenant>| {
            let tenant = stored.row;
            let held = filter.profile.is_none_or(|profile| tenant.profile == Some(profile));
            let stands = filter.status.is_none_or(|status| tenant.status == status);
            (held && stands).then_some(tenant)
        };
        self.walk("tenants", &stretches, (after, limit), |_| true, keep).await
    }

    /// Finds the tenant in use that is called so, without regard to case.
    ///
    /// # Errors
    /// The store's.
    pub async fn tenant_named(
        &self,
        workspace: WorkspaceId,
        name: &str,
    ) -> Result<Option<Tenant>, OperationError> {
        match self.owner_of_name(workspace, crate::tenant::NAMES, name).await? {
            Some(owner) => self.found(owner.parse().ok(), |id| self.tenant(workspace, id)).await,
            None => Ok(None),
        }
    }

    /// Finds the profile in use that is called so, without regard to case.
    ///
    /// # Errors
    /// The store's.
    pub async fn profile_named(
        &self,
        workspace: WorkspaceId,
        name: &str,
    ) -> Result<Option<Profile>, OperationError> {
        match self.owner_of_name(workspace, crate::profile::NAMES, name).await? {
            Some(owner) => self.found(owner.parse().ok(), |id| self.profile(workspace, id)).await,
            None => Ok(None),
        }
    }

    async fn owner_of_name(
        &self,
        workspace: WorkspaceId,
        kind: &str,
        name: &str,
    ) -> Result<Option<String>, OperationError> {
        let key = NameGuard::of(workspace, kind, name, String::new()).key();
        Ok(self.read::<NameGuard>(&key).await?.map(|stored| stored.row.owner))
    }

    /// Reads what a name names; a name that was just given up names nothing.
    async fn found<I, T, F>(
        &self,
        id: Option<I>,
        read: impl FnOnce(I) -> F,
    ) -> Result<Option<T>, OperationError>
    where
        F: Future<Output = Result<T, OperationError>>,
    {
        let Some(id) = id else { return Ok(None) };
        match read(id).await {
            Ok(found) => Ok(Some(found)),
            Err(OperationError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Lists profiles, by id.
    ///
    /// # Errors
    /// Refuses limits and places that are none; the store's.
    pub async fn profile_page(
        &self,
        workspace: WorkspaceId,
        status: Option<ProfileStatus>,
        after: Option<&Position>,
        limit: usize,
    ) -> Result<Page<Profile>, OperationError> {
        let rows = Stretch::only(Query::prefix(keys::workspace(workspace), sk::PROFILES));
        let keep = |stored: Stored<Profile>| {
            Some(stored.row).filter(|one| status.is_none_or(|status| one.status == status))
        };
        self.walk("profiles", &rows, (after, limit), |_| true, keep).await
    }

    /// Lists the snapshots of a profile, the newest first. The list may lag behind a capture.
    ///
    /// # Errors
    /// Not found; refuses limits and places that are none; the store's.
    pub async fn snapshot_page(
        &self,
        workspace: WorkspaceId,
        profile: ProfileId,
        after: Option<&Position>,
        limit: usize,
    ) -> Result<Page<Snapshot>, OperationError> {
        self.profile(workspace, profile).await?;
        let rows = listed(workspace, sk::snapshots(profile), true);
        let keep = |stored: Stored<Snapshot>| Some(stored.row);
        self.walk("snapshots", &rows, (after, limit), |_| true, keep).await
    }

    /// Lists nights, the newest first; missed ones too.
    ///
    /// # Errors
    /// Refuses limits and places that are none; the store's.
    pub async fn night_page(
        &self,
        workspace: WorkspaceId,
        after: Option<&Position>,
        limit: usize,
    ) -> Result<Page<NightRecord>, OperationError> {
        let query = last_first(keys::workspace(workspace), sk::NIGHTS);
        let keep = |stored: Stored<NightRecord>| Some(stored.row);
        self.walk("nights", &Stretch::only(query), (after, limit), |_| true, keep).await
    }

    /// Lists runs, the newest first. Without a tenant, those that a person started and those that did not
    /// succeed: a night in which all is well says nothing of itself. That list may lag behind.
    ///
    /// # Errors
    /// Refuses statuses, limits and places that are none; the store's.
    pub async fn run_page(
        &self,
        workspace: WorkspaceId,
        filter: &RunFilter,
        after: Option<&Position>,
        limit: usize,
    ) -> Result<Page<Run>, OperationError> {
        check_limit(limit)?;
        filter.check()?;
        let stretches = match (filter.tenant, &filter.within) {
            (Some(tenant), Some(within)) if !within.contains(&tenant) => return Ok(Page::empty()),
            (Some(tenant), _) => {
                Stretch::only(last_first(keys::tenant(workspace, tenant), sk::RUNS))
            }
            (None, _) => listed(workspace, sk::RUNS.to_owned(), true),
        };
        let partitions: Option<BTreeSet<String>> = filter
            .within
            .as_ref()
            .map(|within| within.iter().map(|one| keys::tenant(workspace, *one)).collect());
        let wanted = |record: &Record| {
            partitions.as_ref().is_none_or(|partitions| partitions.contains(&record.key.pk))
        };
        let keep = |stored: Stored<Run>| Some(stored.row).filter(|run| filter.holds(run));
        self.walk("runs", &stretches, (after, limit), wanted, keep).await
    }

    /// Lists how tenants stand, by tenant; one that was never compared is left out. Without `within` the
    /// list may lag behind.
    ///
    /// # Errors
    /// Refuses limits and places that are none; the store's.
    pub async fn posture_page(
        &self,
        workspace: WorkspaceId,
        within: Option<&BTreeSet<TenantId>>,
        after: Option<&Position>,
        limit: usize,
    ) -> Result<Page<Posture>, OperationError> {
        let stretches = match within {
            Some(within) => of_each(within, |id| keys::in_tenant(workspace, id, sk::POSTURE)),
            None => listed(workspace, sk::POSTURES.to_owned(), false),
        };
        let keep = |stored: Stored<Posture>| Some(stored.row);
        self.walk("postures", &stretches, (after, limit), |_| true, keep).await
    }
}
