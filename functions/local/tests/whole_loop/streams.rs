//! The forms in which policies come in: all of them make the same state.

use super::{World, feature};
use serde_json::{Value, json};

fn root(world: &World) -> String {
    let shown = world.line("tenant show other --format json").json();
    shown["state"]["root"].as_str().unwrap_or_default().to_owned()
}

/// One policy a line.
fn ndjson(policies: &[Value]) -> String {
    let lines: Vec<String> = policies.iter().map(Value::to_string).collect();
    lines.join("\n") + "\n"
}

#[test]
fn every_form_makes_the_same_state() {
    let world = World::with_tenants();
    let policies: Vec<Value> = (1..=5).map(|at| feature(&format!("P{at}"), at, "1")).collect();
    for (at, policy) in policies.iter().enumerate() {
        world.write(&format!("folder/{at}.json"), policy.to_string());
    }
    let lines = ndjson(&policies);
    let glued: String = policies.iter().map(Value::to_string).collect();
    let list = json!(policies).to_string();
    let page = json!({
        "@odata.context": "https://graph.microsoft.com/beta/$metadata#deviceManagement/windowsFeatureUpdateProfiles",
        "value": policies,
    })
    .to_string();
    world
        .write("lines.ndjson", &lines)
        .write("marked.jsonl", format!("\u{feff}{lines}"))
        .write("list.json", &list)
        .write("mixed/windowsFeatureUpdateProfile/some.ndjson", &lines)
        .write("half/1.json", policies[0].to_string());
    let rest = ndjson(&policies[1..]);
    world.write("rest.ndjson", rest);

    world.line("import --tenant other folder --coverage complete").with(0);
    let wanted = root(&world);
    assert_eq!(wanted.len(), 64);
    for path in ["lines.ndjson", "marked.jsonl", "list.json", "mixed", "half rest.ndjson"] {
        // Something else between, so that the root must come from this import.
        world.fed("import --tenant other - --coverage complete", policies[0].to_string()).with(0);
        assert_ne!(root(&world), wanted);
        world.line(&format!("import --tenant other {path} --coverage complete")).with(0);
        assert_eq!(root(&world), wanted, "{path}");
    }
    for (form, input) in [("lines", &lines), ("glued", &glued), ("list", &list), ("page", &page)] {
        world.fed("import --tenant other - --coverage complete", policies[0].to_string()).with(0);
        let done = world.fed("import --tenant other - --coverage complete", input).with(0);
        assert!(done.starts_with("Imported Other: 5 policies"), "{done}");
        assert_eq!(root(&world), wanted, "{form}");
    }
}

#[test]
fn a_page_that_names_a_next_page_proves_nothing() {
    let world = World::governed();
    let page = json!({
        "@odata.context": "https://graph.microsoft.com/beta/$metadata#deviceManagement/windowsFeatureUpdateProfiles",
        "@odata.nextLink": "https://graph.microsoft.com/beta/x?$skiptoken=1",
        "value": [feature("Two", 2, "2")],
    });
    let done = world.fed("import --tenant other - --coverage complete", page.to_string()).with(0);
    for words in ["Succeeded, except:", "Failed", "Incomplete", "standard input:1"] {
        assert!(done.contains(words), "{words:?} is not in {done}");
    }
    let compared = world.line("compare --tenant other");
    assert_eq!(compared.code, Some(3), "{}{}", compared.out, compared.err);
    assert!(compared.out.contains("without a verdict"), "{}", compared.out);
    world.line("compare --tenant other --allow-gaps").with(0);
    assert_eq!(world.line("findings --format json").json(), json!([]));
}

#[test]
fn coverage_by_type_proves_that_type_alone() {
    let world = World::governed();
    world.policies("other", "1");
    std::fs::remove_file(world.path().join("other/3.json")).expect("a file");
    world.line("import --tenant other other").with(0);
    assert_eq!(world.line("compare --tenant other").code, Some(3));
    world.line("import --tenant other other --coverage windowsFeatureUpdateProfile").with(0);
    let done = world.line("compare --tenant other");
    assert_eq!(done.code, Some(2));
    assert!(done.out.contains("Missing policy"), "{}", done.out);
    world.write("other/readme.txt", "hello");
    let done = world.line("import --tenant other other --format json").json();
    assert_eq!(done["run"]["outcome"], "succeeded");
}
