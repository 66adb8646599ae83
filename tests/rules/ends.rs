//! Every status and outcome of a run, with the reason of each.

use futures::executor::block_on;
use plumbline_governance::profile::ProfileStatus;
use plumbline_governance::run::{ReasonCode, Run};
use plumbline_operations::{CoverageClaim, ImportOptions, ProfileEdit};
use plumbline_policy::digest::Digest;
use plumbline_ports::{Batch, Condition, Key, ObjectKey, Record};
use plumbline_tests::check::{assert_whole, body_of};
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
        must(block_on(stage.system.set_profile_status(
            stage.workspace,
            &stage.actor,
            profile,
            to,
            None,
        )));
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

/// The tenant of a night may lose its profile before a worker comes.
#[test]
fn not_assigned() {
    let stage = Stage::new();
    let (_, tenant, _) = stage.governed(TYPES, &many(3, 0));
    stage.schedule("02:00", "UTC");
    let day = 86_400;
    stage.wait(day - stage.second().rem_euclid(day) + 2 * 3_600);
    assert_eq!(must(stage.tick()).started.len(), 1);
    must(stage.unassign(tenant));
    let runs = stage.drain();
    assert_eq!(runs.len(), 1, "{runs:?}");
    ended(&runs[0], "blocked", Some(ReasonCode::NotAssigned));
    assert_whole(&stage, "not assigned");
}

/// The row of the profile's only snapshot.
fn snapshot_row(stage: &Stage) -> Record {
    let mut rows = stage.dump().into_iter().filter(|row| row.key.sk.starts_with("SNAPSHOT#"));
    rows.next().expect("a snapshot")
}

fn commit(stage: &Stage, batch: Batch) {
    must(block_on(stage.raw.records.commit(batch)));
}

#[test]
fn no_snapshot() {
    let stage = Stage::new();
    let (_, tenant, profile) = stage.governed(TYPES, &many(3, 0));
    ended(&stage.compare(tenant), "succeeded", None);
    let key = snapshot_row(&stage).key;
    commit(&stage, Batch::new().delete(key, Condition::Always));
    stage.import(tenant, &many(3, 1));
    ended(&stage.compare(tenant), "blocked", Some(ReasonCode::NoSnapshot));
    // A profile that never had one.
    let key = Key::new(format!("WS#{}", stage.workspace), format!("PROFILE#{profile}"));
    let mut record = must(block_on(stage.raw.records.get(&key))).expect("a profile");
    let mut body = body_of(&record).expect("JSON");
    body["row"]["active_snapshot"] = serde_json::Value::Null;
    record.body = body.to_string().into_bytes();
    commit(&stage, Batch::new().put(record, Condition::Always));
    ended(&stage.compare(tenant), "blocked", Some(ReasonCode::NoSnapshot));
}

/// Digests of two versions of the rules are never compared.
#[test]
fn renormalise_pending() {
    let stage = Stage::new();
    let (golden, tenant, profile) = stage.governed(TYPES, &many(3, 0));
    let mut record = snapshot_row(&stage);
    let mut body = body_of(&record).expect("JSON");
    let indexes = body["row"]["indexes"].as_object_mut().expect("indexes");
    let (version, digest) = indexes.iter().next().expect("an index");
    let (version, digest) = (version.clone(), digest.clone());
    *indexes = [("0".to_owned(), digest)].into_iter().collect();
    record.body = body.to_string().into_bytes();
    commit(&stage, Batch::new().put(record, Condition::Always));
    ended(&stage.compare(tenant), "blocked", Some(ReasonCode::RenormalisePending));
    assert!(stage.findings(tenant).is_empty());

    // The same of a state: its index says that it was read under other rules.
    let stored = must(block_on(stage.system.state(stage.workspace, golden))).expect("a state");
    let folder = format!("ws/{}/ten/{golden}/index", stage.workspace);
    let old = ObjectKey::new(&folder, stored.index).expect("a key");
    let bytes = must(block_on(stage.raw.objects.get(&old))).expect("an index");
    let plain = zstd::stream::decode_all(bytes.as_slice()).expect("compressed");
    let text = String::from_utf8(plain).expect("JSON").replacen(
        &format!("\"normaliser_version\":{version}"),
        "\"normaliser_version\":0",
        1,
    );
    let bytes = zstd::bulk::compress(text.as_bytes(), 3).expect("compressed");
    let new = ObjectKey::new(&folder, Digest::of(&bytes)).expect("a key");
    must(block_on(stage.raw.objects.put(&new, bytes)));
    let key = Key::new(format!("WS#{}#TEN#{golden}", stage.workspace), "STATE");
    let mut record = must(block_on(stage.raw.records.get(&key))).expect("a state");
    let mut body = body_of(&record).expect("JSON");
    body["row"]["index"] = new.digest().to_string().into();
    record.body = body.to_string().into_bytes();
    commit(&stage, Batch::new().put(record, Condition::Always));
    ended(&stage.capture(profile, golden), "blocked", Some(ReasonCode::RenormalisePending));
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
    must(block_on(stage.system.set_profile_status(
        stage.workspace,
        &stage.actor,
        profile,
        to,
        None,
    )));
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
        must(block_on(stage.system.edit_profile(
            stage.workspace,
            &stage.actor,
            profile,
            edit,
            None,
        )));
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
