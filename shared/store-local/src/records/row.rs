//! How a row stands in the database.
//!
//! Four bytes of version and flags, the revision, the expiry, the index keys, the body, and a checksum
//! over all that and the row's key: bytes that changed on disk, or that belong to another row, are seen.

use plumbline_policy::digest::Digest;
use plumbline_ports::{Index, IndexKey, Key, Record};

/// The first byte of every row.
const VERSION: u8 = 1;
/// How many bytes of the digest stand behind a row.
const CHECKSUM_BYTES: usize = 8;

/// The byte of an index; never given to another.
pub(super) fn index_number(index: Index) -> u8 {
    match index {
        Index::Findings => 1,
        Index::Tenants => 2,
    }
}

/// Writes a row.
pub(super) fn encode(record: &Record) -> Vec<u8> {
    let mut out = Vec::with_capacity(record.size() + record.key.pk.len() + record.key.sk.len());
    out.push(VERSION);
    out.extend(record.revision.to_le_bytes());
    out.push(u8::from(record.expires_at.is_some()));
    out.extend(record.expires_at.unwrap_or(0).to_le_bytes());
    out.push(u8::try_from(record.indexes.len()).unwrap_or(u8::MAX));
    for index in &record.indexes {
        out.push(index_number(index.index));
        put_text(&mut out, &index.pk);
        put_text(&mut out, &index.sk);
    }
    out.extend(&record.body);
    let sum = checksum(&record.key, &mut out);
    out.extend(sum);
    out
}

/// Reads a row; says what is wrong with it otherwise.
pub(super) fn decode(key: Key, bytes: &[u8]) -> Result<Record, &'static str> {
    let (content, sum) = bytes.split_last_chunk::<CHECKSUM_BYTES>().ok_or("it is cut short")?;
    if checksum(&key, &mut content.to_vec()) != *sum {
        return Err("its checksum does not hold");
    }
    parse(key, content).ok_or("it is in a form this program does not know")
}

fn parse(key: Key, content: &[u8]) -> Option<Record> {
    let mut reader = Reader(content);
    if reader.byte()? != VERSION {
        return None;
    }
    let revision = u64::from_le_bytes(reader.take()?);
    let expires = match reader.byte()? {
        0 => false,
        1 => true,
        _ => return None,
    };
    let at = i64::from_le_bytes(reader.take()?);
    let mut indexes = Vec::new();
    for _ in 0..reader.byte()? {
        let number = reader.byte()?;
        let index = Index::ALL.into_iter().find(|index| index_number(*index) == number)?;
        indexes.push(IndexKey { index, pk: reader.text()?, sk: reader.text()? });
    }
    let expires_at = expires.then_some(at);
    Some(Record { key, body: reader.0.to_vec(), revision, indexes, expires_at })
}

/// The checksum of a row's content; the key is put behind the content for a moment.
fn checksum(key: &Key, content: &mut Vec<u8>) -> [u8; CHECKSUM_BYTES] {
    let length = content.len();
    content.extend((key.sk.len() as u64).to_le_bytes());
    content.extend(key.sk.as_bytes());
    content.extend(key.pk.as_bytes());
    let digest = Digest::of(content);
    content.truncate(length);
    let mut out = [0; CHECKSUM_BYTES];
    out.copy_from_slice(&digest.as_bytes()[..CHECKSUM_BYTES]);
    out
}

/// Keys are checked to be far shorter than 65,536 bytes before they are written.
fn put_text(out: &mut Vec<u8>, text: &str) {
    out.extend(u16::try_from(text.len()).unwrap_or(u16::MAX).to_le_bytes());
    out.extend(text.as_bytes());
}

struct Reader<'b>(&'b [u8]);

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*taken)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take::<1>().map(|[byte]| byte)
    }

    fn text(&mut self) -> Option<String> {
        let length = usize::from(u16::from_le_bytes(self.take()?));
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        String::from_utf8(taken.to_vec()).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> Record {
        Record {
            key: Key::new("WS#1", "FINDING#ä"),
            body: b"{}".to_vec(),
            revision: 7,
            indexes: vec![
                IndexKey { index: Index::Tenants, pk: "p".into(), sk: "s".into() },
                IndexKey { index: Index::Findings, pk: "é".into(), sk: "z".into() },
            ],
            expires_at: Some(-3),
        }
    }

    #[test]
    fn a_row_comes_back() {
        let record = record();
        assert_eq!(decode(record.key.clone(), &encode(&record)), Ok(record.clone()));
        let plain = Record { indexes: Vec::new(), expires_at: None, body: Vec::new(), ..record };
        assert_eq!(decode(plain.key.clone(), &encode(&plain)), Ok(plain));
    }

    #[test]
    fn every_changed_byte_and_every_cut_is_seen() {
        let bytes = encode(&record());
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 0x10;
            assert!(decode(record().key, &changed).is_err(), "byte {at}");
            assert!(decode(record().key, &bytes[..at]).is_err(), "cut at {at}");
        }
    }

    #[test]
    fn another_rows_bytes_are_seen() {
        let bytes = encode(&record());
        let other = Key::new("WS#1F", "INDING#ä");
        assert_eq!(decode(other, &bytes), Err("its checksum does not hold"));
    }

    #[test]
    fn an_unknown_form_with_a_right_checksum_is_refused() {
        let key = record().key;
        let seal = |mut content: Vec<u8>| {
            let sum = checksum(&key, &mut content);
            content.extend(sum);
            content
        };
        let mut newer = encode(&record());
        newer.truncate(newer.len() - CHECKSUM_BYTES);
        newer[0] = 2;
        for content in [newer, vec![], vec![1], vec![1; 18]] {
            let said = decode(key.clone(), &seal(content));
            assert_eq!(said, Err("it is in a form this program does not know"));
        }
    }
}
