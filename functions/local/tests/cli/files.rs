//! What a folder holds besides policies: hidden folders, links, files in any order.

use super::{World, drifted, equal, feature};

/// The working data of a version control system is none of the tenant's.
#[test]
fn hidden_folders_and_files_are_passed_over() {
    let world = equal();
    let plain = world.compare("--format json");
    world
        .policy("c/.git/stray.json", &feature("Stray", 9, "1"))
        .write("c/.git/objects/ab/broken.json", "{")
        .write("b/.hidden.json", "{")
        .write("b/deep/.cache/x.json", "{");
    let hidden = world.compare("--format json");
    assert_eq!((hidden.code, hidden.out), (Some(0), plain.out));
    // A folder that is named is read, whatever its name.
    let named = world.run("compare --baseline c/.git --current c --format json");
    assert_eq!(named.json()["baseline"]["policies"], 1);
}

#[cfg(unix)]
#[test]
fn links_that_loop_are_an_error() {
    let world = equal();
    std::os::unix::fs::symlink(".", world.path().join("c/self")).expect("a link");
    world
        .compare("")
        .fails("cannot list c: File system loop found: c/self points to an ancestor c");
    let world = equal();
    world.folder("c/deep/deeper");
    std::os::unix::fs::symlink("../../../c", world.path().join("c/deep/deeper/up"))
        .expect("a link");
    world
        .compare("")
        .fails("cannot list c: File system loop found: c/deep/deeper/up points to an ancestor c");
}

#[cfg(unix)]
#[test]
fn links_are_followed() {
    let world = World::new();
    world
        .policy("real/one.json", &feature("One", 1, "1"))
        .policy("b/one.json", &feature("One", 1, "1"))
        .folder("c");
    std::os::unix::fs::symlink("../real", world.path().join("c/linked")).expect("a link");
    let done = world.compare("--format json");
    assert_eq!((done.code, &done.json()["summary"]["unchanged"]), (Some(0), &1.into()));
    // One that leads nowhere is no missing policy but an error.
    std::os::unix::fs::symlink("gone.json", world.path().join("c/dead.json")).expect("a link");
    let dead = world.compare("");
    assert_eq!((dead.code, &*dead.out), (Some(1), ""));
    assert!(dead.err.starts_with("plumbline: cannot list c: "), "{}", dead.err);
    assert!(dead.err.contains("c/dead.json"), "{}", dead.err);
}

/// The report does not depend on the order in which a file system lists files, nor on the clock.
#[test]
fn the_report_is_the_same_to_the_byte() {
    let names: Vec<u32> = (1..40).collect();
    let write = |order: &[u32]| {
        let world = World::new();
        for number in order {
            let name = format!("Policy {}", number % 7);
            world.policy(&format!("b/{number}.json"), &feature(&name, *number, "1")).policy(
                &format!("c/{number}.json"),
                &feature(&name, *number, if number % 3 == 0 { "2" } else { "1" }),
            );
        }
        world.write("c/bad.json", "{").write("b/note.txt", "note");
        world
    };
    let turned: Vec<u32> = names.iter().rev().copied().collect();
    let mixed: Vec<u32> = (1..40).map(|n| n * 17 % 40).filter(|n| *n > 0).collect();
    let (first, second, third) = (write(&names), write(&turned), write(&mixed));
    for format in ["text", "json", "csv", "sarif", "html"] {
        let more = format!("--format {format} --facets content,label,assignments");
        let one = first.compare(&more);
        assert!(!one.out.is_empty());
        assert_eq!(one.out, first.compare(&more).out, "{format}: two runs");
        assert_eq!(one.out, second.compare(&more).out, "{format}: written in another order");
        assert_eq!(one.out, third.compare(&more).out, "{format}: written in a third order");
    }
}

/// Secrets are compared under a key of one run; nothing of it may reach the output.
#[test]
fn secrets_do_not_make_two_runs_differ() {
    let world = World::new();
    let wifi = |key: &str| {
        serde_json::json!({
            "@odata.type": "#microsoft.graph.windowsWifiConfiguration", "id": "w", "displayName": "W",
            "ssid": "S", "preSharedKey": key, "assignments": [],
        })
    };
    world.policy("b/w.json", &wifi("planted-one")).policy("c/w.json", &wifi("planted-two"));
    for format in ["text", "json", "csv", "sarif", "html"] {
        let one = world.compare(&format!("--format {format}"));
        assert_eq!(one.code, Some(2));
        assert!(one.out.contains("secret"), "{format}: {}", one.out);
        assert!(!one.out.contains("planted"), "{format}: {}", one.out);
        assert_eq!(one.out, world.compare(&format!("--format {format}")).out, "{format}");
    }
}

/// Folders say nothing about which policies belong together, and endings have no case.
#[test]
fn a_deep_tree_is_read_to_its_end() {
    let world = drifted();
    world
        .policy("b/a/b/c/d/e/f/g.json", &feature("Deep", 7, "1"))
        .policy("c/elsewhere/g.JSON", &feature("Deep", 7, "1"));
    let report = world.compare("--format json").json();
    assert_eq!(report["summary"]["unchanged"], 2);
}

/// A page gives its policies back one by one, and they are the same as in files of their own.
#[test]
fn policies_of_a_page_are_those_of_single_files() {
    let numbers = 1..=50;
    let (single, page) = (World::new(), World::new());
    for (side, version) in [("b", "1"), ("c", "2")] {
        let all: Vec<_> =
            numbers.clone().map(|n| feature(&format!("P{n:02}"), n, version)).collect();
        for (at, one) in all.iter().enumerate() {
            single.policy(&format!("{side}/{at:02}.json"), one);
        }
        page.policy(&format!("{side}/page.json"), &serde_json::json!({ "value": all }));
    }
    let drift = |world: &World| {
        let mut report = world.compare("--format json").json();
        for one in report["drift"].as_array_mut().expect("a list") {
            for side in ["baseline", "current"] {
                one[side]["source_file"].take();
            }
        }
        report["drift"].take()
    };
    let found = drift(&page);
    assert_eq!(found.as_array().map(Vec::len), Some(50));
    assert_eq!(found, drift(&single));
    let inspected = page.run("inspect b --format json").json();
    assert_eq!(inspected["policies"].as_array().map(Vec::len), Some(50));
}
