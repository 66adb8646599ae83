//! Names and values come from tenants, and whoever may name a policy may try to play tricks with the
//! screen of the one who reads the report. Characters that show nothing, or that move others, are
//! written out.

use plumbline_governance::text::is_hidden;
use std::borrow::Cow;

/// Writes hidden characters out: `\n`, `\t`, `\u{202e}`.
pub(crate) fn visible(text: &str) -> Cow<'_, str> {
    if !text.contains(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for char in text.chars() {
        if is_hidden(char) {
            out.extend(char.escape_default());
        } else {
            out.push(char);
        }
    }
    Cow::Owned(out)
}

/// Writes hidden characters of a line of a script out, but a tab as an arrow with its width, because
/// scripts are indented with tabs.
pub(crate) fn visible_line(text: &str) -> String {
    let line: Vec<_> = text.split('\t').map(visible).collect();
    line.join("⇥   ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_plays_tricks_is_written_out() {
        for (text, shown) in [
            ("plain – ü 日本 👩", "plain – ü 日本 👩"),
            ("a\u{202e}b", "a\\u{202e}b"),
            ("a\u{200b}b\u{feff}", "a\\u{200b}b\\u{feff}"),
            ("\u{1b}[31mred\u{7}", "\\u{1b}[31mred\\u{7}"),
            ("a\r\nb\tc", "a\\r\\nb\\tc"),
            ("no\u{a0}break\u{2028}", "no\\u{a0}break\\u{2028}"),
            ("\u{2067}x\u{2069}\u{9b}", "\\u{2067}x\\u{2069}\\u{9b}"),
            ("\u{e0041}", "\\u{e0041}"),
        ] {
            assert_eq!(visible(text), shown);
        }
        assert_eq!(visible_line("\tif\u{202e}"), "⇥   if\\u{202e}");
    }
}
