//! A tenant's night, and somebody else at every outside call of its worker: the first night of a tenant,
//! and one after others, in which the claim alone proves that what was read before it still holds.

use crate::interleave::{Beside, Doing, Told, world};
use futures::executor::block_on;
use plumbline_governance::finding::state::FindingAction;
use plumbline_governance::report::Facet;
use plumbline_operations::{ProfileEdit, System};
use plumbline_testkit::faults::Fault;
use plumbline_tests::check::{assert_whole, pending_runs, unrest};
use plumbline_tests::policies::{FEATURE, QUALITY, many};
use plumbline_tests::stage::{Stage, must, scope};
use std::sync::Arc;

/// A night is due: of the world's tenant, which was compared before, or of one that never was.
fn due(first: bool) -> (Stage, Told) {
    let stage = Stage::new();
    let mut told = world(&stage);
    if first {
        must(stage.unassign(told.tenant));
        told.tenant = stage.tenant("first");
        stage.import(told.tenant, &many(4, 2));
        stage.assign(told.tenant, told.profile);
    }
    stage.settle();
    stage.schedule("02:00", "UTC");
    let day = 86_400;
    stage.wait(day - stage.second().rem_euclid(day) + 2 * 3_600);
    assert_eq!(must(stage.tick()).started.len(), 1);
    stage.plan.reset();
    (stage, told)
}

fn at_every_call(name: &str, doing: Doing) {
    for first in [false, true] {
        let mut at = 0;
        loop {
            let (stage, told) = due(first);
            let beside = Beside {
                system: System::new(stage.raw.clone()),
                clock: Arc::clone(&stage.clock),
                workspace: stage.workspace,
                actor: stage.actor.clone(),
                told,
            };
            stage.plan.at(at, Fault::delay(move || doing(beside)));
            stage.drain();
            if !stage.plan.has_fired() {
                assert!(at > 15, "{name}: only {at} calls");
                break;
            }
            stage.wait(17 * 60);
            stage.settle();
            let when = format!("{name}, at call {at}, first {first}");
            assert_eq!(pending_runs(&stage), Vec::<String>::new(), "{when}");
            assert_whole(&stage, &when);
            assert_eq!(unrest(&stage), Vec::<String>::new(), "{when}");
            let checked = must(block_on(stage.system.verify(stage.workspace)));
            assert_eq!(checked.damage, Vec::new(), "{when}");
            at += 1;
        }
    }
}

#[test]
fn f33_a_profile_that_is_taken_away_during_a_night() {
    at_every_call("unassign", |beside| {
        Box::pin(async move {
            let Beside { system, workspace, actor, told, .. } = beside;
            must(system.unassign(workspace, &actor, told.tenant, None).await);
        })
    });
}

#[test]
fn f32_a_profile_that_is_edited_during_a_night() {
    at_every_call("an edit", |beside| {
        Box::pin(async move {
            let Beside { system, workspace, actor, told, .. } = beside;
            let edit = ProfileEdit {
                scope: Some(scope(&[FEATURE])),
                facets: Some(vec![Facet::Content]),
                ..ProfileEdit::default()
            };
            must(system.edit_profile(workspace, &actor, told.profile, edit, None).await);
        })
    });
}

#[test]
fn f07_another_worker_during_a_night() {
    at_every_call("another worker", |beside| {
        Box::pin(async move {
            beside.clock.advance(jiff::SignedDuration::from_mins(17));
            beside.work().await;
        })
    });
}

#[test]
fn f19_a_person_acts_during_a_night() {
    at_every_call("an action", |beside| {
        Box::pin(async move {
            let Beside { system, workspace, actor, told, .. } = beside;
            let reason = "agreed".to_owned();
            let found = must(system.findings(workspace, told.tenant).await);
            for one in found.iter().filter(|one| one.finding.state.is_open()) {
                let accept = FindingAction::Accept { reason: reason.clone(), until: None };
                must(
                    system.act(workspace, &actor, told.tenant, one.finding.id, &accept, None).await,
                );
            }
        })
    });
}

#[test]
fn f32_a_scope_that_is_narrowed_during_a_night() {
    at_every_call("a narrower scope", |beside| {
        Box::pin(async move {
            let Beside { system, workspace, actor, told, .. } = beside;
            // Narrower under the same profile: what is queued is not what is asked for any more.
            let narrow = Some(scope(&[QUALITY]));
            must(system.assign(workspace, &actor, told.tenant, told.profile, narrow, None).await);
        })
    });
}
