//! What the check asks of the queue.

use super::LocalQueue;
use super::tables::{CONTENTS, DEAD, GROUPS, HIDDEN, STATES, TURNS, WAITING};
use crate::check::Problem;
use crate::database::Fault;
use redb::{ReadTransaction, ReadableTable as _};

impl LocalQueue {
    /// Everything that is wrong with the file: pages, and messages that do not stand where their state
    /// says.
    pub(crate) fn problems(&self) -> Vec<Problem> {
        let file = self.db.path().display().to_string();
        let mut out = Vec::new();
        if let Some(reason) = self.db.check() {
            out.push(Problem::backup(&file, reason));
        }
        let read = self.db.read("check the queue", |transaction| {
            messages(transaction, &mut out)?;
            places(transaction, &mut out)?;
            ring(transaction, &mut out)
        });
        if let Err(error) = read {
            out.push(Problem::backup(&file, error.to_string()));
        }
        out
    }
}

fn wrong(out: &mut Vec<Problem>, id: u64, reason: &str) {
    out.push(Problem::backup(format!("the message msg-{id}"), reason));
}

/// Every content has one state, or is dead; every state has a content and stands where it says.
fn messages(transaction: &ReadTransaction, out: &mut Vec<Problem>) -> Result<(), Fault> {
    let (contents, states) = (transaction.open_table(CONTENTS)?, transaction.open_table(STATES)?);
    let (waiting, hidden) = (transaction.open_table(WAITING)?, transaction.open_table(HIDDEN)?);
    let (dead, groups) = (transaction.open_table(DEAD)?, transaction.open_table(GROUPS)?);
    for entry in contents.iter()? {
        let (key, content) = entry?;
        let ((queue, id), (group, _)) = (key.value(), content.value());
        let state = states.get((queue, id))?.map(|state| state.value());
        let is_dead = dead.get((queue, id))?.is_some();
        let stands = match state {
            None => is_dead,
            Some((_, Some(due))) => !is_dead && hidden.get((queue, due, id))?.is_some(),
            Some((_, None)) => {
                !is_dead
                    && waiting.get((queue, group, id))?.is_some()
                    && groups.get((queue, group))?.is_some()
            }
        };
        if !stands {
            wrong(out, id, "it does not stand where its state says");
        }
    }
    for entry in states.iter()? {
        let (queue, id) = entry?.0.value();
        if contents.get((queue, id))?.is_none() {
            wrong(out, id, "its content is missing");
        }
    }
    for entry in dead.iter()? {
        let (queue, id) = entry?.0.value();
        if contents.get((queue, id))?.is_none() {
            wrong(out, id, "its content is missing");
        }
    }
    Ok(())
}

/// Every place is that of a message.
fn places(transaction: &ReadTransaction, out: &mut Vec<Problem>) -> Result<(), Fault> {
    let states = transaction.open_table(STATES)?;
    for entry in transaction.open_table(HIDDEN)?.iter()? {
        let (queue, due, id) = entry?.0.value();
        if states.get((queue, id))?.is_none_or(|state| state.value().1 != Some(due)) {
            wrong(out, id, "it is hidden, and its state does not say so");
        }
    }
    for entry in transaction.open_table(WAITING)?.iter()? {
        let (key, _) = entry?;
        let (queue, _, id) = key.value();
        if states.get((queue, id))?.is_none_or(|state| state.value().1.is_some()) {
            wrong(out, id, "it waits, and its state does not say so");
        }
    }
    Ok(())
}

/// Every turn is that of a group with waiting messages.
fn ring(transaction: &ReadTransaction, out: &mut Vec<Problem>) -> Result<(), Fault> {
    let (groups, waiting) = (transaction.open_table(GROUPS)?, transaction.open_table(WAITING)?);
    for entry in transaction.open_table(TURNS)?.iter()? {
        let (key, group) = entry?;
        let ((queue, turn), group) = (key.value(), group.value());
        let known = groups.get((queue, group))?.is_some_and(|known| known.value() == turn);
        let mut range = waiting.range((queue, group, 0)..=(queue, group, u64::MAX))?;
        if !known || range.next().is_none() {
            out.push(Problem::backup(
                format!("the turn of the group {group}"),
                "no message waits for it",
            ));
        }
    }
    Ok(())
}
