//! From a file to the payloads it holds: one object, a Graph list page, a documentation envelope, or a
//! list of objects.

use crate::json::Value;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::ops::Range;

/// What a file turned out to hold.
#[derive(Clone, Debug, PartialEq)]
pub struct Documents<'a> {
    /// The payloads, in the order of the file.
    pub payloads: Vec<Value<'a>>,
    /// The `@odata.context` of a list page.
    pub context: Option<String>,
    /// Whether the page says that more pages follow, so that the list is not whole.
    pub incomplete: bool,
}

/// Why a well-formed JSON file holds no policies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoDocuments {
    /// The file holds a single string, number, truth value or null.
    #[error("the file holds {0}, not a policy; export the object itself")]
    Scalar(&'static str),
    /// An entry of a list is no object.
    #[error("entry {0} of the list is not an object; export the list again")]
    Entry(usize),
    /// Graph answered with an error, and the answer was saved.
    #[error("the file holds an error answer of Graph, not a policy; read it again")]
    GraphError,
}

/// Splits a decoded file into payloads.
///
/// # Errors
/// Says what the file holds instead.
pub fn split(value: Value<'_>) -> Result<Documents<'_>, NoDocuments> {
    let whole = |payloads| Documents { payloads, context: None, incomplete: false };
    match value {
        Value::List(items) => entries(items).map(whole),
        Value::Object(members) => {
            let has = |name: &str| members.iter().any(|(member, _)| member == name);
            if has("error") && !has("id") && members.len() <= 2 {
                return Err(NoDocuments::GraphError);
            }
            if !is_envelope(&members) {
                return Ok(whole(vec![Value::Object(members)]));
            }
            let mut out = whole(Vec::new());
            for (name, value) in members {
                match (name.as_ref(), value) {
                    ("value", Value::List(items)) => out.payloads = entries(items)?,
                    // Documentation wraps single objects too.
                    ("value", Value::Object(inner)) => out.payloads = vec![Value::Object(inner)],
                    ("value", other) => return Err(NoDocuments::Scalar(what(&other))),
                    (name, link) if names_next_page(name) => out.incomplete |= !link.is_empty(),
                    ("@odata.context", Value::String(context)) => {
                        out.context = Some(context.into_owned());
                    }
                    _ => {}
                }
            }
            Ok(out)
        }
        other => Err(NoDocuments::Scalar(what(&other))),
    }
}

/// Whether an object wraps what it holds: it says nothing else but annotations, or it is a list without
/// an identity of its own, to which a tool added members such as PowerShell's `Count`.
fn is_envelope(members: &[(Cow<'_, str>, Value<'_>)]) -> bool {
    let of = |name: &str| members.iter().find(|(member, _)| member == name).map(|(_, value)| value);
    let Some(value) = of("value") else { return false };
    let objects = |items: &[Value<'_>]| items.iter().all(|item| matches!(item, Value::Object(_)));
    let says_nothing_else =
        members.iter().all(|(name, _)| name == "value" || name.starts_with('@'));
    let is_list = matches!(value, Value::List(items) if objects(items));
    says_nothing_else
        || is_list && ["id", "displayName", "name"].into_iter().all(|m| of(m).is_none())
}

/// Whether a member holds the link to the next page: `@odata.nextLink`, or what older versions and tools
/// call it.
fn names_next_page(name: &str) -> bool {
    let plain = name.trim_start_matches('@');
    ["odata.nextLink", "nextLink"].into_iter().any(|known| plain.eq_ignore_ascii_case(known))
}

/// The payloads of a file that holds a list, as the pieces of text that they are, so that one of them can
/// be read again without the others.
#[derive(Debug)]
pub struct Rows {
    text: String,
    places: Vec<Range<usize>>,
    context: Option<String>,
}

impl Rows {
    /// Finds the payloads; `None` when the text is no list that [`split`] would open.
    #[must_use]
    pub fn of(text: String) -> Option<Self> {
        #[derive(Deserialize)]
        struct Page<'t> {
            #[serde(borrow)]
            value: Vec<&'t RawValue>,
            #[serde(rename = "@odata.context", default)]
            context: Option<String>,
        }
        let page = if text.trim_start().starts_with('[') {
            Page { value: serde_json::from_str(&text).ok()?, context: None }
        } else {
            serde_json::from_str::<Page<'_>>(&text).ok()?
        };
        let place = |row: &&RawValue| {
            let from = row.get().as_ptr().addr().checked_sub(text.as_ptr().addr())?;
            Some(from..from + row.get().len())
        };
        let places = page.value.iter().map(place).collect::<Option<_>>()?;
        let context = page.context;
        Some(Self { text, places, context })
    }

    /// The text of one payload.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<&str> {
        self.text.get(self.places.get(index)?.clone())
    }

    /// The `@odata.context` of the page.
    #[must_use]
    pub fn context(&self) -> Option<&str> {
        self.context.as_deref()
    }

    /// How many bytes of text are held.
    #[must_use]
    pub fn len(&self) -> usize {
        self.text.len()
    }

    /// Whether there is no text at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }
}

fn entries(items: Vec<Value<'_>>) -> Result<Vec<Value<'_>>, NoDocuments> {
    match items.iter().position(|item| !matches!(item, Value::Object(_))) {
        Some(at) => Err(NoDocuments::Entry(at + 1)),
        None => Ok(items),
    }
}

fn what(value: &Value<'_>) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a truth value",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::List(_) => "a list",
        Value::Object(_) | Value::Secret(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::parse;

    fn count(text: &str) -> Result<(usize, bool), NoDocuments> {
        split(parse(text).unwrap()).map(|found| (found.payloads.len(), found.incomplete))
    }

    #[test]
    fn envelopes_are_opened() {
        assert_eq!(count(r#"{"id":"1","value":"x"}"#), Ok((1, false)));
        assert_eq!(count(r#"{"value":[{},{}],"@odata.context":"c"}"#), Ok((2, false)));
        assert_eq!(count(r#"{"value":[{}],"@odata.nextLink":"next"}"#), Ok((1, true)));
        assert_eq!(count(r#"{"value":{"id":"1"}}"#), Ok((1, false)));
        assert_eq!(count("[{},{}]"), Ok((2, false)));
        assert_eq!(count(r#"{"@odata.context":"c","value":[]}"#), Ok((0, false)));
    }

    #[test]
    fn a_list_stays_a_list_whatever_a_tool_wrote_beside_it() {
        assert_eq!(count(r#"{"value":[{},{}],"Count":2}"#), Ok((2, false)));
        assert_eq!(count(r#"{"value":[{}],"nextLink":"next"}"#), Ok((1, true)));
        assert_eq!(
            count(r#"{"value":[{}],"@odata.nextLink":"next","nextLink":null}"#),
            Ok((1, true))
        );
        // What has an identity is an object of its own.
        assert_eq!(count(r#"{"id":"1","value":[{},{}]}"#), Ok((1, false)));
        assert_eq!(count(r#"{"Count":2,"value":["a","b"]}"#), Ok((1, false)));
    }

    #[test]
    fn rows_are_the_payloads() {
        for text in [
            r#" [ {"id":"1","n":"ü"} , {"id":"2"} ] "#,
            r#"{"@odata.context":"c","value":[{"id":"1","n":"ü"},{"id":"2"}],"Count":2}"#,
        ] {
            let rows = Rows::of(text.to_owned()).unwrap();
            let whole = split(parse(text).unwrap()).unwrap();
            assert_eq!(rows.context(), whole.context.as_deref());
            for (index, payload) in whole.payloads.iter().enumerate() {
                assert_eq!(parse(rows.get(index).unwrap()).as_ref(), Ok(payload));
            }
            assert_eq!(rows.get(whole.payloads.len()), None);
        }
        assert!(Rows::of(r#"{"id":"1"}"#.to_owned()).is_none());
    }

    #[test]
    fn what_is_no_policy_is_said() {
        assert_eq!(count("null"), Err(NoDocuments::Scalar("null")));
        assert_eq!(count("\"x\""), Err(NoDocuments::Scalar("a string")));
        assert_eq!(count("[{},1]"), Err(NoDocuments::Entry(2)));
        assert_eq!(count(r#"{"error":{"code":"Forbidden"}}"#), Err(NoDocuments::GraphError));
    }
}
