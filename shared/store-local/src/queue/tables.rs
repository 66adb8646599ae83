//! The tables of the queue, and the moves of a message between them.
//!
//! A message has a content and a state. While it waits it stands in `WAITING`, and its group in the ring;
//! while it is hidden it stands in `HIDDEN`; when it is given up it stands in `DEAD`.

use crate::database::Fault;
use plumbline_ports::queue::{MAX_ATTEMPTS, exhausted};
use plumbline_ports::{Outgoing, PortError, QueueName};
use redb::{ReadableTable as _, Table, TableDefinition, WriteTransaction};

/// How many hidden messages one receive brings back at most.
const BRING_BACK: usize = 1_000;

/// Queue and message.
type MessageKey = (u8, u64);

/// Group and body.
pub(super) const CONTENTS: TableDefinition<'static, MessageKey, (&str, &str)> =
    TableDefinition::new("contents");
/// Deliveries so far; and, of a hidden message, when it comes back (microseconds since 1970).
pub(super) const STATES: TableDefinition<'static, MessageKey, (u32, Option<i64>)> =
    TableDefinition::new("states");
/// Queue, group, message.
pub(super) const WAITING: TableDefinition<'static, (u8, &str, u64), ()> =
    TableDefinition::new("waiting");
/// The ring: queue and turn of each group that has waiting messages.
pub(super) const TURNS: TableDefinition<'static, (u8, u64), &str> = TableDefinition::new("turns");
/// The turn of each group in the ring.
pub(super) const GROUPS: TableDefinition<'static, (u8, &str), u64> = TableDefinition::new("groups");
/// Queue, when it comes back, message.
pub(super) const HIDDEN: TableDefinition<'static, (u8, i64, u64), ()> =
    TableDefinition::new("hidden");
/// The reason of each dead letter.
pub(super) const DEAD: TableDefinition<'static, MessageKey, &str> = TableDefinition::new("dead");
/// The next message and the next turn.
pub(super) const NUMBERS: TableDefinition<'static, &str, u64> = TableDefinition::new("numbers");

/// The number of a queue in the keys; never given to another.
pub(super) fn queue_number(queue: QueueName) -> u8 {
    match queue {
        QueueName::Capture => 1,
        QueueName::Compare => 2,
    }
}

/// How the latest delivery of a message stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// Its time ends then (microseconds since 1970).
    Until(i64),
    /// Its time ended, and the message waits for the next delivery.
    Ended,
}

/// A message without a content or a state.
pub(super) fn missing(id: u64) -> PortError {
    PortError::corrupt(format!("the message msg-{id}"), "a part of it is missing")
}

/// The tables of one write transaction.
pub(super) struct Tables<'t> {
    contents: Table<'t, MessageKey, (&'static str, &'static str)>,
    states: Table<'t, MessageKey, (u32, Option<i64>)>,
    waiting: Table<'t, (u8, &'static str, u64), ()>,
    turns: Table<'t, (u8, u64), &'static str>,
    groups: Table<'t, (u8, &'static str), u64>,
    hidden: Table<'t, (u8, i64, u64), ()>,
    dead: Table<'t, MessageKey, &'static str>,
    numbers: Table<'t, &'static str, u64>,
}

impl<'t> Tables<'t> {
    pub(super) fn open(transaction: &'t WriteTransaction) -> Result<Self, Fault> {
        Ok(Self {
            contents: transaction.open_table(CONTENTS)?,
            states: transaction.open_table(STATES)?,
            waiting: transaction.open_table(WAITING)?,
            turns: transaction.open_table(TURNS)?,
            groups: transaction.open_table(GROUPS)?,
            hidden: transaction.open_table(HIDDEN)?,
            dead: transaction.open_table(DEAD)?,
            numbers: transaction.open_table(NUMBERS)?,
        })
    }

    /// Adds a new message behind the others of its group.
    pub(super) fn add(&mut self, queue: u8, message: &Outgoing) -> Result<(), Fault> {
        let id = self.number("message")?;
        self.contents.insert((queue, id), (message.group.as_str(), message.body.as_str()))?;
        self.states.insert((queue, id), (0, None))?;
        self.wait(queue, id, &message.group)
    }

    /// Brings hidden messages back whose time came, and gives those up that were delivered too often.
    /// Answers how many.
    pub(super) fn bring_back(&mut self, queue: u8, now: i64, latest: i64) -> Result<usize, Fault> {
        let mut due = Vec::new();
        for range in [
            (queue, i64::MIN, 0)..=(queue, now, u64::MAX),
            (queue, latest, u64::MAX)..=(queue, i64::MAX, u64::MAX),
        ] {
            for entry in self.hidden.range(range)?.take(BRING_BACK) {
                due.push(entry?.0.value());
            }
        }
        for place in &due {
            let (_, _, id) = *place;
            self.hidden.remove(place)?;
            let (attempts, _) = self.state(queue, id)?;
            if attempts >= MAX_ATTEMPTS {
                self.states.remove((queue, id))?;
                self.dead.insert((queue, id), exhausted().as_str())?;
            } else {
                self.states.insert((queue, id), (attempts, None))?;
                let (group, _) = self.content(queue, id)?;
                self.wait(queue, id, &group)?;
            }
        }
        Ok(due.len())
    }

    /// Takes the next waiting message of the group whose turn it is; the group goes to the end.
    pub(super) fn take_next(&mut self, queue: u8) -> Result<Option<u64>, Fault> {
        let first = self.turns.range((queue, 0)..=(queue, u64::MAX))?.next().transpose()?;
        let Some((turn, group)) =
            first.map(|(key, group)| (key.value().1, group.value().to_owned()))
        else {
            return Ok(None);
        };
        let Some(id) = self.first_waiting(queue, &group)? else {
            return Err(PortError::corrupt("the queue", "a group has a turn but no message").into());
        };
        self.waiting.remove((queue, group.as_str(), id))?;
        self.turns.remove((queue, turn))?;
        self.groups.remove((queue, group.as_str()))?;
        if self.first_waiting(queue, &group)?.is_some() {
            self.queue_up(queue, &group)?;
        }
        Ok(Some(id))
    }

    /// Hides a message that was just taken; answers its number of deliveries.
    pub(super) fn hide(&mut self, queue: u8, id: u64, until: i64) -> Result<u32, Fault> {
        let attempts = self.state(queue, id)?.0.saturating_add(1);
        self.states.insert((queue, id), (attempts, Some(until)))?;
        self.hidden.insert((queue, until, id), ())?;
        Ok(attempts)
    }

    /// Moves the end of a hidden message's time.
    pub(super) fn hide_until(&mut self, queue: u8, id: u64, until: i64) -> Result<(), Fault> {
        let (attempts, due) = self.state(queue, id)?;
        if let Some(due) = due {
            self.hidden.remove((queue, due, id))?;
        }
        self.states.insert((queue, id), (attempts, Some(until)))?;
        self.hidden.insert((queue, until, id), ())?;
        Ok(())
    }

    /// How the latest delivery of a message stands, if it is this one.
    pub(super) fn delivery(
        &self,
        queue: u8,
        id: u64,
        attempt: u32,
    ) -> Result<Option<Standing>, Fault> {
        let state = self.states.get((queue, id))?.map(|state| state.value());
        let latest = state.filter(|(attempts, _)| *attempts == attempt);
        Ok(latest.map(|(_, due)| due.map_or(Standing::Ended, Standing::Until)))
    }

    /// Group and body of a message.
    pub(super) fn content(&self, queue: u8, id: u64) -> Result<(String, String), Fault> {
        let content = self.contents.get((queue, id))?.ok_or_else(|| missing(id))?;
        let (group, body) = content.value();
        Ok((group.to_owned(), body.to_owned()))
    }

    /// Takes a message away.
    pub(super) fn remove(&mut self, queue: u8, id: u64) -> Result<(), Fault> {
        self.leave(queue, id)?;
        self.contents.remove((queue, id))?;
        Ok(())
    }

    /// Gives a message up.
    pub(super) fn bury(&mut self, queue: u8, id: u64, reason: &str) -> Result<(), Fault> {
        self.leave(queue, id)?;
        self.dead.insert((queue, id), reason)?;
        Ok(())
    }

    /// Takes a dead letter away; answers whether it was there.
    pub(super) fn forget(&mut self, queue: u8, id: u64) -> Result<bool, Fault> {
        let known = self.dead.remove((queue, id))?.is_some();
        if known {
            self.contents.remove((queue, id))?;
        }
        Ok(known)
    }

    /// Takes a message out of the waiting and the hidden ones.
    fn leave(&mut self, queue: u8, id: u64) -> Result<(), Fault> {
        let (_, due) = self.state(queue, id)?;
        self.states.remove((queue, id))?;
        if let Some(due) = due {
            self.hidden.remove((queue, due, id))?;
            return Ok(());
        }
        let (group, _) = self.content(queue, id)?;
        self.waiting.remove((queue, group.as_str(), id))?;
        if self.first_waiting(queue, &group)?.is_none() {
            let turn = self.groups.remove((queue, group.as_str()))?.map(|turn| turn.value());
            if let Some(turn) = turn {
                self.turns.remove((queue, turn))?;
            }
        }
        Ok(())
    }

    fn state(&self, queue: u8, id: u64) -> Result<(u32, Option<i64>), Fault> {
        Ok(self.states.get((queue, id))?.ok_or_else(|| missing(id))?.value())
    }

    fn wait(&mut self, queue: u8, id: u64, group: &str) -> Result<(), Fault> {
        self.waiting.insert((queue, group, id), ())?;
        if self.groups.get((queue, group))?.is_none() {
            self.queue_up(queue, group)?;
        }
        Ok(())
    }

    /// Puts a group at the end of the ring.
    fn queue_up(&mut self, queue: u8, group: &str) -> Result<(), Fault> {
        let turn = self.number("turn")?;
        self.turns.insert((queue, turn), group)?;
        self.groups.insert((queue, group), turn)?;
        Ok(())
    }

    fn first_waiting(&self, queue: u8, group: &str) -> Result<Option<u64>, Fault> {
        let mut range = self.waiting.range((queue, group, 0)..=(queue, group, u64::MAX))?;
        Ok(range.next().transpose()?.map(|(key, _)| key.value().2))
    }

    fn number(&mut self, name: &str) -> Result<u64, Fault> {
        let number = self.numbers.get(name)?.map_or(0, |number| number.value());
        self.numbers.insert(name, number.saturating_add(1))?;
        Ok(number)
    }
}
