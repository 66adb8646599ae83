//! What changes between one step and the next must not leave an older answer standing.

use crate::findings::changed;
use crate::world::{Policies, World, three};
use futures::executor::block_on;
use jiff::SignedDuration;
use plumbline_governance::finding::state::FindingAction;
use plumbline_governance::ids::TenantId;
use plumbline_governance::schedule::Schedule;
use plumbline_operations::{CoverageClaim, ImportOptions, TenantEdit, WorkspaceEdit};
use plumbline_policy::tenant::TenantFacts;
use serde_json::json;

fn status(world: &World, tenant: TenantId) -> String {
    world.findings(tenant)[0].finding.state.as_str().to_owned()
}

#[test]
fn a_schedule_that_names_a_date_again_does_not_stop_the_nights() {
    let world = World::new();
    let set = |time: &str| {
        let schedule = Some(Schedule::parse(time, "UTC").unwrap());
        block_on(world.system.edit_workspace(
            world.workspace,
            &world.actor,
            WorkspaceEdit { schedule: Some(schedule), ..WorkspaceEdit::default() },
            None,
        ))
        .unwrap();
    };
    let tick = |at: &str| {
        world.clock.set(at.parse().unwrap());
        let ticked = block_on(world.system.tick()).unwrap();
        (ticked.started.len(), ticked.missed.len())
    };
    tick("2026-11-24T01:00:00Z");
    set("02:00");
    assert_eq!(tick("2026-11-24T03:00:00Z"), (1, 0));
    // The night of this date ran; a later time on the same date is no second one.
    set("23:00");
    assert_eq!(tick("2026-11-25T00:00:00Z"), (0, 0));
    assert_eq!(tick("2026-11-25T23:30:00Z"), (1, 0), "the next date has its night");
}

#[test]
fn a_type_that_was_never_proven_does_not_fall_to_none_without_a_word() {
    let world = World::new();
    let tenant = world.tenant("other");
    world.import_with(tenant, &three(), &ImportOptions::default()).unwrap();
    let complete = ImportOptions { coverage: CoverageClaim::Complete, ..ImportOptions::default() };
    let fallen = world.import_with(tenant, &Policies::new(), &complete).unwrap();
    let reason = fallen.run.failure().map(|failure| failure.reason_code.as_str());
    assert_eq!(reason, Some("confirm_empty"));
}

#[test]
fn a_baseline_is_made_of_what_is_known_now() {
    let world = World::new();
    let golden = world.tenant("golden");
    let profile = world.profile("Gold");
    let reason = |run: &plumbline_governance::run::Run| {
        run.failure().map(|failure| failure.reason_code.as_str())
    };
    world.import(golden, &three());
    let facts = TenantFacts { domains: vec!["alder.example".to_owned()], ..TenantFacts::default() };
    block_on(world.system.edit_tenant(
        world.workspace,
        &world.actor,
        golden,
        TenantEdit { facts: Some(facts), ..TenantEdit::default() },
        None,
    ))
    .unwrap();
    assert_eq!(reason(&world.capture(profile, golden)), Some("inventory_too_old"));
    world.import(golden, &three());
    assert_eq!(reason(&world.capture(profile, golden)), None);
    world.clock.advance(SignedDuration::from_hours(24 * 365));
    assert_eq!(reason(&world.capture(profile, golden)), Some("inventory_too_old"));
}

#[test]
fn an_acceptance_while_a_compare_waits_ends_all_the_same() {
    let world = World::new();
    let (tenant, _) = world.governed();
    world.import(tenant, &changed("9"));
    world.compare(tenant);
    let id = world.findings(tenant)[0].finding.id;
    block_on(world.system.start_compare(world.workspace, &world.actor, tenant)).unwrap();
    let now = plumbline_ports::Clock::now(&*world.clock);
    let until = now.checked_add(SignedDuration::from_hours(1)).ok();
    world.act(tenant, id, &FindingAction::Accept { reason: "for an hour".to_owned(), until });
    for _ in 0..3 {
        world.drain();
        world.clock.advance(SignedDuration::from_secs(10));
    }
    assert_eq!(status(&world, tenant), "accepted");
    world.clock.advance(SignedDuration::from_hours(1));
    world.compare(tenant);
    assert_eq!(status(&world, tenant), "reopened");
}

/// An acceptance is pinned to the drift, not to the assignment.
#[test]
fn an_acceptance_outlives_an_unassignment() {
    let accept = |until| FindingAction::Accept { reason: "agreed".to_owned(), until };
    let world = World::new();
    let (tenant, profile) = world.governed();
    world.import(tenant, &changed("9"));
    world.compare(tenant);
    let id = world.findings(tenant)[0].finding.id;
    let unassign = || {
        block_on(world.system.unassign(world.workspace, &world.actor, tenant, None)).unwrap();
    };
    let times = || world.findings(tenant)[0].seen.times;
    let in_a_day = || {
        let now = plumbline_ports::Clock::now(&*world.clock);
        now.checked_add(SignedDuration::from_hours(24)).ok()
    };

    world.act(tenant, id, &accept(in_a_day()));
    let seen = times();
    unassign();
    assert_eq!((status(&world, tenant).as_str(), times()), ("accepted", seen));
    world.assign(tenant, profile);
    assert_eq!(world.compare(tenant).outcome().as_str(), "succeeded");
    assert_eq!((status(&world, tenant).as_str(), times()), ("accepted", seen + 1));
    assert_eq!(world.findings(tenant).len(), 1);

    // Another drift of the same subject is not what was accepted.
    unassign();
    world.import(tenant, &changed("8"));
    world.assign(tenant, profile);
    world.compare(tenant);
    assert_eq!(status(&world, tenant), "reopened");

    // Nor does it hold past its end: whether it ends while nobody holds the tenant to anything ...
    world.act(tenant, id, &accept(in_a_day()));
    unassign();
    world.clock.advance(SignedDuration::from_hours(25));
    world.assign(tenant, profile);
    world.compare(tenant);
    assert_eq!(status(&world, tenant), "reopened");
    // ... or has ended before.
    world.act(tenant, id, &accept(in_a_day()));
    world.clock.advance(SignedDuration::from_hours(25));
    unassign();
    assert_eq!(status(&world, tenant), "resolved");

    // What was closed stays closed.
    world.assign(tenant, profile);
    world.compare(tenant);
    world.act(tenant, id, &FindingAction::Close { reason: "agreed".to_owned() });
    unassign();
    world.assign(tenant, profile);
    world.compare(tenant);
    assert_eq!(status(&world, tenant), "closed");
}

/// An acceptance under a profile that the tenant left does not keep its compares from being remembered.
#[test]
fn an_acceptance_under_another_profile_ends_no_memo() {
    let world = World::new();
    let (tenant, _) = world.governed();
    world.import(tenant, &changed("9"));
    world.compare(tenant);
    let id = world.findings(tenant)[0].finding.id;
    let now = plumbline_ports::Clock::now(&*world.clock);
    let until = now.checked_add(SignedDuration::from_hours(1)).ok();
    world.act(tenant, id, &FindingAction::Accept { reason: "agreed".to_owned(), until });
    let silver = world.profile("Silver");
    let source = world.tenant("source");
    world.import(source, &changed("9"));
    world.capture(silver, source);
    world.activate(silver);
    world.assign(tenant, silver);
    world.clock.advance(SignedDuration::from_hours(2));
    world.compare(tenant);
    let again = world.compare(tenant);
    assert!(again.context.baseline_compare.is_some_and(|one| one.from_memo));
}

#[test]
fn an_object_of_a_type_that_nobody_knows_is_no_full_trust() {
    let world = World::new();
    let (tenant, _) = world.governed();
    assert_eq!(world.compare(tenant).outcome().as_str(), "succeeded");
    let mut policies = three();
    let stranger = json!({ "@odata.type": "#microsoft.graph.somethingNew", "id": "x",
        "displayName": "New" });
    policies.insert("z".to_owned(), stranger);
    world.import(tenant, &policies);
    assert_eq!(world.compare(tenant).outcome().as_str(), "partial");
}
