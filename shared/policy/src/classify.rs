//! Which catalog type a payload is, and by what evidence. Unknown stays unknown: nothing is guessed.

use crate::catalog::{Catalog, Partition, PolicyType, Subtype, catalog, plain_type};
use crate::json::Value;
use serde::Serialize;

/// What a type was told by, strongest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Evidence {
    /// `@odata.context` names the collection.
    Context,
    /// `@odata.type` is a subtype of one collection.
    OdataType,
    /// Members that only one collection's objects have.
    Members,
    /// The folder is named as a catalog key.
    Folder,
}

impl Evidence {
    /// The word used in JSON and on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Context => "context",
            Self::OdataType => "odata_type",
            Self::Members => "members",
            Self::Folder => "folder",
        }
    }
}

/// The verdict on a payload.
#[derive(Clone, Debug)]
pub enum Class {
    /// A type of the catalog.
    Known {
        /// The type.
        policy_type: &'static PolicyType,
        /// What told it.
        evidence: Evidence,
    },
    /// No type of the catalog, or one that could not be told.
    Unknown {
        /// The types it may be one of; empty where nothing tells.
        candidates: Vec<&'static PolicyType>,
    },
}

/// What is known of a payload besides itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct Surroundings<'s> {
    /// The `@odata.context` of the list page that held it.
    pub page_context: Option<&'s str>,
    /// The names of the folders above the file, nearest first.
    pub folders: &'s [&'s str],
}

/// Tells the type of a payload.
#[must_use]
pub fn classify(payload: &Value<'_>, around: Surroundings<'_>) -> Class {
    let catalog = catalog();
    let context = payload.get("@odata.context").and_then(Value::as_str).or(around.page_context);
    if let Some(collection) = context.and_then(|context| context_collection(catalog, context)) {
        return within(collection, payload, Evidence::Context);
    }
    let subtype = root_subtype(payload);
    if let Some(subtype) = subtype
        && let Some(collection) = own_collection(catalog, &subtype.collection)
    {
        return within(collection, payload, Evidence::OdataType);
    }
    // A subtype that Graph metadata does not know is no type of the catalog, wherever the file lies;
    // neither is what a context names outside of it, such as the settings of one policy.
    let is_stranger =
        subtype.is_none() && payload.get("@odata.type").is_some_and(|name| !name.is_empty());
    if is_stranger || context.and_then(context_path).is_some() {
        return Class::Unknown { candidates: Vec::new() };
    }
    if let Some(collection) = by_members(payload) {
        return within(collection, payload, Evidence::Members);
    }
    by_folder(payload, around.folders)
}

/// A folder named as a catalog key, or as another name of one type or several.
fn by_folder(payload: &Value<'_>, folders: &[&str]) -> Class {
    let named: Vec<&'static PolicyType> = folders
        .iter()
        .map(|folder| catalog().in_folder(folder).collect::<Vec<_>>())
        .find(|types| !types.is_empty())
        .unwrap_or_default();
    let Some(first) = named.first() else { return Class::Unknown { candidates: Vec::new() } };
    let one_collection = named.iter().all(|one| one.collection == first.collection);
    if !one_collection {
        return Class::Unknown { candidates: named };
    }
    let fits = |one: &PolicyType| {
        one.partition.as_ref().is_none_or(|partition| belongs(partition, payload) != Some(false))
    };
    match named.as_slice() {
        [only] if fits(only) => Class::Known { policy_type: only, evidence: Evidence::Folder },
        _ => within(&first.collection, payload, Evidence::Folder),
    }
}

/// The types that folder names put in doubt when a file below them cannot be read: every type of every
/// collection that the nearest telling folder may hold.
#[must_use]
pub fn types_in_doubt(folders: &[&str]) -> Vec<&'static PolicyType> {
    let mut out: Vec<&'static PolicyType> = Vec::new();
    let named = folders
        .iter()
        .map(|folder| catalog().in_folder(folder).collect::<Vec<_>>())
        .find(|types| !types.is_empty())
        .unwrap_or_default();
    for one in named {
        for also in catalog().in_collection(&one.collection) {
            if !out.contains(&also) {
                out.push(also);
            }
        }
    }
    out
}

/// What an `@odata.context` says that an object is, as it is written; `None` where it says nothing.
#[must_use]
pub fn context_path(context: &str) -> Option<&str> {
    context.split_once("$metadata#").map(|(_, path)| path).filter(|path| !path.is_empty())
}

/// Finds the collection that an `@odata.context` names; list pages and their items both carry one.
#[must_use]
pub fn context_collection<'c>(catalog: &'c Catalog, context: &str) -> Option<&'c str> {
    let fragment = context_path(context)?;
    // `deviceManagement/depOnboardingSettings('…')/enrollmentProfiles(…)/$entity` and the like.
    let mut path = String::with_capacity(fragment.len());
    let mut depth = 0_u32;
    for character in fragment.chars() {
        match character {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ if depth == 0 => path.push(character),
            _ => {}
        }
    }
    let mut parts: Vec<&str> =
        path.split('/').filter(|part| !part.is_empty() && *part != "$entity").collect();
    while let Some(last) = parts.last() {
        let name = format!("/{}", parts.join("/"));
        if let Some(found) = own_collection(catalog, &name) {
            return Some(found);
        }
        // A cast to a subtype stands behind the collection; nothing else may.
        if !last.starts_with("microsoft.graph.") {
            return None;
        }
        parts.pop();
    }
    None
}

fn own_collection<'c>(catalog: &'c Catalog, name: &str) -> Option<&'c str> {
    catalog.collection(name)
}

fn root_subtype(payload: &Value<'_>) -> Option<&'static Subtype> {
    catalog().subtype(payload.get("@odata.type")?.as_str()?)
}

/// Picks the type inside a collection.
fn within(collection: &'static str, payload: &Value<'_>, evidence: Evidence) -> Class {
    for policy_type in catalog().in_collection(collection) {
        let verdict = match &policy_type.partition {
            None => Some(true),
            Some(partition) => belongs(partition, payload),
        };
        if let Some(true) = verdict {
            return Class::Known { policy_type, evidence };
        }
    }
    Class::Unknown { candidates: catalog().in_collection(collection).collect() }
}

/// Whether a payload belongs to a part of a collection; `None` when it does not say.
fn belongs(partition: &Partition, payload: &Value<'_>) -> Option<bool> {
    match partition {
        Partition::TemplateFamily { families, prefixes } => {
            // A template reference may be left out or empty: the policy then has no template.
            let family = payload
                .at("templateReference.templateFamily")
                .and_then(Value::as_str)
                .filter(|family| !family.is_empty())
                .unwrap_or("none");
            Some(
                families.iter().any(|known| known.eq_ignore_ascii_case(family))
                    || prefixes.iter().any(|prefix| family.starts_with(prefix.as_str())),
            )
        }
        Partition::OdataType { only, except } => {
            let name = plain_type(payload.get("@odata.type")?.as_str()?);
            let holds = |names: &[String]| names.iter().any(|n| n.eq_ignore_ascii_case(name));
            if only.is_empty() {
                // The rest of a collection: what Graph metadata knows and no other part claims.
                Some(!holds(except) && catalog().subtype(name).is_some())
            } else {
                Some(holds(only))
            }
        }
        Partition::OemConfig { is } => {
            let flag =
                payload.get("appSupportsOemConfig").and_then(Value::as_bool).unwrap_or(false);
            Some(flag == *is)
        }
    }
}

/// Members that stand together in the objects of one collection only.
const DISTINGUISHING: &[(&[&str], &str)] = &[
    (&["settings", "templateReference", "technologies"], "/deviceManagement/configurationPolicies"),
    (
        &["settings", "scheduledActionsForRule", "technologies"],
        "/deviceManagement/compliancePolicies",
    ),
    (&["conditions", "grantControls", "state"], "/identity/conditionalAccess/policies"),
    (&["rolePermissions", "displayName"], "/deviceManagement/roleDefinitions"),
    (&["permissions", "isBuiltInRoleDefinition"], "/deviceManagement/roleDefinitions"),
    (&["isBuiltIn", "isBuiltInRoleDefinition"], "/deviceManagement/roleDefinitions"),
    (&["rule", "platform", "displayName"], "/deviceManagement/assignmentFilters"),
    (&["definitionValues", "displayName"], "/deviceManagement/groupPolicyConfigurations"),
    (
        &["detectionScriptContent", "remediationScriptContent"],
        "/deviceManagement/deviceHealthScripts",
    ),
    (
        &["scriptContent", "runAs32Bit", "enforceSignatureCheck"],
        "/deviceManagement/deviceManagementScripts",
    ),
    (
        &["scriptContent", "executionFrequency", "blockExecutionNotifications"],
        "/deviceManagement/deviceShellScripts",
    ),
    (&["acceptanceStatement", "bodyText"], "/deviceManagement/termsAndConditions"),
    (
        &["localizedNotificationMessages", "brandingOptions"],
        "/deviceManagement/notificationMessageTemplates",
    ),
];

fn by_members(payload: &Value<'_>) -> Option<&'static str> {
    DISTINGUISHING
        .iter()
        .find(|(members, _)| members.iter().all(|member| payload.get(member).is_some()))
        .and_then(|(_, collection)| own_collection(catalog(), collection))
}
