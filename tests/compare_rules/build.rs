//! Small policies as Graph writes them, and the two sides that hold them.

use plumbline_tests::Files;
use serde_json::{Value, json};

/// The start of every `@odata.context`.
const METADATA: &str = "https://graph.microsoft.com/beta/$metadata#";

/// An id: a GUID that ends with a number.
pub(crate) fn id(number: u32) -> String {
    format!("5e11ab1e-0000-4000-8000-{number:012}")
}

/// An object of a collection, with its context.
pub(crate) fn of(collection: &str, members: Value) -> Value {
    let mut object = json!({ "@odata.context": format!("{METADATA}{collection}/$entity") });
    merge(&mut object, members);
    object
}

/// A whole page of a collection.
pub(crate) fn page(collection: &str, items: &[Value]) -> Value {
    json!({ "@odata.context": format!("{METADATA}{collection}"), "value": items })
}

/// Overwrites members.
pub(crate) fn with(mut object: Value, members: Value) -> Value {
    merge(&mut object, members);
    object
}

/// Takes a member out.
pub(crate) fn without(mut object: Value, member: &str) -> Value {
    object.as_object_mut().and_then(|members| members.remove(member));
    object
}

fn merge(object: &mut Value, members: Value) {
    let (Value::Object(object), Value::Object(members)) = (object, members) else {
        panic!("objects are merged with objects");
    };
    object.extend(members);
}

/// A feature update profile: the plainest of types. `version` is its content.
pub(crate) fn feature(name: &str, number: u32, version: &str) -> Value {
    of(
        "deviceManagement/windowsFeatureUpdateProfiles",
        json!({
            "id": id(number), "displayName": name, "description": "", "featureUpdateVersion": version,
            "roleScopeTagIds": ["0"], "assignments": [],
        }),
    )
}

/// A quality update profile: a second plain type. `days` is its content.
pub(crate) fn quality(name: &str, number: u32, days: u32) -> Value {
    of(
        "deviceManagement/windowsQualityUpdateProfiles",
        json!({
            "id": id(number), "displayName": name, "expeditedUpdateSettings": { "daysUntilForcedReboot": days },
            "roleScopeTagIds": ["0"], "assignments": [],
        }),
    )
}

/// A settings catalog policy of choice settings; each setting is a definition and its chosen option.
pub(crate) fn settings(name: &str, number: u32, chosen: &[(&str, &str)]) -> Value {
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
    of(
        "deviceManagement/configurationPolicies",
        json!({
            "id": id(number), "name": name, "description": "", "platforms": "windows10",
            "technologies": "mdm", "templateReference": { "templateId": "", "templateFamily": "none" },
            "roleScopeTagIds": ["0"], "settings": settings, "assignments": [],
        }),
    )
}

/// A side that holds these documents under these file names, and nothing else.
pub(crate) fn side(files: &[(&str, Value)]) -> Files {
    let files =
        files.iter().map(|(name, value)| ((*name).to_owned(), value.to_string().into_bytes()));
    Files { files: files.collect(), ..Files::default() }
}
