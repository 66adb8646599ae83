//! What each caller is to get for each route and target: the matrix, as a rule that was written without
//! the code that it judges.

use crate::world::Answer;
use plumbline_api::{Access, Route};
use plumbline_governance::access::Capability;

/// Who calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    NoToken,
    Garbage,
    OtherKey,
    AlgNone,
    SharedKey,
    WrongAudience,
    WrongIssuer,
    Expired,
    IdToken,
    Owner,
    Operator,
    Viewer,
    Auditor,
    LimitedOperator,
    LimitedViewer,
    Removed,
    Ended,
    Foreigner,
    Stranger,
}

impl Who {
    pub(crate) const ALL: [Self; 19] = [
        Self::NoToken,
        Self::Garbage,
        Self::OtherKey,
        Self::AlgNone,
        Self::SharedKey,
        Self::WrongAudience,
        Self::WrongIssuer,
        Self::Expired,
        Self::IdToken,
        Self::Owner,
        Self::Operator,
        Self::Viewer,
        Self::Auditor,
        Self::LimitedOperator,
        Self::LimitedViewer,
        Self::Removed,
        Self::Ended,
        Self::Foreigner,
        Self::Stranger,
    ];

    pub(crate) fn has_token(self) -> bool {
        !matches!(
            self,
            Self::NoToken
                | Self::Garbage
                | Self::OtherKey
                | Self::AlgNone
                | Self::SharedKey
                | Self::WrongAudience
                | Self::WrongIssuer
                | Self::Expired
                | Self::IdToken
        )
    }

    pub(crate) fn is_member(self) -> bool {
        self.role().is_some()
    }

    pub(crate) fn is_limited(self) -> bool {
        matches!(self, Self::LimitedOperator | Self::LimitedViewer)
    }

    fn role(self) -> Option<&'static str> {
        match self {
            Self::Owner => Some("owner"),
            Self::Operator | Self::LimitedOperator => Some("operator"),
            Self::Viewer | Self::LimitedViewer => Some("viewer"),
            Self::Auditor => Some("auditor"),
            _ => None,
        }
    }
}

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// The caller's workspace and its first tenant, which limited members may see.
    First,
    /// Its second tenant, which they may not.
    Second,
    /// The other workspace.
    Foreign,
    /// The caller's workspace in the path, with ids of the other one.
    Mixed,
    /// The caller's workspace, with ids that nothing has.
    Missing,
}

impl Target {
    pub(crate) const ALL: [Self; 5] =
        [Self::First, Self::Second, Self::Foreign, Self::Mixed, Self::Missing];
}

/// What a cell is to come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Unauthenticated,
    NotFound,
    Forbidden,
    /// Let in: whatever the route then says, it is about the thing, not about the caller.
    In,
}

/// Roles and what they may, from the reliability page's table; not from the code.
fn may(role: &str, capability: Capability) -> bool {
    match capability {
        Capability::Read => true,
        Capability::ReadAudit => role == "owner" || role == "auditor",
        Capability::ManageWorkspace | Capability::ManageMembers => role == "owner",
        _ => role == "owner" || role == "operator",
    }
}

/// The verdict of a cell.
pub(crate) fn verdict(route: &Route, who: Who, target: Target) -> Verdict {
    let (capability, whole) = match route.access {
        Access::Public => return Verdict::In,
        _ if !who.has_token() => return Verdict::Unauthenticated,
        Access::Token => return Verdict::In,
        Access::Member(capability) => (capability, false),
        Access::WholeWorkspace(capability) => (capability, true),
    };
    // A workspace of their own.
    if who == Who::Foreigner && target == Target::Foreign {
        return Verdict::In;
    }
    let Some(role) = who.role().filter(|_| target != Target::Foreign) else {
        return Verdict::NotFound;
    };
    // A limited member knows of the first tenant alone.
    if who.is_limited() && route.names_tenant() && target != Target::First {
        return Verdict::NotFound;
    }
    if !may(role, capability) || (whole && who.is_limited()) {
        return Verdict::Forbidden;
    }
    let names_more = route
        .path
        .strip_prefix("/v1/workspaces/{workspace}")
        .is_some_and(|rest| rest.contains('{'));
    match target {
        Target::Mixed | Target::Missing if names_more => Verdict::NotFound,
        _ => Verdict::In,
    }
}

/// Whether an answer is what a cell is to come to.
pub(crate) fn judge(verdict: Verdict, answer: &Answer) -> Result<(), String> {
    let is_right = match verdict {
        Verdict::Unauthenticated => answer.status == 401 && answer.problem() == "unauthenticated",
        Verdict::NotFound => answer.status == 404 && answer.problem() == "not_found",
        Verdict::Forbidden => answer.status == 403 && answer.problem() == "forbidden",
        Verdict::In => !matches!(answer.status, 401 | 403 | 404 | 405 | 429) && answer.status < 500,
    };
    if is_right {
        return Ok(());
    }
    Err(format!("{verdict:?} was due, {} came: {}", answer.status, answer.text()))
}
