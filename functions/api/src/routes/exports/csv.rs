//! One row a finding, for spreadsheets.

use super::Writer;
use crate::routes::findings::FindingView;
use plumbline_governance::text::defused;

pub(super) struct Csv;

const COLUMNS: [&str; 18] = [
    "severity",
    "status",
    "change_type",
    "diff_kind",
    "policy_type",
    "display_name",
    "tenant",
    "profile",
    "finding",
    "severity_rule",
    "changes",
    "first_seen_at",
    "last_seen_at",
    "times_seen",
    "changed_at",
    "reason",
    "fingerprint",
    "recurrence_key",
];

impl Writer for Csv {
    fn head(&mut self) -> Vec<u8> {
        // A spreadsheet guesses the encoding; this says UTF-8.
        let mut out = "\u{feff}".as_bytes().to_vec();
        out.extend(rows([COLUMNS.map(str::to_owned)].into_iter()));
        out
    }

    fn page(&mut self, findings: &[FindingView]) -> Vec<u8> {
        rows(findings.iter().map(row))
    }

    fn tail(&mut self) -> Vec<u8> {
        Vec::new()
    }
}

#[expect(clippy::expect_used, reason = "memory takes every byte, and all rows have one length")]
fn rows(rows: impl Iterator<Item = [String; COLUMNS.len()]>) -> Vec<u8> {
    let mut writer =
        ::csv::WriterBuilder::new().terminator(::csv::Terminator::CRLF).from_writer(Vec::new());
    for cells in rows {
        writer.write_record(cells.iter().map(|cell| defused(cell).into_owned())).expect("a row");
    }
    writer.into_inner().expect("memory")
}

fn row(view: &FindingView) -> [String; COLUMNS.len()] {
    let (finding, drift) = (&view.finding, &view.finding.drift);
    [
        drift.severity.as_str().to_owned(),
        finding.state.as_str().to_owned(),
        drift.change_type.as_str().to_owned(),
        drift.diff_kind.as_str().to_owned(),
        drift.policy_type.clone(),
        drift.display_name.clone(),
        finding.tenant.to_string(),
        finding.profile.to_string(),
        finding.id.to_string(),
        drift.severity_rule.clone(),
        drift.changes.to_string(),
        finding.first_seen_at.to_string(),
        view.last_seen_at.to_string(),
        view.times_seen.to_string(),
        finding.changed_at.to_string(),
        finding.state.reason().unwrap_or_default().to_owned(),
        drift.fingerprint.to_string(),
        finding.recurrence_key.to_string(),
    ]
}
