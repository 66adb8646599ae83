//! SARIF 2.1.0, for code scanning: one result a drifted subject, one notification for whatever took a
//! verdict away, so that an empty list of results never reads as "all is well".

mod place;
mod state;

use super::json::document;
use super::words::{self, visible};
use place::{Base, location};
use plumbline_governance::badge::Domain;
use plumbline_governance::gap::GapKind;
use plumbline_governance::report::{ChangeType, Drift, Gap, Report, Side, Suppressed};
use plumbline_governance::severity::{RULES, Severity};
use serde_json::{Value, json};
use serde_sarif::sarif::{
    ArtifactLocation, Invocation, Location, Message, MultiformatMessageString, Notification,
    PropertyBag, ReportingConfiguration, ReportingDescriptor, ReportingDescriptorReference, Result,
    ResultLevel, Run, Sarif, Tool, ToolComponent,
};
use std::collections::BTreeMap;

/// The name of the tool, by which the runs of a previous log are told from others'.
const TOOL: &str = "plumbline";
/// Names this exact drift.
const FINGERPRINT: &str = "plumbline/fingerprint/v1";
/// Names the drift of the subject over time.
const RECURRENCE: &str = "plumbline/recurrence/v1";
/// Where the schema of this version is published.
const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// Writes the report as a SARIF log. With the log of a previous compare, results say whether they are
/// new, and results that are proven gone are listed as absent.
#[must_use]
pub(crate) fn sarif(report: &Report, previous: Option<&Sarif>) -> String {
    let mut results: Vec<Result> = report.drift.iter().map(result).collect();
    if let Some(previous) = previous {
        state::compare(&mut results, previous, report);
    }
    let run = Run::builder()
        .tool(tool())
        .invocations(vec![invocation(report)])
        .original_uri_base_ids(base_ids(report))
        .results(results)
        .properties(properties([
            ("schema_version", json!(report.schema_version)),
            ("trust", json!(report.trust)),
            ("baseline_digest", json!(report.baseline.digest)),
            ("current_digest", json!(report.current.digest)),
        ]))
        .build();
    let log = Sarif::builder().schema(SCHEMA).version(json!("2.1.0")).runs(vec![run]).build();
    document(serde_json::to_string_pretty(&log))
}

fn tool() -> Tool {
    let rules = RULES.iter().map(|(id, severity, sentence)| {
        ReportingDescriptor::builder()
            .id(*id)
            .short_description(sentence_of(sentence))
            .default_configuration(
                ReportingConfiguration::builder().level(json!(level(*severity))).build(),
            )
            .properties(properties([("severity", json!(severity))]))
            .build()
    });
    let notifications = GapKind::ALL.iter().filter(|kind| kind.lowers_trust()).map(|kind| {
        ReportingDescriptor::builder()
            .id(gap_id(*kind))
            .short_description(sentence_of(words::gap(*kind).label))
            .build()
    });
    let driver = ToolComponent::builder()
        .name(TOOL)
        .version(env!("CARGO_PKG_VERSION"))
        .short_description(sentence_of("Holds Intune tenants to a golden master."))
        .rules(rules.collect::<Vec<_>>())
        .notifications(notifications.collect::<Vec<_>>())
        .build();
    Tool::builder().driver(driver).build()
}

fn base_ids(report: &Report) -> BTreeMap<String, ArtifactLocation> {
    let base = |base: Base, what: &str, side: &Side| {
        let description = message(&format!("{what}: {}", side.source));
        (base.id().to_owned(), ArtifactLocation::builder().description(description).build())
    };
    BTreeMap::from([
        base(Base::Baseline, "The golden side", &report.baseline),
        base(Base::Current, "The side held to it", &report.current),
    ])
}

fn invocation(report: &Report) -> Invocation {
    let gaps = report.gaps.iter().filter(|gap| gap.kind.lowers_trust()).map(gap_notification);
    let suppressed = report.suppressed.iter().map(suppressed_notification);
    Invocation::builder()
        .execution_successful(true)
        .tool_execution_notifications(gaps.chain(suppressed).collect::<Vec<_>>())
        .build()
}

fn gap_notification(gap: &Gap) -> Notification {
    let base = match gap.side {
        Some("baseline") => Some(Base::Baseline),
        Some("current") => Some(Base::Current),
        _ => None,
    };
    let policy_type = gap.policy_type.as_deref();
    let about = policy_type.map(|name| format!(" ({name})")).unwrap_or_default();
    let text = format!("{}{about}: {}", words::gap(gap.kind).label, gap.detail);
    notification(
        gap.kind,
        &text,
        location(base, &gap.source_file),
        [("policy_type", json!(policy_type)), ("side", json!(gap.side))],
    )
}

fn suppressed_notification(subject: &Suppressed) -> Notification {
    let base = subject.change_type.and_then(|kind| match kind {
        ChangeType::MissingPolicy => Some(Base::Baseline),
        ChangeType::UnexpectedPolicy => Some(Base::Current),
        ChangeType::DifferentVersion => None,
    });
    let text = format!(
        "No verdict on {} ({}): {}",
        subject.display_name, subject.policy_type, subject.reason
    );
    notification(
        subject.gap,
        &text,
        location(base, &subject.source_file),
        [("policy_type", json!(subject.policy_type)), ("suppressed", json!(subject.change_type))],
    )
}

/// A warning, whatever the gap: an error would say that the compare could not run.
fn notification<const N: usize>(
    kind: GapKind,
    text: &str,
    location: Option<Location>,
    bag: [(&str, Value); N],
) -> Notification {
    let mut notification = Notification::builder()
        .level(json!("warning"))
        .message(message(text))
        .descriptor(ReportingDescriptorReference::builder().id(gap_id(kind)).build())
        .properties(properties(bag))
        .build();
    notification.locations = location.map(|location| vec![location]);
    notification
}

fn result(drift: &Drift) -> Result {
    let change = words::change_type(drift.change_type).label;
    let text = format!(
        "{} ({}): {change}. {}. {}",
        drift.display_name,
        drift.policy_type,
        words::short(drift),
        words::rule(drift.severity_rule)
    );
    let sides = [(Base::Current, &drift.current), (Base::Baseline, &drift.baseline)];
    let mut places = sides
        .into_iter()
        .filter_map(|(base, version)| location(Some(base), &version.as_ref()?.source_file));
    // A missing policy has no file on the current side and stands where the baseline holds it.
    let main: Vec<Location> = places.next().into_iter().collect();
    let related: Vec<Location> = places.collect();
    let mut result = Result::builder()
        .rule_id(drift.severity_rule)
        .level(level(drift.severity))
        .message(message(text.trim_end()))
        .locations(main)
        .partial_fingerprints(BTreeMap::from([
            (FINGERPRINT.to_owned(), drift.fingerprint.clone()),
            (RECURRENCE.to_owned(), drift.recurrence_key.clone()),
        ]))
        .properties(properties([
            ("severity", json!(drift.severity)),
            ("change_type", json!(drift.change_type)),
            ("diff_kind", json!(drift.diff_kind)),
            ("policy_type", json!(drift.policy_type)),
            ("subject_key", json!(drift.subject_key)),
            ("display_name", json!(drift.display_name)),
            ("facets", json!(drift.facets)),
            ("matched_by", json!(drift.matched_by)),
            ("confidence", json!(drift.confidence)),
            ("direction", json!(drift.direction)),
            ("changes", json!(drift.changes.len())),
        ]))
        .build();
    result.related_locations = (!related.is_empty()).then_some(related);
    result.rule_index = rule_index(drift.severity_rule);
    result
}

fn rule_index(id: &str) -> Option<i64> {
    let at = RULES.iter().position(|(known, ..)| *known == id)?;
    i64::try_from(at).ok()
}

fn level(severity: Severity) -> ResultLevel {
    match severity {
        Severity::High => ResultLevel::Error,
        Severity::Medium => ResultLevel::Warning,
        Severity::Low => ResultLevel::Note,
    }
}

fn gap_id(kind: GapKind) -> String {
    format!("{}.{}", Domain::CompareGap.name(), kind.as_str())
}

/// A plain text message. Braces would be placeholders and `[…](…)` a link, and a policy may have such
/// a name: the former are doubled, the latter torn apart.
fn message(text: &str) -> Message {
    let text = visible(text).replace('{', "{{").replace('}', "}}").replace("](", "] (");
    Message::builder().text(text).build()
}

fn sentence_of(text: &str) -> MultiformatMessageString {
    MultiformatMessageString::builder().text(text).build()
}

/// A property bag without the members that are null.
fn properties<const N: usize>(members: [(&str, Value); N]) -> PropertyBag {
    let members: BTreeMap<String, Value> = members
        .into_iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    PropertyBag::builder().additional_properties(members).build()
}

#[cfg(test)]
mod tests;
