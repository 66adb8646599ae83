//! Records in a redb file.
//!
//! Keys are redb tuples of texts, which redb compares part by part and byte by byte: `(pk, sk)` needs no
//! encoding of ours, and no partition can be confused with another. A commit is one write transaction and
//! one fsync.

mod audit;
mod bounds;
mod row;

use crate::database::{Db, Done, Fault, Origin};
use crate::error::OpenError;
use crate::lock::Lock;
use async_trait::async_trait;
use bounds::{earlier, ends, is_empty, later, next};
use jiff::Timestamp;
use plumbline_ports::records::{MAX_PAGE_BYTES, check_key};
use plumbline_ports::{
    Action, Batch, CommitError, Index, IndexPosition, IndexQuery, Key, Page, PortError, Query,
    Record, Records,
};
use redb::{Durability, ReadableTable, Table, TableDefinition, WriteTransaction};
use row::{decode, encode};
use std::ops::Bound;
use std::path::Path;
use std::sync::Arc;

/// What redb may keep in memory.
const CACHE_BYTES: usize = 32 * 1024 * 1024;
/// How long an expired row is kept besides, so that a clock that runs ahead takes nothing away early.
const SWEEP_GRACE_SECONDS: i64 = 3_600;
/// How many rows one transaction of a sweep takes away.
const SWEEP_ROWS: usize = 1_000;

type RowKey<'k> = (&'k str, &'k str);
/// Partition and sort key of the index, then the row's own key.
type PlaceKey<'k> = (&'k str, &'k str, &'k str, &'k str);
type ExpiryKey<'k> = (i64, &'k str, &'k str);

const ROWS: TableDefinition<'static, RowKey<'static>, &[u8]> = TableDefinition::new("rows");
const FINDINGS: TableDefinition<'static, PlaceKey<'static>, ()> = TableDefinition::new("findings");
const TENANTS: TableDefinition<'static, PlaceKey<'static>, ()> = TableDefinition::new("tenants");
const EXPIRY: TableDefinition<'static, ExpiryKey<'static>, ()> = TableDefinition::new("expiry");

fn index_table(index: Index) -> TableDefinition<'static, PlaceKey<'static>, ()> {
    match index {
        Index::Findings => FINDINGS,
        Index::Tenants => TENANTS,
    }
}

/// Records in a redb file.
pub struct LocalRecords {
    db: Db,
    _lock: Arc<Lock>,
}

impl LocalRecords {
    /// Opens the file, or makes it.
    pub(crate) fn open(path: &Path, origin: Origin, lock: Arc<Lock>) -> Result<Self, OpenError> {
        let db =
            Db::open(path, origin, CACHE_BYTES, |transaction| Tables::open(transaction).map(drop))?;
        Ok(Self { db, _lock: lock })
    }

    /// Takes away rows that expired an hour before `now` or earlier; answers how many. Nothing depends
    /// on it: readers filter.
    ///
    /// # Errors
    /// As [`Records::commit`].
    pub fn sweep(&self, now: Timestamp) -> Result<usize, PortError> {
        const OP: &str = "sweep records";
        let end = now.as_second().saturating_sub(SWEEP_GRACE_SECONDS).saturating_add(1);
        let mut swept = 0;
        loop {
            let round = self.db.write(OP, Durability::Immediate, |transaction| {
                let mut tables = Tables::open(transaction)?;
                let mut keys = Vec::new();
                for entry in
                    tables.expiry.range((i64::MIN, "", "")..(end, "", ""))?.take(SWEEP_ROWS)
                {
                    let (place, _) = entry?;
                    let (_, pk, sk) = place.value();
                    keys.push(Key::new(pk, sk));
                }
                for key in &keys {
                    tables.remove(key)?;
                }
                Ok(if keys.is_empty() { Done::Abort(0) } else { Done::Commit(keys.len()) })
            })?;
            swept += round;
            if round < SWEEP_ROWS {
                return Ok(swept);
            }
        }
    }
}

/// The tables of one write transaction.
struct Tables<'t> {
    rows: Table<'t, RowKey<'static>, &'static [u8]>,
    indexes: [(Index, Table<'t, PlaceKey<'static>, ()>); 2],
    expiry: Table<'t, ExpiryKey<'static>, ()>,
}

impl<'t> Tables<'t> {
    fn open(transaction: &'t WriteTransaction) -> Result<Self, Fault> {
        Ok(Self {
            rows: transaction.open_table(ROWS)?,
            indexes: [
                (Index::Findings, transaction.open_table(FINDINGS)?),
                (Index::Tenants, transaction.open_table(TENANTS)?),
            ],
            expiry: transaction.open_table(EXPIRY)?,
        })
    }

    fn get(&self, key: &Key) -> Result<Option<Record>, Fault> {
        get(&self.rows, key)
    }

    fn put(&mut self, record: &Record) -> Result<(), Fault> {
        self.remove(&record.key)?;
        let (pk, sk) = (record.key.pk.as_str(), record.key.sk.as_str());
        self.rows.insert((pk, sk), encode(record).as_slice())?;
        for index in &record.indexes {
            for (name, table) in &mut self.indexes {
                if *name == index.index {
                    table.insert((index.pk.as_str(), index.sk.as_str(), pk, sk), ())?;
                }
            }
        }
        if let Some(at) = record.expires_at {
            self.expiry.insert((at, pk, sk), ())?;
        }
        Ok(())
    }

    fn remove(&mut self, key: &Key) -> Result<(), Fault> {
        let Some(old) = self.get(key)? else { return Ok(()) };
        let (pk, sk) = (key.pk.as_str(), key.sk.as_str());
        self.rows.remove((pk, sk))?;
        for index in &old.indexes {
            for (name, table) in &mut self.indexes {
                if *name == index.index {
                    table.remove((index.pk.as_str(), index.sk.as_str(), pk, sk))?;
                }
            }
        }
        if let Some(at) = old.expires_at {
            self.expiry.remove((at, pk, sk))?;
        }
        Ok(())
    }
}

fn get(
    rows: &impl ReadableTable<RowKey<'static>, &'static [u8]>,
    key: &Key,
) -> Result<Option<Record>, Fault> {
    match rows.get((key.pk.as_str(), key.sk.as_str()))? {
        Some(found) => Ok(Some(read(key, found.value())?)),
        None => Ok(None),
    }
}

fn read(key: &Key, bytes: &[u8]) -> Result<Record, PortError> {
    decode(key.clone(), bytes)
        .map_err(|reason| PortError::corrupt(format!("the row {key}"), reason))
}

/// Takes rows until one of the limits of a page is reached.
fn page<P>(
    rows: impl Iterator<Item = Result<(P, Record), Fault>>,
    limit: usize,
) -> Result<Page<P>, Fault> {
    let (mut records, mut bytes, mut last) = (Vec::new(), 0, None);
    for row in rows {
        let (position, record) = row?;
        bytes += record.size();
        if records.len() == limit || (bytes > MAX_PAGE_BYTES && last.is_some()) {
            return Ok(Page { records, next: last });
        }
        last = Some(position);
        records.push(record);
    }
    Ok(Page { records, next: None })
}

/// An iterator, the other way round if asked.
fn directed<'i, T>(
    rows: impl DoubleEndedIterator<Item = T> + 'i,
    descending: bool,
) -> Box<dyn Iterator<Item = T> + 'i> {
    if descending { Box::new(rows.rev()) } else { Box::new(rows) }
}

#[async_trait]
impl Records for LocalRecords {
    async fn get(&self, key: &Key) -> Result<Option<Record>, PortError> {
        const OP: &str = "get a record";
        check_key(OP, key)?;
        self.db.read(OP, |transaction| get(&transaction.open_table(ROWS)?, key))
    }

    async fn query(&self, query: &Query) -> Result<Page<String>, PortError> {
        query.check_limits()?;
        let pk = query.pk.as_str();
        let (first, behind) = ends(&query.range);
        let next_pk = next(pk);
        let mut lower = Bound::Included((pk, first.as_str()));
        let mut upper = match &behind {
            Some(behind) => Bound::Excluded((pk, behind.as_str())),
            None => Bound::Excluded((next_pk.as_str(), "")),
        };
        if let Some(after) = &query.after {
            let after = (pk, after.as_str());
            if query.descending {
                upper = earlier(upper, after);
            } else {
                lower = later(lower, after);
            }
        }
        if is_empty(&lower, &upper) {
            return Ok(Page { records: Vec::new(), next: None });
        }
        self.db.read("query records", |transaction| {
            let rows = transaction.open_table(ROWS)?;
            let found = rows.range::<RowKey<'_>>((lower, upper))?.map(|entry| {
                let (key, value) = entry?;
                let (pk, sk) = key.value();
                Ok((sk.to_owned(), read(&Key::new(pk, sk), value.value())?))
            });
            page(directed(found, query.descending), query.limit)
        })
    }

    async fn query_index(&self, query: &IndexQuery) -> Result<Page<IndexPosition>, PortError> {
        query.check_limits()?;
        let pk = query.pk.as_str();
        let (first, behind) = ends(&query.range);
        let next_pk = next(pk);
        let mut lower = Bound::Included((pk, first.as_str(), "", ""));
        let mut upper = match &behind {
            Some(behind) => Bound::Excluded((pk, behind.as_str(), "", "")),
            None => Bound::Excluded((next_pk.as_str(), "", "", "")),
        };
        if let Some(IndexPosition { sk, key }) = &query.after {
            let after = (pk, sk.as_str(), key.pk.as_str(), key.sk.as_str());
            if query.descending {
                upper = earlier(upper, after);
            } else {
                lower = later(lower, after);
            }
        }
        if is_empty(&lower, &upper) {
            return Ok(Page { records: Vec::new(), next: None });
        }
        self.db.read("query records by an index", |transaction| {
            let places = transaction.open_table(index_table(query.index))?;
            let rows = transaction.open_table(ROWS)?;
            let found = places.range::<PlaceKey<'_>>((lower, upper))?.map(|entry| {
                let (place, _) = entry?;
                let (_, order, pk, sk) = place.value();
                let key = Key::new(pk, sk);
                let record = get(&rows, &key)?.ok_or_else(|| {
                    PortError::corrupt(format!("the index entry of {key}"), "there is no such row")
                })?;
                Ok((IndexPosition { sk: order.to_owned(), key }, record))
            });
            page(directed(found, query.descending), query.limit)
        })
    }

    async fn commit(&self, batch: Batch) -> Result<(), CommitError> {
        batch.check_limits()?;
        let failed = self.db.write("commit records", Durability::Immediate, |transaction| {
            let mut tables = Tables::open(transaction)?;
            let mut failed = Vec::new();
            for (place, action) in batch.actions.iter().enumerate() {
                let row = tables.get(action.key())?;
                if !action.condition().holds(row.map(|row| row.revision)) {
                    failed.push(place);
                }
            }
            if !failed.is_empty() {
                return Ok(Done::Abort(failed));
            }
            for action in &batch.actions {
                match action {
                    Action::Put(record, _) => tables.put(record)?,
                    Action::Delete(key, _) => tables.remove(key)?,
                    Action::Check(..) => {}
                }
            }
            Ok(Done::Commit(failed))
        })?;
        if failed.is_empty() { Ok(()) } else { Err(CommitError::Condition { failed }) }
    }
}
