//! Plain tables for listings.

use crate::render::Style;
use comfy_table::{ColumnConstraint, ContentArrangement, Table, presets};
use plumbline_governance::badge::{Domain, badge};

/// The catalog's word for a status.
#[must_use]
pub(crate) fn label(domain: Domain, value: &str) -> String {
    badge(domain, Some(value)).label.to_owned()
}

/// Lays rows out under a head; cells wrap at the width of the terminal.
#[must_use]
pub(crate) fn table(head: &[&str], rows: Vec<Vec<String>>, style: Style) -> String {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(u16::try_from(style.width).unwrap_or(u16::MAX))
        .set_header(head);
    // The first column is what one searches for: nothing parts it while it leaves room for the others.
    let longest = rows.iter().filter_map(|row| Some(row.first()?.chars().count())).max();
    let holds_first = longest.unwrap_or_default() <= style.width / 2;
    for row in rows {
        table.add_row(row);
    }
    for (at, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 2));
        if at == 0 && holds_first {
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
    }
    let mut out = String::new();
    for line in table.lines() {
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}
