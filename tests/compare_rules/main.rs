//! The rules of a compare, a row each: what stands on both sides, what is asked, and the whole verdict in
//! words. The number of a row is its place in the contracts; "D" is the domain reference.

mod build;
mod coverage;
mod identity;
mod naming;
mod references;
mod roles;
mod secrets;
mod severity;

use plumbline_governance::compare::CompareOptions;
use plumbline_governance::report::{Drift, Facet, Report};
use plumbline_tests::{Files, compare_files};
use serde_json::Value;
use std::fmt::Write as _;

/// One row of a table.
struct Row {
    rule: &'static str,
    baseline: Files,
    current: Files,
    options: CompareOptions,
    verdict: Vec<&'static str>,
}

/// Starts a row: a rule and the files of both sides.
fn row(rule: &'static str, baseline: &[(&str, Value)], current: &[(&str, Value)]) -> Row {
    Row {
        rule,
        baseline: build::side(baseline),
        current: build::side(current),
        options: CompareOptions::default(),
        verdict: Vec::new(),
    }
}

/// A row of one document a side.
fn pair(rule: &'static str, baseline: Value, current: Value) -> Row {
    row(rule, &[("b.json", baseline)], &[("c.json", current)])
}

impl Row {
    /// Sets options.
    fn asking(mut self, ask: impl FnOnce(&mut CompareOptions)) -> Self {
        ask(&mut self.options);
        self
    }

    /// Counts all three facets.
    fn all_facets(self) -> Self {
        self.asking(|options| {
            options.facets = vec![Facet::Content, Facet::Label, Facet::Assignments];
        })
    }

    /// Declares sides complete.
    fn complete(mut self, baseline: bool, current: bool) -> Self {
        self.baseline.complete = baseline;
        self.current.complete = current;
        self
    }

    /// Adds a file as bytes to the golden side.
    fn baseline_file(mut self, name: &str, bytes: &str) -> Self {
        self.baseline.files.insert(name.to_owned(), bytes.as_bytes().to_vec());
        self
    }

    /// Adds a file as bytes to the other side.
    fn current_file(mut self, name: &str, bytes: &str) -> Self {
        self.current.files.insert(name.to_owned(), bytes.as_bytes().to_vec());
        self
    }

    /// The whole verdict: drift, changes, suppressed subjects, gaps, pairs and trust, in this order.
    fn gives(mut self, verdict: &[&'static str]) -> Self {
        self.verdict = verdict.to_vec();
        self
    }

    fn report(&self) -> Report {
        compare_files(&self.baseline, &self.current, &self.options)
    }
}

/// Judges every row and names all that are wrong.
#[track_caller]
fn check(rows: Vec<Row>) {
    let mut wrong = Vec::new();
    for row in rows {
        let found = words(&row.report());
        if found != row.verdict {
            wrong.push(format!(
                "\n{}\n  expected:\n    {}\n  found:\n    {}",
                row.rule,
                row.verdict.join("\n    "),
                found.join("\n    ")
            ));
        }
    }
    assert!(wrong.is_empty(), "{} rows are wrong:{}", wrong.len(), wrong.join("\n"));
}

/// A report in words, a line a fact.
fn words(report: &Report) -> Vec<String> {
    let mut out = Vec::new();
    for drift in &report.drift {
        out.push(drift_in_words(drift));
        for change in &drift.changes {
            let shown =
                |value: &Option<Value>| value.as_ref().map_or("-".to_owned(), Value::to_string);
            let kind = serde_json::to_value(change.kind).ok();
            out.push(format!(
                ". {} {}: {} {} to {}",
                change.facet.as_str(),
                change.path,
                kind.as_ref().and_then(Value::as_str).unwrap_or("?"),
                shown(&change.before),
                shown(&change.after)
            ));
        }
    }
    for one in &report.suppressed {
        out.push(format!(
            "no verdict on {} {}: {} would be {}",
            one.policy_type,
            one.display_name,
            one.gap.as_str(),
            one.change_type.map_or("anything", |kind| kind.as_str())
        ));
    }
    for gap in &report.gaps {
        out.push(format!(
            "gap {} {} {} {}",
            gap.kind.as_str(),
            gap.side.unwrap_or("both"),
            gap.policy_type.as_deref().unwrap_or("-"),
            gap.source_file
        ));
    }
    for pair in &report.pairs {
        out.push(format!(
            "pair {} = {} by {} {}",
            pair.baseline,
            pair.current,
            pair.matched_by.as_str(),
            pair.confidence
        ));
    }
    out.push(format!("{}, {} unchanged", report.trust.as_str(), report.summary.unchanged));
    out
}

fn drift_in_words(drift: &Drift) -> String {
    let mut out = format!(
        "{} {} {}: {} {} {}",
        drift.change_type.as_str(),
        drift.policy_type,
        drift.display_name,
        drift.diff_kind.as_str(),
        drift.severity.as_str(),
        drift.severity_rule
    );
    if let Some(direction) = drift.direction {
        let word = serde_json::to_value(direction).ok();
        let _ = write!(out, ", {}", word.as_ref().and_then(Value::as_str).unwrap_or("?"));
    }
    if let (Some(by), Some(confidence)) = (drift.matched_by, drift.confidence) {
        let _ = write!(out, ", by {} {confidence}", by.as_str());
    }
    if let Some(other) = &drift.possibly_same_as {
        let _ = write!(out, ", possibly {other}");
    }
    out
}
