//! The overview: one row a drifted subject.

use super::Style;
use super::page::{MIN_WIDTH, ansi};
use crate::render::words::{self, visible};
use comfy_table::{ColumnConstraint, ContentArrangement, Table, presets};
use plumbline_governance::badge::Badge;
use plumbline_governance::report::Drift;
use std::fmt::Write as _;

/// Spaces between columns.
const GAP: u16 = 2;
/// What stands before every line.
const INDENT: &str = "  ";

/// Writes the table. The two badge columns are as wide as their longest label, so their cells can be
/// coloured after the table is laid out: escape bytes inside it would count as width.
pub(super) fn drift(rows: &[Drift], style: Style) -> String {
    let headers = ["Severity", "Drift", "Policy", "What"];
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(u16::try_from(style.width.max(MIN_WIDTH) - INDENT.len()).unwrap_or(u16::MAX))
        .set_header(headers);
    let badges: Vec<[Badge; 2]> = rows
        .iter()
        .map(|row| [words::severity(row.severity), words::change_type(row.change_type)])
        .collect();
    for (row, [severity, change]) in rows.iter().zip(&badges) {
        let what = [
            Some(words::diff_kind(row.diff_kind).label.to_owned()),
            words::detail(row),
            words::match_note(row),
        ];
        table.add_row([
            severity.label.to_owned(),
            change.label.to_owned(),
            format!("{}\n{}", visible(&row.display_name), visible(&row.policy_type)),
            what.into_iter().flatten().collect::<Vec<_>>().join("\n"),
        ]);
    }
    for (at, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, GAP));
        if at < 2 {
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
    }
    let widths: [usize; 2] = [0, 1].map(|at| {
        let labels = badges.iter().map(|row| row[at].label.len());
        labels.chain([headers[at].len()]).max().unwrap_or_default()
    });
    // Writing to a string cannot fail.
    let mut out = String::new();
    for (at, line) in table.lines().enumerate() {
        if at == 0 && style.colour {
            let bold = anstyle::Style::new().bold();
            let _ = writeln!(out, "{INDENT}{bold}{}{bold:#}", line.trim_end());
        } else {
            out.push_str(INDENT);
            out.push_str(painted(&line, widths, &badges, style).trim_end());
            out.push('\n');
        }
    }
    out
}

/// Colours the labels at the start of a line; the second line of a row has none.
fn painted(line: &str, widths: [usize; 2], badges: &[[Badge; 2]], style: Style) -> String {
    let mut out = String::new();
    let mut rest = line;
    for (at, width) in widths.into_iter().enumerate() {
        let cell = rest.get(..width).unwrap_or_default();
        let badge = badges.iter().map(|row| row[at]).find(|badge| badge.label == cell.trim_end());
        let Some(badge) = badge.filter(|_| style.colour) else { break };
        let colour = ansi(badge.colour);
        let _ = write!(out, "{colour}{}{colour:#}", badge.label);
        let end = (width + usize::from(GAP)).min(rest.len());
        out.push_str(&rest[badge.label.len()..end]);
        rest = &rest[end..];
    }
    out + rest
}
