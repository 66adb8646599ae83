//! The embedded stores pass the suites of the ports.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use futures::executor::block_on;
use jiff::SignedDuration;
use plumbline_ports::conformance::{objects, queue, records, secrets};
use plumbline_store_local::{DataDir, Stores};
use plumbline_testkit::clock::ManualClock;
use std::sync::Arc;
use tempfile::TempDir;

fn fresh() -> (TempDir, Arc<ManualClock>, Stores) {
    let (folder, clock) = (TempDir::new().unwrap(), Arc::new(ManualClock::default()));
    let stores = DataDir::open(folder.path(), clock.clone()).unwrap();
    (folder, clock, stores)
}

#[test]
fn records_conform() {
    let (_folder, _, stores) = fresh();
    block_on(records::all(&*stores.records));
    assert_eq!(stores.check(), []);
}

#[test]
fn records_conform_on_threads() {
    let (_folder, _, stores) = fresh();
    records::races_on_threads(&*stores.records);
    assert_eq!(stores.check(), []);
}

#[test]
fn objects_conform() {
    let (_folder, _, stores) = fresh();
    block_on(objects::all(&*stores.objects));
    objects::puts_on_threads_all_succeed(&*stores.objects);
    assert_eq!(stores.check(), []);
}

#[test]
fn the_queue_conforms() {
    let (_folder, clock, stores) = fresh();
    let pass = |time| clock.advance(SignedDuration::try_from(time).unwrap());
    block_on(queue::all(&*stores.queue, queue::Time::moved(&pass)));
    queue::receivers_on_threads_share_the_messages(&*stores.queue);
    assert_eq!(stores.check(), []);
}

#[test]
fn secrets_conform() {
    let (folder, clock, stores) = fresh();
    block_on(secrets::all(&*stores.secrets));
    let one = Arc::clone(&stores.secrets);
    let (_other_folder, _, other) = fresh();
    // The key is read once; the directory can be opened again as soon as nobody uses it.
    let key = block_on(plumbline_ports::Secrets::root_key(&*one)).unwrap();
    drop((one, stores));
    let again = DataDir::open(folder.path(), clock).unwrap();
    let before = plumbline_testkit::memory::MemorySecrets::new(key);
    block_on(secrets::keys_are_told_apart(&before, &*again.secrets, &*other.secrets));
}
