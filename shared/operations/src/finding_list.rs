//! Findings as they are looked up and listed: the most urgent first, a page at a time.

use crate::error::OperationError;
use crate::finding::SeenFinding;
use crate::paging::{Page, Position, Rows, Stretch, check_limit};
use crate::repository::Stored;
use crate::repository::keys::{self, sk};
use crate::repository::rows::urgency;
use crate::system::System;
use futures::future::try_join_all;
use jiff::Timestamp;
use plumbline_governance::finding::reconcile::seen_now;
use plumbline_governance::finding::record::{Finding, finding_id};
use plumbline_governance::finding::seen::SeenCounters;
use plumbline_governance::finding::state::FindingState;
use plumbline_governance::ids::{FindingId, ProfileId, RunId, TenantId, WorkspaceId};
use plumbline_governance::report::ChangeType;
use plumbline_governance::severity::Severity;
use plumbline_ports::{Index, IndexQuery, Query, Range, Record};
use std::collections::{BTreeMap, BTreeSet};

const LIST: &str = "findings";

/// The statuses of what is open, the most urgent first, and those of what is settled.
const OPEN: [&str; 3] = ["new", "reopened", "acknowledged"];
const SETTLED: [&str; 3] = ["accepted", "resolved", "closed"];
/// The severities, the most urgent first.
const SEVERITIES: [Severity; 3] = [Severity::High, Severity::Medium, Severity::Low];
/// How many counters are read at once.
const AT_ONCE: usize = 32;

/// Which findings; what is empty or `None` leaves none out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FindingFilter {
    /// Only this tenant's.
    pub tenant: Option<TenantId>,
    /// Only those of these tenants: what a limited member may know of. They come tenant by tenant.
    pub within: Option<BTreeSet<TenantId>>,
    /// Only this profile's.
    pub profile: Option<ProfileId>,
    /// Only those that stand so, as [`FindingState::as_str`] says it.
    pub statuses: BTreeSet<String>,
    /// Only those as urgent as that.
    pub severities: BTreeSet<Severity>,
    /// Only those of subjects of these types.
    pub policy_types: BTreeSet<String>,
    /// Only those of these kinds of drift.
    pub change_types: BTreeSet<ChangeType>,
    /// Only those that this run saw first or wrote last.
    pub run: Option<RunId>,
    /// First seen then or later.
    pub first_seen_since: Option<Timestamp>,
    /// First seen before.
    pub first_seen_until: Option<Timestamp>,
    /// Last changed then or later.
    pub changed_since: Option<Timestamp>,
    /// Last changed before.
    pub changed_until: Option<Timestamp>,
}

impl FindingFilter {
    fn check(&self) -> Result<(), OperationError> {
        match self.statuses.iter().find(|word| !FindingState::WORDS.contains(&word.as_str())) {
            Some(word) => Err(OperationError::Invalid(format!(
                "`{word}` is no status of a finding; those are {}",
                FindingState::WORDS.join(", ")
            ))),
            None => Ok(()),
        }
    }

    fn holds(&self, finding: &Finding) -> bool {
        let among = |set: &BTreeSet<String>, word: &str| set.is_empty() || set.contains(word);
        let between = |at: Timestamp, since: Option<Timestamp>, until: Option<Timestamp>| {
            since.is_none_or(|since| since <= at) && until.is_none_or(|until| at < until)
        };
        let drift = &finding.drift;
        self.tenant.is_none_or(|tenant| finding.tenant == tenant)
            && self.within.as_ref().is_none_or(|within| within.contains(&finding.tenant))
            && self.profile.is_none_or(|profile| finding.profile == profile)
            && among(&self.statuses, finding.state.as_str())
            && (self.severities.is_empty() || self.severities.contains(&drift.severity))
            && among(&self.policy_types, &drift.policy_type)
            && (self.change_types.is_empty() || self.change_types.contains(&drift.change_type))
            && self.run.is_none_or(|run| finding.first_run == run || finding.last_run == run)
            && between(finding.first_seen_at, self.first_seen_since, self.first_seen_until)
            && between(finding.changed_at, self.changed_since, self.changed_until)
    }

    /// The parts of the index that hold what is asked for, the most urgent first.
    fn parts(&self) -> Vec<String> {
        let wanted = |word: &str| self.statuses.is_empty() || self.statuses.contains(word);
        let rated = |one: &Severity| self.severities.is_empty() || self.severities.contains(one);
        // What is open goes by severity first, whatever has been done about it.
        let open = SEVERITIES.iter().flat_map(|one| OPEN.map(|word| (word, *one)));
        let settled = SETTLED.iter().flat_map(|word| SEVERITIES.map(|one| (*word, one)));
        open.chain(settled)
            .filter(|(word, one)| wanted(word) && rated(one))
            .map(|(word, one)| format!("{word}#{}#", urgency(one)))
            .collect()
    }

    fn stretches(&self, workspace: WorkspaceId) -> Vec<Stretch> {
        let parts = self.parts();
        let of_tenant = |tenant: TenantId| Stretch {
            name: tenant.to_string(),
            rows: Rows::Sorted {
                query: Query::prefix(keys::tenant(workspace, tenant), sk::FINDINGS),
                index: Index::Findings,
                parts: parts.clone(),
            },
        };
        match (self.tenant, &self.within) {
            (Some(tenant), within) => within
                .as_ref()
                .is_none_or(|within| within.contains(&tenant))
                .then(|| of_tenant(tenant))
                .into_iter()
                .collect(),
            (None, Some(within)) => within.iter().map(|tenant| of_tenant(*tenant)).collect(),
            (None, None) => {
                let first = self.changed_since.map(keys::moment).unwrap_or_default();
                // A row's key goes on behind its moment, so that the end itself is left out.
                let last = self.changed_until.map_or_else(|| "~".to_owned(), keys::moment);
                let range =
                    |part: &str| Range::Between(format!("{part}{first}"), format!("{part}{last}"));
                parts
                    .iter()
                    .map(|part| Stretch {
                        name: part.clone(),
                        rows: Rows::Index(IndexQuery {
                            index: Index::Findings,
                            pk: keys::workspace(workspace),
                            range: range(part),
                            after: None,
                            limit: 1,
                            descending: true,
                        }),
                    })
                    .collect()
            }
        }
    }
}

impl System {
    /// Lists findings, the most urgent first: what is open by severity, among those new, reopened,
    /// acknowledged; then accepted, resolved, closed, each by severity. Among equals the last changed first. The list of a workspace
    /// may lag behind its changes; that of a tenant does not.
    ///
    /// # Errors
    /// Refuses statuses, limits and places that are none; the store's.
    pub async fn finding_page(
        &self,
        workspace: WorkspaceId,
        filter: &FindingFilter,
        after: Option<&Position>,
        limit: usize,
    ) -> Result<Page<SeenFinding>, OperationError> {
        check_limit(limit)?;
        filter.check()?;
        let stretches = filter.stretches(workspace);
        if stretches.is_empty() {
            return Ok(Page::empty());
        }
        let keep = |stored: Stored<Finding>| Some(stored.row).filter(|one| filter.holds(one));
        let page = self.walk(LIST, &stretches, (after, limit), |_| true, keep).await?;
        Ok(Page { items: self.seen(page.items).await?, next: page.next })
    }

    /// Completes the counts of findings; each counter is read once.
    async fn seen(&self, findings: Vec<Finding>) -> Result<Vec<SeenFinding>, OperationError> {
        let owners: BTreeSet<_> =
            findings.iter().map(|one| (one.workspace, one.tenant, one.profile)).collect();
        let owners: Vec<_> = owners.into_iter().collect();
        let mut counters: BTreeMap<(TenantId, ProfileId), SeenCounters> = BTreeMap::new();
        for lot in owners.chunks(AT_ONCE) {
            let reads = lot.iter().map(|(workspace, tenant, profile)| async move {
                let guard = self.compare_guard(*workspace, *tenant, *profile).await?;
                let seen = guard.map(|stored| stored.row.seen).unwrap_or_default();
                Ok::<_, OperationError>(((*tenant, *profile), seen))
            });
            counters.extend(try_join_all(reads).await?);
        }
        let none = SeenCounters::default();
        Ok(findings
            .into_iter()
            .map(|finding| {
                let of = counters.get(&(finding.tenant, finding.profile)).unwrap_or(&none);
                SeenFinding { seen: seen_now(&finding, of), finding }
            })
            .collect())
    }

    /// Completes the counts of a finding that was read with its revision.
    ///
    /// # Errors
    /// The store's.
    pub async fn complete(&self, finding: Finding) -> Result<SeenFinding, OperationError> {
        let guard = self.compare_guard(finding.workspace, finding.tenant, finding.profile).await?;
        let counters = guard.map(|stored| stored.row.seen).unwrap_or_default();
        let seen = seen_now(&finding, &counters);
        Ok(SeenFinding { finding, seen })
    }

    /// Reads one finding.
    ///
    /// # Errors
    /// Not found, or the store's.
    pub async fn finding(
        &self,
        workspace: WorkspaceId,
        tenant: TenantId,
        id: FindingId,
    ) -> Result<SeenFinding, OperationError> {
        let stored = self.stored_finding(workspace, tenant, id).await?;
        self.complete(stored.row).await
    }

    /// Reads one finding with its revision. Its key tells its id, so that no other row is read closely.
    ///
    /// # Errors
    /// Not found, or the store's.
    pub async fn stored_finding(
        &self,
        workspace: WorkspaceId,
        tenant: TenantId,
        id: FindingId,
    ) -> Result<Stored<Finding>, OperationError> {
        let mut query = Query::prefix(keys::tenant(workspace, tenant), sk::FINDINGS);
        loop {
            let page = self.ports.records.query(&query).await?;
            if let Some(record) = page.records.iter().find(|record| id_of(record) == Some(id)) {
                return self.decode(record).await;
            }
            match page.next {
                Some(next) => query.after = Some(next),
                None => return Err(OperationError::not_found("finding", id)),
            }
        }
    }
}

/// The id of the finding that stands in a record.
fn id_of(record: &Record) -> Option<FindingId> {
    let (row_key, occurrence) = sk::finding_of(&record.key.sk)?;
    Some(finding_id(row_key, occurrence))
}
