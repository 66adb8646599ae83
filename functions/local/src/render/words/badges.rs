//! Which badge of the catalog a word of the report wears.

use plumbline_governance::badge::{Badge, Domain, badge};
use plumbline_governance::gap::GapKind;
use plumbline_governance::report::{ChangeType, DiffKind, MatchedBy, RoleCounts, Trust};
use plumbline_governance::severity::Severity;
use plumbline_policy::diff::ChangeKind;

/// How urgent a subject is.
pub(crate) fn severity(severity: Severity) -> Badge {
    badge(Domain::FindingSeverity, Some(severity.as_str()))
}

/// Missing, different or unexpected.
pub(crate) fn change_type(change_type: ChangeType) -> Badge {
    badge(Domain::FindingChangeType, Some(change_type.as_str()))
}

/// What differs.
pub(crate) fn diff_kind(kind: DiffKind) -> Badge {
    badge(Domain::FindingDiffKind, Some(kind.as_str()))
}

/// How much was proven.
pub(crate) fn trust(trust: Trust) -> Badge {
    badge(Domain::CompareTrust, Some(trust.as_str()))
}

/// How a pair was found.
pub(crate) fn matched_by(by: MatchedBy) -> Badge {
    badge(Domain::CompareMatch, Some(by.as_str()))
}

/// Why there is no verdict.
pub(crate) fn gap(kind: GapKind) -> Badge {
    badge(Domain::CompareGap, Some(kind.as_str()))
}

/// What is as it should be.
pub(crate) fn unchanged() -> Badge {
    badge(Domain::RbacClassification, Some("unchanged"))
}

/// The counts of role definitions with their badges, in the order of the catalog.
pub(crate) fn roles(counts: RoleCounts) -> [(Badge, usize); 4] {
    [
        ("unchanged", counts.unchanged),
        ("modified", counts.modified),
        ("missing", counts.missing),
        ("unexpected", counts.unexpected),
    ]
    .map(|(value, number)| (badge(Domain::RbacClassification, Some(value)), number))
}

/// What happened to one setting. It wears the words of its subject: what the baseline has alone is
/// missing, what the tenant has alone is unexpected, so that `added` never looks like a good thing. The
/// catalog has no word for another order, which is a modification all the same.
pub(crate) fn kind_badge(kind: ChangeKind) -> Badge {
    match kind {
        ChangeKind::Added => diff_kind(DiffKind::Unexpected),
        ChangeKind::Removed => diff_kind(DiffKind::Missing),
        ChangeKind::Changed | ChangeKind::Reordered => {
            badge(Domain::RbacClassification, Some("modified"))
        }
    }
}
