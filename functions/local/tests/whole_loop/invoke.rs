//! `plumbline invoke`: the functions of the cloud over a data directory, with the events of `events/`.

use super::{Done, World, root};
use serde_json::{Value, json};

/// An event with real ids in the place of those that are made up.
fn event(name: &str, ids: &[(&str, &Value)]) -> String {
    let path = root().join("events").join(name).with_extension("json");
    let mut text = std::fs::read_to_string(path).expect("an event");
    for (made_up, id) in ids {
        text = text.replace(made_up, id.as_str().expect("an id"));
    }
    text
}

impl World {
    fn invoke(&self, function: &str, event: &str) -> Done {
        self.write("event.json", event);
        self.line(&format!("invoke {function} event.json"))
    }
}

/// The answer of a function that did its work; what it logs goes to standard error.
#[track_caller]
fn answered(done: &Done) -> Value {
    assert_eq!(done.code, Some(0), "{}", done.err);
    done.json()
}

const WORKSPACE: &str = "wsp_0190a5c2f0b07c3e8d1f4b6a9c0d2e11";
const TENANT: &str = "ten_0190a5c2f0b17c3e8d1f4b6a9c0d2e12";
const RUN: &str = "run_0190a5c2f0b27c3e8d1f4b6a9c0d2e13";

#[test]
fn a_compare_that_was_queued_is_done_by_the_function() {
    let world = World::governed();
    world.policies("other", "2");
    world.line("import --tenant Other other --coverage complete").with(0);
    let queued = world.line("compare --tenant Other --no-wait --format json").json();
    let run = queued.pointer("/id").or_else(|| queued.pointer("/0/id")).expect("a run").clone();
    let shown = world.line(&format!("run show {} --format json", run.as_str().expect("an id"))).json();
    let (workspace, tenant) = (&shown["workspace"], &shown["tenant"]);
    let ids = [(WORKSPACE, workspace), (TENANT, tenant), (RUN, &run)];
    let done = world.invoke("compare", &event("compare", &ids));
    assert_eq!(answered(&done), json!({"batchItemFailures": []}));
    assert!(done.err.contains("succeeded"), "{}", done.err);
    let findings = world.line("findings --tenant Other --format json").json();
    assert_eq!(findings.as_array().map(Vec::len), Some(1), "{findings}");
}

#[test]
fn every_function_answers() {
    let world = World::with_tenants();
    let ticked = world.invoke("schedule", &event("schedule", &[]));
    assert_eq!(answered(&ticked)["nightsStarted"], 0);
    for function in ["capture", "compare"] {
        let done = world.invoke(function, &event(function, &[]));
        assert_eq!(answered(&done), json!({"batchItemFailures": []}), "{function}");
    }
    let letters = world.invoke("deadletter", &event("deadletter", &[]));
    assert_eq!(answered(&letters), json!({"batchItemFailures": []}));
    let newer = world.invoke("compare", &event("compare-newer-version", &[]));
    assert_eq!(answered(&newer)["batchItemFailures"].as_array().map(Vec::len), Some(1));
    // A request is made as the person at the machine, who sees the workspace of this directory.
    let listed = answered(&world.invoke("api", &event("api-get", &[])));
    assert_eq!(listed["statusCode"], 200, "{listed}");
    assert!(listed["body"].as_str().expect("a body").contains("North"), "{listed}");
    let refused = answered(&world.invoke("api", &event("api-no-token", &[])));
    assert_eq!(refused["statusCode"], 401, "{refused}");
}

#[test]
fn what_is_no_event_is_told() {
    let world = World::with_tenants();
    world.line("invoke compare nowhere.json").fails_with(&["nowhere.json", "cannot read"]);
    world.invoke("compare", "{").fails_with(&["event.json", "no JSON", "`events`"]);
    world.invoke("compare", &event("schedule", &[])).fails_with(&["form", "`events`", "Records"]);
    world.invoke("api", &event("schedule", &[])).fails_with(&["form", "`events`"]);
    let nameless = event("compare-no-message-id", &[]);
    world.invoke("compare", &nameless).fails_with(&["messageId", "nothing was done"]);
    world.line("invoke console event.json").fails_with(&["console", "possible values", "deadletter"]);
    world
        .line("invoke compare event.json --server http://127.0.0.1:1")
        .fails_with(&["invoke does not go to a server"]);
}
