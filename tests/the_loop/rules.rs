//! Rules over time: tried out on what is stored, and taken over without losing what people decided.

use crate::findings::changed;
use crate::world::World;
use futures::executor::block_on;
use plumbline_governance::finding::state::FindingAction;
use plumbline_governance::index::SnapshotIndex;
use plumbline_governance::severity::Severity;
use plumbline_operations::ReplayOptions;
use plumbline_policy::digest::Digest;
use plumbline_ports::{Batch, Condition, ObjectKey, Query, Record};
use plumbline_tests::check::body_of;
use serde_json::{Value, json};
use std::collections::BTreeMap;

fn rows(world: &World, pk: &str, sk: &str) -> Vec<Record> {
    block_on(world.ports.records.query_all(Query::prefix(pk, sk))).unwrap()
}

fn rewrite(world: &World, record: &Record, change: impl FnOnce(&mut Value)) {
    let mut body: Value = body_of(record).unwrap();
    change(&mut body["row"]);
    let body = serde_json::to_vec(&body).unwrap();
    let next = Record { body, revision: record.revision + 1, ..record.clone() };
    block_on(world.ports.records.commit(Batch::new().put(next, Condition::Always))).unwrap();
}

/// Writes an index as a program of older rules would have: another version and other digests.
fn age_index(world: &World, folder: &str, digest: &str) -> (String, Value) {
    let key = ObjectKey::new(folder, digest.parse().unwrap()).unwrap();
    let packed = block_on(world.ports.objects.get(&key)).unwrap().unwrap();
    let mut index: Value = serde_json::from_slice(&zstd::decode_all(&*packed).unwrap()).unwrap();
    index["normaliser_version"] = json!(0);
    for entry in index["entries"].as_array_mut().unwrap() {
        let old = format!("old {}", entry["facets"]["content"]);
        entry["facets"]["content"] = json!(Digest::of(old.as_bytes()).to_string());
    }
    let packed = zstd::bulk::compress(&serde_json::to_vec(&index).unwrap(), 3).unwrap();
    let key = ObjectKey::of(folder, &packed).unwrap();
    block_on(world.ports.objects.put(&key, packed)).unwrap();
    (key.digest().to_string(), index)
}

/// Makes everything that is stored look as if older rules had made it.
fn age(world: &World) {
    let workspace = world.workspace;
    for record in rows(world, &format!("WS#{workspace}"), "SNAPSHOT#") {
        rewrite(world, &record, |row| {
            let digest = row["indexes"]["1"].as_str().unwrap().to_owned();
            let (old, index) = age_index(world, &format!("ws/{workspace}/baseline/index"), &digest);
            let index: SnapshotIndex = serde_json::from_value(index).unwrap();
            row["snapshot_identity_hash"] = json!(index.identity().to_string());
            row["indexes"] = json!({ "0": old });
        });
    }
    for tenant in block_on(world.system.tenants(workspace)).unwrap() {
        let pk = format!("WS#{workspace}#TEN#{}", tenant.id);
        for record in rows(world, &pk, "STATE") {
            rewrite(world, &record, |row| {
                let digest = row["index"].as_str().unwrap().to_owned();
                let folder = format!("ws/{workspace}/ten/{}/index", tenant.id);
                row["index"] = json!(age_index(world, &folder, &digest).0);
                row["root"] = json!(Digest::of(b"old root").to_string());
                row["normaliser_version"] = json!(0);
            });
        }
        for record in rows(world, &pk, "FINDING#") {
            rewrite(world, &record, |row| {
                let old = json!(Digest::of(b"old fingerprint").to_string());
                row["drift"]["fingerprint"] = old.clone();
                if row["status"] == "accepted" {
                    row["fingerprint"] = old;
                }
            });
        }
    }
}

#[test]
fn new_rules_are_taken_over_and_acceptances_stay() {
    let world = World::new();
    let (tenant, _) = world.governed();
    world.import(tenant, &changed("9"));
    world.compare(tenant);
    let id = world.findings(tenant)[0].finding.id;
    let accept = FindingAction::Accept { reason: "agreed".to_owned(), until: None };
    world.act(tenant, id, &accept);
    age(&world);

    let run = world.compare(tenant);
    let reason = run.failure().map(|failure| failure.reason_code.as_str());
    assert_eq!((run.outcome().as_str(), reason), ("blocked", Some("renormalise_pending")));

    let done = block_on(world.system.renormalise(world.workspace, &world.actor)).unwrap();
    assert_eq!((done.snapshots, done.tenants, done.repinned), (1, 2, 1));
    let run = world.compare(tenant);
    assert_eq!(run.outcome().as_str(), "succeeded", "{:?}", run.failure());
    let finding = &world.findings(tenant)[0].finding;
    assert_eq!((finding.id, finding.state.as_str()), (id, "accepted"));

    let again = block_on(world.system.renormalise(world.workspace, &world.actor)).unwrap();
    assert_eq!((again.snapshots, again.tenants, again.repinned), (0, 0, 0), "safe to repeat");
    let checked = block_on(world.system.verify(world.workspace)).unwrap();
    assert_eq!(checked.damage, Vec::new());
}

#[test]
fn an_acceptance_of_other_drift_is_not_pinned_again() {
    let world = World::new();
    let (tenant, _) = world.governed();
    world.import(tenant, &changed("9"));
    world.compare(tenant);
    let id = world.findings(tenant)[0].finding.id;
    let accept = FindingAction::Accept { reason: "agreed".to_owned(), until: None };
    world.act(tenant, id, &accept);
    world.import(tenant, &changed("8"));
    age(&world);
    let done = block_on(world.system.renormalise(world.workspace, &world.actor)).unwrap();
    assert_eq!(done.repinned, 0);
    world.compare(tenant);
    assert_eq!(world.findings(tenant)[0].finding.state.as_str(), "reopened");
}

#[test]
fn a_replay_foresees_and_writes_nothing() {
    let world = World::new();
    let (tenant, _) = world.governed();
    world.import(tenant, &changed("9"));
    let before = block_on(world.system.replay(world.workspace, &ReplayOptions::default())).unwrap();
    let events: Vec<_> =
        before.findings.iter().map(|one| (one.event, one.severity_after)).collect();
    assert_eq!(events, [("appeared", Severity::Medium)]);
    assert!(world.findings(tenant).is_empty(), "nothing was written");

    world.compare(tenant);
    let severities = BTreeMap::from([("policy.content".to_owned(), Severity::High)]);
    let options = ReplayOptions { severities: Some(severities), ..ReplayOptions::default() };
    let tried = block_on(world.system.replay(world.workspace, &options)).unwrap();
    let [one] = tried.findings.as_slice() else { panic!("{tried:?}") };
    assert_eq!(
        (one.event, one.severity_before, one.severity_after),
        ("changed", Some(Severity::Medium), Severity::High)
    );
    assert_eq!(world.findings(tenant)[0].finding.drift.severity, Severity::Medium);

    // Captures of older rules are tried under those of this program.
    age(&world);
    let aged = block_on(world.system.replay(world.workspace, &ReplayOptions::default())).unwrap();
    assert_eq!((aged.tenants, aged.left_out.len()), (1, 0));
    let events: Vec<_> = aged.findings.iter().map(|one| one.event).collect();
    assert_eq!(events, ["changed"], "the same drift under another name");
}
