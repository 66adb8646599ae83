//! Records: rows of an ordered table, changed in atomic batches under conditions.
//!
//! The contract is what `DynamoDB` and an ordered embedded store both do exactly:
//! - `get` and `query` on the table see every commit that ended before (strongly consistent).
//! - `commit` applies all actions or none. Each action may carry a condition on the row as it stands; if
//!   any fails, nothing is written and the failed places are named.
//! - Index reads may lag behind; nothing may be decided on them.
//! - A row past its time to live may still be read, for days. Readers filter; conditions see the row.
//! - After [`PortError::Unavailable`] a commit may have taken effect.

mod limits;

pub use limits::{
    MAX_BATCH_ACTIONS, MAX_BATCH_BYTES, MAX_INDEX_BYTES, MAX_PAGE_BYTES, MAX_PK_BYTES,
    MAX_RECORD_BYTES, MAX_SK_BYTES, check_key,
};

use crate::PortError;
use async_trait::async_trait;

/// Where a record stands: a partition, and a place in its order (by bytes).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// The partition.
    pub pk: String,
    /// The place in the partition.
    pub sk: String,
}

impl Key {
    /// Names a place.
    #[must_use]
    pub fn new(pk: impl Into<String>, sk: impl Into<String>) -> Self {
        Self { pk: pk.into(), sk: sk.into() }
    }
}

impl std::fmt::Display for Key {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} {}", self.pk, self.sk)
    }
}

/// The two secondary indexes. A record is in an index only while it names a key for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Index {
    /// Workspace, then finding status, severity and last change.
    Findings,
    /// Workspace, then what is listed of it: postures by tenant, runs and snapshots by time.
    Tenants,
}

impl Index {
    /// Every index.
    pub const ALL: [Self; 2] = [Self::Findings, Self::Tenants];
}

/// A record's place in one index.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IndexKey {
    /// The index.
    pub index: Index,
    /// The partition of the index.
    pub pk: String,
    /// The place in the partition; several records may share it.
    pub sk: String,
}

/// One row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Where it stands.
    pub key: Key,
    /// Its content; the port does not look inside.
    pub body: Vec<u8>,
    /// A number that its writers raise with every write; conditions compare it.
    pub revision: u64,
    /// Its places in the indexes, at most one each.
    pub indexes: Vec<IndexKey>,
    /// When it may vanish, in seconds since 1970. Never before; perhaps much later.
    pub expires_at: Option<i64>,
}

/// What must hold of the row that stands at a key for an action to be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// Nothing.
    Always,
    /// There is no row.
    Absent,
    /// There is a row, and it has this revision.
    Revision(u64),
}

impl Condition {
    /// Whether the condition holds of a row that stands (`None`: no row).
    #[must_use]
    pub fn holds(self, revision: Option<u64>) -> bool {
        match self {
            Self::Always => true,
            Self::Absent => revision.is_none(),
            Self::Revision(expected) => revision == Some(expected),
        }
    }
}

/// One part of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Writes a row, new or in the place of another.
    Put(Record, Condition),
    /// Takes a row away; one that is not there stays so.
    Delete(Key, Condition),
    /// Changes nothing; the batch stands or falls with the condition.
    Check(Key, Condition),
}

impl Action {
    /// The row the action speaks of.
    #[must_use]
    pub fn key(&self) -> &Key {
        match self {
            Self::Put(record, _) => &record.key,
            Self::Delete(key, _) | Self::Check(key, _) => key,
        }
    }

    /// Its condition.
    #[must_use]
    pub fn condition(&self) -> Condition {
        match self {
            Self::Put(_, condition) | Self::Delete(_, condition) | Self::Check(_, condition) => {
                *condition
            }
        }
    }
}

/// Actions that are taken together or not at all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// The actions; each speaks of another row.
    pub actions: Vec<Action>,
}

impl Batch {
    /// A batch without actions.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the writing of a row.
    #[must_use]
    pub fn put(mut self, record: Record, condition: Condition) -> Self {
        self.actions.push(Action::Put(record, condition));
        self
    }

    /// Adds the removal of a row.
    #[must_use]
    pub fn delete(mut self, key: Key, condition: Condition) -> Self {
        self.actions.push(Action::Delete(key, condition));
        self
    }

    /// Adds a condition on a row that the batch does not change.
    #[must_use]
    pub fn check(mut self, key: Key, condition: Condition) -> Self {
        self.actions.push(Action::Check(key, condition));
        self
    }
}

/// Why a commit changed nothing, or may not have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommitError {
    /// Conditions failed; nothing was written.
    #[error("a record was changed by somebody else in the meantime; read it again")]
    Condition {
        /// The places of the failed actions in the batch, sorted.
        failed: Vec<usize>,
    },
    /// The port could not do it.
    #[error(transparent)]
    Port(#[from] PortError),
}

/// Which rows of a partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Range {
    /// All.
    All,
    /// Those whose sort key begins so.
    Prefix(String),
    /// Those from the first sort key to the last, both included.
    Between(String, String),
}

impl Range {
    /// Whether a sort key is in the range.
    #[must_use]
    pub fn holds(&self, sk: &str) -> bool {
        match self {
            Self::All => true,
            Self::Prefix(prefix) => sk.starts_with(prefix.as_str()),
            Self::Between(first, last) => first.as_str() <= sk && sk <= last.as_str(),
        }
    }
}

/// Asks for rows of one partition in the order of their sort keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// The partition.
    pub pk: String,
    /// Which rows.
    pub range: Range,
    /// Only rows behind this sort key (before it, when descending): where the last page ended.
    pub after: Option<String>,
    /// The most rows of the answer, at least 1.
    pub limit: usize,
    /// From the last to the first.
    pub descending: bool,
}

impl Query {
    /// Asks for all rows of a partition that begin so, in order, as many as a page takes.
    #[must_use]
    pub fn prefix(pk: impl Into<String>, prefix: impl Into<String>) -> Self {
        Self {
            pk: pk.into(),
            range: Range::Prefix(prefix.into()),
            after: None,
            limit: usize::MAX,
            descending: false,
        }
    }
}

/// A place in an index: where a page ended.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct IndexPosition {
    /// The sort key in the index.
    pub sk: String,
    /// The row's own key, which tells rows of one sort key apart.
    pub key: Key,
}

/// Asks for rows by an index, in the order of the index's sort key, then of the rows' own keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexQuery {
    /// The index.
    pub index: Index,
    /// The partition of the index.
    pub pk: String,
    /// Which rows, by the index's sort key.
    pub range: Range,
    /// Only rows behind this place (before it, when descending).
    pub after: Option<IndexPosition>,
    /// The most rows of the answer, at least 1.
    pub limit: usize,
    /// From the last to the first.
    pub descending: bool,
}

/// A part of an answer. It may be empty and still have more behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<P> {
    /// The rows.
    pub records: Vec<Record>,
    /// Where to go on; `None` at the end.
    pub next: Option<P>,
}

/// Keeps rows.
#[async_trait]
pub trait Records: Send + Sync {
    /// Reads one row; `None` when there is none. A key that no row can have is refused.
    async fn get(&self, key: &Key) -> Result<Option<Record>, PortError>;

    /// Reads a page of one partition. A page ends after `limit` rows or before it passes
    /// [`MAX_PAGE_BYTES`] (see [`Record::size`]), whichever comes first. `next` is where to go on; it may
    /// be there although nothing is left.
    async fn query(&self, query: &Query) -> Result<Page<String>, PortError>;

    /// Reads a page of an index; the same limits. The answer may lag behind commits.
    async fn query_index(&self, query: &IndexQuery) -> Result<Page<IndexPosition>, PortError>;

    /// Takes all actions or none.
    async fn commit(&self, batch: Batch) -> Result<(), CommitError>;
}

impl dyn Records + '_ {
    /// Reads all rows of a query, page by page.
    ///
    /// # Errors
    /// As [`Records::query`].
    pub async fn query_all(&self, mut query: Query) -> Result<Vec<Record>, PortError> {
        let mut out = Vec::new();
        loop {
            let page = self.query(&query).await?;
            out.extend(page.records);
            match page.next {
                Some(next) => query.after = Some(next),
                None => return Ok(out),
            }
        }
    }
}
