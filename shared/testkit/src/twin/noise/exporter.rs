//! What exporters write differently: metadata, actions, twins, spellings, collapsed lists.

use super::{guid, set_root};
use crate::twin::family::Family;
use crate::twin::write::{Style, to_text};
use crate::twin::{Members, is_annotation, is_empty, visit};
use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

/// Whether `@odata.type` of an object only repeats what its members say.
fn type_is_redundant(family: Family, path: &[String], members: &Members) -> bool {
    let inside = |name: &str| path.iter().any(|step| step == name);
    if path.is_empty() {
        return !family.root_type_is_meaning();
    }
    if inside("assignments") {
        return false;
    }
    let last = path.last().map_or("", String::as_str);
    match family {
        Family::Catalog => members
            .get("@odata.type")
            .and_then(Value::as_str)
            .is_none_or(|name| !name.contains("Secret") && !name.contains("Reference")),
        Family::ConditionalAccess => !inside("externalTenants"),
        Family::Admx => last == "definitionValues",
        Family::AppProtection => last == "apps" || last == "exemptedAppProtocols",
        Family::Compliance => {
            matches!(last, "scheduledActionsForRule" | "scheduledActionConfigurations")
        }
        _ => false,
    }
}

pub(super) fn metadata_none(document: &mut Value, family: Family) {
    visit(document, &mut |path, members| {
        let redundant = type_is_redundant(family, path, members);
        members.retain(|name, _| {
            name.starts_with('#') || !is_annotation(name) || name == "@odata.type" && !redundant
        });
    });
}

pub(super) fn metadata_minimal(document: &mut Value) {
    visit(document, &mut |_, members| {
        members.retain(|name, _| {
            name.starts_with('#')
                || !is_annotation(name)
                || matches!(name.as_str(), "@odata.type" | "@odata.context")
        });
    });
}

pub(super) fn metadata_full(document: &mut Value, family: Family, rng: &mut ChaCha8Rng) {
    visit(document, &mut |path, members| {
        if path.iter().any(|name| is_annotation(name)) {
            return;
        }
        let names: Vec<(String, &str)> = members
            .iter()
            .filter(|(name, _)| !is_annotation(name) && !name.contains('@'))
            .filter_map(|(name, value)| match value {
                Value::Array(items) if items.iter().all(Value::is_string) => {
                    Some((name.clone(), "#Collection(String)"))
                }
                Value::String(_) if name.ends_with("DateTime") => {
                    Some((name.clone(), "#DateTimeOffset"))
                }
                Value::String(_) => Some((name.clone(), "#microsoft.graph.someEnumeration")),
                _ => None,
            })
            .collect();
        for (name, annotation) in names {
            members.entry(format!("{name}@odata.type")).or_insert_with(|| json!(annotation));
        }
        let entity = path.is_empty() || members.contains_key("id");
        if entity {
            let link = format!("deviceManagement/things('{}')", guid(rng));
            members.insert("@odata.id".to_owned(), json!(link));
            members.insert("@odata.editLink".to_owned(), json!(link));
            for (name, text) in [
                ("@odata.etag", format!("W/\"{}\"", guid(rng))),
                ("deviceStatuses@odata.navigationLink", format!("{link}/deviceStatuses")),
                ("deviceStatuses@odata.associationLink", format!("{link}/deviceStatuses/$ref")),
                ("assignments@odata.context", format!("{link}/assignments")),
            ] {
                members.insert(name.to_owned(), json!(text));
            }
        }
        if family == Family::Catalog
            && !members.contains_key("@odata.type")
            && let Some(name) = catalog_type(path, members)
        {
            let name = format!("#microsoft.graph.deviceManagementConfiguration{name}");
            members.insert("@odata.type".to_owned(), json!(name));
        }
    });
}

/// The type that an object of a settings catalog policy would be annotated with.
fn catalog_type(path: &[String], members: &Members) -> Option<&'static str> {
    let last = path.last().map_or("", String::as_str);
    let holds = |name: &str| members.contains_key(name);
    Some(match last {
        "settings" => "Setting",
        "choiceSettingValue" | "choiceSettingCollectionValue" => "ChoiceSettingValue",
        "groupSettingCollectionValue" => "GroupSettingValue",
        "templateReference" => "PolicyTemplateReference",
        "settingInstance" | "children" if holds("choiceSettingValue") => "ChoiceSettingInstance",
        "settingInstance" | "children" if holds("simpleSettingValue") => "SimpleSettingInstance",
        _ => return None,
    })
}

pub(super) fn actions(document: &mut Value, rng: &mut ChaCha8Rng) {
    if let Value::Object(members) = document {
        members.retain(|name, _| !name.starts_with("#microsoft.graph.") || rng.random_bool(0.3));
        for action in ["assign", "aNewAction", "restore"] {
            if rng.random_bool(0.5) {
                let name = format!("microsoft.graph.{action}");
                let target = format!("https://graph.microsoft.com/beta/things/{name}");
                let value = json!({ "title": name, "target": target });
                members.insert(format!("#{name}"), value);
            }
        }
    }
}

pub(super) fn custom_refs(document: &mut Value, rng: &mut ChaCha8Rng) {
    let mark = guid(rng);
    set_root(document, "#CustomRef_Certificate", json!(mark));
    visit(document, &mut |path, members| {
        if path.last().is_some_and(|name| name == "definitionValues") {
            members.insert("#Definition_displayName".to_owned(), json!(mark));
        }
    });
}

pub(super) fn audit_rule(document: &mut Value, rng: &mut ChaCha8Rng) {
    visit(document, &mut |_, members| {
        if members.contains_key("settingDefinitionId") && rng.random_bool(0.7) {
            members.entry("auditRuleInformation").or_insert(Value::Null);
        }
    });
}

/// `PowerShell` writes a list of one as its only item; seen in administrative templates.
pub(super) fn collapse(document: &mut Value, family: Family) {
    if family == Family::Admx
        && let Some(value) = document.get_mut("definitionValues")
        && let Value::Array(items) = value
        && items.len() == 1
        && let Some(only) = items.pop()
    {
        *value = only;
    }
}

pub(super) fn value_json(document: &mut Value, rng: &mut ChaCha8Rng) {
    visit(document, &mut |_, members| {
        if let Some(Value::String(text)) = members.get_mut("valueJson")
            && let Ok(value) = serde_json::from_str::<Value>(text)
        {
            let mut style = Style::drawn(rng);
            style.shuffle = true;
            *text = format!("{}{}", style.indent.unwrap_or(" "), to_text(&value, style, rng));
        }
    });
}

pub(super) fn role_twins(document: &mut Value, rng: &mut ChaCha8Rng) {
    let Value::Object(members) = document else { return };
    if let Some(built_in) = members.get("isBuiltIn").cloned() {
        if rng.random_bool(0.5) {
            members.insert("isBuiltInRoleDefinition".to_owned(), built_in);
        } else {
            members.remove("isBuiltInRoleDefinition");
        }
    }
    let blocks = |value: &Value| -> bool {
        value.as_array().is_some_and(|blocks| {
            !blocks.is_empty()
                && blocks.iter().all(|block| {
                    block.get("resourceActions").and_then(Value::as_array).is_some_and(|inner| {
                        // The older spelling holds what is allowed, and nothing else.
                        inner
                            .iter()
                            .all(|one| one.get("notAllowedResourceActions").is_none_or(is_empty))
                    })
                })
        })
    };
    let Some(main) = members.get("rolePermissions").filter(|value| blocks(value)).cloned() else {
        return;
    };
    if rng.random_bool(0.5) {
        members.remove("permissions");
    } else {
        members.insert("permissions".to_owned(), main);
    }
    for name in ["rolePermissions", "permissions"] {
        if let Some(Value::Array(blocks)) = members.get_mut(name) {
            for block in blocks {
                actions_twin(block, rng.random_bool(0.5));
            }
        }
    }
    if rng.random_bool(0.3) {
        members.insert("roleAssignments".to_owned(), json!([{ "id": guid(rng) }]));
    }
}

fn actions_twin(block: &mut Value, present: bool) {
    let Value::Object(block) = block else { return };
    let allowed: Vec<Value> = block
        .get("resourceActions")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|one| one.get("allowedResourceActions")?.as_array())
        .flatten()
        .cloned()
        .collect();
    if present {
        block.insert("actions".to_owned(), Value::Array(allowed));
    } else {
        block.remove("actions");
    }
}

pub(super) fn role_spelling(document: &mut Value, rng: &mut ChaCha8Rng) {
    visit(document, &mut |_, members| {
        for name in ["actions", "allowedResourceActions", "notAllowedResourceActions"] {
            for item in members.get_mut(name).and_then(Value::as_array_mut).into_iter().flatten() {
                if let Value::String(action) = item {
                    match rng.random_range(0..4) {
                        0 => *action = action.replace('_', "/"),
                        1 => *action = action.replace('/', "_"),
                        2 => action.make_ascii_lowercase(),
                        _ => {}
                    }
                }
            }
        }
    });
}
