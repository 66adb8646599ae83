//! A finding's life from the first import on.

use super::{World, root};
use serde_json::Value;
use std::path::PathBuf;

fn statuses(findings: &[Value]) -> Vec<(&str, u64)> {
    findings
        .iter()
        .map(|one| {
            (one["status"].as_str().unwrap_or_default(), one["seen"]["times"].as_u64().unwrap_or(0))
        })
        .collect()
}

#[test]
fn drift_is_acknowledged_fixed_broken_again_accepted_and_changed_again() {
    let world = World::governed();
    let (code, findings) = world.night("1");
    assert_eq!((code, statuses(&findings)), (Some(0), vec![]), "an equal tenant is proven equal");

    let (code, findings) = world.night("9");
    assert_eq!((code, statuses(&findings)), (Some(2), vec![("new", 1)]));
    let id = findings[0]["id"].as_str().expect("an id").to_owned();
    let done = world.line(&format!("finding acknowledge {id}")).with(0);
    assert_eq!(done, format!("{}  Acknowledged  One\n", &id[..16]));

    let (code, findings) = world.night("9");
    assert_eq!((code, statuses(&findings)), (Some(2), vec![("acknowledged", 2)]));
    let (code, findings) = world.night("1");
    assert_eq!((code, statuses(&findings)), (Some(0), vec![("resolved", 2)]));
    let (code, findings) = world.night("9");
    assert_eq!((code, statuses(&findings)), (Some(2), vec![("reopened", 3)]));

    // A few letters of the id do.
    let short = &id[..12];
    world.run(&["finding", "accept", short, "--reason", "agreed", "--until", "2999-12-31"]).with(0);
    let (code, findings) = world.night("9");
    assert_eq!((code, statuses(&findings)[0].0), (Some(0), "accepted"), "accepted drift may be so");
    assert_eq!(findings[0]["until"], "3000-01-01T00:00:00Z");
    assert_eq!(findings[0]["by"], "eve");
    let (code, findings) = world.night("8");
    assert_eq!((code, statuses(&findings)[0].0), (Some(2), "reopened"));

    world.run(&["finding", "close", short, "--reason", "no matter"]).with(0);
    let (code, findings) = world.night("7");
    let found: Vec<&str> = statuses(&findings).iter().map(|one| one.0).collect();
    assert_eq!((code, found), (Some(2), vec!["new", "closed"]), "other drift begins anew");

    let shown = world.line(&format!("finding show {id}")).with(0);
    for words in [
        "status       Closed by eve on ",
        "no matter",
        "Medium  Different version  One (windowsFeatureUpdateProfile)",
        "policy.content: A policy's settings differ from the baseline.",
        "~ featureUpdateVersion: \"1\" → \"8\"",
    ] {
        assert!(shown.contains(words), "{words:?} is not in {shown}");
    }
    let audit = world.line("audit --format json").json();
    let actions: Vec<&str> =
        audit.as_array().expect("a list").iter().filter_map(|one| one["action"].as_str()).collect();
    for action in ["finding.acknowledge", "finding.accept", "finding.close", "profile.active"] {
        assert!(actions.contains(&action), "{action}: {actions:?}");
    }
    assert!(world.line("verify").with(0).ends_with("nothing is wrong\n"));
}

#[test]
fn many_findings_at_once() {
    let world = World::governed();
    world.night("9");
    world.write("other/4.json", super::feature("Four", 4, "4").to_string());
    world.line("import --tenant Other other --coverage complete").with(0);
    world.line("compare --all").with(2);
    let of = |line: &str| {
        let list = world.line(line).json();
        list.as_array().expect("a list").len()
    };
    assert_eq!(of("findings --format json"), 2);
    assert_eq!(of("findings --severity low --format json"), 1);
    assert_eq!(of("findings --change-type unexpected_policy --format json"), 1);
    assert_eq!(of("findings --type settingsCatalogPolicy --format json"), 0);
    assert_eq!(of("findings --status resolved,accepted --format json"), 0);
    let done = world.line("finding acknowledge --all --tenant other --severity low").with(0);
    assert!(done.contains("Four") && done.lines().count() == 1, "{done}");
    let done = world.line("finding acknowledge --all --tenant other").with(0);
    assert!(done.contains("One") && done.lines().count() == 1, "only what can be: {done}");
    world.line("finding acknowledge --all --tenant other").fails(
        "2 findings fit the options, and none of them can be acknowledged as it stands; `plumbline findings` \
         lists them",
    );
    assert_eq!(of("findings --status acknowledged --format json"), 2);
    let posture = world.line("posture --tenant other --format json").json();
    assert_eq!(posture[0]["posture"]["by_status"]["acknowledged"], 2);
}

#[test]
fn severities_facets_and_scopes_of_a_profile_count() {
    let world = World::governed();
    world.night("9");
    let tried = world.line("replay --severity policy.content=high --format json").json();
    assert_eq!(tried["findings"][0]["severity_after"], "high");
    world.line("profile edit Gold --severity policy.content=low --rename Silver").with(0);
    world.line("compare --tenant Other --fail-on medium").with(0);
    let findings = world.line("findings --format json").json();
    assert_eq!(findings[0]["drift"]["severity"], "low");
    world.write("narrow.json", r#"{"policy_types": ["settingsCatalogPolicy"]}"#);
    world.line("assign --tenant Other --profile silver --scope narrow.json").with(0);
    world.line("compare --tenant Other");
    let findings = world.line("findings --format json").json();
    assert_eq!(
        (&findings[0]["status"], &findings[0]["because"]),
        (&"resolved".into(), &"out_of_scope".into())
    );
    world.line("unassign --tenant Other").with(0);
    let shown = world.line("tenant show other").with(0);
    assert!(shown.contains("held to     none\n"), "{shown}");
}

#[test]
fn snapshots_are_kept_and_promoted() {
    let world = World::governed();
    world.policies("golden", "5");
    world.line("import --tenant Golden golden --coverage complete").with(0);
    world.line("capture --profile gold --tenant golden").with(0);
    let snapshots = world.line("profile snapshots gold --format json").json();
    let ids: Vec<&str> =
        snapshots.as_array().expect("a list").iter().filter_map(|one| one["id"].as_str()).collect();
    assert_eq!(ids.len(), 2);
    let again = world.line("capture --profile gold --tenant golden").with(0);
    assert!(again.contains("is confirmed"), "{again}");
    assert_eq!(world.night("1").0, Some(2));
    world.line(&format!("profile promote {}", ids[1])).with(0);
    assert_eq!(world.night("1").0, Some(0));
    let table = world.line("profile snapshots gold").with(0);
    let active = table.lines().find(|line| line.contains("compared with")).expect("an active one");
    assert!(active.starts_with(ids[1]), "{table}");
    let runs = world.line("runs --format json").json();
    let first = runs[0]["id"].as_str().expect("an id");
    let shown = world.line(&format!("run show {first}")).with(0);
    assert!(shown.contains("trust") && shown.contains("unchanged 3"), "{shown}");
}

/// The same on exports of published baselines, where they are at hand.
#[test]
fn the_published_baseline() {
    let Some(data) = std::env::var_os("PLUMBLINE_DATA").map(PathBuf::from) else {
        println!("PLUMBLINE_DATA is not set: the published baseline is skipped");
        return;
    };
    // Relative paths are the project's, as everywhere.
    let data = if data.is_absolute() { data } else { root().join(data) };
    let world = World::with_tenants();
    let import = |tenant: &str, folder: &str| {
        let path = data.join(folder).display().to_string();
        world.run(&["import", "--tenant", tenant, &path, "--coverage", "complete"]).with(0)
    };
    import("Golden", "oib-vA");
    world.line("profile create OIB").with(0);
    world.line("capture --profile oib --tenant golden").with(0);
    world.line("profile activate oib").with(0);
    world.line("assign --tenant other --profile oib").with(0);
    import("Other", "oib-vB");
    let found = world.line("compare --tenant other").with(2);
    assert!(found.contains("Findings  17 new"), "{found}");
    world.line("finding acknowledge --all --tenant other --severity high").with(0);
    import("Other", "oib-vA");
    let found = world.line("compare --tenant other").with(0);
    assert!(found.contains("Findings  17 resolved"), "{found}");
    import("Other", "oib-vB");
    let found = world.line("compare --tenant other").with(2);
    assert!(found.contains("Findings  17 reopened"), "{found}");
    world.line("finding accept --all --tenant other --reason agreed").with(0);
    world.line("compare --tenant other").with(0);
    assert!(world.line("verify").with(0).ends_with("nothing is wrong\n"));
}
