//! Texts that people give: names, reasons. Checked once at the edge, so that nothing odd is stored.

use plumbline_policy::name;
use std::borrow::Cow;

/// Why a text is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadText {
    /// Nothing, or only white space.
    #[error("{what} is empty; give one")]
    Empty {
        /// What the text is for, such as `the name`.
        what: &'static str,
    },
    /// Too many letters.
    #[error("{what} has {letters} letters, but takes {most}")]
    Long {
        /// What the text is for.
        what: &'static str,
        /// How many it has.
        letters: usize,
        /// How many it takes.
        most: usize,
    },
    /// Letters that cannot be seen or that turn a line around.
    #[error("{what} holds the control character U+{code:04X}; leave it out")]
    Control {
        /// What the text is for.
        what: &'static str,
        /// The letter.
        code: u32,
    },
}

/// The most letters of a name.
pub const MAX_NAME: usize = 200;
/// The most letters of a reason or a description.
pub const MAX_REASON: usize = 2_000;

/// Checks a text of one line and trims it.
///
/// # Errors
/// Says what is wrong with it.
pub fn line(what: &'static str, text: &str, most: usize) -> Result<String, BadText> {
    let text = name::composed(text.trim());
    if text.is_empty() {
        return Err(BadText::Empty { what });
    }
    let letters = text.chars().count();
    if letters > most {
        return Err(BadText::Long { what, letters, most });
    }
    let hidden = |letter: char| {
        letter.is_control()
            || matches!(letter, '\u{61C}' | '\u{180E}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}'
                | '\u{2060}'..='\u{2069}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E007F}')
    };
    match text.chars().find(|letter| hidden(*letter)) {
        Some(letter) => Err(BadText::Control { what, code: letter.into() }),
        None => Ok(text),
    }
}

/// Tells whether a character shows nothing by itself: a control or format character, a space that is
/// not the space bar's, a filler.
#[must_use]
pub fn is_hidden(char: char) -> bool {
    char.is_control()
        || (char.is_whitespace() && char != ' ')
        || matches!(
            char,
            '\u{ad}'
                | '\u{34f}'
                | '\u{61c}'
                | '\u{115f}'
                | '\u{1160}'
                | '\u{17b4}'
                | '\u{17b5}'
                | '\u{180b}'..='\u{180f}'
                | '\u{200b}'..='\u{200f}'
                | '\u{202a}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{2800}'
                | '\u{3164}'
                // The last of this row makes an emoji colourful and is left alone.
                | '\u{fe00}'..='\u{fe0e}'
                | '\u{feff}'
                | '\u{ffa0}'
                | '\u{fff0}'..='\u{fffb}'
                | '\u{1bca0}'..='\u{1bca3}'
                | '\u{1d173}'..='\u{1d17a}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

/// Puts an apostrophe before what a spreadsheet would run. Quotes, white space and invisible characters
/// are looked through, because spreadsheets look through them too.
#[must_use]
pub fn defused(cell: &str) -> Cow<'_, str> {
    let look_through =
        |char: char| matches!(char, '"' | '\'') || char.is_whitespace() || is_hidden(char);
    let lead = cell.len() - cell.trim_start_matches(look_through).len();
    let runs = cell[lead..].starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']);
    if runs || cell[..lead].contains(['\t', '\r']) {
        format!("'{cell}").into()
    } else {
        cell.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_checked_by_name() {
        assert_eq!(line("the name", "  Gold \u{1f512} ", 9).unwrap(), "Gold \u{1f512}");
        assert_eq!(line("the name", " \t", 9), Err(BadText::Empty { what: "the name" }));
        let long = BadText::Long { what: "the name", letters: 10, most: 9 };
        assert_eq!(line("the name", "0123456789", 9), Err(long));
        for code in [0xA, 0, 0x61C, 0x200B, 0x2028, 0x2029, 0x202E, 0x2069, 0xFEFF, 0xE0041] {
            let text = &format!("a{}b", char::from_u32(code).unwrap());
            assert_eq!(line("the name", text, 9), Err(BadText::Control { what: "the name", code }));
        }
    }
}
