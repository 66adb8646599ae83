//! Gaps: what was not read, not understood or not provable, and what each takes away.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The kinds of gaps. The table of effects is in `shared/decisions/0005-gaps.md`.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum GapKind {
    /// A file that could not be decoded.
    Unreadable,
    /// A list page whose next page is not there.
    Incomplete,
    /// A payload whose type the catalog does not hold, or that could not be told.
    UnknownType,
    /// A type that only one side holds, and that side's partner was not declared complete.
    TypeAbsent,
    /// A payload that a reader did not read in full.
    DetailMissing,
    /// A payload that holds nothing to compare, or contradicts itself.
    ContentUnknown,
    /// Two candidates for one subject.
    AmbiguousMatch,
    /// A payload without name and id.
    NoIdentity,
    /// A reference whose target is not known on both sides.
    UnresolvedReference,
    /// A secret under another key.
    SecretUnproven,
    /// A type that baselines do not hold; a note.
    UnsupportedType,
    /// A file that holds no policy; a note.
    NotAPolicy,
}

impl GapKind {
    /// Every kind.
    pub const ALL: [Self; 12] = [
        Self::Unreadable,
        Self::Incomplete,
        Self::UnknownType,
        Self::TypeAbsent,
        Self::DetailMissing,
        Self::ContentUnknown,
        Self::AmbiguousMatch,
        Self::NoIdentity,
        Self::UnresolvedReference,
        Self::SecretUnproven,
        Self::UnsupportedType,
        Self::NotAPolicy,
    ];

    /// The word used in JSON and in the badge catalog.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unreadable => "unreadable",
            Self::Incomplete => "incomplete",
            Self::UnknownType => "unknown_type",
            Self::TypeAbsent => "type_absent",
            Self::DetailMissing => "detail_missing",
            Self::ContentUnknown => "content_unknown",
            Self::AmbiguousMatch => "ambiguous_match",
            Self::NoIdentity => "no_identity",
            Self::UnresolvedReference => "unresolved_reference",
            Self::SecretUnproven => "secret_unproven",
            Self::UnsupportedType => "unsupported_type",
            Self::NotAPolicy => "not_a_policy",
        }
    }

    /// Whether the gap takes a verdict away. Notes do not.
    #[must_use]
    pub fn lowers_trust(self) -> bool {
        !matches!(self, Self::UnsupportedType | Self::NotAPolicy)
    }
}
