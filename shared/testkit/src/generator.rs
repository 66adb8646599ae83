//! Generated policies: small documents of the shapes that Graph has, drawn so that names, ids and
//! settings meet often, and drawn edits of them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rand::RngExt as _;
use rand::seq::{IndexedRandom as _, SliceRandom as _};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const PREFIX: &str = "#microsoft.graph.deviceManagementConfiguration";

fn pick<'t>(rng: &mut ChaCha8Rng, from: &[&'t str]) -> &'t str {
    from.choose(rng).copied().unwrap_or_default()
}

/// An id out of a few.
fn id(rng: &mut ChaCha8Rng) -> String {
    format!("5e11ab1e-0000-4000-8000-{:012}", rng.random_range(0..12))
}

/// The id of a group out of a few; ids of different sorts of objects never meet.
fn group(rng: &mut ChaCha8Rng) -> String {
    format!("5e11ab1e-0000-4000-8000-9{:011}", rng.random_range(0..6))
}

/// A name out of a few; some differ in their version, their case or white space alone.
fn name(rng: &mut ChaCha8Rng) -> String {
    let what = pick(rng, &["Firewall", "firewall", "BitLocker", "Edge", "Zürich  ", "Lock Screen"]);
    let version = pick(rng, &["", " - v1.0", " - v1.1", " - v2.0", " - v2.0 - v3"]);
    format!("Win - {what}{version}")
}

fn text(rng: &mut ChaCha8Rng) -> &'static str {
    pick(
        rng,
        &["", "a", "b", "c d", "Ünïcode \u{1f512}", "1", "true", "x\ny", "{\"a\": [1, 2]}", "/"],
    )
}

fn scalar(rng: &mut ChaCha8Rng) -> Value {
    match rng.random_range(0..6) {
        0 => Value::Null,
        1 => json!(rng.random_bool(0.5)),
        2 => json!(rng.random_range(-2..4)),
        3 => json!(f64::from(rng.random_range(-9..9)) / 4.0),
        _ => json!(text(rng)),
    }
}

fn head(rng: &mut ChaCha8Rng, name_member: &str) -> Value {
    let mut policy = json!({
        "description": text(rng),
        "createdDateTime": "2024-01-01T00:00:00Z",
        "lastModifiedDateTime": format!("2025-01-0{}T00:00:00Z", rng.random_range(1..9)),
        "roleScopeTagIds": ["0"],
        "assignments": [],
    });
    if rng.random_bool(0.95) {
        policy["id"] = json!(id(rng));
    }
    if rng.random_bool(0.97) {
        policy[name_member] = json!(name(rng));
    }
    policy
}

fn instance(rng: &mut ChaCha8Rng, depth: u32) -> Value {
    let definition = format!(
        "device_vendor_msft_policy_config_{}_{}",
        pick(rng, &["userrights", "cryptography", "browser", "defender"]),
        pick(rng, &["one", "two", "three", "four", "five"]),
    );
    let kind = rng.random_range(0..if depth == 0 { 3 } else { 5 });
    let children = |rng: &mut ChaCha8Rng| -> Vec<Value> {
        let count = rng.random_range(0..3);
        (0..if depth == 0 { 0 } else { count }).map(|_| instance(rng, depth - 1)).collect()
    };
    let (member, value, name) = match kind {
        0 => ("simpleSettingValue", json!({ "value": scalar(rng) }), "SimpleSetting"),
        1 => {
            let values: Vec<Value> =
                (0..rng.random_range(0..4)).map(|_| json!({ "value": text(rng) })).collect();
            ("simpleSettingCollectionValue", json!(values), "SimpleSettingCollection")
        }
        2 | 3 => {
            let value = json!({
                "value": format!("{definition}_{}", rng.random_range(0..3)),
                "children": children(rng),
            });
            ("choiceSettingValue", value, "ChoiceSetting")
        }
        _ => {
            let groups: Vec<Value> =
                (0..rng.random_range(1..3)).map(|_| json!({ "children": children(rng) })).collect();
            ("groupSettingCollectionValue", json!(groups), "GroupSettingCollection")
        }
    };
    let mut out = json!({
        "@odata.type": format!("{PREFIX}{name}Instance"),
        "settingDefinitionId": definition,
        "settingInstanceTemplateReference": null,
    });
    out[member] = value;
    out
}

/// A policy of the settings catalog.
#[must_use]
pub fn catalog_policy(rng: &mut ChaCha8Rng) -> Value {
    let mut policy = head(rng, "name");
    policy["platforms"] = json!(pick(rng, &["windows10", "windows10", "macOS"]));
    policy["technologies"] = json!("mdm");
    policy["templateReference"] = json!({ "templateId": "", "templateFamily": "none" });
    let settings: Vec<Value> = (0..rng.random_range(0..6))
        .map(|at: u32| json!({ "id": at.to_string(), "settingInstance": instance(rng, 2) }))
        .collect();
    policy["settings"] = json!(settings);
    policy
}

/// A device configuration profile.
#[must_use]
pub fn device_configuration(rng: &mut ChaCha8Rng) -> Value {
    let mut policy = head(rng, "displayName");
    let kind = pick(
        rng,
        &[
            "windows10CustomConfiguration",
            "windows10GeneralConfiguration",
            "windowsWifiConfiguration",
        ],
    );
    policy["@odata.type"] = json!(format!("#microsoft.graph.{kind}"));
    policy["version"] = json!(rng.random_range(0..9));
    for member in ["passwordRequired", "cameraBlocked", "networkName", "hosts", "nested"] {
        let value = match (member, rng.random_range(0..3)) {
            (_, 0) => continue,
            ("hosts", _) => (0..rng.random_range(0..4)).map(|_| json!(text(rng))).collect(),
            ("nested", _) => json!({ "a": scalar(rng), "b": { "c": scalar(rng) } }),
            _ => scalar(rng),
        };
        policy[member] = value;
    }
    if kind == "windows10CustomConfiguration" {
        let rows: Vec<Value> = (0..rng.random_range(0..4))
            .map(|_| {
                json!({
                    "@odata.type": "#microsoft.graph.omaSettingString",
                    "displayName": "Row",
                    "omaUri": format!("./Device/Vendor/MSFT/Row{}", rng.random_range(0..3)),
                    "isEncrypted": false,
                    "value": text(rng),
                })
            })
            .collect();
        policy["omaSettings"] = json!(rows);
    }
    if kind == "windowsWifiConfiguration" {
        policy["preSharedKey"] = json!(pick(rng, &["invented-one", "invented-two", "****"]));
    }
    policy
}

/// A script.
#[must_use]
pub fn script(rng: &mut ChaCha8Rng) -> Value {
    let mut policy = head(rng, "displayName");
    let lines: Vec<&str> = (0..rng.random_range(0..3)).map(|_| text(rng)).collect();
    policy["scriptContent"] = json!(STANDARD.encode(lines.join("\n")));
    policy["fileName"] = json!("script.ps1");
    policy["runAsAccount"] = json!(pick(rng, &["system", "user"]));
    policy["runAs32Bit"] = json!(false);
    policy["enforceSignatureCheck"] = json!(rng.random_bool(0.5));
    policy
}

/// A conditional access policy.
#[must_use]
pub fn conditional_access(rng: &mut ChaCha8Rng) -> Value {
    let mut policy = head(rng, "displayName");
    let groups: Vec<String> = (0..rng.random_range(0..3)).map(|_| group(rng)).collect();
    policy["state"] = json!(pick(rng, &["enabled", "disabled"]));
    policy["conditions"] = json!({
        "clientAppTypes": ["all"],
        "applications": { "includeApplications": ["All"] },
        "users": { "includeUsers": ["All"], "excludeGroups": groups },
    });
    policy["grantControls"] = json!({ "operator": "OR", "builtInControls": ["mfa"] });
    policy
}

/// A role of the tenant's own.
#[must_use]
pub fn role(rng: &mut ChaCha8Rng) -> Value {
    let mut actions: Vec<String> = (0..rng.random_range(1..5))
        .map(|_| {
            let what = pick(rng, &["Audit", "ManagedDevices", "RemoteTasks"]);
            format!("Microsoft.Intune_{what}_{}", pick(rng, &["Read", "Update", "Wipe"]))
        })
        .collect();
    actions.dedup();
    let mut role = head(rng, "displayName");
    role["isBuiltIn"] = json!(false);
    role["rolePermissions"] = json!([{
        "resourceActions": [{ "allowedResourceActions": actions, "notAllowedResourceActions": [] }],
    }]);
    role
}

/// A policy and the folder that names its type.
#[must_use]
pub fn policy(rng: &mut ChaCha8Rng) -> (&'static str, Value) {
    match rng.random_range(0..10) {
        0..4 => ("settingsCatalogPolicy", catalog_policy(rng)),
        4..7 => ("deviceConfiguration", device_configuration(rng)),
        7 => ("deviceManagementScript", script(rng)),
        8 => ("conditionalAccessPolicy", conditional_access(rng)),
        _ => ("intuneRoleDefinition", role(rng)),
    }
}

/// A tenant: documents by file.
pub type Documents = BTreeMap<String, Value>;

/// Draws a tenant of so many policies.
#[must_use]
pub fn tenant(rng: &mut ChaCha8Rng, policies: usize) -> Documents {
    (0..policies)
        .map(|at| {
            let (folder, document) = policy(rng);
            (format!("{folder}/policy-{at:03}.json"), document)
        })
        .collect()
}

/// The same tenant later: policies edited, taken away, added, copied, under another file name.
#[must_use]
pub fn later(rng: &mut ChaCha8Rng, tenant: &Documents) -> Documents {
    let mut out = Documents::new();
    for (file, document) in tenant {
        let mut document = document.clone();
        match rng.random_range(0..10) {
            0 => continue,
            1 | 2 => edit(rng, &mut document),
            3 => {
                edit(rng, &mut document);
                edit(rng, &mut document);
            }
            4 => {
                out.insert(file.replace("policy-", "copy-"), document.clone());
            }
            5 => document["id"] = json!(id(rng)),
            _ => {}
        }
        let file =
            if rng.random_bool(0.2) { file.replace("policy-", "moved-") } else { file.clone() };
        out.insert(file, document);
    }
    for at in 0..rng.random_range(0..3) {
        let (folder, document) = policy(rng);
        out.insert(format!("{folder}/new-{at}.json"), document);
    }
    out
}

/// Changes something anywhere in a document: a value, a member, an item, the order of a list.
pub fn edit(rng: &mut ChaCha8Rng, document: &mut Value) {
    fn count(value: &Value) -> usize {
        1 + match value {
            Value::Object(members) => members.values().map(count).sum(),
            Value::Array(items) => items.iter().map(count).sum(),
            _ => 0,
        }
    }
    fn nth<'v>(value: &'v mut Value, at: &mut usize) -> Option<&'v mut Value> {
        if *at == 0 {
            return Some(value);
        }
        *at -= 1;
        match value {
            Value::Object(members) => members.values_mut().find_map(|child| nth(child, at)),
            Value::Array(items) => items.iter_mut().find_map(|child| nth(child, at)),
            _ => None,
        }
    }
    let mut at = rng.random_range(0..count(document));
    let Some(place) = nth(document, &mut at) else { return };
    match place {
        Value::Object(members) => {
            let names: Vec<String> = members.keys().cloned().collect();
            match names.choose(rng) {
                Some(name) if rng.random_bool(0.5) => {
                    members.remove(name);
                }
                _ => {
                    let value = scalar(rng);
                    members.insert(pick(rng, &["added", "value", "nested"]).to_owned(), value);
                }
            }
        }
        Value::Array(items) => match rng.random_range(0..3) {
            0 if !items.is_empty() => {
                let at = rng.random_range(0..items.len());
                items.remove(at);
            }
            1 => items.shuffle(rng),
            _ => {
                let item = items.choose(rng).cloned().unwrap_or_else(|| json!("added"));
                items.push(item);
            }
        },
        other => *other = scalar(rng),
    }
}
