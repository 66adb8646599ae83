//! The findings of a tenant as they stand, and how many of each there are.

use crate::error::OperationError;
use crate::repository::Stored;
use crate::repository::keys::{self, sk};
use crate::repository::rows::Posture;
use crate::system::System;
use jiff::Timestamp;
use plumbline_governance::finding::record::Finding;
use plumbline_governance::finding::state::FindingState;
use plumbline_governance::ids::{ProfileId, RunId, TenantId, WorkspaceId};
use plumbline_governance::severity::Severity;
use plumbline_policy::digest::Digest;
use plumbline_ports::Query;
use std::collections::BTreeMap;

/// All finding rows of a tenant, with their revisions.
#[derive(Clone, Debug, Default)]
pub(crate) struct Standing(BTreeMap<(Digest, u32), (Finding, u64)>);

impl Standing {
    /// Every row.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Finding> {
        self.0.values().map(|(finding, _)| finding)
    }

    /// The revision of a row.
    pub(crate) fn revision(&self, key: (Digest, u32)) -> Option<u64> {
        self.0.get(&key).map(|(_, revision)| *revision)
    }

    /// Takes over a row that was written.
    pub(crate) fn put(&mut self, finding: Finding) {
        let key = (finding.row_key(), finding.occurrence);
        let revision = self.revision(key).map_or(1, |read| read.wrapping_add(1));
        self.0.insert(key, (finding, revision));
    }

    /// The last occurrence of each row key of a profile.
    pub(crate) fn latest(&self, profile: ProfileId) -> BTreeMap<Digest, Finding> {
        let mut out = BTreeMap::new();
        // In the order of occurrences, so that the last one stays.
        for finding in self.all().filter(|finding| finding.profile == profile) {
            out.insert(finding.row_key(), finding.clone());
        }
        out
    }
}

impl System {
    pub(crate) async fn standing(
        &self,
        workspace: WorkspaceId,
        tenant: TenantId,
    ) -> Result<Standing, OperationError> {
        let query = Query::prefix(keys::tenant(workspace, tenant), sk::FINDINGS);
        let rows = self.list::<Finding>(query).await?;
        Ok(Standing(
            rows.into_iter()
                .map(|stored| {
                    let key = (stored.row.row_key(), stored.row.occurrence);
                    (key, (stored.row, stored.revision))
                })
                .collect(),
        ))
    }

    /// The row of a tenant's posture, as stored.
    pub(crate) async fn posture_row(
        &self,
        workspace: WorkspaceId,
        tenant: TenantId,
    ) -> Result<Option<Stored<Posture>>, OperationError> {
        self.read(&keys::in_tenant(workspace, tenant, sk::POSTURE)).await
    }

    /// Reads how a tenant stands; `None` before its first compare.
    ///
    /// # Errors
    /// The store's.
    pub async fn posture(
        &self,
        workspace: WorkspaceId,
        tenant: TenantId,
    ) -> Result<Option<Posture>, OperationError> {
        Ok(self.posture_row(workspace, tenant).await?.map(|stored| stored.row))
    }
}

/// Counts findings. `proof` is the trust and the run of the compare that counts; without one, what stood
/// there is kept by the caller.
pub(crate) fn counted<'f>(
    workspace: WorkspaceId,
    tenant: TenantId,
    findings: impl Iterator<Item = &'f Finding>,
    proof: Option<(&str, RunId)>,
    now: Timestamp,
) -> Posture {
    let mut by_status: BTreeMap<String, u64> =
        FindingState::WORDS.iter().map(|word| ((*word).to_owned(), 0)).collect();
    let mut open_by_severity: BTreeMap<String, u64> =
        [Severity::High, Severity::Medium, Severity::Low]
            .iter()
            .map(|severity| (severity.as_str().to_owned(), 0))
            .collect();
    for finding in findings {
        *by_status.entry(finding.state.as_str().to_owned()).or_default() += 1;
        if finding.state.is_open() {
            *open_by_severity.entry(finding.drift.severity.as_str().to_owned()).or_default() += 1;
        }
    }
    Posture {
        workspace,
        tenant,
        by_status,
        open_by_severity,
        profile: None,
        trust: proof.map(|(trust, _)| trust.to_owned()),
        run: proof.map(|(_, run)| run),
        updated_at: now,
    }
}
