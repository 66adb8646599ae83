//! Exit codes: 0 proven equal, 2 drift, 3 no drift but not proven, 1 error.

use super::{World, drifted, drifted_with_gap, equal, equal_with_gap, feature};

#[track_caller]
fn codes(world: &World, expected: &[(&str, i32)]) {
    let found: Vec<(&str, Option<i32>)> =
        expected.iter().map(|(more, _)| (*more, world.compare(more).code)).collect();
    let expected: Vec<_> = expected.iter().map(|(more, code)| (*more, Some(*code))).collect();
    assert_eq!(found, expected);
}

#[test]
fn proven_equal() {
    codes(
        &equal(),
        &[
            ("", 0),
            ("--strict", 0),
            ("--allow-gaps", 0),
            ("--fail-on low", 0),
            ("--fail-on never", 0),
        ],
    );
}

#[test]
fn drift() {
    codes(
        &drifted(),
        &[
            ("", 2),
            ("--strict", 2),
            ("--allow-gaps", 2),
            ("--fail-on low", 2),
            ("--fail-on medium", 2),
            ("--fail-on high", 0),
            ("--fail-on never", 0),
        ],
    );
}

#[test]
fn not_proven() {
    codes(
        &equal_with_gap(),
        &[
            ("", 3),
            ("--strict", 3),
            ("--allow-gaps", 0),
            ("--fail-on high", 3),
            ("--fail-on never", 3),
            ("--fail-on never --allow-gaps", 0),
        ],
    );
}

#[test]
fn drift_beside_a_gap() {
    codes(
        &drifted_with_gap(),
        &[
            ("", 2),
            ("--strict", 3),
            ("--allow-gaps", 2),
            ("--fail-on medium", 2),
            ("--fail-on high", 3),
            ("--fail-on high --strict", 3),
            ("--fail-on high --allow-gaps", 0),
            ("--fail-on never", 3),
        ],
    );
}

/// High and low drift at the thresholds.
#[test]
fn each_severity_at_its_threshold() {
    let missing = equal();
    missing.policy("b/gone.json", &feature("Gone", 9, "1"));
    codes(
        &missing,
        &[("", 2), ("--fail-on medium", 2), ("--fail-on high", 2), ("--fail-on never", 0)],
    );
    let unexpected = equal();
    unexpected.policy("c/extra.json", &feature("Extra", 9, "1"));
    codes(&unexpected, &[("", 2), ("--fail-on medium", 0), ("--fail-on high", 0)]);
}

/// Notes lower nothing: a manifest beside the policies is no reason for 3, even with `--strict`.
#[test]
fn notes_are_no_gaps() {
    let world = equal();
    world.write("b/manifest.json", "{\"exported\": 1}").write("c/README.md", "# read me");
    codes(&world, &[("", 0), ("--strict", 0)]);
}

/// What a folder is declared to be decides about a type that it lacks.
#[test]
fn complete_folders() {
    let world = equal();
    let quality = serde_json::json!({
        "@odata.context": "https://graph.microsoft.com/beta/$metadata#deviceManagement/windowsQualityUpdateProfiles/$entity",
        "id": "q", "displayName": "Q", "assignments": [],
    });
    world.policy("b/q.json", &quality);
    codes(
        &world,
        &[
            ("", 3),
            ("--complete none", 3),
            ("--complete baseline", 3),
            ("--complete current", 2),
            ("--complete both", 2),
            ("--complete current --strict", 2),
        ],
    );
}

/// An empty folder proves nothing, unless it is declared to be all there is.
#[test]
fn an_empty_current_folder() {
    let world = World::new();
    world.policy("b/same.json", &feature("Same", 1, "1")).folder("c");
    codes(&world, &[("", 3), ("--allow-gaps", 0), ("--complete current", 2)]);
}

/// Options reach the compare.
#[test]
fn options_are_heard() {
    let world = World::new();
    let renamed = feature("New", 1, "1");
    world.policy("b/one.json", &feature("Old", 1, "1")).policy("c/one.json", &renamed);
    codes(
        &world,
        &[
            ("--facets content", 0),
            ("--facets content,label", 2),
            ("--facets content --match id", 0),
            ("--facets content --match name", 2),
            ("--facets content --match base-name", 2),
        ],
    );
    let counts = |more: &str| {
        let summary = world.compare(&format!("{more} --format json")).json()["summary"].take();
        (summary["missing_policy"].clone(), summary["different_version"].clone())
    };
    assert_eq!(counts("--match name"), (1.into(), 0.into()));
    assert_eq!(counts("--match id"), (0.into(), 1.into()));
    world.write("scope.json", r#"{"policy_types": ["windowsQualityUpdateProfile"]}"#);
    let scoped = world.compare("--scope scope.json --format json").json();
    assert_eq!(
        (&scoped["baseline"]["policies"], &scoped["drift"]),
        (&0.into(), &serde_json::json!([]))
    );
}

/// A scope in which neither side holds anything proves nothing.
#[test]
fn comparing_nothing_is_not_green() {
    let world = equal();
    world.write("scope.json", r#"{"policy_types": ["windowsQualityUpdateProfile"]}"#);
    codes(&world, &[("--scope scope.json", 3)]);
}
