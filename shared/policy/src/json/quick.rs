//! The quick way through a well-formed document.
//!
//! Nearly every document is well formed, so the common way is written by hand: one pass over the bytes,
//! strings borrowed, each object and list allocated once and at its size. It gives no reasons. What it
//! does not take for certain (any error, a float, a long number, a name with escapes) it leaves to the
//! strict reader in `decode.rs`, which reads the text anew and words what is wrong. So whatever this
//! reader takes, the strict one takes too, with the same tree; a test and a fuzz target hold the two
//! together.

use super::decode::{MAX_DEPTH, is_skipped};
use super::value::{Number, Value};
use super::words::plain_bytes;
use rustc_hash::FxHashSet;
use std::borrow::Cow;
use std::cell::Cell;

type Member<'t> = (Cow<'t, str>, Value<'t>);

/// Reads a whole document; `None` leaves it to the strict reader.
pub(super) fn read(text: &str, skip_annotations: bool) -> Option<Value<'_>> {
    let mut reader = Reader {
        text,
        at: 0,
        depth: 0,
        skip_annotations,
        passing_over: false,
        escaped: false,
        open: emptied(OPEN.take()),
    };
    reader.value("")?;
    reader.white_space();
    let (_, document) = reader.open.pop()?;
    let whole = reader.at == text.len();
    OPEN.set(emptied(reader.open));
    whole.then_some(document)
}

thread_local! {
    /// Room for what is open, from one document to the next.
    static OPEN: Cell<Vec<Member<'static>>> = const { Cell::new(Vec::new()) };
}

/// The memory of a vector, for members of another text.
fn emptied<'t>(mut open: Vec<Member<'_>>) -> Vec<Member<'t>> {
    open.clear();
    open.into_iter().map_while(|_| None).collect()
}

struct Reader<'t> {
    text: &'t str,
    /// The next byte to look at.
    at: usize,
    depth: usize,
    skip_annotations: bool,
    /// Whether what is read is an annotation that is left out, so that escapes need no resolving.
    passing_over: bool,
    /// Whether escapes stand in the string read last.
    escaped: bool,
    /// What was read of all objects and lists that are still open; an item has no name. A value is built
    /// where it stays until its object closes: handing it up first costs more than reading it.
    open: Vec<Member<'t>>,
}

impl<'t> Reader<'t> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Steps over a byte if it comes next.
    fn eat(&mut self, byte: u8) -> bool {
        let next = self.peek() == Some(byte);
        self.at += usize::from(next);
        next
    }

    fn white_space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.at += 1;
            // Indented documents are full of runs of spaces.
            while self.text.as_bytes()[self.at..].starts_with(&[b' '; 8]) {
                self.at += 8;
            }
        }
    }

    #[inline]
    fn put(&mut self, name: &'t str, value: Value<'t>) {
        self.open.push((Cow::Borrowed(name), value));
    }

    /// Reads a value and the white space before it, and puts it down under a name.
    fn value(&mut self, name: &'t str) -> Option<()> {
        self.white_space();
        match self.peek()? {
            b'"' => {
                let text = self.string()?;
                if self.escaped && !self.passing_over {
                    let quoted = &self.text[self.at - text.len() - 2..self.at];
                    self.put(name, Value::String(Cow::Owned(unescaped(quoted)?)));
                } else {
                    self.put(name, Value::String(Cow::Borrowed(text)));
                }
            }
            b'{' => {
                let from = self.enter()?;
                self.members()?;
                let members = self.open.split_off(from);
                if holds_doubles(&members) {
                    return None;
                }
                self.put(name, Value::Object(members));
                self.depth -= 1;
            }
            b'[' => {
                let from = self.enter()?;
                self.items()?;
                let items = self.open.drain(from..).map(|(_, item)| item).collect();
                self.put(name, Value::List(items));
                self.depth -= 1;
            }
            b'n' => {
                self.word("null")?;
                self.put(name, Value::Null);
            }
            b't' => {
                self.word("true")?;
                self.put(name, Value::Bool(true));
            }
            b'f' => {
                self.word("false")?;
                self.put(name, Value::Bool(false));
            }
            _ => {
                let number = self.integer()?;
                self.put(name, Value::Number(Number::Int(number)));
            }
        }
        Some(())
    }

    /// Steps over a bracket; returns where its content begins among what is open.
    fn enter(&mut self) -> Option<usize> {
        if self.depth == MAX_DEPTH {
            return None;
        }
        self.at += 1;
        self.depth += 1;
        self.white_space();
        Some(self.open.len())
    }

    fn members(&mut self) -> Option<()> {
        if self.eat(b'}') {
            return Some(());
        }
        loop {
            self.white_space();
            let name = self.string()?;
            self.white_space();
            if self.escaped || !self.eat(b':') {
                return None;
            }
            if self.skip_annotations && is_skipped(name) {
                let outer = std::mem::replace(&mut self.passing_over, true);
                self.value(name)?;
                self.passing_over = outer;
                self.open.pop();
            } else {
                self.value(name)?;
            }
            self.white_space();
            if !self.eat(b',') {
                return self.eat(b'}').then_some(());
            }
        }
    }

    fn items(&mut self) -> Option<()> {
        if self.eat(b']') {
            return Some(());
        }
        loop {
            self.value("")?;
            self.white_space();
            if !self.eat(b',') {
                return self.eat(b']').then_some(());
            }
        }
    }

    fn word(&mut self, word: &str) -> Option<()> {
        let next = self.text.as_bytes()[self.at..].starts_with(word.as_bytes());
        self.at += word.len();
        next.then_some(())
    }

    /// Reads an integer of up to 18 digits, which 64 bits hold.
    fn integer(&mut self) -> Option<i64> {
        let negative = self.eat(b'-');
        let from = self.at;
        let mut value = 0;
        while let Some(digit @ b'0'..=b'9') = self.peek() {
            if self.at - from == 18 {
                return None;
            }
            value = value * 10 + i64::from(digit - b'0');
            self.at += 1;
        }
        let digits = self.at - from;
        let leading_zero = digits > 1 && self.text.as_bytes()[from] == b'0';
        if digits == 0 || leading_zero || matches!(self.peek(), Some(b'.' | b'e' | b'E')) {
            return None;
        }
        Some(if negative { -value } else { value })
    }

    /// Reads a string as it stands between its quotes, and notes whether escapes stand in it.
    fn string(&mut self) -> Option<&'t str> {
        if !self.eat(b'"') {
            return None;
        }
        let from = self.at;
        self.escaped = false;
        loop {
            self.at += plain_bytes(&self.text.as_bytes()[self.at..]);
            match self.peek()? {
                b'"' => break,
                b'\\' => {
                    self.escaped = true;
                    self.at += escape_length(&self.text.as_bytes()[self.at + 1..])?;
                }
                _ => return None,
            }
        }
        self.at += 1;
        self.text.get(from..self.at - 1)
    }
}

/// The bytes of an escape, told by those behind its backslash; `None` if there is no such escape.
fn escape_length(behind: &[u8]) -> Option<usize> {
    match behind {
        [b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't', ..] => Some(2),
        [b'u', a, b, c, d, ..] if [a, b, c, d].iter().all(|digit| digit.is_ascii_hexdigit()) => {
            Some(6)
        }
        _ => None,
    }
}

/// Resolves the escapes of a string in quotes; `serde_json` knows them all.
#[cold]
fn unescaped(quoted: &str) -> Option<String> {
    serde_json::from_str(quoted).ok()
}

/// Whether two members of one object have one name.
fn holds_doubles(members: &[Member<'_>]) -> bool {
    const FEW: usize = 24;
    if members.len() > FEW {
        let mut seen =
            FxHashSet::with_capacity_and_hasher(members.len(), rustc_hash::FxBuildHasher);
        return !members.iter().all(|(name, _)| seen.insert(name.as_ref()));
    }
    members
        .iter()
        .enumerate()
        .any(|(at, (name, _))| members[..at].iter().any(|(before, _)| before == name))
}

#[cfg(test)]
mod tests {
    use super::super::decode::parse_strictly;
    use super::*;

    /// What the quick reader takes, the strict one takes too, with the same tree. Returns whether it takes
    /// a text with annotations, and without.
    fn takes(text: &str) -> [bool; 2] {
        [false, true].map(|skip| {
            let quick = read(text, skip);
            if let Some(value) = &quick {
                assert_eq!(parse_strictly(text, skip).as_ref(), Ok(value), "{text}");
            }
            quick.is_some()
        })
    }

    const NEITHER: [bool; 2] = [false; 2];
    const BOTH: [bool; 2] = [true; 2];

    const SAMPLES: &[&str] = &[
        r##"{"@odata.type":"#t","a@odata.type":[{"x":1},"\u00e9\n"],"n":null,"t":true,"f":false,"l":[[],{}]}"##,
        " [0, -0, -7, 12345678901234567, 999999999999999999, -123456789012345678] ",
        r#"{"s":"plain","e":"a\"b\\c\/d\n\u00e9\ud83d\ude00","ü":"größe 🔒","long":"0123456789abcdef"}"#,
        "{\n        \"deep\":\t[[[[\r\n[1]]]]],\n                \"#act\": {}}",
    ];

    #[test]
    fn the_quick_way_leads_where_the_strict_one_leads() {
        for text in SAMPLES {
            assert_eq!(takes(text), BOTH, "{text}");
        }
        for left in ["[1.5]", "[1e3]", "1234567890123456789", "{\"\\u0061\":1}", "[\"\\ud800\"]"] {
            assert_eq!(takes(left), NEITHER, "{left}");
        }
        assert_eq!(takes(r#"{"a@odata.x":"\ud800"}"#), [false, true]);
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert_eq!(takes(&nested(MAX_DEPTH)), BOTH);
        assert_eq!(takes(&nested(MAX_DEPTH + 1)), NEITHER);
        let many = |last: &str| {
            let names: Vec<String> = (0..40).map(|n| format!("\"m{n}\":{n}")).collect();
            format!("{{{},\"{last}\":0}}", names.join(","))
        };
        assert_eq!(takes(&many("n")), BOTH);
        assert_eq!(takes(&many("m3")), NEITHER);
    }

    #[test]
    fn damaged_documents_lead_nowhere_else() {
        let signs: Vec<&str> = "{ } [ ] : , \" \\ / @ # 0 1 - + . e E u n t \u{1} \u{1f} \u{7f} é"
            .split(' ')
            .chain([" ", "\n", ""])
            .collect();
        for text in SAMPLES {
            for (at, letter) in text.char_indices() {
                let (before, after) = (&text[..at], &text[at..]);
                takes(before);
                for sign in &signs {
                    takes(&format!("{before}{sign}{after}"));
                    takes(&format!("{before}{sign}{}", &after[letter.len_utf8()..]));
                }
            }
        }
    }
}
