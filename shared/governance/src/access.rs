//! Who may do what in a workspace. Roles come from membership rows, never from a token.

use crate::ids::TenantId;
use jiff::Timestamp;
use plumbline_policy::digest::Digest;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The most tenants that a member may be limited to.
pub const MAX_MEMBER_TENANTS: usize = 200;

/// The part a member plays.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize, JsonSchema,
)]
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

/// What a member may be allowed to do. What is not allowed by name is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Capability {
    /// Read everything but the audit.
    Read,
    /// Read the audit.
    ReadAudit,
    /// Change the workspace: its name, its nights.
    ManageWorkspace,
    /// Add, change and remove members.
    ManageMembers,
    /// Add, change and archive tenants.
    ManageTenants,
    /// Import what a tenant has.
    Import,
    /// Make and change profiles, and choose their snapshots.
    ManageProfiles,
    /// Capture snapshots.
    Capture,
    /// Hold tenants to profiles.
    Assign,
    /// Start compares, and cancel runs.
    Compare,
    /// Acknowledge, accept, close and reopen findings.
    ActOnFindings,
}

impl Capability {
    /// Every capability.
    pub const ALL: [Self; 11] = [
        Self::Read,
        Self::ReadAudit,
        Self::ManageWorkspace,
        Self::ManageMembers,
        Self::ManageTenants,
        Self::Import,
        Self::ManageProfiles,
        Self::Capture,
        Self::Assign,
        Self::Compare,
        Self::ActOnFindings,
    ];

    /// The word used in messages and in the API's document.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::ReadAudit => "read_audit",
            Self::ManageWorkspace => "manage_workspace",
            Self::ManageMembers => "manage_members",
            Self::ManageTenants => "manage_tenants",
            Self::Import => "import",
            Self::ManageProfiles => "manage_profiles",
            Self::Capture => "capture",
            Self::Assign => "assign",
            Self::Compare => "compare",
            Self::ActOnFindings => "act_on_findings",
        }
    }
}

impl MemberRole {
    /// Every role.
    pub const ALL: [Self; 4] = [Self::Owner, Self::Operator, Self::Viewer, Self::Auditor];

    /// Whether the role allows something.
    #[must_use]
    pub fn may(self, what: Capability) -> bool {
        use Capability as C;
        match self {
            Self::Owner => matches!(
                what,
                C::Read
                    | C::ReadAudit
                    | C::ManageWorkspace
                    | C::ManageMembers
                    | C::ManageTenants
                    | C::Import
                    | C::ManageProfiles
                    | C::Capture
                    | C::Assign
                    | C::Compare
                    | C::ActOnFindings
            ),
            Self::Operator => matches!(
                what,
                C::Read
                    | C::ManageTenants
                    | C::Import
                    | C::ManageProfiles
                    | C::Capture
                    | C::Assign
                    | C::Compare
                    | C::ActOnFindings
            ),
            Self::Viewer => matches!(what, C::Read),
            Self::Auditor => matches!(what, C::Read | C::ReadAudit),
        }
    }

    /// Whether a member of the role may be limited to some tenants. Who manages or audits the workspace
    /// has to see it whole.
    #[must_use]
    pub fn may_be_limited(self) -> bool {
        matches!(self, Self::Operator | Self::Viewer)
    }

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
    /// The tenants they are limited to; `None`: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenants: Option<BTreeSet<TenantId>>,
    /// When the membership ends; `None`: when somebody ends it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<crate::schema::Moment>")]
    pub until: Option<Timestamp>,
    /// Who added them.
    pub added_by: String,
    /// When.
    #[schemars(with = "crate::schema::Moment")]
    pub added_at: Timestamp,
}

impl Member {
    /// Names the member in a workspace.
    #[must_use]
    pub fn member_id(&self) -> String {
        member_id(&self.issuer, &self.subject)
    }

    /// Whether the membership holds at a moment.
    #[must_use]
    pub fn holds_at(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| now < until)
    }

    /// Whether the member may know of a tenant.
    #[must_use]
    pub fn sees(&self, tenant: TenantId) -> bool {
        self.tenants.as_ref().is_none_or(|tenants| tenants.contains(&tenant))
    }

    /// Whether the workspace has an owner as long as this member is one.
    #[must_use]
    pub fn is_lasting_owner(&self) -> bool {
        self.role == MemberRole::Owner && self.until.is_none()
    }
}

/// Names a member: a digest, because user text stands in no key.
#[must_use]
pub fn member_id(issuer: &str, subject: &str) -> String {
    Digest::of(format!("{issuer}\n{subject}").as_bytes()).to_string()
}

/// What a member becomes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberChange {
    /// The role.
    pub role: MemberRole,
    /// The tenants they are limited to; `None`: all.
    pub tenants: Option<BTreeSet<TenantId>>,
    /// When the membership ends; `None`: when somebody ends it.
    pub until: Option<Timestamp>,
}

impl From<MemberRole> for MemberChange {
    fn from(role: MemberRole) -> Self {
        Self { role, tenants: None, until: None }
    }
}

/// Why a member cannot be as asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadMember {
    /// The role is for the whole workspace.
    #[error(
        "an {role} sees the whole workspace; only operators and viewers are limited to tenants"
    )]
    Limited {
        /// The role.
        role: &'static str,
    },
    /// No tenant, or too many.
    #[error(
        "a member is limited to 1 to {MAX_MEMBER_TENANTS} tenants, not {0}; leave the limit out for all"
    )]
    Tenants(usize),
    /// It would end before it begins.
    #[error("the membership would end at {0}, which is past; give a later date")]
    Past(Timestamp),
}

impl MemberChange {
    /// Checks what can be checked without the workspace.
    ///
    /// # Errors
    /// Says what is wrong.
    pub fn check(&self, now: Timestamp) -> Result<(), BadMember> {
        if let Some(tenants) = &self.tenants {
            if !self.role.may_be_limited() {
                return Err(BadMember::Limited { role: self.role.as_str() });
            }
            if tenants.is_empty() || tenants.len() > MAX_MEMBER_TENANTS {
                return Err(BadMember::Tenants(tenants.len()));
            }
        }
        match self.until {
            Some(until) if until <= now => Err(BadMember::Past(until)),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The whole table; what is not in it is refused.
    #[test]
    fn what_each_role_may() {
        let table = [
            (Capability::Read, "owner operator viewer auditor"),
            (Capability::ReadAudit, "owner auditor"),
            (Capability::ManageWorkspace, "owner"),
            (Capability::ManageMembers, "owner"),
            (Capability::ManageTenants, "owner operator"),
            (Capability::Import, "owner operator"),
            (Capability::ManageProfiles, "owner operator"),
            (Capability::Capture, "owner operator"),
            (Capability::Assign, "owner operator"),
            (Capability::Compare, "owner operator"),
            (Capability::ActOnFindings, "owner operator"),
        ];
        assert_eq!(table.map(|(what, _)| what), Capability::ALL);
        for (what, who) in table {
            let may: Vec<&str> = MemberRole::ALL
                .iter()
                .filter(|role| role.may(what))
                .map(|role| role.as_str())
                .collect();
            assert_eq!(may.join(" "), who, "{what:?}");
        }
    }

    #[test]
    fn limits_and_ends_are_checked() {
        let now: Timestamp = "2026-11-24T00:00:00Z".parse().unwrap();
        let tenant = |n: usize| TenantId::derive(&Digest::of(&n.to_be_bytes()));
        let some = |count| Some((0..count).map(tenant).collect::<BTreeSet<_>>());
        for role in MemberRole::ALL {
            let limited = MemberChange { tenants: some(1), ..role.into() };
            let expected = match role {
                MemberRole::Operator | MemberRole::Viewer => Ok(()),
                MemberRole::Owner => Err(BadMember::Limited { role: "owner" }),
                MemberRole::Auditor => Err(BadMember::Limited { role: "auditor" }),
            };
            assert_eq!(limited.check(now), expected);
            let ended = MemberChange { until: Some(now), ..role.into() };
            assert_eq!(ended.check(now), Err(BadMember::Past(now)));
        }
        for (count, fits) in [(0, false), (1, true), (200, true), (201, false)] {
            let change = MemberChange { tenants: some(count), ..MemberRole::Viewer.into() };
            assert_eq!(change.check(now).is_ok(), fits, "{count}");
        }
    }

    #[test]
    fn a_limited_member_sees_its_tenants_until_the_end() {
        let now: Timestamp = "2026-11-24T00:00:00Z".parse().unwrap();
        let (one, other) =
            (TenantId::derive(&Digest::of(b"1")), TenantId::derive(&Digest::of(b"2")));
        let mut member = Member {
            issuer: "local".to_owned(),
            subject: "eve".to_owned(),
            role: MemberRole::Viewer,
            tenants: None,
            until: None,
            added_by: "eve".to_owned(),
            added_at: now,
        };
        assert!(member.sees(one) && member.sees(other) && member.holds_at(now));
        member.tenants = Some([one].into());
        assert!(member.sees(one) && !member.sees(other));
        member.until = Some(now);
        assert!(!member.holds_at(now));
    }
}
