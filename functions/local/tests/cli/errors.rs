//! Errors: exit code 1, one message on standard error, nothing on standard output.

use super::{World, drifted, equal, feature, run, samples};

#[test]
fn a_folder_that_is_not_there() {
    let world = equal();
    let message = "cannot open nowhere; name a folder of exported policies: No such file or directory (os error 2)";
    world.run("compare --baseline nowhere --current c").fails(message);
    world.run("compare --baseline b --current nowhere").fails(message);
    world.run("inspect nowhere").fails(message);
}

#[test]
fn a_file_instead_of_a_folder() {
    let world = equal();
    let message = "b/same.json is a file; name a folder of exported policies";
    world.run("compare --baseline b/same.json --current c").fails(message);
    world.run("compare --baseline c --current b/same.json").fails(message);
}

#[test]
fn a_folder_without_policies() {
    let world = equal();
    world.folder("empty").write("notes/readme.txt", "hello").write("notes/manifest.json", "{}");
    world.run("compare --baseline empty --current c").fails(
        "empty holds no policy that can be compared; name the folder that an export wrote (`plumbline \
         inspect empty` shows what is in it)",
    );
    world.run("compare --baseline notes --current c").fails(
        "notes holds no policy that can be compared; name the folder that an export wrote (`plumbline \
         inspect notes` shows what is in it)",
    );
    world.run("inspect empty").fails("empty holds no file");
}

#[test]
fn a_scope_that_is_refused() {
    let world = equal();
    let scope = |text: &str| {
        world.write("scope.json", text);
        world.compare("--scope scope.json")
    };
    let shape = "scope.json holds no scope; write {\"policy_types\": [\"…\"], \"foundation_types\": [\"…\"]}: ";
    scope("{").fails(&format!("{shape}EOF while parsing an object at line 1 column 1"));
    scope("").fails(&format!("{shape}EOF while parsing a value at line 1 column 0"));
    scope(r#"{"types": []}"#).fails(&format!(
        "{shape}unknown field `types`, expected `policy_types` or `foundation_types` at line 1 column 8"
    ));
    scope(r#"{"policy_types": ["nonsense"]}"#).fails(
        "the scope scope.json is refused: `nonsense` is not a policy type; `plumbline policy-types` lists them",
    );
    scope(r#"{"policy_types": ["intuneRoleDefinition"]}"#).fails(
        "the scope scope.json is refused: `intuneRoleDefinition` is a foundation; name it in `foundation_types`",
    );
    scope(r#"{"foundation_types": ["settingsCatalogPolicy"]}"#).fails(
        "the scope scope.json is refused: `settingsCatalogPolicy` is a policy; name it in `policy_types`",
    );
    scope(r#"{"foundation_types": ["intuneRoleAssignment"]}"#).fails(
        "the scope scope.json is refused: `intuneRoleAssignment` cannot be part of a baseline: Left out on \
         purpose: members and scopes are people and groups of the tenant, and Graph returns them \
         incompletely.",
    );
    scope(r#"{"policy_types": ["intuneRoleAssignment"]}"#).fails(
        "the scope scope.json is refused: `intuneRoleAssignment` is a foundation; name it in `foundation_types`",
    );
    world
        .compare("--scope nowhere.json")
        .fails("cannot read the scope nowhere.json: No such file or directory (os error 2)");
}

#[test]
fn tenant_facts_that_are_none() {
    let world = equal();
    world.write("facts.json", r#"{"tenant": "x"}"#);
    let shape = "facts.json holds no tenant facts; write {\"tenant_id\": \"…\", \"domains\": [\"…\"], \
                 \"intune_account_id\": \"…\"}: unknown field `tenant`, expected one of `tenant_id`, \
                 `domains`, `intune_account_id` at line 1 column 9";
    world.compare("--baseline-tenant facts.json").fails(shape);
    world.compare("--current-tenant facts.json").fails(shape);
    world.run("inspect b --tenant facts.json").fails(shape);
    world
        .compare("--current-tenant nowhere.json")
        .fails("cannot read the tenant facts nowhere.json: No such file or directory (os error 2)");
}

/// A fact that stands in half of all texts would hide what differs there.
#[test]
fn tenant_facts_that_are_too_short() {
    let world = equal();
    for (facts, message) in [
        (r#"{"tenant_id": "x"}"#, "facts.json: `x` is no id of a tenant; write the whole GUID"),
        (
            r#"{"intune_account_id": "12"}"#,
            "facts.json: `12` is no id of a tenant; write the whole GUID",
        ),
        (
            r#"{"domains": ["com"]}"#,
            "facts.json: `com` is no domain; write a verified domain in full",
        ),
    ] {
        world.write("facts.json", facts);
        world.compare("--baseline-tenant facts.json").fails(message);
    }
}

#[test]
fn a_sarif_baseline_without_sarif() {
    let world = equal();
    world.write("old.sarif", "{}");
    for format in ["", "--format text", "--format json", "--format csv", "--format html"] {
        world
            .compare(&format!("--sarif-baseline old.sarif {format}"))
            .fails("--sarif-baseline needs --format sarif");
    }
    world.compare("--sarif-baseline old.sarif --format sarif").fails(
        "old.sarif is no SARIF log; name the file that a previous run wrote with --format sarif: missing \
         field `runs` at line 1 column 2",
    );
    world
        .compare("--sarif-baseline nowhere.sarif --format sarif")
        .fails("cannot read nowhere.sarif: No such file or directory (os error 2)");
}

/// Whole or not at all: what cannot be written leaves nothing behind and spoils nothing.
#[test]
fn an_output_that_cannot_be_written() {
    let world = drifted();
    world.folder("taken").write("file", "old");
    let before = world.listing();
    for (output, reason) in [
        ("nowhere/out.json", "No such file or directory (os error 2)"),
        ("taken", "Is a directory (os error 21)"),
        ("file/out.json", "Not a directory (os error 20)"),
    ] {
        world
            .compare(&format!("--format json --output {output}"))
            .fails(&format!("cannot write {output}: {reason}"));
        assert_eq!(world.listing(), before, "{output}");
    }
}

/// A wrong option is an error and no drift: clap's own code 2 would be read as drift.
#[test]
fn a_wrong_option() {
    let world = equal();
    for arguments in [
        "compare --baseline b --current c --fail-on critical",
        "compare --baseline b --current c --strict --allow-gaps",
        "compare --baseline b --current c --match fuzzy",
        "compare --baseline b --current c --unknown",
        "nonsense",
        "",
    ] {
        let done = world.run(arguments);
        assert_eq!((done.code, &*done.out), (Some(1), ""), "{arguments}");
        assert!(
            done.err.contains("Usage") || done.err.contains("--help"),
            "{arguments}: {}",
            done.err
        );
    }
    let help = world.run("--help");
    assert_eq!((help.code, &*help.err), (Some(0), ""));
    assert!(help.out.contains("compare") && help.out.contains("demo"));
    assert_eq!(world.run("--version").out, format!("plumbline {}\n", env!("CARGO_PKG_VERSION")));
}

/// The two forms of `compare` exclude each other, and each says what it lacks.
#[test]
fn a_compare_of_neither_form() {
    let world = equal();
    world.run("compare").fails(
        "nothing is named to compare; name two folders (--baseline DIR --current DIR), or tenants of the data \
         directory (--tenant TENANT or --all)",
    );
    world
        .run("compare --baseline b")
        .fails("--current is missing; a compare of folders needs both");
    world
        .run("compare --current b")
        .fails("--baseline is missing; a compare of folders needs both");
    let both = "--baseline and --current compare two folders, --tenant and --all compare tenants of the data \
                directory; name one of the two forms";
    world.run("compare --baseline b --current c --tenant x").fails(both);
    world.run("compare --current c --all").fails(both);
    world
        .run("compare --tenant x --format sarif --data d")
        .fails("with --tenant or --all, --format is table or json");
    assert!(!world.path().join("d").exists(), "nothing was made");
}

/// `diff` says which of the two it cannot take, and why.
#[test]
fn files_that_have_no_difference() {
    let world = World::new();
    world
        .policy("one.json", &feature("One", 1, "1"))
        .write("cut.json", "{")
        .write("manifest.json", "{\"exported\": 1}")
        .write("notes.txt", "hello")
        .write("two.json", format!("[{},{}]", feature("One", 1, "1"), feature("Two", 2, "1")));
    for (file, reason) in [
        (
            "cut.json",
            "line 1, column 1: the JSON ends too early; the file is cut off, export it again",
        ),
        ("manifest.json", "the file holds no policy"),
        ("notes.txt", "only .json files are read"),
        ("two.json", "it holds 2"),
    ] {
        let message = format!("{file} is not one policy that can be compared: {reason}");
        world.run(&format!("diff one.json {file}")).fails(&message);
        world.run(&format!("diff {file} one.json")).fails(&message);
    }
    world.run("diff one.json nowhere.json").fails(
        "cannot open nowhere.json; name a folder of exported policies: No such file or directory (os error 2)",
    );
    let script =
        samples().join("golden/deviceManagementScript/win-script-set-time-server-v1-1.json");
    let done = run(world.path(), &format!("diff one.json {}", script.display()));
    done.fails(&format!(
        "one.json is a windowsFeatureUpdateProfile, {} is a deviceManagementScript; only policies of one type \
         have a difference",
        script.display()
    ));
}
