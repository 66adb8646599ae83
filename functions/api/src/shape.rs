//! Objects written as lists. The parser takes `["Fabrikam"]` for `{"name": "Fabrikam"}`; the document does
//! not, so neither does the API.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use serde_json::Value;
use std::any::TypeId;
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, PoisonError, RwLock};

static SHAPES: LazyLock<RwLock<HashMap<TypeId, Arc<Schema>>>> = LazyLock::new(RwLock::default);

fn shape_of<T: JsonSchema + 'static>() -> Arc<Schema> {
    let id = TypeId::of::<T>();
    if let Some(known) = SHAPES.read().unwrap_or_else(PoisonError::into_inner).get(&id) {
        return Arc::clone(known);
    }
    let made = SchemaSettings::draft2020_12()
        .for_deserialize()
        .into_generator()
        .into_root_schema_for::<T>();
    let made = Arc::new(made);
    SHAPES.write().unwrap_or_else(PoisonError::into_inner).insert(id, Arc::clone(&made));
    made
}

/// The first place where a list stands and the shape of `T` has none, such as `facts`; the body itself is
/// the empty place.
pub(crate) fn misplaced_list<T: JsonSchema + 'static>(value: &Value) -> Option<String> {
    let root = shape_of::<T>();
    find(root.as_value(), root.as_value(), value, String::new())
}

fn find(root: &Value, shape: &Value, value: &Value, place: String) -> Option<String> {
    let shape = resolved(root, shape);
    match value {
        Value::Array(items) => {
            if !takes_list(root, shape) {
                return Some(place);
            }
            let of = shape.get("items")?;
            items.iter().find_map(|item| find(root, of, item, place.clone()))
        }
        Value::Object(members) => members.iter().find_map(|(name, member)| {
            let of = member_shape(root, shape, name)?;
            let inner = if place.is_empty() { name.clone() } else { format!("{place}.{name}") };
            find(root, of, member, inner)
        }),
        _ => None,
    }
}

/// Where a shape is only a name, what it names.
fn resolved<'s>(root: &'s Value, shape: &'s Value) -> &'s Value {
    match shape.get("$ref").and_then(Value::as_str).and_then(|path| path.strip_prefix('#')) {
        Some(pointer) => root.pointer(pointer).map_or(shape, |named| resolved(root, named)),
        None => shape,
    }
}

fn choices(shape: &Value) -> impl Iterator<Item = &Value> {
    ["anyOf", "oneOf"].into_iter().filter_map(|word| shape.get(word)?.as_array()).flatten()
}

fn takes_list(root: &Value, shape: &Value) -> bool {
    let named = match shape.get("type") {
        Some(Value::String(kind)) => kind == "array",
        Some(Value::Array(kinds)) => kinds.iter().any(|kind| kind == "array"),
        _ => choices(shape).next().is_none(),
    };
    named || choices(shape).any(|choice| takes_list(root, resolved(root, choice)))
}

fn member_shape<'s>(root: &'s Value, shape: &'s Value, name: &str) -> Option<&'s Value> {
    let own = shape.get("properties").and_then(|members| members.get(name));
    let other = || shape.get("additionalProperties").filter(|one| one.is_object());
    own.or_else(other).or_else(|| {
        choices(shape).find_map(|choice| member_shape(root, resolved(root, choice), name))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::collections::BTreeMap;

    #[derive(JsonSchema)]
    #[expect(dead_code, reason = "only its shape is used")]
    struct Inner {
        domains: Vec<String>,
    }

    #[derive(JsonSchema)]
    #[serde(tag = "kind")]
    #[expect(dead_code, reason = "only its shape is used")]
    enum Choice {
        One { inner: Inner },
    }

    #[derive(JsonSchema)]
    #[expect(dead_code, reason = "only its shape is used")]
    struct Outer {
        inner: Option<Inner>,
        many: Vec<Inner>,
        named: BTreeMap<String, Inner>,
        choice: Choice,
    }

    #[test]
    fn lists_are_found_where_no_list_is_meant() {
        let at = |value: Value| misplaced_list::<Outer>(&value);
        assert_eq!(at(json!([])), Some(String::new()));
        assert_eq!(at(json!({ "inner": [] })), Some("inner".to_owned()));
        assert_eq!(at(json!({ "many": [[]] })), Some("many".to_owned()));
        assert_eq!(at(json!({ "named": { "a": [] } })), Some("named.a".to_owned()));
        assert_eq!(at(json!({ "choice": ["One"] })), Some("choice".to_owned()));
        assert_eq!(
            at(json!({ "choice": { "kind": "One", "inner": [] } })),
            Some("choice.inner".to_owned())
        );
        let sound = json!({
            "inner": { "domains": ["a"] }, "many": [{ "domains": [] }], "named": {}, "other": [],
        });
        assert_eq!(at(sound), None);
    }
}
