//! What two versions of a role grant, as a reviewer reads it: the actions that differ, under the resources
//! they act on, those that do more than read first.

use super::actions::{Action, canonical_action};
use super::{Direction, RoleDefinition, apart, is_privileged};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// What two versions of a role grant. A role that one side alone has grants nothing on the other, so all of
/// its actions are added or removed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct RoleEvidence {
    /// The role of the baseline; null where it has none.
    pub baseline: Option<RoleSide>,
    /// The role of the tenant; null where it has none.
    pub current: Option<RoleSide>,
    /// The resources whose actions differ: those with a privileged action first, then by name.
    pub resources: Vec<ResourceChange>,
}

/// A role on one side.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct RoleSide {
    /// Microsoft's own role, or one that a tenant made.
    pub built_in: bool,
    /// Its description; empty where it has none.
    pub description: String,
    /// How many actions it grants.
    pub actions: u64,
}

/// What differs for one resource.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct ResourceChange {
    /// What the actions act on, such as `DeviceConfigurations`.
    pub resource: String,
    /// Actions that the tenant's role alone grants, the privileged ones first.
    pub added: Vec<RoleAction>,
    /// Actions that the baseline's role alone grants, the privileged ones first.
    pub removed: Vec<RoleAction>,
}

/// One action of a role.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct RoleAction {
    /// The action as its role spells it.
    pub action: String,
    /// Whether it does more than read.
    pub privileged: bool,
}

impl RoleEvidence {
    /// Says what differs between two versions of a role. What a role takes back from itself it does not
    /// grant.
    #[must_use]
    pub fn of(before: Option<Described<'_>>, after: Option<Described<'_>>) -> Self {
        let (golden, other) = (granted_by(before), granted_by(after));
        let (removed, added) = apart(&golden, &other);
        let mut found = Resources::default();
        found.add(added, |resource| &mut resource.added);
        found.add(removed, |resource| &mut resource.removed);
        let side = |of: Option<Described<'_>>, granted: &[Action<'_>]| {
            of.map(|of| RoleSide {
                built_in: of.role.built_in,
                description: of.description.to_owned(),
                actions: granted.len() as u64,
            })
        };
        Self {
            baseline: side(before, &golden),
            current: side(after, &other),
            resources: found.finish(),
        }
    }

    /// Which way the change goes.
    #[must_use]
    pub fn direction(&self) -> Direction {
        let any = |list: fn(&ResourceChange) -> &[RoleAction]| {
            self.resources.iter().any(|resource| !list(resource).is_empty())
        };
        match (any(|resource| &resource.added), any(|resource| &resource.removed)) {
            (true, false) => Direction::Widened,
            (false, true) => Direction::Narrowed,
            (true, true) => Direction::Both,
            (false, false) => Direction::Unchanged,
        }
    }

    /// Whether the tenant's role alone grants an action that does more than read.
    #[must_use]
    pub fn adds_privileged(&self) -> bool {
        self.resources.iter().flat_map(|resource| &resource.added).any(|one| one.privileged)
    }

    /// Whether a change of a role's settings says no more than the lists of actions do.
    #[must_use]
    pub fn tells(
        &self,
        before: Option<&serde_json::Value>,
        after: Option<&serde_json::Value>,
    ) -> bool {
        let stands = |value: Option<&serde_json::Value>,
                      of: fn(&ResourceChange) -> &[RoleAction]| {
            value.is_none_or(|value| {
                granted_in(value).is_some_and(|actions| {
                    let listed: BTreeSet<String> = self
                        .resources
                        .iter()
                        .flat_map(of)
                        .map(|one| canonical_action(&one.action))
                        .collect();
                    actions.iter().all(|action| listed.contains(&canonical_action(action)))
                })
            })
        };
        stands(before, |resource| &resource.removed) && stands(after, |resource| &resource.added)
    }
}

fn granted_by(side: Option<Described<'_>>) -> Vec<Action<'_>> {
    side.map(|side| side.role.effective()).unwrap_or_default()
}

/// The actions that a value of a change grants: one action, a list of them, or a block that takes nothing
/// back. `None` for anything else.
fn granted_in(value: &serde_json::Value) -> Option<Vec<&str>> {
    use serde_json::Value::{Array, Object, String};
    match value {
        String(action) => Some(vec![action]),
        Array(items) => items.iter().map(serde_json::Value::as_str).collect(),
        Object(members) if members.keys().eq(["allowed"]) => granted_in(&members["allowed"]),
        _ => None,
    }
}

/// A role with the description that stands beside its permissions.
#[derive(Clone, Copy, Debug)]
pub struct Described<'r> {
    /// What it grants.
    pub role: &'r RoleDefinition<'r>,
    /// Its description; empty where it has none.
    pub description: &'r str,
}

/// Resources by their canonical name, so that two spellings of one are one.
#[derive(Default)]
struct Resources<'r>(BTreeMap<&'r str, ResourceChange>);

impl<'r> Resources<'r> {
    /// Adds actions that one version alone grants, in the spelling of its source.
    fn add(
        &mut self,
        actions: Vec<Action<'r>>,
        list: fn(&mut ResourceChange) -> &mut Vec<RoleAction>,
    ) {
        for Action { canonical, source } in actions {
            let resource = self.0.entry(resource_of(canonical)).or_insert_with(|| {
                let resource = resource_of(source).to_owned();
                ResourceChange { resource, added: Vec::new(), removed: Vec::new() }
            });
            let privileged = is_privileged(canonical);
            list(resource).push(RoleAction { action: source.to_owned(), privileged });
        }
    }

    fn finish(self) -> Vec<ResourceChange> {
        let mut resources: Vec<ResourceChange> = self.0.into_values().collect();
        for resource in &mut resources {
            // Stable: what is alike stays in the order of the canonical spelling.
            resource.added.sort_by_key(|one| Reverse(one.privileged));
            resource.removed.sort_by_key(|one| Reverse(one.privileged));
        }
        resources.sort_by_key(|resource| Reverse(resource.is_privileged()));
        resources
    }
}

impl ResourceChange {
    /// Whether an action that was added or removed does more than read.
    #[must_use]
    pub fn is_privileged(&self) -> bool {
        self.added.iter().chain(&self.removed).any(|one| one.privileged)
    }
}

/// The resource of an action, `<namespace>_<resource>_<verb>` with `/` or `_` between the parts. What has
/// fewer parts is its own resource.
fn resource_of(action: &str) -> &str {
    const BETWEEN: [char; 2] = ['_', '/'];
    let first = action.find(BETWEEN);
    let last = action.rfind(BETWEEN);
    match (first, last) {
        (Some(first), Some(last)) if first + 1 < last => &action[first + 1..last],
        (Some(first), _) => &action[..first],
        _ => action,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::parse;
    use serde_json::json;

    fn role(allowed: &[&str], not_allowed: &[&str]) -> RoleDefinition<'static> {
        let body = json!({ "rolePermissions": [{ "resourceActions": [
            { "allowedResourceActions": allowed, "notAllowedResourceActions": not_allowed }
        ] }] })
        .to_string();
        RoleDefinition::read(Box::leak(Box::new(parse(&body).unwrap().into_owned())))
    }

    fn between(before: &RoleDefinition<'_>, after: &RoleDefinition<'_>) -> RoleEvidence {
        let described = |role| Some(Described { role, description: "" });
        RoleEvidence::of(described(before), described(after))
    }

    /// The lists, a line an action: `resource +action!`, the mark for what is privileged.
    fn lines(evidence: &RoleEvidence) -> Vec<String> {
        let line = |resource: &str, sign: char, one: &RoleAction| {
            format!("{resource} {sign}{}{}", one.action, if one.privileged { "!" } else { "" })
        };
        evidence
            .resources
            .iter()
            .flat_map(|of| {
                let added = of.added.iter().map(|one| line(&of.resource, '+', one));
                added.chain(of.removed.iter().map(|one| line(&of.resource, '-', one)))
            })
            .collect()
    }

    #[test]
    fn actions_stand_under_their_resource_and_privileged_ones_come_first() {
        let before = role(&["Microsoft.Intune_Audit_Read", "Microsoft.Intune_Roles_Read"], &[]);
        let after = role(
            &[
                "Microsoft.Intune/DeviceConfigurations/Read",
                "Microsoft.Intune_DeviceConfigurations_Delete",
                "microsoft.intune/roles/READ",
                "Microsoft.Intune_AppleDeviceSerialNumbers_Read",
            ],
            &[],
        );
        assert_eq!(
            lines(&between(&before, &after)),
            [
                "DeviceConfigurations +Microsoft.Intune_DeviceConfigurations_Delete!",
                "DeviceConfigurations +Microsoft.Intune/DeviceConfigurations/Read",
                "AppleDeviceSerialNumbers +Microsoft.Intune_AppleDeviceSerialNumbers_Read",
                "Audit -Microsoft.Intune_Audit_Read",
            ]
        );
        assert_eq!(lines(&between(&before, &before)), Vec::<String>::new());
    }

    #[test]
    fn the_direction_is_judged_on_what_is_granted() {
        let base = role(&["x_a_read"], &[]);
        let wide = role(&["x_a_read", "X_Wipe"], &[]);
        let other = role(&["x_b_read"], &[]);
        let taken_back = role(&["x_a_read", "x_wipe"], &["x_wipe"]);
        for (before, after, direction, privileged) in [
            (&base, &wide, Direction::Widened, true),
            (&wide, &base, Direction::Narrowed, false),
            (&base, &other, Direction::Both, false),
            (&other, &wide, Direction::Both, true),
            (&base, &taken_back, Direction::Unchanged, false),
        ] {
            let evidence = between(before, after);
            assert_eq!((evidence.direction(), evidence.adds_privileged()), (direction, privileged));
        }
    }

    #[test]
    fn a_role_of_one_side_alone_is_listed_whole() {
        let role = role(&["X_A_Read", "X_A_Wipe", "X_B_Read"], &["X_B_Read"]);
        let side = Some(Described { role: &role, description: "About it" });
        let missing = RoleEvidence::of(side, None);
        assert_eq!(lines(&missing), ["A -X_A_Wipe!", "A -X_A_Read"], "what is taken back is none");
        let baseline = missing.baseline.unwrap();
        assert_eq!(
            (baseline.built_in, baseline.description.as_str(), baseline.actions),
            (false, "About it", 2)
        );
        assert_eq!(missing.current, None);
        assert_eq!(lines(&RoleEvidence::of(None, side)), ["A +X_A_Wipe!", "A +X_A_Read"]);
    }

    #[test]
    fn a_change_that_the_lists_tell_needs_no_words_of_its_own() {
        let evidence = between(&role(&["X_A_Read"], &[]), &role(&["X_B_Wipe"], &[]));
        let (read, wipe) = (json!("x/a/read"), json!("X_B_Wipe"));
        assert!(evidence.tells(Some(&read), None) && evidence.tells(None, Some(&wipe)));
        assert!(
            evidence.tells(Some(&json!({ "allowed": ["X_A_Read"] })), Some(&json!(["X_B_Wipe"])))
        );
        for (before, after) in [
            (None, Some(&read)),
            (Some(&wipe), None),
            (Some(&json!({ "allowed": ["X_A_Read"], "not_allowed": ["X_C_Read"] })), None),
            (Some(&json!({ "not_allowed": ["X_A_Read"] })), None),
            (Some(&json!(false)), Some(&json!(true))),
        ] {
            assert!(!evidence.tells(before, after), "{before:?} {after:?}");
        }
    }

    #[test]
    fn the_resource_is_what_stands_between_namespace_and_verb() {
        for (action, resource) in [
            ("Microsoft.Intune_DeviceCompliancePolices_Read", "DeviceCompliancePolices"),
            ("Microsoft.Intune/Roles/Assign", "Roles"),
            ("microsoft.management/managedDevices/read", "managedDevices"),
            ("Microsoft.Intune_Two_Parts_Read", "Two_Parts"),
            ("Microsoft.Intune_Read", "Microsoft.Intune"),
            ("Read", "Read"),
            ("__", ""),
            ("", ""),
        ] {
            assert_eq!(resource_of(action), resource, "{action}");
        }
    }
}
