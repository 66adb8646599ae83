//! The limits of records, and what a record weighs against them.
//!
//! They are those of `DynamoDB`, and a record weighs what its item weighs there: the names of its
//! attributes (`pk`, `sk`, `body`, `rev`, `ttl`, and two of three letters an index), its texts, its body,
//! and a byte for every two digits of a number. `DynamoDB` takes several rows with one sort key in an index
//! and does not say in which order it gives them; an adapter there keeps the sort key, the row's own key
//! behind it, as one text. What fits here fits there.

use super::{Action, Batch, IndexQuery, Key, Query, Range, Record};
use crate::PortError;

/// The most actions in one batch.
pub const MAX_BATCH_ACTIONS: usize = 100;
/// The most bytes in one batch.
pub const MAX_BATCH_BYTES: usize = 4 * 1024 * 1024;
/// The most bytes of one record, keys and index keys included.
pub const MAX_RECORD_BYTES: usize = 400 * 1024;
/// A page ends before it passes this many bytes.
pub const MAX_PAGE_BYTES: usize = 1024 * 1024;
/// The most bytes of a partition key.
pub const MAX_PK_BYTES: usize = 2_048;
/// The most bytes of a sort key.
pub const MAX_SK_BYTES: usize = 1_024;
/// The most bytes of a sort key in an index and of the row's own key together.
pub const MAX_INDEX_BYTES: usize = MAX_SK_BYTES - 2;

/// The most bytes of a sort key in an index: its row's own key has two parts, and none is empty.
const MAX_INDEX_SK_BYTES: usize = MAX_INDEX_BYTES - 2;

/// `pk`, `sk`, `body`, `rev`.
const NAMES: usize = 2 + 2 + 4 + 3;
/// `ttl`.
const EXPIRY_NAME: usize = 3;
/// Such as `fpk` and `fsk`.
const INDEX_NAMES: usize = 3 + 3;

impl Record {
    /// What the record weighs against [`MAX_RECORD_BYTES`].
    #[must_use]
    pub fn size(&self) -> usize {
        let expiry = self
            .expires_at
            .map_or(0, |at| EXPIRY_NAME + usize::from(at < 0) + number(at.unsigned_abs()));
        let places = self
            .indexes
            .iter()
            .map(|place| INDEX_NAMES + place.pk.len() + place.sk.len() + self.key.size() + 2);
        NAMES
            + self.key.size()
            + self.body.len()
            + number(self.revision)
            + expiry
            + places.sum::<usize>()
    }
}

/// What a number weighs: a byte for every two digits, and one.
fn number(of: u64) -> usize {
    let digits = of.checked_ilog10().map_or(1, |power| power + 1);
    digits.div_ceil(2) as usize + 1
}

impl Key {
    fn size(&self) -> usize {
        self.pk.len() + self.sk.len()
    }
}

impl Action {
    /// What it weighs against [`MAX_BATCH_BYTES`].
    #[must_use]
    pub fn size(&self) -> usize {
        match self {
            Self::Put(record, _) => record.size(),
            Self::Delete(key, _) | Self::Check(key, _) => key.size(),
        }
    }
}

impl Batch {
    /// What the batch weighs.
    #[must_use]
    pub fn size(&self) -> usize {
        self.actions.iter().map(Action::size).sum()
    }

    /// Checks every limit of the port. Adapters call it before they do anything.
    ///
    /// # Errors
    /// [`PortError::Refused`] names the limit and the row.
    pub fn check_limits(&self) -> Result<(), PortError> {
        const OP: &str = "commit records";
        let refuse = |reason: String| Err(PortError::refused(OP, reason));
        if self.actions.is_empty() {
            return refuse("the batch is empty".to_owned());
        }
        if self.actions.len() > MAX_BATCH_ACTIONS {
            return refuse(format!(
                "{} actions, but a batch takes {MAX_BATCH_ACTIONS}",
                self.actions.len()
            ));
        }
        if self.size() > MAX_BATCH_BYTES {
            return refuse(format!("{} bytes, but a batch takes {MAX_BATCH_BYTES}", self.size()));
        }
        let mut keys: Vec<&Key> = self.actions.iter().map(Action::key).collect();
        keys.sort_unstable();
        let mut neighbours = keys.iter().zip(keys.iter().skip(1));
        if let Some((twice, _)) = neighbours.find(|(one, next)| one == next) {
            return refuse(format!("two actions on one row ({twice})"));
        }
        for action in &self.actions {
            check_key(OP, action.key())?;
            if let Action::Put(record, _) = action {
                check_record(OP, record)?;
            }
        }
        Ok(())
    }
}

fn check_record(op: &'static str, record: &Record) -> Result<(), PortError> {
    let refuse = |reason: String| Err(PortError::refused(op, reason));
    if record.size() > MAX_RECORD_BYTES {
        return refuse(format!(
            "{} weighs {} bytes, but a record takes {MAX_RECORD_BYTES}",
            record.key,
            record.size()
        ));
    }
    for (at, place) in record.indexes.iter().enumerate() {
        check_key(op, &Key::new(place.pk.clone(), place.sk.clone()))?;
        let bytes = place.sk.len() + record.key.size();
        if bytes > MAX_INDEX_BYTES {
            return refuse(format!(
                "{} has {bytes} bytes with its sort key in an index, but an index takes \
                 {MAX_INDEX_BYTES}",
                record.key
            ));
        }
        if record.indexes[..at].iter().any(|other| other.index == place.index) {
            return refuse(format!("{} has two keys for one index", record.key));
        }
    }
    Ok(())
}

/// Checks a key: its lengths, and that no NUL is in it, which parts what an adapter joins.
///
/// # Errors
/// [`PortError::Refused`] when a part is empty, too long or not plain.
pub fn check_key(op: &'static str, key: &Key) -> Result<(), PortError> {
    check_text(op, "partition", &key.pk, MAX_PK_BYTES)?;
    check_text(op, "sort", &key.sk, MAX_SK_BYTES)
}

fn check_text(op: &'static str, part: &str, text: &str, most: usize) -> Result<(), PortError> {
    if text.is_empty() || text.len() > most {
        return Err(PortError::refused(
            op,
            format!("a {part} key has {} bytes, but takes 1 to {most}", text.len()),
        ));
    }
    if text.contains('\0') {
        return Err(PortError::refused(op, format!("a {part} key holds a NUL, which no key may")));
    }
    Ok(())
}

impl Query {
    /// Checks the limits of a query. Adapters call it before they do anything.
    ///
    /// # Errors
    /// [`PortError::Refused`] names the limit.
    pub fn check_limits(&self) -> Result<(), PortError> {
        check_question(&self.pk, &self.range, self.limit, MAX_SK_BYTES)?;
        self.after.as_ref().map_or(Ok(()), |after| check_text(QUERY, "sort", after, MAX_SK_BYTES))
    }
}

impl IndexQuery {
    /// Checks the limits of a query. Adapters call it before they do anything.
    ///
    /// # Errors
    /// [`PortError::Refused`] names the limit.
    pub fn check_limits(&self) -> Result<(), PortError> {
        check_question(&self.pk, &self.range, self.limit, MAX_INDEX_SK_BYTES)?;
        self.after.as_ref().map_or(Ok(()), |after| {
            check_text(QUERY, "sort", &after.sk, MAX_INDEX_SK_BYTES)?;
            check_key(QUERY, &after.key)
        })
    }
}

const QUERY: &str = "query records";

/// Checks what both queries have in common. A range from a later sort key to an earlier one is no
/// error: it holds nothing.
fn check_question(pk: &str, range: &Range, limit: usize, most: usize) -> Result<(), PortError> {
    if limit == 0 {
        return Err(PortError::refused(QUERY, "0 rows, but a query takes at least 1"));
    }
    check_text(QUERY, "partition", pk, MAX_PK_BYTES)?;
    let bounds = match range {
        Range::All => vec![],
        Range::Prefix(prefix) => vec![prefix],
        Range::Between(first, last) => vec![first, last],
    };
    // An empty bound is before every key, which is no error either.
    let mut given = bounds.into_iter().filter(|bound| !bound.is_empty());
    given.try_for_each(|bound| check_text(QUERY, "sort", bound, most))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_weigh_a_byte_for_two_digits_and_one() {
        for (of, bytes) in [(0, 2), (9, 2), (99, 2), (100, 3), (9_999, 3), (u64::MAX, 11)] {
            assert_eq!(number(of), bytes, "{of}");
        }
    }
}
