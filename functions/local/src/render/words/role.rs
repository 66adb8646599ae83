//! What a role grants, as a person reads it.

use super::sentence::count;
use super::visible::visible;
use plumbline_governance::badge::{Domain, badge};
use plumbline_governance::report::ChangeKind;
use plumbline_policy::role::evidence::{RoleAction, RoleEvidence, RoleSide};

/// One action that differs.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ActionLine {
    /// Added or removed.
    pub(crate) kind: ChangeKind,
    /// What it acts on.
    pub(crate) resource: String,
    /// The action as its role spells it.
    pub(crate) action: String,
    /// Whether it does more than read.
    pub(crate) privileged: bool,
}

/// The actions of a role in the order of the evidence: by resource, the privileged ones first.
pub(crate) fn role_actions(role: &RoleEvidence) -> Vec<ActionLine> {
    let mut out = Vec::new();
    for of in &role.resources {
        let line = |kind, one: &RoleAction| ActionLine {
            kind,
            resource: visible(&of.resource).into_owned(),
            action: visible(&one.action).into_owned(),
            privileged: one.privileged,
        };
        out.extend(of.added.iter().map(|one| line(ChangeKind::Added, one)));
        out.extend(of.removed.iter().map(|one| line(ChangeKind::Removed, one)));
    }
    out
}

/// Whose role it is and how much it grants, on both sides: `custom, 12 actions to 13`.
pub(crate) fn role_sides(role: &RoleEvidence) -> String {
    let whose = |side: &RoleSide| {
        let value = if side.built_in { "built_in" } else { "custom" };
        badge(Domain::RbacBuiltInState, Some(value)).label.to_lowercase()
    };
    let size = |side: &RoleSide| {
        count(usize::try_from(side.actions).unwrap_or(usize::MAX), "action", "actions")
    };
    match (&role.baseline, &role.current) {
        (Some(before), Some(after)) if before.built_in == after.built_in => {
            format!("{}, {} to {}", whose(before), size(before), after.actions)
        }
        (Some(before), Some(after)) => {
            format!("{}, {} to {}, {}", whose(before), size(before), whose(after), size(after))
        }
        (Some(only), None) | (None, Some(only)) => format!("{}, {}", whose(only), size(only)),
        (None, None) => String::new(),
    }
}

/// The description of a role that one side alone has; where both have it, a change of it is a change.
pub(crate) fn lone_description(role: &RoleEvidence) -> Option<String> {
    match (&role.baseline, &role.current) {
        (Some(only), None) | (None, Some(only)) => {
            Some(visible(&only.description).into_owned()).filter(|text| !text.is_empty())
        }
        _ => None,
    }
}
