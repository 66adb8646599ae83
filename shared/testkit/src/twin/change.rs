//! One change of one leaf of the configuration, and where a report has to show it.

mod place;

use super::family::Family;
use super::is_empty;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use place::{
    OLD_TWINS, Place, Step, anchor, at, bound_id, has_content, holds_left_out, is_required, places,
};
use rand::RngExt as _;
use rand::seq::{IndexedRandom as _, SliceRandom as _};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

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
