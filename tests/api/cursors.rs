//! Cursors: tampered with, too old, of another list (F43).

use crate::world::{Call, Holding, World, person};
use plumbline_governance::access::MemberRole;
use serde_json::{Value, json};

fn page(world: &World, subject: &str, path: &str) -> Value {
    let answer = world.send_as(subject, Call::get(path));
    assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    answer.json()
}

fn cursor(world: &World, subject: &str, path: &str) -> String {
    page(world, subject, path)["next_cursor"].as_str().unwrap().to_owned()
}

fn refused(world: &World, subject: &str, path: &str) {
    world.stage.plan.reset();
    let answer = world.send_as(subject, Call::get(path));
    assert_eq!(
        (answer.status, answer.problem().as_str()),
        (400, "invalid_cursor"),
        "{path}: {}",
        answer.text()
    );
    // Only the membership was looked at.
    let reads: Vec<_> = world
        .stage
        .plan
        .calls()
        .into_iter()
        .filter(|call| !call.what.contains("MEMBER#"))
        .collect();
    assert!(reads.is_empty(), "{path}: {reads:?}");
}

fn at(holding: &Holding) -> String {
    format!("/v1/workspaces/{}", holding.workspace)
}

#[test]
fn f43_a_cursor_is_of_one_list() {
    let world = World::new();
    let (north, south) = (world.holding("olga"), world.holding("sven"));
    world.member(south.workspace, "olga", MemberRole::Owner.into());
    world.member(north.workspace, "otto", MemberRole::Owner.into());
    let (here, there) = (at(&north), at(&south));
    let cursor = cursor(&world, "olga", &format!("{here}/tenants?limit=1&status=active"));
    // The sound one goes on, with another limit too.
    let next =
        page(&world, "olga", &format!("{here}/tenants?status=active&limit=2&cursor={cursor}"));
    assert_eq!(next["items"].as_array().unwrap().len(), 2);
    // Another workspace, route, filter or caller.
    refused(&world, "olga", &format!("{there}/tenants?status=active&cursor={cursor}"));
    refused(&world, "olga", &format!("{here}/profiles?status=active&cursor={cursor}"));
    refused(&world, "olga", &format!("{here}/tenants?cursor={cursor}"));
    refused(&world, "olga", &format!("{here}/tenants?status=archived&cursor={cursor}"));
    refused(&world, "otto", &format!("{here}/tenants?status=active&cursor={cursor}"));
}

#[test]
fn f43_a_cursor_that_was_tampered_with() {
    let world = World::new();
    let north = world.holding("olga");
    let list = format!("{}/tenants?limit=1", at(&north));
    let cursor = cursor(&world, "olga", &list);
    let letters: Vec<char> = cursor.chars().collect();
    for place in 0..letters.len() {
        let mut other = letters.clone();
        other[place] = if other[place] == 'A' { 'B' } else { 'A' };
        let other: String = other.into_iter().collect();
        refused(&world, "olga", &format!("{list}&cursor={other}"));
    }
    for made_up in
        ["", "A", "AQ", "*", "%00", &"A".repeat(10_000), &cursor[1..], &format!("{cursor}AAAA")]
    {
        refused(&world, "olga", &format!("{list}&cursor={made_up}"));
    }
    // Nothing of the place can be read from it.
    assert!(!cursor.contains("TENANT") && cursor.is_ascii());
}

#[test]
fn f43_a_cursor_that_is_too_old() {
    let world = World::new();
    let north = world.holding("olga");
    let list = format!("{}/tenants?limit=1", at(&north));
    let cursor = cursor(&world, "olga", &list);
    world.clock.advance_seconds(23 * 3600);
    page(&world, "olga", &format!("{list}&cursor={cursor}"));
    world.clock.advance_seconds(2 * 3600);
    refused(&world, "olga", &format!("{list}&cursor={cursor}"));
}

/// Pages of every size hold the whole list once, in order.
#[test]
fn pages_hold_the_list_once() {
    let world = World::new();
    let north = world.holding("olga");
    for nth in 0..25 {
        let new = json!({ "name": format!("tenant {nth:02}") });
        assert_eq!(
            world.send_as("olga", Call::post(format!("{}/tenants", at(&north)), new)).status,
            201
        );
        world.member(north.workspace, &format!("m{nth}"), MemberRole::Viewer.into());
    }
    for list in ["tenants", "members", "audit", "findings", "runs", "posture/tenants", "profiles"] {
        let whole = page(&world, "olga", &format!("{}/{list}?limit=200", at(&north)));
        assert_eq!(whole["next_cursor"], Value::Null, "{list}");
        for size in [1, 2, 7, 50] {
            let mut items = Vec::new();
            let mut next = format!("{}/{list}?limit={size}", at(&north));
            loop {
                let page = page(&world, "olga", &next);
                let some = page["items"].as_array().unwrap();
                assert!(some.len() <= size, "{list}");
                items.extend(some.iter().cloned());
                match page["next_cursor"].as_str() {
                    Some(cursor) => {
                        next = format!("{}/{list}?limit={size}&cursor={cursor}", at(&north));
                    }
                    None => break,
                }
            }
            assert_eq!(Value::Array(items), whole["items"], "{list} by {size}");
        }
    }
    assert!(person("x").member_id().len() == 64);
}
