use super::*;
use crate::render::sample;
use serde_json::Value;

fn log(report: &Report, previous: Option<&str>) -> Value {
    let previous: Option<Sarif> = previous.map(|text| serde_json::from_str(text).unwrap());
    serde_json::from_str(&sarif(report, previous.as_ref())).unwrap()
}

/// Reads the schema that the crate of the types was generated from, out of that crate's sources.
fn schema() -> Value {
    let answer = std::process::Command::new(env!("CARGO"))
        .args(["metadata", "--locked", "--format-version", "1", "--filter-platform", "host-tuple"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&answer.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let package = packages.iter().find(|package| package["name"] == "serde-sarif").unwrap();
    let manifest = std::path::Path::new(package["manifest_path"].as_str().unwrap());
    let text = std::fs::read_to_string(manifest.with_file_name("src/schema.json")).unwrap();
    // Its pattern of a language has a bracket too many, which is no regular expression of ECMA 262.
    serde_json::from_str(&text.replace("[a-zA-Z]{2}]?$", "[a-zA-Z]{2}$")).unwrap()
}

fn check(logs: &[Value]) {
    let validator = jsonschema::validator_for(&schema()).unwrap();
    for log in logs {
        let errors: Vec<String> = validator
            .iter_errors(log)
            .map(|error| format!("{error} at {}", error.instance_path()))
            .collect();
        assert_eq!(errors, [""; 0]);
    }
}

#[test]
fn logs_are_valid() {
    let mut report = sample::report();
    let first = sarif(&report, None);
    let mut logs = vec![serde_json::from_str(&first).unwrap()];
    report.drift.remove(0);
    report.drift[3].fingerprint = "other".to_owned();
    logs.push(log(&report, Some(&first)));
    report.drift.clear();
    report.gaps.clear();
    report.suppressed.clear();
    logs.push(log(&report, Some(&first)));
    logs.push(log(&report, None));
    check(&logs);
}

#[test]
fn a_result_names_its_rule_its_place_and_itself() {
    let report = sample::report();
    let log = log(&report, None);
    let run = &log["runs"][0];
    assert_eq!(run["tool"]["driver"]["rules"].as_array().unwrap().len(), RULES.len());
    let results = run["results"].as_array().unwrap();
    assert_eq!(results.len(), report.drift.len());
    for (result, drift) in results.iter().zip(&report.drift) {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        let rule = &run["tool"]["driver"]["rules"][index];
        assert_eq!(
            (&rule["id"], &rule["defaultConfiguration"]["level"]),
            (&result["ruleId"], &result["level"])
        );
        assert_eq!(result["partialFingerprints"][FINGERPRINT], drift.fingerprint);
        assert_eq!(result["partialFingerprints"][RECURRENCE], drift.recurrence_key);
        assert_eq!(result["baselineState"], Value::Null);
        let base = match drift.change_type {
            ChangeType::MissingPolicy => "BASELINE",
            _ => "CURRENT",
        };
        let place = &result["locations"][0]["physicalLocation"]["artifactLocation"];
        assert_eq!(place["uriBaseId"], base);
        assert!(run["originalUriBaseIds"][base]["description"]["text"].is_string());
    }
    assert_eq!(results[0]["level"], "error");
}

#[test]
fn names_are_neither_links_nor_placeholders() {
    let log = log(&sample::report(), None);
    let text = log["runs"][0]["results"][7]["message"]["text"].as_str().unwrap();
    assert!(text.contains("[x] (https://evil.example)") && text.contains("{{0}}"), "{text}");
    assert!(text.contains("Temp\\u{{202e}}") && !text.contains('\u{202e}'), "{text}");
}

#[test]
fn what_took_a_verdict_away_is_told() {
    let report = sample::report();
    let log = log(&report, None);
    let invocation = &log["runs"][0]["invocations"][0];
    assert_eq!(invocation["executionSuccessful"], true);
    let told = invocation["toolExecutionNotifications"].as_array().unwrap();
    assert_eq!(told.len(), 4 + report.suppressed.len());
    assert_eq!(told[0]["descriptor"]["id"], "compare.gap.unreadable");
    let place = &told[0]["locations"][0]["physicalLocation"]["artifactLocation"];
    assert_eq!(place["uri"], "deviceConfiguration/vpn%20profile%231.json");
    assert_eq!(place["uriBaseId"], "CURRENT");
    assert_eq!(told[1]["locations"], Value::Null);
}

fn states(log: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let results = log["runs"][0]["results"].as_array().unwrap();
    results.iter().map(|result| (text(&result["baselineState"]), text(&result["kind"]))).collect()
}

#[test]
fn results_know_what_became_of_them() {
    let mut report = sample::report();
    report.gaps.clear();
    report.suppressed.clear();
    report.drift.truncate(4);
    let first = sarif(&report, None);
    report.drift.remove(0);
    report.drift[0].fingerprint = "other".to_owned();
    report.drift[1].recurrence_key = "new".to_owned();
    let second = sarif(&report, Some(&serde_json::from_str(&first).unwrap()));
    let state = |state: &str| (state.to_owned(), String::new());
    let expected = ["updated", "new", "unchanged", "absent", "absent"].map(state);
    assert_eq!(states(&serde_json::from_str(&second).unwrap()), expected);
    // What was absent before is not listed for ever.
    assert_eq!(states(&log(&report, Some(&second))), ["unchanged"; 3].map(state));
}

#[test]
fn nothing_is_absent_without_proof() {
    let mut report = sample::report();
    report.drift.truncate(1);
    let first = sarif(&report, None);
    let policy_type = report.drift.remove(0).policy_type;
    let open = [("updated".to_owned(), "open".to_owned())];
    report.gaps.retain(|gap| !gap.kind.lowers_trust());
    report.suppressed.clear();
    assert_eq!(states(&log(&report, Some(&first)))[0].0, "absent");
    let gap = Gap {
        kind: GapKind::UnknownType,
        policy_type: None,
        side: Some("current"),
        source_file: "x.json".to_owned(),
        detail: String::new(),
    };
    let mut with_gap = report.clone();
    with_gap.gaps.push(gap);
    assert_eq!(states(&log(&with_gap, Some(&first))), open);
    report.summary.by_type.remove(&policy_type);
    assert_eq!(states(&log(&report, Some(&first))), open);
}
