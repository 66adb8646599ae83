//! Every format is valid for its readers.

use super::{World, drifted, drifted_with_gap, equal, equal_with_gap, feature, run, samples};
use serde_json::{Value, json};
use std::path::Path;

fn sample_compare(more: &str) -> super::Run {
    run(&samples(), &format!("compare --baseline golden --current tenant {more}"))
}

#[track_caller]
fn assert_valid(schema: &Value, what: &str, document: &Value) {
    let validator = jsonschema::validator_for(schema).expect("a schema");
    let errors: Vec<String> = validator
        .iter_errors(document)
        .map(|error| format!("{what}: {error} at {}", error.instance_path()))
        .collect();
    assert_eq!(errors, [""; 0]);
}

fn compare_schema() -> Value {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/schemas/compare.schema.json");
    serde_json::from_str(&std::fs::read_to_string(path).expect("the schema")).expect("JSON")
}

/// Reports of many shapes: drift of every kind, gaps, notes, suppressed subjects, pairs, nothing at all.
fn reports() -> Vec<(&'static str, Value)> {
    let all = "--format json --facets content,label,assignments";
    let facts = "--baseline-tenant golden-tenant.json --current-tenant tenant-tenant.json";
    let empty = World::new();
    empty.policy("b/same.json", &feature("Same", 1, "1")).folder("c");
    vec![
        ("samples", sample_compare(all).json()),
        ("samples, complete", sample_compare(&format!("{all} {facts} --complete both")).json()),
        (
            "samples, turned",
            run(&samples(), &format!("compare --baseline tenant --current golden {all}")).json(),
        ),
        (
            "samples, literal",
            sample_compare(&format!("{all} --references literal --match name")).json(),
        ),
        ("demo", run(&samples(), "demo compare --format json").json()),
        ("equal", equal().compare(all).json()),
        ("equal with a gap", equal_with_gap().compare(all).json()),
        ("drifted", drifted().compare(all).json()),
        ("drifted with a gap", drifted_with_gap().compare(all).json()),
        ("empty", empty.compare(all).json()),
        ("diff", drifted().run("diff b/changed.json c/changed.json --format json").json()),
    ]
}

#[test]
fn json_keeps_its_schema() {
    let schema = compare_schema();
    for (what, report) in reports() {
        assert_valid(&schema, what, &report);
    }
}

/// The demo's report, byte for byte: names and order of members, digests, fingerprints, evidence. What
/// changes here changes for every reader.
#[test]
fn json_of_the_demo_is_as_it_was() {
    insta::assert_snapshot!("demo", run(&samples(), "demo compare --format json").out);
}

/// Counts in the summary are counts of the lists.
#[test]
fn json_counts_what_it_lists() {
    for (what, report) in reports() {
        let list = |name: &str| report[name].as_array().expect("a list").clone();
        let (summary, drift) = (&report["summary"], list("drift"));
        let count = |name: &str, value: &str| drift.iter().filter(|one| one[name] == value).count();
        for kind in ["missing_policy", "different_version", "unexpected_policy"] {
            assert_eq!(summary[kind], count("change_type", kind), "{what}: {kind}");
        }
        for severity in ["high", "medium", "low"] {
            assert_eq!(
                summary["by_severity"][severity],
                count("severity", severity),
                "{what}: {severity}"
            );
        }
        assert_eq!(summary["suppressed"], list("suppressed").len(), "{what}");
        let unchanged = summary["unchanged"].as_u64().expect("a count");
        assert_eq!(summary["compared"], unchanged + drift.len() as u64, "{what}");
        let notes = ["not_a_policy", "unsupported_type"];
        let gaps = list("gaps")
            .iter()
            .filter(|gap| !notes.contains(&gap["kind"].as_str().expect("a kind")))
            .count();
        assert_eq!(summary["gaps"], gaps, "{what}");
        assert_eq!(report["trust"] == "full", gaps == 0, "{what}");
        let by_type = summary["by_type"].as_object().expect("types");
        let total =
            |name: &str| by_type.values().filter_map(|counts| counts[name].as_u64()).sum::<u64>();
        assert_eq!(
            (total("unchanged"), total("baseline")),
            (unchanged, report["baseline"]["policies"].as_u64().expect("a count")),
            "{what}"
        );
    }
}

/// The schema is no rubber stamp: a member more, a member less and a wrong word are refused.
#[test]
fn the_schema_refuses_what_is_wrong() {
    let schema = compare_schema();
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let good = drifted_with_gap().compare("--format json").json();
    assert!(validator.is_valid(&good));
    let spoil = |pointer: &str, value: Option<Value>| {
        let mut bad = good.clone();
        let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
        let parent = bad.pointer_mut(parent).expect("a place").as_object_mut().expect("an object");
        match value {
            Some(value) => parent.insert(name.to_owned(), value),
            None => parent.remove(name),
        };
        bad
    };
    let mut places = vec![
        ("/extra", Some(json!(1))),
        ("/trust", Some(json!("green"))),
        ("/schema_version", Some(json!("0.9"))),
        ("/drift/0/current", Some(Value::Null)),
        ("/drift/0/changes", Some(json!([]))),
        ("/drift/0/confidence", Some(json!(0.5))),
        ("/drift/0/fingerprint", Some(json!("ABC"))),
        ("/drift/0/changes/0/kind", Some(json!("moved"))),
        ("/drift/0/baseline/source_file", Some(json!("/etc/passwd"))),
        ("/gaps/0/side", Some(json!("left"))),
    ];
    for object in [
        "",
        "/baseline",
        "/summary",
        "/summary/by_severity",
        "/drift/0",
        "/drift/0/baseline",
        "/drift/0/changes/0",
        "/gaps/0",
    ] {
        assert!(
            !validator.is_valid(&spoil(&format!("{object}/extra"), Some(json!(1)))),
            "{object}/extra"
        );
    }
    places.push(("/summary/gaps", None));
    places.push(("/drift/0/severity_rule", None));
    for (place, value) in places {
        assert!(!validator.is_valid(&spoil(place, value)), "{place}");
    }
}

/// The schema that the crate of the SARIF types was generated from, out of that crate's sources.
fn sarif_schema() -> Value {
    let answer = std::process::Command::new(env!("CARGO"))
        .args(["metadata", "--locked", "--format-version", "1", "--filter-platform", "host-tuple"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo");
    let metadata: Value = serde_json::from_slice(&answer.stdout).expect("JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    let package =
        packages.iter().find(|package| package["name"] == "serde-sarif").expect("serde-sarif");
    let manifest = Path::new(package["manifest_path"].as_str().expect("a path"));
    let text =
        std::fs::read_to_string(manifest.with_file_name("src/schema.json")).expect("the schema");
    // Its pattern of a language has a bracket too many, which is no regular expression of ECMA 262.
    serde_json::from_str(&text.replace("[a-zA-Z]{2}]?$", "[a-zA-Z]{2}$")).expect("JSON")
}

#[test]
fn sarif_keeps_its_schema() {
    let schema = sarif_schema();
    let world = drifted_with_gap();
    let first = world.compare("--format sarif");
    world.write("first.sarif", &first.out).policy("c/changed.json", &feature("Changed", 2, "9"));
    for (what, log) in [
        ("samples", sample_compare("--format sarif --complete both")),
        ("equal", equal().compare("--format sarif")),
        ("equal with a gap", equal_with_gap().compare("--format sarif")),
        ("a second run", world.compare("--format sarif --sarif-baseline first.sarif")),
        ("drifted", first),
    ] {
        let log = log.json();
        assert_eq!(log["version"], "2.1.0", "{what}");
        assert_valid(&schema, what, &log);
    }
}

fn states(log: &Value) -> Vec<(String, String)> {
    let results = log["runs"][0]["results"].as_array().expect("results");
    let mut out: Vec<_> = results
        .iter()
        .map(|one| {
            let name =
                one["properties"]["display_name"].as_str().or(one["message"]["text"].as_str());
            let state = one["baselineState"].as_str().unwrap_or("none");
            (state.to_owned(), name.unwrap_or("?").to_owned())
        })
        .collect();
    out.sort();
    out
}

fn state_names(log: &Value) -> Vec<String> {
    states(log).into_iter().map(|(state, _)| state).collect()
}

/// The previous run's log tells what is new, what was there, what changed again and what is gone.
#[test]
fn sarif_baseline_tells_new_unchanged_updated_and_absent() {
    let world = drifted();
    let log = world.compare("--format sarif");
    assert_eq!(state_names(&log.json()), ["none"], "no state without a previous log");
    world.write("old.sarif", &log.out);
    let again = |world: &World| world.compare("--format sarif --sarif-baseline old.sarif").json();
    assert_eq!(state_names(&again(&world)), ["unchanged"]);
    world.policy("c/extra.json", &feature("Extra", 5, "1"));
    assert_eq!(state_names(&again(&world)), ["new", "unchanged"]);
    world.policy("c/changed.json", &feature("Changed", 2, "3"));
    assert_eq!(state_names(&again(&world)), ["new", "updated"]);
    world.policy("c/changed.json", &feature("Changed", 2, "1"));
    let healed = again(&world);
    assert_eq!(state_names(&healed), ["absent", "new"]);
    // What is gone is named once more and then not again.
    world.write("old.sarif", healed.to_string());
    assert_eq!(state_names(&again(&world)), ["unchanged"]);
    // A file that cannot be read must not close what it may hide.
    let world = drifted();
    world.write("old.sarif", world.compare("--format sarif").out);
    world.write("c/changed.json", "{");
    assert_eq!(state_names(&again(&world)), ["updated"]);
}

/// Two subjects under one recurrence key (two versions of one policy, both gone) are two results: the
/// same input gives nothing new.
#[test]
fn sarif_baseline_tells_subjects_of_one_recurrence_key_apart() {
    let world = equal();
    world
        .policy("b/one.json", &feature("Twin - v1.0", 5, "1"))
        .policy("b/two.json", &feature("Twin - v2.0", 6, "2"));
    world.write("old.sarif", world.compare("--format sarif").out);
    let again = world.compare("--format sarif --sarif-baseline old.sarif").json();
    assert_eq!(state_names(&again), ["unchanged", "unchanged"]);
}

#[test]
fn csv_parses_and_holds_every_drift() {
    for (what, done, report) in [
        ("samples", sample_compare("--format csv"), sample_compare("--format json").json()),
        ("drifted", drifted().compare("--format csv"), drifted().compare("--format json").json()),
        ("equal", equal().compare("--format csv"), equal().compare("--format json").json()),
    ] {
        let text = done.out.strip_prefix('\u{feff}').expect("a byte order mark");
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let header = reader.headers().expect("a header").clone();
        let at = |name: &str| header.iter().position(|column| column == name).expect("a column");
        let rows: Vec<csv::StringRecord> =
            reader.records().map(|row| row.expect("a row")).collect();
        let drift = report["drift"].as_array().expect("a list");
        let expected: usize =
            drift.iter().map(|one| one["changes"].as_array().expect("a list").len().max(1)).sum();
        assert_eq!(rows.len(), expected, "{what}");
        for one in drift {
            let found =
                rows.iter().any(|row| row.get(at("fingerprint")) == one["fingerprint"].as_str());
            assert!(found, "{what}: {}", one["display_name"]);
        }
    }
}

#[test]
fn html_needs_nothing_and_runs_nothing() {
    for (what, page) in [
        ("samples", sample_compare("--format html --complete both").out),
        ("gaps", drifted_with_gap().compare("--format html").out),
        ("equal", equal().compare("--format html").out),
    ] {
        let lower = page.to_lowercase();
        assert!(lower.starts_with("<!doctype html>"), "{what}");
        assert!(lower.trim_end().ends_with("</html>"), "{what}");
        for active in [
            "<script",
            "<iframe",
            "<object",
            "<embed",
            "<form",
            "javascript:",
            " onload=",
            " onclick=",
            " onerror=",
        ] {
            assert!(!lower.contains(active), "{what}: {active}");
        }
        for outside in
            ["src=", "srcset=", "<link", "@import", "url(", "href=\"http", "href=\"//", "action="]
        {
            assert!(!lower.contains(outside), "{what}: {outside}");
        }
        assert!(lower.contains("@media print"), "{what}: printable");
    }
}

/// Every drifted and every suppressed policy and every gap stands in what people read.
#[test]
fn text_and_html_name_everything() {
    let report = sample_compare("--format json --complete both").json();
    for format in ["text", "html"] {
        let page = sample_compare(&format!("--format {format} --complete both")).out;
        let squeezed: String = page.split_whitespace().collect::<Vec<_>>().join(" ");
        for list in ["drift", "suppressed"] {
            for one in report[list].as_array().expect("a list") {
                let name = one["display_name"].as_str().expect("a name");
                assert!(squeezed.contains(name), "{format}: {name}");
            }
        }
        for gap in report["gaps"].as_array().expect("a list") {
            let file = gap["source_file"].as_str().expect("a file");
            // Of notes, the page for a terminal shows the first.
            let note = ["not_a_policy", "unsupported_type"]
                .contains(&gap["kind"].as_str().expect("a kind"));
            assert!(note && format == "text" || squeezed.contains(file), "{format}: {file}");
        }
    }
    let text = drifted_with_gap().compare("").out;
    for word in [
        "Changed",
        "featureUpdateVersion",
        "windowsQualityUpdateProfile/bad.json",
        "export it again",
    ] {
        assert!(text.contains(word), "{word}: {text}");
    }
}
