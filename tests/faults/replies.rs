//! Workers that are cut off, and replies that are lost.

use futures::executor::block_on;
use plumbline_governance::access::MemberRole;
use plumbline_governance::finding::state::FindingAction;
use plumbline_governance::run::Run;
use plumbline_operations::{OperationError, Person, System};
use plumbline_ports::Clock as _;
use plumbline_testkit::faults::{Call, Fault};
use plumbline_tests::check::{assert_whole, body_of};
use plumbline_tests::policies::{FEATURE, many};
use plumbline_tests::stage::{Stage, must};

const TYPES: &[&str] = &[FEATURE];

/// A run that a worker has, started on a new stage.
type Begun = (Stage, plumbline_operations::Started);

fn compare() -> Begun {
    let stage = Stage::new();
    let (_, tenant, _) = stage.governed(TYPES, &many(5, 0));
    stage.import(tenant, &many(5, 3));
    let started = must(stage.start_compare(tenant));
    (stage, started)
}

fn capture() -> Begun {
    let stage = Stage::new();
    let tenant = stage.tenant("golden");
    let profile = stage.profile("Gold", TYPES);
    stage.import(tenant, &many(5, 0));
    let started = must(stage.start_capture(profile, tenant));
    (stage, started)
}

/// A worker whose time is up in the middle leaves a run that says so: nothing is summed up before all of it
/// stands. The next worker begins again and comes to the same end.
#[test]
fn f11_a_worker_whose_time_is_up() {
    for begin in [compare, capture] {
        let whole: Run = {
            let (stage, started) = begin();
            stage.drain();
            stage.run(started.run.tenant, &started)
        };
        assert_eq!(whole.outcome().as_str(), "succeeded");
        let mut at = 0;
        loop {
            let (stage, started) = begin();
            stage.plan.reset();
            stage.plan.at(at, Fault::CrashBefore);
            stage.drain();
            if !stage.plan.has_fired() {
                assert!(at > 10, "only {at} calls");
                break;
            }
            stage.plan.restart();
            let tenant = started.run.tenant;
            let cut = stage.run(tenant, &started);
            let posture = must(block_on(stage.system.posture(stage.workspace, tenant)));
            if cut.is_completed() {
                assert_eq!(cut.summary_counts, whole.summary_counts, "cut at call {at}");
            } else {
                assert!(cut.summary_counts.is_empty(), "cut at call {at}: {cut:?}");
                assert!(cut.context.baseline_compare.is_none(), "cut at call {at}");
                assert!(cut.context.baseline_capture.is_none(), "cut at call {at}");
                assert_eq!(posture, None, "cut at call {at}");
            }
            // Past the lease and the delivery.
            stage.wait(17 * 60);
            stage.drain();
            let run = stage.run(tenant, &started);
            assert_eq!(run.outcome(), whole.outcome(), "cut at call {at}: {:?}", run.failure());
            assert_eq!(run.summary_counts, whole.summary_counts, "cut at call {at}");
            stage.settle();
            assert_whole(&stage, &format!("f11, cut at call {at}"));
            at += 1;
        }
    }
}

/// A write whose reply was lost is known again as one's own: the caller hears of success, once, and there
/// is one line in the audit.
#[test]
fn f18_a_lost_reply_of_ones_own_write() {
    let is_commit = |call: &Call| call.op == "commit records";
    let stage = Stage::new();
    let (_, tenant, _) = stage.governed(TYPES, &many(5, 0));
    stage.import(tenant, &many(5, 1));
    stage.plan.next(is_commit, Fault::LoseReply);
    let started = must(stage.start_compare(tenant));
    assert!(stage.plan.has_fired() && !started.was_active, "it is the run that was started");
    // The claim, the rows and the end of the run.
    for row in ["RUN#", "FINDING#", "POSTURE"] {
        let of = move |call: &Call| is_commit(call) && call.what.contains(row);
        stage.plan.next(of, Fault::LoseReply);
    }
    assert_eq!(stage.drain().len(), 1);
    let run = stage.run(tenant, &started);
    assert_eq!(run.outcome().as_str(), "succeeded", "{:?}", run.failure());
    assert_eq!(run.summary_counts["appeared"], 1);

    let id = stage.finding(tenant, "Policy 0000").finding.id;
    stage.plan.next(is_commit, Fault::LoseReply);
    stage.act(tenant, id, &FindingAction::Acknowledge);
    assert_eq!(stage.finding(tenant, "Policy 0000").finding.state.as_str(), "acknowledged");
    assert_eq!(audited(&stage, "finding.acknowledge"), 1);
    assert_eq!(audited(&stage, "run.start.baseline_compare"), 1);
    assert_whole(&stage, "f18");
}

/// A write that took no effect, and somebody else's in its place: that is no success, and nothing of one's
/// own is left.
#[test]
fn f18_somebody_elses_write_is_not_taken_for_ones_own() {
    let stage = Stage::new();
    let mia = Person { issuer: "local".to_owned(), subject: "mia".to_owned() };
    let set = |system: &System, role: MemberRole| {
        block_on(system.set_member(stage.workspace, &stage.actor, &mia, role.into(), None))
    };
    must(set(&stage.system, MemberRole::Auditor));
    let other = System::new(stage.raw.clone());
    let (workspace, actor, person) = (stage.workspace, stage.actor.clone(), mia.clone());
    let beside = move || async move {
        must(other.set_member(workspace, &actor, &person, MemberRole::Viewer.into(), None).await);
    };
    stage.plan.next(|call| call.op == "commit records", Fault::Fail);
    stage.plan.next(|call| call.op == "commit records", Fault::delay(beside));
    let error = set(&stage.system, MemberRole::Operator).expect_err("somebody else was faster");
    assert!(matches!(error, OperationError::Conflict(_)), "{error:?}");
    let members = must(block_on(stage.system.members(stage.workspace)));
    let role = members.iter().find(|one| one.subject == mia.subject).map(|one| one.role);
    assert_eq!(role, Some(MemberRole::Viewer));
    assert_eq!(audited(&stage, "member.set"), 2, "the first and the other's");
}

/// How many lines of the audit tell of an action.
fn audited(stage: &Stage, action: &str) -> usize {
    let pk = format!("WS#{}#AUDIT#{}", stage.workspace, &stage.clock.now().to_string()[..7]);
    let rows = must(block_on(stage.raw.records.query_all(plumbline_ports::Query::prefix(pk, ""))));
    rows.iter().filter_map(body_of).filter(|body| body["row"]["action"] == action).count()
}
