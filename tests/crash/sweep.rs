//! One scenario, broken off everywhere.

use plumbline_operations::OperationError;
use plumbline_testkit::faults::Fault;
use plumbline_tests::check::{assert_whole, broken, pending_runs, unrest};
use plumbline_tests::stage::{Stage, View};

/// What is swept.
pub(crate) struct Scenario<S, C> {
    /// For messages.
    pub(crate) name: &'static str,
    /// Builds the stage without a fault.
    pub(crate) setup: S,
    /// The operation. What it answers may be repeated by the caller.
    pub(crate) call: C,
    /// Whether workers run in the same process right after the call.
    pub(crate) works: bool,
}

type Kind = (&'static str, fn() -> Fault);

const KINDS: [Kind; 4] = [
    ("crash before", || Fault::CrashBefore),
    ("crash after", || Fault::CrashAfter),
    ("lose the reply of", || Fault::LoseReply),
    ("fail", || Fault::Fail),
];

/// Sweeps a scenario; returns how many points were tried.
pub(crate) fn sweep<T>(
    scenario: &Scenario<impl Fn(&Stage) -> T, impl Fn(&Stage, &T) -> Result<(), OperationError>>,
) -> u64 {
    let (expected, calls) = whole(scenario);
    assert!(calls > 0, "{} makes no outside call", scenario.name);
    for at in 0..calls {
        for (kind, fault) in KINDS {
            point(scenario, &expected, at, kind, fault());
            alone(scenario, at, kind, fault());
        }
    }
    let points = calls * 2 * KINDS.len() as u64;
    println!("{}: {points} points ({calls} calls)", scenario.name);
    points
}

/// The run without a fault.
fn whole<T>(
    scenario: &Scenario<impl Fn(&Stage) -> T, impl Fn(&Stage, &T) -> Result<(), OperationError>>,
) -> (View, u64) {
    let stage = Stage::new();
    let told = (scenario.setup)(&stage);
    stage.plan.reset();
    if let Err(error) = (scenario.call)(&stage, &told) {
        panic!("{} fails without a fault: {error}", scenario.name);
    }
    if scenario.works {
        stage.drain();
    }
    let calls = stage.plan.count();
    stage.settle();
    assert_whole(&stage, scenario.name);
    (stage.view(), calls)
}

fn point<T>(
    scenario: &Scenario<impl Fn(&Stage) -> T, impl Fn(&Stage, &T) -> Result<(), OperationError>>,
    expected: &View,
    at: u64,
    kind: &str,
    fault: Fault,
) {
    let stage = Stage::new();
    let told = (scenario.setup)(&stage);
    stage.plan.reset();
    stage.plan.at(at, fault);
    let answer = (scenario.call)(&stage, &told);
    if scenario.works && !stage.plan.is_crashed() {
        stage.drain();
    }
    let called = stage.plan.calls().last().map_or_else(String::new, |call| {
        format!("{} {}", call.op, call.what.chars().take(160).collect::<String>())
    });
    let when = format!("{}: {kind} call {at} (last: {called})", scenario.name);
    assert!(stage.plan.has_fired(), "{when}: never reached");
    // Whatever was written so far is true by itself, but for counts that are still to come.
    let broken: Vec<String> =
        broken(&stage).into_iter().filter(|one| !one.starts_with("I3")).collect();
    assert!(broken.is_empty(), "{when}: {broken:#?}");
    stage.plan.restart();
    if let Err(error) = answer {
        assert!(error.is_retryable(), "{when}: the caller is told `{error}`");
        stage.wait(1);
        match (scenario.call)(&stage, &told) {
            Ok(()) => {}
            // It was done, and the caller is told so.
            Err(OperationError::Refused(message)) => {
                assert!(!message.is_empty(), "{when}");
            }
            Err(error) => panic!("{when}: trying again says `{error}`"),
        }
    }
    if scenario.works {
        stage.drain();
    }
    // Past every lease and delivery.
    stage.wait(17 * 60);
    stage.settle();
    let pending = pending_runs(&stage);
    assert!(pending.is_empty(), "{when}: {pending:#?}");
    assert_whole(&stage, &when);
    assert_eq!(&stage.view(), expected, "{when}");
}

/// The same, but nobody tries again: what was begun is finished or was never there, and everything that
/// stands is true.
fn alone<T>(
    scenario: &Scenario<impl Fn(&Stage) -> T, impl Fn(&Stage, &T) -> Result<(), OperationError>>,
    at: u64,
    kind: &str,
    fault: Fault,
) {
    let stage = Stage::new();
    let told = (scenario.setup)(&stage);
    stage.plan.reset();
    stage.plan.at(at, fault);
    let _ = (scenario.call)(&stage, &told);
    if scenario.works && !stage.plan.is_crashed() {
        stage.drain();
    }
    stage.plan.restart();
    stage.wait(17 * 60);
    stage.settle();
    let when = format!("{}: {kind} call {at}, and nobody tries again", scenario.name);
    let pending = pending_runs(&stage);
    assert!(pending.is_empty(), "{when}: {pending:#?}");
    let mut broken = broken(&stage);
    broken.extend(unrest(&stage));
    assert!(broken.is_empty(), "{when}: {broken:#?}");
}
