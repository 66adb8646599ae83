//! Severity: a rule that every finding names.

use crate::report::DiffKind;
use plumbline_policy::role::Direction;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How urgent a finding is.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Labels, order, extras.
    Low,
    /// Settings differ.
    Medium,
    /// Something approved is gone, or a role may do more.
    High,
}

impl Severity {
    /// The word used in JSON, in the badge catalog and on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

/// What the rules for roles look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RoleFacts {
    /// Microsoft's own role.
    pub built_in: bool,
    /// The two sides disagree on that for one id.
    pub built_in_differs: bool,
    /// An extra role holds privileged actions, or privileged actions were added.
    pub privileged: bool,
    /// Which way the permissions changed.
    pub direction: Option<Direction>,
}

/// A severity and the id of the rule that gives it.
pub type Verdict = (Severity, &'static str);

/// Rates a policy (contracts 4.6). `order_only`: nothing but the order of ordered lists differs.
#[must_use]
pub fn rate(kind: DiffKind, order_only: bool) -> Verdict {
    match kind {
        DiffKind::Content if order_only => (Severity::Low, "policy.reordered"),
        DiffKind::Missing => (Severity::High, "policy.missing"),
        DiffKind::Content | DiffKind::PermissionChange => (Severity::Medium, "policy.content"),
        DiffKind::AssignmentsOnly => (Severity::Medium, "policy.assignments"),
        DiffKind::Unexpected => (Severity::Low, "policy.unexpected"),
        DiffKind::MetadataOnly => (Severity::Low, "policy.metadata"),
    }
}

/// Rates a role definition; `None` for a built-in role that seems to be missing, which cannot be true:
/// it means a partial read, another cloud or a missing licence (domain rules 2.5).
#[must_use]
pub fn rate_role(kind: DiffKind, facts: RoleFacts) -> Option<Verdict> {
    let verdict = match (kind, facts.built_in) {
        _ if facts.built_in_differs => (Severity::High, "role.built_in.differs"),
        (DiffKind::Missing, true) => return None,
        (DiffKind::Missing, false) => (Severity::High, "role.custom.missing"),
        (DiffKind::Unexpected, true) => (Severity::Low, "role.built_in.unexpected"),
        (DiffKind::Unexpected, false) if facts.privileged => {
            (Severity::High, "role.custom.unexpected.privileged")
        }
        (DiffKind::Unexpected, false) => (Severity::Medium, "role.custom.unexpected"),
        (DiffKind::MetadataOnly, _) => (Severity::Low, "role.metadata"),
        (DiffKind::AssignmentsOnly, _) => (Severity::Medium, "role.scope_tags"),
        (_, true) if facts.privileged => (Severity::Medium, "role.built_in.changed.privileged"),
        (_, true) => (Severity::Low, "role.built_in.changed"),
        (_, false) if facts.direction == Some(Direction::Narrowed) => {
            (Severity::High, "role.custom.narrowed")
        }
        (_, false) if facts.direction == Some(Direction::Unchanged) => {
            (Severity::High, "role.custom.rewritten")
        }
        (_, false) => (Severity::High, "role.custom.widened"),
    };
    Some(verdict)
}

/// Every rule with the sentence that explains it; formats such as SARIF list them.
pub const RULES: &[(&str, Severity, &str)] = &[
    ("policy.missing", Severity::High, "A policy of the baseline does not exist in the tenant."),
    ("policy.content", Severity::Medium, "A policy's settings differ from the baseline."),
    ("policy.assignments", Severity::Medium, "A policy's targets, filters or scope tags differ."),
    (
        "policy.unexpected",
        Severity::Low,
        "The tenant has a policy that the baseline does not hold.",
    ),
    ("policy.metadata", Severity::Low, "Only a policy's name or description differs."),
    ("policy.reordered", Severity::Low, "Only the order of an ordered list differs."),
    (
        "role.built_in.differs",
        Severity::High,
        "One role id is built-in on one side and custom on the other.",
    ),
    (
        "role.custom.missing",
        Severity::High,
        "A custom role of the baseline does not exist in the tenant.",
    ),
    (
        "role.custom.widened",
        Severity::High,
        "A custom role grants something that the baseline does not.",
    ),
    ("role.custom.narrowed", Severity::High, "A custom role grants less than the baseline."),
    (
        "role.custom.rewritten",
        Severity::High,
        "A custom role's permission blocks differ; what they grant together does not.",
    ),
    (
        "role.custom.unexpected",
        Severity::Medium,
        "The tenant has a custom role that the baseline does not hold.",
    ),
    (
        "role.custom.unexpected.privileged",
        Severity::High,
        "The tenant has a custom role with privileged actions that the baseline does not hold.",
    ),
    (
        "role.built_in.changed",
        Severity::Low,
        "Microsoft changed a built-in role; capture the baseline again.",
    ),
    (
        "role.built_in.changed.privileged",
        Severity::Medium,
        "Microsoft added privileged actions to a built-in role; capture the baseline again.",
    ),
    (
        "role.built_in.unexpected",
        Severity::Low,
        "Microsoft added a built-in role; capture the baseline again.",
    ),
    ("role.metadata", Severity::Low, "Only a role's name or description differs."),
    ("role.scope_tags", Severity::Medium, "A role's scope tags differ."),
];
