//! Stores that answer badly, and what is not in them any more.

use crate::messages::{COMPARE, DEAD_COMPARE};
use crate::people::Workspace;
use crate::proxy::{Fate, Proxy};
use crate::world::World;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use plumbline_tests::policies::{FEATURE, many};
use serde_json::{Value, json};

/// The table is throttled in the middle of a compare, and heals.
#[test]
fn f17_a_throttled_table() {
    let world = World::new();
    let workspace = Workspace::new(&world, "olga");
    let (profile, _) = workspace.golden(&[FEATURE], &many(10, 0));
    let tenant = workspace.governed("Contoso", &profile, &many(10, 1));
    // The run is claimed; the next write is refused, three times with four tries each.
    let (mut writes, mut refused) = (0, 0);
    let proxy = Proxy::before(world.server.url(), move |asked| {
        let is_write = matches!(asked, "PutItem" | "TransactWriteItems");
        writes += u32::from(is_write);
        if !is_write || writes < 2 || refused == 12 {
            return Fate::Passes;
        }
        refused += 1;
        Fate::IsThrottled
    });
    world.change("compare", &[("AWS_ENDPOINT_URL_DYNAMODB", &proxy.url)], &json!({}));
    let run = workspace.compare(&tenant);
    let told = world.until("the message comes again", || {
        world.log("compare").into_iter().find(|line| line.contains("comes again"))
    });
    assert!(told.contains("throttl") || told.contains("Rate exceeded"), "{told}");
    // Nothing half is to be seen.
    assert_ne!(workspace.run(&tenant, &run)["status"], "completed");
    let posture = workspace.get("/posture/tenants");
    assert!(!posture.to_string().contains("\"full\""), "{posture}");
    let ended = workspace.ended(&tenant, &run);
    assert_eq!((proxy.hindered(), &ended["outcome"]), (12, &json!("succeeded")));
    assert_eq!(workspace.drift(&tenant).len(), 1);
    assert_eq!(world.waiting(DEAD_COMPARE), (0, 0));
}

/// The keys of all objects of a workspace.
fn objects(world: &World, workspace: &Workspace<'_>) -> Vec<String> {
    let asked = json!({
        "Bucket": world.setting("compare", "PLUMBLINE_BUCKET"),
        "Prefix": format!("ws/{}/", workspace.id),
    });
    let found = world.account().call("s3", "list_objects_v2", &asked);
    let objects = found["Contents"].as_array().unwrap();
    objects.iter().map(|one| one["Key"].as_str().unwrap().to_owned()).collect()
}

/// A tenant with drift that was found, and an inventory without it, whose compare would say that all is
/// well; but something is done to the objects before. Gives how the compare ends.
fn compare_over(damage: impl Fn(&World, &str, &str)) -> Value {
    let world = World::new();
    let workspace = Workspace::new(&world, "olga");
    let (profile, _) = workspace.golden(&[FEATURE], &many(10, 0));
    let tenant = workspace.governed("Contoso", &profile, &many(10, 3));
    let first = workspace.compare(&tenant);
    assert_eq!(workspace.ended(&tenant, &first)["outcome"], "succeeded");
    let open = workspace.drift(&tenant);
    assert_eq!(open.len(), 3);
    workspace.import(&tenant, &many(10, 0));
    let bucket = world.setting("compare", "PLUMBLINE_BUCKET");
    for key in objects(&world, &workspace) {
        damage(&world, &bucket, &key);
    }
    let run = workspace.compare(&tenant);
    let ended = workspace.ended(&tenant, &run);
    assert_eq!(ended["outcome"], "failed", "{ended}");
    // No all-clear: what was open is open.
    assert_eq!(workspace.drift(&tenant), open);
    assert_eq!(world.waiting(DEAD_COMPARE), (0, 0));
    ended
}

#[test]
fn f26_objects_that_are_gone() {
    let ended = compare_over(|world, bucket, key| {
        world.account().call("s3", "delete_object", &json!({ "Bucket": bucket, "Key": key }));
    });
    assert_eq!(ended["failure"]["reason_code"], "missing_object", "{ended}");
}

#[test]
fn f27_objects_that_are_damaged() {
    let ended = compare_over(|world, bucket, key| {
        let found =
            world.account().call("s3", "get_object", &json!({ "Bucket": bucket, "Key": key }));
        let mut bytes = STANDARD.decode(found["Body"]["$bytes"].as_str().unwrap()).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        let body = json!({ "$bytes": STANDARD.encode(bytes) });
        let put = json!({ "Bucket": bucket, "Key": key, "Body": body });
        world.account().call("s3", "put_object", &put);
    });
    assert_eq!(ended["failure"]["reason_code"], "corrupt_object", "{ended}");
}

/// A function that lost its table does not start, says why, and takes no message for done; with the table
/// back, the work is done.
#[test]
fn f47_a_lost_configuration() {
    let world = World::new();
    let workspace = Workspace::new(&world, "olga");
    let (profile, _) = workspace.golden(&[FEATURE], &many(10, 0));
    let tenant = workspace.governed("Contoso", &profile, &many(10, 3));
    let table = world.setting("compare", "PLUMBLINE_TABLE");
    world.hide_for(COMPARE, 8);
    world.change("compare", &[("PLUMBLINE_TABLE", "another-table")], &json!({}));
    let told = world.invoke("compare", &json!({ "Records": [] })).unwrap_err();
    assert!(told.to_string().contains("another-table"), "{told}");
    let run = workspace.compare(&tenant);
    world.until("the message was tried", || (world.waiting(COMPARE) == (0, 1)).then_some(()));
    assert_eq!(workspace.run(&tenant, &run)["status"], "queued");
    assert_eq!(world.waiting(DEAD_COMPARE), (0, 0));
    world.change("compare", &[("PLUMBLINE_TABLE", &table)], &json!({}));
    assert_eq!(workspace.ended(&tenant, &run)["outcome"], "succeeded");
    assert_eq!(workspace.drift(&tenant).len(), 3);
}
