//! Rules by place, compiled into a small graph that is walked along with a payload.
//!
//! A place is named by the path from the document's root (or from a shape's object); a rule never
//! matches "at any depth". Shapes make recursion possible: a setting instance holds setting instances.

use super::plain_type;
use crate::json::Value;
use crate::reference::ReferenceKind;
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The data of `rules.json`.
#[derive(Deserialize)]
pub(super) struct RulesFile {
    groups: FxHashMap<String, Vec<RuleLine>>,
    shapes: FxHashMap<String, Vec<RuleLine>>,
}

/// One rule as it is written: a place and what to do there.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct RuleLine {
    at: String,
    #[serde(flatten)]
    action: Action,
    #[serde(default)]
    why: Option<String>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(tag = "do", rename_all = "snake_case")]
enum Action {
    Drop {
        #[serde(default)]
        twin: Option<String>,
    },
    Label,
    Assignments,
    Set,
    CommaSet,
    Keyed {
        by: Vec<String>,
    },
    Reference {
        kind: ReferenceKind,
    },
    Secret {
        #[serde(rename = "as")]
        form: SecretForm,
        #[serde(default)]
        when: Conditions,
    },
    Text {
        encoding: Encoding,
        #[serde(default)]
        when: Conditions,
    },
    Json,
    KeepType,
    Shape {
        shape: String,
    },
}

/// What is kept of a secret besides the slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SecretForm {
    /// A keyed MAC, so that a change is seen.
    Value,
    /// Nothing: the value is masked, or changes by itself.
    Presence,
}

/// How a text document is stored in its member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Encoding {
    /// Base64 of a text.
    Base64,
    /// The text itself.
    Plain,
    /// Base64 of a JSON document.
    Base64Json,
}

/// Values that members beside a place must have for a rule to apply.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Conditions(BTreeMap<String, serde_json::Value>);

impl Conditions {
    /// Whether an object's members have the values.
    #[must_use]
    pub fn hold(&self, object: &Value<'_>) -> bool {
        self.0.iter().all(|(name, expected)| match (object.get(name), expected) {
            (Some(Value::Bool(found)), serde_json::Value::Bool(expected)) => found == expected,
            (Some(Value::String(found)), serde_json::Value::String(expected)) => {
                plain_type(found).eq_ignore_ascii_case(plain_type(expected))
            }
            _ => false,
        })
    }
}

/// The number of a place in its [`Places`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlaceId(u32);

/// What one place of a payload means.
#[derive(Clone, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "a place may follow any mixture of rules")]
pub struct Place {
    /// Noise; the reason. With a name, only while a member of that name stands beside.
    pub drop: Option<(String, Option<String>)>,
    /// Belongs to the label facet.
    pub label: bool,
    /// Belongs to the assignments facet.
    pub assignments: bool,
    /// A list whose order and doubles mean nothing.
    pub set: bool,
    /// A string that holds a comma separated set.
    pub comma_set: bool,
    /// A list matched by key: alternatives for each part of the key.
    pub keyed: Option<Vec<Vec<KeyPath>>>,
    /// The id of another object.
    pub reference: Option<ReferenceKind>,
    /// A secret, perhaps only under conditions; the first that holds counts.
    pub secret: Vec<(SecretForm, Conditions)>,
    /// A document compared as text, perhaps only under conditions.
    pub text: Option<(Encoding, Conditions)>,
    /// A JSON document in a string.
    pub json: bool,
    /// The object's `@odata.type` selects a variant and is content.
    pub keep_type: bool,
    /// A member of the object may be a secret by its place.
    pub holds_secrets: bool,
    /// A member of the object may be a text document by its place.
    pub holds_texts: bool,
    /// The object is a settings catalog instance; rules by definition id apply.
    pub instance: bool,
    members: Names<PlaceId>,
    any: Option<PlaceId>,
    items: Option<PlaceId>,
    shape: Option<PlaceId>,
}

/// A small table by name. Names of one length are few, so that the length finds one, or tells that there
/// is none, in less time than a hash.
#[derive(Clone, Debug)]
pub(super) struct Names<T>(Vec<Vec<(String, T)>>);

impl<T> Default for Names<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Names<T> {
    pub(super) fn get(&self, name: &str) -> Option<&T> {
        let alike = self.0.get(name.len())?;
        alike.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// The value under a name; a new one is made first.
    pub(super) fn get_or_insert_with(&mut self, name: String, make: impl FnOnce() -> T) -> &mut T {
        if self.0.len() <= name.len() {
            self.0.resize_with(name.len() + 1, Vec::new);
        }
        let alike = &mut self.0[name.len()];
        let at = alike.iter().position(|(known, _)| *known == name).unwrap_or_else(|| {
            alike.push((name, make()));
            alike.len() - 1
        });
        &mut alike[at].1
    }

    fn values(&self) -> impl Iterator<Item = &T> + Clone {
        self.0.iter().flatten().map(|(_, value)| value)
    }

    fn into_entries(self) -> impl Iterator<Item = (String, T)> {
        self.0.into_iter().flatten()
    }
}

/// The compiled rules of one type.
#[derive(Clone, Debug, Default)]
pub struct Places(Vec<Place>);

/// A rule that names a group or shape nobody defined.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no rule group or shape is called `{0}`")]
pub(super) struct UnknownName(String);

/// The shape whose objects are settings catalog instances.
const INSTANCE_SHAPE: &str = "setting_instance";

impl Places {
    /// The place of the document itself.
    pub const ROOT: PlaceId = PlaceId(0);

    pub(super) fn compile(
        file: &RulesFile,
        groups: &[String],
        own: &[RuleLine],
    ) -> Result<Self, UnknownName> {
        let mut places = Self(vec![Place::default()]);
        let mut shapes = FxHashMap::default();
        for name in groups {
            let lines = file.groups.get(name).ok_or_else(|| UnknownName(name.clone()))?;
            places.add_all(file, &mut shapes, Self::ROOT, lines)?;
        }
        places.add_all(file, &mut shapes, Self::ROOT, own)?;
        places.settle();
        Ok(places)
    }

    /// Gives each place the members of its shape, so that one look finds a member, and notes what the
    /// members of a place may be.
    fn settle(&mut self) {
        for at in 0..self.0.len() {
            let Some(shape) = self.0[at].shape else { continue };
            let shape = self.0[shape.0 as usize].clone();
            let place = &mut self.0[at];
            for (name, id) in shape.members.into_entries() {
                place.members.get_or_insert_with(name, || id);
            }
            place.any = shape.any.or(place.any);
        }
        for at in 0..self.0.len() {
            let (holds_secrets, holds_texts) = {
                let place = &self.0[at];
                let mut members =
                    place.members.values().chain(&place.any).map(|id| self.place(*id));
                let holds_secrets = members.clone().any(|member| !member.secret.is_empty());
                (holds_secrets, members.any(|member| member.text.is_some()))
            };
            let place = &mut self.0[at];
            place.holds_secrets = holds_secrets;
            place.holds_texts = holds_texts;
        }
    }

    fn add_all(
        &mut self,
        file: &RulesFile,
        shapes: &mut FxHashMap<String, PlaceId>,
        root: PlaceId,
        lines: &[RuleLine],
    ) -> Result<(), UnknownName> {
        lines.iter().try_for_each(|line| self.add(file, shapes, root, line))
    }

    fn add(
        &mut self,
        file: &RulesFile,
        shapes: &mut FxHashMap<String, PlaceId>,
        root: PlaceId,
        line: &RuleLine,
    ) -> Result<(), UnknownName> {
        let id = self.make(root, &line.at);
        if let Action::Shape { shape } = &line.action {
            let target = self.shape(file, shapes, shape)?;
            let place = &mut self.0[id.0 as usize];
            place.shape = Some(target);
            place.instance |= shape == INSTANCE_SHAPE;
            return Ok(());
        }
        let place = &mut self.0[id.0 as usize];
        match &line.action {
            Action::Drop { twin } => {
                place.drop = Some((line.why.clone().unwrap_or_default(), twin.clone()));
            }
            Action::Label => place.label = true,
            Action::Assignments => place.assignments = true,
            Action::Set => place.set = true,
            Action::CommaSet => place.comma_set = true,
            Action::Keyed { by } => {
                let part = |text: &String| text.split('|').map(KeyPath::new).collect();
                place.keyed = Some(by.iter().map(part).collect());
            }
            Action::Reference { kind } => place.reference = Some(*kind),
            Action::Secret { form, when } => place.secret.push((*form, when.clone())),
            Action::Text { encoding, when } => place.text = Some((*encoding, when.clone())),
            Action::Json => place.json = true,
            Action::KeepType => place.keep_type = true,
            Action::Shape { .. } => {}
        }
        Ok(())
    }

    fn shape(
        &mut self,
        file: &RulesFile,
        shapes: &mut FxHashMap<String, PlaceId>,
        name: &str,
    ) -> Result<PlaceId, UnknownName> {
        if let Some(id) = shapes.get(name) {
            return Ok(*id);
        }
        let lines = file.shapes.get(name).ok_or_else(|| UnknownName(name.to_owned()))?;
        let id = self.push();
        shapes.insert(name.to_owned(), id);
        self.add_all(file, shapes, id, lines)?;
        Ok(id)
    }

    fn push(&mut self) -> PlaceId {
        self.0.push(Place::default());
        #[expect(clippy::cast_possible_truncation, reason = "a catalog has thousands of places")]
        PlaceId((self.0.len() - 1) as u32)
    }

    /// Finds or makes the place at a path below `root`.
    fn make(&mut self, root: PlaceId, path: &str) -> PlaceId {
        let mut id = root;
        for part in split_members(path) {
            let lists = part.len() - part.trim_end_matches("[]").len();
            let name = part.trim_end_matches("[]");
            id = self.child(id, name);
            for _ in 0..lists / 2 {
                id = if let Some(items) = self.0[id.0 as usize].items {
                    items
                } else {
                    let items = self.push();
                    self.0[id.0 as usize].items = Some(items);
                    items
                };
            }
        }
        id
    }

    fn child(&mut self, parent: PlaceId, name: &str) -> PlaceId {
        let place = &self.0[parent.0 as usize];
        let existing = if name == "*" { place.any } else { place.members.get(name).copied() };
        existing.unwrap_or_else(|| {
            let id = self.push();
            let place = &mut self.0[parent.0 as usize];
            if name == "*" {
                place.any = Some(id);
            } else {
                place.members.get_or_insert_with(name.to_owned(), || id);
            }
            id
        })
    }

    /// Returns what a place means.
    #[must_use]
    pub fn place(&self, id: PlaceId) -> &Place {
        &self.0[id.0 as usize]
    }

    /// Steps from an object's place to one of its members'.
    #[must_use]
    pub fn member(&self, id: Option<PlaceId>, name: &str) -> Option<PlaceId> {
        let place = self.place(id?);
        place.members.get(name).copied().or(place.any)
    }

    /// Steps from a list's place to its items'.
    #[must_use]
    pub fn items(&self, id: Option<PlaceId>) -> Option<PlaceId> {
        self.place(id?).items
    }
}

/// Splits a path at its dots; the dots of `@odata.type`, `@odata.bind` and the like are no separators.
fn split_members(path: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(path);
    std::iter::from_fn(move || {
        let text = rest?;
        let mut from = 0;
        loop {
            match text[from..].find('.') {
                Some(at) if text[..from + at].ends_with("@odata") => from += at + 1,
                Some(at) => {
                    rest = Some(&text[from + at + 1..]);
                    return Some(&text[..from + at]);
                }
                None => {
                    rest = None;
                    return Some(text);
                }
            }
        }
    })
}

/// Where a part of a key stands in an item: a dotted path of a rule.
#[derive(Clone, Debug)]
pub struct KeyPath {
    names: Vec<String>,
    /// How the text there is read.
    pub reads: KeyText,
}

/// How the text of a key is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyText {
    /// As it stands.
    Plain,
    /// A link, of which only the target counts.
    Link,
    /// An `@odata.type`, of which the name counts.
    Type,
}

impl KeyPath {
    fn new(path: &str) -> Self {
        let reads = if path.ends_with("@odata.bind") {
            KeyText::Link
        } else if path.ends_with("@odata.type") {
            KeyText::Type
        } else {
            KeyText::Plain
        };
        Self { names: split_members(path).map(str::to_owned).collect(), reads }
    }

    /// Follows the path in an item.
    #[must_use]
    pub fn follow<'v, 'a>(&self, item: &'v Value<'a>) -> Option<&'v Value<'a>> {
        self.names.iter().try_fold(item, |value, name| value.get(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_split_at_members_only() {
        let parts: Vec<_> =
            split_members("a[].definition@odata.bind.b.target.@odata.type").collect();
        assert_eq!(parts, ["a[]", "definition@odata.bind", "b", "target", "@odata.type"]);
    }

    #[test]
    fn rules_are_anchored_and_shapes_recurse() {
        let file: RulesFile = serde_json::from_str(
            r#"{"groups":{"g":[{"at":"settings[].id","do":"drop","why":"index"},
                 {"at":"settings[].instance","do":"shape","shape":"setting_instance"}]},
               "shapes":{"setting_instance":[{"at":"children","do":"keyed","by":["id"]},
                 {"at":"children[]","do":"shape","shape":"setting_instance"}]}}"#,
        )
        .unwrap();
        let places = Places::compile(&file, &["g".to_owned()], &[]).unwrap();
        let walk = |path: &[&str]| {
            path.iter().try_fold(Places::ROOT, |id, step| {
                if *step == "[]" { places.items(Some(id)) } else { places.member(Some(id), step) }
            })
        };
        assert!(places.place(walk(&["settings", "[]", "id"]).unwrap()).drop.is_some());
        assert!(walk(&["id"]).is_none(), "a rule never matches at another depth");
        let deep = walk(&["settings", "[]", "instance", "children", "[]", "children"]).unwrap();
        assert!(places.place(deep).keyed.is_some());
        assert!(Places::compile(&file, &["nope".to_owned()], &[]).is_err());
    }
}
