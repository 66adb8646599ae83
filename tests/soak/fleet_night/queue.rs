//! A queue that is fair as SQS says its standard queues are.
//!
//! The published rule: a group is noisy while it has more than a tenth of the messages in flight and at
//! least 30 of its own, or while it used more than a tenth of the recent processing time. Messages of
//! groups that are not noisy go first. What "recent" means is not published; here it is [`RECENT`]. Within
//! one rank the oldest message goes first. Nothing is lost and nothing comes twice by itself: those faults
//! have suites of their own.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use plumbline_ports::{
    Clock, DeadLetter, Delivery, Outgoing, PortError, Queue, QueueName, Receipt,
};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How far back processing time is looked at.
const RECENT: SignedDuration = SignedDuration::from_secs(60);
/// A group is noisy above this part of what is in flight, or of the recent processing time.
const SHARE: f64 = 0.1;
/// Fewer messages in flight never make a group noisy.
const LEAST: usize = 30;

/// The queue, on an injected clock.
pub(crate) struct FairQueue {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    next: u64,
    waiting: BTreeMap<String, VecDeque<(u64, String)>>,
    /// By receipt: the group, and when the message was taken.
    in_flight: HashMap<u64, (String, Timestamp)>,
    /// The last deliveries that ended: the group, when it was taken, when it ended.
    ended: VecDeque<(String, Timestamp, Timestamp)>,
}

impl FairQueue {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Groups that are noisy now.
    fn noisy(&self, now: Timestamp) -> Vec<String> {
        let since = now.checked_sub(RECENT).unwrap_or(now);
        let mut shares: HashMap<&str, (usize, f64)> = HashMap::new();
        for (group, taken) in self.in_flight.values() {
            let share = shares.entry(group).or_default();
            share.0 += 1;
            share.1 += now.duration_since(since.max(*taken)).as_secs_f64();
        }
        for (group, taken, ended) in &self.ended {
            shares.entry(group).or_default().1 +=
                ended.duration_since(since.max(*taken)).as_secs_f64().max(0.0);
        }
        let all: f64 = shares.values().map(|share| share.1).sum();
        let flying = self.in_flight.len();
        shares
            .into_iter()
            .filter(|(_, (own, time))| {
                (*own >= LEAST && *own * 10 > flying) || (all > 0.0 && *time > SHARE * all)
            })
            .map(|(group, _)| group.to_owned())
            .collect()
    }

    fn take(&mut self, now: Timestamp) -> Option<(String, u64, String)> {
        let since = now.checked_sub(RECENT).unwrap_or(now);
        while self.ended.front().is_some_and(|(_, _, ended)| *ended < since) {
            self.ended.pop_front();
        }
        let noisy = self.noisy(now);
        let oldest = |quiet: bool| {
            let groups = self.waiting.iter().filter(|(group, _)| !quiet || !noisy.contains(group));
            groups.filter_map(|(group, waiting)| Some((waiting.front()?.0, group.clone()))).min()
        };
        let (_, group) = oldest(true).or_else(|| oldest(false))?;
        let waiting = self.waiting.get_mut(&group)?;
        let (id, body) = waiting.pop_front()?;
        if waiting.is_empty() {
            self.waiting.remove(&group);
        }
        self.in_flight.insert(id, (group.clone(), now));
        Some((group, id, body))
    }
}

#[async_trait]
impl Queue for FairQueue {
    async fn send(&self, _: QueueName, messages: Vec<Outgoing>) -> Result<Vec<usize>, PortError> {
        let mut state = self.state();
        for Outgoing { group, body } in messages {
            let id = state.next;
            state.next += 1;
            state.waiting.entry(group).or_default().push_back((id, body));
        }
        Ok(Vec::new())
    }

    async fn receive(
        &self,
        _: QueueName,
        limit: usize,
        _: Duration,
    ) -> Result<Vec<Delivery>, PortError> {
        let now = self.clock.now();
        let mut state = self.state();
        let taken = std::iter::from_fn(|| state.take(now)).take(limit);
        Ok(taken
            .map(|(group, id, body)| Delivery {
                receipt: Receipt(id.to_string()),
                message_id: id.to_string(),
                group,
                body,
                attempts: 1,
            })
            .collect())
    }

    async fn extend(&self, _: QueueName, _: &Receipt, _: Duration) -> Result<(), PortError> {
        Err(PortError::refused("hide a message", "nothing is to be done twice in this night"))
    }

    async fn delete(&self, _: QueueName, receipt: &Receipt) -> Result<(), PortError> {
        let now = self.clock.now();
        let mut state = self.state();
        let id: Option<u64> = receipt.0.parse().ok();
        if let Some((group, taken)) = id.and_then(|id| state.in_flight.remove(&id)) {
            state.ended.push_back((group, taken, now));
        }
        Ok(())
    }

    async fn bury(&self, _: QueueName, _: &Delivery, reason: &str) -> Result<(), PortError> {
        Err(PortError::refused("bury a message", reason))
    }

    async fn dead_letters(&self, _: QueueName, _: usize) -> Result<Vec<DeadLetter>, PortError> {
        Ok(Vec::new())
    }

    async fn forget(&self, _: QueueName, _: &Receipt) -> Result<(), PortError> {
        Ok(())
    }
}
