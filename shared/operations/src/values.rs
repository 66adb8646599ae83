//! JSON values one after another: NDJSON, objects with white space or nothing between them, list pages,
//! or one list of objects. One value is held at a time.

use serde::de::IgnoredAny;
use std::fmt;
use std::io::{BufRead, ErrorKind};

/// One value holds no more bytes than this. A stream that passes it is no list of policies.
const MOST: usize = 64 * 1024 * 1024;

/// A value and the place where it begins.
#[derive(Debug, PartialEq, Eq)]
pub struct Placed {
    /// The line, and the number on the line where several begin there: `12`, `12.2`.
    pub place: String,
    /// The value.
    pub bytes: Vec<u8>,
}

/// Why a stream ends early, with the line.
#[derive(Debug, PartialEq, Eq)]
pub struct BadStream {
    line: u64,
    what: String,
}

impl fmt::Display for BadStream {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "line {}: {}; nothing was imported", self.line, self.what)
    }
}

/// Where the scanner stands between values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Between {
    /// At the outermost level.
    Top,
    /// In the outermost list: a value or its end comes.
    Item { first: bool },
    /// In the outermost list, behind a value: a comma or its end comes.
    Comma,
}

/// Splits a stream into values.
pub struct Values<R> {
    source: R,
    line: u64,
    between: Between,
    /// The line on which the last value began, and how many began on it.
    last: (u64, u32),
    begun: bool,
    failed: bool,
}

impl<R: BufRead> Values<R> {
    /// Splits what a reader gives.
    pub fn new(source: R) -> Self {
        Self { source, line: 1, between: Between::Top, last: (0, 0), begun: false, failed: false }
    }

    /// Reads the next value. After an error there is none.
    ///
    /// # Errors
    /// What is no JSON, with its line, and the reader's own.
    #[expect(
        clippy::should_implement_trait,
        reason = "an error ends it, and it may fail before the first value"
    )]
    pub fn next(&mut self) -> Result<Option<Placed>, BadStream> {
        if self.failed {
            return Ok(None);
        }
        let out = self.scan();
        self.failed = out.is_err();
        out
    }

    fn scan(&mut self) -> Result<Option<Placed>, BadStream> {
        if !self.begun {
            self.begun = true;
            self.skip_mark()?;
        }
        if !self.find()? {
            return Ok(None);
        }
        let line = self.line;
        let bytes = self.value()?;
        if let Err(error) = serde_json::from_slice::<IgnoredAny>(&bytes) {
            let text = error.to_string();
            let what = text.split(" at line ").next().unwrap_or_default();
            let column = error.column();
            return Err(BadStream {
                line: line + error.line().saturating_sub(1) as u64,
                what: format!("this is no JSON: {what} (byte {column} of the value's line)"),
            });
        }
        if self.between != Between::Top {
            self.between = Between::Comma;
        }
        self.last = if self.last.0 == line { (line, self.last.1 + 1) } else { (line, 1) };
        let place = match self.last.1 {
            1 => line.to_string(),
            number => format!("{line}.{number}"),
        };
        Ok(Some(Placed { place, bytes }))
    }

    /// Takes a byte order mark away.
    fn skip_mark(&mut self) -> Result<(), BadStream> {
        let head = self.fill()?;
        let length = head.len();
        match head {
            [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] | [0, _, ..] | [_, 0, ..] => {
                Err(self.bad("the stream is UTF-16; write it as UTF-8"))
            }
            [0xEF, 0xBB, 0xBF, ..] => {
                self.source.consume(3);
                Ok(())
            }
            // A mark in pieces: a reader may give one byte at a time.
            [0xEF, ..] if length < 3 => {
                for expected in [0xEF, 0xBB, 0xBF] {
                    if self.fill()?.first() != Some(&expected) {
                        return Err(self.bad("this is no JSON"));
                    }
                    self.source.consume(1);
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn fill(&mut self) -> Result<&[u8], BadStream> {
        loop {
            match self.source.fill_buf() {
                // Asked again below: the borrow must not outlive the loop.
                Ok(_) => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => {
                    return Err(BadStream {
                        line: self.line,
                        what: format!("cannot be read: {error}"),
                    });
                }
            }
        }
        let line = self.line;
        self.source
            .fill_buf()
            .map_err(|error| BadStream { line, what: format!("cannot be read: {error}") })
    }

    fn bad(&self, what: &str) -> BadStream {
        BadStream { line: self.line, what: what.to_owned() }
    }

    /// Goes to the first byte of the next value, which stays where it is; answers whether there is one.
    fn find(&mut self) -> Result<bool, BadStream> {
        loop {
            let Some(byte) = self.fill()?.first().copied() else {
                return match self.between {
                    Between::Top => Ok(false),
                    _ => Err(self.bad("the list is cut off; send all of it")),
                };
            };
            match (byte, self.between) {
                (b'\n', _) => self.line += 1,
                // The record separator of JSON text sequences counts as white space.
                (b' ' | b'\t' | b'\r' | 0x1E, _) => {}
                (b'[', Between::Top) => self.between = Between::Item { first: true },
                (b']', Between::Item { first: true } | Between::Comma) => {
                    self.between = Between::Top;
                }
                (b',', Between::Comma) => self.between = Between::Item { first: false },
                (b'{', Between::Top | Between::Item { .. }) => return Ok(true),
                (_, Between::Comma) => {
                    return Err(self.bad("a comma or the end of the list is expected"));
                }
                _ => {
                    let found = if byte.is_ascii_graphic() {
                        format!("`{}`", char::from(byte))
                    } else {
                        format!("the byte {byte:#04x}")
                    };
                    return Err(
                        self.bad(&format!("a JSON object is expected, but {found} is found"))
                    );
                }
            }
            self.source.consume(1);
        }
    }

    /// Reads a value that begins here, up to the brace that closes it.
    fn value(&mut self) -> Result<Vec<u8>, BadStream> {
        let begin = self.line;
        let mut out = Vec::new();
        let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
        loop {
            let mut line = self.line;
            let chunk = self.fill()?;
            if chunk.is_empty() {
                let what = "the object that begins here is cut off; send all of it".to_owned();
                return Err(BadStream { line: begin, what });
            }
            let mut end = None;
            for (at, byte) in chunk.iter().enumerate() {
                if *byte == b'\n' {
                    line += 1;
                }
                if in_string {
                    match byte {
                        _ if escaped => escaped = false,
                        b'\\' => escaped = true,
                        b'"' => in_string = false,
                        _ => {}
                    }
                    continue;
                }
                match byte {
                    b'"' => in_string = true,
                    b'{' | b'[' => depth += 1,
                    b'}' | b']' => {
                        depth = depth.saturating_sub(1);
                        if depth == 0 {
                            end = Some(at + 1);
                            break;
                        }
                    }
                    _ => {}
                }
            }
            let used = end.unwrap_or(chunk.len());
            if out.len() + used > MOST {
                let what = format!(
                    "the object that begins here passes {} MiB; send policies one by one, or in smaller \
                     pages",
                    MOST >> 20
                );
                return Err(BadStream { line: begin, what });
            }
            out.extend_from_slice(&chunk[..used]);
            self.source.consume(used);
            self.line = line;
            if end.is_some() {
                return Ok(out);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{BufReader, Cursor};

    /// Reads a stream through buffers of every small size, which must not matter.
    #[track_caller]
    fn read(text: impl AsRef<[u8]>) -> Result<Vec<(String, String)>, String> {
        let all = |size: usize| {
            let source = BufReader::with_capacity(size, Cursor::new(text.as_ref().to_vec()));
            let mut values = Values::new(source);
            let mut out = Vec::new();
            loop {
                match values.next() {
                    Ok(Some(one)) => {
                        out.push((one.place, String::from_utf8(one.bytes).unwrap()));
                    }
                    Ok(None) => return Ok(out),
                    Err(error) => {
                        assert_eq!(values.next(), Ok(None), "after an error there is nothing");
                        return Err(error.to_string());
                    }
                }
            }
        };
        let whole = all(4096);
        for size in [1, 2, 3, 5, 8] {
            assert_eq!(all(size), whole, "size {size}");
        }
        whole
    }

    #[track_caller]
    fn places(text: &str) -> Vec<String> {
        read(text).unwrap().into_iter().map(|one| one.0).collect()
    }

    #[test]
    fn values_are_found_however_they_stand() {
        assert_eq!(places("{\"a\":1}\n{\"a\":2}\n"), ["1", "2"]);
        assert_eq!(places("{\"a\":1}{\"a\":2} {}"), ["1", "1.2", "1.3"]);
        assert_eq!(places("\n\n{\n\"a\":\n1}\r\n\n{\"b\":2}"), ["3", "7"]);
        assert_eq!(places("\u{1e}{\"a\":1}\n\u{1e}{\"a\":2}\n"), ["1", "2"]);
        assert_eq!(places("[{\"a\":1},\n{\"a\":[{}]}]\n[]\n{}"), ["1", "2", "4"]);
        assert_eq!(places(""), [""; 0]);
        assert_eq!(places(" \n[]\n"), [""; 0]);
        assert_eq!(read("\u{feff}{\"a\":1}").unwrap(), [("1".to_owned(), "{\"a\":1}".to_owned())]);
        let tricky = r#"{"a":"}{\"\\","b":["]",{"c":"\\\\"}]}"#;
        assert_eq!(read(tricky).unwrap(), [("1".to_owned(), tricky.to_owned())]);
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        for (text, message) in [
            (
                "{\"a\":1}\n{\"a\":",
                "line 2: the object that begins here is cut off; send all of it",
            ),
            ("{\"a\":1}\n\nnull\n", "line 3: a JSON object is expected, but `n` is found"),
            ("garbage", "line 1: a JSON object is expected, but `g` is found"),
            ("\u{1}", "line 1: a JSON object is expected, but the byte 0x01 is found"),
            ("[{}", "line 1: the list is cut off; send all of it"),
            ("[{},]", "line 1: a JSON object is expected, but `]` is found"),
            ("[{}{}]", "line 1: a comma or the end of the list is expected"),
            ("{}\n]", "line 2: a JSON object is expected, but `]` is found"),
            (
                "{}\n{\n\"a\": nope}",
                "line 3: this is no JSON: expected ident (byte 7 of the value's line)",
            ),
            (
                "{\"a\":[1}]",
                "line 1: this is no JSON: expected `,` or `]` (byte 8 of the value's line)",
            ),
        ] {
            assert_eq!(
                read(text).unwrap_err(),
                format!("{message}; nothing was imported"),
                "{text}"
            );
        }
        let wide: Vec<u8> = "{}".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let error = Values::new(Cursor::new(wide)).next().unwrap_err();
        assert!(error.to_string().contains("UTF-16"), "{error}");
    }
}
