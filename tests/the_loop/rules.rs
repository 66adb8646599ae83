//! Rules over time: tried out on what is stored, and taken over without losing what people decided.

use crate::findings::changed;
use crate::world::World;
use futures::executor::block_on;
use plumbline_governance::finding::state::FindingAction;
use plumbline_governance::severity::Severity;
use plumbline_operations::ReplayOptions;
use std::collections::BTreeMap;

fn age(world: &World) {
    plumbline_tests::aged::age(&world.ports, world.workspace);
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
