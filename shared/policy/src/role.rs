//! Role definitions: a normal form of their own, because their meaning is a set of permissions that Graph
//! writes in several ways (source: role tables of the Graph documentation and live rows of v1.0, which
//! return the twin properties of beta as well).

use crate::json::Value;
use crate::normal::Normal;
use crate::normalise::Normalised;
use crate::reference::{Facet, Reference, ReferenceKind};
use crate::tenant::Localiser;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

pub mod evidence;

/// An action in canonical spelling: ASCII lower case, `/` as `_`. The resource name
/// `DeviceCompliancePolices` is misspelt on the wire and stays so.
#[must_use]
pub fn canonical_action(action: &str) -> String {
    let canonical = |char: char| if char == '/' { '_' } else { char.to_ascii_lowercase() };
    action.trim().chars().map(canonical).collect()
}

/// Whether an action does more than read: any verb but `Read` and `View…`.
#[must_use]
pub fn is_privileged(canonical: &str) -> bool {
    let verb = canonical.rsplit('_').next().unwrap_or(canonical);
    !(verb == "read" || verb.starts_with("view"))
}

/// One permission block: actions in canonical spelling, each with the spelling of its source.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Block {
    /// What the block grants.
    pub allowed: BTreeMap<String, String>,
    /// What it takes back.
    pub not_allowed: BTreeMap<String, String>,
}

impl Block {
    fn is_empty(&self) -> bool {
        self.allowed.is_empty() && self.not_allowed.is_empty()
    }

    /// Whether two blocks mean the same; the spelling of their sources is no part of that.
    fn same(&self, other: &Self) -> bool {
        self.allowed.keys().eq(other.allowed.keys())
            && self.not_allowed.keys().eq(other.not_allowed.keys())
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

/// A role definition in its normal form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleDefinition {
    /// Microsoft's own role (with one id in every tenant) or the tenant's.
    pub built_in: bool,
    /// Blocks, merged and sorted.
    pub blocks: Vec<Block>,
    /// Set when the body gives no verdict.
    pub anomaly: Option<RoleAnomaly>,
}

impl RoleDefinition {
    /// Reads a payload.
    #[must_use]
    pub fn read(payload: &Value<'_>) -> Self {
        let truth = |name: &str| payload.get(name).and_then(Value::as_bool);
        let (is_built_in, twin) = (truth("isBuiltIn"), truth("isBuiltInRoleDefinition"));
        let built_in = is_built_in.or(twin).unwrap_or(false);
        let mut anomaly =
            twin.is_some_and(|twin| twin != built_in).then_some(RoleAnomaly::BuiltInTwinsDisagree);

        let forms: Vec<Form> = ["rolePermissions", "permissions"]
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

    /// The effective actions: allowed minus not allowed in each block, all blocks together. For display
    /// and privilege tests; equality is decided on blocks.
    #[must_use]
    pub fn effective(&self) -> BTreeSet<&str> {
        self.blocks
            .iter()
            .flat_map(|block| {
                block
                    .allowed
                    .keys()
                    .filter(|action| !block.not_allowed.contains_key(*action))
                    .map(String::as_str)
            })
            .collect()
    }

    /// The spelling of an action in the source.
    #[must_use]
    pub fn spelling(&self, canonical: &str) -> Option<&str> {
        self.blocks
            .iter()
            .find_map(|block| {
                block.allowed.get(canonical).or_else(|| block.not_allowed.get(canonical))
            })
            .map(String::as_str)
    }
}

fn same_blocks(a: &[Block], b: &[Block]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.same(b))
}

/// One container of permissions as it was sent: `resourceActions` and its twin `actions`.
struct Form {
    full: Option<Vec<Block>>,
    twin: Option<Vec<Block>>,
}

impl Form {
    fn read(entries: &[Value<'_>]) -> Self {
        let mut full: Option<Vec<Block>> = None;
        let mut twin: Option<Vec<Block>> = None;
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
                full.get_or_insert_default().extend(holders.iter().map(|holder| Block {
                    allowed: actions(holder.get("allowedResourceActions")),
                    not_allowed: actions(holder.get("notAllowedResourceActions")),
                }));
            }
            if let Some(list) = entry.get("actions").filter(|list| **list != Value::Null) {
                twin.get_or_insert_default()
                    .push(Block { allowed: actions(Some(list)), not_allowed: BTreeMap::new() });
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
fn disagree(forms: &[Form]) -> bool {
    let full: Vec<&[Block]> = forms.iter().filter_map(|form| form.full.as_deref()).collect();
    let granted: Vec<BTreeSet<&str>> = forms
        .iter()
        .flat_map(|form| [&form.full, &form.twin])
        .flatten()
        .map(|blocks| blocks.iter().flat_map(|b| b.allowed.keys().map(String::as_str)).collect())
        .collect();
    full.windows(2).any(|pair| !same_blocks(pair[0], pair[1]))
        || granted.windows(2).any(|pair| pair[0] != pair[1])
}

fn actions(list: Option<&Value<'_>>) -> BTreeMap<String, String> {
    list.map(Value::items)
        .unwrap_or_default()
        .iter()
        .filter_map(Value::as_str)
        .map(|action| (canonical_action(action), action.trim().to_owned()))
        .collect()
}

/// Removes empty blocks, merges those that take nothing back, sorts, and removes doubles.
fn merge(blocks: Vec<Block>) -> Vec<Block> {
    let mut plain = Block::default();
    let mut out = Vec::new();
    for block in blocks.into_iter().filter(|block| !block.is_empty()) {
        if block.not_allowed.is_empty() {
            plain.allowed.extend(block.allowed);
        } else {
            out.push(block);
        }
    }
    if !plain.is_empty() {
        out.push(plain);
    }
    out.sort_by(|a, b| {
        a.not_allowed.keys().cmp(b.not_allowed.keys()).then(a.allowed.keys().cmp(b.allowed.keys()))
    });
    out.dedup_by(|a, b| a.same(b));
    out
}

/// Which way a permission change goes.
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

/// What changed between two versions of a role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PermissionChange {
    /// Effective actions that only the second version grants, in the spelling of its source.
    pub added: Vec<String>,
    /// Effective actions that only the first version grants, in the spelling of its source.
    pub removed: Vec<String>,
    /// Whether an added action does more than read.
    pub adds_privileged: bool,
    /// Which way the change goes.
    pub direction: Direction,
}

/// Compares what two versions of a role grant.
#[must_use]
pub fn permission_change(before: &RoleDefinition, after: &RoleDefinition) -> PermissionChange {
    let (b, a) = (before.effective(), after.effective());
    let spell =
        |role: &RoleDefinition, action: &&&str| role.spelling(action).unwrap_or(action).to_owned();
    let added: Vec<String> = a.difference(&b).map(|action| spell(after, &action)).collect();
    let removed: Vec<String> = b.difference(&a).map(|action| spell(before, &action)).collect();
    let adds_privileged = a.difference(&b).any(|action| is_privileged(action));
    let direction = match (added.is_empty(), removed.is_empty()) {
        (false, true) => Direction::Widened,
        (true, false) => Direction::Narrowed,
        (false, false) => Direction::Both,
        (true, true) => Direction::Unchanged,
    };
    PermissionChange { added, removed, adds_privileged, direction }
}

/// Normalises a role definition that was read from its payload: permissions are content, name and description the label, scope tags
/// (who may see the role) belong to the assignments.
#[must_use]
pub fn normalise_role(
    role: &RoleDefinition,
    payload: &Value<'_>,
    localiser: &Localiser,
) -> Normalised<'static> {
    let own = |text: &str| Normal::String(Cow::Owned(text.to_owned()));
    let set = |actions: &BTreeMap<String, String>| {
        Normal::Set(actions.keys().map(|action| own(action)).collect())
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

    fn read(text: &str) -> RoleDefinition {
        RoleDefinition::read(&parse(text).unwrap())
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
        assert_eq!((role.anomaly, role.blocks[0].not_allowed.len()), (None, 1));
        let reversed = read(
            r#"{"permissions":[{"resourceActions":[{"allowedResourceActions":["a_read"],
               "notAllowedResourceActions":["c_wipe"]}]}],"rolePermissions":[{"actions":["a_read"]}]}"#,
        );
        assert_eq!((reversed.anomaly, reversed.blocks[0].not_allowed.len()), (None, 1));
    }

    #[test]
    fn direction_is_judged_on_what_is_granted() {
        let role = |allowed: &str, not: &str| {
            read(&format!(
                r#"{{"rolePermissions":[{{"resourceActions":[{{"allowedResourceActions":[{allowed}],
                   "notAllowedResourceActions":[{not}]}}]}}]}}"#
            ))
        };
        let base = role(r#""x_a_read""#, "");
        let wide = role(r#""x_a_read","X_Wipe""#, "");
        let change = permission_change(&base, &wide);
        assert_eq!((change.direction, change.adds_privileged), (Direction::Widened, true));
        assert_eq!(change.added, ["X_Wipe"]);
        assert_eq!(permission_change(&wide, &base).direction, Direction::Narrowed);
        let taken_back = role(r#""x_a_read","x_wipe""#, r#""x_wipe""#);
        assert_eq!(permission_change(&base, &taken_back).direction, Direction::Unchanged);
    }

    #[test]
    fn privilege_is_told_by_the_verb() {
        assert!(!is_privileged("microsoft.intune_epmpolicy_viewreports"));
        assert!(!is_privileged("microsoft.intune_managedapps_read"));
        assert!(is_privileged("microsoft.intune_managedapps_wipe"));
    }
}
