//! A record as an item: `pk`, `sk`, `body`, `rev`, `ttl`, and for each index a partition (`fpk`, `tpk`)
//! and a place (`fsk`, `tsk`).
//!
//! An index of `DynamoDB` takes several items with one sort key and gives them in no order. A place is
//! therefore the sort key of the index and the row's own key, joined by NUL, which stands in no key and
//! before every sign: places are in the order that the port promises, and each is one row's.

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use plumbline_ports::{Index, IndexKey, IndexPosition, Key, PortError, Record};
use std::collections::HashMap;

pub(super) type Item = HashMap<String, AttributeValue>;

pub(super) const PK: &str = "pk";
pub(super) const SK: &str = "sk";
pub(super) const REVISION: &str = "rev";
const BODY: &str = "body";
const EXPIRY: &str = "ttl";

/// What parts the sort key of an index from the row's own key.
const PART: char = '\0';

/// An index as the table knows it.
pub(super) struct IndexNames {
    pub(super) index: &'static str,
    pub(super) pk: &'static str,
    pub(super) sk: &'static str,
}

pub(super) fn names(index: Index) -> IndexNames {
    match index {
        Index::Findings => IndexNames { index: "Findings", pk: "fpk", sk: "fsk" },
        Index::Tenants => IndexNames { index: "Tenants", pk: "tpk", sk: "tsk" },
    }
}

pub(super) fn text(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

pub(super) fn number(number: &impl ToString) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

/// The key of a row.
pub(super) fn key(key: &Key) -> Item {
    HashMap::from([(PK.to_owned(), text(&key.pk)), (SK.to_owned(), text(&key.sk))])
}

/// A place in an index.
pub(super) fn place(sk: &str, key: &Key) -> String {
    format!("{sk}{PART}{}{PART}{}", key.pk, key.sk)
}

/// The key of a place in an index, as a question goes on behind it.
pub(super) fn position(index: Index, pk: &str, position: &IndexPosition) -> Item {
    let names = names(index);
    let mut item = key(&position.key);
    item.insert(names.pk.to_owned(), text(pk));
    item.insert(names.sk.to_owned(), text(place(&position.sk, &position.key)));
    item
}

/// A record as an item.
pub(super) fn encode(record: Record) -> Item {
    let mut item = key(&record.key);
    for index in &record.indexes {
        let names = names(index.index);
        item.insert(names.pk.to_owned(), text(&index.pk));
        item.insert(names.sk.to_owned(), text(place(&index.sk, &record.key)));
    }
    if let Some(at) = record.expires_at {
        item.insert(EXPIRY.to_owned(), number(&at));
    }
    item.insert(REVISION.to_owned(), number(&record.revision));
    item.insert(BODY.to_owned(), AttributeValue::B(Blob::new(record.body)));
    item
}

/// An item as a record.
///
/// # Errors
/// [`PortError::Corrupt`] names the row and the attribute that is not as this program writes it.
pub(super) fn decode(mut item: Item) -> Result<Record, PortError> {
    let (pk, sk) = (take_text(&mut item, PK), take_text(&mut item, SK));
    let key = Key::new(pk.unwrap_or_default(), sk.unwrap_or_default());
    let damaged = |name: &str| {
        PortError::corrupt(format!("the row {key}"), format!("its `{name}` cannot be read"))
    };
    let body = match item.remove(BODY) {
        Some(AttributeValue::B(body)) => body.into_inner(),
        _ => return Err(damaged(BODY)),
    };
    let revision = take_number(&mut item, REVISION).ok_or_else(|| damaged(REVISION))?;
    let expires_at = if item.contains_key(EXPIRY) {
        Some(take_number(&mut item, EXPIRY).ok_or_else(|| damaged(EXPIRY))?)
    } else {
        None
    };
    let mut indexes = Vec::new();
    for index in Index::ALL {
        let names = names(index);
        let Some(pk) = take_text(&mut item, names.pk) else { continue };
        let place = take_text(&mut item, names.sk);
        let sk = place.as_deref().and_then(|place| place.split_once(PART));
        let (sk, _) = sk.ok_or_else(|| damaged(names.sk))?;
        indexes.push(IndexKey { index, pk, sk: sk.to_owned() });
    }
    Ok(Record { key, body, revision, indexes, expires_at })
}

fn take_text(item: &mut Item, name: &str) -> Option<String> {
    match item.remove(name) {
        Some(AttributeValue::S(text)) => Some(text),
        _ => None,
    }
}

fn take_number<N: std::str::FromStr>(item: &mut Item, name: &str) -> Option<N> {
    match item.remove(name) {
        Some(AttributeValue::N(number)) => number.parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full() -> Record {
        let place = |index, pk: &str, sk: &str| IndexKey { index, pk: pk.into(), sk: sk.into() };
        Record {
            key: Key::new("WS#wsp_1#TEN#ten_2", "FINDING#é#000001"),
            body: vec![0, 255, 1],
            revision: u64::MAX,
            indexes: vec![
                place(Index::Findings, "WS#wsp_1", "open#0"),
                place(Index::Tenants, "WS#wsp_1", "RUN#1"),
            ],
            expires_at: Some(-7),
        }
    }

    #[test]
    fn a_record_comes_back() {
        let bare = Record { indexes: Vec::new(), expires_at: None, body: Vec::new(), ..full() };
        for record in [full(), bare] {
            assert_eq!(decode(encode(record.clone())), Ok(record));
        }
    }

    /// The port counts what an item weighs, so that nothing it takes is refused by the table.
    #[test]
    fn the_port_weighs_an_item_as_the_table_does() {
        let weight = |value: &AttributeValue| match value {
            AttributeValue::S(text) => text.len(),
            AttributeValue::B(bytes) => bytes.as_ref().len(),
            AttributeValue::N(number) => {
                let digits = number.trim_start_matches('-');
                1 + digits.len().div_ceil(2) + (number.len() - digits.len())
            }
            other => panic!("{other:?}"),
        };
        for revision in [0, 1, 10, 101, u64::MAX] {
            for expires_at in [None, Some(-7), Some(4_102_444_800)] {
                for places in 0..=2 {
                    let indexes = full().indexes[..places].to_vec();
                    let record = Record { revision, expires_at, indexes, ..full() };
                    let item = encode(record.clone());
                    let weight: usize =
                        item.iter().map(|(name, value)| name.len() + weight(value)).sum();
                    assert_eq!(record.size(), weight, "{record:?}");
                }
            }
        }
    }

    #[test]
    fn damaged_items_are_named() {
        for name in [BODY, REVISION, EXPIRY, "fsk"] {
            let mut item = encode(full());
            item.insert(name.to_owned(), AttributeValue::Bool(true));
            let told = decode(item).unwrap_err().to_string();
            assert!(told.contains("WS#wsp_1#TEN#ten_2 FINDING#é#000001"), "{told}");
            assert!(told.contains(&format!("`{name}`")), "{told}");
        }
        let mut item = encode(full());
        item.insert("tsk".to_owned(), text("without its row"));
        assert!(matches!(decode(item), Err(PortError::Corrupt { .. })));
    }

    #[test]
    fn places_are_in_the_order_of_index_keys_then_rows() {
        let texts = ["\u{1}", "A", "A\u{1}", "A#", "AB", "é", "\u{10ffff}"];
        let mut all = Vec::new();
        for sk in texts {
            for pk in texts {
                all.extend(texts.map(|own| (sk, Key::new(pk, own))));
            }
        }
        all.sort();
        let places: Vec<String> = all.iter().map(|(sk, key)| place(sk, key)).collect();
        assert!(places.is_sorted());
    }
}
