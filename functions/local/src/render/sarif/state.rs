//! What became of the results of the previous log.

use super::{FINGERPRINT, RECURRENCE, TOOL, rule_index};
use plumbline_governance::report::Report;
use serde_json::json;
use serde_sarif::sarif::{PropertyBag, Result, ResultKind, ResultLevel, Sarif};
use std::collections::BTreeMap;

/// Gives every result its `baselineState` and appends the results that are not there any more.
///
/// What is not there is absent only when the compare could have found it. Where it could not, the
/// result is carried on as `open`, which is SARIF's word for "not enough information": a file that
/// cannot be read must not close what it hides.
pub(super) fn compare(results: &mut Vec<Result>, previous: &Sarif, report: &Report) {
    // Two subjects may share a recurrence key (two versions of one policy); their fingerprints differ.
    let mut before: BTreeMap<&str, Vec<&Result>> = BTreeMap::new();
    previous
        .runs
        .iter()
        .filter(|run| run.tool.driver.name == TOOL)
        .flat_map(|run| run.results.iter().flatten())
        .filter(|result| result.baseline_state.as_ref() != Some(&json!("absent")))
        .filter_map(|result| Some((print(result, RECURRENCE)?, result)))
        .for_each(|(key, result)| before.entry(key).or_default().push(result));
    for result in results.iter_mut() {
        let same = print(result, FINGERPRINT);
        let olds = print(result, RECURRENCE).and_then(|key| before.get_mut(key));
        let state = olds.and_then(|olds| {
            let at = olds.iter().position(|old| print(old, FINGERPRINT) == same)?;
            olds.remove(at);
            Some("unchanged")
        });
        result.baseline_state = state.map(|state| json!(state));
    }
    for result in results.iter_mut().filter(|result| result.baseline_state.is_none()) {
        let olds = print(result, RECURRENCE).and_then(|key| before.get_mut(key));
        let old = olds.filter(|olds| !olds.is_empty()).map(|olds| olds.remove(0));
        result.baseline_state = Some(json!(if old.is_some() { "updated" } else { "new" }));
    }
    results.extend(before.into_values().flatten().map(|old| gone(old, report)));
}

fn print<'r>(result: &'r Result, name: &str) -> Option<&'r str> {
    result.partial_fingerprints.as_ref()?.get(name).map(String::as_str)
}

/// Copies what names the result; indexes into the previous log would lead astray.
fn gone(old: &Result, report: &Report) -> Result {
    let mut result = Result::builder().message(old.message.clone()).build();
    result.rule_id.clone_from(&old.rule_id);
    result.rule_index = old.rule_id.as_deref().and_then(rule_index);
    result.level = old.level;
    result.locations.clone_from(&old.locations);
    result.related_locations.clone_from(&old.related_locations);
    result.partial_fingerprints.clone_from(&old.partial_fingerprints);
    result.properties.clone_from(&old.properties);
    if could_be_found(old.properties.as_ref(), report) {
        result.kind.clone_from(&old.kind);
        result.baseline_state = Some(json!("absent"));
    } else {
        result.kind = Some(ResultKind::Open);
        result.level = Some(ResultLevel::None);
        result.baseline_state = Some(json!("updated"));
    }
    result
}

/// Tells whether the compare proved the whole type of a result of the previous log.
fn could_be_found(properties: Option<&PropertyBag>, report: &Report) -> bool {
    let policy_type = properties
        .and_then(|bag| bag.additional_properties.get("policy_type"))
        .and_then(serde_json::Value::as_str);
    let Some(policy_type) = policy_type else { return false };
    let in_doubt = report
        .gaps
        .iter()
        .filter(|gap| gap.kind.lowers_trust())
        .any(|gap| gap.policy_type.as_deref().is_none_or(|of| of == policy_type))
        || report.suppressed.iter().any(|subject| subject.policy_type == policy_type);
    !in_doubt && report.summary.by_type.contains_key(policy_type)
}
