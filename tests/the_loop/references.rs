//! References and secrets through the whole loop: compared literally with the tenant that a baseline was
//! captured from, portably with every other.

use crate::world::{Policies, World};
use futures::executor::block_on;
use plumbline_governance::finding::state::FindingAction;
use plumbline_governance::ids::{ProfileId, TenantId};
use plumbline_governance::report::Facet;
use plumbline_governance::scope::Scope;
use plumbline_operations::NewProfile;
use serde_json::{Value, json};

const METADATA: &str = "https://graph.microsoft.com/beta/$metadata#deviceManagement";

fn guid(number: u32) -> String {
    format!("5e11ab1e-0000-4000-8000-{number:012}")
}

fn filter(number: u32) -> Value {
    json!({ "@odata.context": format!("{METADATA}/assignmentFilters/$entity"),
        "@odata.type": "#microsoft.graph.deviceAndAppManagementAssignmentFilter",
        "id": guid(number), "displayName": "Laptops", "platform": "windows10AndLater", "rule": "(x)" })
}

/// A Wi-Fi profile with a key, assigned to a group through a filter.
fn wifi(number: u32, key: &str, group: &str, filter: u32) -> Value {
    json!({ "@odata.context": format!("{METADATA}/deviceConfigurations/$entity"),
        "@odata.type": "#microsoft.graph.windowsWifiConfiguration", "id": guid(number),
        "displayName": "Office Wi-Fi", "ssid": "OFFICE", "preSharedKey": key,
        "assignments": [{ "id": "x", "target": {
            "@odata.type": "#microsoft.graph.groupAssignmentTarget", "groupId": group,
            "deviceAndAppManagementAssignmentFilterId": guid(filter),
            "deviceAndAppManagementAssignmentFilterType": "include" } }] })
}

const ALL_DEVICES: &str = "adadadad-808e-44e2-905a-0b7873a8a531";

fn policies(policy: Value, filter_number: u32) -> Policies {
    [("wifi".to_owned(), policy), ("filter".to_owned(), filter(filter_number))].into()
}

fn profile(world: &World) -> ProfileId {
    let new = NewProfile {
        name: "Wi-Fi".to_owned(),
        scope: Scope { policy_types: vec!["deviceConfiguration".to_owned()], ..Scope::default() },
        facets: vec![Facet::Content, Facet::Label, Facet::Assignments],
        ..NewProfile::default()
    };
    block_on(world.system.create_profile(world.workspace, &world.actor, new)).unwrap().id
}

/// The golden tenant, held to its own baseline too, and another one.
fn two(world: &World, golden: &Policies) -> (TenantId, TenantId, ProfileId) {
    let (source, other) = (world.tenant("golden"), world.tenant("other"));
    let profile = profile(world);
    world.import(source, golden);
    let run = world.capture(profile, source);
    assert_eq!(run.outcome().as_str(), "succeeded", "{:?}", run.failure());
    world.activate(profile);
    world.assign(source, profile);
    world.assign(other, profile);
    (source, other, profile)
}

fn verdict(world: &World, tenant: TenantId) -> (String, u64) {
    let run = world.compare(tenant);
    let drift = ["missing_policy", "different_version", "unexpected_policy"];
    (run.outcome().as_str().to_owned(), drift.iter().map(|one| run.summary_counts[*one]).sum())
}

fn is(outcome: &str, drift: u64) -> (String, u64) {
    (outcome.to_owned(), drift)
}

#[test]
fn a_filter_of_another_tenant_is_found_by_its_name() {
    let world = World::new();
    let (_, other, _) = two(&world, &policies(wifi(1, "k", ALL_DEVICES, 10), 10));
    world.import(other, &policies(wifi(2, "k", ALL_DEVICES, 20), 20));
    assert_eq!(verdict(&world, other), is("succeeded", 0));
}

#[test]
fn an_unknown_group_gives_no_verdict_elsewhere_and_one_at_home() {
    let world = World::new();
    let (source, other, profile) = two(&world, &policies(wifi(1, "k", &guid(77), 10), 10));
    assert_eq!(verdict(&world, source), is("succeeded", 0), "the source's own ids are values");
    world.import(other, &policies(wifi(2, "k", &guid(88), 20), 20));
    assert_eq!(verdict(&world, other), is("partial", 0), "nothing is claimed");
    assert!(world.findings(other).is_empty());

    world.import(source, &policies(wifi(1, "k", &guid(78), 10), 10));
    assert_eq!(verdict(&world, source), is("succeeded", 1), "another group at home is drift");
    // The new capture takes the new group over, though every facet hashes as before.
    let run = world.capture(profile, source);
    assert_eq!(
        run.context.baseline_capture.as_ref().map(|one| one.confirmed_existing),
        Some(false)
    );
    assert_eq!(verdict(&world, source), is("succeeded", 0));
}

#[test]
fn a_changed_secret_is_seen_again_and_again() {
    let world = World::new();
    let (source, other, profile) = two(&world, &policies(wifi(1, "one", ALL_DEVICES, 10), 10));
    let with = |key: &str| policies(wifi(2, key, ALL_DEVICES, 20), 20);
    world.import(other, &with("one"));
    assert_eq!(verdict(&world, other), is("succeeded", 0), "equal secrets under one key");
    world.import(other, &with("two"));
    assert_eq!(verdict(&world, other), is("succeeded", 1));
    let id = world.findings(other)[0].finding.id;
    let accept = FindingAction::Accept { reason: "rotated".to_owned(), until: None };
    world.act(other, id, &accept);
    world.compare(other);
    assert_eq!(world.findings(other)[0].finding.state.as_str(), "accepted");
    world.import(other, &with("three"));
    world.compare(other);
    assert_eq!(world.findings(other)[0].finding.state.as_str(), "reopened", "not the accepted one");

    world.import(source, &policies(wifi(1, "three", ALL_DEVICES, 10), 10));
    world.capture(profile, source);
    assert_eq!(verdict(&world, other), is("succeeded", 0), "the baseline took the secret over");
}
