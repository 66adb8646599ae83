//! The stores in memory pass the suites of the ports.

use futures::executor::block_on;
use jiff::SignedDuration;
use plumbline_ports::conformance::{objects, queue, records, secrets};
use plumbline_testkit::clock::ManualClock;
use plumbline_testkit::memory::{MemoryObjects, MemoryQueue, MemoryRecords, MemorySecrets};
use std::sync::Arc;

#[test]
fn records_conform() {
    let store = MemoryRecords::default();
    block_on(records::all(&store));
    records::races_on_threads(&store);
}

#[test]
fn objects_conform() {
    let store = MemoryObjects::default();
    block_on(objects::all(&store));
    objects::puts_on_threads_all_succeed(&store);
}

#[test]
fn the_queue_conforms() {
    let clock = Arc::new(ManualClock::default());
    let store = MemoryQueue::new(clock.clone());
    let pass = |time| clock.advance(SignedDuration::try_from(time).unwrap());
    block_on(queue::all(&store, queue::Time::moved(&pass)));
    queue::receivers_on_threads_share_the_messages(&store);
}

#[test]
fn secrets_conform() {
    block_on(secrets::all(&MemorySecrets::default()));
}
