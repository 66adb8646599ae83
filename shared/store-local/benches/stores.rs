//! What a call of each store costs, the disk included. Run it on the disk that is meant: the directory is
//! made under `TMPDIR`.
//!
//! Figures to hold: a commit is one fsync; a receive of ten messages costs the same with ten messages
//! waiting and with thousands.

#![expect(clippy::unwrap_used, reason = "a bench has nobody to tell")]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use futures::executor::block_on;
use plumbline_ports::{
    Action, Batch, Condition, Key, ObjectKey, Objects as _, Outgoing, Query, Queue as _, QueueName,
    Record, Records as _,
};
use plumbline_store_local::{DataDir, Stores, SystemClock};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

const HOUR: Duration = Duration::from_hours(1);

fn fresh() -> (TempDir, Stores) {
    let folder = TempDir::new().unwrap();
    let stores = DataDir::open(folder.path(), Arc::new(SystemClock)).unwrap();
    (folder, stores)
}

fn action(pk: &str, number: u64) -> Action {
    let record = Record {
        key: Key::new(pk, format!("{number:012}")),
        body: vec![b'x'; 500],
        revision: 1,
        indexes: Vec::new(),
        expires_at: None,
    };
    Action::Put(record, Condition::Absent)
}

fn records(criterion: &mut Criterion) {
    let (_folder, stores) = fresh();
    let mut group = criterion.benchmark_group("records");
    let mut next = 0;
    for actions in [1, 10, 100_u64] {
        group.throughput(Throughput::Elements(1));
        group.bench_function(format!("commit {actions} rows"), |bencher| {
            bencher.iter(|| {
                next += actions;
                let actions = (0..actions).map(|row| action("p", next + row)).collect();
                block_on(stores.records.commit(Batch { actions })).unwrap();
            });
        });
    }
    block_on(stores.records.commit(Batch { actions: vec![action("q", 1)] })).unwrap();
    let key = Key::new("q", format!("{:012}", 1));
    group.bench_function("get", |bencher| {
        bencher.iter(|| block_on(stores.records.get(&key)).unwrap().unwrap());
    });
    let query = Query { limit: 1_000, ..Query::prefix("p", "") };
    group.throughput(Throughput::Elements(1_000));
    group.bench_function("query 1000 rows", |bencher| {
        bencher.iter(|| block_on(stores.records.query(&query)).unwrap());
    });
    group.finish();
}

fn objects(criterion: &mut Criterion) {
    let (_folder, stores) = fresh();
    let mut group = criterion.benchmark_group("objects");
    group.throughput(Throughput::Elements(1));
    let mut next = 0_u64;
    let mut bytes = vec![b'x'; 100_000];
    group.bench_function("put 100 KB", |bencher| {
        bencher.iter(|| {
            next += 1;
            bytes[..8].copy_from_slice(&next.to_le_bytes());
            let key = ObjectKey::of("ws/bench", &bytes).unwrap();
            block_on(stores.objects.put(&key, bytes.clone())).unwrap();
        });
    });
    let key = ObjectKey::of("ws/bench", &bytes).unwrap();
    group.bench_function("get 100 KB", |bencher| {
        bencher.iter(|| block_on(stores.objects.get(&key)).unwrap().unwrap());
    });
    group.finish();
}

fn send(stores: &Stores, messages: u64) {
    for first in (0..messages).step_by(10) {
        let message = |number: u64| Outgoing {
            group: format!("ws-{}", number % 20),
            body: format!("{{\"run\":\"{number:032}\"}}"),
        };
        let messages = (first..first + 10).map(message).collect();
        block_on(stores.queue.send(QueueName::Compare, messages)).unwrap();
    }
}

fn queue(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("queue");
    group.throughput(Throughput::Elements(10));
    for backlog in [0, 20_000] {
        let (_folder, stores) = fresh();
        send(&stores, backlog);
        group.bench_function(format!("send, receive, delete 10; {backlog} waiting"), |bencher| {
            bencher.iter(|| {
                send(&stores, 10);
                let found = block_on(stores.queue.receive(QueueName::Compare, 10, HOUR)).unwrap();
                for delivery in &found {
                    block_on(stores.queue.delete(QueueName::Compare, &delivery.receipt)).unwrap();
                }
                found.len()
            });
        });
        if backlog > 0 {
            group.bench_function(format!("receive, delete 10; {backlog} waiting"), |bencher| {
                bencher.iter(|| {
                    let found =
                        block_on(stores.queue.receive(QueueName::Compare, 10, HOUR)).unwrap();
                    for delivery in &found {
                        block_on(stores.queue.delete(QueueName::Compare, &delivery.receipt))
                            .unwrap();
                    }
                    found.len()
                });
            });
        }
    }
    let (_folder, stores) = fresh();
    group.bench_function("receive, nothing waiting", |bencher| {
        bencher.iter(|| block_on(stores.queue.receive(QueueName::Compare, 10, HOUR)).unwrap());
    });
    group.finish();
}

criterion_group! {
    name = stores;
    config = Criterion::default().sample_size(20).measurement_time(Duration::from_secs(4));
    targets = records, objects, queue
}
criterion_main!(stores);
