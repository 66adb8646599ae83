//! A process that died in the middle of a run: one that knows itself alone goes on at once, others wait
//! for the end of the lease.

use crate::findings::changed;
use crate::world::World;
use futures::executor::block_on;
use jiff::SignedDuration;
use plumbline_operations::{Handled, System};
use plumbline_ports::QueueName;
use plumbline_testkit::faults::{Fault, Plan, wrap};

#[test]
fn a_process_alone_takes_over_at_once() {
    let world = World::new();
    let (tenant, _) = world.governed();
    world.import(tenant, &changed("9"));
    block_on(world.system.start_compare(world.workspace, &world.actor, tenant)).unwrap();
    // The first process claims the run and dies before its next commit.
    let plan = Plan::new();
    let first = System::alone(wrap(&world.ports, &plan));
    let commits = std::sync::atomic::AtomicUsize::new(0);
    plan.next(
        move |call| {
            call.op == "commit records"
                && commits.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == 1
        },
        Fault::CrashBefore,
    );
    let _ = block_on(first.work(QueueName::Compare, 1));
    assert!(plan.is_crashed());

    world.clock.advance(SignedDuration::from_mins(3));
    assert_eq!(block_on(world.system.tick()).unwrap().sent_again, 1);
    let handled = block_on(world.system.work(QueueName::Compare, 1)).unwrap();
    assert!(matches!(handled.as_slice(), [Handled::Again { .. }]), "{handled:?}");

    world.clock.advance(SignedDuration::from_mins(3));
    assert_eq!(block_on(world.system.tick()).unwrap().sent_again, 1);
    let second = System::alone(world.ports.clone());
    let handled = block_on(second.work(QueueName::Compare, 1)).unwrap();
    let [Handled::Ended(run)] = handled.as_slice() else { panic!("{handled:?}") };
    assert_eq!(run.outcome().as_str(), "succeeded");
    assert_eq!(world.findings(tenant).len(), 1);
}
