//! Names for ids, and which workspace is meant.

use super::World;
use serde_json::Value;

fn id(value: &Value) -> String {
    value["id"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn names_are_folded_and_ids_do_too() {
    let world = World::with_tenants();
    let added = world.run(&["tenant", "add", "Größe  Nord", "--format", "json"]).json();
    let by_id = world.run(&["tenant", "show", &id(&added), "--format", "json"]).json();
    let by_name = world.run(&["tenant", "show", " GRÖSSE nord", "--format", "json"]).json();
    assert_eq!(id(&by_id), id(&by_name));
    world
        .run(&["tenant", "add", "grösse nord"])
        .fails("a tenant of this workspace is called `grösse nord` already; choose another name");
}

#[test]
fn a_name_that_nobody_has() {
    let world = World::with_tenants();
    world
        .line("compare --tenant nowhere")
        .fails("there is no tenant `nowhere`; `plumbline tenant list` shows the 2 there are");
    world
        .line("profile show Gold")
        .fails("there is no profile `Gold`; `plumbline profile list` shows that there is none yet");
    world
        .line("tenant show ten_0190a5c2f0b07c3e8d1f4b6a9c0d2e11")
        .fails("there is no tenant `ten_0190a5c2f0b07c3e8d1f4b6a9c0d2e11`");
    world.line("run show run_0190a5c2f0b07c3e8d1f4b6a9c0d2e11").fails(
        "there is no run `run_0190a5c2f0b07c3e8d1f4b6a9c0d2e11`; `plumbline runs` lists them",
    );
    world
        .line("finding show fnd_00")
        .fails("there is no finding `fnd_00`; `plumbline findings` lists them");
    world.line("finding show 17").fails(
        "`17` is no id of a finding; `plumbline findings` shows them, such as fnd_0190a5c2f0b0",
    );
}

/// One in use goes before those that were put away; of two that were put away, the id decides.
#[test]
fn two_tenants_of_one_name() {
    let world = World::with_tenants();
    let first = id(&world.line("tenant show other --format json").json());
    world.line("tenant archive other").with(0);
    let second = id(&world.line("tenant add Other --format json").json());
    assert_eq!(id(&world.line("tenant show other --format json").json()), second);
    world.line("tenant archive other").with(0);
    world.line("tenant show other").fails(&format!(
        "several tenants are called `other`; give the id of one: {first}, {second}"
    ));
    assert_eq!(id(&world.line(&format!("tenant show {first} --format json")).json()), first);
}

#[test]
fn no_workspace_yet() {
    let world = World::new();
    world
        .line("tenant list")
        .fails("`data` holds no workspace yet; make one with `plumbline workspace create NAME`");
    assert_eq!(world.line("workspace list --format json").json(), Value::Array(Vec::new()));
}

#[test]
fn several_workspaces() {
    let world = World::with_tenants();
    let first = id(&world.line("workspace show --format json").json());
    let second = id(&world.line("workspace create South --format json").json());
    world.line("tenant list").fails(&format!(
        "there are several workspaces; name one with --workspace: `North` ({first}), `South` ({second})"
    ));
    assert_eq!(
        world.line("tenant list --workspace south --format json").json(),
        Value::Array(vec![])
    );
    let north = world.line(&format!("--workspace {first} tenant list --format json")).json();
    assert_eq!(north.as_array().map(Vec::len), Some(2));
    world
        .line("tenant list --workspace East")
        .fails("there is no workspace `East`; `plumbline workspace list` shows the 2 there are");
    let third = id(&world.line("workspace create south --format json").json());
    world.line("tenant list --workspace South").fails(&format!(
        "several workspaces are called `South`; give the id of one: {second}, {third}"
    ));
}

#[test]
fn members_and_schedule() {
    let world = World::with_tenants();
    world.line("workspace member add ann --role operator").with(0);
    let members = world.line("workspace member list").with(0);
    assert!(members.contains("ann") && members.contains("operator") && members.contains("eve"));
    world
        .line("workspace member remove eve")
        .fails("`eve` is the only owner; make somebody else an owner first");
    world.line("workspace member remove ann").with(0);
    world.line("workspace member remove ann").fails("there is no member `ann`");

    let shown = world.line("workspace schedule --time 02:30 --zone Europe/Berlin").with(0);
    assert!(shown.contains("nightly     02:30 Europe/Berlin"), "{shown}");
    world
        .line("workspace schedule --time 2:30 --zone UTC")
        .fails("`2:30` is no time of day; write hours and minutes such as 02:30");
    world
        .line("workspace schedule --time 02:30 --zone Mars")
        .fails("`Mars` is no time zone; write one such as Europe/Berlin or UTC");
    let shown = world.line("workspace schedule --never").with(0);
    assert!(shown.contains("nightly     never"), "{shown}");
}
