//! One row a change, for spreadsheets. A spreadsheet runs cells that look like formulas, so those are
//! defused; it guesses the encoding, so a byte order mark says UTF-8.

use super::words;
use plumbline_governance::report::{Change, Drift, MatchedBy, Report, Version};
use plumbline_governance::text::defused;
use serde_json::Value;
use std::borrow::Cow;

/// What a spreadsheet reads as "this is UTF-8".
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// The columns, in the order in which [`row`] fills them.
const COLUMNS: [&str; 20] = [
    "severity",
    "severity_rule",
    "change_type",
    "diff_kind",
    "policy_type",
    "display_name",
    "subject_key",
    "facet",
    "path",
    "kind",
    "before",
    "after",
    "baseline_id",
    "current_id",
    "baseline_file",
    "current_file",
    "matched_by",
    "confidence",
    "fingerprint",
    "recurrence_key",
];

/// Writes the drift as CSV after RFC 4180 in UTF-8. A subject without changes gets one row, so that no
/// drift is missing from the sheet. Cells hold the words of the JSON format, to be filtered by.
#[must_use]
pub(crate) fn csv(report: &Report) -> Vec<u8> {
    let header = std::iter::once(COLUMNS.map(Cow::Borrowed));
    let rows = report.drift.iter().flat_map(|drift| {
        let no_changes = drift.changes.is_empty().then(|| row(drift, None));
        no_changes.into_iter().chain(drift.changes.iter().map(|change| row(drift, Some(change))))
    });
    document(header.chain(rows))
}

/// The cells of one row.
type Row<'r> = [Cow<'r, str>; COLUMNS.len()];

#[expect(clippy::expect_used, reason = "memory takes every byte, and all rows have one length")]
fn document<'r>(rows: impl Iterator<Item = Row<'r>>) -> Vec<u8> {
    let mut writer = ::csv::WriterBuilder::new()
        .terminator(::csv::Terminator::CRLF)
        .from_writer(BYTE_ORDER_MARK.to_vec());
    for cells in rows {
        let cells = cells.iter().map(|cell| defused(cell));
        writer.write_record(cells.map(Cow::into_owned)).expect("a row");
    }
    writer.into_inner().expect("memory")
}

fn row<'r>(drift: &'r Drift, change: Option<&'r Change>) -> Row<'r> {
    let side = |version: &'r Option<Version>, of: fn(&'r Version) -> Option<&'r str>| {
        version.as_ref().and_then(of).unwrap_or_default().into()
    };
    let id = |version: &'r Version| version.external_id.as_deref();
    let file = |version: &'r Version| Some(version.source_file.as_str());
    [
        drift.severity.as_str().into(),
        drift.severity_rule.into(),
        drift.change_type.as_str().into(),
        drift.diff_kind.as_str().into(),
        drift.policy_type.as_str().into(),
        drift.display_name.as_str().into(),
        drift.subject_key.as_str().into(),
        change.map_or("", |change| change.facet.as_str()).into(),
        change.map_or("", |change| change.path.as_str()).into(),
        change.map_or("", |change| words::kind(change.kind)).into(),
        cell(change.and_then(|change| change.before.as_ref())),
        cell(change.and_then(|change| change.after.as_ref())),
        side(&drift.baseline, id),
        side(&drift.current, id),
        side(&drift.baseline, file),
        side(&drift.current, file),
        drift.matched_by.map_or("", MatchedBy::as_str).into(),
        drift.confidence.map(|confidence| confidence.to_string()).unwrap_or_default().into(),
        drift.fingerprint.as_str().into(),
        drift.recurrence_key.as_str().into(),
    ]
}

/// A string stands for itself, everything else as JSON; nothing is cut, a sheet is for evaluation.
fn cell(value: Option<&Value>) -> Cow<'_, str> {
    match value {
        None => "".into(),
        Some(Value::String(text)) => text.as_str().into(),
        Some(other) => other.to_string().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::sample;

    fn rows(report: &Report) -> Vec<Vec<String>> {
        let bytes = super::csv(report);
        let text = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap();
        ::csv::Reader::from_reader(text)
            .records()
            .map(|row| row.unwrap().iter().map(str::to_owned).collect())
            .collect()
    }

    #[test]
    fn formulas_are_defused_and_text_is_not_touched() {
        for formula in [
            "=1+1",
            "+1",
            "-1",
            "@SUM(A1)",
            "\t=1",
            "\r",
            "\tx",
            " =1",
            "\"=1",
            "'=1",
            "\" \t=1",
            "\u{200b}=1",
            "\u{feff}@x",
            "\n=cmd|'/c calc'!A1",
            "＝1",
        ] {
            assert_eq!(defused(formula), format!("'{formula}"), "{formula:?}");
        }
        for text in ["", "Win - Device", "a=b", "'quoted'", "10", "\"x\"", "{\"a\":-1}", " x"] {
            assert_eq!(defused(text), text, "{text:?}");
        }
    }

    #[test]
    fn every_cell_of_every_row_is_defused() {
        let mut report = sample::report();
        let drift = &mut report.drift[0];
        drift.display_name = "=HYPERLINK(\"http://evil.example\",\"x\")".to_owned();
        drift.changes.truncate(1);
        drift.changes[0].path = "@x".to_owned();
        drift.changes[0].before = Some(serde_json::json!(-7));
        drift.changes[0].after = Some(serde_json::json!("+7"));
        let rows = rows(&report);
        let row = &rows[0];
        assert_eq!(row[5], "'=HYPERLINK(\"http://evil.example\",\"x\")");
        assert_eq!((row[8].as_str(), row[10].as_str(), row[11].as_str()), ("'@x", "'-7", "'+7"));
    }

    #[test]
    fn rows_end_with_crlf_and_every_subject_has_one() {
        let mut report = sample::report();
        report.drift[1].changes.clear();
        let bytes = super::csv(&report);
        assert!(bytes.starts_with(b"\xef\xbb\xbfseverity,severity_rule,change_type,"));
        assert!(bytes.ends_with(b"\r\n"));
        let rows = rows(&report);
        let expected: usize = report.drift.iter().map(|drift| drift.changes.len().max(1)).sum();
        assert_eq!(rows.len(), expected);
        for drift in &report.drift {
            assert!(rows.iter().any(|row| row[18] == drift.fingerprint), "{}", drift.display_name);
        }
    }
}
