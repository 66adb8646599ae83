//! How results of commands on the data directory are written: a table for people, the domain's own form
//! for programs.

use super::{EXIT_EQUAL, style, write_out};
use crate::cli::data::{Show, ShowFormat};
use crate::render::{self, Style};
use jiff::Timestamp;
use serde::Serialize;

/// Writes a result in the form that is wanted.
pub(super) fn show<T: Serialize + ?Sized>(
    show: Show,
    value: &T,
    table: impl FnOnce(Style) -> String,
) -> anyhow::Result<u8> {
    let out = match show.format {
        ShowFormat::Json => json(value)?,
        ShowFormat::Table => table(style(None)),
    };
    write_out(out.as_bytes(), None)?;
    Ok(EXIT_EQUAL)
}

/// Writes a value as JSON of many lines.
pub(super) fn json<T: Serialize + ?Sized>(value: &T) -> anyhow::Result<String> {
    let mut out = serde_json::to_string_pretty(value)?;
    out.push('\n');
    Ok(out)
}

/// Writes facts one below the other: what, and how it is.
pub(super) fn facts(rows: &[(&str, String)]) -> String {
    let width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or_default() + 2;
    let mut out = String::new();
    for (name, value) in rows {
        out.push_str(format!("{name:<width$}{value}").trim_end());
        out.push('\n');
    }
    out
}

/// A moment as a person reads it. All times of the command are UTC.
pub(super) fn moment(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M").to_string()
}

/// A text with its control characters made visible.
pub(super) fn visible(text: &str) -> String {
    render::visible(text).into_owned()
}

/// A text that may not be there.
pub(super) fn or_none(text: Option<&str>) -> String {
    text.map_or_else(|| "none".to_owned(), visible)
}

/// `1 policy`, `2 policies`, for counts of the stores.
pub(super) fn count(number: u64, one: &str, many: &str) -> String {
    render::count(usize::try_from(number).unwrap_or(usize::MAX), one, many)
}
