//! Records with a bill, in the units of `DynamoDB`.

use super::{Charge, Count, Ledger, filled, once};
use crate::PortError;
use crate::records::{
    Action, Batch, CommitError, Index, IndexKey, IndexPosition, IndexQuery, Key, Page, Query,
    Range, Record, Records,
};
use async_trait::async_trait;
use std::sync::Arc;

/// A read counts for every 4 KB.
const READ_UNIT: usize = 4 * 1024;
/// A write counts for every 1 KB.
const WRITE_UNIT: usize = 1024;

pub(super) struct Billed {
    pub(super) inner: Arc<dyn Records>,
    pub(super) ledger: Arc<Ledger>,
}

/// What one action is billed.
struct Written {
    op: &'static str,
    of: String,
    /// In the table, paid even where the condition does not hold.
    table: f64,
    /// In the indexes, paid only for what is written.
    indexes: f64,
}

#[async_trait]
impl Records for Billed {
    async fn get(&self, key: &Key) -> Result<Option<Record>, PortError> {
        let found = self.ledger.call(self.inner.get(key)).await?;
        let units = read(&found);
        self.ledger.note(Charge::RecordRead, "get", kind(&key.sk), once(units));
        Ok(found)
    }

    async fn query(&self, query: &Query) -> Result<Page<String>, PortError> {
        let page = self.ledger.call(self.inner.query(query)).await?;
        let units = read(&page.records);
        self.ledger.note(Charge::RecordRead, "query", asked(&query.pk, &query.range), once(units));
        Ok(page)
    }

    async fn query_index(&self, query: &IndexQuery) -> Result<Page<IndexPosition>, PortError> {
        let page = self.ledger.call(self.inner.query_index(query)).await?;
        // An index is read with eventual consistency, which costs half.
        let units = read(&page.records) / 2.0;
        let of = asked(&query.pk, &query.range);
        self.ledger.note(Charge::RecordRead, "query index", of, once(units));
        Ok(page)
    }

    async fn commit(&self, batch: Batch) -> Result<(), CommitError> {
        let mut written = Vec::with_capacity(batch.actions.len());
        let alone = batch.actions.len() == 1;
        for action in &batch.actions {
            // A look that the cloud does not take: what a write costs depends on what it replaces.
            let before = self.ledger.call(self.inner.get(action.key())).await.ok().flatten();
            written.push(write(action, before.as_ref(), alone));
        }
        let told = self.ledger.call(self.inner.commit(batch)).await;
        let (reached, applied) = match &told {
            Err(CommitError::Port(PortError::Refused { .. })) => (false, false),
            Err(CommitError::Condition { .. }) => (true, false),
            // A lost reply may hide a commit that was applied.
            Ok(()) | Err(CommitError::Port(_)) => (true, true),
        };
        // The batch is one request, noted with its first row.
        let requests = std::iter::once(1).chain(std::iter::repeat(0));
        for (Written { op, of, table, indexes }, requests) in
            written.into_iter().zip(requests).filter(|_| reached)
        {
            let units = table + if applied { indexes } else { 0.0 };
            self.ledger.note(Charge::RecordWrite, op, of, Count { requests, units });
        }
        told
    }
}

/// The kind of a row: its key up to the first `#`.
fn kind(key: &str) -> &str {
    key.split('#').next().unwrap_or(key)
}

/// What a query asks for: the kind of its rows where it names one.
fn asked<'q>(pk: &'q str, range: &'q Range) -> &'q str {
    match range {
        Range::Prefix(prefix) if !prefix.is_empty() => kind(prefix),
        _ => kind(pk),
    }
}

/// Units of a read: its rows together, at least one.
fn read<'r>(records: impl IntoIterator<Item = &'r Record>) -> f64 {
    filled(records.into_iter().map(Record::size).sum(), READ_UNIT)
}

/// Units of an action on the row that stood there. A batch of one writes its row by itself; everything
/// else is a transaction, which writes twice. Indexes follow later and are written once.
fn write(action: &Action, before: Option<&Record>, alone: bool) -> Written {
    let old = before.map_or(0, Record::size);
    let of = kind(&action.key().sk).to_owned();
    let (op, size, after) = match action {
        Action::Put(record, _) => ("put", record.size(), Some(record)),
        Action::Delete(..) => ("delete", 0, None),
        Action::Check(..) => ("check", 0, before),
    };
    let is_transaction = !alone || op == "check";
    let table = filled(size.max(old), WRITE_UNIT) * if is_transaction { 2.0 } else { 1.0 };
    let indexes = if op == "check" { 0.0 } else { indexes(before, after) };
    Written { op, of, table, indexes }
}

/// Units in the indexes, which hold whole rows: a row that comes, goes or changes in its place is one
/// write, one that moves is two.
fn indexes(before: Option<&Record>, after: Option<&Record>) -> f64 {
    let units = |record: Option<&Record>| filled(record.map_or(0, Record::size), WRITE_UNIT);
    let one = |index| match (place(before, index), place(after, index)) {
        (None, None) => 0.0,
        (Some(_), None) => units(before),
        (None, Some(_)) => units(after),
        (Some(old), Some(new)) if old == new => units(before).max(units(after)),
        (Some(_), Some(_)) => units(before) + units(after),
    };
    Index::ALL.into_iter().map(one).sum()
}

fn place(record: Option<&Record>, index: Index) -> Option<&IndexKey> {
    record?.indexes.iter().find(|place| place.index == index)
}
