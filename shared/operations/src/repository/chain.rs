//! The chain of the audit: a change and its entry are one commit, and every entry names the one before
//! it. Whoever takes an entry away or changes one breaks the chain behind it.

use super::rows::{AuditEntry, AuditHead};
use crate::error::OperationError;
use crate::system::System;
use plumbline_ports::{Batch, CommitError};

/// How often the head is read again because another entry came first.
const TRIES: usize = 12;

/// What became of a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum Committed {
    /// It is done.
    Done,
    /// Nothing was done: rows were changed by somebody else. The places in the caller's batch; none, if
    /// only the audit was in the way, every time.
    Moved(Vec<usize>),
}

impl Committed {
    pub(crate) fn is_done(&self) -> bool {
        *self == Self::Done
    }

    /// For a change that is not tried again.
    pub(crate) fn or_conflict(self, what: impl std::fmt::Display) -> Result<(), OperationError> {
        match self {
            Self::Done => Ok(()),
            Self::Moved(_) => Err(OperationError::Conflict(what.to_string())),
        }
    }
}

impl System {
    /// Commits a batch with its entry in the audit, at the end of the chain.
    pub(crate) async fn commit_audited(
        &self,
        batch: Batch,
        entry: AuditEntry,
    ) -> Result<Committed, OperationError> {
        let own = batch.actions.len();
        let mut entry = entry;
        for _ in 0..TRIES {
            let head = self.read::<AuditHead>(&AuditHead::key_of(entry.workspace)).await?;
            if let Some(head) = &head {
                entry.sequence = head.row.sequence.saturating_add(1);
                entry.previous = Some(head.row.digest);
                // The order of the entries is their sequence; a clock that was set back does not turn it.
                entry.at = entry.at.max(head.row.at);
            }
            let whole = self.insert(batch.clone(), &entry).await?;
            let read = head.map(|head| head.revision);
            let whole = self.upsert(whole, &AuditHead::of(&entry), read).await?;
            match self.commit_known_by(whole, Some(own)).await {
                Ok(()) => return Ok(Committed::Done),
                Err(CommitError::Condition { mut failed }) => {
                    failed.retain(|at| *at < own);
                    if !failed.is_empty() {
                        return Ok(Committed::Moved(failed));
                    }
                }
                Err(CommitError::Port(error)) => return Err(error.into()),
            }
        }
        Ok(Committed::Moved(Vec::new()))
    }
}
