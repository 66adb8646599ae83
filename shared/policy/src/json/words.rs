//! Eight bytes looked at in one step.

/// A one in each of eight bytes.
pub(super) const ONES: u64 = u64::from_ne_bytes([1; 8]);

/// Marks the first ASCII byte of a word that is less than `least` by its high bit; zero if there is none.
/// Bits behind the first mean nothing.
#[inline]
pub(super) fn first_below(word: u64, least: u8) -> u64 {
    // The subtraction sets the high bit of a byte that is too small; a byte that had it is no ASCII.
    word.wrapping_sub(ONES * u64::from(least)) & !word & (ONES << 7)
}

/// Counts the bytes before the first one that JSON escapes: a quote, a backslash or a control character.
#[inline]
pub(super) fn plain_bytes(bytes: &[u8]) -> usize {
    let (words, rest) = bytes.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let found = first_escape(*word);
        if found != 0 {
            return index * 8 + found.trailing_zeros() as usize / 8;
        }
    }
    if bytes.last_chunk::<8>().is_some_and(|last| first_escape(*last) == 0) {
        return bytes.len();
    }
    words.len() * 8 + rest.iter().take_while(|byte| !matches!(byte, b'"' | b'\\' | 0..0x20)).count()
}

#[inline]
fn first_escape(word: [u8; 8]) -> u64 {
    let word = u64::from_le_bytes(word);
    // With one bit turned, the quote lies next to the control characters.
    first_below(word ^ (ONES * 2), 0x21) | first_below(word ^ (ONES * u64::from(b'\\')), 1)
}
