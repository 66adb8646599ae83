//! The report of one compare: what `plumbline compare --format json` prints, and what every other
//! format is made from. Field names and order are a contract (`tests/schemas/compare.schema.json`).

use crate::gap::GapKind;
use crate::severity::{RULES, Severity};
pub use plumbline_policy::diff::ChangeKind;
pub use plumbline_policy::reference::Facet;
use plumbline_policy::role::Direction;
use plumbline_policy::role::evidence::RoleEvidence;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The version of the report's shape.
pub const SCHEMA_VERSION: &str = "1.0";

/// The report of one compare.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// [`SCHEMA_VERSION`].
    pub schema_version: &'static str,
    /// The version of the rules behind every digest of the report.
    pub normaliser_version: u32,
    /// The golden side.
    pub baseline: Side,
    /// The side held to it.
    pub current: Side,
    /// Whether everything in scope was proven.
    pub trust: Trust,
    /// Counts.
    pub summary: Summary,
    /// Differences, the most severe first, then by type and name.
    pub drift: Vec<Drift>,
    /// Pairs that were not matched by their exact key.
    pub pairs: Vec<Pair>,
    /// Subjects without a verdict.
    pub suppressed: Vec<Suppressed>,
    /// What was not read, not understood or not provable.
    pub gaps: Vec<Gap>,
    /// Recurrence keys of the subjects without a verdict: nothing may be resolved about them.
    #[serde(skip)]
    pub undecided: BTreeSet<String>,
    /// Types of the scope that were read in full on both sides.
    #[serde(skip)]
    pub proven: BTreeSet<String>,
}

/// One side of a compare.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Side {
    /// What was read, as the caller named it.
    pub source: String,
    /// Policies in scope.
    pub policies: usize,
    /// Digest over all subjects and their facets.
    pub digest: String,
    /// Whether facts of the tenant were given, so that its ids and domains are placeholders.
    pub tenant_facts: bool,
}

/// Whether everything in scope was proven (seed 128).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Trust {
    /// Every type in scope was read in full on both sides and every subject has a verdict.
    Full,
    /// Some verdicts are suppressed.
    PartialSuppressed,
    /// Nothing could be proven.
    UnprovenSuppressed,
}

impl Trust {
    /// The word used in JSON and in the badge catalog.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::PartialSuppressed => "partial_suppressed",
            Self::UnprovenSuppressed => "unproven_suppressed",
        }
    }
}

/// Counts of one compare.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Summary {
    /// Subjects with a verdict.
    pub compared: usize,
    /// Subjects without drift.
    pub unchanged: usize,
    /// Subjects that only the baseline has.
    pub missing_policy: usize,
    /// Subjects that differ.
    pub different_version: usize,
    /// Subjects that only the current side has.
    pub unexpected_policy: usize,
    /// Subjects without a verdict.
    pub suppressed: usize,
    /// Gaps that lower trust; notes are not counted.
    pub gaps: usize,
    /// Drift by severity: `high`, `medium`, `low`.
    pub by_severity: BTreeMap<&'static str, usize>,
    /// Counts by policy type, for types that either side holds.
    pub by_type: BTreeMap<String, TypeCounts>,
    /// The summary of role definitions (seed 128); `None` when no role was in scope.
    pub rbac_role_definitions: Option<RoleCounts>,
}

/// Counts of one policy type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct TypeCounts {
    /// Subjects on the golden side.
    pub baseline: usize,
    /// Subjects on the other side.
    pub current: usize,
    /// Subjects without drift.
    pub unchanged: usize,
    /// Subjects that only the baseline has.
    pub missing_policy: usize,
    /// Subjects that differ.
    pub different_version: usize,
    /// Subjects that only the current side has.
    pub unexpected_policy: usize,
    /// Subjects without a verdict.
    pub suppressed: usize,
}

/// Counts of role definitions under the words of seed 128.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RoleCounts {
    /// Roles with a verdict.
    pub total_compared: usize,
    /// Equal roles.
    pub unchanged: usize,
    /// Roles that differ.
    pub modified: usize,
    /// Roles that only the baseline has.
    pub missing: usize,
    /// Roles that only the current side has.
    pub unexpected: usize,
}

/// The kind of drift of one subject (seed 101).
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum ChangeType {
    /// Only the baseline has the subject.
    MissingPolicy,
    /// Both have it, and they differ.
    DifferentVersion,
    /// Only the current side has it.
    UnexpectedPolicy,
}

impl ChangeType {
    /// The word used in JSON and in the badge catalog.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MissingPolicy => "missing_policy",
            Self::DifferentVersion => "different_version",
            Self::UnexpectedPolicy => "unexpected_policy",
        }
    }
}

/// What differs, the strongest kind of all changes.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum DiffKind {
    /// Only name or description.
    MetadataOnly,
    /// Only targets, filters or scope tags.
    AssignmentsOnly,
    /// Settings.
    Content,
    /// What a role grants.
    PermissionChange,
    /// The whole subject is extra.
    Unexpected,
    /// The whole subject is gone.
    Missing,
}

impl DiffKind {
    /// The word used in JSON and in the badge catalog.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MetadataOnly => "metadata_only",
            Self::AssignmentsOnly => "assignments_only",
            Self::Content => "content",
            Self::PermissionChange => "permission_change",
            Self::Unexpected => "unexpected",
            Self::Missing => "missing",
        }
    }
}

/// How two subjects were found to be one.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum MatchedBy {
    /// Equal subject keys: type, platform, template family and folded name.
    Key,
    /// Equal ids in one type.
    Id,
    /// Equal names.
    Name,
    /// Equal names without a trailing version.
    BaseName,
    /// Equal content under another name and id.
    Content,
    /// The one best partner by shared settings.
    Similarity,
    /// A person said that this role stands for that one.
    Mapping,
}

impl MatchedBy {
    /// The word used in JSON and in the badge catalog.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Id => "id",
            Self::Name => "name",
            Self::BaseName => "base_name",
            Self::Content => "content",
            Self::Similarity => "similarity",
            Self::Mapping => "mapping",
        }
    }
}

/// The id of a severity rule; one of [`RULES`].
pub type RuleId = &'static str;

/// Reads the id of a rule that was stored. One that this program does not know any more is named so: the
/// drift that it rated is still true.
fn stored_rule<'de, D: serde::Deserializer<'de>>(source: D) -> Result<RuleId, D::Error> {
    let text = <std::borrow::Cow<'de, str>>::deserialize(source)?;
    Ok(RULES.iter().find(|(known, ..)| *known == text).map_or("unknown rule", |(known, ..)| *known))
}

/// One drifted subject. It is stored as the evidence of a finding, and read back.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct Drift {
    /// Missing, different or unexpected.
    pub change_type: ChangeType,
    /// Catalog key.
    pub policy_type: String,
    /// The canonical array of contracts: type, platform, family, folded name.
    pub subject_key: String,
    /// The baseline's name, or the current one for an unexpected subject.
    pub display_name: String,
    /// The subject on the golden side.
    pub baseline: Option<Version>,
    /// The subject on the other side.
    pub current: Option<Version>,
    /// Facets that differ.
    pub facets: Vec<Facet>,
    /// The strongest kind of difference.
    pub diff_kind: DiffKind,
    /// How urgent it is.
    pub severity: Severity,
    /// The rule that says so.
    #[serde(deserialize_with = "stored_rule")]
    pub severity_rule: RuleId,
    /// How the pair was matched; `None` without a pair.
    pub matched_by: Option<MatchedBy>,
    /// How sure the match is, 0 to 100; `None` without a pair.
    pub confidence: Option<u8>,
    /// For roles: which way the permissions changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub direction: Option<Direction>,
    /// The subject of the other side that may be the same role under another id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub possibly_same_as: Option<String>,
    /// For roles: what they grant, action by action. Not there when no payload was read, and in evidence of
    /// older versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<RoleEvidence>,
    /// Names this exact drift.
    pub fingerprint: String,
    /// Names the drift of this subject over time.
    pub recurrence_key: String,
    /// The evidence.
    pub changes: Vec<Change>,
}

/// One subject on one side.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct Version {
    /// Its id in Graph.
    pub external_id: Option<String>,
    /// Its name as sent.
    pub display_name: Option<String>,
    /// Digest of the content facet.
    pub content_hash: String,
    /// The file it stands in, relative, with `/`.
    pub source_file: String,
}

/// One change of one setting.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct Change {
    /// The facet the change belongs to.
    pub facet: Facet,
    /// Where; see `plumbline_policy::path`.
    pub path: String,
    /// What happened.
    pub kind: ChangeKind,
    /// The value on the golden side.
    pub before: Option<serde_json::Value>,
    /// The value on the other side.
    pub after: Option<serde_json::Value>,
}

/// Two subjects that were matched by something weaker than the exact key.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Pair {
    /// Catalog key.
    pub policy_type: String,
    /// The golden side's name.
    pub baseline: String,
    /// The golden side's file.
    pub baseline_file: String,
    /// The other side's name.
    pub current: String,
    /// The other side's file.
    pub current_file: String,
    /// How they were matched.
    pub matched_by: MatchedBy,
    /// How sure that is, 0 to 100.
    pub confidence: u8,
    /// One sentence for a person.
    pub reason: String,
}

/// A subject without a verdict.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Suppressed {
    /// Catalog key.
    pub policy_type: String,
    /// The subject's name.
    pub display_name: String,
    /// The verdict that was not given.
    pub change_type: Option<ChangeType>,
    /// The gap that took it.
    pub gap: GapKind,
    /// One sentence for a person.
    pub reason: String,
    /// The file the subject stands in.
    pub source_file: String,
}

/// Something that was not read, not understood or not provable.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Gap {
    /// What it is.
    pub kind: GapKind,
    /// The type it concerns; `None` when no type could be told.
    pub policy_type: Option<String>,
    /// The side: `baseline` or `current`; `None` for both.
    pub side: Option<&'static str>,
    /// The file, relative, with `/`; empty when no file is to blame.
    pub source_file: String,
    /// What happened and what to do, for a person.
    pub detail: String,
}

impl Drift {
    /// The changes that the lists of a role's actions do not tell already; of anything else all changes.
    pub fn changes_beside_actions(&self) -> impl Iterator<Item = &Change> {
        self.changes.iter().filter(|change| {
            let told = |role: &RoleEvidence| {
                change.facet == Facet::Content
                    && role.tells(change.before.as_ref(), change.after.as_ref())
            };
            !self.role.as_ref().is_some_and(told)
        })
    }
}

impl Report {
    /// Whether any drift stands in the report.
    #[must_use]
    pub fn has_drift(&self) -> bool {
        !self.drift.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stored_evidence_reads_back() {
        let drift = Drift {
            change_type: ChangeType::DifferentVersion,
            policy_type: "deviceConfiguration".to_owned(),
            subject_key: "[]".to_owned(),
            display_name: "One".to_owned(),
            baseline: None,
            current: None,
            facets: vec![Facet::Content],
            diff_kind: DiffKind::Content,
            severity: Severity::Medium,
            severity_rule: "policy.content",
            matched_by: None,
            confidence: None,
            direction: None,
            possibly_same_as: None,
            role: None,
            fingerprint: "f".to_owned(),
            recurrence_key: "r".to_owned(),
            changes: vec![Change {
                facet: Facet::Content,
                path: "a/b".to_owned(),
                kind: ChangeKind::Changed,
                before: Some(1.into()),
                after: None,
            }],
        };
        let text = serde_json::to_string(&drift).unwrap();
        assert_eq!(serde_json::from_str::<Drift>(&text).unwrap(), drift);
        let later = text.replace("policy.content", "policy.of_tomorrow");
        assert_eq!(serde_json::from_str::<Drift>(&later).unwrap().severity_rule, "unknown rule");
    }
}
