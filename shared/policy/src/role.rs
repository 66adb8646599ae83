//! Role definitions: a normal form of their own, because their meaning is a set of permissions that Graph
//! writes in several ways (source: role tables of the Graph documentation and live rows of v1.0, which
//! return the twin properties of beta as well).

use crate::json::Value;
use crate::normal::Normal;
use crate::normalise::Normalised;
use crate::reference::{Facet, Reference, ReferenceKind};
use crate::tenant::Localiser;
use actions::{Action, Actions};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

pub mod actions;
pub mod evidence;

/// Whether an action does more than read: any verb but `Read` and `View…`.
#[must_use]
pub fn is_privileged(canonical: &str) -> bool {
    let verb = canonical.rsplit('_').next().unwrap_or(canonical);
    !(verb == "read" || verb.starts_with("view"))
}

/// One permission block.
#[derive(Clone, Debug, Default)]
pub struct Block<'p> {
    /// What the block grants.
    pub allowed: Actions<'p>,
    /// What it takes back.
    pub not_allowed: Actions<'p>,
}

impl<'p> Block<'p> {
    fn read(allowed: Option<&'p Value<'_>>, not_allowed: Option<&'p Value<'_>>) -> Self {
        let actions = |list: Option<&'p Value<'_>>| {
            list.map(Value::items).unwrap_or_default().iter().filter_map(Value::as_str).collect()
        };
        Self { allowed: actions(allowed), not_allowed: actions(not_allowed) }
    }

    fn is_empty(&self) -> bool {
        self.allowed.is_empty() && self.not_allowed.is_empty()
    }

    /// Whether two blocks mean the same; the spelling of their sources is no part of that.
    fn same(&self, other: &Self) -> bool {
        self.allowed.canonical().eq(other.allowed.canonical())
            && self.not_allowed.canonical().eq(other.not_allowed.canonical())
    }
}

/// Why a role's body gives no verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RoleAnomaly {
    /// No permission property at all: the content is unknown, which is not "no permissions".
    NoPermissions,
    /// `rolePermissions`, `permissions` or `actions` stand together and differ.
    PermissionTwinsDisagree,
    /// `isBuiltIn` and `isBuiltInRoleDefinition` differ.
    BuiltInTwinsDisagree,
}

impl RoleAnomaly {
    /// What a person reads.
    #[must_use]
    pub fn explain(self) -> &'static str {
        match self {
            Self::NoPermissions => {
                "the role has no permission property; read it again without $select"
            }
            Self::PermissionTwinsDisagree => {
                "rolePermissions, permissions and actions say different things; read the role again"
            }
            Self::BuiltInTwinsDisagree => {
                "isBuiltIn and isBuiltInRoleDefinition differ; read the role again"
            }
        }
    }
}

/// A role definition in its normal form. It borrows from its payload.
#[derive(Clone, Debug)]
pub struct RoleDefinition<'p> {
    /// Microsoft's own role (with one id in every tenant) or the tenant's.
    pub built_in: bool,
    /// Blocks, merged and sorted.
    pub blocks: Vec<Block<'p>>,
    /// Set when the body gives no verdict.
    pub anomaly: Option<RoleAnomaly>,
}

impl<'p> RoleDefinition<'p> {
    /// Reads a payload.
    #[must_use]
    pub fn read(payload: &'p Value<'_>) -> Self {
        let truth = |name: &str| payload.get(name).and_then(Value::as_bool);
        let (is_built_in, twin) = (truth("isBuiltIn"), truth("isBuiltInRoleDefinition"));
        let built_in = is_built_in.or(twin).unwrap_or(false);
        let mut anomaly =
            twin.is_some_and(|twin| twin != built_in).then_some(RoleAnomaly::BuiltInTwinsDisagree);

        let forms: Vec<Form<'p>> = ["rolePermissions", "permissions"]
            .into_iter()
            .filter_map(|name| payload.get(name).filter(|value| **value != Value::Null))
            .map(|container| Form::read(container.items()))
            .collect();
        if disagree(&forms) {
            anomaly = anomaly.or(Some(RoleAnomaly::PermissionTwinsDisagree));
        }
        let (full, twins): (Vec<_>, Vec<_>) =
            forms.into_iter().map(|form| (form.full, form.twin)).unzip();
        let blocks = full.into_iter().chain(twins).flatten().next();
        if blocks.is_none() {
            anomaly = anomaly.or(Some(RoleAnomaly::NoPermissions));
        }
        Self { built_in, blocks: blocks.unwrap_or_default(), anomaly }
    }

    /// The effective actions: allowed minus not allowed in each block, all blocks together, sorted and
    /// without doubles. For display and privilege tests; equality is decided on blocks.
    #[must_use]
    pub fn effective(&self) -> Vec<Action<'_>> {
        let mut out: Vec<Action<'_>> = Vec::new();
        for Block { allowed, not_allowed } in &self.blocks {
            let stands = |action: &Action<'_>| not_allowed.spelling(action.canonical).is_none();
            out.extend(allowed.iter().filter(stands));
        }
        // Stable: the first block's spelling stays.
        out.sort_by_key(|action| action.canonical);
        out.dedup_by_key(|action| action.canonical);
        out
    }

    /// The spelling of an action in the source.
    #[must_use]
    pub fn spelling(&self, canonical: &str) -> Option<&'p str> {
        self.blocks.iter().find_map(|block| {
            block.allowed.spelling(canonical).or_else(|| block.not_allowed.spelling(canonical))
        })
    }
}

fn same_blocks(a: &[Block<'_>], b: &[Block<'_>]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.same(b))
}

/// One container of permissions as it was sent: `resourceActions` and its twin `actions`.
struct Form<'p> {
    full: Option<Vec<Block<'p>>>,
    twin: Option<Vec<Block<'p>>>,
}

impl<'p> Form<'p> {
    fn read(entries: &'p [Value<'_>]) -> Self {
        let mut full: Option<Vec<Block<'p>>> = None;
        let mut twin: Option<Vec<Block<'p>>> = None;
        for entry in entries {
            // Some writers put the action lists into the entry itself.
            let holders = match entry.get("resourceActions") {
                Some(actions) => actions.items(),
                None if entry.get("allowedResourceActions").is_some() => {
                    std::slice::from_ref(entry)
                }
                None => &[],
            };
            if !holders.is_empty() || entry.get("resourceActions").is_some() {
                full.get_or_insert_default().extend(holders.iter().map(|holder| {
                    let list = |name| holder.get(name);
                    Block::read(list("allowedResourceActions"), list("notAllowedResourceActions"))
                }));
            }
            if let Some(list) = entry.get("actions").filter(|list| **list != Value::Null) {
                twin.get_or_insert_default().push(Block::read(Some(list), None));
            }
        }
        if entries.is_empty() {
            full = Some(Vec::new());
        }
        Self { full: full.map(merge), twin: twin.map(merge) }
    }
}

/// Whether what stands in several forms differs. A twin holds the allowed actions alone, so it is
/// compared with those.
fn disagree(forms: &[Form<'_>]) -> bool {
    let full: Vec<&[Block<'_>]> = forms.iter().filter_map(|form| form.full.as_deref()).collect();
    let mut granted = forms.iter().flat_map(|form| [&form.full, &form.twin]).flatten();
    let Some(first) = granted.next() else { return false };
    full.windows(2).any(|pair| !same_blocks(pair[0], pair[1]))
        || granted.any(|other| allowed(first) != allowed(other))
}

/// What blocks allow together, whatever they take back: sorted, without doubles.
fn allowed<'b>(blocks: &'b [Block<'_>]) -> Vec<&'b str> {
    let mut out: Vec<&str> = blocks.iter().flat_map(|block| block.allowed.canonical()).collect();
    out.sort_unstable();
    out.dedup();
    out
}

/// Removes empty blocks, merges those that take nothing back, sorts, and removes doubles.
fn merge(blocks: Vec<Block<'_>>) -> Vec<Block<'_>> {
    let mut plain = Block::default();
    let mut out = Vec::new();
    for block in blocks.into_iter().filter(|block| !block.is_empty()) {
        if block.not_allowed.is_empty() {
            plain.allowed.absorb(block.allowed);
        } else {
            out.push(block);
        }
    }
    if !plain.is_empty() {
        out.push(plain);
    }
    out.sort_by(|a, b| {
        let taken_back = a.not_allowed.canonical().cmp(b.not_allowed.canonical());
        taken_back.then_with(|| a.allowed.canonical().cmp(b.allowed.canonical()))
    });
    out.dedup_by(|a, b| a.same(b));
    out
}

/// Which way a permission change goes, judged on what is granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Actions were added.
    Widened,
    /// Actions were removed.
    Narrowed,
    /// Some were added, others removed.
    Both,
    /// The blocks differ, what they grant together does not.
    Unchanged,
}

/// What each of two sorted lists without doubles holds and the other does not.
fn apart<'r>(one: &[Action<'r>], other: &[Action<'r>]) -> (Vec<Action<'r>>, Vec<Action<'r>>) {
    let (mut left, mut right) = (Vec::new(), Vec::new());
    let mut rest = other.iter().copied().peekable();
    for action in one {
        while let Some(before) = rest.next_if(|next| next.canonical < action.canonical) {
            right.push(before);
        }
        if rest.next_if(|next| next.canonical == action.canonical).is_none() {
            left.push(*action);
        }
    }
    right.extend(rest);
    (left, right)
}

/// Normalises a role definition that was read from its payload: permissions are content, name and
/// description the label, scope tags (who may see the role) belong to the assignments.
#[must_use]
pub fn normalise_role<'r>(
    role: &'r RoleDefinition<'_>,
    payload: &Value<'_>,
    localiser: &Localiser,
) -> Normalised<'r> {
    let set = |actions: &'r Actions<'_>| {
        let action = |action| Normal::String(Cow::Borrowed(action));
        Normal::Set(actions.canonical().map(action).collect())
    };
    let blocks = role
        .blocks
        .iter()
        .map(|block| {
            let lists = [("allowed", &block.allowed), ("not_allowed", &block.not_allowed)];
            let members = lists
                .into_iter()
                .filter(|(_, actions)| !actions.is_empty())
                .map(|(name, actions)| (Cow::Borrowed(name), set(actions)))
                .collect();
            let key =
                if block.not_allowed.is_empty() { "granted" } else { "granted with exceptions" };
            (Cow::Borrowed(key), Normal::Map(members))
        })
        .collect();
    let content = Normal::Map(vec![
        (Cow::Borrowed("built_in"), Normal::Bool(role.built_in)),
        (Cow::Borrowed("permissions"), Normal::Keyed(blocks)),
    ]);
    let label = ["description", "displayName"]
        .into_iter()
        .filter_map(|name| {
            let text = payload.get(name)?.as_str()?.trim();
            let text = crate::name::composed(&localiser.localise(text));
            (!text.is_empty()).then_some((Cow::Borrowed(name), Normal::String(Cow::Owned(text))))
        })
        .collect();
    let mut tags: Vec<String> = payload
        .get("roleScopeTagIds")
        .map(Value::items)
        .unwrap_or_default()
        .iter()
        .filter_map(|tag| tag.as_str().map(str::to_ascii_lowercase))
        .collect();
    tags.sort_unstable();
    tags.dedup();
    let slots: Vec<_> = tags.iter().map(|_| Normal::Reference(ReferenceKind::ScopeTag)).collect();
    let assignments = if slots.is_empty() {
        Normal::empty()
    } else {
        Normal::Map(vec![(Cow::Borrowed("roleScopeTagIds"), Normal::Set(slots))])
    };
    let references = tags
        .into_iter()
        .map(|external_id| Reference {
            facet: Facet::Assignments,
            path: "roleScopeTagIds".to_owned(),
            kind: ReferenceKind::ScopeTag,
            external_id,
        })
        .collect();
    Normalised { content, label: Normal::Map(label), assignments, references, secrets: Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::parse;

    /// A role that outlives its payload.
    fn read(text: &str) -> RoleDefinition<'static> {
        RoleDefinition::read(Box::leak(Box::new(parse(text).unwrap().into_owned())))
    }

    #[test]
    fn one_role_written_in_every_way_reads_the_same() {
        let plain = read(
            r#"{"rolePermissions":[{"resourceActions":[{"allowedResourceActions":
               ["Microsoft.Intune_A_Read","Microsoft.Intune_B_Assign"]}]}]}"#,
        );
        for other in [
            r#"{"permissions":[{"actions":["microsoft.intune/b/assign","Microsoft.Intune/A/Read",
               "Microsoft.Intune_A_Read"]}]}"#,
            r#"{"rolePermissions":[{"allowedResourceActions":["Microsoft.Intune_B_Assign"]},
               {"allowedResourceActions":["Microsoft.Intune_A_Read"]}]}"#,
            r#"{"rolePermissions":[{"actions":["Microsoft.Intune_A_Read","Microsoft.Intune_B_Assign"],
               "resourceActions":[{"allowedResourceActions":["Microsoft.Intune_A_Read"]},
               {"allowedResourceActions":["Microsoft.Intune_B_Assign"],"notAllowedResourceActions":[]},
               {"allowedResourceActions":[]}]}]}"#,
        ] {
            let other = read(other);
            assert!(same_blocks(&plain.blocks, &other.blocks), "{other:?}");
            assert_eq!(other.anomaly, None);
        }
    }

    #[test]
    fn twins_that_disagree_and_missing_permissions_are_anomalies() {
        let anomaly = |text| read(text).anomaly;
        assert_eq!(anomaly("{}"), Some(RoleAnomaly::NoPermissions));
        assert_eq!(anomaly(r#"{"rolePermissions":[]}"#), None);
        assert_eq!(
            anomaly(
                r#"{"rolePermissions":[{"actions":["a_read"]}],"permissions":[{"actions":["b_read"]}]}"#
            ),
            Some(RoleAnomaly::PermissionTwinsDisagree)
        );
        assert_eq!(
            anomaly(r#"{"isBuiltIn":true,"isBuiltInRoleDefinition":false,"rolePermissions":[]}"#),
            Some(RoleAnomaly::BuiltInTwinsDisagree)
        );
    }

    #[test]
    fn a_twin_of_the_allowed_actions_knows_no_exceptions() {
        let role = read(
            r#"{"rolePermissions":[{"resourceActions":[{"allowedResourceActions":["a_read","b_read"],
               "notAllowedResourceActions":["c_wipe"]}]}],"permissions":[{"actions":["b_read","a_read"]}]}"#,
        );
        assert_eq!((role.anomaly, role.blocks[0].not_allowed.canonical().count()), (None, 1));
        let reversed = read(
            r#"{"permissions":[{"resourceActions":[{"allowedResourceActions":["a_read"],
               "notAllowedResourceActions":["c_wipe"]}]}],"rolePermissions":[{"actions":["a_read"]}]}"#,
        );
        assert_eq!(
            (reversed.anomaly, reversed.blocks[0].not_allowed.canonical().count()),
            (None, 1)
        );
    }

    #[test]
    fn privilege_is_told_by_the_verb() {
        assert!(!is_privileged("microsoft.intune_epmpolicy_viewreports"));
        assert!(!is_privileged("microsoft.intune_managedapps_read"));
        assert!(is_privileged("microsoft.intune_managedapps_wipe"));
    }
}
