//! Where a document can be changed: the places that configure something.

use super::{Change, Kind};
use crate::twin::family::Family;
use crate::twin::noise::is_set;
use crate::twin::{Members, is_annotation, is_empty};
use serde_json::{Value, json};
use std::fmt;

/// One step into a document.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Member(String),
    Index(usize),
}

/// One place of the configuration.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) steps: Vec<Step>,
    pub(super) anchors: Vec<String>,
    /// The place is a list whose order means nothing.
    pub(super) set: bool,
}

impl Place {
    pub(super) fn name(&self) -> &str {
        self.steps
            .iter()
            .rev()
            .find_map(|step| match step {
                Step::Member(name) => Some(name.as_str()),
                Step::Index(_) => None,
            })
            .unwrap_or_default()
    }

    pub(super) fn is_item(&self) -> bool {
        matches!(self.steps.last(), Some(Step::Index(_)))
    }

    pub(super) fn change(&self, kind: Kind) -> Change {
        let members = self.steps.iter().filter_map(|step| match step {
            Step::Member(name) => Some(name.clone()),
            Step::Index(_) => None,
        });
        Change {
            kind,
            members: members.collect(),
            anchors: self.anchors.clone(),
            embedded: self.name() == "valueJson",
            raw: self.to_string(),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.steps.iter().try_for_each(|step| match step {
            Step::Member(name) => write!(out, "/{name}"),
            Step::Index(index) => write!(out, "[{index}]"),
        })
    }
}

/// Members of autopilot profiles under an older name, beside the newer one.
pub(super) const OLD_TWINS: &[(&str, &str)] = &[
    ("outOfBoxExperienceSettings", "outOfBoxExperienceSetting"),
    ("enableWhiteGlove", "preprovisioningAllowed"),
    ("extractHardwareHash", "hardwareHashExtractionEnabled"),
    ("language", "locale"),
];

/// Members that hold no configuration of their own: what the service keeps, what names the policy,
/// references, and what the sources do not say enough of to tell.
fn is_left_out(family: Family, path: &[Step], members: &Members, name: &str) -> bool {
    const SERVICE: &[&str] = &[
        "id",
        "createdDateTime",
        "lastModifiedDateTime",
        "modifiedDateTime",
        "deletedDateTime",
        "version",
        "isAssigned",
        "supportsScopeTags",
        "settingCount",
        "creationSource",
        "priorityMetaData",
        "deployedAppCount",
        "policyConfigurationIngestionType",
        "newUpdates",
        "inventorySyncStatus",
        "deviceReporting",
        "isMigratingToConfigurationPolicy",
        "highestAvailableVersion",
        "isGlobalScript",
        "deviceHealthScriptType",
        "deviceEnrollmentConfigurationType",
        "configurationType",
        "isReadOnly",
        "isEncrypted",
        "secretReferenceValueId",
        "ruleName",
    ];
    const REFERENCES: &[&str] = &[
        "assignments",
        "roleScopeTagIds",
        "roleScopeTags",
        "includeGroups",
        "excludeGroups",
        "includeUsers",
        "excludeUsers",
        "includeRoles",
        "excludeRoles",
        "includeLocations",
        "excludeLocations",
        "includeApplications",
        "excludeApplications",
        "authenticationStrength",
        "termsOfUse",
        "notificationTemplateId",
        "deviceCompliancePolicyScript",
        "selectedMobileAppIds",
    ];
    // What a setting is found by; with another one it is another setting.
    const KEYS: &[&str] = &[
        "settingDefinitionId",
        "definitionId",
        "omaUri",
        "definition@odata.bind",
        "presentation@odata.bind",
        "mobileAppIdentifier",
        "settingInstanceTemplateReference",
        "settingValueTemplateReference",
        "auditRuleInformation",
        "valueState",
    ];
    let label = matches!(name, "name" | "displayName" | "description");
    let is_root = path.is_empty();
    let in_row = members.contains_key("omaUri");
    // Update rings: when a pause or a rollback began is state that buttons set.
    let pause =
        name.contains("UpdatesPause") || name.contains("Rollback") || name.contains("RolledBack");
    is_annotation(name)
        || SERVICE.contains(&name)
        || REFERENCES.contains(&name)
        || KEYS.contains(&name)
        || label && (is_root || in_row)
        || pause
        // Masked values are compared by presence.
        || name == "value" && members.get("isEncrypted") == Some(&json!(true))
        // Only repeats the embedded document.
        || name == "value" && members.contains_key("valueJson")
        || OLD_TWINS.iter().any(|(old, new)| *old == name && members.contains_key(*new))
        || is_root && !is_root_of_configuration(family, name)
}

fn is_root_of_configuration(family: Family, name: &str) -> bool {
    match family {
        Family::Catalog | Family::Intent => name == "settings",
        Family::Admx => name == "definitionValues",
        Family::ConditionalAccess => {
            matches!(name, "state" | "conditions" | "grantControls" | "sessionControls")
        }
        Family::Role | Family::Target => false,
        Family::AppProtection
        | Family::Compliance
        | Family::DeviceConfiguration
        | Family::Enrolment
        | Family::Script
        | Family::Plain => true,
    }
}

/// What names the setting that an object is.
pub(super) fn anchor(members: &Members) -> Option<String> {
    let text = |name: &str| members.get(name).and_then(Value::as_str).map(str::to_owned);
    let app = members.get("mobileAppIdentifier");
    text("settingDefinitionId")
        .or_else(|| {
            members.get("settingInstance")?.get("settingDefinitionId")?.as_str().map(str::to_owned)
        })
        .or_else(|| text("definitionId"))
        .or_else(|| text("omaUri"))
        .or_else(|| text("definition@odata.bind").as_deref().and_then(bound_id))
        .or_else(|| {
            app?.get("bundleId").or_else(|| app?.get("packageId"))?.as_str().map(str::to_owned)
        })
}

/// The id at the end of a link.
pub(super) fn bound_id(link: &str) -> Option<String> {
    let from = link.rfind("('")? + 2;
    Some(link[from..].trim_end_matches("')").to_owned())
}

/// Lists every place of the configuration: members and items, each with its value.
pub(super) fn places(document: &Value, family: Family) -> Vec<(Place, &Value)> {
    let mut out = Vec::new();
    let mut steps = Vec::new();
    let mut anchors = Vec::new();
    walk(document, family, &mut steps, &mut anchors, false, &mut out);
    out
}

fn walk<'v>(
    value: &'v Value,
    family: Family,
    steps: &mut Vec<Step>,
    anchors: &mut Vec<String>,
    set: bool,
    out: &mut Vec<(Place, &'v Value)>,
) {
    let outer = anchors.len();
    if let Value::Object(members) = value {
        anchors.extend(anchor(members));
    }
    if !steps.is_empty() {
        out.push((Place { steps: steps.clone(), anchors: anchors.clone(), set }, value));
    }
    match value {
        Value::Object(members) => {
            for (name, child) in members {
                if is_left_out(family, steps, members, name) {
                    continue;
                }
                let set = is_set(family, members, name);
                steps.push(Step::Member(name.clone()));
                walk(child, family, steps, anchors, set, out);
                steps.pop();
            }
        }
        Value::Array(items) => {
            for (index, child) in items.iter().enumerate() {
                steps.push(Step::Index(index));
                walk(child, family, steps, anchors, set, out);
                steps.pop();
            }
        }
        _ => {}
    }
    anchors.truncate(outer);
}

pub(super) fn at<'v>(document: &'v mut Value, steps: &[Step]) -> Option<&'v mut Value> {
    steps.iter().try_fold(document, |value, step| match step {
        Step::Member(name) => value.get_mut(name),
        Step::Index(index) => value.get_mut(*index),
    })
}

/// Whether something is configured below, annotations and what is left out aside.
pub(super) fn has_content(value: &Value) -> bool {
    match value {
        Value::Object(members) => members.iter().any(|(name, value)| {
            !is_annotation(name) && !name.ends_with("TemplateReference") && has_content(value)
        }),
        Value::Array(items) => items.iter().any(has_content),
        other => !is_empty(other),
    }
}

/// Whether anything below is left out of the configuration, so that taking the whole away would be
/// another kind of change too.
pub(super) fn holds_left_out(family: Family, value: &Value) -> bool {
    match value {
        Value::Object(members) => members.iter().any(|(name, value)| {
            let reference = family == Family::ConditionalAccess
                && !is_annotation(name)
                && is_left_out(family, &[Step::Index(0)], members, name)
                && has_content(value);
            reference || holds_left_out(family, value)
        }),
        Value::Array(items) => items.iter().any(|item| holds_left_out(family, item)),
        _ => false,
    }
}

/// Members without which a policy is an incomplete capture, not a changed one.
pub(super) fn is_required(name: &str) -> bool {
    matches!(
        name,
        "settings"
            | "definitionValues"
            | "apps"
            | "omaSettings"
            | "scheduledActionsForRule"
            | "scheduledActionConfigurations"
            | "conditions"
            | "state"
    ) || name.to_ascii_lowercase().contains("scriptcontent")
        || name == "settingInstance"
}
