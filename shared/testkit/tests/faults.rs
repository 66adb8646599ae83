//! Faults come when they were planned, and do what their names say.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use futures::executor::block_on;
use plumbline_ports::conformance::records::{self, row};
use plumbline_ports::{
    Batch, Condition, Key, ObjectKey, Outgoing, PortError, Ports, Queue, QueueName, Record,
};
use plumbline_testkit::clock::ManualClock;
use plumbline_testkit::faults::{Fault, Plan, Port, SmallPages, wrap};
use plumbline_testkit::memory::{self, MemoryRecords};
use std::sync::Arc;
use std::time::Duration;

fn ports() -> (Ports, Ports, Arc<Plan>) {
    let inner = memory::ports(Arc::new(ManualClock::default()));
    let plan = Plan::new();
    let outer = wrap(&inner, &plan);
    (inner, outer, plan)
}

fn one(body: &str) -> Batch {
    Batch::new().put(row("p", "s", 1, body), Condition::Always)
}

fn stored(ports: &Ports) -> Option<Record> {
    block_on(ports.records.get(&Key::new("p", "s"))).unwrap()
}

fn unavailable<T>(told: Result<T, impl Into<told::Told>>) -> String {
    told.err().map(Into::into).map_or_else(String::new, |told: told::Told| told.0)
}

/// Both error types of the ports as text.
mod told {
    use plumbline_ports::{CommitError, PortError};

    pub(crate) struct Told(pub(crate) String);

    impl From<PortError> for Told {
        fn from(error: PortError) -> Self {
            assert!(error.is_retryable(), "{error}");
            Self(error.to_string())
        }
    }

    impl From<CommitError> for Told {
        fn from(error: CommitError) -> Self {
            match error {
                CommitError::Port(error) => error.into(),
                CommitError::Condition { .. } => Self("condition".to_owned()),
            }
        }
    }
}

#[test]
fn a_plan_without_faults_changes_nothing_and_counts() {
    let (_, outer, plan) = ports();
    block_on(records::all(&*outer.records));
    assert!(!plan.has_fired());
    assert_eq!(plan.calls().len() as u64, plan.count());
    assert!(plan.count() > 1_000);
}

#[test]
fn calls_are_counted_over_all_ports() {
    let (_, outer, plan) = ports();
    let key = ObjectKey::of("ws", b"x").unwrap();
    block_on(async {
        outer.records.commit(one("x")).await.unwrap();
        outer.objects.put(&key, b"x".to_vec()).await.unwrap();
        outer.queue.receive(QueueName::Compare, 1, Duration::ZERO).await.unwrap();
    });
    let calls = plan.calls();
    let told: Vec<_> = calls.iter().map(|call| (call.number, call.port, call.op)).collect();
    assert_eq!(
        told,
        [
            (0, Port::Records, "commit records"),
            (1, Port::Objects, "put object"),
            (2, Port::Queue, "receive messages"),
        ]
    );
    assert_eq!((calls[0].what.as_str(), calls[1].what.clone()), ("p s", key.to_string()));
}

#[test]
fn a_failed_call_takes_no_effect_and_one_with_a_lost_reply_does() {
    for (fault, applied, said) in
        [(Fault::Fail, false, "planned to fail"), (Fault::LoseReply, true, "the reply was lost")]
    {
        let (inner, outer, plan) = ports();
        plan.at(1, fault);
        block_on(outer.records.commit(one("first"))).unwrap();
        let told = unavailable(block_on(outer.records.commit(one("second"))));
        assert!(told.contains(said), "{told}");
        assert!(plan.has_fired());
        let body = stored(&inner).unwrap().body;
        assert_eq!(body == b"second", applied);
        block_on(outer.records.commit(one("third"))).unwrap();
    }
}

#[test]
fn a_dead_process_does_nothing_until_it_is_restarted() {
    for (fault, applied) in [(Fault::CrashBefore, false), (Fault::CrashAfter, true)] {
        let (inner, outer, plan) = ports();
        plan.at(0, fault);
        assert!(unavailable(block_on(outer.records.commit(one("x")))).contains("crashed"));
        assert!(plan.is_crashed());
        assert_eq!(stored(&inner).is_some(), applied);
        let key = ObjectKey::of("ws", b"x").unwrap();
        assert!(unavailable(block_on(outer.objects.put(&key, b"x".to_vec()))).contains("crashed"));
        assert!(
            unavailable(block_on(outer.queue.dead_letters(QueueName::Compare, 1)))
                .contains("crashed")
        );
        assert_eq!(plan.count(), 1, "the calls of a dead process do not count");
        plan.restart();
        block_on(outer.objects.put(&key, b"x".to_vec())).unwrap();
        assert_eq!(plan.count(), 2);
    }
}

#[test]
fn a_sweep_reaches_every_call_and_ends() {
    let work = async |ports: &Ports| -> Result<(), PortError> {
        for number in 0..3 {
            ports.records.get(&Key::new("p", format!("{number}"))).await?;
        }
        Ok(())
    };
    let mut crashes = 0;
    for number in 0.. {
        let (_, outer, plan) = ports();
        plan.at(number, Fault::CrashBefore);
        let told = block_on(work(&outer));
        if !plan.has_fired() {
            assert_eq!(told, Ok(()));
            break;
        }
        assert!(told.is_err());
        plan.restart();
        assert_eq!(block_on(work(&outer)), Ok(()));
        crashes += 1;
    }
    assert_eq!(crashes, 3);
}

#[test]
fn throttling_heals() {
    let (_, outer, plan) = ports();
    plan.at(1, Fault::Throttle(3));
    let told: Vec<bool> =
        (0..6).map(|_| block_on(outer.records.commit(one("x"))).is_ok()).collect();
    assert_eq!(told, [true, false, false, false, true, true]);
}

#[test]
fn somebody_else_acts_while_a_call_waits() {
    let (inner, outer, plan) = ports();
    let other = inner.clone();
    plan.at(
        0,
        Fault::delay(move || async move {
            other.records.commit(one("faster")).await.unwrap();
        }),
    );
    let batch = Batch::new().put(row("p", "s", 1, "slower"), Condition::Absent);
    let told = unavailable(block_on(outer.records.commit(batch)));
    assert_eq!(told, "condition");
    assert_eq!(stored(&inner).unwrap().body, b"faster");
}

#[test]
fn a_process_can_die_while_a_call_waits() {
    let (inner, outer, plan) = ports();
    let dying = Arc::clone(&plan);
    let other = outer.clone();
    plan.at(1, Fault::CrashBefore);
    plan.at(
        0,
        Fault::delay(move || async move {
            assert!(other.records.get(&Key::new("p", "s")).await.is_err());
            assert!(dying.is_crashed());
        }),
    );
    assert!(block_on(outer.records.commit(one("x"))).is_err());
    assert_eq!(stored(&inner), None);
}

#[test]
fn the_next_call_of_a_kind_is_meant() {
    let (_, outer, plan) = ports();
    plan.next(|call| call.op == "get a record" && call.what.ends_with('2'), Fault::Fail);
    let told: Vec<bool> =
        ["1", "2", "2"].map(|sk| block_on(outer.records.get(&Key::new("p", sk))).is_ok()).to_vec();
    assert_eq!(told, [true, false, true]);
}

#[test]
fn objects_are_damaged_or_missing() {
    let (_, outer, plan) = ports();
    let key = ObjectKey::of("ws", b"0123").unwrap();
    block_on(outer.objects.put(&key, b"0123".to_vec())).unwrap();
    plan.at(1, Fault::Damage);
    plan.at(2, Fault::Damage);
    plan.at(3, Fault::Missing);
    plan.at(4, Fault::Missing);
    let told = block_on(outer.objects.get(&key));
    assert!(matches!(told, Err(PortError::Corrupt { .. })), "{told:?}");
    let part = block_on(outer.objects.get_range(&key, 0, 4)).unwrap().unwrap();
    assert_ne!(part, b"0123");
    assert_eq!(block_on(outer.objects.get(&key)), Ok(None));
    assert_eq!(block_on(outer.objects.get_range(&key, 0, 4)), Ok(None));
    assert_eq!(block_on(outer.objects.get(&key)), Ok(Some(b"0123".to_vec())), "it was there");
}

#[test]
fn half_a_send_is_not_taken() {
    let (inner, outer, plan) = ports();
    plan.at(0, Fault::TakeHalf);
    let message = |body: &str| Outgoing { group: "ws".to_owned(), body: body.to_owned() };
    let messages = ["a", "b", "c", "d", "e"].map(message).to_vec();
    let left = block_on(outer.queue.send(QueueName::Compare, messages)).unwrap();
    assert_eq!(left, [1, 3]);
    let queue: &dyn Queue = &*inner.queue;
    let found = block_on(queue.receive(QueueName::Compare, 10, Duration::ZERO)).unwrap();
    let bodies: Vec<&str> = found.iter().map(|delivery| delivery.body.as_str()).collect();
    assert_eq!(bodies, ["a", "c", "e"]);
}

#[test]
fn small_pages_conform_to_the_rules_of_paging() {
    let pages = SmallPages::new(Arc::new(MemoryRecords::default()), 2);
    block_on(async {
        records::ranges(&pages).await;
        records::partitions_are_not_confused(&pages).await;
        records::paging_gives_exactly_the_rows(&pages).await;
        records::index_ranges(&pages).await;
    });
}
