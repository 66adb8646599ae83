//! What the check asks of the records.

use super::{EXPIRY, LocalRecords, ROWS, get, index_table, read};
use crate::check::Problem;
use crate::database::Fault;
use plumbline_ports::{Index, Key, PortError};
use redb::{ReadTransaction, ReadableTable as _};

impl LocalRecords {
    /// Everything that is wrong with the file: pages, rows, index entries without a row and rows without
    /// their index entries.
    pub(crate) fn problems(&self) -> Vec<Problem> {
        let file = self.db.path().display().to_string();
        let mut out = Vec::new();
        if let Some(reason) = self.db.check() {
            out.push(Problem::backup(&file, reason));
        }
        let read = self.db.read("check the records", |transaction| {
            rows(transaction, &mut out)?;
            for index in Index::ALL {
                index_entries(transaction, index, &mut out)?;
            }
            expiry_entries(transaction, &mut out)
        });
        if let Err(error) = read {
            out.push(Problem::backup(&file, error.to_string()));
        }
        out
    }
}

/// Every row can be read and has its entries.
fn rows(transaction: &ReadTransaction, out: &mut Vec<Problem>) -> Result<(), Fault> {
    let expiry = transaction.open_table(EXPIRY)?;
    for entry in transaction.open_table(ROWS)?.iter()? {
        let (key, value) = entry?;
        let (pk, sk) = key.value();
        let record = match read(&Key::new(pk, sk), value.value()) {
            Ok(record) => record,
            Err(error) => {
                let reason = match error {
                    PortError::Corrupt { reason, .. } => reason,
                    other => other.to_string(),
                };
                out.push(Problem::backup(format!("the row {pk} {sk}"), reason));
                continue;
            }
        };
        for index in &record.indexes {
            let place = (index.pk.as_str(), index.sk.as_str(), pk, sk);
            if transaction.open_table(index_table(index.index))?.get(place)?.is_none() {
                out.push(Problem::backup(
                    format!("the row {pk} {sk}"),
                    format!("it has no entry in the index {:?}", index.index),
                ));
            }
        }
        if let Some(at) = record.expires_at
            && expiry.get((at, pk, sk))?.is_none()
        {
            out.push(Problem::backup(format!("the row {pk} {sk}"), "its expiry is not listed"));
        }
    }
    Ok(())
}

/// Every entry of an index has its row.
fn index_entries(
    transaction: &ReadTransaction,
    index: Index,
    out: &mut Vec<Problem>,
) -> Result<(), Fault> {
    let rows = transaction.open_table(ROWS)?;
    for entry in transaction.open_table(index_table(index))?.iter()? {
        let (place, _) = entry?;
        let (partition, order, pk, sk) = place.value();
        // A row that cannot be read was named before.
        let Ok(record) = get(&rows, &Key::new(pk, sk)) else { continue };
        let named = record.is_some_and(|record| {
            record
                .indexes
                .iter()
                .any(|key| key.index == index && key.pk == partition && key.sk == order)
        });
        if !named {
            out.push(Problem::backup(
                format!("the entry {partition} {order} of the index {index:?}"),
                format!("the row {pk} {sk} does not name it"),
            ));
        }
    }
    Ok(())
}

/// Every listed expiry has its row.
fn expiry_entries(transaction: &ReadTransaction, out: &mut Vec<Problem>) -> Result<(), Fault> {
    let rows = transaction.open_table(ROWS)?;
    for entry in transaction.open_table(EXPIRY)?.iter()? {
        let (place, _) = entry?;
        let (at, pk, sk) = place.value();
        let Ok(record) = get(&rows, &Key::new(pk, sk)) else { continue };
        if record.is_none_or(|record| record.expires_at != Some(at)) {
            out.push(Problem::backup(
                format!("the listed expiry {at}"),
                format!("the row {pk} {sk} does not have it"),
            ));
        }
    }
    Ok(())
}
