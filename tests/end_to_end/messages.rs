//! Messages that come twice, in another order, damaged, too often, or from a newer program.

use crate::people::Workspace;
use crate::world::World;
use plumbline_tests::policies::{FEATURE, many};
use serde_json::{Value, json};

/// The settings that name the queues.
pub(crate) const COMPARE: &str = "PLUMBLINE_QUEUE_COMPARE";
pub(crate) const DEAD_COMPARE: &str = "PLUMBLINE_DEAD_COMPARE";

/// The message of a run.
pub(crate) fn message(
    workspace: &Workspace<'_>,
    tenant: &str,
    run: &str,
    run_type: &str,
) -> String {
    json!({
        "v": 1, "kind": "run", "workspace": workspace.id, "tenant": tenant, "run": run,
        "run_type": run_type,
    })
    .to_string()
}

/// A message that only a newer program understands.
fn newer(workspace: &Workspace<'_>) -> String {
    json!({ "v": 2, "kind": "tide", "workspace": workspace.id, "moon": "full" }).to_string()
}

/// Waits until a queue is as it should be: messages that can be seen, and that are hidden.
fn holds(world: &World, queue: &str, expected: (u64, u64)) {
    let what = format!("{queue} holds {expected:?}");
    world.until(&what, || (world.waiting(queue) == expected).then_some(()));
}

/// A workspace with a profile, and a tenant that differs in three policies.
fn governed<'w>(world: &'w World, person: &str) -> (Workspace<'w>, String, String) {
    let workspace = Workspace::new(world, person);
    let (profile, _) = workspace.golden(&[FEATURE], &many(10, 0));
    let tenant = workspace.governed("Contoso", &profile, &many(10, 3));
    (workspace, profile, tenant)
}

/// How a run failed.
fn reason(run: &Value) -> (&str, &str) {
    assert_eq!(run["outcome"], "failed", "{run}");
    let failure = &run["failure"];
    (failure["reason_code"].as_str().unwrap(), failure["message"].as_str().unwrap())
}

#[test]
fn f06_f07_a_message_that_comes_again_and_again() {
    let world = World::new();
    let (workspace, _, tenant) = governed(&world, "olga");
    world.deliver("compare", false);
    let run = workspace.compare(&tenant);
    let again = message(&workspace, &tenant, &run, "baseline_compare");
    // With the one that the API sent, four of the same at once, over several workers.
    world.enqueue(COMPARE, &workspace.id, &[again.clone(), again.clone(), again.clone()]);
    world.deliver("compare", true);
    let ended = workspace.ended(&tenant, &run);
    assert_eq!(ended["outcome"], "succeeded", "{ended}");
    let drift = workspace.drift(&tenant);
    assert_eq!(drift.len(), 3, "{drift:?}");
    assert!(drift.iter().all(|one| one.2 == 1), "{drift:?}");
    // And once more, when everything is over.
    world.enqueue(COMPARE, &workspace.id, &[again.clone(), again]);
    holds(&world, DEAD_COMPARE, (0, 0));
    world.until("the repeated messages are read", || {
        let (seen, _) = world.waiting(COMPARE);
        (seen == 0).then_some(())
    });
    assert_eq!(workspace.run(&tenant, &run), ended);
    assert_eq!(workspace.drift(&tenant), drift);
}

#[test]
fn f08_messages_in_another_order() {
    let world = World::new();
    let (workspace, _, tenant) = governed(&world, "olga");
    world.deliver("compare", false);
    let first = workspace.compare(&tenant);
    workspace.ask("POST", &format!("/tenants/{tenant}/runs/{first}/cancel"), "");
    workspace.import(&tenant, &many(10, 1));
    let second = workspace.compare(&tenant);
    assert_ne!(first, second);
    // The first message is taken away, and comes after the second.
    let url = world.setting("deadletter", COMPARE);
    world.account().call("sqs", "purge_queue", &json!({ "QueueUrl": url }));
    let body = |run: &str| message(&workspace, &tenant, run, "baseline_compare");
    world.enqueue(COMPARE, &workspace.id, &[body(&second)]);
    world.deliver("compare", true);
    let ended = workspace.ended(&tenant, &second);
    assert_eq!(ended["outcome"], "succeeded", "{ended}");
    let (before, cancelled) = (workspace.drift(&tenant), workspace.run(&tenant, &first));
    assert_eq!((before.len(), &cancelled["outcome"]), (1, &json!("cancelled")));
    world.enqueue(COMPARE, &workspace.id, &[body(&first)]);
    holds(&world, COMPARE, (0, 0));
    assert_eq!(workspace.drift(&tenant), before);
    assert_eq!(workspace.run(&tenant, &first), cancelled);
    assert_eq!(workspace.run(&tenant, &second), ended);
}

/// A message that can never be done is given up at once; one that nobody can read, too.
#[test]
fn f13_a_message_that_cannot_be_done() {
    let world = World::new();
    let (workspace, _, tenant) = governed(&world, "olga");
    world.deliver("compare", false);
    let run = workspace.compare(&tenant);
    let url = world.setting("deadletter", COMPARE);
    world.account().call("sqs", "purge_queue", &json!({ "QueueUrl": url }));
    let wrong = message(&workspace, &tenant, &run, "baseline_capture");
    world.enqueue(COMPARE, &workspace.id, &[wrong, "hunter2 is no message".to_owned()]);
    world.deliver("compare", true);
    let ended = workspace.ended(&tenant, &run);
    let (code, said) = reason(&ended);
    assert_eq!(code, "poison_message");
    assert!(said.contains("baseline_capture") && said.contains(&run), "{said}");
    let told = world.until("both letters are told of", || {
        let log = world.log("deadletter");
        let told: Vec<_> = log.into_iter().filter(|line| line.contains("was given up")).collect();
        (told.len() == 2).then_some(told)
    });
    assert!(!told.concat().contains("hunter2"), "{told:?}");
    holds(&world, COMPARE, (0, 0));
    holds(&world, DEAD_COMPARE, (0, 0));
    // The tenant is free for the next compare.
    let next = workspace.compare(&tenant);
    assert_eq!(workspace.ended(&tenant, &next)["outcome"], "succeeded");
}

/// A message that brings its worker down each time is delivered five times, and then its run ends.
#[test]
fn f13_a_message_that_is_delivered_too_often() {
    let world = World::new();
    let (workspace, _, tenant) = governed(&world, "olga");
    world.hide_for(COMPARE, 1);
    world.change("compare", &[("PLUMBLINE_DEAD_COMPARE", "")], &json!({}));
    let run = workspace.compare(&tenant);
    let ended = workspace.ended(&tenant, &run);
    let (code, said) = reason(&ended);
    assert_eq!(code, "poison_message");
    assert_eq!(said, plumbline_ports::queue::exhausted());
    holds(&world, COMPARE, (0, 0));
    holds(&world, DEAD_COMPARE, (0, 0));
}

/// Ten messages in one batch, and one of them cannot be done now: the nine others are done.
#[test]
fn f15_one_of_a_batch() {
    let world = World::new();
    let workspace = Workspace::new(&world, "olga");
    let (profile, _) = workspace.golden(&[FEATURE], &many(10, 0));
    let tenants: Vec<String> = (0..9)
        .map(|at| workspace.governed(&format!("Tenant {at}"), &profile, &many(10, at)))
        .collect();
    world.deliver("compare", false);
    let mapping = world.mapping("compare");
    let whole = json!({ "UUID": mapping["UUID"], "BatchSize": 10, "Enabled": false });
    world.account().call("lambda", "update_event_source_mapping", &whole);
    let runs: Vec<String> = tenants.iter().map(|tenant| workspace.compare(tenant)).collect();
    world.enqueue(COMPARE, &workspace.id, &[newer(&workspace)]);
    world.deliver("compare", true);
    for (at, (tenant, run)) in tenants.iter().zip(&runs).enumerate() {
        assert_eq!(workspace.ended(tenant, run)["outcome"], "succeeded");
        assert_eq!(workspace.drift(tenant).len(), at);
    }
    holds(&world, COMPARE, (0, 1));
    holds(&world, DEAD_COMPARE, (0, 0));
    let batch = world.mapping("compare")["LastProcessingResult"].clone();
    assert!(batch.as_str().unwrap().contains("9 records, 1 partial"), "{batch}");
}

/// What a newer program sent stays for one that understands it; even from among the dead letters.
#[test]
fn f46_a_message_of_a_newer_program() {
    let world = World::new();
    let workspace = Workspace::new(&world, "olga");
    world.enqueue(COMPARE, &workspace.id, &[newer(&workspace)]);
    holds(&world, COMPARE, (0, 1));
    holds(&world, DEAD_COMPARE, (0, 0));
    let told = world.until("the worker tells of it", || {
        world.log("compare").into_iter().find(|line| line.contains("version 2"))
    });
    assert!(told.contains("upgrade"), "{told}");
    world.enqueue(DEAD_COMPARE, &workspace.id, &[newer(&workspace)]);
    holds(&world, COMPARE, (0, 2));
    holds(&world, DEAD_COMPARE, (0, 0));
}
