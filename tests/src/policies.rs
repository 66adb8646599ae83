//! Small policies as Graph writes them, for suites over the whole loop.

use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The policies of one tenant by file name.
pub type Policies = BTreeMap<String, Value>;

/// The catalog key of [`feature`].
pub const FEATURE: &str = "windowsFeatureUpdateProfile";
/// The catalog key of [`quality`].
pub const QUALITY: &str = "windowsQualityUpdateProfile";
/// The catalog key of [`settings`].
pub const SETTINGS: &str = "settingsCatalogPolicy";

/// The start of every `@odata.context`.
const METADATA: &str = "https://graph.microsoft.com/beta/$metadata#";

/// An id: a GUID that ends with a number.
#[must_use]
pub fn guid(number: u32) -> String {
    format!("5e11ab1e-0000-4000-8000-{number:012}")
}

/// A feature update profile: the plainest of types. `version` is its content.
#[must_use]
pub fn feature(name: &str, number: u32, version: &str) -> Value {
    json!({
        "@odata.context": format!("{METADATA}deviceManagement/windowsFeatureUpdateProfiles/$entity"),
        "id": guid(number), "displayName": name, "description": "", "featureUpdateVersion": version,
        "roleScopeTagIds": ["0"], "assignments": [],
    })
}

/// A custom role as beta writes it.
#[must_use]
pub fn role(name: &str, number: u32, allowed: &[&str]) -> Value {
    json!({
        "@odata.context": format!("{METADATA}deviceManagement/roleDefinitions/$entity"),
        "id": guid(number), "displayName": name, "description": "", "isBuiltIn": false,
        "rolePermissions": [{ "resourceActions": [
            { "allowedResourceActions": allowed, "notAllowedResourceActions": [] }
        ] }],
        "roleScopeTagIds": ["0"],
    })
}

/// A quality update profile: a second plain type. `days` is its content.
#[must_use]
pub fn quality(name: &str, number: u32, days: u32) -> Value {
    json!({
        "@odata.context": format!("{METADATA}deviceManagement/windowsQualityUpdateProfiles/$entity"),
        "id": guid(number), "displayName": name, "description": "",
        "expeditedUpdateSettings": { "daysUntilForcedReboot": days },
        "roleScopeTagIds": ["0"], "assignments": [],
    })
}

/// A settings catalog policy of choice settings; each setting is a definition and its chosen option.
#[must_use]
pub fn settings(name: &str, number: u32, chosen: &[(&str, &str)]) -> Value {
    let settings: Vec<Value> = chosen
        .iter()
        .enumerate()
        .map(|(at, (definition, option))| {
            json!({
                "id": at.to_string(),
                "settingInstance": {
                    "@odata.type": "#microsoft.graph.deviceManagementConfigurationChoiceSettingInstance",
                    "settingDefinitionId": definition,
                    "choiceSettingValue": { "value": format!("{definition}_{option}"), "children": [] },
                },
            })
        })
        .collect();
    json!({
        "@odata.context": format!("{METADATA}deviceManagement/configurationPolicies/$entity"),
        "id": guid(number), "name": name, "description": "", "platforms": "windows10",
        "technologies": "mdm", "templateReference": { "templateId": "", "templateFamily": "none" },
        "roleScopeTagIds": ["0"], "settings": settings, "assignments": [],
    })
}

/// Some policies under file names of their own.
#[must_use]
pub fn policies(list: impl IntoIterator<Item = Value>) -> Policies {
    list.into_iter().enumerate().map(|(at, value)| (format!("{at:04}"), value)).collect()
}

/// So many feature update profiles, each with a content of its own; those below `changed` with another.
#[must_use]
pub fn many(count: u32, changed: u32) -> Policies {
    policies((0..count).map(|at| {
        let mark = if at < changed { "x" } else { "" };
        feature(&format!("Policy {at:04}"), at, &format!("version {at}{mark}"))
    }))
}
