//! A finding's life, as the README tells it.

use crate::world::{Policies, World, catalog, three};
use plumbline_governance::finding::state::FindingAction;
use plumbline_governance::ids::TenantId;

pub(crate) fn changed(value: &str) -> Policies {
    let mut policies = three();
    policies.insert("b".to_owned(), catalog(22, "Win - b", &[("one", "1"), ("two", value)]));
    policies
}

/// Status, times seen and change type of each finding.
fn view(world: &World, tenant: TenantId) -> Vec<(String, u64, String)> {
    world
        .findings(tenant)
        .into_iter()
        .map(|one| {
            (
                one.finding.state.as_str().to_owned(),
                one.seen.times,
                format!(
                    "{} {}",
                    one.finding.drift.change_type.as_str(),
                    one.finding.drift.display_name
                ),
            )
        })
        .collect()
}

#[test]
fn an_equal_tenant_has_no_finding() {
    let world = World::new();
    let (tenant, _) = world.governed();
    let run = world.compare(tenant);
    assert_eq!(run.outcome().as_str(), "succeeded", "{:?}", run.failure());
    assert_eq!(run.summary_counts["unchanged"], 3);
    assert_eq!(view(&world, tenant), []);
}

#[test]
fn a_findings_life() {
    let world = World::new();
    let (tenant, _) = world.governed();
    let why = || "agreed".to_owned();
    let row = |status: &str, times| {
        vec![(status.to_owned(), times, "different_version Win - b".to_owned())]
    };
    world.import(tenant, &changed("9"));
    let run = world.compare(tenant);
    assert_eq!(run.summary_counts["appeared"], 1);
    assert_eq!(view(&world, tenant), row("new", 1));
    let id = world.findings(tenant)[0].finding.id;

    world.act(tenant, id, &FindingAction::Acknowledge);
    let again = world.compare(tenant);
    assert!(again.context.baseline_compare.as_ref().is_some_and(|one| one.from_memo));
    assert_eq!(view(&world, tenant), row("acknowledged", 2));

    world.import(tenant, &three());
    assert_eq!(world.compare(tenant).summary_counts["resolved"], 1);
    assert_eq!(view(&world, tenant), row("resolved", 2));

    world.import(tenant, &changed("9"));
    assert_eq!(world.compare(tenant).summary_counts["reopened"], 1);
    assert_eq!(view(&world, tenant), row("reopened", 3));

    world.act(tenant, id, &FindingAction::Accept { reason: why(), until: None });
    world.compare(tenant);
    assert_eq!(view(&world, tenant)[0].0, "accepted");

    world.import(tenant, &changed("8"));
    assert_eq!(world.compare(tenant).summary_counts["reopened"], 1);
    assert_eq!(view(&world, tenant)[0].0, "reopened");
    let finding = world.findings(tenant)[0].finding.clone();
    let evidence = futures::executor::block_on(world.system.evidence(&finding)).unwrap();
    assert_eq!(evidence.changes[0].after, Some("two_8".into()), "{evidence:?}");

    world.act(tenant, id, &FindingAction::Close { reason: why() });
    world.compare(tenant);
    assert_eq!(view(&world, tenant)[0].0, "closed");
    world.import(tenant, &changed("7"));
    world.compare(tenant);
    let statuses: Vec<String> = view(&world, tenant).into_iter().map(|one| one.0).collect();
    assert_eq!(statuses, ["new", "closed"], "another drift after a closed one is a new occurrence");
}

#[test]
fn an_unchanged_compare_reads_no_object() {
    let world = World::new();
    let (tenant, _) = world.governed();
    world.import(tenant, &changed("9"));
    world.compare(tenant);
    let run = world.compare(tenant);
    let usage = &run.context.usage;
    assert_eq!(usage.get("objects_read"), None, "{usage:?}");
    assert_eq!(usage.get("objects_written"), None, "{usage:?}");
}
