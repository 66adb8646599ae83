//! Strict decoding. `serde_json` reads; what it would let pass (equal member names, depth, numbers
//! that lose digits) is refused here, with its position. Before it, `quick.rs` takes what is plainly well
//! formed, in a fraction of the time.

use super::quick;
use super::value::{Number, Value};
use super::words::{ONES, first_below};
use rustc_hash::{FxBuildHasher, FxHashSet};
use serde::de::{DeserializeSeed, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::cell::RefCell;
use std::fmt;
use std::hash::BuildHasher;

/// How many objects and arrays may stand inside each other. Real policies stay below 30.
pub const MAX_DEPTH: usize = 64;

/// What is wrong with a document.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeProblem {
    /// Nothing but white space.
    #[error("the file is empty")]
    Empty,
    /// The text ends inside a value.
    #[error("the JSON ends too early; the file is cut off, export it again")]
    Truncated,
    /// More text after the end of the value.
    #[error("there is more text after the end of the JSON value; keep one document a file")]
    TrailingBytes,
    /// One object names a member twice, so that readers would disagree on its value.
    #[error("the member `{0}` stands twice in one object; keep one of them")]
    DuplicateKey(String),
    /// More nesting than [`MAX_DEPTH`].
    #[error("objects and arrays are nested deeper than {MAX_DEPTH} levels")]
    TooDeep,
    /// A number that a reader could not give back digit by digit.
    #[error("the number {0} cannot be kept without losing digits; write it as a string")]
    NumberLosesDigits(String),
    /// Any other break of the JSON grammar.
    #[error("this is not JSON: {0}")]
    Syntax(String),
}

/// A refused document: what is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {problem}")]
pub struct DecodeError {
    /// What is wrong.
    pub problem: DecodeProblem,
    /// Line, from 1.
    pub line: usize,
    /// Column in bytes, from 1.
    pub column: usize,
}

/// Parses one JSON document.
///
/// # Errors
/// Refuses what [`DecodeProblem`] lists, with line and column.
pub fn parse(text: &str) -> Result<Value<'_>, DecodeError> {
    parse_with(text, false)
}

/// Parses a document that Graph or an exporter of Graph wrote, and leaves out the annotations of the
/// transport ([`is_annotation`]): in a full export they are half of the bytes, and they mean nothing.
/// What later steps ask for stays: `@odata.type`, `@odata.context`, `@odata.nextLink` and links.
///
/// # Errors
/// As [`parse`]; inside annotations only the grammar is checked.
pub fn parse_payload(text: &str) -> Result<Value<'_>, DecodeError> {
    parse_with(text, true)
}

/// Whether a member says how the object was sent, not what it is. `…@odata.bind` is content: imported
/// administrative templates name their settings there.
#[must_use]
#[inline]
pub fn is_annotation(name: &str) -> bool {
    if name.starts_with('#') {
        return true;
    }
    holds_at_sign(name.as_bytes())
        && (name.starts_with("@odata.") || name.contains("@odata."))
        && !name.ends_with("@odata.bind")
}

/// Whether an `@` stands in a name: eight bytes at once, the last eight once more. Each step asks this of
/// each member.
#[inline]
fn holds_at_sign(name: &[u8]) -> bool {
    let holds =
        |word: &[u8; 8]| first_below(u64::from_le_bytes(*word) ^ (ONES * u64::from(b'@')), 1) != 0;
    match name.last_chunk::<8>() {
        Some(last) => holds(last) || name.as_chunks::<8>().0.iter().any(holds),
        None => name.contains(&b'@'),
    }
}

/// Whether [`parse_payload`] leaves a member out.
pub(super) fn is_skipped(name: &str) -> bool {
    !matches!(name, "@odata.type" | "@odata.context" | "@odata.nextLink") && is_annotation(name)
}

fn parse_with(text: &str, skip_annotations: bool) -> Result<Value<'_>, DecodeError> {
    match quick::read(text, skip_annotations) {
        Some(value) => Ok(value),
        None => parse_strictly(text, skip_annotations),
    }
}

/// Parses without the quick way: [`parse_payload`] if annotations are skipped, else [`parse`]. It is
/// public for the tests that hold the two ways together.
///
/// # Errors
/// As [`parse`].
pub fn parse_strictly(text: &str, skip_annotations: bool) -> Result<Value<'_>, DecodeError> {
    let state = &State { skip_annotations, ..State::default() };
    if text.trim_ascii().is_empty() {
        return Err(DecodeError { problem: DecodeProblem::Empty, line: 1, column: 1 });
    }
    let mut reader = serde_json::Deserializer::from_str(text);
    let value = Seed { state, depth: 0 }
        .deserialize(&mut reader)
        .map_err(|error| state.explain(&error, text))?;
    reader.end().map_err(|error| DecodeError {
        problem: DecodeProblem::TrailingBytes,
        line: error.line(),
        column: error.column(),
    })?;
    if state.floats.take() {
        check_digits(text)?;
    }
    Ok(value)
}

#[derive(Default)]
struct State {
    /// What a visitor refused; `serde_json` carries text only.
    problem: RefCell<Option<DecodeProblem>>,
    /// Whether any number came as a float, so that the digits have to be looked at.
    floats: RefCell<bool>,
    /// Whether annotations of the transport are left out.
    skip_annotations: bool,
}

impl State {
    fn refuse<E: serde::de::Error>(&self, problem: DecodeProblem) -> E {
        let error = E::custom(&problem);
        self.problem.replace(Some(problem));
        error
    }

    fn explain(&self, error: &serde_json::Error, text: &str) -> DecodeError {
        let message = error.to_string();
        let problem = self.problem.take().unwrap_or_else(|| {
            if error.is_eof() {
                DecodeProblem::Truncated
            } else if message.starts_with("number out of range") {
                DecodeProblem::NumberLosesDigits(number_before(text, error.line(), error.column()))
            } else {
                let plain = message.rsplit_once(" at line").map_or(message.as_str(), |(m, _)| m);
                DecodeProblem::Syntax(plain.to_owned())
            }
        });
        DecodeError { problem, line: error.line(), column: error.column().max(1) }
    }
}

/// The number that ends at or near a position; for the message only.
fn number_before(text: &str, line: usize, column: usize) -> String {
    let row = text.lines().nth(line.saturating_sub(1)).unwrap_or_default().as_bytes();
    let is_number = |byte: &u8| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E');
    let mut end = column.min(row.len());
    while end < row.len() && is_number(&row[end]) {
        end += 1;
    }
    while end > 0 && !is_number(&row[end - 1]) {
        end -= 1;
    }
    let start = row[..end].iter().rposition(|byte| !is_number(byte)).map_or(0, |at| at + 1);
    shorten(&String::from_utf8_lossy(&row[start..end]))
}

fn shorten(token: &str) -> String {
    if token.len() > 40 { format!("{}…", &token[..40]) } else { token.to_owned() }
}

#[derive(Clone, Copy)]
struct Seed<'s> {
    state: &'s State,
    depth: usize,
}

impl<'s> Seed<'s> {
    fn deeper<E: serde::de::Error>(self) -> Result<Seed<'s>, E> {
        if self.depth == MAX_DEPTH {
            return Err(self.state.refuse(DecodeProblem::TooDeep));
        }
        Ok(Seed { depth: self.depth + 1, ..self })
    }
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Value<'de>;

    fn deserialize<D: serde::Deserializer<'de>>(self, source: D) -> Result<Value<'de>, D::Error> {
        source.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Value<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value<'de>, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value<'de>, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value<'de>, E> {
        Ok(Value::Number(Number::Int(value)))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value<'de>, E> {
        Ok(Value::Number(i64::try_from(value).map_or(Number::UInt(value), Number::Int)))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value<'de>, E> {
        self.state.floats.replace(true);
        Ok(Value::Number(Number::from_f64(value)))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Value<'de>, E> {
        Ok(Value::String(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value<'de>, E> {
        Ok(Value::String(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut source: A) -> Result<Value<'de>, A::Error> {
        let inner = self.deeper()?;
        let mut items = Vec::new();
        while let Some(item) = source.next_element_seed(inner)? {
            items.push(item);
        }
        Ok(Value::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut source: A) -> Result<Value<'de>, A::Error> {
        let inner = self.deeper()?;
        let mut members: Vec<(Cow<'de, str>, Value<'de>)> = Vec::with_capacity(8);
        let mut seen = Names::default();
        while let Some(name) = source.next_key_seed(Name)? {
            if self.state.skip_annotations && is_skipped(&name) {
                source.next_value::<serde::de::IgnoredAny>()?;
                continue;
            }
            if seen.holds(&name, &members) {
                return Err(self.state.refuse(DecodeProblem::DuplicateKey(name.into_owned())));
            }
            let value = source.next_value_seed(inner)?;
            members.push((name, value));
        }
        Ok(Value::Object(members))
    }
}

/// The member names of one object: a scan while there are few, hashes once there are many.
#[derive(Default)]
struct Names {
    hashes: FxHashSet<u64>,
}

impl Names {
    const FEW: usize = 24;

    fn holds(&mut self, name: &str, members: &[(Cow<'_, str>, Value<'_>)]) -> bool {
        let scan = |members: &[(Cow<'_, str>, Value<'_>)]| {
            members.iter().any(|(member, _)| member == name)
        };
        if members.len() < Self::FEW {
            return scan(members);
        }
        let hash = |text: &str| FxBuildHasher.hash_one(text);
        if self.hashes.is_empty() {
            self.hashes.extend(members.iter().map(|(member, _)| hash(member)));
        }
        !self.hashes.insert(hash(name)) && scan(members)
    }
}

struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Cow<'de, str>;

    fn deserialize<D: serde::Deserializer<'de>>(self, source: D) -> Result<Self::Value, D::Error> {
        source.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name {
    type Value = Cow<'de, str>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a member name")
    }

    fn visit_borrowed_str<E: serde::de::Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text.to_owned()))
    }
}

/// Looks at every number of a document that holds a float and refuses the first whose digits the
/// float does not give back. Floats are rare in policies, so the second look costs nothing mostly.
fn check_digits(text: &str) -> Result<(), DecodeError> {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'"' => {
                at += 1;
                while bytes[at] != b'"' {
                    at += if bytes[at] == b'\\' { 2 } else { 1 };
                }
                at += 1;
            }
            b'-' | b'0'..=b'9' => {
                let length = bytes[at..]
                    .iter()
                    .take_while(|b| matches!(b, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E'))
                    .count();
                let token = &text[at..at + length];
                let whole = token.parse::<i64>().is_ok() || token.parse::<u64>().is_ok();
                if !whole && !keeps_digits(token) {
                    let line = text[..at].matches('\n').count() + 1;
                    let column = at - text[..at].rfind('\n').map_or(0, |newline| newline + 1) + 1;
                    let problem = DecodeProblem::NumberLosesDigits(shorten(token));
                    return Err(DecodeError { problem, line, column });
                }
                at += length;
            }
            _ => at += 1,
        }
    }
    Ok(())
}

fn keeps_digits(token: &str) -> bool {
    token.parse::<f64>().is_ok_and(|value| digits(token) == digits(&format!("{value:e}")))
}

/// A number's digits without leading and trailing zeros, and the power of ten of the last of them.
fn digits(token: &str) -> (String, i64) {
    let token = token.trim_start_matches('-');
    let (mantissa, exponent) = token.split_once(['e', 'E']).unwrap_or((token, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let mut all = format!("{whole}{fraction}");
    let mut power =
        exponent.parse::<i64>().unwrap_or(0) - i64::try_from(fraction.len()).unwrap_or(i64::MAX);
    while all.ends_with('0') {
        all.pop();
        power += 1;
    }
    let all = all.trim_start_matches('0').to_owned();
    if all.is_empty() { (all, 0) } else { (all, power) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(text: &str) -> (DecodeProblem, usize, usize) {
        let error = parse(text).unwrap_err();
        (error.problem, error.line, error.column)
    }

    #[test]
    fn integers_stay_exact() {
        let value =
            parse("[9007199254740993, 18446744073709551615, -9223372036854775808]").unwrap();
        assert_eq!(
            value,
            Value::List(vec![
                Value::Number(Number::Int(9_007_199_254_740_993)),
                Value::Number(Number::UInt(u64::MAX)),
                Value::Number(Number::Int(i64::MIN)),
            ])
        );
    }

    #[test]
    fn one_number_written_two_ways_is_one_value() {
        assert_eq!(parse("[1.0, -0, -0.0, 1e2, 0.5]"), parse("[1, 0, 0, 100, 5e-1]"));
    }

    #[test]
    fn numbers_that_lose_digits_are_refused_with_their_place() {
        for token in ["18446744073709551616", "0.12345678901234567890", "1e400", "-1e999"] {
            let (found, line, _) = problem(&format!("{{\n \"a\": 0.5, \"b\": {token}}}"));
            assert_eq!((found, line), (DecodeProblem::NumberLosesDigits(token.to_owned()), 2));
        }
    }

    #[test]
    fn duplicate_members_are_refused_in_small_and_large_objects() {
        assert_eq!(
            problem("{\"a\":1,\n\"a\":2}"),
            (DecodeProblem::DuplicateKey("a".to_owned()), 2, 3)
        );
        let many: Vec<String> = (0..100).map(|n| format!("\"m{n}\":0")).collect();
        let text = format!("{{{},\"m7\":1}}", many.join(","));
        assert_eq!(problem(&text).0, DecodeProblem::DuplicateKey("m7".to_owned()));
        assert_eq!(
            problem("{\"a\":1,\"\\u0061\":2}").0,
            DecodeProblem::DuplicateKey("a".to_owned())
        );
    }

    #[test]
    fn annotations_are_left_out_of_payloads_alone() {
        let text =
            r##"{"@odata.type":"t","a@odata.type":"x","#act":{"b":1},"l@odata.bind":"u","a":1}"##;
        let names = |value: Value<'_>| -> Vec<String> {
            value.members().unwrap().iter().map(|(name, _)| name.to_string()).collect()
        };
        assert_eq!(names(parse_payload(text).unwrap()), ["@odata.type", "l@odata.bind", "a"]);
        assert_eq!(names(parse(text).unwrap()).len(), 5);
    }

    #[test]
    fn depth_is_bounded() {
        let nested = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
        assert!(parse(&nested(MAX_DEPTH)).is_ok());
        assert_eq!(problem(&nested(MAX_DEPTH + 1)).0, DecodeProblem::TooDeep);
        assert_eq!(problem(&nested(10_000)).0, DecodeProblem::TooDeep);
    }

    #[test]
    fn cut_off_empty_and_trailing_text_are_told_apart() {
        assert_eq!(problem(" \n").0, DecodeProblem::Empty);
        assert_eq!(problem("{\"a\": [1, 2").0, DecodeProblem::Truncated);
        assert_eq!(problem("{} {}").0, DecodeProblem::TrailingBytes);
        assert!(matches!(problem("{'a': 1}").0, DecodeProblem::Syntax(_)));
        assert!(matches!(problem("\"\\ud800\"").0, DecodeProblem::Syntax(_)));
    }
}
