//! What people do with findings, and what they read of them.

use crate::archive::object_failure;
use crate::error::OperationError;
use crate::posture::counted;
use crate::repository::keys::folder;
use crate::repository::rows::{Guard, Posture};
use crate::repository::{Committed, Stored};
use crate::system::{Actor, System, digest_of};
use plumbline_governance::finding::reconcile::seen_now;
use plumbline_governance::finding::record::{Finding, SeenAtWrite};
use plumbline_governance::finding::seen::SeenCounters;
use plumbline_governance::finding::state::{FindingAction, FindingState, Resolution};
use plumbline_governance::ids::{FindingId, ProfileId, TenantId, WorkspaceId};
use plumbline_governance::report::Drift;
use plumbline_governance::run::RunType;
use plumbline_governance::text::{MAX_REASON, line};
use plumbline_ports::{Batch, CommitError};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// The most findings that one call acts on.
pub const MAX_AT_ONCE: usize = 100;

/// A finding with its counts up to date.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenFinding {
    /// The finding.
    pub finding: Finding,
    /// How often it was seen, and when last.
    pub seen: SeenAtWrite,
}

/// What one action of many came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acted {
    /// The finding that was asked for.
    pub id: FindingId,
    /// The finding as it is now, or why nothing was done.
    pub result: Result<Finding, OperationError>,
}

impl System {
    /// Lists a tenant's findings, the most urgent first.
    ///
    /// # Errors
    /// The store's.
    pub async fn findings(
        &self,
        workspace: WorkspaceId,
        tenant: TenantId,
    ) -> Result<Vec<SeenFinding>, OperationError> {
        let standing = self.standing(workspace, tenant).await?;
        let mut counters: BTreeMap<ProfileId, SeenCounters> = BTreeMap::new();
        let mut out = Vec::new();
        for finding in standing.all() {
            let seen = if let Some(counters) = counters.get(&finding.profile) {
                seen_now(finding, counters)
            } else {
                let guard = self.compare_guard(workspace, tenant, finding.profile).await?;
                let of = guard.map(|stored| stored.row.seen).unwrap_or_default();
                let seen = seen_now(finding, &of);
                counters.insert(finding.profile, of);
                seen
            };
            out.push(SeenFinding { finding: finding.clone(), seen });
        }
        out.sort_by_key(|one| {
            let word = FindingState::WORDS
                .iter()
                .position(|word| *word == one.finding.state.as_str())
                .unwrap_or_default();
            (
                !one.finding.state.is_open(),
                std::cmp::Reverse(one.finding.drift.severity),
                word,
                one.finding.drift.policy_type.clone(),
                one.finding.drift.display_name.clone(),
                one.finding.id,
            )
        });
        Ok(out)
    }

    /// Reads the evidence of a finding: the drift as the compare saw it, setting by setting.
    ///
    /// # Errors
    /// Says when the evidence is gone or damaged; the finding itself stays readable.
    pub async fn evidence(&self, finding: &Finding) -> Result<Drift, OperationError> {
        let unavailable = |reason: &dyn std::fmt::Display| {
            OperationError::Refused(format!(
                "the evidence of {} is unavailable: {reason}",
                finding.id
            ))
        };
        let frame = finding
            .evidence
            .ok_or_else(|| unavailable(&"none was stored; compare the tenant again"))?;
        let packs = folder::tenant(finding.workspace, finding.tenant, "evidence");
        let frames = self.frames(&packs, &[frame]).await.map_err(|error| match error {
            OperationError::Port(error) => object_failure(error),
            other => unavailable(&other),
        })?;
        let bytes = frames.first().ok_or_else(|| unavailable(&"it is empty"))?;
        serde_json::from_slice(bytes).map_err(|error| unavailable(&error))
    }

    /// Does what a person asks with one finding: row, posture, memo and audit in one commit.
    ///
    /// # Errors
    /// Not found; refuses what the status does not allow and reasons that are none; stale when the finding
    /// is not the one that `expect` names.
    pub async fn act(
        &self,
        workspace: WorkspaceId,
        actor: &Actor,
        tenant: TenantId,
        id: FindingId,
        action: &FindingAction,
        expect: Option<u64>,
    ) -> Result<Finding, OperationError> {
        let reason =
            action.reason().map(|text| line("the reason", text, MAX_REASON)).transpose()?;
        let action = &action.with_reason(reason.unwrap_or_default());
        for _ in 0..8 {
            // Read before the rows: the counts below must not be older than what they are compared with.
            let posture = self.posture_row(workspace, tenant).await?;
            let standing = self.standing(workspace, tenant).await?;
            let before = standing
                .all()
                .find(|finding| finding.id == id)
                .cloned()
                .ok_or_else(|| OperationError::not_found("finding", id))?;
            let later = standing.all().find(|finding| {
                finding.row_key() == before.row_key() && finding.occurrence > before.occurrence
            });
            if let Some(later) = later {
                return Err(OperationError::Refused(format!(
                    "the finding {id} was closed, and another drift of the same subject came after it; \
                     act on {} instead",
                    later.id
                )));
            }
            let key = (before.row_key(), before.occurrence);
            let read =
                standing.revision(key).ok_or_else(|| OperationError::not_found("finding", id))?;
            if expect.is_some_and(|seen| seen != read) {
                return Err(OperationError::Stale(format!("the finding {id}")));
            }
            let now = self.now();
            let mut after = before.clone();
            after.state = before.state.act(action, actor.name(), now, before.drift.fingerprint)?;
            after.changed_at = now;
            let guard = self.compare_guard(workspace, tenant, before.profile).await?;
            let counters = guard.as_ref().map(|stored| stored.row.seen.clone()).unwrap_or_default();
            // Counted up to now: what follows counts by the new status.
            after.seen = seen_now(&before, &counters);
            let counter = counters.of(&before.drift.policy_type).map_or(0, |seen| seen.count);
            after.seen.counter = after.seen.counter.max(counter);
            let mut audit =
                self.audit(workspace, actor, &format!("finding.{}", action.as_str()), id);
            audit.tenant = Some(tenant);
            audit.reason = action.reason().map(str::to_owned);
            (audit.before, audit.after) = (digest_of(&before), digest_of(&after));
            let rows = standing.all().map(|one| if one.id == id { &after } else { one });
            let row = recounted(posture.as_ref(), counted(workspace, tenant, rows, None, now));
            let batch = self.update(Batch::new(), &after, read).await?;
            let mut batch =
                self.upsert(batch, &row, posture.as_ref().map(|stored| stored.revision)).await?;
            if let Some(stored) = guard {
                let mut guard = stored.row.clone();
                if let Some(memo) = &mut guard.memo {
                    match &after.state {
                        // The next compare looks at it again when the acceptance ends.
                        FindingState::Accepted { until: Some(until), .. } => {
                            memo.valid_until =
                                Some(memo.valid_until.map_or(*until, |one| one.min(*until)));
                        }
                        // Whether the drift is still there, only a compare can say.
                        FindingState::New | FindingState::Reopened { .. } => guard.memo = None,
                        _ => {}
                    }
                }
                // While a worker has the compare, the guard is its lease: it sees that the posture moved,
                // looks at all rows again, and writes a memo of its own then.
                if guard != stored.row && stored.row.lease_until.is_none() {
                    batch = self.update(batch, &guard, stored.revision).await?;
                }
            }
            self.announce_change(workspace).await?;
            match self.commit_audited(batch, audit).await? {
                Committed::Done => return Ok(after),
                // A compare or another person was faster: look again.
                Committed::Moved(_) => {}
            }
        }
        Err(OperationError::Conflict(format!("the finding {id}")))
    }

    /// Does the same with many findings, one by one; what fails does not hold the others up.
    ///
    /// # Errors
    /// Refuses more than [`MAX_AT_ONCE`] findings.
    pub async fn act_on_all(
        &self,
        workspace: WorkspaceId,
        actor: &Actor,
        findings: &[(TenantId, FindingId)],
        action: &FindingAction,
    ) -> Result<Vec<Acted>, OperationError> {
        if findings.len() > MAX_AT_ONCE {
            return Err(OperationError::Invalid(format!(
                "{} findings, but {MAX_AT_ONCE} are acted on at once; give them in parts",
                findings.len()
            )));
        }
        let mut out = Vec::with_capacity(findings.len());
        for (tenant, id) in findings {
            let result = self.act(workspace, actor, *tenant, *id, action, None).await;
            out.push(Acted { id: *id, result });
        }
        Ok(out)
    }

    pub(crate) async fn compare_guard(
        &self,
        workspace: WorkspaceId,
        tenant: TenantId,
        profile: ProfileId,
    ) -> Result<Option<Stored<Guard>>, OperationError> {
        let identity = profile.to_string();
        self.read(&Guard::key_of(workspace, tenant, RunType::BaselineCompare, &identity)).await
    }

    /// Resolves what is open of profiles that a tenant is not held to any more. An acceptance that holds
    /// stays, as one whose drift is away: should the tenant be held to the profile again, nobody has to
    /// accept the same drift twice. Safe to repeat; what a crash left undone is done by the next call.
    pub(crate) async fn retire_findings(
        &self,
        workspace: WorkspaceId,
        tenant: TenantId,
        keep: Option<ProfileId>,
    ) -> Result<(), OperationError> {
        let over = |finding: &Finding| {
            let is_accepted = matches!(finding.state, FindingState::Accepted { .. });
            let is_there = finding.state.is_open() || is_accepted && finding.absent_since.is_none();
            is_there && Some(finding.profile) != keep
        };
        for _ in 0..8 {
            let standing = self.standing(workspace, tenant).await?;
            let now = self.now();
            let mut counters: BTreeMap<ProfileId, SeenCounters> = BTreeMap::new();
            let mut retired: Vec<Finding> = Vec::new();
            for finding in standing.all().filter(|finding| over(finding)) {
                let counters = match counters.entry(finding.profile) {
                    Entry::Occupied(known) => known.into_mut(),
                    Entry::Vacant(place) => {
                        let guard = self.compare_guard(workspace, tenant, finding.profile).await?;
                        place.insert(guard.map(|stored| stored.row.seen).unwrap_or_default())
                    }
                };
                let mut next = finding.clone();
                // Counted while it still counts as seen.
                next.seen = seen_now(finding, counters);
                if finding.state.is_accepted_at(now) {
                    next.absent_since = Some(now);
                } else {
                    next.state =
                        FindingState::Resolved { at: now, because: Resolution::OutOfScope };
                    next.absent_since = None;
                    next.changed_at = now;
                }
                retired.push(next);
            }
            let mut moved = false;
            for chunk in retired.chunks(60) {
                let mut batch = Batch::new();
                for finding in chunk {
                    let read = standing.revision((finding.row_key(), finding.occurrence));
                    batch = self.upsert(batch, finding, read).await?;
                }
                match self.commit(batch).await {
                    Ok(()) => {}
                    Err(CommitError::Condition { .. }) => {
                        moved = true;
                        break;
                    }
                    Err(CommitError::Port(error)) => return Err(error.into()),
                }
            }
            if !moved {
                return self.recount(workspace, tenant).await;
            }
        }
        Err(OperationError::Conflict("the findings of the tenant".to_owned()))
    }

    /// Makes the counts of a tenant those of its rows, after rows were written without them: a compare
    /// that was ended half way, or findings that were retired. Safe to repeat; writes nothing when the
    /// counts are right.
    pub(crate) async fn recount(
        &self,
        workspace: WorkspaceId,
        tenant: TenantId,
    ) -> Result<(), OperationError> {
        for _ in 0..8 {
            // Read before the rows: the counts below must not be older than what they are compared with.
            let posture = self.posture_row(workspace, tenant).await?;
            let standing = self.standing(workspace, tenant).await?;
            let counts = counted(workspace, tenant, standing.all(), None, self.now());
            let row = recounted(posture.as_ref(), counts);
            let is_right = match &posture {
                Some(Stored { row: before, .. }) => {
                    before.by_status == row.by_status
                        && before.open_by_severity == row.open_by_severity
                }
                None => standing.all().next().is_none(),
            };
            if is_right {
                return Ok(());
            }
            let read = posture.as_ref().map(|stored| stored.revision);
            let batch = self.upsert(Batch::new(), &row, read).await?;
            match self.commit(batch).await {
                Ok(()) => return Ok(()),
                Err(CommitError::Condition { .. }) => {}
                Err(CommitError::Port(error)) => return Err(error.into()),
            }
        }
        Err(OperationError::Conflict("the findings of the tenant".to_owned()))
    }
}

/// New counts, with what the last compare proved.
fn recounted(before: Option<&Stored<Posture>>, mut row: Posture) -> Posture {
    if let Some(before) = before {
        row.trust.clone_from(&before.row.trust);
        row.run = before.row.run;
        row.profile = before.row.profile;
    }
    row
}
