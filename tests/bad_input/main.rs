//! The bad-input list: every kind of damaged JSON, odd payload and odd name has a test with the message
//! that a person reads. Nothing here may panic, drop a policy in silence, or invent drift.

#[path = "../compare_rules/build.rs"]
mod build;
mod json_form;
mod names;
mod source_payloads;

use build::{feature, quality, side};
use plumbline_governance::compare::CompareOptions;
use plumbline_governance::gap::GapKind;
use plumbline_governance::report::{ChangeType, Report, Trust};
use plumbline_tests::{Files, compare_files};
use serde_json::Value;

/// The type whose folder holds the bad file.
const TYPE: &str = "windowsFeatureUpdateProfile";
/// The bad file.
const BAD: &str = "windowsFeatureUpdateProfile/bad.json";

/// Two sides around a bad file: one type with an equal policy and one that the current side lacks, and a
/// second type with a difference.
fn world() -> (Files, Files) {
    let baseline = side(&[
        ("windowsFeatureUpdateProfile/equal.json", feature("Equal", 1, "24H2")),
        ("windowsFeatureUpdateProfile/gone.json", feature("Gone", 2, "24H2")),
        ("windowsQualityUpdateProfile/changed.json", quality("Changed", 3, 1)),
    ]);
    let current = side(&[
        ("windowsFeatureUpdateProfile/equal.json", feature("Equal", 1, "24H2")),
        ("windowsQualityUpdateProfile/changed.json", quality("Changed", 3, 2)),
    ]);
    (baseline, current)
}

/// Compares two documents, each the one file of its side.
fn compare_documents(before: &Value, after: &Value) -> Report {
    compare_sides(&side(&[("one.json", before.clone())]), &side(&[("one.json", after.clone())]))
}

/// Compares two sides as `plumbline compare` does without options.
fn compare_sides(baseline: &Files, current: &Files) -> Report {
    compare_files(baseline, current, &CompareOptions::default())
}

/// Compares the world with a file more on the current side.
fn compare_beside(bytes: impl Into<Vec<u8>>) -> Report {
    let (baseline, mut current) = world();
    current.files.insert(BAD.to_owned(), bytes.into());
    compare_sides(&baseline, &current)
}

/// What stands in `drift`, a line each.
fn drift(report: &Report) -> Vec<String> {
    let line = |one: &plumbline_governance::report::Drift| {
        format!("{} {} {}", one.change_type.as_str(), one.policy_type, one.display_name)
    };
    report.drift.iter().map(line).collect()
}

/// The changes of the one drifted policy: path, before and after.
fn changes(report: &Report) -> Vec<(String, Option<Value>, Option<Value>)> {
    let [drift] = report.drift.as_slice() else { panic!("{:?}", drift(report)) };
    drift.changes.iter().map(|c| (c.path.clone(), c.before.clone(), c.after.clone())).collect()
}

/// Asserts that the pair is equal and everything is proven.
#[track_caller]
fn assert_equal(report: &Report) {
    assert_eq!((drift(report), &report.gaps), (Vec::new(), &Vec::new()));
    assert_eq!((report.trust, report.summary.unchanged), (Trust::Full, 1));
}

/// Asserts that a file of the current side is refused with a message: its type is unproven there, so the
/// policy that is not found is not called missing; the other type is judged as if nothing were wrong.
#[track_caller]
fn assert_refused(bytes: impl Into<Vec<u8>>, kind: GapKind, detail: &str) {
    let report = compare_beside(bytes);
    let gaps: Vec<_> = report
        .gaps
        .iter()
        .map(|gap| {
            (gap.kind, gap.side, gap.policy_type.as_deref(), &*gap.source_file, &*gap.detail)
        })
        .collect();
    assert_eq!(gaps, [(kind, Some("current"), Some(TYPE), BAD, detail)]);
    assert_eq!(drift(&report), ["different_version windowsQualityUpdateProfile Changed"]);
    let suppressed: Vec<_> = report
        .suppressed
        .iter()
        .map(|one| (&*one.display_name, one.change_type, one.gap, one.reason.clone()))
        .collect();
    let reason = format!(
        "{TYPE} of the current side is not proven: {BAD} ({})",
        kind.as_str().replace('_', " ")
    );
    assert_eq!(suppressed, [("Gone", Some(ChangeType::MissingPolicy), kind, reason)]);
    assert_eq!((report.trust, report.summary.unchanged), (Trust::PartialSuppressed, 1));
}

/// Without a bad file the policy that is not found *is* missing: what the other tests suppress exists.
#[test]
fn without_a_bad_file_the_policy_is_missing() {
    let (baseline, current) = world();
    let report = compare_sides(&baseline, &current);
    assert_eq!(
        drift(&report),
        [
            "missing_policy windowsFeatureUpdateProfile Gone",
            "different_version windowsQualityUpdateProfile Changed"
        ]
    );
    assert_eq!((report.trust, report.gaps.len()), (Trust::Full, 0));
}
