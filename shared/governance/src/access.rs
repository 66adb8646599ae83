//! Who may do what in a workspace. Roles come from membership rows, never from a token.

use schemars::JsonSchema;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The part a member plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MemberRole {
    /// May do everything, members included.
    Owner,
    /// Runs the workspace: tenants, profiles, captures, compares, findings.
    Operator,
    /// Reads.
    Viewer,
    /// Reads, the audit included.
    Auditor,
}

impl MemberRole {
    /// The word used in JSON and on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Operator => "operator",
            Self::Viewer => "viewer",
            Self::Auditor => "auditor",
        }
    }
}

/// A member of a workspace.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct Member {
    /// Who vouches for the subject: the issuer of their tokens, or `local`.
    pub issuer: String,
    /// Who it is, in the issuer's words.
    pub subject: String,
    /// What they may do.
    pub role: MemberRole,
    /// Who added them.
    pub added_by: String,
    /// When.
    #[schemars(with = "crate::schema::Moment")]
    pub added_at: Timestamp,
}
