//! A process that is killed in the middle of its work loses nothing it was told is stored.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use futures::executor::block_on;
use plumbline_ports::conformance::records::row;
use plumbline_ports::queue::MAX_ATTEMPTS;
use plumbline_ports::{
    Batch, Condition, Index, IndexKey, Key, ObjectKey, Objects as _, Outgoing, Queue as _,
    QueueName, Record, Records as _,
};
use plumbline_store_local::{DataDir, Stores};
use plumbline_testkit::clock::ManualClock;
use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

/// The variable that makes this test the process that is killed.
const CHILD: &str = "PLUMBLINE_TEST_WORKER";
const ROUNDS: usize = 8;

fn open(path: &Path, clock: &Arc<ManualClock>) -> Stores {
    DataDir::open(path, clock.clone()).unwrap()
}

fn record(number: u64) -> Record {
    let place = IndexKey { index: Index::Findings, pk: "i".to_owned(), sk: number.to_string() };
    Record {
        indexes: vec![place],
        expires_at: Some(4_102_444_800),
        ..row("p", &format!("{number:09}"), number, vec![b'x'; 2_000])
    }
}

fn object(number: u64) -> (ObjectKey, Vec<u8>) {
    let bytes = format!("object {number} ").repeat(300).into_bytes();
    (ObjectKey::of("ws/a", &bytes).unwrap(), bytes)
}

/// Stores things, each behind the other, and says of each when all of it is stored.
#[expect(clippy::print_stdout, reason = "how the process says what it did")]
fn work(path: &Path, first: u64) {
    let stores = open(path, &Arc::new(ManualClock::default()));
    for number in first.. {
        block_on(async {
            let (key, bytes) = object(number);
            stores.objects.put(&key, bytes).await.unwrap();
            let batch = Batch::new().put(record(number), Condition::Absent);
            stores.records.commit(batch).await.unwrap();
            let message =
                Outgoing { group: format!("ws-{}", number % 3), body: number.to_string() };
            stores.queue.send(QueueName::Compare, vec![message]).await.unwrap();
            println!("stored {number}");
            if number % 4 == 3 {
                let hour = Duration::from_hours(1);
                let found = stores.queue.receive(QueueName::Compare, 2, hour).await.unwrap();
                for delivery in &found[..found.len().min(1)] {
                    // Said before it is done: what is deleted may be gone or not.
                    println!("deletes {}", delivery.body);
                    stores.queue.delete(QueueName::Compare, &delivery.receipt).await.unwrap();
                }
            }
        });
    }
}

#[test]
fn a_killed_process_loses_nothing() {
    #[expect(clippy::disallowed_methods, reason = "how a test hands a path to itself")]
    let told = std::env::var(CHILD);
    if let Ok(told) = told {
        let (path, first) = told.rsplit_once(' ').unwrap();
        return work(Path::new(path), first.parse().unwrap());
    }
    let folder = TempDir::new().unwrap();
    let clock = Arc::new(ManualClock::default());
    let (mut next, mut deleted, mut unsaid) = (0, BTreeSet::new(), BTreeSet::new());
    for round in 0..ROUNDS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "a_killed_process_loses_nothing", "--nocapture"])
            .env(CHILD, format!("{} {next}", folder.path().display()))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut said = next;
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        // So many steps, then wherever it is.
        for line in lines.by_ref().map(Result::unwrap) {
            note(&line, &mut said, &mut deleted);
            if said >= next + 7 + round as u64 * 3 {
                break;
            }
        }
        child.kill().unwrap();
        child.wait().unwrap();
        for line in lines.map_while(Result::ok) {
            note(&line, &mut said, &mut deleted);
        }

        let stores = open(folder.path(), &clock);
        assert_eq!(stores.check(), [], "round {round}");
        for number in 0..said {
            let key = Key::new("p", format!("{number:09}"));
            assert_eq!(block_on(stores.records.get(&key)), Ok(Some(record(number))));
            let (key, bytes) = object(number);
            assert_eq!(block_on(stores.objects.get(&key)), Ok(Some(bytes)));
        }
        // One more may have been stored without a word, or without its message.
        unsaid.insert(said);
        let key = Key::new("p", format!("{said:09}"));
        next = said + u64::from(block_on(stores.records.get(&key)).unwrap().is_some());
    }
    let stores = open(folder.path(), &clock);
    let mut found = BTreeSet::new();
    for _ in 0..MAX_ATTEMPTS {
        clock.advance_seconds(7_200);
        loop {
            let ten =
                block_on(stores.queue.receive(QueueName::Compare, 10, Duration::from_hours(1)))
                    .unwrap();
            if ten.is_empty() {
                break;
            }
            found.extend(ten.into_iter().map(|delivery| delivery.body.parse::<u64>().unwrap()));
        }
    }
    let dead = block_on(stores.queue.dead_letters(QueueName::Compare, usize::MAX)).unwrap();
    found.extend(dead.iter().map(|letter| letter.body.parse::<u64>().unwrap()));
    let known: BTreeSet<u64> = &(&found | &deleted) | &unsaid;
    let missing: Vec<u64> = (0..next).filter(|number| !known.contains(number)).collect();
    assert_eq!(missing, Vec::<u64>::new(), "messages that were said to be stored");
    assert!(next >= 100, "{next} steps");
}

fn note(line: &str, stored: &mut u64, deleted: &mut BTreeSet<u64>) {
    // The test harness may write its own words before ours.
    if let Some((_, number)) = line.split_once("stored ") {
        *stored = number.parse::<u64>().unwrap() + 1;
    } else if let Some((_, number)) = line.split_once("deletes ") {
        deleted.insert(number.parse().unwrap());
    }
}
