//! The twin tenant: one policy written out again as another tenant would have it, and one change of one
//! leaf of its configuration.
//!
//! What is configuration and what is noise is listed here a second time, from the survey of real
//! exports, apart from the catalog's rules: [`family`] and [`change`] say what counts, [`noise`] what
//! does not. A rule that is wrong in one list shows up as a case that fails.

pub mod change;
pub mod family;
pub mod ids;
pub mod noise;
pub mod write;

use serde_json::{Map, Value};

/// The members of an object.
pub type Members = Map<String, Value>;

/// Visits every object of a document, outer ones first, with the names of the members that lead to it.
pub fn visit(value: &mut Value, work: &mut dyn FnMut(&[String], &mut Members)) {
    fn inner(
        value: &mut Value,
        path: &mut Vec<String>,
        work: &mut dyn FnMut(&[String], &mut Members),
    ) {
        match value {
            Value::Object(members) => {
                work(path, members);
                for (name, child) in members.iter_mut() {
                    path.push(name.clone());
                    inner(child, path, work);
                    path.pop();
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| inner(item, path, work)),
            _ => {}
        }
    }
    inner(value, &mut Vec::new(), work);
}

/// Visits every string that is the value of a member, or an item of one, with the member's name.
pub fn visit_texts(value: &mut Value, work: &mut dyn FnMut(&str, &mut String)) {
    fn inner(value: &mut Value, name: &str, work: &mut dyn FnMut(&str, &mut String)) {
        match value {
            Value::Object(members) => {
                for (name, child) in members.iter_mut() {
                    inner(child, name, work);
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| inner(item, name, work)),
            Value::String(text) => work(name, text),
            _ => {}
        }
    }
    inner(value, "", work);
}

/// Whether a member is an annotation of `OData` or a bound action, not data. `…@odata.bind` is data.
#[must_use]
pub fn is_annotation(name: &str) -> bool {
    (name.contains("@odata.") && !name.ends_with("@odata.bind")) || name.starts_with('#')
}

/// Whether nothing is configured: null, empty text, empty list.
#[must_use]
pub fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}
