//! Records in the words of the domain, over any store. Every row says its own form, so that programs of
//! two versions can live on one store for a while: what a newer one wrote is not touched.

mod chain;
pub(crate) mod keys;
pub(crate) mod rows;

pub(crate) use chain::Committed;

use crate::archive::{Written, unpacked_size};
use crate::error::OperationError;
use crate::packing::{pack_row, unpack_row};
use crate::system::System;
use plumbline_policy::digest::Digest;
use plumbline_ports::{
    Action, Batch, CommitError, Condition, IndexKey, Key, ObjectKey, PortError, Query, Record,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// A kind of row.
pub(crate) trait Row: Serialize + DeserializeOwned + Clone + Send + Sync {
    /// What a row of the kind is called in messages.
    const WHAT: &'static str;
    /// The newest form that this program reads and the one it writes.
    const FORM: u32 = 1;

    /// Where the row stands.
    fn key(&self) -> Key;

    /// Its places in the indexes.
    fn indexes(&self) -> Vec<IndexKey> {
        Vec::new()
    }

    /// When it may vanish, in seconds since 1970.
    fn expires_at(&self) -> Option<i64> {
        None
    }

    /// The folder that its body goes to when it is too large for a record.
    fn spill_folder(&self) -> String;
}

/// A row as it was read, with the revision that a change of it is conditional on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored<R> {
    /// The row.
    pub row: R,
    /// Rises with every change of the row. Whoever shows the row gives it out as its `ETag` and asks for
    /// it back before a change.
    pub revision: u64,
}

impl<R> Stored<R> {
    /// The same, if it is what a caller saw who says which revision that was.
    pub(crate) fn expected(
        self,
        expect: Option<u64>,
        what: impl std::fmt::Display,
    ) -> Result<Self, OperationError> {
        match expect {
            Some(seen) if seen != self.revision => Err(OperationError::Stale(what.to_string())),
            _ => Ok(self),
        }
    }
}

/// As [`Stored::expected`], for what may not be there: whoever saw it sees that it is gone.
pub(crate) fn expected<R>(
    stored: Option<Stored<R>>,
    expect: Option<u64>,
    what: impl std::fmt::Display,
) -> Result<Option<Stored<R>>, OperationError> {
    match stored {
        Some(stored) => stored.expected(expect, what).map(Some),
        None if expect.is_some() => Err(OperationError::Stale(what.to_string())),
        None => Ok(None),
    }
}

/// The body of a record.
#[derive(Deserialize, Serialize)]
struct Envelope<T> {
    form: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    row: Option<T>,
    /// The object that holds the row, where it is too large.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    spilled: Option<Spilled>,
}

/// Where a large row stands.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Spilled {
    pub(crate) folder: String,
    pub(crate) digest: Digest,
}

/// A body of more bytes goes to an object. Far below the limit of a record, so that keys and indexes fit.
const SPILL_OVER: usize = 300 * 1024;

/// Only the head of a body: enough to know what it refers to.
#[derive(Deserialize)]
struct Head {
    #[serde(default)]
    spilled: Option<Spilled>,
}

/// The object that a record's body was spilled to.
pub(crate) fn spilled(record: &Record) -> Option<Spilled> {
    serde_json::from_slice::<Head>(&record_as_json(&record.body).ok()?).ok()?.spilled
}

/// What a body begins with that is compressed under the dictionary of rows; JSON never does. A changed one
/// needs another number, and this one stays for what was written with it.
const COMPRESSED: u8 = 1;
/// A shorter body is not worth the trouble: it is billed as one unit anyhow.
const COMPRESS_OVER: usize = 400;

/// The body of a record as JSON. Larger ones are kept compressed, because every write is billed by the
/// kilobyte.
///
/// # Errors
/// Says that the body is damaged.
pub fn record_as_json(body: &[u8]) -> Result<Cow<'_, [u8]>, OperationError> {
    let Some(packed) = body.strip_prefix(&[COMPRESSED]) else { return Ok(Cow::Borrowed(body)) };
    let damaged = |error: &dyn std::fmt::Display| OperationError::damaged("a record", error);
    let size = unpacked_size(packed).ok_or_else(|| damaged(&"it does not say how large it is"))?;
    unpack_row(packed, size).map(Cow::Owned).map_err(|error| damaged(&error))
}

fn packed(body: Vec<u8>) -> Result<Vec<u8>, OperationError> {
    if body.len() <= COMPRESS_OVER {
        return Ok(body);
    }
    let short = pack_row(&body).map_err(|error| OperationError::damaged("a record", error))?;
    if short.len() + 1 >= body.len() {
        return Ok(body);
    }
    let mut out = Vec::with_capacity(short.len() + 1);
    out.push(COMPRESSED);
    out.extend(short);
    Ok(out)
}

impl System {
    /// Reads one row; an expired one is not there.
    pub(crate) async fn read<R: Row>(
        &self,
        key: &Key,
    ) -> Result<Option<Stored<R>>, OperationError> {
        match self.ports.records.get(key).await? {
            Some(record) if !self.is_expired(&record) => Ok(Some(self.decode(&record).await?)),
            _ => Ok(None),
        }
    }

    /// Reads all rows of one kind in a range.
    pub(crate) async fn list<R: Row>(
        &self,
        query: Query,
    ) -> Result<Vec<Stored<R>>, OperationError> {
        let mut out = Vec::new();
        for record in self.ports.records.query_all(query).await? {
            if !self.is_expired(&record) {
                out.push(self.decode(&record).await?);
            }
        }
        Ok(out)
    }

    /// Reads the rows of a range that can be read. One that cannot holds no other up; the first such
    /// trouble is told.
    pub(crate) async fn list_readable<R: Row>(
        &self,
        query: Query,
    ) -> Result<(Vec<Stored<R>>, Option<OperationError>), OperationError> {
        let (mut out, mut trouble) = (Vec::new(), None);
        for record in self.ports.records.query_all(query).await? {
            if self.is_expired(&record) {
                continue;
            }
            match self.decode(&record).await {
                Ok(row) => out.push(row),
                Err(error) => {
                    trouble.get_or_insert(error);
                }
            }
        }
        Ok((out, trouble))
    }

    /// The revision of what stands at a key, expired or not: a row that nobody sees any more is still in
    /// the way of a new one.
    pub(crate) async fn standing_revision(&self, key: &Key) -> Result<Option<u64>, OperationError> {
        Ok(self.ports.records.get(key).await?.map(|record| record.revision))
    }

    /// Reads a partition page by page, so that a large one need not fit into memory.
    pub(crate) fn pages(&self, pk: String) -> Pages<'_> {
        Pages { system: self, query: Some(Query::prefix(pk, "")) }
    }

    pub(crate) fn is_expired(&self, record: &Record) -> bool {
        record.expires_at.is_some_and(|at| at <= self.now().as_second())
    }

    /// Reads a record as a row of a kind.
    pub(crate) async fn decode<R: Row>(
        &self,
        record: &Record,
    ) -> Result<Stored<R>, OperationError> {
        let damaged = |reason: &dyn std::fmt::Display| {
            OperationError::damaged(format!("the {} at {}", R::WHAT, record.key), reason)
        };
        let body = record_as_json(&record.body).map_err(|error| damaged(&error))?;
        let read = serde_json::from_slice::<Envelope<R>>(&body);
        // A newer form need not have the members that this program expects, so it is looked for where they
        // are not.
        let form = if let Ok(envelope) = &read {
            envelope.form
        } else {
            let only: FormOnly = serde_json::from_slice(&body).map_err(|error| damaged(&error))?;
            only.form
        };
        if form > R::FORM {
            return Err(OperationError::Newer {
                what: format!("the {} at {}", R::WHAT, record.key),
                found: form,
                known: R::FORM,
            });
        }
        let envelope = read.map_err(|error| damaged(&error))?;
        let row = match (envelope.row, envelope.spilled) {
            (Some(row), None) => row,
            (None, Some(at)) => {
                let key = ObjectKey::new(&at.folder, at.digest).map_err(|error| damaged(&error))?;
                let bytes = self
                    .ports
                    .objects
                    .get(&key)
                    .await?
                    .ok_or_else(|| damaged(&format!("its object {key} is gone")))?;
                serde_json::from_slice(&bytes).map_err(|error| damaged(&error))?
            }
            _ => return Err(damaged(&"it holds neither a row nor the name of one")),
        };
        Ok(Stored { row, revision: record.revision })
    }

    /// Adds a row to a batch. A body that is too large goes to an object first, which the batch then
    /// makes safe from the collector.
    async fn add<R: Row>(
        &self,
        batch: Batch,
        row: &R,
        revision: u64,
        condition: Condition,
    ) -> Result<Batch, OperationError> {
        let failed = |error: serde_json::Error| OperationError::Invalid(error.to_string());
        let mut batch = batch;
        let mut body =
            serde_json::to_vec(&Envelope { form: R::FORM, row: Some(row), spilled: None })
                .map_err(failed)?;
        let mut written = Written::default();
        if body.len() > SPILL_OVER {
            let bytes = serde_json::to_vec(row).map_err(failed)?;
            let folder = row.spill_folder();
            let digest = self.store(&folder, bytes, &mut written).await?;
            let spilled = Some(Spilled { folder, digest });
            body = serde_json::to_vec(&Envelope::<R> { form: R::FORM, row: None, spilled })
                .map_err(failed)?;
        }
        let record = Record {
            key: row.key(),
            body: packed(body)?,
            revision,
            indexes: row.indexes(),
            expires_at: row.expires_at(),
        };
        batch = batch.put(record, condition);
        match keys::folder::owner(&row.spill_folder()) {
            Some(workspace) => self.secure(batch, workspace, &written).await,
            None => Ok(batch),
        }
    }

    /// Adds a row that must not be there yet.
    pub(crate) async fn insert<R: Row>(
        &self,
        batch: Batch,
        row: &R,
    ) -> Result<Batch, OperationError> {
        self.add(batch, row, 1, Condition::Absent).await
    }

    /// Adds a change of a row as it was read.
    pub(crate) async fn update<R: Row>(
        &self,
        batch: Batch,
        row: &R,
        read: u64,
    ) -> Result<Batch, OperationError> {
        self.add(batch, row, read.wrapping_add(1), Condition::Revision(read)).await
    }

    /// Adds a row, over one that was read or new.
    pub(crate) async fn upsert<R: Row>(
        &self,
        batch: Batch,
        row: &R,
        read: Option<u64>,
    ) -> Result<Batch, OperationError> {
        match read {
            Some(revision) => self.update(batch, row, revision).await,
            None => self.insert(batch, row).await,
        }
    }

    /// Adds a row that says the same whoever writes it, over whatever stands there.
    pub(crate) async fn put_always<R: Row>(
        &self,
        batch: Batch,
        row: &R,
    ) -> Result<Batch, OperationError> {
        self.add(batch, row, 1, Condition::Always).await
    }

    /// Commits a batch. When a reply is lost, the batch is sent again; if its own first sending had been
    /// applied, its conditions fail and the rows read back as they were to be written, which is success.
    pub(crate) async fn commit(&self, batch: Batch) -> Result<(), CommitError> {
        self.commit_known_by(batch, None).await
    }

    /// Commits a batch. `mark` is the place of a row that nobody else writes and nobody changes, where
    /// the batch has one: it alone tells that the batch was applied, whatever became of the others since.
    async fn commit_known_by(&self, batch: Batch, mark: Option<usize>) -> Result<(), CommitError> {
        const TRIES: usize = 3;
        let mut lost = None;
        for _ in 0..TRIES {
            match self.ports.records.commit(batch.clone()).await {
                Ok(()) => return Ok(()),
                Err(CommitError::Port(error)) if error.is_retryable() => lost = Some(error),
                Err(CommitError::Condition { failed }) if lost.is_some() => {
                    let known_by = match mark {
                        Some(at) => batch.actions.get(at..=at).unwrap_or_default(),
                        None => batch.actions.as_slice(),
                    };
                    return if self.is_applied(known_by).await? {
                        Ok(())
                    } else {
                        Err(CommitError::Condition { failed })
                    };
                }
                Err(error) => return Err(error),
            }
        }
        Err(CommitError::Port(
            lost.unwrap_or_else(|| PortError::unavailable("commit records", "no answer")),
        ))
    }

    async fn is_applied(&self, actions: &[Action]) -> Result<bool, PortError> {
        let mut puts = 0;
        for action in actions {
            match action {
                Action::Put(record, _) => {
                    puts += 1;
                    if self.ports.records.get(&record.key).await?.as_ref() != Some(record) {
                        return Ok(false);
                    }
                }
                Action::Delete(key, _) => {
                    if self.ports.records.get(key).await?.is_some() {
                        return Ok(false);
                    }
                }
                Action::Check(..) => {}
            }
        }
        // A batch that only deletes leaves no trace to know it by.
        Ok(puts > 0)
    }
}

/// The records of a partition, page by page.
pub(crate) struct Pages<'s> {
    system: &'s System,
    /// What is asked next; `None` after the last page.
    query: Option<Query>,
}

impl Pages<'_> {
    /// The next page; `None` when there is no more.
    pub(crate) async fn next(&mut self) -> Result<Option<Vec<Record>>, OperationError> {
        let Some(mut query) = self.query.take() else { return Ok(None) };
        let page = self.system.ports.records.query(&query).await?;
        self.query = page.next.map(|next| {
            query.after = Some(next);
            query
        });
        Ok(Some(page.records))
    }
}

/// The form of a body, whatever else stands in it.
#[derive(Deserialize)]
struct FormOnly {
    form: u32,
}
