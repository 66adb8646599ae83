//! Compression of rows and frames. Each thread keeps its tools: to make one asks the processor what it can
//! do, which a virtual machine answers slowly, far slower than it unpacks a row. A list reads hundreds.

use crate::archive::LEVEL;
use std::cell::RefCell;
use std::io;
use std::thread::LocalKey;
use zstd::bulk::{Compressor, Decompressor};

/// What rows have in common: member names and words that most of them hold.
const DICTIONARY: &[u8] = include_bytes!("repository/dictionary-1.json");
/// A kept tool keeps the room for the largest that it packed; what is larger than this has one of its own.
const KEPT_UP_TO: usize = 256 * 1024;

type Kept<T> = RefCell<Option<T>>;

thread_local! {
    static PACK_ROW: Kept<Compressor<'static>> = const { RefCell::new(None) };
    static UNPACK_ROW: Kept<Decompressor<'static>> = const { RefCell::new(None) };
    static PACK_FRAME: Kept<Compressor<'static>> = const { RefCell::new(None) };
    static UNPACK_FRAME: Kept<Decompressor<'static>> = const { RefCell::new(None) };
}

/// Works with a tool of this thread. One that failed is not used again.
fn with<T, R>(
    kept: &'static LocalKey<Kept<T>>,
    make: impl FnOnce() -> io::Result<T>,
    work: impl FnOnce(&mut T) -> io::Result<R>,
) -> io::Result<R> {
    kept.with_borrow_mut(|kept| {
        let tool = match kept {
            Some(tool) => tool,
            None => kept.insert(make()?),
        };
        let worked = work(tool);
        if worked.is_err() {
            *kept = None;
        }
        worked
    })
}

/// Packs the body of a row.
pub(crate) fn pack_row(body: &[u8]) -> io::Result<Vec<u8>> {
    let make = || Compressor::with_dictionary(LEVEL, DICTIONARY);
    if body.len() > KEPT_UP_TO {
        return make()?.compress(body);
    }
    with(&PACK_ROW, make, |tool| tool.compress(body))
}

/// Unpacks the body of a row that says how large it is.
pub(crate) fn unpack_row(packed: &[u8], size: usize) -> io::Result<Vec<u8>> {
    let make = || Decompressor::with_dictionary(DICTIONARY);
    with(&UNPACK_ROW, make, |tool| tool.decompress(packed, size))
}

/// Packs a frame.
pub(crate) fn pack_frame(bytes: &[u8]) -> io::Result<Vec<u8>> {
    if bytes.len() > KEPT_UP_TO {
        return zstd::bulk::compress(bytes, LEVEL);
    }
    with(&PACK_FRAME, || Compressor::new(LEVEL), |tool| tool.compress(bytes))
}

/// Unpacks a frame that says how large it is.
pub(crate) fn unpack_frame(packed: &[u8], size: usize) -> io::Result<Vec<u8>> {
    with(&UNPACK_FRAME, Decompressor::new, |tool| tool.decompress(packed, size))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is packed is named by its digest: it must not depend on what the tool packed before.
    #[test]
    fn a_tool_that_is_used_again_packs_and_unpacks_as_a_new_one() {
        for round in 0..200_usize {
            let text =
                format!("{{\"status\":\"new\",\"number\":{round}}}").repeat(1 + round * 37 % 900);
            let text = text.as_bytes();
            let new =
                Compressor::with_dictionary(LEVEL, DICTIONARY).unwrap().compress(text).unwrap();
            let row = pack_row(text).unwrap();
            assert_eq!(row, new, "{round}");
            assert_eq!(unpack_row(&row, text.len()).unwrap(), text);
            let frame = pack_frame(text).unwrap();
            assert_eq!(frame, zstd::bulk::compress(text, LEVEL).unwrap(), "{round}");
            assert_eq!(unpack_frame(&frame, text.len()).unwrap(), text);
            // Damage is said, and the next is unpacked all the same.
            assert!(unpack_row(&row[..row.len() / 2], text.len()).is_err());
            assert!(unpack_frame(&frame[..frame.len() / 2], text.len()).is_err());
        }
    }
}
