//! For a terminal, or a pipe: the worst first, and the verdict on the last line, where the eye is when
//! the command ends.

mod page;
mod role;
mod table;

use super::words::{self, Evidence, Limits, What, visible};
use page::Page;
use plumbline_governance::badge::Badge;
use plumbline_governance::gap::GapKind;
use plumbline_governance::report::{ChangeType, Drift, Gap, Report, Side};

/// Subjects whose evidence is shown; the table above has them all.
const MAX_SUBJECTS: usize = 200;
/// Changes of one subject that are shown.
const MAX_CHANGES: usize = 20;
/// Rows of any other list that are shown.
const MAX_ROWS: usize = 30;
/// Files that are named for one kind of note.
const MAX_NOTES: usize = 3;
/// Characters of a value, lines of a script.
const LIMITS: Limits = Limits { value: 160, lines: 40 };

/// How the reader's terminal wants it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Style {
    /// Whether to write colours. Without, there is not one escape byte in the output.
    pub colour: bool,
    /// Columns of the terminal.
    pub width: usize,
}

/// Writes the report for a person at a terminal.
#[must_use]
pub(crate) fn text(report: &Report, style: Style) -> String {
    let mut page = Page::new(style);
    headline(&mut page, report);
    if !report.drift.is_empty() {
        page.heading("Drift");
        page.raw(&table::drift(&report.drift, style));
        page.heading("Evidence");
        for drift in report.drift.iter().take(MAX_SUBJECTS) {
            evidence(&mut page, drift);
        }
        page.more(report.drift.len(), MAX_SUBJECTS, "subject", "subjects");
    }
    pairs(&mut page, report);
    suppressed(&mut page, report);
    gaps(&mut page, report);
    notes(&mut page, report);
    let (verdict, badge) = words::verdict(report);
    page.blank();
    page.line(&page.bold(badge.colour, &verdict));
    page.into_text()
}

/// Writes the evidence of one drift, as the report has it.
#[must_use]
pub(crate) fn drift_evidence(drift: &Drift, style: Style) -> String {
    let mut page = Page::new(style);
    evidence(&mut page, drift);
    let mut out = page.into_text();
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}

fn headline(page: &mut Page, report: &Report) {
    page.line(&page.strong("Baseline compare"));
    page.fact("Baseline", &source(&report.baseline));
    page.fact("Current", &source(&report.current));
    let trust = words::trust(report.trust);
    page.line(&format!("  Trust     {}", page.bold(trust.colour, trust.label)));
    page.fact("Subjects", &counts(report));
    if let Some(roles) = report.summary.rbac_role_definitions {
        let rows = words::roles(roles);
        page.fact("Roles", &tally(roles.total_compared, rows.into_iter()));
    }
    let facts: Vec<&str> = [("baseline", &report.baseline), ("current", &report.current)]
        .into_iter()
        .filter(|(_, side)| !side.tenant_facts)
        .map(|(name, _)| name)
        .collect();
    if !facts.is_empty() {
        page.fact(
            "Facts",
            &format!(
                "no tenant facts for {}: own ids and domains count as settings, except *.onmicrosoft.com",
                facts.join(" and ")
            ),
        );
    }
}

fn source(side: &Side) -> String {
    let digest: String = side.digest.chars().take(12).collect();
    format!(
        "{}: {}, digest {}",
        visible(&side.source),
        words::count(side.policies, "policy", "policies"),
        visible(&digest)
    )
}

fn counts(report: &Report) -> String {
    let summary = &report.summary;
    let verdicts = tally(
        summary.compared,
        [
            (words::unchanged(), summary.unchanged),
            (words::change_type(ChangeType::MissingPolicy), summary.missing_policy),
            (words::change_type(ChangeType::DifferentVersion), summary.different_version),
            (words::change_type(ChangeType::UnexpectedPolicy), summary.unexpected_policy),
        ]
        .into_iter(),
    );
    match summary.suppressed {
        0 => verdicts,
        number => format!("{verdicts}, {} without a verdict", words::grouped(number)),
    }
}

/// Writes `41 compared, 31 unchanged, 2 missing`, without the zeros.
fn tally(compared: usize, rows: impl Iterator<Item = (Badge, usize)>) -> String {
    let parts = rows
        .filter(|(_, number)| *number > 0)
        .map(|(badge, number)| (number, badge.label.to_lowercase()));
    std::iter::once((compared, "compared".to_owned()))
        .chain(parts)
        .map(|(number, word)| format!("{} {word}", words::grouped(number)))
        .collect::<Vec<_>>()
        .join(", ")
}

fn evidence(page: &mut Page, drift: &Drift) {
    let (severity, change) =
        (words::severity(drift.severity), words::change_type(drift.change_type));
    page.line(&format!(
        "{}  {}  {} {}",
        page.bold(severity.colour, severity.label),
        page.paint(change.colour, change.label),
        page.strong(&visible(&drift.display_name)),
        page.dim(&format!("({})", visible(&drift.policy_type))),
    ));
    let rule = words::rule(drift.severity_rule);
    page.below(2, &format!("{}: {rule}", drift.severity_rule));
    if let Some(direction) = drift.direction {
        page.below(2, &format!("permissions: {}", words::direction(direction)));
    }
    if let Some(other) = &drift.possibly_same_as {
        page.below(2, &format!("possibly the same role: {}", visible(other)));
    }
    for (side, file) in files(drift) {
        page.line(&page.dim(&format!("  {side}: {}", visible(file))));
    }
    if let Some(role) = &drift.role {
        role::role(page, role);
    }
    let changes: Vec<_> = drift.changes_beside_actions().collect();
    for change in changes.iter().take(MAX_CHANGES) {
        one_change(page, &Evidence::of(change, LIMITS));
    }
    page.more(changes.len(), MAX_CHANGES, "change", "changes");
    page.blank();
}

/// The files of both sides, once when they are called alike.
fn files(drift: &Drift) -> Vec<(&'static str, &str)> {
    let [baseline, current] = [&drift.baseline, &drift.current]
        .map(|version| version.as_ref().map(|version| version.source_file.as_str()));
    match (baseline, current) {
        (Some(baseline), Some(current)) if baseline == current && !current.is_empty() => {
            vec![("both sides", current)]
        }
        (baseline, current) => [("baseline", baseline), ("current", current)]
            .into_iter()
            .filter_map(|(side, file)| Some((side, file?)))
            // What came from a store stands in no file.
            .filter(|(_, file)| !file.is_empty())
            .collect(),
    }
}

fn one_change(page: &mut Page, found: &Evidence) {
    let badge = words::kind_badge(found.kind);
    let sign = page.bold(badge.colour, page::sign(found.kind));
    let facet = found.facet.map(|facet| format!(" ({facet})")).unwrap_or_default();
    let head = format!("{}{facet}", found.path);
    let fits = |value: usize| 6 + head.chars().count() + value <= page.width();
    match &found.what {
        What::One(value) if fits(value.chars().count()) => {
            page.line(&format!("  {sign} {head}: {}", page.paint(badge.colour, value)));
        }
        What::One(value) => {
            page.line(&format!("  {sign} {head}"));
            page.line(&format!("      {}", page.paint(badge.colour, value)));
        }
        What::Two(before, after) if fits(before.chars().count() + after.chars().count() + 3) => {
            let (before, after) = page.before_after(before, after);
            page.line(&format!("  {sign} {head}: {before} → {after}"));
        }
        What::Two(before, after) => {
            let (before, after) = page.before_after(before, after);
            page.line(&format!("  {sign} {head}"));
            page.line(&format!("      {before}"));
            page.line(&format!("    → {after}"));
        }
        What::Secret => page.line(&format!("  {sign} {head}: secret changed")),
        What::Lines(lines, more) => {
            page.line(&format!("  {sign} {head}"));
            for line in lines {
                page.diff_line(line);
            }
            if *more > 0 {
                page.line(&page.dim(&format!(
                    "      … {}; --format json has all",
                    words::count(*more, "more line", "more lines")
                )));
            }
        }
    }
}

fn pairs(page: &mut Page, report: &Report) {
    if report.pairs.is_empty() {
        return;
    }
    page.heading("Matched by something weaker than the key");
    for pair in report.pairs.iter().take(MAX_ROWS) {
        let badge = words::matched_by(pair.matched_by);
        page.line(&format!(
            "  {} ({} %)  {} ↔ {} {}",
            page.paint(badge.colour, badge.label),
            pair.confidence,
            visible(&pair.baseline),
            visible(&pair.current),
            page.dim(&format!("({})", visible(&pair.policy_type))),
        ));
        page.below(4, &visible(&pair.reason));
    }
    page.more(report.pairs.len(), MAX_ROWS, "pair", "pairs");
}

fn suppressed(page: &mut Page, report: &Report) {
    if report.suppressed.is_empty() {
        return;
    }
    page.heading("Without a verdict");
    for subject in report.suppressed.iter().take(MAX_ROWS) {
        let badge = words::gap(subject.gap);
        let kept_back = subject
            .change_type
            .map(|kind| format!(", would be: {}", words::change_type(kind).label))
            .unwrap_or_default();
        page.line(&format!(
            "  {}  {} {}",
            page.paint(badge.colour, badge.label),
            visible(&subject.display_name),
            page.dim(&format!("({}{kept_back})", visible(&subject.policy_type))),
        ));
        page.below(4, &format!("{}{}", visible(&subject.reason), file(&subject.source_file)));
    }
    page.more(report.suppressed.len(), MAX_ROWS, "subject", "subjects");
}

fn gaps(page: &mut Page, report: &Report) {
    let groups = words::gap_groups(report);
    if groups.is_empty() {
        return;
    }
    page.heading("Gaps");
    for (kind, gaps) in groups {
        group_line(page, kind, gaps.len());
        let mut detail = "";
        for gap in gaps.iter().take(MAX_ROWS) {
            // One reason for many files is said once.
            if gap.detail != detail {
                page.sentence(4, &visible(&gap.detail));
                detail = &gap.detail;
            }
            page.below(6, &place(gap));
        }
        page.more(gaps.len(), MAX_ROWS, "gap", "gaps");
    }
}

fn notes(page: &mut Page, report: &Report) {
    let groups = words::notes(report);
    if groups.is_empty() {
        return;
    }
    page.heading("Notes");
    for (kind, gaps) in groups {
        group_line(page, kind, gaps.len());
        for gap in gaps.iter().take(MAX_NOTES) {
            page.below(4, &format!("{}: {}", place(gap), visible(&gap.detail)));
        }
        page.more(gaps.len(), MAX_NOTES, "note", "notes");
    }
}

fn group_line(page: &mut Page, kind: GapKind, number: usize) {
    let badge = words::gap(kind);
    page.line(&format!("  {} ({})", page.paint(badge.colour, badge.label), words::grouped(number)));
}

fn place(gap: &Gap) -> String {
    let side = gap.side.unwrap_or("both sides");
    let policy_type = gap.policy_type.as_deref().unwrap_or("type unknown");
    format!("{side}, {}{}", visible(policy_type), file(&gap.source_file))
}

fn file(source_file: &str) -> String {
    if source_file.is_empty() { String::new() } else { format!(" ({})", visible(source_file)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::sample;

    const PLAIN: Style = Style { colour: false, width: 100 };

    #[test]
    fn without_colour_there_is_no_escape_byte_and_no_hidden_character() {
        let out = text(&sample::report(), PLAIN);
        let hidden: Vec<char> = out
            .chars()
            .filter(|char| *char != '\n' && plumbline_governance::text::is_hidden(*char))
            .collect();
        assert!(hidden.is_empty(), "{hidden:?}");
        assert!(out.contains("Temp\\u{202e} <script>") && out.contains("\\u{1b}[2J"), "{out}");
    }

    #[test]
    fn colour_changes_no_word() {
        let colour = text(&sample::report(), Style { colour: true, width: 100 });
        assert!(colour.contains("\u{1b}["));
        let mut plain = String::new();
        let mut parts = colour.split('\u{1b}');
        plain.push_str(parts.next().unwrap());
        for part in parts {
            plain.push_str(part.split_once('m').unwrap().1);
        }
        assert_eq!(plain, text(&sample::report(), PLAIN));
    }

    #[test]
    fn the_table_keeps_to_the_width_and_the_verdict_is_last() {
        for width in [20, 60, 80, 100, 200] {
            let out = table::drift(&sample::report().drift, Style { colour: false, width });
            let widest = out.lines().map(|line| line.chars().count()).max().unwrap();
            assert!(widest <= width.max(page::MIN_WIDTH), "{widest} > {width}\n{out}");
        }
        let out = text(&sample::report(), PLAIN);
        assert_eq!(out.lines().last(), Some("Drift: 3 high, 4 medium, 3 low"));
    }

    #[test]
    fn long_lists_are_cut_and_say_so() {
        let mut report = sample::report();
        let change = report.drift[0].changes[0].clone();
        report.drift[0].changes = vec![change; 50];
        report.suppressed = vec![report.suppressed[0].clone(); 31];
        let out = text(&report, PLAIN);
        assert!(out.contains("… 30 more changes; --format json has all"), "{out}");
        assert!(out.contains("… 1 more subject; --format json has all"), "{out}");
    }

    /// The lists of actions take the place of the changes that they tell; others stay.
    #[test]
    fn the_actions_of_a_role_stand_under_their_resource() {
        let mut drift = sample::report().drift.swap_remove(2);
        drift.changes.push(plumbline_governance::report::Change {
            facet: plumbline_governance::report::Facet::Label,
            path: "displayName".to_owned(),
            kind: plumbline_policy::diff::ChangeKind::Changed,
            before: Some("A".into()),
            after: Some("B".into()),
        });
        let out = drift_evidence(&drift, PLAIN);
        let shown: Vec<&str> =
            out.lines().skip_while(|line| !line.starts_with("  role:")).collect();
        assert_eq!(
            shown.iter().filter(|line| !line.contains(".json")).copied().collect::<Vec<_>>(),
            [
                "  role: custom, 1 action to 2",
                "  RemoteTasks",
                "    + Microsoft.Intune/RemoteTasks/Wipe (privileged)",
                "  ~ displayName (label): \"A\" → \"B\"",
            ],
            "{out}"
        );
        let missing = drift_evidence(&sample::report().drift[1], PLAIN);
        assert!(missing.contains("  description: Helps in the branches\n"), "{missing}");
        let [update, read] = ["Update (privileged)\n", "Read\n"]
            .map(|end| missing.find(&format!("    - Microsoft.Intune_ManagedDevices_{end}")));
        assert!(update.is_some() && update < read, "{missing}");
    }

    #[test]
    fn an_empty_report_is_short() {
        let mut report = sample::report();
        report.drift.clear();
        report.pairs.clear();
        report.suppressed.clear();
        report.gaps.clear();
        let out = text(&report, PLAIN);
        assert!(!out.contains("Evidence") && !out.contains("Gaps") && !out.contains("Notes"));
        assert!(out.lines().count() < 12, "{out}");
    }
}
