//! Holds a report to what was done.

use plumbline_governance::gap::GapKind;
use plumbline_governance::report::{self, Facet, MatchedBy, Report};
use plumbline_testkit::twin::change::{Change, Kind};
use std::collections::BTreeSet;

/// `Err` says what is wrong with the report.
pub(crate) type Judged = Result<(), String>;

fn gaps_are_justified(report: &Report, own: &BTreeSet<GapKind>) -> Judged {
    let kinds: BTreeSet<GapKind> = report.gaps.iter().map(|gap| gap.kind).collect();
    if kinds.is_subset(own) {
        Ok(())
    } else {
        Err(format!("gaps {kinds:?}, but the policy compared with itself has {own:?}"))
    }
}

/// Noise alone: nothing is found.
pub(crate) fn judge_noise(report: &Report, own: &BTreeSet<GapKind>) -> Judged {
    if !report.drift.is_empty() {
        return Err("noise was found".to_owned());
    }
    // Policies that share a name are told apart by what they hold.
    if report.pairs.iter().any(|pair| pair.matched_by != MatchedBy::Key) {
        return Err(format!("not matched by key: {:?}", report.pairs));
    }
    gaps_are_justified(report, own)
}

/// One change: exactly this policy, one drift, and each piece of evidence at the changed place.
pub(crate) fn judge_change(report: &Report, change: &Change, own: &BTreeSet<GapKind>) -> Judged {
    let [drift] = report.drift.as_slice() else {
        return Err(format!("{} drifts instead of one", report.drift.len()));
    };
    gaps_are_justified(report, own)?;
    let label = matches!(change.kind, Kind::Renamed | Kind::Described);
    let facet = if label { Facet::Label } else { Facet::Content };
    if drift.facets != [facet] {
        return Err(format!("facets {:?} instead of {facet:?}", drift.facets));
    }
    // Roles are known by their id and nothing else.
    let by_id = drift.policy_type == "intuneRoleDefinition";
    let exact = if by_id { MatchedBy::Id } else { MatchedBy::Key };
    if (by_id || change.kind != Kind::Renamed) && drift.matched_by != Some(exact) {
        return Err(format!("matched by {:?}", drift.matched_by));
    }
    if drift.baseline.is_none() || drift.current.is_none() {
        return Err("one side alone".to_owned());
    }
    if drift.changes.is_empty() {
        return Err("no evidence".to_owned());
    }
    for found in &drift.changes {
        if !agrees(found, change) {
            return Err(format!("`{}` is not the changed place", found.path));
        }
        let reordered = found.kind == report::ChangeKind::Reordered;
        if reordered != (change.kind == Kind::Reordered) {
            return Err(format!("`{}` is {:?}", found.path, found.kind));
        }
    }
    Ok(())
}

/// One step of a reported path.
#[derive(Debug, PartialEq)]
enum Step<'p> {
    Member(&'p str),
    Key(&'p str),
    Place,
}

/// Splits a reported path. Keys stand in braces and may hold anything, braces that close among it.
fn steps(path: &str) -> Vec<Step<'_>> {
    let mut out = Vec::new();
    let mut rest = path;
    while !rest.is_empty() {
        let mut depth = 0_usize;
        let end = rest
            .char_indices()
            .find(|(_, char)| {
                match char {
                    '{' => depth += 1,
                    '}' => depth = depth.saturating_sub(1),
                    _ => {}
                }
                depth == 0 && *char == '/'
            })
            .map_or(rest.len(), |(at, _)| at);
        let step = &rest[..end];
        out.push(match step.as_bytes()[0] {
            b'{' => Step::Key(step[1..].rsplit_once('}').map_or(step, |(key, _)| key)),
            b'[' | b'~' => Step::Place,
            _ => Step::Member(step),
        });
        rest = rest.get(end + 1..).unwrap_or_default();
    }
    out
}

fn names(value: Option<&serde_json::Value>, anchor: &str) -> bool {
    let plain = |text: &str| text.to_lowercase().replace('/', "_");
    value.is_some_and(|value| plain(&value.to_string()).contains(&plain(anchor)))
}

/// Whether a reported change is at the changed place: the innermost setting is named, by the path or by
/// what was added or removed, and the last member is the changed one or one that leads to it.
fn agrees(found: &report::Change, change: &Change) -> bool {
    let steps = steps(&found.path);
    let anchored = change.anchors.last().is_none_or(|anchor| {
        let lower = anchor.to_lowercase();
        steps
            .iter()
            .any(|step| matches!(step, Step::Key(key) if key.to_lowercase().contains(&lower)))
            || names(found.before.as_ref(), anchor)
            || names(found.after.as_ref(), anchor)
    });
    let reported: Vec<&str> = steps
        .iter()
        .filter_map(|step| match step {
            Step::Member(name) => Some(*name),
            _ => None,
        })
        .collect();
    let last = change.members.last().map(String::as_str);
    let alias = |name: &str| match name {
        // Both hold the value of a setting of an old style policy, and one name of a policy.
        "valueJson" | "name" => true,
        "value" | "displayName" => change.members.len() <= 2,
        _ => false,
    };
    let there = match reported.last() {
        Some(name) if Some(*name) == last => true,
        Some(name) if last.is_some_and(alias) && alias(name) => true,
        Some(_) if change.embedded => reported.contains(&"valueJson"),
        // A whole item was taken away or put in.
        Some(name) => change.members.iter().any(|member| member == name),
        None => false,
    };
    // An added or removed object is shown where it stands or member by member.
    let inside = matches!(
        change.kind,
        Kind::KeyAdded | Kind::KeyRemoved | Kind::ItemAdded | Kind::ItemRemoved
    ) && last.is_some_and(|last| reported.contains(&last));
    anchored && (there || inside)
}

#[test]
fn paths_are_split() {
    assert_eq!(
        steps(r"omaSettings/{./Device/X\{53f5\}/Y}/value"),
        [Step::Member("omaSettings"), Step::Key(r"./Device/X\{53f5\}/Y"), Step::Member("value")]
    );
    assert_eq!(steps("a/[2]/~0f"), [Step::Member("a"), Step::Place, Step::Place]);
}

#[test]
fn another_place_does_not_agree() {
    let change = Change {
        kind: Kind::ValueChanged,
        members: ["settings", "settingInstance", "choiceSettingValue", "value"]
            .map(str::to_owned)
            .to_vec(),
        anchors: vec!["outer_setting".to_owned(), "inner_setting".to_owned()],
        embedded: false,
        raw: String::new(),
    };
    let found = |path: &str| report::Change {
        facet: Facet::Content,
        path: path.to_owned(),
        kind: report::ChangeKind::Changed,
        before: None,
        after: None,
    };
    assert!(agrees(&found("settings/{outer_setting}/children/{inner_setting}/value"), &change));
    assert!(!agrees(&found("settings/{outer_setting}/value"), &change));
    assert!(!agrees(&found("settings/{inner_setting}/description"), &change));
    assert!(!agrees(&found("value"), &change));
}
