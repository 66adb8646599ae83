//! Requests that are done once, however often they are sent: the first one works, and those after it get
//! its answer.
//!
//! A row says that a request was begun, and holds its answer once there is one. It stands under the
//! workspace, or under the person where there is none yet, and goes after a day.

use crate::error::OperationError;
use crate::repository::Row as _;
use crate::repository::rows::{ONCE_HOURS, OnceRow};
use crate::run::later;
use crate::system::System;
use crate::workspace::Person;
use jiff::SignedDuration;
use plumbline_governance::ids::WorkspaceId;
use plumbline_policy::digest::Digest;
use plumbline_ports::{Batch, Condition};

/// How long a request may work on before another like it takes its place: longer than any request lives.
const BEGUN: SignedDuration = SignedDuration::from_secs(60);
/// The most bytes of an answer that belongs to no workspace; such answers are small.
const MAX_OWN_ANSWER: usize = 128 * 1024;

/// What makes requests one: the same person sends the same key to the same route.
#[derive(Clone, Copy, Debug)]
pub struct OnceKey<'k> {
    /// The workspace; `None` where the route has none.
    pub workspace: Option<WorkspaceId>,
    /// Who sends it.
    pub person: &'k Person,
    /// What is asked for: method and path.
    pub route: &'k str,
    /// The key that came with it.
    pub key: &'k str,
}

/// What is to become of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Once {
    /// It is the first: do it, then keep its answer, or forget it.
    First(OnceTicket),
    /// It was done; this was the answer.
    Done(KeptAnswer),
    /// It is being done at this moment.
    Busy,
    /// The key came before with another request.
    Different,
}

/// The right to answer a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnceTicket {
    row: OnceRow,
    revision: u64,
}

/// An answer that is given again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptAnswer {
    /// The status.
    pub status: u16,
    /// Where the thing stands that was made.
    pub location: Option<String>,
    /// The revision of the thing.
    pub etag: Option<String>,
    /// The body.
    pub body: Vec<u8>,
}

impl System {
    /// Begins a request, unless it was begun or done before. `request` is a digest of all that it asks for.
    ///
    /// # Errors
    /// The store's.
    pub async fn begin_once(
        &self,
        key: &OnceKey<'_>,
        request: Digest,
    ) -> Result<Once, OperationError> {
        let now = self.now();
        let begun = OnceRow {
            workspace: key.workspace,
            member_id: key.person.member_id(),
            key: OnceRow::hashed(key.route, key.key),
            request,
            begun_at: now,
            expires_at: later(now, SignedDuration::from_hours(ONCE_HOURS)),
            answer: None,
        };
        for _ in 0..5 {
            // A row that has expired is none, and still in the way.
            let record = self.ports.records.get(&begun.key()).await?;
            let read = record.as_ref().map(|record| record.revision);
            if let Some(record) = record.filter(|record| !self.is_expired(record)) {
                let before = self.decode::<OnceRow>(&record).await?.row;
                if before.request != request {
                    return Ok(Once::Different);
                }
                if let Some(answer) = before.answer {
                    return Ok(Once::Done(answer.into()));
                }
                if now < later(before.begun_at, BEGUN) {
                    return Ok(Once::Busy);
                }
            }
            let batch = self.upsert(Batch::new(), &begun, read).await?;
            if self.commit_if(batch).await? {
                let revision = read.map_or(1, |read| read.wrapping_add(1));
                return Ok(Once::First(OnceTicket { row: begun, revision }));
            }
        }
        Ok(Once::Busy)
    }

    /// Keeps the answer of a request for those like it. One that took so long that another took its place
    /// keeps nothing.
    ///
    /// # Errors
    /// Refuses an answer that is too large; the store's.
    pub async fn keep_answer(
        &self,
        ticket: OnceTicket,
        answer: KeptAnswer,
    ) -> Result<(), OperationError> {
        let OnceTicket { mut row, revision } = ticket;
        if row.workspace.is_none() && answer.body.len() > MAX_OWN_ANSWER {
            return Err(OperationError::Invalid(format!(
                "an answer of {} bytes belongs to no workspace, where {MAX_OWN_ANSWER} can be kept",
                answer.body.len()
            )));
        }
        row.answer = Some(answer.into());
        let batch = self.update(Batch::new(), &row, revision).await?;
        self.commit_if(batch).await.map(drop)
    }

    /// Forgets a request that was not done, so that it may be sent again.
    ///
    /// # Errors
    /// The store's.
    pub async fn forget(&self, ticket: OnceTicket) -> Result<(), OperationError> {
        let OnceTicket { row, revision } = ticket;
        let batch = Batch::new().delete(row.key(), Condition::Revision(revision));
        self.commit_if(batch).await.map(drop)
    }
}
