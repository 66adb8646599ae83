//! The ends of a range of keys. Keys are tuples of texts in the order of their bytes, so an end is a text
//! too: the one that follows directly, or the first behind all that begin alike.

use plumbline_ports::Range;
use std::ops::Bound;

/// Where the sort keys of a range begin, and the first text behind them; `None` when nothing is behind
/// them but the end of the partition.
pub(super) fn ends(range: &Range) -> (String, Option<String>) {
    match range {
        Range::All => (String::new(), None),
        Range::Prefix(prefix) => (prefix.clone(), behind_all(prefix)),
        Range::Between(first, last) => (first.clone(), Some(next(last))),
    }
}

/// The text that follows directly in the order of bytes.
pub(super) fn next(text: &str) -> String {
    format!("{text}\0")
}

/// The first text behind all that begin with a prefix. Texts are in the order of their code points, which
/// is the order of their bytes.
fn behind_all(prefix: &str) -> Option<String> {
    let mut out: Vec<char> = prefix.chars().collect();
    while let Some(last) = out.pop() {
        let after = match last {
            char::MAX => continue,
            // Between these lie the surrogates, which are no characters.
            '\u{d7ff}' => '\u{e000}',
            other => char::from_u32(u32::from(other) + 1)?,
        };
        out.push(after);
        return Some(out.into_iter().collect());
    }
    None
}

/// The upper bound that ends before a place as well.
pub(super) fn earlier<T: PartialOrd>(upper: Bound<T>, place: T) -> Bound<T> {
    match upper {
        Bound::Excluded(end) if end <= place => Bound::Excluded(end),
        _ => Bound::Excluded(place),
    }
}

/// The lower bound that begins behind a place as well.
pub(super) fn later<T: PartialOrd>(lower: Bound<T>, place: T) -> Bound<T> {
    match lower {
        Bound::Included(start) if start > place => Bound::Included(start),
        _ => Bound::Excluded(place),
    }
}

/// Whether bounds hold nothing because they are the wrong way round.
pub(super) fn is_empty<T: PartialOrd>(lower: &Bound<T>, upper: &Bound<T>) -> bool {
    match (lower, upper) {
        (Bound::Included(lower), Bound::Included(upper)) => lower > upper,
        (
            Bound::Included(lower) | Bound::Excluded(lower),
            Bound::Included(upper) | Bound::Excluded(upper),
        ) => lower >= upper,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_prefix() {
        for (prefix, end) in [
            ("", None),
            ("a", Some("b")),
            ("A#", Some("A$")),
            ("\u{7f}", Some("\u{80}")),
            ("é", Some("ê")),
            ("\u{d7ff}", Some("\u{e000}")),
            ("\u{ffff}", Some("\u{10000}")),
            ("a\u{10ffff}", Some("b")),
            ("\u{10ffff}\u{10ffff}", None),
        ] {
            assert_eq!(behind_all(prefix).as_deref(), end, "{prefix:?}");
        }
    }
}
