//! Requests that are sent twice (F41, F42).

use crate::world::{Call, World};
use serde_json::json;

fn tenants(world: &World, at: &str) -> usize {
    let answer = world.send_as("olga", Call::get(format!("{at}/tenants?limit=200")));
    answer.json()["items"].as_array().unwrap().len()
}

#[test]
fn f41_a_replayed_post_is_answered_again_and_not_done_again() {
    let world = World::new();
    let north = world.holding("olga");
    let at = format!("/v1/workspaces/{}", north.workspace);
    let before = tenants(&world, &at);
    let new = |name: &str| Call::post(format!("{at}/tenants"), json!({ "name": name }));
    let first = world.send_as("olga", new("Fabrikam").header("idempotency-key", "k1"));
    assert_eq!(first.status, 201, "{}", first.text());
    let again = world.send_as("olga", new("Fabrikam").header("idempotency-key", "k1"));
    assert_eq!((again.status, again.json()), (201, first.json()));
    assert_eq!(again.header("location"), first.header("location"));
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(tenants(&world, &at), before + 1);
    // Another body under the same key.
    let other = world.send_as("olga", new("Contoso").header("idempotency-key", "k1"));
    assert_eq!((other.status, other.problem().as_str()), (422, "idempotency_key_reused"));
    // The key of another caller, another route and another workspace is another key.
    let south = world.holding("sven");
    let there = format!("/v1/workspaces/{}/tenants", south.workspace);
    let elsewhere = world.send_as(
        "sven",
        Call::post(there, json!({ "name": "Fabrikam" })).header("idempotency-key", "k1"),
    );
    assert_eq!(elsewhere.status, 201, "{}", elsewhere.text());
    let profile = Call::post(format!("{at}/profiles"), json!({ "name": "P" }))
        .header("idempotency-key", "k1");
    assert_eq!(world.send_as("olga", profile).status, 201);
    // After a day the key is free.
    world.clock.advance_seconds(25 * 3600);
    let late = world.send_as("olga", new("Contoso").header("idempotency-key", "k1"));
    assert_eq!(late.status, 201, "{}", late.text());
}

#[test]
fn f41_a_replayed_run_is_the_same_run() {
    let world = World::new();
    let north = world.holding("olga");
    let compare = || {
        Call::new(
            "POST",
            format!("/v1/workspaces/{}/tenants/{}/compare", north.workspace, north.first),
        )
        .header("idempotency-key", "night shift")
    };
    // A key is one word.
    assert_eq!(world.send_as("olga", compare()).problem(), "bad_request");
    let compare = || {
        Call::new(
            "POST",
            format!("/v1/workspaces/{}/tenants/{}/compare", north.workspace, north.first),
        )
        .header("idempotency-key", "night-shift")
    };
    let first = world.send_as("olga", compare());
    assert_eq!(first.status, 202, "{}", first.text());
    world.runtime.block_on(world.drain());
    let again = world.send_as("olga", compare());
    assert_eq!(again.json()["run"]["id"], first.json()["run"]["id"]);
    let without = Call::new(
        "POST",
        format!("/v1/workspaces/{}/tenants/{}/compare", north.workspace, north.first),
    );
    let without = world.send_as("olga", without);
    assert_ne!(without.json()["run"]["id"], first.json()["run"]["id"]);
}

/// The reply is lost and the client tries again without a key: the run that is active is given back.
#[test]
fn f42_a_lost_reply_without_a_key_starts_no_second_run() {
    let world = World::new();
    let north = world.holding("olga");
    let compare = || {
        Call::new(
            "POST",
            format!("/v1/workspaces/{}/tenants/{}/compare", north.workspace, north.first),
        )
    };
    let first = world.send_as("olga", compare()).json();
    let again = world.send_as("olga", compare()).json();
    assert_eq!((&again["run"]["id"], &again["was_active"]), (&first["run"]["id"], &json!(true)));
    assert_eq!(first["was_active"], json!(false));
}

/// What was refused did nothing, so its key is free for the corrected request.
#[test]
fn a_refused_request_leaves_its_key_free() {
    let world = World::new();
    let north = world.holding("olga");
    let path = format!("/v1/workspaces/{}/tenants", north.workspace);
    let send = |name: &str| {
        let call = Call::post(&path, json!({ "name": name })).header("idempotency-key", "k");
        world.send_as("olga", call).status
    };
    assert_eq!(send(""), 422);
    assert_eq!(send("Fabrikam"), 201);
}

#[test]
fn keys_that_are_none() {
    let world = World::new();
    let north = world.holding("olga");
    let path = format!("/v1/workspaces/{}/tenants", north.workspace);
    for (key, is_good) in
        [("", false), (&"k".repeat(1_000), false), (&"k".repeat(200), true), ("\u{fc}", false)]
    {
        let call = Call::post(&path, json!({ "name": "Fabrikam" })).header("idempotency-key", key);
        let answer = world.send_as("olga", call);
        assert_eq!(answer.status, if is_good { 201 } else { 400 }, "{key}: {}", answer.text());
    }
}

/// Another revision is another request, though path and body are the same.
#[test]
fn a_key_with_another_if_match_is_of_another_request() {
    let world = World::new();
    let north = world.holding("olga");
    let path = format!("/v1/workspaces/{}/tenants/{}/archive", north.workspace, north.second);
    let archive = |revision: &str| {
        let call = Call::new("POST", &path).header("idempotency-key", "archive-1");
        world.send_as("olga", call.header("if-match", revision))
    };
    assert_eq!(archive("*").status, 200);
    assert_eq!(archive("*").header("idempotent-replayed"), Some("true"));
    for revision in ["\"r1\"", ""] {
        let other = archive(revision);
        assert_eq!((other.status, other.problem().as_str()), (422, "idempotency_key_reused"));
    }
}
