//! Names: how they are compared, and what of a name is only a version.

use caseless::Caseless as _;
use regex::Regex;
use std::sync::LazyLock;
use unicode_normalization::{UnicodeNormalization as _, is_nfc};

/// Returns the text in Unicode normal form C.
#[must_use]
pub fn composed(text: &str) -> String {
    if text.is_ascii() || is_nfc(text) { text.to_owned() } else { text.nfc().collect() }
}

/// Folds a name for comparison: composed, trimmed, inner white space to one, case folded.
#[must_use]
pub fn fold(name: &str) -> String {
    let spaced = name.split_whitespace().collect::<Vec<_>>().join(" ");
    if spaced.is_ascii() {
        spaced.to_ascii_lowercase()
    } else {
        spaced.nfc().default_case_fold().nfc().collect()
    }
}

#[expect(clippy::expect_used, reason = "a constant pattern; a test builds it")]
static VERSION: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r" - v\d+(?:\.\d+)*$").expect("a pattern"));

/// Strips a version at the end, such as ` - v3.1`, from a folded name. A name that is only a suffix
/// stays whole.
#[must_use]
pub fn base(folded: &str) -> &str {
    match VERSION.find(folded) {
        Some(found) if found.start() > 0 => &folded[..found.start()],
        _ => folded,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fold() {
        assert_eq!(fold("  Win -  LAPS\t- v3.1 "), "win - laps - v3.1");
        assert_eq!(fold("STRASSE"), fold("Straße"));
        assert_eq!(fold("Zu\u{308}rich"), fold("ZÜRICH"));
        assert_eq!(fold("a\u{a0}b"), "a b");
    }

    #[test]
    fn versions_are_suffixes_only() {
        assert_eq!(base("win - laps - v3.1"), "win - laps");
        assert_eq!(base("win - laps - v3.1.2 - v4"), "win - laps - v3.1.2");
        assert_eq!(base("win - v3 - laps"), "win - v3 - laps");
        assert_eq!(base("security - v3.0 (deprecated)"), "security - v3.0 (deprecated)");
        assert_eq!(base(" - v1"), " - v1");
    }
}
