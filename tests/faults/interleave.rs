//! Two at once: at every outside call of one worker, somebody else does something. Deterministic, and
//! every place is tried.

use crate::delivery::send;
use futures::executor::block_on;
use jiff::SignedDuration;
use plumbline_governance::finding::state::FindingAction;
use plumbline_governance::ids::{ProfileId, SnapshotId, TenantId};
use plumbline_governance::profile::ProfileStatus;
use plumbline_governance::report::Facet;
use plumbline_governance::run::{Run, RunType};
use plumbline_governance::severity::Severity;
use plumbline_operations::{CollectOptions, OperationError, ProfileEdit, Started, System, Work};
use plumbline_ports::QueueName;
use plumbline_testkit::faults::Fault;
use plumbline_tests::check::{assert_whole, pending_runs, unrest};
use plumbline_tests::policies::{FEATURE, Policies, QUALITY, feature, many, policies, quality};
use plumbline_tests::stage::{Stage, must, scope};
use std::sync::{Arc, Mutex, PoisonError};

const TYPES: &[&str] = &[FEATURE, QUALITY];

fn golden() -> Policies {
    policies([
        feature("Ring a", 1, "22H2"),
        feature("Ring b", 2, "23H2"),
        feature("Ring c", 3, "24H2"),
        quality("Fast d", 4, 1),
    ])
}

fn drifted() -> Policies {
    policies([
        feature("Ring a", 1, "22H2"),
        feature("Ring b", 2, "25H2"),
        quality("Fast d", 4, 1),
        quality("Extra f", 6, 3),
    ])
}

/// What a test needs to know of the world.
#[derive(Clone, Copy)]
pub(crate) struct Told {
    golden: TenantId,
    pub(crate) tenant: TenantId,
    pub(crate) profile: ProfileId,
    first: SnapshotId,
}

/// A tenant with an old finding (accepted), new drift that was not compared yet, and two snapshots.
pub(crate) fn world(stage: &Stage) -> Told {
    let (gold, tenant, profile) = stage.governed(TYPES, &golden());
    let snapshots = must(block_on(stage.system.snapshots(stage.workspace, profile)));
    let mut old = golden();
    old.insert("0000".to_owned(), feature("Ring a", 1, "old"));
    stage.import(tenant, &old);
    stage.compare(tenant);
    let id = stage.finding(tenant, "Ring a").finding.id;
    stage.act(tenant, id, &FindingAction::Acknowledge);
    stage.import(tenant, &drifted());
    Told { golden: gold, tenant, profile, first: snapshots[0].id }
}

/// Who stands beside: the system without the plan, and the clock.
#[derive(Clone)]
pub(crate) struct Beside {
    pub(crate) system: System,
    pub(crate) clock: Arc<plumbline_testkit::clock::ManualClock>,
    pub(crate) workspace: plumbline_governance::ids::WorkspaceId,
    pub(crate) actor: plumbline_operations::Actor,
    pub(crate) told: Told,
}

impl Beside {
    pub(crate) async fn work(&self) {
        for _ in 0..20 {
            let mut any = false;
            for queue in QueueName::ALL {
                any |= !self.system.work(queue, 10).await.expect("the queue").is_empty();
            }
            if !any {
                break;
            }
        }
    }
}

pub(crate) type Doing = fn(Beside) -> std::pin::Pin<Box<dyn Future<Output = ()> + Send>>;

/// Compares a tenant; at each call of the worker, `doing` happens first. Returns the runs' ends.
fn at_every_call(name: &str, prepare: fn(&Stage, &Told), doing: Doing, held: bool) -> Vec<Run> {
    let calls = {
        let stage = Stage::new();
        let told = world(&stage);
        prepare(&stage, &told);
        must(stage.start_compare(told.tenant));
        stage.plan.reset();
        stage.drain();
        stage.plan.count()
    };
    let mut out = Vec::new();
    for at in 0..calls {
        let stage = Stage::new();
        let told = world(&stage);
        prepare(&stage, &told);
        let started = must(stage.start_compare(told.tenant));
        stage.plan.reset();
        let beside = Beside {
            system: System::new(stage.raw.clone()),
            clock: Arc::clone(&stage.clock),
            workspace: stage.workspace,
            actor: stage.actor.clone(),
            told,
        };
        stage.plan.at(at, Fault::delay(move || doing(beside)));
        stage.drain();
        assert!(stage.plan.has_fired(), "{name} {at}");
        stage.wait(17 * 60);
        stage.settle();
        let when = format!("{name}, at call {at}");
        assert_eq!(pending_runs(&stage), Vec::<String>::new(), "{when}");
        assert_whole(&stage, &when);
        assert_eq!(unrest(&stage), Vec::<String>::new(), "{when}");
        out.push(stage.run(told.tenant, &started));
        if held {
            let run = stage.compare(told.tenant);
            assert_agrees(&stage, told.tenant, &run, &when);
        }
        let checked = must(block_on(stage.system.verify(stage.workspace)));
        assert_eq!(checked.damage, Vec::new(), "{when}");
    }
    out
}

/// A compare's counts are borne by the findings.
fn assert_agrees(stage: &Stage, tenant: TenantId, run: &Run, when: &str) {
    assert_eq!(run.outcome().as_str(), "succeeded", "{when}: {:?}", run.failure());
    let counts = &run.summary_counts;
    let drift =
        counts["missing_policy"] + counts["different_version"] + counts["unexpected_policy"];
    let findings = stage.findings(tenant);
    let standing = findings
        .iter()
        .filter(|one| !matches!(one.finding.state.as_str(), "resolved" | "closed"))
        .filter(|one| Some(one.finding.profile) == run.context.baseline_profile_id)
        .count() as u64;
    let closed =
        findings.iter().filter(|one| one.finding.state.as_str() == "closed").count() as u64;
    assert!(
        standing <= drift && drift <= standing + closed,
        "{when}: {drift} drifts, {standing} stand, {closed} closed"
    );
}

fn nothing(_: &Stage, _: &Told) {}

#[test]
fn f07_another_worker_with_the_same_message() {
    let ends = at_every_call(
        "a second delivery",
        |stage, told| {
            // The same message, once more, as soon as there is a run.
            let started = must(stage.start_compare(told.tenant));
            let work = Work::Run {
                workspace: stage.workspace,
                tenant: told.tenant,
                run: started.run.id,
                run_type: RunType::BaselineCompare,
            };
            for _ in 0..2 {
                send(stage, QueueName::Compare, &work.to_message());
            }
        },
        |beside| Box::pin(async move { beside.work().await }),
        true,
    );
    assert!(ends.iter().all(|run| run.outcome().as_str() == "succeeded"));
}

#[test]
fn f10_a_worker_that_comes_back_after_its_lease() {
    let ends = at_every_call(
        "a zombie",
        nothing,
        |beside| {
            Box::pin(async move {
                beside.clock.advance(SignedDuration::from_mins(17));
                beside.work().await;
            })
        },
        true,
    );
    assert!(ends.iter().all(|run| run.outcome().as_str() == "succeeded"));
}

#[test]
fn f07_two_threads() {
    for round in 0..20 {
        let stage = Stage::new();
        let told = world(&stage);
        let started = must(stage.start_compare(told.tenant));
        let work = Work::Run {
            workspace: stage.workspace,
            tenant: told.tenant,
            run: started.run.id,
            run_type: RunType::BaselineCompare,
        };
        for _ in 0..3 {
            send(&stage, QueueName::Compare, &work.to_message());
        }
        std::thread::scope(|scope| {
            for _ in 0..4 {
                let system = System::new(stage.raw.clone());
                scope.spawn(move || {
                    for _ in 0..4 {
                        must(block_on(system.work(QueueName::Compare, 1)));
                    }
                });
            }
        });
        stage.wait(17 * 60);
        stage.settle();
        assert_whole(&stage, &format!("round {round}"));
        assert_eq!(pending_runs(&stage), Vec::<String>::new(), "round {round}");
        let mut seen: Vec<(String, u64)> = stage
            .findings(told.tenant)
            .into_iter()
            .map(|one| (one.finding.drift.display_name, one.seen.times))
            .collect();
        seen.sort();
        let expected = [("Extra f", 1), ("Ring a", 1), ("Ring b", 1), ("Ring c", 1)]
            .map(|(name, times)| (name.to_owned(), times));
        assert_eq!(seen, expected, "round {round}: one result, counted once");
    }
}

#[test]
fn f10_a_worker_whose_run_was_cancelled() {
    let ends = at_every_call(
        "cancelled",
        nothing,
        |beside| {
            Box::pin(async move {
                let runs = beside
                    .system
                    .runs(beside.workspace, beside.told.tenant, 100)
                    .await
                    .expect("runs");
                for run in runs.iter().filter(|run| !run.is_completed()) {
                    beside
                        .system
                        .cancel_run(beside.workspace, &beside.actor, beside.told.tenant, run.id)
                        .await
                        .expect("a cancelled run");
                }
            })
        },
        true,
    );
    assert!(ends.iter().any(|run| run.outcome().as_str() == "cancelled"));
}

#[test]
fn f19_a_person_acts_while_a_compare_writes() {
    at_every_call(
        "an action",
        nothing,
        |beside| {
            Box::pin(async move {
                let (workspace, tenant) = (beside.workspace, beside.told.tenant);
                let findings = beside.system.findings(workspace, tenant).await.expect("findings");
                for one in findings {
                    let until = beside.system.now().checked_add(SignedDuration::from_hours(1)).ok();
                    let action = FindingAction::Accept { reason: "for now".to_owned(), until };
                    let _ = beside
                        .system
                        .act(workspace, &beside.actor, tenant, one.finding.id, &action, None)
                        .await;
                }
            })
        },
        true,
    );
    at_every_call(
        "a closing",
        nothing,
        |beside| {
            Box::pin(async move {
                let (workspace, tenant) = (beside.workspace, beside.told.tenant);
                let findings = beside.system.findings(workspace, tenant).await.expect("findings");
                for one in findings {
                    let action = FindingAction::Close { reason: "no more".to_owned() };
                    let _ = beside
                        .system
                        .act(workspace, &beside.actor, tenant, one.finding.id, &action, None)
                        .await;
                }
            })
        },
        true,
    );
}

#[test]
fn f31_a_snapshot_that_is_promoted_during_a_compare() {
    let ends = at_every_call(
        "a promotion",
        |stage, told| {
            // Another snapshot is the active one; the first is promoted back in the middle.
            let mut other = golden();
            other.insert("0009".to_owned(), feature("Ring z", 9, "26H2"));
            stage.import(told.golden, &other);
            let run = stage.capture(told.profile, told.golden);
            assert_eq!(run.outcome().as_str(), "succeeded");
        },
        |beside| {
            Box::pin(async move {
                let Told { profile, first, .. } = beside.told;
                beside
                    .system
                    .promote_snapshot(beside.workspace, &beside.actor, profile, first, None)
                    .await
                    .expect("a promotion");
            })
        },
        true,
    );
    // Each is labelled with the snapshot that it was started with, and counts that one's subjects.
    let first = ends[0].context.baseline_snapshot_id;
    for run in &ends {
        assert_eq!(run.context.baseline_snapshot_id, first);
        assert_eq!(run.summary_counts["missing_policy"], 2, "Ring c and Ring z");
    }
}

#[test]
fn f32_a_profile_that_is_edited_during_a_compare() {
    at_every_call(
        "an edit",
        nothing,
        |beside| {
            Box::pin(async move {
                let edit = ProfileEdit {
                    scope: Some(scope(&[FEATURE])),
                    facets: Some(vec![Facet::Content]),
                    severities: Some([("policy.content".to_owned(), Severity::Low)].into()),
                    ..ProfileEdit::default()
                };
                let Told { profile, .. } = beside.told;
                beside
                    .system
                    .edit_profile(beside.workspace, &beside.actor, profile, edit, None)
                    .await
                    .expect("an edit");
            })
        },
        true,
    );
}

#[test]
fn f33_what_a_compare_needs_is_taken_away() {
    at_every_call(
        "an archived profile",
        nothing,
        |beside| {
            Box::pin(async move {
                let to = ProfileStatus::Archived;
                let Told { profile, .. } = beside.told;
                beside
                    .system
                    .set_profile_status(beside.workspace, &beside.actor, profile, to, None)
                    .await
                    .expect("an archived profile");
            })
        },
        false,
    );
    let ends = at_every_call(
        "an assignment taken away",
        nothing,
        |beside| {
            Box::pin(async move {
                beside
                    .system
                    .unassign(beside.workspace, &beside.actor, beside.told.tenant, None)
                    .await
                    .expect("no assignment");
            })
        },
        false,
    );
    for run in &ends {
        let reason = run.failure().map(|failure| failure.reason_code.as_str());
        assert!(matches!(reason, None | Some("deleted")), "{} {reason:?}", run.outcome().as_str());
    }
    at_every_call(
        "an archived tenant",
        nothing,
        |beside| {
            Box::pin(async move {
                beside
                    .system
                    .archive_tenant(beside.workspace, &beside.actor, beside.told.tenant, None)
                    .await
                    .expect("an archived tenant");
            })
        },
        false,
    );
}

#[test]
fn an_import_during_a_compare() {
    at_every_call(
        "an import",
        nothing,
        |beside| {
            Box::pin(async move {
                let policies = golden();
                let mut documents = policies.iter().map(|(name, value)| {
                    Ok((format!("{name}.json"), value.to_string().into_bytes()))
                });
                beside
                    .system
                    .import(
                        beside.workspace,
                        &beside.actor,
                        beside.told.tenant,
                        &plumbline_tests::stage::complete(),
                        &mut documents,
                    )
                    .await
                    .expect("an import");
            })
        },
        true,
    );
}

/// Collects for good whatever nothing refers to: doomed two days ago.
async fn collect_now(beside: &Beside) {
    let options = CollectOptions { delete: true, ..CollectOptions::default() };
    beside.system.collect(beside.workspace, options).await.expect("a collection");
}

#[test]
fn f30_a_collection_beside_a_compare() {
    at_every_call(
        "a collection",
        |stage, _| {
            let options = CollectOptions { delete: true, ..CollectOptions::default() };
            must(block_on(stage.system.collect(stage.workspace, options)));
            stage.wait(49 * 3_600);
        },
        |beside| Box::pin(async move { collect_now(&beside).await }),
        true,
    );
}

#[test]
fn f30_a_collection_beside_captures_and_imports_that_put_doomed_bytes_again() {
    let prepare = |stage: &Stage| {
        let (gold, tenant, profile) = stage.governed(TYPES, &golden());
        // What both had before is orphaned and doomed; then the same comes again.
        let all = many(5, 5);
        stage.import(gold, &all);
        stage.import(tenant, &all);
        let options = CollectOptions { delete: true, ..CollectOptions::default() };
        let first = must(block_on(stage.system.collect(stage.workspace, options)));
        assert!(first.doomed.objects >= 4, "{first:?}");
        stage.wait(49 * 3_600);
        (gold, tenant, profile)
    };
    let again = |stage: &Stage, gold: TenantId, tenant: TenantId, profile: ProfileId| {
        for of in [gold, tenant] {
            let mut tried = 0;
            while let Err(error) =
                stage.try_import(of, &golden(), &plumbline_tests::stage::complete())
            {
                tried += 1;
                let may_repeat = error.is_retryable() && tried < 5;
                assert!(may_repeat, "{error}");
            }
        }
        let started = must(stage.start_capture(profile, gold));
        stage.drain();
        stage.settle();
        assert_eq!(stage.run(gold, &started).outcome().as_str(), "succeeded");
    };
    let calls = {
        let stage = Stage::new();
        let (gold, tenant, profile) = prepare(&stage);
        stage.plan.reset();
        again(&stage, gold, tenant, profile);
        stage.plan.count().min(70)
    };
    for at in 0..calls {
        let stage = Stage::new();
        let (gold, tenant, profile) = prepare(&stage);
        stage.plan.reset();
        let system = System::new(stage.raw.clone());
        let workspace = stage.workspace;
        stage.plan.at(
            at,
            Fault::delay(move || async move {
                let options = CollectOptions { delete: true, ..CollectOptions::default() };
                system.collect(workspace, options).await.expect("a collection");
            }),
        );
        again(&stage, gold, tenant, profile);
        assert_whole(&stage, &format!("a collection at call {at}"));
        let checked = must(block_on(stage.system.verify(stage.workspace)));
        assert_eq!(checked.damage, Vec::new(), "at call {at}");
    }
}

#[test]
fn f30_an_import_beside_every_call_of_a_collection() {
    for at in 0..200 {
        let stage = Stage::new();
        let (gold, _, _) = stage.governed(TYPES, &golden());
        stage.import(gold, &many(5, 5));
        let options = CollectOptions { delete: true, ..CollectOptions::default() };
        must(block_on(stage.system.collect(stage.workspace, options)));
        stage.wait(49 * 3_600);
        stage.plan.reset();
        let system = System::new(stage.raw.clone());
        let (workspace, actor) = (stage.workspace, stage.actor.clone());
        stage.plan.at(
            at,
            Fault::delay(move || async move {
                let policies = golden();
                let mut documents = policies.iter().map(|(name, value)| {
                    Ok((format!("{name}.json"), value.to_string().into_bytes()))
                });
                let options = plumbline_tests::stage::complete();
                let imported =
                    system.import(workspace, &actor, gold, &options, &mut documents).await;
                if let Err(error) = imported {
                    assert!(error.is_retryable(), "{error}");
                }
            }),
        );
        must(block_on(stage.system.collect(stage.workspace, options)));
        assert_whole(&stage, &format!("an import at call {at} of a collection"));
        if !stage.plan.has_fired() {
            assert!(at > 10, "the collection makes only {at} calls");
            return;
        }
    }
    panic!("the collection never ends");
}

/// Whoever comes first captures; whoever comes from the same tenant is given that run, and whoever comes
/// from another is told of it.
#[test]
fn f28_two_captures_of_one_profile_at_once() {
    let mut at = 0;
    loop {
        let stage = Stage::new();
        let [gold, twin] = ["gold", "twin"].map(|name| stage.tenant(name));
        let profile = stage.profile("Gold", TYPES);
        for tenant in [gold, twin] {
            stage.import(tenant, &golden());
        }
        let beside: Arc<Mutex<Option<Result<Started, OperationError>>>> = Arc::default();
        let (system, told) = (System::new(stage.raw.clone()), Arc::clone(&beside));
        let (workspace, actor) = (stage.workspace, stage.actor.clone());
        stage.plan.reset();
        let hook = move || async move {
            let answer = system.start_capture(workspace, &actor, profile, twin).await;
            *told.lock().unwrap_or_else(PoisonError::into_inner) = Some(answer);
        };
        stage.plan.at(at, Fault::delay(hook));
        let answer = stage.start_capture(profile, gold);
        if !stage.plan.has_fired() {
            assert!(at > 4, "only {at} calls");
            return;
        }
        let other = beside.lock().unwrap_or_else(PoisonError::into_inner).take();
        let (tenant, started, refusal) = match (answer, other.expect("an answer")) {
            (Ok(started), Err(error)) => (gold, started, error),
            (Err(error), Ok(started)) => (twin, started, error),
            both => panic!("one of them captures, at call {at}: {both:?}"),
        };
        let refusal = refusal.to_string();
        assert!(refusal.contains(&started.run.id.to_string()), "{refusal}");
        assert!(refusal.contains(&tenant.to_string()), "{refusal}");
        let again = must(stage.start_capture(profile, tenant));
        assert_eq!((again.run.id, again.was_active), (started.run.id, true));
        assert_whole(&stage, "f28, while one is active");

        stage.drain();
        let first = stage.run(tenant, &started);
        assert_eq!(first.outcome().as_str(), "succeeded", "{:?}", first.failure());
        // The profile is free again, and the other tenant holds the same.
        let second = stage.capture(profile, if tenant == gold { twin } else { gold });
        assert_eq!(second.context.baseline_snapshot_id, first.context.baseline_snapshot_id);
        assert_eq!(must(block_on(stage.system.snapshots(stage.workspace, profile))).len(), 1);
        stage.settle();
        assert_whole(&stage, "f28");
        let checked = must(block_on(stage.system.verify(stage.workspace)));
        assert_eq!(checked.damage, Vec::new());
        at += 1;
    }
}

/// A second worker with the message of a capture, at every call of the first.
#[test]
fn f07_two_workers_with_one_capture() {
    let mut at = 0;
    loop {
        let stage = Stage::new();
        let gold = stage.tenant("gold");
        let profile = stage.profile("Gold", TYPES);
        stage.import(gold, &golden());
        let started = must(stage.start_capture(profile, gold));
        let twice = Work::Run {
            workspace: stage.workspace,
            tenant: gold,
            run: started.run.id,
            run_type: started.run.run_type,
        };
        send(&stage, QueueName::Capture, &twice.to_message());
        let system = System::new(stage.raw.clone());
        stage.plan.reset();
        let hook = move || async move {
            must(system.work(QueueName::Capture, 1).await);
        };
        stage.plan.at(at, Fault::delay(hook));
        stage.drain();
        if !stage.plan.has_fired() {
            assert!(at > 8, "only {at} calls");
            return;
        }
        stage.wait(17 * 60);
        stage.settle();
        let run = stage.run(gold, &started);
        assert_eq!(run.outcome().as_str(), "succeeded", "at call {at}: {:?}", run.failure());
        assert_eq!(must(block_on(stage.system.snapshots(stage.workspace, profile))).len(), 1);
        assert_whole(&stage, &format!("f07, a capture, at call {at}"));
        at += 1;
    }
}

/// What a fenced worker still had in hand is not written: the findings stay as the cancelling left them.
#[test]
fn f10_a_fenced_worker_writes_nothing() {
    use plumbline_ports::{Query, Record};
    let mut at = 0;
    loop {
        let stage = Stage::new();
        let told = world(&stage);
        let started = must(stage.start_compare(told.tenant));
        stage.plan.reset();
        let rows: Arc<Mutex<Option<Vec<Record>>>> = Arc::default();
        let (system, raw) = (System::new(stage.raw.clone()), stage.raw.clone());
        let (workspace, actor, run) = (stage.workspace, stage.actor.clone(), started.run.id);
        let all =
            Query::prefix(format!("WS#{workspace}#TEN#{}", told.tenant), "FINDING#".to_owned());
        let (seen, query) = (Arc::clone(&rows), all.clone());
        let hook = move || async move {
            let cancelled = system.cancel_run(workspace, &actor, told.tenant, run).await;
            if cancelled.is_ok() {
                let found = raw.records.query_all(query).await.expect("rows");
                *seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(found);
            }
        };
        stage.plan.at(at, Fault::delay(hook));
        stage.drain();
        if !stage.plan.has_fired() {
            assert!(at > 20, "only {at} calls");
            return;
        }
        let before = rows.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(before) = before {
            let after = must(block_on(stage.raw.records.query_all(all)));
            assert_eq!(after, before, "the run was cancelled at call {at}");
        }
        at += 1;
    }
}
