//! A durable queue in a redb file.
//!
//! Waiting messages stand by group, groups stand in a ring: the group that waited longest for its turn
//! gives the next message, then goes to the end. Hidden messages stand by the time they come back. No
//! call looks at more than it gives out or brings back.
//!
//! One process has the file. What it received and did not finish when it died is waiting again for the
//! next one, at once.
//!
//! Sends and receives are on disk when they return: no message is lost, and attempts are counted even
//! when the receiver takes the process down with it. Deletes and extensions are on disk with the next of
//! those; lost in a crash, they mean that a message is delivered again.

mod audit;
mod tables;

use crate::database::{Db, Done, Origin};
use crate::error::OpenError;
use crate::lock::Lock;
use async_trait::async_trait;
use plumbline_ports::queue::{MAX_VISIBILITY, check_receive, check_send, check_visibility};
use plumbline_ports::{
    Clock, DeadLetter, Delivery, Outgoing, PortError, Queue, QueueName, Receipt,
};
use redb::Durability;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tables::{CONTENTS, DEAD, HIDDEN, Standing, TURNS, Tables, queue_number};

/// What redb may keep in memory.
const CACHE_BYTES: usize = 8 * 1024 * 1024;

/// A durable queue in a redb file.
pub struct LocalQueue {
    db: Db,
    clock: Arc<dyn Clock>,
    _lock: Arc<Lock>,
}

impl LocalQueue {
    /// Opens the file, or makes it.
    pub(crate) fn open(
        path: &Path,
        origin: Origin,
        clock: Arc<dyn Clock>,
        lock: Arc<Lock>,
    ) -> Result<Self, OpenError> {
        // Whoever received a message before this process opened the file is gone: the lock is ours.
        let db = Db::open(path, origin, CACHE_BYTES, |transaction| {
            let mut tables = Tables::open(transaction)?;
            for queue in QueueName::ALL.map(queue_number) {
                while tables.bring_back(queue, i64::MAX, i64::MAX)? > 0 {}
            }
            Ok(())
        })?;
        Ok(Self { db, clock, _lock: lock })
    }

    fn now(&self) -> i64 {
        self.clock.now().as_microsecond()
    }

    /// Whether a receive would find anything to do. Idle polling writes nothing.
    fn has_work(&self, queue: u8, now: i64) -> Result<bool, PortError> {
        self.db.read("receive messages", |transaction| {
            let turns = transaction.open_table(TURNS)?;
            if turns.range((queue, 0)..=(queue, u64::MAX))?.next().is_some() {
                return Ok(true);
            }
            let hidden = transaction.open_table(HIDDEN)?;
            let due = hidden.range((queue, i64::MIN, 0)..=(queue, now, u64::MAX))?.next();
            let far = hidden.range((queue, latest(now), u64::MAX)..=(queue, i64::MAX, u64::MAX))?;
            Ok(due.is_some() || far.into_iter().next().is_some())
        })
    }
}

/// The time a visibility ends, in microseconds since 1970.
fn until(now: i64, visibility: Duration) -> i64 {
    now.saturating_add(i64::try_from(visibility.as_micros()).unwrap_or(i64::MAX))
}

/// The latest time at which a message can come back that was hidden now or before. One that is hidden
/// for longer was hidden by a clock that ran ahead.
fn latest(now: i64) -> i64 {
    until(now, MAX_VISIBILITY)
}

/// A message and one of its deliveries, as a receipt.
fn receipt(id: u64, attempt: u32) -> Receipt {
    Receipt(format!("{id}.{attempt}"))
}

fn parse(receipt: &Receipt) -> Option<(u64, u32)> {
    let (id, attempt) = receipt.0.split_once('.')?;
    Some((id.parse().ok()?, attempt.parse().ok()?))
}

fn message_id(id: u64) -> String {
    format!("msg-{id}")
}

#[async_trait]
impl Queue for LocalQueue {
    async fn send(
        &self,
        queue: QueueName,
        messages: Vec<Outgoing>,
    ) -> Result<Vec<usize>, PortError> {
        check_send(&messages)?;
        let queue = queue_number(queue);
        self.db.write("send messages", Durability::Immediate, |transaction| {
            let mut tables = Tables::open(transaction)?;
            for message in &messages {
                tables.add(queue, message)?;
            }
            Ok(Done::Commit(Vec::new()))
        })
    }

    async fn receive(
        &self,
        queue: QueueName,
        limit: usize,
        visibility: Duration,
    ) -> Result<Vec<Delivery>, PortError> {
        check_receive(limit, visibility)?;
        let (queue, now) = (queue_number(queue), self.now());
        if !self.has_work(queue, now)? {
            return Ok(Vec::new());
        }
        self.db.write("receive messages", Durability::Immediate, |transaction| {
            let mut tables = Tables::open(transaction)?;
            let moved = tables.bring_back(queue, now, latest(now))?;
            let mut out = Vec::new();
            while out.len() < limit {
                let Some(id) = tables.take_next(queue)? else { break };
                let attempts = tables.hide(queue, id, until(now, visibility))?;
                let (group, body) = tables.content(queue, id)?;
                let (receipt, message_id) = (receipt(id, attempts), message_id(id));
                out.push(Delivery { receipt, message_id, group, body, attempts });
            }
            let changed = moved > 0 || !out.is_empty();
            Ok(if changed { Done::Commit(out) } else { Done::Abort(out) })
        })
    }

    async fn extend(
        &self,
        queue: QueueName,
        receipt: &Receipt,
        visibility: Duration,
    ) -> Result<(), PortError> {
        check_visibility(visibility)?;
        let Some((id, attempt)) = parse(receipt) else { return Ok(()) };
        let (queue, now) = (queue_number(queue), self.now());
        self.db.write("extend a delivery", Durability::None, |transaction| {
            let mut tables = Tables::open(transaction)?;
            match tables.delivery(queue, id, attempt)? {
                Some(Standing::Until(due)) if due > now => {
                    tables.hide_until(queue, id, until(now, visibility))?;
                    Ok(Done::Commit(()))
                }
                _ => Ok(Done::Abort(())),
            }
        })
    }

    async fn delete(&self, queue: QueueName, receipt: &Receipt) -> Result<(), PortError> {
        let Some((id, attempt)) = parse(receipt) else { return Ok(()) };
        let queue = queue_number(queue);
        self.db.write("delete a message", Durability::None, |transaction| {
            let mut tables = Tables::open(transaction)?;
            if tables.delivery(queue, id, attempt)?.is_none() {
                return Ok(Done::Abort(()));
            }
            tables.remove(queue, id)?;
            Ok(Done::Commit(()))
        })
    }

    async fn bury(
        &self,
        queue: QueueName,
        delivery: &Delivery,
        reason: &str,
    ) -> Result<(), PortError> {
        let Some((id, attempt)) = parse(&delivery.receipt) else { return Ok(()) };
        let queue = queue_number(queue);
        self.db.write("bury a message", Durability::Immediate, |transaction| {
            let mut tables = Tables::open(transaction)?;
            if tables.delivery(queue, id, attempt)?.is_none() {
                return Ok(Done::Abort(()));
            }
            tables.bury(queue, id, reason)?;
            Ok(Done::Commit(()))
        })
    }

    async fn dead_letters(
        &self,
        queue: QueueName,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, PortError> {
        let queue = queue_number(queue);
        self.db.read("list dead letters", |transaction| {
            let contents = transaction.open_table(CONTENTS)?;
            let mut out = Vec::new();
            let dead = transaction.open_table(DEAD)?;
            for entry in dead.range((queue, 0)..=(queue, u64::MAX))?.take(limit) {
                let (key, reason) = entry?;
                let (_, id) = key.value();
                let content = contents.get((queue, id))?.ok_or_else(|| tables::missing(id))?;
                let (group, body) = content.value();
                out.push(DeadLetter {
                    receipt: Receipt(format!("dead.{id}")),
                    message_id: message_id(id),
                    group: group.to_owned(),
                    body: body.to_owned(),
                    reason: reason.value().to_owned(),
                });
            }
            Ok(out)
        })
    }

    async fn forget(&self, queue: QueueName, receipt: &Receipt) -> Result<(), PortError> {
        let id = receipt.0.strip_prefix("dead.").and_then(|id| id.parse().ok());
        let Some(id) = id else { return Ok(()) };
        let queue = queue_number(queue);
        self.db.write("forget a dead letter", Durability::Immediate, |transaction| {
            let known = Tables::open(transaction)?.forget(queue, id)?;
            Ok(if known { Done::Commit(()) } else { Done::Abort(()) })
        })
    }
}
