//! One change as a person reads it.

use super::path::{innermost_key, short_path};
use super::value::{SECRET_CHANGED, compact, shorten, shorten_pair};
use super::visible::visible_line;
use plumbline_governance::report::{Change, Facet};
use plumbline_policy::diff::ChangeKind;
use plumbline_policy::normal::SECRET_SET;
use serde_json::Value;
use similar::{ChangeTag, TextDiff};

/// Lines around a changed line that are shown with it.
const CONTEXT: usize = 2;

/// The longest text that is compared line by line; the time grows with the square of the differences.
const MAX_LINES: usize = 5_000;

/// How much of a change a face shows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Characters of a value or a line.
    pub(crate) value: usize,
    /// Lines of a line diff.
    pub(crate) lines: usize,
}

/// A change, ready to be laid out.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Evidence {
    /// What happened.
    pub(crate) kind: ChangeKind,
    /// Where.
    pub(crate) path: String,
    /// The facet, when it is not the settings.
    pub(crate) facet: Option<&'static str>,
    /// Before and after.
    pub(crate) what: What,
}

/// Before and after, in the form that fits.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// A value that one side has.
    One(String),
    /// Two values.
    Two(String, String),
    /// Two values that may not be shown.
    Secret,
    /// Two texts or two orders, and how many lines were left out.
    Lines(Vec<Line>, usize),
}

/// A line of a line diff.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Line {
    /// ` `, `-`, `+`, or `@` for a line that says where the next ones stand.
    pub(crate) sign: char,
    /// The line without its end.
    pub(crate) text: String,
}

impl Evidence {
    /// Puts a change into words.
    pub(crate) fn of(change: &Change, limits: Limits) -> Self {
        let key = innermost_key(&change.path);
        let what = match (&change.before, &change.after) {
            (Some(Value::Array(before)), Some(Value::Array(after)))
                if change.kind == ChangeKind::Reordered =>
            {
                items(before, after, key, limits)
            }
            (Some(before), Some(after)) => two(before, after, key, limits),
            (Some(value), None) | (None, Some(value)) => {
                What::One(shorten(&compact(value, key), limits.value))
            }
            (None, None) => What::One(String::new()),
        };
        Self {
            kind: change.kind,
            path: short_path(&change.path),
            facet: (change.facet != Facet::Content).then(|| change.facet.as_str()),
            what,
        }
    }
}

fn two(before: &Value, after: &Value, key: Option<&str>, limits: Limits) -> What {
    if let (Value::String(before), Value::String(after)) = (before, after) {
        if before == SECRET_SET && [SECRET_SET, SECRET_CHANGED].contains(&after.as_str()) {
            return What::Secret;
        }
        let is_text = before.contains('\n') || after.contains('\n');
        let lines = before.lines().count().max(after.lines().count());
        if is_text && lines <= MAX_LINES {
            return lines_of(before, after, limits);
        }
    }
    let (before, after) = shorten_pair(&compact(before, key), &compact(after, key), limits.value);
    What::Two(before, after)
}

/// Compares two orders like two texts, one item a line.
fn items(before: &[Value], after: &[Value], key: Option<&str>, limits: Limits) -> What {
    let text =
        |items: &[Value]| items.iter().map(|item| compact(item, key) + "\n").collect::<String>();
    lines_of(&text(before), &text(after), limits)
}

fn lines_of(before: &str, after: &str, limits: Limits) -> What {
    // Line ends are shown where they are the news, not where every line has the same.
    let uniform = |text: &str| text.matches("\r\n").count() == text.matches('\n').count();
    let quiet_ends = uniform(before) && uniform(after);
    let diff = TextDiff::from_lines(before, after);
    let mut out = Vec::new();
    for group in diff.grouped_ops(CONTEXT) {
        if let Some(first) = group.first() {
            let line = first.old_range().start + 1;
            out.push(Line { sign: '@', text: format!("line {line}") });
        }
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            let sign = match change.tag() {
                ChangeTag::Equal => ' ',
                ChangeTag::Delete => '-',
                ChangeTag::Insert => '+',
            };
            let value = change.value();
            let line = value.strip_suffix('\n').unwrap_or(value);
            let line = line.strip_suffix('\r').filter(|_| quiet_ends).unwrap_or(line);
            let mut text = shorten(&visible_line(line), limits.value);
            if change.missing_newline() {
                text.push_str(" (no newline at the end)");
            }
            out.push(Line { sign, text });
        }
    }
    let more = out.len().saturating_sub(limits.lines);
    out.truncate(limits.lines);
    What::Lines(out, more)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const LIMITS: Limits = Limits { value: 160, lines: 40 };

    fn evidence(path: &str, kind: ChangeKind, before: Value, after: Value) -> Evidence {
        let some = |value: Value| (!value.is_null()).then_some(value);
        let (before, after) = (some(before), some(after));
        let change = Change { facet: Facet::Content, path: path.to_owned(), kind, before, after };
        Evidence::of(&change, LIMITS)
    }

    fn diff(before: &str, after: &str) -> Vec<String> {
        match evidence("script", ChangeKind::Changed, json!(before), json!(after)).what {
            What::Lines(lines, 0) => {
                lines.iter().map(|line| format!("{}{}", line.sign, line.text)).collect()
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn scripts_are_compared_line_by_line() {
        assert_eq!(
            diff("1\n2\n3\n4\n5\n6\n", "1\n2\n3\n4!\n5\n6\n"),
            ["@line 2", " 2", " 3", "-4", "+4!", " 5", " 6"]
        );
        assert_eq!(diff("a\nb\n", "a\nb"), ["@line 1", " a", "-b", "+b (no newline at the end)"]);
        assert_eq!(diff("a\r\n", "b\r\n"), ["@line 1", "-a", "+b"]);
        assert_eq!(diff("a\r\nb\r\n", "a\nb\r\n"), ["@line 1", "-a\\r", "+a", " b\\r"]);
    }

    #[test]
    fn long_diffs_say_how_much_is_left_out() {
        let before: String =
            (0..200).flat_map(|line| [line.to_string(), "\n".to_owned()]).collect();
        let found = evidence("s", ChangeKind::Changed, json!(before), json!("x\n"));
        let What::Lines(lines, more) = found.what else { panic!() };
        assert_eq!((lines.len(), more), (40, 162));
    }

    #[test]
    fn choices_secrets_and_orders_read_well() {
        let found = evidence(
            "settings/{asr}/settingInstance/children/{asr_lsass}/choiceSettingValue/value",
            ChangeKind::Changed,
            json!("asr_lsass_block"),
            json!("asr_lsass_audit"),
        );
        assert_eq!(found.path, "settings › asr › lsass");
        assert_eq!(found.what, What::Two("block".to_owned(), "audit".to_owned()));
        let (secret, other) = (json!(SECRET_SET), json!(SECRET_CHANGED));
        assert_eq!(evidence("psk", ChangeKind::Changed, secret.clone(), other).what, What::Secret);
        assert_eq!(evidence("psk", ChangeKind::Changed, secret.clone(), secret).what, What::Secret);
        let order = evidence("o", ChangeKind::Reordered, json!(["a", "b"]), json!(["b", "a"]));
        assert!(matches!(order.what, What::Lines(lines, 0) if lines.len() == 4));
    }
}
