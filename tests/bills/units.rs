//! How calls become units: rows and objects of known sizes, and what they are billed.

use futures::executor::block_on;
use plumbline_ports::bill::{Charge, Count, Ledger};
use plumbline_ports::{
    Batch, Condition, Index, IndexKey, IndexQuery, Key, ObjectKey, Outgoing, Ports, Query,
    QueueName, Range, Record,
};
use plumbline_testkit::clock::ManualClock;
use plumbline_testkit::memory;
use plumbline_tests::stage::must;
use std::sync::Arc;
use std::time::Duration;

struct Till {
    ports: Ports,
    ledger: Arc<Ledger>,
}

impl Till {
    fn open() -> Self {
        let ledger = Arc::new(Ledger::default());
        let ports = memory::ports(Arc::new(ManualClock::default())).billed(&ledger);
        Self { ports, ledger }
    }

    /// What was billed since the last time.
    fn since(&self, charge: Charge) -> (u64, f64) {
        let Count { requests, units } = self.ledger.take().0.of(charge);
        (requests, units)
    }

    fn commits(&self, batch: Batch) -> (u64, f64) {
        must(block_on(self.ports.records.commit(batch)));
        self.since(Charge::RecordWrite)
    }

    fn gets(&self, sk: &str) -> (u64, f64) {
        must(block_on(self.ports.records.get(&Key::new("p", sk))));
        self.since(Charge::RecordRead)
    }
}

/// A row that weighs so many bytes in all.
fn row(sk: &str, size: usize, places: &[(Index, &str)]) -> Record {
    let indexes = places.iter().map(|(index, sk)| IndexKey {
        index: *index,
        pk: "i".to_owned(),
        sk: (*sk).to_owned(),
    });
    let mut record = Record {
        key: Key::new("p", sk),
        body: Vec::new(),
        revision: 1,
        indexes: indexes.collect(),
        expires_at: None,
    };
    record.body = vec![7; size - record.size()];
    record
}

fn put(record: Record) -> Batch {
    Batch::new().put(record, Condition::Always)
}

#[test]
fn a_read_counts_for_every_four_kilobytes() {
    let till = Till::open();
    assert_eq!(till.gets("none"), (1, 1.0), "what is not there costs as much");
    for (size, units) in [(1, 1.0), (4_096, 1.0), (4_097, 2.0), (40_960, 10.0)] {
        let size = size.max(200);
        till.commits(put(row("a", size, &[])));
        assert_eq!(till.gets("a"), (1, units), "{size}");
    }
}

#[test]
fn a_query_counts_its_rows_together_and_an_index_half() {
    let till = Till::open();
    for sk in ["a", "b", "c"] {
        till.commits(put(row(sk, 2_000, &[(Index::Findings, sk)])));
    }
    must(block_on(till.ports.records.query(&Query::prefix("p", ""))));
    assert_eq!(till.since(Charge::RecordRead), (1, 2.0), "6,000 bytes");
    let query = |pk: &str| IndexQuery {
        index: Index::Findings,
        pk: pk.to_owned(),
        range: Range::All,
        after: None,
        limit: 10,
        descending: false,
    };
    must(block_on(till.ports.records.query_index(&query("i"))));
    assert_eq!(till.since(Charge::RecordRead), (1, 1.0), "6,000 bytes, at half price");
    must(block_on(till.ports.records.query_index(&query("other"))));
    assert_eq!(till.since(Charge::RecordRead), (1, 0.5), "nothing found");
}

#[test]
fn a_write_counts_for_every_kilobyte_and_twice_in_a_transaction() {
    let till = Till::open();
    assert_eq!(till.commits(put(row("a", 1_024, &[]))), (1, 1.0));
    assert_eq!(till.commits(put(row("a", 1_025, &[]))), (1, 2.0));
    assert_eq!(till.commits(put(row("a", 300, &[]))), (1, 2.0), "what it replaces counts");
    let two = put(row("a", 300, &[])).put(row("b", 3_000, &[]), Condition::Always);
    assert_eq!(till.commits(two), (1, 2.0 + 6.0));
    let check = put(row("a", 300, &[])).check(Key::new("p", "b"), Condition::Revision(1));
    assert_eq!(till.commits(check), (1, 2.0 + 6.0), "a check writes as much as it looks at");
    let alone = Batch::new().check(Key::new("p", "none"), Condition::Absent);
    assert_eq!(till.commits(alone), (1, 2.0), "a check alone is a transaction, too");
    let delete = Batch::new().delete(Key::new("p", "b"), Condition::Always);
    assert_eq!(till.commits(delete), (1, 3.0));
}

#[test]
fn an_index_counts_once_and_twice_where_a_row_moves() {
    let till = Till::open();
    let both = [(Index::Findings, "new"), (Index::Tenants, "t")];
    assert_eq!(till.commits(put(row("a", 300, &both))), (1, 3.0), "it comes into two indexes");
    assert_eq!(till.commits(put(row("a", 400, &both))), (1, 3.0), "it stays in its places");
    let moved = [(Index::Findings, "resolved"), (Index::Tenants, "t")];
    assert_eq!(till.commits(put(row("a", 400, &moved))), (1, 4.0), "it moves in one of them");
    let two = put(row("a", 400, &moved)).put(row("b", 300, &[]), Condition::Always);
    assert_eq!(till.commits(two), (1, 4.0 + 2.0), "indexes are no part of a transaction");
    assert_eq!(till.commits(put(row("a", 400, &[]))), (1, 3.0), "it leaves both");
    assert_eq!(till.commits(put(row("a", 400, &[]))), (1, 1.0));
}

#[test]
fn a_failed_condition_counts_and_a_refusal_does_not() {
    let till = Till::open();
    till.commits(put(row("a", 2_048, &[(Index::Findings, "x")])));
    let again = Batch::new().put(row("a", 300, &[(Index::Findings, "y")]), Condition::Absent);
    assert!(block_on(till.ports.records.commit(again)).is_err());
    assert_eq!(till.since(Charge::RecordWrite), (1, 2.0), "the table's part, without the index");
    assert!(block_on(till.ports.records.commit(Batch::new())).is_err());
    assert_eq!(till.since(Charge::RecordWrite), (0, 0.0));
}

#[test]
fn objects_count_by_request() {
    let till = Till::open();
    let objects = &till.ports.objects;
    let bytes = vec![1; 1_000_000];
    let key = ObjectKey::of("ws/pack", &bytes).expect("a key");
    must(block_on(objects.put(&key, bytes.clone())));
    assert_eq!(till.since(Charge::ObjectWrite), (1, 1.0));
    must(block_on(objects.put(&key, bytes)));
    let bill = till.ledger.take().0;
    let one = Count { requests: 1, units: 1.0 };
    assert_eq!(bill.of(Charge::ObjectWrite), one);
    assert_eq!(bill.of(Charge::ObjectRead), one, "a look at what was there");
    must(block_on(objects.get(&key)));
    must(block_on(objects.get_range(&key, 5, 10)));
    assert_eq!(till.since(Charge::ObjectRead), (2, 2.0));
    must(block_on(objects.list("ws", None, 10)));
    assert_eq!(till.since(Charge::ObjectWrite), (1, 1.0), "a listing costs what a put costs");
    must(block_on(objects.delete(&key)));
    assert_eq!(till.since(Charge::ObjectWrite), (1, 0.0), "free");
}

#[test]
fn ten_messages_are_one_request_for_every_64_kilobytes() {
    let till = Till::open();
    let queue = &till.ports.queue;
    let messages = |bytes: usize| {
        let one = Outgoing { group: "ws".to_owned(), body: "x".repeat(bytes) };
        vec![one; 10]
    };
    for (bytes, units) in [(200, 1.0), (6_553, 1.0), (6_554, 2.0), (65_536, 10.0)] {
        must(block_on(queue.send(QueueName::Compare, messages(bytes))));
        assert_eq!(till.since(Charge::QueueRequest), (1, units), "{bytes}");
        let visibility = Duration::from_mins(1);
        let found = must(block_on(queue.receive(QueueName::Compare, 10, visibility)));
        for delivery in &found {
            must(block_on(queue.delete(QueueName::Compare, &delivery.receipt)));
        }
        assert_eq!(till.since(Charge::QueueRequest), (2, units + 1.0), "one more deletes all");
    }
    let visibility = Duration::from_mins(1);
    assert!(must(block_on(queue.receive(QueueName::Compare, 10, visibility))).is_empty());
    assert_eq!(till.since(Charge::QueueRequest), (1, 1.0), "nothing to delete");
}

#[test]
fn the_key_is_asked_for_once_a_process() {
    let till = Till::open();
    for expected in [(1, 1.0), (0, 0.0)] {
        must(block_on(till.ports.secrets.root_key()));
        assert_eq!(till.since(Charge::SecretRead), expected);
    }
}
