//! Workers that have no time, or that are killed, in the middle of a run.

use crate::messages::{COMPARE, DEAD_COMPARE};
use crate::people::Workspace;
use crate::proxy::{Fate, Proxy};
use crate::world::World;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use plumbline_tests::policies::{FEATURE, many};
use serde_json::{Value, json};
use std::time::Duration;

/// A bucket that is slow, for the first reads of a workspace's objects.
fn slow_bucket(world: &World, workspace: &Workspace<'_>, time: Duration) -> Proxy {
    let (objects, mut reads) = (format!("/ws/{}/", workspace.id), 0);
    Proxy::before(world.server.url(), move |asked| {
        let is_read = asked.starts_with("GET ") && asked.contains(&objects);
        reads += u32::from(is_read);
        if is_read && reads < 2 { Fate::Waits(time) } else { Fate::Passes }
    })
}

/// A worker whose time is over gives the run back, and the next delivery ends it.
#[test]
fn f11_a_worker_without_time() {
    let world = World::new();
    let workspace = Workspace::new(&world, "olga");
    let (profile, _) = workspace.golden(&[FEATURE], &many(10, 0));
    let tenant = workspace.governed("Contoso", &profile, &many(10, 3));
    let proxy = slow_bucket(&world, &workspace, Duration::from_secs(8));
    // Ten seconds of it are kept for giving back.
    let short = json!({ "Timeout": 12 });
    world.change("compare", &[("AWS_ENDPOINT_URL_S3", &proxy.url)], &short);
    let run = workspace.compare(&tenant);
    let told = world.until("the run is given back", || {
        world.log("compare").into_iter().find(|line| line.contains("comes again"))
    });
    assert!(told.contains("time of this worker was over"), "{told}");
    assert_eq!(proxy.hindered(), 1);
    assert!(workspace.findings(&tenant).is_empty());
    let ended = workspace.ended(&tenant, &run);
    assert_eq!(ended["outcome"], "succeeded", "{ended}");
    assert_eq!(workspace.drift(&tenant).len(), 3);
    assert_eq!(world.waiting(DEAD_COMPARE), (0, 0));
}

/// A worker that is killed leaves its lease behind. When that has run out, another one does the run.
#[test]
fn f12_a_worker_that_is_killed() {
    let world = World::new();
    let workspace = Workspace::new(&world, "olga");
    let (profile, _) = workspace.golden(&[FEATURE], &many(10, 0));
    let tenant = workspace.governed("Contoso", &profile, &many(10, 3));
    let proxy = slow_bucket(&world, &workspace, Duration::from_mins(1));
    world.hide_for(COMPARE, 8);
    world.change("compare", &[("AWS_ENDPOINT_URL_S3", &proxy.url)], &json!({}));
    let run = workspace.compare(&tenant);
    world.until("a worker is in the middle", || (proxy.hindered() == 1).then_some(()));
    let fenced = workspace.run(&tenant, &run)["fence"].clone();
    for process in world.processes("compare") {
        let killed = std::process::Command::new("kill").args(["-KILL", &process]).status();
        assert!(killed.unwrap().success());
    }
    let_the_lease_run_out(&world, &workspace, &tenant, &profile);
    let ended = workspace.ended(&tenant, &run);
    assert_eq!(ended["outcome"], "succeeded", "{ended}");
    assert_eq!(fenced, 1);
    let drift = workspace.drift(&tenant);
    assert!(drift.len() == 3 && drift.iter().all(|one| one.2 == 1), "{drift:?}");
    assert_eq!(world.waiting(DEAD_COMPARE), (0, 0));
}

/// Puts the end of a compare's lease into the past, as a quarter of an hour would.
fn let_the_lease_run_out(world: &World, workspace: &Workspace<'_>, tenant: &str, profile: &str) {
    let table = world.setting("compare", "PLUMBLINE_TABLE");
    let key = json!({
        "pk": { "S": format!("WS#{}#TEN#{tenant}", workspace.id) },
        "sk": { "S": format!("ACTIVE#baseline_compare#{profile}") },
    });
    let asked = json!({ "TableName": table, "Key": key, "ConsistentRead": true });
    let mut item = world.account().call("dynamodb", "get_item", &asked)["Item"].take();
    let body = STANDARD.decode(item["body"]["B"]["$bytes"].as_str().unwrap()).unwrap();
    let body = plumbline_operations::record_as_json(&body).unwrap();
    let mut guard: Value = serde_json::from_slice(&body).unwrap();
    let lease = &mut guard["row"]["lease_until"];
    assert!(lease.is_string(), "{guard}");
    *lease = json!("2026-01-01T00:00:00Z");
    item["body"]["B"]["$bytes"] = json!(STANDARD.encode(guard.to_string()));
    world.account().call("dynamodb", "put_item", &json!({ "TableName": table, "Item": item }));
}
