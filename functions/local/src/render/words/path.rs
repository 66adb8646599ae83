//! Paths for people. The path of a change names every member of Graph's settings tree; a person looks
//! for the setting.

use super::visible::visible;

/// Members that hold a setting's value and say nothing beside its definition.
const WRAPPERS: [&str; 8] = [
    "settingInstance",
    "choiceSettingValue",
    "choiceSettingCollectionValue",
    "simpleSettingValue",
    "simpleSettingCollectionValue",
    "groupSettingValue",
    "groupSettingCollectionValue",
    "children",
];

/// Tells whether a member only wraps a setting's value.
pub(crate) fn is_wrapper(member: &str) -> bool {
    WRAPPERS.contains(&member)
}

/// One step of a path, read back from its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step<'p> {
    Key { key: &'p str, nth: &'p str },
    Index(&'p str),
    Member(&'p str),
}

/// Shortens a path to what names the setting: `settings › firewall › enabled`.
pub(crate) fn short_path(path: &str) -> String {
    let steps = steps(path);
    let mut out: Vec<String> = Vec::with_capacity(steps.len());
    let mut parent = None;
    let mut wrapped = false;
    for (at, step) in steps.iter().enumerate() {
        match *step {
            Step::Member(name) if parent.is_some() && is_wrapper(name) => wrapped = true,
            // What is left of `…/simpleSettingValue/value`.
            Step::Member("value") if wrapped && at + 1 == steps.len() => {}
            Step::Member(name) => {
                out.push(visible(name).into_owned());
                wrapped = false;
            }
            Step::Index(index) => out.push(visible(index).into_owned()),
            Step::Key { key, nth } => {
                out.push(format!("{}{nth}", visible(rest(key, parent))));
                parent = Some(key);
                wrapped = false;
            }
        }
    }
    if out.is_empty() { "(everything)".to_owned() } else { out.join(" › ") }
}

/// Returns the innermost key of a path: the definition that its value belongs to.
pub(crate) fn innermost_key(path: &str) -> Option<&str> {
    steps(path).into_iter().rev().find_map(|step| match step {
        Step::Key { key, .. } => Some(key),
        _ => None,
    })
}

/// Returns what a key adds to its parent's key, or all of it when it does not begin with that.
pub(crate) fn rest<'k>(key: &'k str, parent: Option<&str>) -> &'k str {
    let separators = ['_', '~', '.', '/'];
    parent
        .filter(|parent| !parent.is_empty())
        .and_then(|parent| key.strip_prefix(parent))
        .filter(|rest| rest.starts_with(separators))
        .map(|rest| rest.trim_start_matches(separators))
        .filter(|rest| !rest.is_empty())
        .unwrap_or(key)
}

fn steps(path: &str) -> Vec<Step<'_>> {
    let mut out = Vec::new();
    let mut tail = path;
    while !tail.is_empty() {
        let (step, end) = if tail.starts_with('{') { keyed(tail) } else { plain(tail) };
        out.push(step);
        tail = tail[end..].strip_prefix('/').unwrap_or_default();
    }
    out
}

fn plain(tail: &str) -> (Step<'_>, usize) {
    let end = tail.find('/').unwrap_or(tail.len());
    let step = &tail[..end];
    let index = step.starts_with('~') || (step.starts_with('[') && step.ends_with(']'));
    (if index { Step::Index(step) } else { Step::Member(step) }, end)
}

/// Reads `{key}` or `{key}#2`. Keys are anything, `/` and braces included (an `omaUri`, a placeholder),
/// so the brace that closes is the first one that balances and that a step may end with.
fn keyed(tail: &str) -> (Step<'_>, usize) {
    let mut depth = 0_usize;
    let mut first_end = None;
    for (at, char) in tail.char_indices() {
        match char {
            '{' => depth += 1,
            '}' => {
                depth = depth.saturating_sub(1);
                let after = &tail[at + 1..];
                let digits = after.strip_prefix('#').map_or(0, |nth| {
                    1 + nth.len() - nth.trim_start_matches(|char: char| char.is_ascii_digit()).len()
                });
                let end = at + 1 + digits;
                if tail[end..].is_empty() || tail[end..].starts_with('/') {
                    let step = Step::Key { key: &tail[1..at], nth: &tail[at + 1..end] };
                    if depth == 0 {
                        return (step, end);
                    }
                    first_end = first_end.or(Some((step, end)));
                }
            }
            _ => {}
        }
    }
    first_end.unwrap_or((Step::Member(tail), tail.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_name_the_setting() {
        for (path, short) in [
            ("", "(everything)"),
            ("description", "description"),
            (
                "settings/{laps_backupdirectory}/settingInstance/choiceSettingValue/children/{laps_age}/simpleSettingValue/value",
                "settings › laps_backupdirectory › laps_age",
            ),
            (
                "settings/{asr}/settingInstance/groupSettingCollectionValue/[0]/children/{asr_blocklsass}/choiceSettingValue/value",
                "settings › asr › [0] › blocklsass",
            ),
            (
                "settings/{edge~list}/settingInstance/choiceSettingValue/children/{edge~list_box}/simpleSettingCollectionValue/[3]/value",
                "settings › edge~list › box › [3]",
            ),
            (
                "omaSettings/{./Device/Vendor/MSFT/Policy/Config/DeviceLock/Max}/value",
                "omaSettings › ./Device/Vendor/MSFT/Policy/Config/DeviceLock/Max › value",
            ),
            ("rules/{fw_{rule}/id}#2/children/{fw_{rule}/id/x}", "rules › fw_{rule}/id#2 › x"),
            ("a/{firewall}/{firewalled}", "a › firewall › firewalled"),
            ("a/{un{balanced}/b", "a › un{balanced › b"),
            ("a/{open", "a › {open"),
            ("children/value", "children › value"),
            ("targets/~1f0c/target", "targets › ~1f0c › target"),
            ("a/{x\u{202e}y}", "a › x\\u{202e}y"),
        ] {
            assert_eq!(short_path(path), short, "{path}");
        }
    }

    #[test]
    fn a_value_belongs_to_the_innermost_key() {
        assert_eq!(innermost_key("settings/{a}/children/{a_b}#3/value"), Some("a_b"));
        assert_eq!(innermost_key("description"), None);
    }
}
