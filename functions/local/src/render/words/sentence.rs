//! Sentences about the whole report.

use super::badges;
use super::evidence::{Evidence, Limits, What};
use plumbline_governance::badge::Badge;
use plumbline_governance::gap::GapKind;
use plumbline_governance::report::{ChangeType, Drift, Gap, MatchedBy, Report, Trust};
use plumbline_governance::severity::{RULES, Severity};
use plumbline_policy::diff::ChangeKind;
use plumbline_policy::role::Direction;
use std::collections::BTreeMap;

/// Writes a number with its noun: `1 policy`, `2 policies`.
pub(crate) fn count(number: usize, one: &str, many: &str) -> String {
    format!("{} {}", grouped(number), if number == 1 { one } else { many })
}

/// Writes a number with commas between thousands.
pub(crate) fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// The word of the JSON format for what happened to a setting.
pub(crate) fn kind(kind: ChangeKind) -> &'static str {
    match kind {
        ChangeKind::Added => "added",
        ChangeKind::Removed => "removed",
        ChangeKind::Changed => "changed",
        ChangeKind::Reordered => "reordered",
    }
}

/// The word of the JSON format for the way a role changed.
pub(crate) fn direction(direction: Direction) -> &'static str {
    match direction {
        Direction::Widened => "widened",
        Direction::Narrowed => "narrowed",
        Direction::Both => "both",
        Direction::Unchanged => "unchanged",
    }
}

/// The sentence that explains a rule; empty for a rule that is not in the table.
pub(crate) fn rule(id: &str) -> &'static str {
    RULES.iter().find(|(known, ..)| *known == id).map_or("", |(_, _, sentence)| sentence)
}

/// Counts the drift by severity, the most urgent first, without zeros.
fn by_severity(report: &Report) -> Vec<(Severity, usize)> {
    [Severity::High, Severity::Medium, Severity::Low]
        .into_iter()
        .map(|level| (level, report.drift.iter().filter(|drift| drift.severity == level).count()))
        .filter(|(_, number)| *number > 0)
        .collect()
}

/// The last word on a compare, and the badge that gives it its colour.
pub(crate) fn verdict(report: &Report) -> (String, Badge) {
    let counts = by_severity(report);
    if let Some((worst, _)) = counts.first() {
        let parts: Vec<String> = counts
            .iter()
            .map(|(level, number)| {
                format!("{} {}", grouped(*number), lower(badges::severity(*level)))
            })
            .collect();
        return (format!("Drift: {}", parts.join(", ")), badges::severity(*worst));
    }
    let badge = badges::trust(report.trust);
    if report.trust == Trust::Full {
        return ("Proven equal".to_owned(), badge);
    }
    let mut parts = Vec::new();
    if !report.suppressed.is_empty() {
        parts.push(count(report.suppressed.len(), "subject", "subjects") + " without a verdict");
    }
    for (kind, gaps) in gap_groups(report) {
        parts.push(format!("{} {}", grouped(gaps.len()), lower(badges::gap(kind))));
    }
    if parts.is_empty() {
        parts.push("nothing was compared".to_owned());
    }
    (format!("No drift found, but not proven: {}", parts.join(", ")), badge)
}

/// The gaps that lower trust by kind, the most urgent kind first.
pub(crate) fn gap_groups(report: &Report) -> Vec<(GapKind, Vec<&Gap>)> {
    grouped_gaps(report, true)
}

/// The notes by kind.
pub(crate) fn notes(report: &Report) -> Vec<(GapKind, Vec<&Gap>)> {
    grouped_gaps(report, false)
}

fn grouped_gaps(report: &Report, lowers_trust: bool) -> Vec<(GapKind, Vec<&Gap>)> {
    let mut groups: BTreeMap<(u8, GapKind), Vec<&Gap>> = BTreeMap::new();
    for gap in report.gaps.iter().filter(|gap| gap.kind.lowers_trust() == lowers_trust) {
        groups.entry((badges::gap(gap.kind).rank, gap.kind)).or_default().push(gap);
    }
    groups.into_iter().map(|((_, kind), gaps)| (kind, gaps)).collect()
}

/// Says in short what changed: what kind of difference it is, and its [`detail`].
pub(crate) fn short(drift: &Drift) -> String {
    let label = badges::diff_kind(drift.diff_kind).label;
    match detail(drift) {
        Some(detail) => format!("{label}: {detail}"),
        None => label.to_owned(),
    }
}

/// The longest detail, in characters, that stands in a row of an overview.
const MAX_DETAIL: usize = 80;

/// Says which setting differs and how when it is one, else how many differ in which way. The detail of
/// a whole policy would only say again that it is gone or extra.
pub(crate) fn detail(drift: &Drift) -> Option<String> {
    let [change] = drift.changes.as_slice() else {
        return (is_pair(drift) && !drift.changes.is_empty())
            .then(|| kinds(drift.changes.iter().map(|change| change.kind)));
    };
    if !is_pair(drift) {
        return None;
    }
    let found = Evidence::of(change, Limits { value: usize::MAX, lines: usize::MAX });
    let name = found.path.rsplit(" › ").find(|part| !part.starts_with('['));
    let name = ends(name.unwrap_or(&found.path), MAX_DETAIL / 2);
    let what = match found.what {
        What::One(value) => format!("{} {value}", lower(badges::kind_badge(found.kind))),
        What::Two(before, after) => format!("{before} → {after}"),
        What::Secret => "secret changed".to_owned(),
        What::Lines(..) if found.kind == ChangeKind::Reordered => "another order".to_owned(),
        What::Lines(lines, _) => {
            let lines_with = |sign| lines.iter().filter(|line| line.sign == sign).count();
            format!(
                "{} gone, {} new",
                count(lines_with('-'), "line", "lines"),
                count(lines_with('+'), "line", "lines")
            )
        }
    };
    let whole = format!("{name}: {what}");
    let fits = whole.chars().count() <= MAX_DETAIL;
    Some(if fits { whole } else { format!("{name}: {}", lower(badges::kind_badge(found.kind))) })
}

/// Keeps both ends of a long name: its beginning says what it belongs to, its end what it is.
fn ends(name: &str, limit: usize) -> String {
    let length = name.chars().count();
    if length <= limit {
        return name.to_owned();
    }
    let half = limit / 2;
    let start: String = name.chars().take(half).collect();
    let end: String = name.chars().skip(length - half).collect();
    format!("{start}…{end}")
}

/// Counts changes by kind: `2 modified, 1 missing`.
fn kinds(kinds: impl Iterator<Item = ChangeKind>) -> String {
    let mut counts: BTreeMap<(u8, &str), usize> = BTreeMap::new();
    for badge in kinds.map(badges::kind_badge) {
        *counts.entry((badge.rank, badge.label)).or_default() += 1;
    }
    let parts: Vec<String> = counts
        .into_iter()
        .map(|((_, label), number)| format!("{} {}", grouped(number), label.to_lowercase()))
        .collect();
    parts.join(", ")
}

/// Says how a pair was matched when that was not its exact key.
pub(crate) fn match_note(drift: &Drift) -> Option<String> {
    let by = drift.matched_by.filter(|by| *by != MatchedBy::Key)?;
    let label = badges::matched_by(by).label;
    Some(match drift.confidence {
        Some(confidence) => format!("{label} ({confidence} %)"),
        None => label.to_owned(),
    })
}

fn is_pair(drift: &Drift) -> bool {
    drift.change_type == ChangeType::DifferentVersion
}

fn lower(badge: Badge) -> String {
    badge.label.to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::sample;

    #[test]
    fn the_verdict_never_says_more_than_was_proven() {
        let mut report = sample::report();
        assert_eq!(verdict(&report).0, "Drift: 3 high, 4 medium, 3 low");
        report.drift.clear();
        assert_eq!(
            verdict(&report).0,
            "No drift found, but not proven: 2 subjects without a verdict, 1 unreadable, \
             1 type absent, 2 unresolved reference"
        );
        report.suppressed.clear();
        report.gaps.clear();
        assert_eq!(verdict(&report).0, "No drift found, but not proven: nothing was compared");
        report.trust = Trust::Full;
        assert_eq!(verdict(&report).0, "Proven equal");
    }

    #[test]
    fn numbers_are_grouped() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(count(1, "policy", "policies"), "1 policy");
    }
}
