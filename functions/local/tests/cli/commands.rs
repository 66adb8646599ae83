//! The other commands: `inspect`, `diff`, `policy-types`, `demo`.

use super::{World, drifted, equal, feature, run, samples};
use serde_json::{Value, json};
use std::collections::BTreeSet;

#[test]
fn inspect_a_file() {
    let wifi = "inspect golden/deviceConfiguration/win-device-workshop-wi-fi-v1-0.json";
    let text = run(&samples(), wifi);
    assert_eq!((text.code, &*text.err), (Some(0), ""));
    for line in [
        "file          deviceConfiguration/win-device-workshop-wi-fi-v1-0.json\n",
        "type          deviceConfiguration\n",
        "told by       context\n",
        "baseline      Supported\n",
        "name          Win - Device - Workshop Wi-Fi - v1.0\n",
        "id            82055b46-2aaa-4ffe-829b-8b69546ff0e3\n",
        "\nSecrets taken out (1)\n  /preSharedKey  told by ",
        "\nLeft out (",
    ] {
        assert!(text.out.contains(line), "{line:?} in {}", text.out);
    }
    assert!(!text.out.contains("sample-only-not-a-real-key"), "a secret is never shown");
    let found = run(&samples(), &format!("{wifi} --format json")).json();
    let policies = found["policies"].as_array().expect("a list");
    assert_eq!((policies.len(), &found["gaps"]), (1, &json!([])));
    let one = &policies[0];
    assert_eq!(
        (&one["policy_type"], &one["told_by"]),
        (&json!("deviceConfiguration"), &json!("context"))
    );
    assert_eq!(one["redactions"][0]["pointer"], "/preSharedKey");
    for facet in ["content", "label", "assignments"] {
        assert_eq!(one["facets"][facet].as_str().map(str::len), Some(64), "{facet}");
    }
    let dropped: BTreeSet<&str> = one["dropped"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|one| one["path"].as_str())
        .collect();
    assert!(dropped.contains("lastModifiedDateTime") && dropped.contains("id"), "{dropped:?}");
}

#[test]
fn inspect_a_folder_and_what_is_wrong_in_it() {
    let world = equal();
    world.write("b/cut.json", "{").write("b/notes.txt", "hello");
    let text = world.run("inspect b");
    assert_eq!((text.code, &*text.err), (Some(0), ""));
    for word in [
        "same.json",
        "windowsFeatureUpdateProfile",
        "Same",
        "cut.json",
        "export it again",
        "notes.txt",
    ] {
        assert!(text.out.contains(word), "{word}: {}", text.out);
    }
    let found = world.run("inspect b --format json").json();
    assert_eq!(found["policies"].as_array().map(Vec::len), Some(1));
    let gaps: Vec<_> =
        found["gaps"].as_array().expect("a list").iter().map(|gap| gap["kind"].clone()).collect();
    assert_eq!(gaps, ["unreadable", "not_a_policy"]);
    // Every policy of the samples is told by something.
    let all = run(&samples(), "inspect golden --format json").json();
    for one in all["policies"].as_array().expect("a list") {
        assert!(one["told_by"].is_string(), "{one}");
    }
}

/// The page that holds a policy tells its type, and a role's noise is listed like any other's.
#[test]
fn inspect_tells_pages_and_roles() {
    let world = World::new();
    let metadata = "https://graph.microsoft.com/beta/$metadata#deviceManagement";
    let role = json!({
        "id": "5e11ab1e-0000-4000-8000-000000000001", "displayName": "R", "isBuiltIn": false,
        "isBuiltInRoleDefinition": false, "rolePermissions": [],
    });
    world.policy(
        "page.json",
        &json!({ "@odata.context": format!("{metadata}/roleDefinitions"), "value": [role] }),
    );
    let found = world.run("inspect page.json --format json").json();
    let one = &found["policies"][0];
    assert_eq!(one["told_by"], "context");
    let dropped: Vec<&str> = one["dropped"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|one| one["rule"].as_str())
        .collect();
    assert!(dropped.contains(&"copy of isBuiltIn"), "{dropped:?}");
}

/// Long names of files leave the other columns readable.
#[test]
fn inspect_keeps_its_columns() {
    let world = World::new();
    let file = format!("b/{}.json", "a-long-name-".repeat(8));
    world.policy(&file, &feature("A name of some words", 1, "1"));
    let text = world.run("inspect b").out;
    assert!(text.contains("windowsFeatureUpdateProfile"), "{text}");
    assert!(!world.run("--help").out.contains("one process"), "the help says what it is for");
}

/// What `compare` calls a policy and what `inspect` calls it is one.
#[test]
fn inspect_and_compare_agree() {
    let world = drifted();
    let report = world.compare("--format json").json();
    let found = world.run("inspect c/changed.json --format json").json();
    assert_eq!(
        report["drift"][0]["current"]["content_hash"],
        found["policies"][0]["facets"]["content"]
    );
    assert_eq!(report["drift"][0]["subject_key"], found["policies"][0]["subject_key"]);
}

#[test]
fn diff_of_two_files() {
    let world = World::new();
    world
        .policy("a.json", &feature("One", 1, "1"))
        .policy("same.json", &feature("One", 1, "1"))
        .policy("other.json", &feature("Two", 2, "2"));
    let same = world.run("diff a.json same.json --format json");
    assert_eq!((same.code, &same.json()["summary"]["unchanged"]), (Some(0), &json!(1)));
    // They are one policy because the caller says so, whatever their names and ids.
    let other = world.run("diff a.json other.json --format json");
    assert_eq!(other.code, Some(2));
    let report = other.json();
    assert_eq!(report["drift"].as_array().map(Vec::len), Some(1));
    let paths: Vec<&Value> = report["drift"][0]["changes"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| &one["path"])
        .collect();
    assert_eq!(paths, ["featureUpdateVersion", "displayName"]);
    let text = world.run("diff a.json other.json").out;
    assert!(text.contains("featureUpdateVersion"), "{text}");
    // Targets count too, and ids are values.
    let mut assigned = feature("One", 1, "1");
    assigned["roleScopeTagIds"] = json!(["0", "7"]);
    world.policy("assigned.json", &assigned);
    let report = world.run("diff a.json assigned.json --format json");
    assert_eq!(
        (report.code, &report.json()["drift"][0]["diff_kind"]),
        (Some(2), &json!("assignments_only"))
    );
    // A detail that is not there is no equality.
    let mut unread = feature("One", 1, "1");
    unread.as_object_mut().expect("an object").remove("assignments");
    world.policy("unread.json", &unread);
    assert_eq!(world.run("diff a.json unread.json").code, Some(3));
}

#[test]
fn policy_types() {
    let done = run(&samples(), "policy-types --format json");
    assert_eq!(done.code, Some(0));
    let catalog = done.json();
    let types = catalog["policy_types"].as_array().expect("a list");
    let keys: BTreeSet<&str> = types.iter().filter_map(|one| one["key"].as_str()).collect();
    assert_eq!((types.len(), keys.len()), (77, 77));
    let get = |key: &str| types.iter().find(|one| one["key"] == key).expect("a type");
    assert_eq!(get("settingsCatalogPolicy")["support"], "supported");
    assert_eq!(get("intuneRoleDefinition")["kind"], "foundation");
    assert_eq!(get("intuneRoleAssignment")["support"], "unsupported");
    for one in types.iter().filter(|one| one["support"] != "supported") {
        assert!(one["reason"].is_string(), "{} says why", one["key"]);
    }
    let table = run(&samples(), "policy-types");
    assert_eq!(table.code, Some(0));
    // Nothing parts a key, so that `plumbline policy-types | grep` finds it.
    let parted: Vec<&str> = keys.into_iter().filter(|key| !table.out.contains(key)).collect();
    assert_eq!(parted, [""; 0]);
}

/// The demo finds what was planned, all of it and nothing else, and is no failure.
#[test]
fn demo_finds_the_planned_drift() {
    let planned: Vec<Value> = serde_json::from_slice(
        &std::fs::read(samples().join("planned-drift.json")).expect("the plan"),
    )
    .expect("JSON");
    let done = run(&samples(), "demo compare --format json");
    assert_eq!((done.code, &*done.err), (Some(0), ""));
    let report = done.json();
    let text = |one: &Value, name: &str| one[name].as_str().unwrap_or_default().to_owned();
    let words = |one: &Value, kind: String| {
        (text(one, "change_type"), text(one, "policy_type"), text(one, "display_name"), kind)
    };
    let mut planned: Vec<_> =
        planned.iter().map(|one| words(one, text(one, "diff_kind"))).collect();
    let drift = report["drift"].as_array().expect("a list");
    let mut found: Vec<_> = drift
        .iter()
        .map(|one| {
            let order_only = one["severity_rule"] == "policy.reordered";
            words(one, if order_only { "reordered".to_owned() } else { text(one, "diff_kind") })
        })
        .collect();
    planned.sort();
    found.sort();
    assert_eq!(found, planned);
    let types = report["summary"]["by_type"].as_object().expect("types").len();
    assert!(types >= 12, "{types} types");

    let page = run(&samples(), "demo compare");
    assert_eq!((page.code, &*page.err), (Some(0), ""));
    assert!(page.out.starts_with("Two sample tenants: "), "{}", page.out);
    let squeezed = page.out.split_whitespace().collect::<Vec<_>>().join(" ");
    for (_, _, name, _) in &planned {
        assert!(squeezed.contains(name.as_str()), "{name}");
    }
    // It says what the folders themselves say.
    let facts = "--baseline-tenant golden-tenant.json --current-tenant tenant-tenant.json";
    let folders = run(
        &samples(),
        &format!(
            "compare --baseline golden --current tenant {facts} --complete both --format json"
        ),
    );
    assert_eq!((folders.code, &folders.json()["drift"]), (Some(2), &report["drift"]));
}

/// The demo tells a week in which every turn of a finding's life is seen, and is no failure.
#[test]
fn demo_tells_a_week() {
    let done = run(&samples(), "demo");
    assert_eq!((done.code, &*done.err), (Some(0), ""));
    let mut rest = &*done.out;
    for turn in [
        "captured as the profile Workplace (39 policies)",
        "Night of Monday 2 March",
        "Findings  14 new",
        "Night of Tuesday 3 March",
        "Findings  nothing changed",
        "Night of Wednesday 4 March",
        "Findings  2 resolved",
        "Night of Thursday 5 March",
        "12 policies without a verdict",
        "Night of Friday 6 March",
        "Findings  1 reopened",
        "Eve accepts it",
        "The night of Saturday 7 March was missed",
        "Night of Sunday 8 March",
        "Findings  1 reopened",
        "Reopened  Different version",
        "2026-03-07  Missed",
        "Brightwater    Active  Partly proven   9 medium, 4 low",
    ] {
        let at = rest.find(turn).unwrap_or_else(|| panic!("{turn:?} is not in {rest}"));
        rest = &rest[at + turn.len()..];
    }
}

/// Tenant facts turn the tenant's own ids and domains into placeholders.
#[test]
fn tenant_facts_are_placeholders() {
    let world = World::new();
    let with = |domain: &str| feature("F", 1, &format!("https://intranet.{domain}/start"));
    world
        .policy("b/f.json", &with("alder.example"))
        .policy("c/f.json", &with("bright.example"))
        .write("b-facts.json", r#"{"domains": ["alder.example"]}"#)
        .write("c-facts.json", r#"{"domains": ["bright.example"]}"#);
    let facts = "--baseline-tenant b-facts.json --current-tenant c-facts.json";
    assert_eq!(world.compare("").code, Some(2));
    assert_eq!(world.compare(facts).code, Some(0));
    let report = world.compare(&format!("{facts} --format json")).json();
    assert_eq!(
        (&report["baseline"]["tenant_facts"], &report["current"]["tenant_facts"]),
        (&json!(true), &json!(true))
    );
}

/// A folder that is itself named as a policy type tells the type of its files, and so does the folder
/// above a file that is named.
#[test]
fn a_named_folder_tells_the_type_of_its_files() {
    let world = World::new();
    let plain = r#"{"id": "q", "displayName": "Plain", "featureUpdateVersion": "1"}"#;
    world.write("y/windowsFeatureUpdateProfile/f.json", plain);
    for path in ["y", "y/windowsFeatureUpdateProfile", "y/windowsFeatureUpdateProfile/f.json"] {
        let found = run(world.path(), &format!("inspect {path} --format json")).json();
        assert_eq!(found["policies"][0]["policy_type"], "windowsFeatureUpdateProfile", "{path}");
    }
}

/// One policy in two files, equal in everything, is read once and named in a note.
#[test]
fn one_policy_in_two_files_is_one_policy() {
    let world = World::new();
    let one = r#"{"id": "q", "displayName": "Plain", "featureUpdateVersion": "1"}"#;
    for file in [
        "b/windowsFeatureUpdateProfile/f.json",
        "c/windowsFeatureUpdateProfile/f.json",
        "c/windowsFeatureUpdateProfile/copy.json",
    ] {
        world.write(file, one);
    }
    let done = world.compare("--format json");
    assert_eq!(done.code, Some(0));
    assert_eq!(done.json()["gaps"][0]["kind"], "not_a_policy");
}
