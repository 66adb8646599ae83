//! One change of one leaf of the configuration, and where a report has to show it.

use super::family::Family;
use super::noise::is_set;
use super::{Members, is_annotation, is_empty};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rand::RngExt as _;
use rand::seq::{IndexedRandom as _, SliceRandom as _};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use std::fmt;

/// What is done to the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A value becomes another of its type.
    ValueChanged,
    /// A value becomes its like of another type: 1 becomes "1".
    TypeChanged,
    /// An object gets a member.
    KeyAdded,
    /// An object loses a member.
    KeyRemoved,
    /// A list gets an item.
    ItemAdded,
    /// A list loses an item.
    ItemRemoved,
    /// An ordered list of plain values gets another order.
    Reordered,
    /// Another name.
    Renamed,
    /// Another description.
    Described,
    /// One reference more, one less, or another one that is the same in every tenant.
    ReferenceCount,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 10] = [
        Self::ValueChanged,
        Self::TypeChanged,
        Self::KeyAdded,
        Self::KeyRemoved,
        Self::ItemAdded,
        Self::ItemRemoved,
        Self::Reordered,
        Self::Renamed,
        Self::Described,
        Self::ReferenceCount,
    ];
}

/// One change.
#[derive(Clone, Debug)]
pub struct Change {
    /// What was done.
    pub kind: Kind,
    /// The names of the members that lead to the place, the last one included.
    pub members: Vec<String>,
    /// What names the settings around the place, outer ones first: definition ids, `omaUri`, app ids,
    /// role actions.
    pub anchors: Vec<String>,
    /// Whether the place is inside a document that a text holds, so that a report may go deeper.
    pub embedded: bool,
    /// Where, for a person.
    pub raw: String,
}

/// One step into a document.
#[derive(Clone, Debug)]
enum Step {
    Member(String),
    Index(usize),
}

/// One place of the configuration.
#[derive(Clone, Debug)]
struct Place {
    steps: Vec<Step>,
    anchors: Vec<String>,
    /// The place is a list whose order means nothing.
    set: bool,
}

impl Place {
    fn name(&self) -> &str {
        self.steps
            .iter()
            .rev()
            .find_map(|step| match step {
                Step::Member(name) => Some(name.as_str()),
                Step::Index(_) => None,
            })
            .unwrap_or_default()
    }

    fn is_item(&self) -> bool {
        matches!(self.steps.last(), Some(Step::Index(_)))
    }

    fn change(&self, kind: Kind) -> Change {
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
const OLD_TWINS: &[(&str, &str)] = &[
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
fn anchor(members: &Members) -> Option<String> {
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
fn bound_id(link: &str) -> Option<String> {
    let from = link.rfind("('")? + 2;
    Some(link[from..].trim_end_matches("')").to_owned())
}

/// Lists every place of the configuration: members and items, each with its value.
fn places(document: &Value, family: Family) -> Vec<(Place, &Value)> {
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

fn at<'v>(document: &'v mut Value, steps: &[Step]) -> Option<&'v mut Value> {
    steps.iter().try_fold(document, |value, step| match step {
        Step::Member(name) => value.get_mut(name),
        Step::Index(index) => value.get_mut(*index),
    })
}

/// Whether something is configured below, annotations and what is left out aside.
fn has_content(value: &Value) -> bool {
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
fn holds_left_out(family: Family, value: &Value) -> bool {
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
fn is_required(name: &str) -> bool {
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

/// Makes a change of one kind at a drawn place; `None` where there is no place for it.
pub fn change(
    document: &mut Value,
    family: Family,
    kind: Kind,
    rng: &mut ChaCha8Rng,
) -> Option<Change> {
    if let Value::Object(members) = document {
        for (old, new) in OLD_TWINS {
            if members.contains_key(*new) {
                members.remove(*old);
            }
        }
    }
    match kind {
        _ if family == Family::Target => return None,
        Kind::Renamed | Kind::Described => return label(document, family, kind, rng),
        Kind::ReferenceCount => return reference_count(document, family, rng),
        _ if family == Family::Role => return role(document, kind, rng),
        _ => {}
    }
    let all = places(document, family);
    let fits = |place: &Place, value: &Value| -> bool {
        let scalar = !value.is_object() && !value.is_array();
        match kind {
            Kind::ValueChanged => scalar && !is_empty(value),
            Kind::TypeChanged => {
                scalar
                    && place.name() != "valueJson"
                    && match value {
                        Value::Number(_) | Value::Bool(_) => true,
                        Value::String(text) => {
                            text.parse::<i32>().is_ok_and(|n| n.to_string() == *text)
                        }
                        _ => false,
                    }
            }
            Kind::KeyAdded => value.is_object() && !place.name().is_empty(),
            Kind::KeyRemoved => {
                !place.is_item()
                    && has_content(value)
                    && !holds_left_out(family, value)
                    && !is_required(place.name())
            }
            Kind::ItemAdded => value.as_array().is_some_and(|items| {
                items.is_empty() || items.iter().all(Value::is_string) || can_add_object(items)
            }),
            Kind::ItemRemoved => value.as_array().is_some_and(|items| {
                let least = if is_required(place.name()) { 2 } else { 1 };
                items.len() >= least
                    && items.iter().any(|item| once(items, item) && has_content(item))
            }),
            Kind::Reordered => {
                !place.set
                    && place.name() == "simpleSettingCollectionValue"
                    && value
                        .as_array()
                        .is_some_and(|items| items.iter().any(|item| item != &items[0]))
            }
            Kind::Renamed | Kind::Described | Kind::ReferenceCount => false,
        }
    };
    let chosen: Vec<&Place> =
        all.iter().filter(|(place, value)| fits(place, value)).map(|(place, _)| place).collect();
    let place = (*chosen.choose(rng)?).clone();
    drop(all);
    make(document, kind, &place, rng)
}

fn make(document: &mut Value, kind: Kind, place: &Place, rng: &mut ChaCha8Rng) -> Option<Change> {
    let mut change = place.change(kind);
    let owner = place.steps.len() - 1;
    match kind {
        Kind::ValueChanged => {
            let value = at(document, &place.steps)?;
            *value = other_value(place.name(), value, rng);
            let new = value.clone();
            if change.embedded {
                // `value` repeats what the embedded document says.
                let owner = at(document, &place.steps[..owner])?;
                if let Some(twin) = owner.get_mut("value")
                    && let Some(text) = new.as_str()
                {
                    *twin = serde_json::from_str(text).ok()?;
                }
            }
        }
        Kind::TypeChanged => {
            let value = at(document, &place.steps)?;
            *value = match &*value {
                Value::String(text) => json!(text.parse::<i32>().ok()?),
                other => json!(other.to_string()),
            };
        }
        Kind::KeyAdded => {
            let value = [json!(true), json!(7), json!("new"), json!(["new"]), json!({ "a": 0 })]
                .choose(rng)?
                .clone();
            at(document, &place.steps)?.as_object_mut()?.insert("plumblineAdded".to_owned(), value);
            change.members.push("plumblineAdded".to_owned());
        }
        Kind::KeyRemoved => {
            let Some(Step::Member(name)) = place.steps.last() else { return None };
            at(document, &place.steps[..owner])?.as_object_mut()?.remove(name);
        }
        Kind::ItemAdded => {
            let items = at(document, &place.steps)?.as_array_mut()?;
            let item = match items.choose(rng) {
                Some(item) if item.is_object() => other_object(item)?,
                _ => json!("plumbline-added"),
            };
            if let Value::Object(members) = &item {
                change.anchors.extend(anchor(members));
            }
            let index = rng.random_range(0..=items.len());
            items.insert(index, item);
        }
        Kind::ItemRemoved => {
            let items = at(document, &place.steps)?.as_array_mut()?;
            let free: Vec<usize> = (0..items.len())
                .filter(|index| once(items, &items[*index]) && has_content(&items[*index]))
                .collect();
            let gone = items.remove(*free.choose(rng)?);
            if let Value::Object(members) = &gone {
                change.anchors.extend(anchor(members));
            }
        }
        Kind::Reordered => {
            let items = at(document, &place.steps)?.as_array_mut()?;
            let before = items.clone();
            while *items == before {
                items.shuffle(rng);
            }
        }
        Kind::Renamed | Kind::Described | Kind::ReferenceCount => return None,
    }
    Some(change)
}

/// Whether an item stands once in its list; taking away one of two equal items of a set changes
/// nothing.
fn once(items: &[Value], item: &Value) -> bool {
    items.iter().filter(|other| *other == item).count() == 1
}

fn can_add_object(items: &[Value]) -> bool {
    items.iter().all(|item| other_object(item).is_some())
}

/// An object like another one, but for what it is found by.
fn other_object(item: &Value) -> Option<Value> {
    let mut item = item.clone();
    let members = item.as_object_mut()?;
    if let Some(instance) = members.get_mut("settingInstance") {
        rename(instance, "settingDefinitionId")?;
    } else if let Some(Value::String(link)) = members.get_mut("definition@odata.bind") {
        let id = bound_id(link)?;
        *link = link.replace(&id, "5e77ab1e-0000-4000-8000-00000000add0");
    } else if let Some(app) = members.get_mut("mobileAppIdentifier") {
        rename(app, "bundleId").or_else(|| rename(app, "packageId"))?;
    } else {
        ["settingDefinitionId", "definitionId", "omaUri", "name", "key"]
            .iter()
            .find_map(|key| rename(&mut item, key))?;
    }
    Some(item)
}

fn rename(value: &mut Value, member: &str) -> Option<()> {
    let Some(Value::String(text)) = value.get_mut(member) else { return None };
    text.push_str("_plumblineadded");
    Some(())
}

/// Another value of the same type.
fn other_value(name: &str, value: &Value, rng: &mut ChaCha8Rng) -> Value {
    match value {
        Value::Bool(value) => json!(!value),
        Value::Number(number) => match number.as_i64() {
            Some(number) => json!(number + rng.random_range(1..9)),
            None => json!(number.as_f64().unwrap_or_default() + 1.5),
        },
        Value::String(text) if name == "valueJson" => json!(other_json(text, rng)),
        Value::String(text) => json!(other_text(name, text)),
        other => other.clone(),
    }
}

fn other_text(name: &str, text: &str) -> String {
    let lower = name.to_ascii_lowercase();
    let encoded = lower.contains("content") || lower == "payload" || lower == "configurationxml";
    match STANDARD.decode(text).ok().filter(|_| encoded) {
        Some(mut bytes) => {
            bytes.extend_from_slice(b"\nWrite-Output 'changed'\n");
            STANDARD.encode(bytes)
        }
        None => format!("{text}x"),
    }
}

fn other_json(text: &str, rng: &mut ChaCha8Rng) -> String {
    fn change(value: &mut Value, rng: &mut ChaCha8Rng) {
        match value {
            Value::Object(members) if !members.is_empty() => {
                let index = rng.random_range(0..members.len());
                if let Some(value) = members.values_mut().nth(index) {
                    change(value, rng);
                }
            }
            Value::Array(items) if !items.is_empty() => {
                let index = rng.random_range(0..items.len());
                change(&mut items[index], rng);
            }
            Value::Null => *value = json!("set"),
            Value::Array(_) => *value = json!(["new"]),
            Value::Object(_) => *value = json!({ "new": 1 }),
            scalar => *scalar = other_value("", scalar, rng),
        }
    }
    match serde_json::from_str::<Value>(text) {
        Ok(mut value) => {
            change(&mut value, rng);
            value.to_string()
        }
        Err(_) => format!("{text}x"),
    }
}

fn label(document: &mut Value, family: Family, kind: Kind, rng: &mut ChaCha8Rng) -> Option<Change> {
    let member = if kind == Kind::Renamed { family.name_member(document) } else { "description" };
    let members = document.as_object_mut()?;
    let old = members.get(member).and_then(Value::as_str).unwrap_or_default();
    let new = match kind {
        Kind::Described if !old.trim().is_empty() && rng.random_bool(0.3) => String::new(),
        Kind::Renamed if rng.random_bool(0.3) => format!("{} - v99.1", old.trim()),
        _ => format!("{} renamed", old.trim()),
    };
    members.insert(member.to_owned(), json!(new));
    Some(Change {
        kind,
        members: vec![member.to_owned()],
        anchors: Vec::new(),
        embedded: false,
        raw: format!("/{member}"),
    })
}

/// Lists of references, by the members that lead to them.
const REFERENCE_LISTS: &[&[&str]] = &[
    &["conditions", "users", "includeGroups"],
    &["conditions", "users", "excludeGroups"],
    &["conditions", "users", "includeUsers"],
    &["conditions", "users", "excludeUsers"],
    &["conditions", "users", "includeRoles"],
    &["conditions", "users", "excludeRoles"],
    &["conditions", "applications", "includeApplications"],
    &["conditions", "applications", "excludeApplications"],
    &["conditions", "locations", "excludeLocations"],
    &["selectedMobileAppIds"],
];

/// Role templates and first-party apps have one id in every tenant.
const WELL_KNOWN: &[(&str, &str)] = &[
    ("includeRoles", "fe930be7-5e62-47db-91af-98c3a49a38b1"),
    ("excludeRoles", "fe930be7-5e62-47db-91af-98c3a49a38b1"),
    ("includeApplications", "797f4846-ba00-4fd7-ba43-dac1f8f63013"),
    ("excludeApplications", "797f4846-ba00-4fd7-ba43-dac1f8f63013"),
    ("includeUsers", "GuestsOrExternalUsers"),
];

fn reference_count(document: &mut Value, family: Family, rng: &mut ChaCha8Rng) -> Option<Change> {
    let mut lists: Vec<&[&str]> = REFERENCE_LISTS
        .iter()
        .copied()
        .filter(|path| {
            let outer = path[..path.len() - 1].iter().try_fold(&*document, |v, name| v.get(*name));
            outer.is_some_and(Value::is_object)
                && (family == Family::ConditionalAccess && path.len() == 3
                    || document.get(path[0]).is_some_and(Value::is_array))
        })
        .collect();
    lists.shuffle(rng);
    let path = lists.first()?;
    let (name, outer) = path.split_last()?;
    let owner = outer.iter().try_fold(document, |value, name| value.get_mut(*name))?;
    let list = owner.as_object_mut()?.entry(*name).or_insert_with(|| json!([]));
    if list.is_null() {
        *list = json!([]);
    }
    let items = list.as_array_mut()?;
    let known = WELL_KNOWN.iter().find(|(list, _)| list == name).map(|(_, id)| *id);
    match known {
        // Another object that is the same everywhere.
        Some(known) if rng.random_bool(0.4) && !items.iter().any(|item| item == known) => {
            if items.is_empty() || rng.random_bool(0.3) {
                items.push(json!(known));
            } else {
                let index = rng.random_range(0..items.len());
                items[index] = json!(known);
            }
        }
        _ if !items.is_empty() && rng.random_bool(0.5) => {
            let index = rng.random_range(0..items.len());
            items.remove(index);
        }
        _ => items.push(json!(super::noise::guid(rng))),
    }
    Some(Change {
        kind: Kind::ReferenceCount,
        members: path.iter().map(|name| (*name).to_owned()).collect(),
        anchors: Vec::new(),
        embedded: false,
        raw: format!("/{}", path.join("/")),
    })
}

/// Roles: an action more or less, in every member that repeats it.
fn role(document: &mut Value, kind: Kind, rng: &mut ChaCha8Rng) -> Option<Change> {
    let mut all: Vec<String> = Vec::new();
    super::visit(document, &mut |_, members| {
        for name in ["actions", "allowedResourceActions"] {
            for item in members.get(name).and_then(Value::as_array).into_iter().flatten() {
                all.extend(item.as_str().map(str::to_owned));
            }
        }
    });
    all.sort();
    all.dedup();
    let action = match kind {
        Kind::ItemAdded if !all.is_empty() => "Microsoft.Intune_PlumblineThings_Read".to_owned(),
        Kind::ItemRemoved if all.len() > 1 => all.choose(rng)?.clone(),
        _ => return None,
    };
    super::visit(document, &mut |_, members| {
        for name in ["actions", "allowedResourceActions"] {
            if let Some(Value::Array(items)) = members.get_mut(name) {
                if kind == Kind::ItemAdded {
                    items.push(json!(action));
                } else {
                    items.retain(|item| item.as_str() != Some(&action));
                }
            }
        }
    });
    Some(Change {
        kind,
        // The members that hold actions are many; a report names what is allowed.
        members: vec!["permissions".to_owned(), "allowed".to_owned()],
        anchors: vec![action.clone()],
        embedded: false,
        raw: format!("action {action}"),
    })
}
