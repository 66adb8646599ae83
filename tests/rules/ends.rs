//! Every status and outcome of a run, with the reason of each.

use futures::executor::block_on;
use plumbline_governance::profile::ProfileStatus;
use plumbline_governance::run::{ReasonCode, Run};
use plumbline_operations::{CoverageClaim, ImportOptions, ProfileEdit};
use plumbline_tests::check::assert_whole;
use plumbline_tests::policies::{FEATURE, QUALITY, many, policies};
use plumbline_tests::stage::{Stage, must, scope};

const TYPES: &[&str] = &[FEATURE];

fn ended(run: &Run, outcome: &str, reason: Option<ReasonCode>) {
    assert_eq!((run.status(), run.outcome().as_str()), ("completed", outcome), "{run:?}");
    assert_eq!(run.failure().map(|failure| failure.reason_code), reason, "{run:?}");
    if let Some(failure) = run.failure() {
        assert!(failure.message.len() > 10, "{failure:?}");
    }
}

#[test]
fn queued_running_and_succeeded() {
    let stage = Stage::new();
    let (_, tenant, _) = stage.governed(TYPES, &many(3, 0));
    let started = must(stage.start_compare(tenant));
    assert_eq!((started.run.status(), started.run.outcome().as_str()), ("queued", "pending"));
    stage.plan.next(
        |call| call.op == "query records" && call.what.contains("FINDING"),
        plumbline_testkit::faults::Fault::CrashBefore,
    );
    stage.drain();
    stage.plan.restart();
    let run = stage.run(tenant, &started);
    assert_eq!((run.status(), run.outcome().as_str()), ("running", "pending"));
    stage.wait(17 * 60);
    stage.drain();
    ended(&stage.run(tenant, &started), "succeeded", None);
}

#[test]
fn partial() {
    let stage = Stage::new();
    let (_, tenant, _) = stage.governed(&[FEATURE, QUALITY], &many(3, 0));
    let coverage = CoverageClaim::Types(vec![FEATURE.to_owned()]);
    let options = ImportOptions { coverage, ..ImportOptions::default() };
    must(stage.try_import(tenant, &many(3, 1), &options));
    ended(&stage.compare(tenant), "partial", Some(ReasonCode::NotProven));
}

#[test]
fn blocked() {
    let stage = Stage::new();
    let (golden, tenant, profile) = stage.governed(TYPES, &many(3, 0));
    let empty = stage.tenant("empty");
    stage.assign(empty, profile);
    ended(&stage.compare(empty), "blocked", Some(ReasonCode::NoInventory));
    ended(&stage.capture(profile, empty), "blocked", Some(ReasonCode::NoInventory));

    let unknown = stage.tenant("unknown");
    must(stage.try_import(unknown, &many(3, 0), &ImportOptions::default()));
    ended(&stage.capture(profile, unknown), "blocked", Some(ReasonCode::UnprovenTypes));

    let imported = stage.import(tenant, &policies([]));
    ended(&imported.run, "blocked", Some(ReasonCode::ConfirmEmpty));
    assert!(imported.state.is_some_and(|state| state.policies == 3), "the state stays");

    let to = |to| {
        must(block_on(stage.system.set_profile_status(stage.workspace, &stage.actor, profile, to)));
    };
    to(ProfileStatus::Draft);
    ended(&stage.compare(tenant), "blocked", Some(ReasonCode::ProfileNotActive));
    to(ProfileStatus::Active);
    ended(&stage.compare(tenant), "succeeded", None);

    stage.wait(73 * 3_600);
    ended(&stage.compare(tenant), "blocked", Some(ReasonCode::InventoryTooOld));

    // A night names the same reasons; one without a profile is no night of the tenant.
    stage.schedule("02:00", "UTC");
    stage.wait(25 * 3_600);
    must(stage.tick());
    let runs = stage.drain();
    assert_eq!(runs.len(), 2, "{runs:?}");
    for run in &runs {
        let expected =
            if run.tenant == empty { ReasonCode::NoInventory } else { ReasonCode::InventoryTooOld };
        ended(run, "blocked", Some(expected));
    }
    assert_whole(&stage, "blocked");
    let _ = golden;
}

#[test]
fn cancelled() {
    let stage = Stage::new();
    let (_, tenant, profile) = stage.governed(TYPES, &many(3, 0));
    let started = must(stage.start_compare(tenant));
    let cancel = || {
        let (workspace, id) = (stage.workspace, started.run.id);
        block_on(stage.system.cancel_run(workspace, &stage.actor, tenant, id))
    };
    ended(&must(cancel()), "cancelled", Some(ReasonCode::ByPerson));
    let again = cancel().expect_err("it ended").to_string();
    assert!(again.contains("ended already (cancelled)"), "{again}");
    stage.drain();

    let started = must(stage.start_compare(tenant));
    must(stage.unassign(tenant));
    stage.drain();
    ended(&stage.run(tenant, &started), "cancelled", Some(ReasonCode::Deleted));

    stage.assign(tenant, profile);
    let started = must(stage.start_compare(tenant));
    let to = ProfileStatus::Archived;
    must(block_on(stage.system.set_profile_status(stage.workspace, &stage.actor, profile, to)));
    stage.drain();
    ended(&stage.run(tenant, &started), "cancelled", Some(ReasonCode::Deleted));
}

/// A run names the scope that it was queued for to its end, and nothing is done under another.
#[test]
fn an_edited_scope_supersedes_what_is_queued() {
    let stage = Stage::new();
    let (golden, tenant, profile) = stage.governed(TYPES, &many(3, 0));
    let edit = |types| {
        let edit = ProfileEdit { scope: Some(scope(types)), ..ProfileEdit::default() };
        must(block_on(stage.system.edit_profile(stage.workspace, &stage.actor, profile, edit)));
    };
    let compare = must(stage.start_compare(tenant));
    let capture = must(stage.start_capture(profile, golden));
    edit(&[FEATURE, QUALITY]);
    stage.drain();
    for (tenant, started) in [(tenant, compare), (golden, capture)] {
        let run = stage.run(tenant, &started);
        ended(&run, "cancelled", Some(ReasonCode::Superseded));
        assert!(run.context.effective_scope_hash.is_some());
        let frozen = started.run.context.effective_scope_hash;
        assert_eq!(run.context.effective_scope_hash, frozen);
    }
    assert!(stage.findings(tenant).is_empty());

    // A scope that only reads otherwise is the same.
    let compare = must(stage.start_compare(tenant));
    edit(&[QUALITY, FEATURE]);
    stage.drain();
    let run = stage.run(tenant, &compare);
    assert_eq!(run.outcome().as_str(), "succeeded", "{:?}", run.failure());
    assert_eq!(run.context.effective_scope_hash, compare.run.context.effective_scope_hash);
    assert_whole(&stage, "an edited scope");
}

#[test]
fn superseded() {
    let stage = Stage::new();
    let (_, tenant, _) = stage.governed(TYPES, &many(3, 0));
    stage.schedule("02:00", "UTC");
    stage.wait(26 * 3_600);
    // The compare by hand waits in the queue when the night comes.
    must(stage.start_compare(tenant));
    must(stage.tick());
    // Workers take the night first.
    let by_hand = must(block_on(stage.raw.queue.receive(
        plumbline_ports::QueueName::Compare,
        1,
        std::time::Duration::from_mins(1),
    )));
    assert_eq!(by_hand.len(), 1);
    let runs = stage.drain();
    assert_eq!(runs.len(), 1);
    ended(&runs[0], "cancelled", Some(ReasonCode::Superseded));
}
