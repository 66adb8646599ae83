//! Values for people: settings as `name = value`, long ones cut where they agree.

use super::path::{is_wrapper, rest};
use super::sentence::grouped;
use super::visible::visible;
use plumbline_policy::normal::SECRET_SET;
use serde_json::{Map, Value};

/// What stands on the second side when a secret is another.
pub(crate) const SECRET_CHANGED: &str = "(secret changed)";

/// How many characters stand before the first difference of two long values.
const CONTEXT: usize = 20;

/// Writes a value in compact form. `key` is the definition it belongs to: a choice that begins with it
/// shows only what it chooses.
pub(crate) fn compact(value: &Value, key: Option<&str>) -> String {
    let mut out = String::new();
    write(value, key, &mut out);
    out
}

/// Cuts a text in the middle and says how long it was.
pub(crate) fn shorten(text: &str, limit: usize) -> String {
    let length = text.chars().count();
    if length <= limit {
        return text.to_owned();
    }
    let tail = limit / 3;
    let start: String = text.chars().take(limit - tail).collect();
    let end: String = text.chars().skip(length - tail).collect();
    format!("{start} … {end} ({} characters)", grouped(length))
}

/// Shortens two values that differ so that the first difference stays in sight.
pub(crate) fn shorten_pair(before: &str, after: &str, limit: usize) -> (String, String) {
    let alike = before.chars().zip(after.chars()).take_while(|(b, a)| b == a).count();
    let is_long = |text: &str| text.chars().count() > limit;
    if alike <= limit / 3 || !(is_long(before) || is_long(after)) {
        return (shorten(before, limit), shorten(after, limit));
    }
    let from_difference = |text: &str| {
        let length = text.chars().count();
        let window: String = text.chars().skip(alike - CONTEXT).take(limit).collect();
        let more = if alike - CONTEXT + limit < length { " …" } else { "" };
        format!("… {window}{more} ({} characters)", grouped(length))
    };
    (from_difference(before), from_difference(after))
}

fn write(value: &Value, key: Option<&str>, out: &mut String) {
    match value {
        Value::String(text) => out.push_str(&word(text, key)),
        Value::Array(items) => {
            list(items.iter(), ['[', ']'], out, |item, out| write(item, key, out));
        }
        Value::Object(members) => object(members, key, out),
        other => out.push_str(&other.to_string()),
    }
}

fn word(text: &str, key: Option<&str>) -> String {
    let slot = [SECRET_SET, SECRET_CHANGED].contains(&text)
        || (text.starts_with('(') && text.ends_with(" reference)"));
    let chosen = rest(text, key);
    if slot || chosen.len() < text.len() {
        visible(chosen).into_owned()
    } else {
        format!("\"{}\"", visible(text))
    }
}

fn object(members: &Map<String, Value>, key: Option<&str>, out: &mut String) {
    let only = |known: &[&str]| members.keys().all(|name| known.contains(&name.as_str()));
    if let (Some(instance), true) = (members.get("settingInstance"), only(&["settingInstance"])) {
        return write(instance, key, out);
    }
    if let Some(Value::String(definition)) = members.get("settingDefinitionId") {
        return setting(definition, members, key, out);
    }
    if !members.is_empty() && only(&["value", "children"]) {
        if let Some(value) = members.get("value") {
            write(value, key, out);
        }
        if let Some(Value::Array(children)) = members.get("children") {
            if members.contains_key("value") {
                out.push(' ');
            }
            list(children.iter(), ['{', '}'], out, |child, out| write(child, key, out));
        }
        return;
    }
    let kind = members.get("@odata.type").and_then(Value::as_str);
    if let Some(kind) = kind {
        out.push_str(&visible(kind.trim_start_matches("#microsoft.graph.")));
        if members.len() == 1 {
            return;
        }
        out.push(' ');
    }
    let shown = members.iter().filter(|(name, _)| kind.is_none() || *name != "@odata.type");
    list(shown, ['{', '}'], out, |(name, value), out| {
        out.push_str(&visible(name));
        out.push_str(": ");
        write(value, key, out);
    });
}

/// Writes a setting as `name = value`; the name is left out when the line is about that setting.
fn setting(definition: &str, members: &Map<String, Value>, key: Option<&str>, out: &mut String) {
    if key != Some(definition) {
        out.push_str(&visible(rest(definition, key)));
        out.push_str(" = ");
    }
    let mut values = members.iter().filter(|(name, _)| is_wrapper(name)).map(|(_, value)| value);
    match (values.next(), values.next()) {
        (Some(value), None) => write(value, Some(definition), out),
        // No value, or more than one: the members speak for themselves.
        _ => list(
            members.iter().filter(|(name, _)| *name != "settingDefinitionId"),
            ['{', '}'],
            out,
            |(name, value), out| {
                out.push_str(&visible(name));
                out.push_str(": ");
                write(value, Some(definition), out);
            },
        ),
    }
}

fn list<T>(
    items: impl Iterator<Item = T>,
    [open, close]: [char; 2],
    out: &mut String,
    write: impl Fn(T, &mut String),
) {
    out.push(open);
    for (at, item) in items.enumerate() {
        if at > 0 {
            out.push_str(", ");
        }
        write(item, out);
    }
    out.push(close);
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn settings_read_as_name_and_value() {
        let choice = json!({"settingInstance": {
            "settingDefinitionId": "edge_tls",
            "choiceSettingValue": {"value": "edge_tls_1", "children": [
                {"settingDefinitionId": "edge_tls_min", "simpleSettingValue": {"value": "tls1.2"}},
            ]},
        }});
        assert_eq!(compact(&choice, Some("edge_tls")), "1 {min = \"tls1.2\"}");
        assert_eq!(compact(&choice, None), "edge_tls = 1 {min = \"tls1.2\"}");
        let group = json!({"settingDefinitionId": "fw", "groupSettingCollectionValue": [
            {"children": [{"settingDefinitionId": "fw_on", "choiceSettingValue": {"value": "fw_on_true"}}]},
        ]});
        assert_eq!(compact(&group, Some("fw")), "[{on = true}]");
        assert_eq!(compact(&json!([{"value": "A"}, {"value": 2}]), Some("x")), "[\"A\", 2]");
    }

    #[test]
    fn other_values_read_as_json_without_surprises() {
        for (value, shown) in [
            (json!(null), "null"),
            (json!("(secret set)"), "(secret set)"),
            (json!("(group reference)"), "(group reference)"),
            (json!(""), "\"\""),
            (json!({}), "{}"),
            (json!([]), "[]"),
            (json!("a\u{202e}\n"), "\"a\\u{202e}\\n\""),
            (json!({"@odata.type": "allDevicesAssignmentTarget"}), "allDevicesAssignmentTarget"),
            (json!({"@odata.type": "#microsoft.graph.x", "a": [1, true]}), "x {a: [1, true]}"),
            (json!({"value": 1, "name": "n"}), "{name: \"n\", value: 1}"),
            (json!({"settingDefinitionId": "d"}), "d = {}"),
        ] {
            assert_eq!(compact(&value, None), shown);
        }
    }

    #[test]
    fn long_values_are_cut_where_they_agree() {
        let long = "x".repeat(1_000);
        let short = shorten(&long, 160);
        assert!(short.ends_with("x (1,000 characters)") && short.contains(" … "), "{short}");
        assert!(short.chars().count() < 190);
        let (before, after) = (
            format!("{long}1{long}").replace('x', "é"),
            format!("{long}2{long}").replace('x', "é"),
        );
        let (b, a) = shorten_pair(&before, &after, 160);
        assert!(b.contains("é1é") && a.contains("é2é"), "{b}\n{a}");
        assert_eq!(shorten_pair("a", "b", 160), ("a".to_owned(), "b".to_owned()));
        let (b, a) = shorten_pair(&long[..100], &long, 160);
        assert_ne!(b, a);
    }
}
