//! Bad inputs by name: one message with the next step, exit code 1, nothing changed.

use super::World;

#[test]
fn a_data_directory_that_is_none() {
    let world = World::new();
    world.write("file", "x").write("others/notes.txt", "x");
    world
        .line("workspace list --data file")
        .fails("`file` is a file, not a directory; name a directory with --data");
    world.line("workspace list --data others").fails(
        "`others` holds other files and is no data directory of plumbline; name a new or empty directory \
         with --data",
    );
}

#[test]
fn facts_and_scopes_that_are_none() {
    let world = World::governed();
    world.write("facts.json", r#"{"tenant": 1}"#).write("scope.json", r#"{"policy_types": ["x"]}"#);
    world
        .line("tenant add New --facts facts.json")
        .fails_with(&["facts.json holds no tenant facts"]);
    world
        .line("tenant add New --facts nowhere.json")
        .fails_with(&["cannot read the tenant facts nowhere.json"]);
    let refused = "the scope scope.json is refused: `x` is not a policy type; `plumbline policy-types` lists them";
    world.line("profile create New --scope scope.json").fails(refused);
    world.line("assign --tenant Other --profile Gold --scope scope.json").fails(refused);
    world.write("roles.json", r#"{"foundation_types": ["intuneRoleDefinition"]}"#);
    world.line("assign --tenant Other --profile Gold --scope roles.json").fails(
        "with the scope roles.json: `intuneRoleDefinition` is not in the profile's scope; an override can \
         only narrow it",
    );
    world
        .line("profile create New --severity policy.nothing=low")
        .fails("`policy.nothing` is no severity rule; every finding names the rule that rated it");
    world
        .line("profile create New --severity policy.missing=grave")
        .fails_with(&["`grave` is no severity; it is low, medium or high"]);
    world.line("profile edit Gold").fails_with(&["nothing is to be changed"]);
}

#[test]
fn steps_in_the_wrong_order() {
    let world = World::with_tenants();
    world.line("profile create Gold").with(0);
    world.line("profile activate Gold").fails("the profile has no snapshot; capture one first");
    world.line("assign --tenant Other --profile Gold").fails(
        "the profile `Gold` is not active but draft; activate it first (`plumbline profile activate`)",
    );
    world.line("capture --profile Gold --tenant Golden").fails(
        "the capture of `Golden` is blocked: the source tenant was never imported; import it first \
         (`plumbline import`)",
    );
    world
        .line("compare --tenant Other")
        .fails("the tenant `Other` is held to no profile; assign one first (`plumbline assign`)");
    world.line("compare --all").fails(
        "no tenant is held to a profile; assign one first (`plumbline assign --tenant TENANT --profile PROFILE`)",
    );
    world.policies("golden", "1");
    world.line("import --tenant Golden golden").with(0);
    world.line("capture --profile Gold --tenant Golden").fails_with(&[
        "the capture of `Golden` is blocked: a baseline needs every type",
        "--coverage",
    ]);
    let run = &world.line("runs --tenant golden --format json").json()[0];
    assert_eq!((&run["outcome"], &run["type"]), (&"blocked".into(), &"baseline_capture".into()));
    let id = run["id"].as_str().expect("an id");
    world.line(&format!("run cancel {id}")).fails(&format!("the run {id} ended already (blocked)"));
}

#[test]
fn a_compare_without_inventory() {
    let world = World::governed();
    world.line("compare --tenant Other").fails(
        "the compare of `Other` is blocked: the tenant was never imported; import it first (`plumbline import`)",
    );
    // Of many, the reason stands in the table; the exit code says that one failed.
    let done = world.line("compare --all");
    assert_eq!((done.code, &*done.err), (Some(1), ""));
    assert!(done.out.contains("Blocked") && done.out.contains("never imported"), "{}", done.out);
}

#[test]
fn imports_that_are_none() {
    let world = World::with_tenants();
    world.write("cut.json", "{\"a\":").write("notes.txt", "x").write("empty/notes.txt", "x");
    world.write("cut.ndjson", "{\"a\":1}\n\n{\"a\":");
    world.policies("good", "1");
    let nothing = "nothing was imported and the tenant's state is as it was";
    for (path, message) in [
        ("nowhere", "cannot open nowhere; name a folder of exported policies: No such file or directory (os error 2)".to_owned()),
        ("cut.json", "cut.json is no JSON: line 1, column 5: the JSON ends too early; the file is cut off, export it again; nothing was imported".to_owned()),
        ("notes.txt", "notes.txt ends neither in .json nor in .ndjson or .jsonl; rename it, or pipe it in and name - as the path".to_owned()),
        ("empty", "empty holds no .json, .ndjson or .jsonl file; name the folder that an export wrote".to_owned()),
        ("cut.ndjson", "cut.ndjson, line 3: the object that begins here is cut off; send all of it; nothing was imported".to_owned()),
        ("good cut.ndjson", "cut.ndjson/cut.ndjson, line 3: the object that begins here is cut off; send all of it; nothing was imported".to_owned()),
        ("-", format!("standard input holds no policy; {nothing}")),
    ] {
        world.line(&format!("import --tenant Other {path}")).fails(&message);
    }
    world.fed("import --tenant Other -", "garbage").fails(
        "standard input, line 1: a JSON object is expected, but `g` is found; nothing was imported",
    );
    for (options, message) in [
        (
            "--coverage nonsense",
            "`nonsense` is not a policy type; `plumbline policy-types` lists them",
        ),
        (
            "--coverage complete,unknown",
            "--coverage is either `complete` or a list of policy types, not both",
        ),
        (
            "--coverage ,",
            "--coverage is empty; it is complete, unknown, or policy types with commas",
        ),
        (
            "--confirm-empty nonsense",
            "`nonsense` is not a policy type; `plumbline policy-types` lists them",
        ),
    ] {
        world.line(&format!("import --tenant Other good {options}")).fails(message);
    }
    let shown = world.line("tenant show other --format json").json();
    assert!(shown["state"].is_null(), "{shown}");
}

#[test]
fn a_type_that_falls_to_none() {
    let world = World::governed();
    world.write(
        "few/x.json",
        super::feature("X", 9, "1")
            .to_string()
            .replace("windowsFeatureUpdateProfiles", "windowsQualityUpdateProfiles"),
    );
    world.line("import --tenant Golden few --coverage complete").fails(
        "the import of `Golden` is blocked: the tenant had several windowsFeatureUpdateProfile and now has \
         none; if that is so, import again with --confirm-empty windowsFeatureUpdateProfile",
    );
    world
        .line("import --tenant Golden few --coverage complete --confirm-empty windowsFeatureUpdateProfile")
        .with(0);
}

#[test]
fn actions_that_a_finding_does_not_allow() {
    let world = World::governed();
    let (_, findings) = world.night("9");
    let id = findings[0]["id"].as_str().expect("an id").to_owned();
    let run = |line: &str| world.line(&line.replace("ID", &id));
    run("finding accept ID --reason x --until tomorrow")
        .fails("`tomorrow` is no date; write year, month and day such as 2026-12-31");
    run("finding accept ID --reason x --until 2020-01-01").fails(
        "the acceptance would end at 2020-01-02T00:00:00Z, which is past; give a later date",
    );
    run("finding accept ID").fails_with(&["--reason"]);
    world.run(&["finding", "close", &id, "--reason", " "]).fails("the reason is empty; give one");
    run("finding reopen ID --reason x")
        .fails("the finding is new, so it cannot be reopened; it is open");
    run("finding acknowledge ID --severity high").fails(
        "--profile, --status, --severity, --type and --change-type go with --all --tenant TENANT",
    );
    run("finding acknowledge --all").fails_with(&["--tenant"]);
    run("findings --type nonsense")
        .fails("`nonsense` is not a policy type; `plumbline policy-types` lists them");
    run("finding acknowledge ID --tenant Golden")
        .fails(&format!("the finding {id} is of another tenant than `Golden`"));
    assert_eq!(world.night("1").0, Some(0));
    run("finding close ID --reason x").fails(
        "the finding is resolved, so it cannot be closed; there is no drift; it reopens by itself if the \
         drift returns",
    );
    // Of several, what cannot be done is left, and the exit code says so.
    let both = run("finding acknowledge ID ID");
    assert_eq!((both.code, &*both.err), (Some(1), ""));
    assert!(both.out.contains("left as it is"), "{}", both.out);
    run("audit --since yesterday").fails_with(&["`yesterday` is no date"]);
    run("audit --since 2999-01-01").fails_with(&["--since lies in the future"]);
}

#[test]
fn what_is_put_away_stays_so() {
    let world = World::governed();
    world.line("tenant archive Other").with(0);
    world.line("tenant archive Other").fails("the tenant `Other` is archived");
    world.policies("other", "1");
    world
        .line("import --tenant Other other")
        .fails("the tenant `Other` is archived; nothing is imported for it");
    world.line("profile archive Gold").with(0);
    world.line("profile draft Gold").fails_with(&["archived", "final"]);
    world
        .line("capture --profile Gold --tenant Golden")
        .fails_with(&["the profile `Gold` is archived, which is final"]);
    world
        .line("collect --delete --grace 1")
        .fails("a grace of 1 hours is too short: a run may last longer; give at least 24");
}
