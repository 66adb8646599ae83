//! The time that a worker has: what it does not finish it gives back, and another one goes on.

use crate::events::batch_of;
use crate::workers::{on_runtime, started};
use futures::FutureExt as _;
use futures::channel::oneshot;
use plumbline_operations::{Expiry, Handled, Work};
use plumbline_ports::QueueName;
use plumbline_testkit::faults::Fault;
use plumbline_tests::check::{assert_whole, broken};
use std::time::Duration;

/// Nothing is begun for which there is no time.
#[test]
fn a_batch_without_time_is_not_begun() {
    let (stage, work) = started();
    let batch = batch_of(&stage, QueueName::Compare, &[work.clone(), work]);
    let before = stage.dump();
    let time = plumbline_lambda_kit::batch::MARGIN;
    let answer = on_runtime(plumbline_compare::handle(&stage.system, batch, time)).unwrap();
    assert_eq!(answer.body.batch_item_failures.len(), 2);
    assert_eq!(answer.counts, [("Again", 2)].into());
    assert_eq!(stage.dump(), before);
}

/// A compare whose time is over at any of its calls: nothing that it leaves is untrue, its lease is given
/// back, and the next worker ends the run at once with the same result.
#[test]
fn time_may_be_over_at_every_call() {
    let (stage, work) = started();
    stage.plan.reset();
    assert!(matches!(on_runtime(stage.system.judge(&work, 1)), Handled::Ended(_)));
    let calls = stage.plan.count();
    stage.settle();
    let expected = stage.view();
    let mut given_back = 0;
    for at in 0..calls {
        given_back += u64::from(broken_off(at, &expected));
    }
    println!("{calls} calls, {given_back} times over in the middle");
    assert!(given_back > calls / 2, "{given_back} of {calls}");
}

fn broken_off(at: u64, expected: &plumbline_tests::stage::View) -> bool {
    let (stage, work) = started();
    let (over, is_over) = oneshot::channel::<()>();
    let expiry: Expiry = is_over.map(drop).boxed().shared();
    stage.plan.reset();
    stage.plan.at(
        at,
        Fault::delay(move || async move {
            over.send(()).unwrap();
            // Whoever waits for the call sees now that the time is over.
            on_next_poll().await;
        }),
    );
    let handled = on_runtime(stage.system.clone().until(expiry).judge(&work, 1));
    assert!(stage.plan.has_fired(), "call {at}");
    let is_back = match handled {
        Handled::Again { wait, ref reason } => {
            assert!(reason.contains("time of this worker was over"), "{reason}");
            assert!(wait < Duration::from_mins(1), "{wait:?}");
            true
        }
        // Before the run is ours, and after its last call, there is nothing to give back.
        Handled::Ended(_) => false,
        other => panic!("call {at}: {other:?}"),
    };
    let untrue: Vec<_> = broken(&stage).into_iter().filter(|one| !one.starts_with("I3")).collect();
    assert!(untrue.is_empty(), "call {at}: {untrue:?}");
    if is_back {
        // No lease is in the way.
        let again = on_runtime(stage.system.judge(&work, 2));
        let Handled::Ended(run) = again else { panic!("call {at}: {again:?}") };
        assert_eq!(run.outcome().as_str(), "succeeded", "call {at}");
        let Work::Run { run: id, .. } = work else { panic!() };
        assert_eq!(run.id, id);
    }
    stage.settle();
    assert_whole(&stage, "the time was over");
    assert_eq!(&stage.view(), expected, "call {at}");
    is_back
}

async fn on_next_poll() {
    let mut polled = false;
    futures::future::poll_fn(|context| {
        if std::mem::replace(&mut polled, true) {
            return std::task::Poll::Ready(());
        }
        context.waker().wake_by_ref();
        std::task::Poll::Pending
    })
    .await;
}
