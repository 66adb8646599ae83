//! Writes JSON as other exporters would: member order, white space, escapes, encoding.

use rand::RngExt as _;
use rand::seq::{IndexedRandom as _, SliceRandom as _};
use rand_chacha::ChaCha8Rng;
use serde_json::Value;
use std::fmt::Write as _;

/// How a document is written.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    /// What a level is indented by; `None` writes one line.
    pub indent: Option<&'static str>,
    /// What stands between a name and its value.
    pub colon: &'static str,
    /// The end of a line.
    pub newline: &'static str,
    /// `\/` for `/`.
    pub escape_slash: bool,
    /// `\uXXXX` for all that is not ASCII, and for `'`.
    pub escape_unicode: bool,
    /// Members in a drawn order.
    pub shuffle: bool,
}

impl Style {
    /// One line, members in their order.
    pub const PLAIN: Self = Self {
        indent: None,
        colon: ":",
        newline: "\n",
        escape_slash: false,
        escape_unicode: false,
        shuffle: false,
    };

    /// Draws white space and escapes.
    #[must_use]
    pub fn drawn(rng: &mut ChaCha8Rng) -> Self {
        Self {
            indent: [None, Some("  "), Some("    "), Some("\t"), Some("")]
                .choose(rng)
                .copied()
                .flatten(),
            colon: [":", ": ", ":  ", " : "].choose(rng).copied().unwrap_or(":"),
            newline: if rng.random_bool(0.5) { "\n" } else { "\r\n" },
            escape_slash: rng.random_bool(0.3),
            escape_unicode: rng.random_bool(0.3),
            shuffle: false,
        }
    }
}

/// Writes a document.
#[must_use]
pub fn to_text(value: &Value, style: Style, rng: &mut ChaCha8Rng) -> String {
    let mut out = String::new();
    write_value(value, style, 0, rng, &mut out);
    out
}

fn write_value(value: &Value, style: Style, depth: usize, rng: &mut ChaCha8Rng, out: &mut String) {
    match value {
        Value::Object(members) => {
            let mut order: Vec<(&String, &Value)> = members.iter().collect();
            if style.shuffle {
                order.shuffle(rng);
            }
            out.push('{');
            for (index, (name, value)) in order.into_iter().enumerate() {
                next_item(style, index, depth + 1, out);
                write_text(name, style, out);
                out.push_str(style.colon);
                write_value(value, style, depth + 1, rng, out);
            }
            end_items(style, members.is_empty(), depth, out);
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for (index, value) in items.iter().enumerate() {
                next_item(style, index, depth + 1, out);
                write_value(value, style, depth + 1, rng, out);
            }
            end_items(style, items.is_empty(), depth, out);
            out.push(']');
        }
        Value::String(text) => write_text(text, style, out),
        scalar => out.push_str(&scalar.to_string()),
    }
}

fn next_item(style: Style, index: usize, depth: usize, out: &mut String) {
    if index > 0 {
        out.push(',');
    }
    new_line(style, depth, out);
}

fn end_items(style: Style, empty: bool, depth: usize, out: &mut String) {
    if !empty {
        new_line(style, depth, out);
    }
}

fn new_line(style: Style, depth: usize, out: &mut String) {
    if let Some(indent) = style.indent {
        out.push_str(style.newline);
        out.extend(std::iter::repeat_n(indent, depth));
    }
}

fn write_text(text: &str, style: Style, out: &mut String) {
    out.push('"');
    for char in text.chars() {
        match char {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '/' if style.escape_slash => out.push_str("\\/"),
            char if u32::from(char) < 0x20
                || style.escape_unicode && (!char.is_ascii() || char == '\'') =>
            {
                for unit in char.encode_utf16(&mut [0; 2]) {
                    // Writing to a string cannot fail.
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
            char => out.push(char),
        }
    }
    out.push('"');
}

/// An encoding that exporters use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8 without a mark.
    Utf8,
    /// UTF-8 with a byte order mark.
    Utf8Marked,
    /// UTF-16, little end first, with a mark.
    Utf16Little,
    /// UTF-16, big end first, with a mark.
    Utf16Big,
}

impl Encoding {
    /// Every encoding.
    pub const ALL: [Self; 4] = [Self::Utf8, Self::Utf8Marked, Self::Utf16Little, Self::Utf16Big];

    /// Encodes a text.
    #[must_use]
    pub fn encode(self, text: &str) -> Vec<u8> {
        let marked = || std::iter::once(0xfeff).chain(text.encode_utf16());
        match self {
            Self::Utf8 => text.as_bytes().to_vec(),
            Self::Utf8Marked => ["\u{feff}".as_bytes(), text.as_bytes()].concat(),
            Self::Utf16Little => marked().flat_map(u16::to_le_bytes).collect(),
            Self::Utf16Big => marked().flat_map(u16::to_be_bytes).collect(),
        }
    }
}
