//! Nights: the tick starts them, every tenant is compared once, and the log stays short and clean.

use crate::people::Workspace;
use crate::world::World;
use plumbline_testkit::secrets::kinds;
use plumbline_tests::policies::{FEATURE, many};
use serde_json::{Value, json};
use std::time::{Duration, SystemTime};

/// What a tenant's night may log, in bytes.
const LOG_OF_A_TENANT: usize = 2 * 1_024;

/// An event as it is written in `events/`.
fn event(name: &str) -> Value {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../events");
    serde_json::from_slice(&std::fs::read(folder.join(name)).unwrap()).unwrap()
}

/// Sets the nights of a workspace to the next minute, and waits until it has come.
fn wait_for_a_night(workspace: &Workspace<'_>) {
    #[expect(clippy::disallowed_methods, reason = "the functions go by the system's clock")]
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    // A minute that is about to begin would be over before it is set.
    let due = (now + 5).div_ceil(60) * 60;
    let (hours, minutes) = (due / 3_600 % 24, due / 60 % 60);
    let schedule = json!({ "time": format!("{hours:02}:{minutes:02}"), "zone": "UTC" });
    workspace.ask("PATCH", "", &json!({ "schedule": schedule }).to_string());
    std::thread::sleep(Duration::from_secs(due - now + 1));
}

/// The one compare of a tenant, once it has ended.
fn compared(workspace: &Workspace<'_>, tenant: &str) -> Option<Value> {
    let page = workspace.get(&format!("/runs?tenant={tenant}&type=baseline_compare"));
    let runs = page["items"].as_array().unwrap();
    assert!(runs.len() < 2, "{page}");
    runs.first().filter(|run| run["status"] == "completed").cloned()
}

#[test]
fn a_night_of_fifty_tenants() {
    let world = World::new();
    let workspace = Workspace::new(&world, "olga");
    let (profile, _) = workspace.golden(&[FEATURE], &many(10, 0));
    let mut tenants: Vec<String> = (1..50)
        .map(|at| workspace.governed(&format!("Tenant {at:02}"), &profile, &many(10, at % 3)))
        .collect();
    // One tenant has secrets of every kind, and a name that shows in no log.
    let planted = kinds().into_iter().enumerate().map(|(at, kind)| {
        let mut policy = kind.plant(&kind.secret(1));
        policy["id"] = json!(format!("6b1f0a52-8f5e-4c4b-9a59-3f1f3c1f1{at:03}"));
        (format!("planted {at}"), policy)
    });
    let secrets = workspace.tenant("A tenant with secrets");
    workspace.import(&secrets, &planted.chain(many(10, 0)).collect());
    workspace.assign(&secrets, &profile);
    tenants.push(secrets);

    wait_for_a_night(&workspace);
    world.invoke("schedule", &event("schedule.json")).unwrap();
    let runs: Vec<Value> = tenants
        .iter()
        .map(|tenant| world.until("the night of a tenant", || compared(&workspace, tenant)))
        .collect();
    for run in &runs {
        assert!(["succeeded", "partial"].contains(&run["outcome"].as_str().unwrap()), "{run}");
        assert_eq!(run["trigger"]["by"], "night", "{run}");
    }
    let nights = workspace.get("/nights")["items"].take();
    assert_eq!(nights.as_array().unwrap().len(), 1, "{nights}");
    assert_eq!((&nights[0]["status"], &nights[0]["tenants"]), (&json!("started"), &json!(50)));

    let log = [world.log("schedule"), world.log("compare")].concat();
    let bytes: usize = log.iter().map(|line| line.len() + 1).sum();
    println!("the log of a night: {} bytes a tenant", bytes / tenants.len());
    assert!(bytes <= LOG_OF_A_TENANT * tenants.len(), "{bytes} bytes");
    for run in &runs {
        let id = run["id"].as_str().unwrap();
        let lines = log.iter().filter(|line| line.contains(id)).count();
        assert_eq!(lines, 1, "{id}");
    }
    let everything = [log, world.log("api"), world.log("capture")].concat().concat();
    for kind in kinds() {
        let secret = kind.secret(1);
        assert!(!everything.contains(&secret), "{}", kind.name);
    }
}

#[test]
fn f35_two_schedulers_at_once() {
    let world = World::new();
    let workspace = Workspace::new(&world, "olga");
    let (profile, _) = workspace.golden(&[FEATURE], &many(10, 0));
    let tenants: Vec<String> = (0..3)
        .map(|at| workspace.governed(&format!("Tenant {at}"), &profile, &many(10, at)))
        .collect();
    wait_for_a_night(&workspace);
    let (before, tick) = (
        world.log("schedule").len(),
        json!({ "FunctionName": world.function("schedule"), "InvocationType": "Event" }),
    );
    for _ in 0..2 {
        world.account().call("lambda", "invoke", &tick);
    }
    world.until("both have ticked", || (world.log("schedule").len() >= before + 2).then_some(()));
    for (at, tenant) in tenants.iter().enumerate() {
        let run = world.until("the night of a tenant", || compared(&workspace, tenant));
        assert_eq!(run["outcome"], "succeeded", "{run}");
        let drift = workspace.drift(tenant);
        assert!(drift.len() == at && drift.iter().all(|one| one.2 == 1), "{drift:?}");
    }
    let nights = workspace.get("/nights")["items"].take();
    assert_eq!(nights.as_array().unwrap().len(), 1, "{nights}");
}
