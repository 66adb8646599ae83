//! Records in memory.

use super::lock;
use async_trait::async_trait;
use plumbline_ports::records::{MAX_PAGE_BYTES, check_key};
use plumbline_ports::{
    Action, Batch, CommitError, Index, IndexPosition, IndexQuery, Key, Page, PortError, Query,
    Record, Records,
};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Mutex;

/// Rows in a map, and their places in the indexes.
#[derive(Debug, Default)]
pub struct MemoryRecords(Mutex<Tables>);

#[derive(Debug, Default)]
struct Tables {
    rows: BTreeMap<Key, Record>,
    places: BTreeSet<Place>,
}

/// Index, its partition, then the place in its order.
type Place = (Index, String, IndexPosition);

impl MemoryRecords {
    /// Every row, in order; for comparing two stores whole.
    #[must_use]
    pub fn dump(&self) -> Vec<Record> {
        lock(&self.0).rows.values().cloned().collect()
    }

    /// Takes away the rows that expired at or before a time, in seconds since 1970.
    pub fn sweep(&self, now: i64) {
        let mut tables = lock(&self.0);
        let gone = |record: &&Record| record.expires_at.is_some_and(|at| at <= now);
        let keys: Vec<Key> =
            tables.rows.values().filter(gone).map(|record| record.key.clone()).collect();
        for key in &keys {
            tables.remove(key);
        }
    }
}

impl Tables {
    fn put(&mut self, record: Record) {
        self.remove(&record.key);
        self.places.extend(places(&record));
        self.rows.insert(record.key.clone(), record);
    }

    fn remove(&mut self, key: &Key) {
        if let Some(old) = self.rows.remove(key) {
            for place in places(&old) {
                self.places.remove(&place);
            }
        }
    }
}

fn places(record: &Record) -> impl Iterator<Item = Place> {
    record.indexes.iter().map(|index| {
        let position = IndexPosition { sk: index.sk.clone(), key: record.key.clone() };
        (index.index, index.pk.clone(), position)
    })
}

/// Takes rows until one of the limits of a page is reached.
fn page<'r, P>(
    rows: impl Iterator<Item = &'r Record>,
    limit: usize,
    position: impl Fn(&Record) -> P,
) -> Page<P> {
    let (mut records, mut bytes) = (Vec::<Record>::new(), 0);
    for row in rows {
        bytes += row.size();
        if records.len() == limit || (bytes > MAX_PAGE_BYTES && !records.is_empty()) {
            let next = records.last().map(position);
            return Page { records, next };
        }
        records.push(row.clone());
    }
    Page { records, next: None }
}

#[async_trait]
impl Records for MemoryRecords {
    async fn get(&self, key: &Key) -> Result<Option<Record>, PortError> {
        check_key("get a record", key)?;
        Ok(lock(&self.0).rows.get(key).cloned())
    }

    async fn query(&self, query: &Query) -> Result<Page<String>, PortError> {
        query.check_limits()?;
        let tables = lock(&self.0);
        let first = Key::new(query.pk.clone(), "");
        // The partition that follows directly.
        let behind = Key::new(format!("{}\0", query.pk), "");
        let rows = tables
            .rows
            .range((Bound::Included(first), Bound::Excluded(behind)))
            .map(|(_, row)| row)
            .filter(|row| query.range.holds(&row.key.sk));
        let behind = |row: &&Record| match &query.after {
            Some(after) if query.descending => row.key.sk < *after,
            Some(after) => row.key.sk > *after,
            None => true,
        };
        let position = |row: &Record| row.key.sk.clone();
        Ok(if query.descending {
            page(rows.filter(behind).rev(), query.limit, position)
        } else {
            page(rows.filter(behind), query.limit, position)
        })
    }

    async fn query_index(&self, query: &IndexQuery) -> Result<Page<IndexPosition>, PortError> {
        query.check_limits()?;
        let tables = lock(&self.0);
        let first = IndexPosition { sk: String::new(), key: Key::new("", "") };
        let behind = |position: &IndexPosition| match &query.after {
            Some(after) if query.descending => position < after,
            Some(after) => position > after,
            None => true,
        };
        let first = (query.index, query.pk.clone(), first);
        let rows = tables
            .places
            .range((Bound::Included(first), Bound::Unbounded))
            .take_while(|(index, pk, _)| *index == query.index && *pk == query.pk)
            .map(|(_, _, position)| position)
            .filter(|position| query.range.holds(&position.sk) && behind(position))
            .filter_map(|position| tables.rows.get(&position.key));
        let position = |row: &Record| {
            let place = row.indexes.iter().find(|key| key.index == query.index);
            let sk = place.map_or_else(String::new, |key| key.sk.clone());
            IndexPosition { sk, key: row.key.clone() }
        };
        let rows: Vec<&Record> = rows.collect();
        Ok(if query.descending {
            page(rows.into_iter().rev(), query.limit, position)
        } else {
            page(rows.into_iter(), query.limit, position)
        })
    }

    async fn commit(&self, batch: Batch) -> Result<(), CommitError> {
        batch.check_limits()?;
        let mut tables = lock(&self.0);
        let holds = |action: &Action| {
            action.condition().holds(tables.rows.get(action.key()).map(|row| row.revision))
        };
        let failed: Vec<usize> = batch
            .actions
            .iter()
            .enumerate()
            .filter(|(_, action)| !holds(action))
            .map(|(place, _)| place)
            .collect();
        if !failed.is_empty() {
            return Err(CommitError::Condition { failed });
        }
        for action in batch.actions {
            match action {
                Action::Put(record, _) => tables.put(record),
                Action::Delete(key, _) => tables.remove(&key),
                Action::Check(..) => {}
            }
        }
        Ok(())
    }
}
