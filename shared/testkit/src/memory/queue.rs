//! A queue in memory.

use super::lock;
use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use plumbline_ports::queue::{
    MAX_ATTEMPTS, MAX_VISIBILITY, check_receive, check_send, check_visibility, exhausted,
};
use plumbline_ports::{
    Clock, DeadLetter, Delivery, Outgoing, PortError, Queue, QueueName, Receipt,
};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Messages in a map, hidden by an injected clock.
pub struct MemoryQueue {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    next: u64,
    turn: u64,
    messages: BTreeMap<(QueueName, u64), Message>,
    /// The turn at which each group was served last.
    served: BTreeMap<(QueueName, String), u64>,
    dead: BTreeMap<(QueueName, u64), (Message, String)>,
}

#[derive(Clone, Debug)]
struct Message {
    group: String,
    body: String,
    attempts: u32,
    hidden_until: Option<Timestamp>,
}

impl Message {
    fn is_hidden(&self, now: Timestamp) -> bool {
        // Longer than the longest time: the clock ran ahead when it was set.
        self.hidden_until.is_some_and(|until| until > now && until <= later(now, MAX_VISIBILITY))
    }
}

fn later(now: Timestamp, by: Duration) -> Timestamp {
    SignedDuration::try_from(by)
        .ok()
        .and_then(|by| now.checked_add(by).ok())
        .unwrap_or(Timestamp::MAX)
}

impl MemoryQueue {
    /// An empty queue.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, state: Mutex::default() }
    }

    /// How many messages are kept, waiting and delivered ones, without the dead letters.
    #[must_use]
    pub fn len(&self, queue: QueueName) -> usize {
        lock(&self.state).messages.keys().filter(|(name, _)| *name == queue).count()
    }

    /// Whether no message is kept.
    #[must_use]
    pub fn is_empty(&self, queue: QueueName) -> bool {
        self.len(queue) == 0
    }
}

/// The message a receipt names, and the delivery.
fn parse(receipt: &Receipt) -> Option<(u64, u32)> {
    let (id, attempt) = receipt.0.split_once('.')?;
    Some((id.parse().ok()?, attempt.parse().ok()?))
}

impl State {
    /// The message of a delivery that nobody took over.
    fn delivered(&mut self, queue: QueueName, receipt: &Receipt) -> Option<(u64, &mut Message)> {
        let (id, attempt) = parse(receipt)?;
        let message = self.messages.get_mut(&(queue, id))?;
        (message.attempts == attempt).then_some((id, message))
    }

    fn bury(&mut self, queue: QueueName, id: u64, reason: String) {
        if let Some(message) = self.messages.remove(&(queue, id)) {
            self.dead.insert((queue, id), (message, reason));
        }
    }

    /// The first waiting message of the group that waited longest for its turn.
    fn next(&self, queue: QueueName, now: Timestamp) -> Option<u64> {
        let waiting = self
            .messages
            .iter()
            .filter(|((name, _), message)| *name == queue && !message.is_hidden(now));
        let turn = |group: &String| self.served.get(&(queue, group.clone())).copied();
        waiting.map(|((_, id), message)| (turn(&message.group), *id)).min().map(|(_, id)| id)
    }
}

#[async_trait]
impl Queue for MemoryQueue {
    async fn send(
        &self,
        queue: QueueName,
        messages: Vec<Outgoing>,
    ) -> Result<Vec<usize>, PortError> {
        check_send(&messages)?;
        let mut state = lock(&self.state);
        for Outgoing { group, body } in messages {
            let id = state.next;
            state.next += 1;
            let message = Message { group, body, attempts: 0, hidden_until: None };
            state.messages.insert((queue, id), message);
        }
        Ok(Vec::new())
    }

    async fn receive(
        &self,
        queue: QueueName,
        limit: usize,
        visibility: Duration,
    ) -> Result<Vec<Delivery>, PortError> {
        check_receive(limit, visibility)?;
        let now = self.clock.now();
        let mut state = lock(&self.state);
        let spent: Vec<u64> = state
            .messages
            .iter()
            .filter(|((name, _), message)| {
                *name == queue && message.attempts >= MAX_ATTEMPTS && !message.is_hidden(now)
            })
            .map(|((_, id), _)| *id)
            .collect();
        for id in spent {
            state.bury(queue, id, exhausted());
        }
        let mut out = Vec::new();
        let mut taken = Vec::new();
        while out.len() < limit {
            let Some(id) = state.next(queue, now) else { break };
            state.turn += 1;
            let turn = state.turn;
            let Some(message) = state.messages.get_mut(&(queue, id)) else { break };
            message.attempts += 1;
            // Out of sight while this call looks for more, even with a visibility of zero.
            message.hidden_until = Some(later(now, MAX_VISIBILITY));
            let group = message.group.clone();
            out.push(Delivery {
                receipt: Receipt(format!("{id}.{}", message.attempts)),
                message_id: id.to_string(),
                group: group.clone(),
                body: message.body.clone(),
                attempts: message.attempts,
            });
            taken.push(id);
            state.served.insert((queue, group), turn);
        }
        for id in taken {
            if let Some(message) = state.messages.get_mut(&(queue, id)) {
                message.hidden_until = Some(later(now, visibility));
            }
        }
        Ok(out)
    }

    async fn extend(
        &self,
        queue: QueueName,
        receipt: &Receipt,
        visibility: Duration,
    ) -> Result<(), PortError> {
        check_visibility(visibility)?;
        let now = self.clock.now();
        let mut state = lock(&self.state);
        if let Some((_, message)) = state.delivered(queue, receipt)
            && message.is_hidden(now)
        {
            message.hidden_until = Some(later(now, visibility));
        }
        Ok(())
    }

    async fn delete(&self, queue: QueueName, receipt: &Receipt) -> Result<(), PortError> {
        let mut state = lock(&self.state);
        if let Some((id, _)) = state.delivered(queue, receipt) {
            state.messages.remove(&(queue, id));
        }
        Ok(())
    }

    async fn bury(
        &self,
        queue: QueueName,
        delivery: &Delivery,
        reason: &str,
    ) -> Result<(), PortError> {
        let mut state = lock(&self.state);
        if let Some((id, _)) = state.delivered(queue, &delivery.receipt) {
            state.bury(queue, id, reason.to_owned());
        }
        Ok(())
    }

    async fn dead_letters(
        &self,
        queue: QueueName,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, PortError> {
        let state = lock(&self.state);
        let dead = state.dead.iter().filter(|((name, _), _)| *name == queue).take(limit);
        Ok(dead
            .map(|((_, id), (message, reason))| DeadLetter {
                receipt: Receipt(format!("dead.{id}")),
                message_id: id.to_string(),
                group: message.group.clone(),
                body: message.body.clone(),
                reason: reason.clone(),
            })
            .collect())
    }

    async fn forget(&self, queue: QueueName, receipt: &Receipt) -> Result<(), PortError> {
        if let Some(id) = receipt.0.strip_prefix("dead.").and_then(|id| id.parse().ok()) {
            lock(&self.state).dead.remove(&(queue, id));
        }
        Ok(())
    }
}
