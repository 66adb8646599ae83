//! One finding as it is kept: what drifted, where it stands, and how often it was seen.

use super::state::FindingState;
use crate::ids::{FindingId, ProfileId, RunId, SnapshotId, TenantId, WorkspaceId};
use crate::index::Frame;
use crate::report::{ChangeType, DiffKind, Drift, Facet, MatchedBy};
use crate::severity::Severity;
use jiff::Timestamp;
use plumbline_policy::digest::Digest;
use plumbline_policy::role::Direction;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a finding says of the drift; replaced as a whole when the drift changes.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct DriftFacts {
    /// Names this exact drift.
    pub fingerprint: Digest,
    /// Missing, different or unexpected.
    pub change_type: ChangeType,
    /// Catalog key.
    pub policy_type: String,
    /// The subject key.
    pub subject_key: String,
    /// The subject's name.
    pub display_name: String,
    /// Its id in the tenant, or the baseline's reference to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject_external_id: Option<String>,
    /// Digest of the golden content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline_hash: Option<String>,
    /// Digest of the tenant's content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current_hash: Option<String>,
    /// The facets that differ.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub facets: Vec<Facet>,
    /// The strongest kind of difference.
    pub diff_kind: DiffKind,
    /// How urgent it is.
    pub severity: Severity,
    /// The rule that says so.
    pub severity_rule: String,
    /// How the pair was matched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matched_by: Option<MatchedBy>,
    /// How sure that is, 0 to 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<u8>,
    /// For roles: which way the permissions changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub direction: Option<Direction>,
    /// For roles: the other one that may be the same under another id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub possibly_same_as: Option<String>,
    /// How many settings changed.
    pub changes: u64,
    /// The snapshot that was compared with.
    pub snapshot: SnapshotId,
}

impl DriftFacts {
    /// Takes the facts from a drift; `None` when its fingerprint is no digest, which a compare never
    /// writes.
    #[must_use]
    pub fn of(drift: &Drift, snapshot: SnapshotId) -> Option<Self> {
        let id = |version: &Option<crate::report::Version>| {
            version.as_ref().and_then(|one| one.external_id.clone())
        };
        Some(Self {
            fingerprint: drift.fingerprint.parse().ok()?,
            change_type: drift.change_type,
            policy_type: drift.policy_type.clone(),
            subject_key: drift.subject_key.clone(),
            display_name: drift.display_name.clone(),
            subject_external_id: id(&drift.current).or_else(|| id(&drift.baseline)),
            baseline_hash: drift.baseline.as_ref().map(|one| one.content_hash.clone()),
            current_hash: drift.current.as_ref().map(|one| one.content_hash.clone()),
            facets: drift.facets.clone(),
            diff_kind: drift.diff_kind,
            severity: drift.severity,
            severity_rule: drift.severity_rule.to_owned(),
            matched_by: drift.matched_by,
            confidence: drift.confidence,
            direction: drift.direction,
            possibly_same_as: drift.possibly_same_as.clone(),
            changes: drift.changes.len() as u64,
            snapshot,
        })
    }
}

/// How often drift was seen, at the last write of the finding. The memo counts on; see [`super::seen`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct SeenAtWrite {
    /// Compares that saw it.
    pub times: u64,
    /// The last of them.
    #[schemars(with = "crate::schema::Moment")]
    pub last_at: Timestamp,
    /// The type's count of proven compares at the write.
    pub counter: u64,
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct Finding {
    /// Its id, derived from recurrence key and occurrence.
    pub id: FindingId,
    /// The workspace.
    pub workspace: WorkspaceId,
    /// The tenant.
    pub tenant: TenantId,
    /// The profile.
    pub profile: ProfileId,
    /// Always `baseline.compare` (seed 101).
    pub source: String,
    /// Always `drift` (seed 101).
    pub finding_type: String,
    /// `baseline_profile:<id>` (seed 101).
    pub scope_key: String,
    /// Names the drift of this subject over time.
    pub recurrence_key: Digest,
    /// Tells subjects apart that share a recurrence key, such as two versions of one policy that are
    /// both unexpected; the first of them has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub twin: Option<Digest>,
    /// Counts the rows of one recurrence key, from 1.
    pub occurrence: u32,
    /// Where it stands.
    #[serde(flatten)]
    pub state: FindingState,
    /// What it says.
    pub drift: DriftFacts,
    /// Where its evidence stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Frame>,
    /// When it was first seen.
    #[schemars(with = "crate::schema::Moment")]
    pub first_seen_at: Timestamp,
    /// When it last changed, by a compare or a person.
    #[schemars(with = "crate::schema::Moment")]
    pub changed_at: Timestamp,
    /// How often it was seen.
    pub seen: SeenAtWrite,
    /// Since when an accepted drift is known not to be there. It stays accepted, should it come back, and
    /// counts no further until then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<crate::schema::Moment>")]
    pub absent_since: Option<Timestamp>,
    /// The run that first saw it.
    pub first_run: RunId,
    /// The run that last wrote it.
    pub last_run: RunId,
}

impl Finding {
    /// What names the row, occurrence aside.
    #[must_use]
    pub fn row_key(&self) -> Digest {
        self.twin.unwrap_or(self.recurrence_key)
    }
}

/// What every finding of a compare has in its `source`.
pub const SOURCE: &str = "baseline.compare";
/// What every finding of a compare has in its `finding_type`.
pub const FINDING_TYPE: &str = "drift";

/// The id of a finding (contracts 5.6).
#[must_use]
pub fn finding_id(row_key: Digest, occurrence: u32) -> FindingId {
    FindingId::derive(&Digest::of(format!("{row_key}#{occurrence}").as_bytes()))
}
