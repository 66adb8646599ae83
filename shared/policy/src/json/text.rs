//! From bytes to text: exporters write UTF-8, UTF-8 with a byte order mark, and UTF-16.

use std::borrow::Cow;

/// Why a file's bytes are no text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// A byte sequence that is no UTF-8.
    #[error(
        "byte {offset} is not valid UTF-8; export the file again as UTF-8, or as UTF-16 with a byte order mark"
    )]
    Utf8 {
        /// Bytes before the first invalid one.
        offset: usize,
    },
    /// An odd number of bytes, or half of a surrogate pair.
    #[error("byte {offset} is not valid UTF-16; the file is cut off or damaged, export it again")]
    Utf16 {
        /// Bytes before the first invalid unit.
        offset: usize,
    },
}

/// Decodes the bytes of a file. UTF-16 is recognised by its byte order mark, or by the zero byte that
/// one of the first two bytes of a JSON document then is.
///
/// # Errors
/// Names the first byte that does not belong to the encoding.
pub fn to_text(bytes: &[u8]) -> Result<Cow<'_, str>, TextError> {
    match bytes {
        [0xEF, 0xBB, 0xBF, rest @ ..] => utf8(rest, 3),
        [0xFF, 0xFE, rest @ ..] => utf16(rest, 2, u16::from_le_bytes),
        [0xFE, 0xFF, rest @ ..] => utf16(rest, 2, u16::from_be_bytes),
        [first, 0, ..] if *first != 0 => utf16(bytes, 0, u16::from_le_bytes),
        [0, second, ..] if *second != 0 => utf16(bytes, 0, u16::from_be_bytes),
        _ => utf8(bytes, 0),
    }
}

fn utf8(bytes: &[u8], skipped: usize) -> Result<Cow<'_, str>, TextError> {
    std::str::from_utf8(bytes)
        .map(Cow::Borrowed)
        .map_err(|error| TextError::Utf8 { offset: skipped + error.valid_up_to() })
}

fn utf16(
    bytes: &[u8],
    skipped: usize,
    unit: fn([u8; 2]) -> u16,
) -> Result<Cow<'_, str>, TextError> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    if !rest.is_empty() {
        return Err(TextError::Utf16 { offset: skipped + bytes.len() - 1 });
    }
    let mut text = String::with_capacity(bytes.len() / 2);
    let mut offset = skipped;
    for character in char::decode_utf16(pairs.iter().map(|pair| unit(*pair))) {
        let character = character.map_err(|_| TextError::Utf16 { offset })?;
        offset += 2 * character.len_utf16();
        text.push(character);
    }
    Ok(Cow::Owned(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_encoding_gives_the_same_text() {
        let text = "{\"name\":\"Zürich 🔒\"}";
        let le: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let be: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        let with = |mark: &[u8], body: &[u8]| [mark, body].concat();
        for bytes in [
            text.as_bytes().to_vec(),
            with(&[0xEF, 0xBB, 0xBF], text.as_bytes()),
            with(&[0xFF, 0xFE], &le),
            with(&[0xFE, 0xFF], &be),
            le.clone(),
            be.clone(),
        ] {
            assert_eq!(to_text(&bytes).unwrap(), text);
        }
    }

    #[test]
    fn damaged_text_names_the_byte() {
        assert_eq!(to_text(b"{\"a\":\"\xff\"}"), Err(TextError::Utf8 { offset: 6 }));
        assert_eq!(to_text(&[0xFF, 0xFE, b'{', 0, b'}']), Err(TextError::Utf16 { offset: 4 }));
        assert_eq!(
            to_text(&[0xFF, 0xFE, b'{', 0, 0x00, 0xD8, b'}', 0]),
            Err(TextError::Utf16 { offset: 4 })
        );
    }
}
