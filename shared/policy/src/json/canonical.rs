//! Canonical bytes: UTF-8 JSON, members sorted by the bytes of their names, no white space, `/` not
//! escaped, one way to write each string and number. Everything that is hashed is written here.

use super::value::{Number, Value};
use super::words::plain_bytes;

impl Value<'_> {
    /// Appends the canonical bytes. A redacted secret is written as its constant slot.
    pub fn write_canonical(&self, out: &mut Vec<u8>) {
        match self {
            Self::Null => out.extend_from_slice(b"null"),
            Self::Bool(true) => out.extend_from_slice(b"true"),
            Self::Bool(false) => out.extend_from_slice(b"false"),
            Self::Number(number) => write_number(*number, out),
            Self::String(text) => write_string(text, out),
            Self::List(items) => {
                out.push(b'[');
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        out.push(b',');
                    }
                    item.write_canonical(out);
                }
                out.push(b']');
            }
            Self::Object(members) => {
                let mut order: Vec<usize> = (0..members.len()).collect();
                order.sort_unstable_by(|a, b| members[*a].0.cmp(&members[*b].0));
                out.push(b'{');
                for (position, index) in order.into_iter().enumerate() {
                    if position > 0 {
                        out.push(b',');
                    }
                    write_string(&members[index].0, out);
                    out.push(b':');
                    members[index].1.write_canonical(out);
                }
                out.push(b'}');
            }
            Self::Secret(_) => out.extend_from_slice(b"{\"$secret\":true}"),
        }
    }

    /// Returns the canonical bytes.
    #[must_use]
    pub fn to_canonical(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.write_canonical(&mut out);
        out
    }
}

/// Appends a number: integers in full, floats in the shortest form that reads back as the same value.
pub fn write_number(number: Number, out: &mut Vec<u8>) {
    use std::io::Write as _;
    // Writing to a vector cannot fail.
    let _ = match number {
        Number::Int(value) => write!(out, "{value}"),
        Number::UInt(value) => write!(out, "{value}"),
        Number::Float(value) => write!(out, "{value:e}"),
    };
}

/// Appends a string in quotes, escaping only what JSON demands.
pub fn write_string(text: &str, out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    out.push(b'"');
    let mut rest = text.as_bytes();
    loop {
        let (plain, tail) = rest.split_at(plain_bytes(rest));
        out.extend_from_slice(plain);
        let Some((escaped, after)) = tail.split_first() else { break };
        rest = after;
        match escaped {
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0x08 => out.extend_from_slice(b"\\b"),
            0x0C => out.extend_from_slice(b"\\f"),
            control @ 0..0x20 => {
                out.extend_from_slice(b"\\u00");
                out.push(HEX[usize::from(control >> 4)]);
                out.push(HEX[usize::from(control & 15)]);
            }
            sign => out.extend_from_slice(&[b'\\', *sign]),
        }
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use crate::json::parse;

    #[test]
    fn golden_vector() {
        let text = " { \"b\" : [1, 2.5, 1e30, -0], \"a\":\"x\\/y\\u00e9\\u0001\\n\\\"\", \"é\":null, \"B\":{} }";
        let bytes = parse(text).unwrap().to_canonical();
        assert_eq!(
            String::from_utf8(bytes).unwrap(),
            "{\"B\":{},\"a\":\"x/yé\\u0001\\n\\\"\",\"b\":[1,2.5e0,1e30,0],\"é\":null}"
        );
    }

    #[test]
    fn floats_read_back_as_they_were_written() {
        let once = parse("2.222270006200002e27").unwrap().to_canonical();
        let twice = parse(std::str::from_utf8(&once).unwrap()).unwrap().to_canonical();
        assert_eq!(once, twice);
    }

    #[test]
    fn large_integers_do_not_meet() {
        let bytes = |text| parse(text).unwrap().to_canonical();
        assert_ne!(bytes("9007199254740993"), bytes("9007199254740992"));
    }
}
