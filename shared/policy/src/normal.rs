//! The normal form: a tree in which everything that means nothing is gone, sets and keyed lists know
//! what they are, and references and secrets are slots.

use crate::digest::Digest;
use crate::json::{Number, Value, write_number, write_string};
use crate::reference::ReferenceKind;
use std::borrow::Cow;

/// One node of a normal form.
#[derive(Clone, Debug, PartialEq)]
pub enum Normal<'a> {
    /// `null` inside a list or an embedded document; elsewhere null is absence.
    Null,
    /// A truth value.
    Bool(bool),
    /// A number.
    Number(Number),
    /// A string.
    String(Cow<'a, str>),
    /// A list whose order matters.
    List(Vec<Normal<'a>>),
    /// A list whose order does not matter, sorted by canonical bytes, without doubles (but a slot may
    /// stand for several references).
    Set(Vec<Normal<'a>>),
    /// A list matched by key, sorted by key and canonical bytes.
    Keyed(Vec<(Cow<'a, str>, Normal<'a>)>),
    /// An object, sorted by name.
    Map(Vec<(Cow<'a, str>, Normal<'a>)>),
    /// A JSON document that a string held.
    Json(Box<Normal<'a>>),
    /// A reference to another object; which one stands beside.
    Reference(ReferenceKind),
    /// A secret; its MAC stands beside.
    Secret,
}

impl<'a> Normal<'a> {
    /// An empty object.
    #[must_use]
    pub fn empty() -> Self {
        Self::Map(Vec::new())
    }

    /// Whether nothing is configured below.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Map(members) => members.is_empty(),
            Self::List(items) | Self::Set(items) => items.is_empty(),
            Self::Keyed(items) => items.is_empty(),
            _ => false,
        }
    }

    /// Looks a member of an object up.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Normal<'a>> {
        match self {
            Self::Map(members) => members
                .binary_search_by(|(member, _)| member.as_ref().cmp(name))
                .ok()
                .map(|at| &members[at].1),
            _ => None,
        }
    }

    /// Appends the canonical bytes: what facet digests are made of.
    pub fn write_canonical(&self, out: &mut Vec<u8>) {
        match self {
            Self::Null => out.extend_from_slice(b"null"),
            Self::Bool(true) => out.extend_from_slice(b"true"),
            Self::Bool(false) => out.extend_from_slice(b"false"),
            Self::Number(number) => write_number(*number, out),
            Self::String(text) => write_string(text, out),
            Self::List(items) | Self::Set(items) => write_list(items.iter(), out),
            Self::Keyed(items) => write_list(items.iter().map(|(_, item)| item), out),
            Self::Map(members) => {
                out.push(b'{');
                for (index, (name, value)) in members.iter().enumerate() {
                    if index > 0 {
                        out.push(b',');
                    }
                    write_string(name, out);
                    out.push(b':');
                    value.write_canonical(out);
                }
                out.push(b'}');
            }
            Self::Json(document) => {
                out.extend_from_slice(b"{\"$json\":");
                document.write_canonical(out);
                out.push(b'}');
            }
            Self::Reference(kind) => {
                out.extend_from_slice(b"{\"$ref\":\"");
                out.extend_from_slice(kind.as_str().as_bytes());
                out.extend_from_slice(b"\"}");
            }
            Self::Secret => out.extend_from_slice(b"{\"$secret\":true}"),
        }
    }

    /// Returns the canonical bytes.
    #[must_use]
    pub fn to_canonical(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.write_canonical(&mut out);
        out
    }

    /// Digests the canonical bytes.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(&self.to_canonical())
    }

    /// Turns a document without rules (embedded JSON) into its normal form: members sorted, all else as
    /// it stands.
    #[must_use]
    pub fn verbatim(value: &'a Value<'_>) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(*value),
            Value::Number(number) => Self::Number(*number),
            Value::String(text) => Self::String(Cow::Borrowed(text)),
            Value::List(items) => Self::List(items.iter().map(Self::verbatim).collect()),
            Value::Object(members) => {
                let mut members: Vec<_> = members
                    .iter()
                    .map(|(name, value)| (Cow::Borrowed(name.as_ref()), Self::verbatim(value)))
                    .collect();
                members.sort_unstable_by(|a, b| a.0.cmp(&b.0));
                Self::Map(members)
            }
            Value::Secret(_) => Self::Secret,
        }
    }

    /// Copies every borrowed string.
    #[must_use]
    pub fn into_owned(self) -> Normal<'static> {
        let list = |items: Vec<Normal<'a>>| items.into_iter().map(Normal::into_owned).collect();
        let pairs = |items: Vec<(Cow<'a, str>, Normal<'a>)>| {
            items
                .into_iter()
                .map(|(name, value)| (Cow::Owned(name.into_owned()), value.into_owned()))
                .collect()
        };
        match self {
            Self::Null => Normal::Null,
            Self::Bool(value) => Normal::Bool(value),
            Self::Number(number) => Normal::Number(number),
            Self::String(text) => Normal::String(Cow::Owned(text.into_owned())),
            Self::List(items) => Normal::List(list(items)),
            Self::Set(items) => Normal::Set(list(items)),
            Self::Keyed(items) => Normal::Keyed(pairs(items)),
            Self::Map(members) => Normal::Map(pairs(members)),
            Self::Json(document) => Normal::Json(Box::new(document.into_owned())),
            Self::Reference(kind) => Normal::Reference(kind),
            Self::Secret => Normal::Secret,
        }
    }

    /// Turns the node into JSON for a report. Slots read as words.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        use serde_json::Value as Json;
        match self {
            Self::Null => Json::Null,
            Self::Bool(value) => Json::Bool(*value),
            Self::Number(Number::Int(value)) => Json::from(*value),
            Self::Number(Number::UInt(value)) => Json::from(*value),
            Self::Number(Number::Float(value)) => Json::from(*value),
            Self::String(text) => Json::String(text.clone().into_owned()),
            Self::List(items) | Self::Set(items) => items.iter().map(Self::to_json).collect(),
            Self::Keyed(items) => items.iter().map(|(_, item)| item.to_json()).collect(),
            Self::Map(members) => Json::Object(
                members.iter().map(|(name, value)| (name.to_string(), value.to_json())).collect(),
            ),
            Self::Json(document) => document.to_json(),
            Self::Reference(kind) => Json::String(format!("({} reference)", kind.as_str())),
            Self::Secret => Json::String(SECRET_SET.to_owned()),
        }
    }
}

/// What a report shows in the place of a secret.
pub const SECRET_SET: &str = "(secret set)";

fn write_list<'n, 'a: 'n>(items: impl Iterator<Item = &'n Normal<'a>>, out: &mut Vec<u8>) {
    out.push(b'[');
    for (index, item) in items.enumerate() {
        if index > 0 {
            out.push(b',');
        }
        item.write_canonical(out);
    }
    out.push(b']');
}
