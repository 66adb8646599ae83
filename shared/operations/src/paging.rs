//! Long lists, a page at a time. A call reads a bounded number of rows, however long the list is: rows
//! that a filter leaves out may make a page short, or empty, and still there is more behind it.
//!
//! A list is made of stretches, one after the other: a range of a partition or of an index. A position
//! names the stretch and the last row that was looked at, so that the next page begins behind it and
//! skips nothing.

use crate::error::OperationError;
use crate::repository::{Row, Stored};
use crate::system::System;
use plumbline_ports::{Index, IndexPosition, IndexQuery, Key, Query, Record};
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;

/// The most items of a page.
pub const MAX_PAGE: usize = 1_000;
/// The most rows that one call reads, whatever its filters leave out.
const MAX_ROWS: usize = 2_000;
/// The most questions that one call puts to the store.
const MAX_QUESTIONS: usize = 64;

/// A part of a long list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// What stands in it; may be empty although there is more.
    pub items: Vec<T>,
    /// Where to go on; `None` at the end.
    pub next: Option<Position>,
}

impl<T> Page<T> {
    /// The page without anything, at the end.
    pub(crate) fn empty() -> Self {
        Self { items: Vec::new(), next: None }
    }
}

/// A place in a list. It says nothing to its holder and holds only for the list that gave it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Position {
    list: String,
    /// The stretch of the list.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    stretch: String,
    /// The last row that was looked at; none: the stretch begins here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    behind: Option<Behind>,
}

/// The row that a page ended with.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct Behind {
    /// Its sort key in the list.
    sk: String,
    /// Its own key, in an index.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key: Option<(String, String)>,
}

impl Position {
    /// A place in a list that is not made of rows, behind what sorts so.
    pub(crate) fn behind(list: &'static str, sk: String) -> Self {
        let behind = Some(Behind { sk, key: None });
        Self { list: list.to_owned(), stretch: String::new(), behind }
    }

    /// What the place is behind of, in a list that is not made of rows.
    pub(crate) fn sk_in(&self, list: &'static str) -> Result<Option<&str>, OperationError> {
        self.check(list)?;
        Ok(self.behind.as_ref().map(|behind| behind.sk.as_str()))
    }

    fn check(&self, list: &'static str) -> Result<(), OperationError> {
        if self.list == list { Ok(()) } else { Err(other_list()) }
    }
}

fn other_list() -> OperationError {
    OperationError::Invalid(
        "the place is none of this list; ask for its first page and go on from there".to_owned(),
    )
}

/// Checks how many items a page is to have.
pub(crate) fn check_limit(limit: usize) -> Result<(), OperationError> {
    if (1..=MAX_PAGE).contains(&limit) {
        return Ok(());
    }
    Err(OperationError::Invalid(format!("a page has 1 to {MAX_PAGE} items, not {limit}")))
}

/// A stretch of a list.
#[derive(Clone, Debug)]
pub(crate) struct Stretch {
    /// Its name; no other stretch of the list has it.
    pub(crate) name: String,
    pub(crate) rows: Rows,
}

/// Where the rows of a stretch stand.
#[derive(Clone, Debug)]
pub(crate) enum Rows {
    /// In a partition, in its order.
    Table(Query),
    /// In an index, in its order.
    Index(IndexQuery),
    /// In a partition, in the order of their places in an index: the parts of the index one after the
    /// other, each from its end. A partition is read whole for that; it is one tenant's.
    Sorted { query: Query, index: Index, parts: Vec<String> },
}

impl Stretch {
    /// A list of one stretch.
    pub(crate) fn only(query: Query) -> Vec<Self> {
        vec![Self { name: String::new(), rows: Rows::Table(query) }]
    }
}

/// What a stretch gave.
struct Found {
    records: Vec<Record>,
    /// How many rows were read for that.
    read: usize,
    /// Where the stretch goes on; a store may say so without a row.
    next: Option<Behind>,
}

fn place_in(record: &Record, index: Index) -> String {
    let place = record.indexes.iter().find(|key| key.index == index);
    place.map_or_else(String::new, |key| key.sk.clone())
}

impl Rows {
    /// Where a page ends that ends with a record.
    fn behind(&self, record: &Record) -> Behind {
        match self {
            Self::Table(_) => Behind { sk: record.key.sk.clone(), key: None },
            Self::Index(IndexQuery { index, .. }) | Self::Sorted { index, .. } => Behind {
                sk: place_in(record, *index),
                key: Some((record.key.pk.clone(), record.key.sk.clone())),
            },
        }
    }
}

fn index_position(behind: &Behind) -> Result<IndexPosition, OperationError> {
    let (pk, sk) = behind.key.clone().ok_or_else(other_list)?;
    Ok(IndexPosition { sk: behind.sk.clone(), key: Key::new(pk, sk) })
}

/// Where a row stands in a sorted stretch; `None` when it is in none of the parts.
fn rank(parts: &[String], sk: &str, key: &Key) -> Option<(usize, Reverse<(String, Key)>)> {
    let part = parts.iter().position(|part| sk.starts_with(part.as_str()))?;
    Some((part, Reverse((sk.to_owned(), key.clone()))))
}

impl System {
    async fn look(
        &self,
        rows: &Rows,
        from: Option<&Behind>,
        ask: usize,
    ) -> Result<Found, OperationError> {
        match rows {
            Rows::Table(query) => {
                let after = from.map(|behind| behind.sk.clone());
                let query = Query { after, limit: ask, ..query.clone() };
                let page = self.ports.records.query(&query).await?;
                let next = page.next.map(|sk| Behind { sk, key: None });
                Ok(Found { read: page.records.len(), records: page.records, next })
            }
            Rows::Index(query) => {
                let after = from.map(index_position).transpose()?;
                let query = IndexQuery { after, limit: ask, ..query.clone() };
                let page = self.ports.records.query_index(&query).await?;
                let behind =
                    |at: IndexPosition| Behind { sk: at.sk, key: Some((at.key.pk, at.key.sk)) };
                let next = page.next.map(behind);
                Ok(Found { read: page.records.len(), records: page.records, next })
            }
            Rows::Sorted { query, index, parts } => {
                let place = |record: &Record| rank(parts, &place_in(record, *index), &record.key);
                let from = from.map(index_position).transpose()?;
                let from = from.and_then(|at| rank(parts, &at.sk, &at.key));
                let mut ranked = Vec::new();
                let all = self.ports.records.query_all(query.clone()).await?;
                let read = all.len();
                for record in all {
                    let Some(rank) = place(&record) else { continue };
                    if from.as_ref().is_none_or(|from| rank > *from) {
                        ranked.push((rank, record));
                    }
                }
                ranked.sort_by(|one, other| one.0.cmp(&other.0));
                let more = ranked.len() > ask;
                let records: Vec<Record> =
                    ranked.into_iter().take(ask).map(|(_, record)| record).collect();
                let next = records.last().filter(|_| more).map(|last| rows.behind(last));
                Ok(Found { records, read, next })
            }
        }
    }

    /// Reads a page of a list. `wanted` looks at a row before it is read, `keep` after.
    pub(crate) async fn walk<R: Row, T>(
        &self,
        list: &'static str,
        stretches: &[Stretch],
        (after, limit): (Option<&Position>, usize),
        wanted: impl Fn(&Record) -> bool + Send + Sync,
        keep: impl Fn(Stored<R>) -> Option<T> + Send + Sync,
    ) -> Result<Page<T>, OperationError> {
        check_limit(limit)?;
        let start = match after {
            Some(position) => {
                position.check(list)?;
                let named = |stretch: &Stretch| stretch.name == position.stretch;
                stretches.iter().position(named).ok_or_else(other_list)?
            }
            None => 0,
        };
        let at = |stretch: &Stretch, behind: Option<Behind>| {
            Some(Position { list: list.to_owned(), stretch: stretch.name.clone(), behind })
        };
        let mut items = Vec::new();
        let (mut rows, mut questions, mut left_out) = (0, 0, false);
        let most = limit.saturating_mul(10).min(MAX_ROWS);
        let mut from = after.and_then(|position| position.behind.clone());
        for (number, stretch) in stretches.iter().enumerate().skip(start) {
            loop {
                if rows >= most || questions >= MAX_QUESTIONS {
                    return Ok(Page { items, next: at(stretch, from) });
                }
                questions += 1;
                let room = limit - items.len();
                // One that finds that rows are left out asks for many at once.
                let ask = if left_out { most - rows } else { room.min(most - rows) };
                let found = self.look(&stretch.rows, from.as_ref(), ask).await?;
                rows += found.read;
                for (nth, record) in found.records.iter().enumerate() {
                    from = Some(stretch.rows.behind(record));
                    let kept = if self.is_expired(record) || !wanted(record) {
                        None
                    } else {
                        keep(self.decode::<R>(record).await?)
                    };
                    let Some(item) = kept else {
                        left_out = true;
                        continue;
                    };
                    items.push(item);
                    if items.len() == limit {
                        let more = if nth + 1 < found.records.len() { from } else { found.next };
                        let next = match more {
                            Some(behind) => at(stretch, Some(behind)),
                            None => stretches.get(number + 1).and_then(|next| at(next, None)),
                        };
                        return Ok(Page { items, next });
                    }
                }
                from = found.next;
                if from.is_none() {
                    break;
                }
            }
        }
        Ok(Page { items, next: None })
    }
}
