//! JSON form: 12 kinds.

use super::build::{feature, quality, side, with};
use super::{
    assert_equal, assert_refused, changes, compare_beside, compare_documents, compare_sides,
};
use plumbline_governance::gap::GapKind::Unreadable;
use serde_json::{Value, json};

#[test]
fn json_form_truncated() {
    assert_refused(
        "{\"displayName\": \"Cut\",\n \"featureUpdateVersion\": \"24H",
        Unreadable,
        "line 2, column 29: the JSON ends too early; the file is cut off, export it again",
    );
    assert_refused(
        "{\"displayName\": \"Cut\",\n \"assignments\": [",
        Unreadable,
        "line 2, column 17: the JSON ends too early; the file is cut off, export it again",
    );
}

#[test]
fn json_form_trailing_bytes() {
    assert_refused(
        "{\"displayName\": \"One\"}\n{\"displayName\": \"Two\"}",
        Unreadable,
        "line 2, column 1: there is more text after the end of the JSON value; keep one document a file",
    );
}

#[test]
fn json_form_duplicate_keys() {
    assert_refused(
        "{\"displayName\": \"Twice\",\n \"featureUpdateVersion\": \"24H2\",\n \"featureUpdateVersion\": \"23H2\"}",
        Unreadable,
        "line 3, column 23: the member `featureUpdateVersion` stands twice in one object; keep one of them",
    );
}

#[test]
fn json_form_depth_10_000() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let text = format!("{{\n\"a\": {}0{}}}", open.repeat(10_000), close.repeat(10_000));
        let column = if open == "[" { 69 } else { 5 * 64 + 1 };
        let report = compare_beside(text.clone());
        let [gap] = report.gaps.as_slice() else { panic!("{:?}", report.gaps) };
        assert_eq!(
            gap.detail,
            format!("line 2, column {column}: objects and arrays are nested deeper than 64 levels")
        );
        assert_refused(text, Unreadable, &gap.detail);
    }
}

/// A body of 64 MB is read, compared and judged by its last character.
#[test]
fn json_form_64_mb_body() {
    let body = |end: &str| {
        let filler = "x".repeat(64 << 20);
        with(feature("Big", 1, "24H2"), json!({ "offerStartDateTimeInUTC": filler + end }))
    };
    let one = body("1");
    assert_equal(&compare_documents(&one, &one));
    let report = compare_documents(&one, &body("2"));
    let found = changes(&report);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].0, "offerStartDateTimeInUTC");
}

/// Numbers that a reader would round are refused; two spellings of one number are one value, and a
/// number is not its text.
#[test]
fn json_form_numbers() {
    for (token, position) in [("1e400", 23), ("-1e999", 24), ("18446744073709551616", 19)] {
        assert_refused(
            format!("{{\"id\": \"1\",\n \"installLatest\": {token}}}"),
            Unreadable,
            &format!(
                "line 2, column {position}: the number {token} cannot be kept without losing digits; write it as a string"
            ),
        );
    }
    let text = |days: &str| {
        let text = quality("Numbers", 1, 7).to_string();
        side(&[])
            .files
            .into_iter()
            .chain([("one.json".to_owned(), text.replace('7', days).into_bytes())])
    };
    let files = |days: &str| {
        let mut out = side(&[]);
        out.files.extend(text(days));
        out
    };
    for (a, b) in [("-0", "0"), ("1.0", "1"), ("1e2", "100"), ("-0.0", "0")] {
        assert_equal(&compare_sides(&files(a), &files(b)));
    }
    // 2^64 - 1 and its neighbour would be one value as floats.
    let path = "expeditedUpdateSettings/daysUntilForcedReboot";
    for (a, b) in
        [("18446744073709551615", "18446744073709551614"), ("9007199254740993", "9007199254740992")]
    {
        let found = changes(&compare_sides(&files(a), &files(b)));
        let number = |text: &str| serde_json::from_str::<Value>(text).ok();
        assert_eq!(found, [(path.to_owned(), number(a), number(b))]);
    }
    let found = changes(&compare_sides(&files("1"), &files("\"1\"")));
    assert_eq!(found, [(path.to_owned(), Some(json!(1)), Some(json!("1")))]);
}

#[test]
fn json_form_lone_surrogates() {
    assert_refused(
        "{\"id\": \"1\",\n \"displayName\": \"\\ud800\"}",
        Unreadable,
        "line 2, column 24: this is not JSON: unexpected end of hex escape",
    );
    assert_refused(
        "{\"id\": \"1\",\n \"displayName\": \"\\udc00 low first\"}",
        Unreadable,
        "line 2, column 23: this is not JSON: lone leading surrogate in hex escape",
    );
    let mut bytes: Vec<u8> = vec![0xFF, 0xFE];
    let units = "{\"a\":\"".encode_utf16().chain([0xD800]).chain("\"}".encode_utf16());
    bytes.extend(units.flat_map(u16::to_le_bytes));
    assert_refused(
        bytes,
        Unreadable,
        "byte 14 is not valid UTF-16; the file is cut off or damaged, export it again",
    );
}

/// An escaped NUL is a character like any other; a raw one is no JSON.
#[test]
fn json_form_nul_in_strings() {
    let name =
        |text: &str| with(feature("Nul", 1, "24H2"), json!({ "featureUpdateVersion": text }));
    assert_equal(&compare_documents(&name("a\0b"), &name("a\0b")));
    let found = changes(&compare_documents(&name("a\0b"), &name("a\0c")));
    assert_eq!(
        found,
        [("featureUpdateVersion".to_owned(), Some(json!("a\0b")), Some(json!("a\0c")))]
    );
    assert_refused(
        "{\"id\": \"1\",\n \"displayName\": \"a\0b\"}",
        Unreadable,
        "line 2, column 19: this is not JSON: control character (\\u0000-\\u001F) found while parsing a string",
    );
}

#[test]
fn json_form_invalid_utf_8() {
    assert_refused(
        b"{\"displayName\": \"Z\xFCrich\"}".to_vec(),
        Unreadable,
        "byte 18 is not valid UTF-8; export the file again as UTF-8, or as UTF-16 with a byte order mark",
    );
    // The mark is counted: a person looks the byte up in the file.
    assert_refused(
        b"\xEF\xBB\xBF{\"displayName\": \"Z\xFCrich\"}".to_vec(),
        Unreadable,
        "byte 21 is not valid UTF-8; export the file again as UTF-8, or as UTF-16 with a byte order mark",
    );
}

/// One policy in two encodings is one policy.
#[track_caller]
fn assert_encoding(bytes: Vec<u8>) {
    let policy = feature("Zürich 🔒", 1, "24H2");
    let plain = side(&[("plain.json", policy)]);
    let mut other = side(&[]);
    other.files.insert("encoded.json".to_owned(), bytes);
    assert_equal(&compare_sides(&plain, &other));
}

fn encoded() -> String {
    feature("Zürich 🔒", 1, "24H2").to_string()
}

#[test]
fn json_form_utf_8_byte_order_mark() {
    assert_encoding([b"\xEF\xBB\xBF".as_slice(), encoded().as_bytes()].concat());
}

#[test]
fn json_form_utf_16() {
    let little: Vec<u8> = encoded().encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = encoded().encode_utf16().flat_map(u16::to_be_bytes).collect();
    assert_encoding([&[0xFF, 0xFE], little.as_slice()].concat());
    assert_encoding([&[0xFE, 0xFF], big.as_slice()].concat());
    let cut = [&[0xFF, 0xFE], &little[..21]].concat();
    assert_refused(
        cut,
        Unreadable,
        "byte 22 is not valid UTF-16; the file is cut off or damaged, export it again",
    );
}

/// A list of policies is read as such; a scalar, and a list that holds one, are refused.
#[test]
fn json_form_top_level_array_string_null() {
    let policies = json!([feature("Equal", 1, "24H2")]);
    assert_equal(&compare_documents(&feature("Equal", 1, "24H2"), &policies));
    for (text, what) in [
        ("null", "null"),
        ("\"text\"", "a string"),
        ("17", "a number"),
        ("true", "a truth value"),
        ("{\"value\": null}", "null"),
    ] {
        assert_refused(
            text,
            Unreadable,
            &format!("the file holds {what}, not a policy; export the object itself"),
        );
    }
    assert_refused(
        "[{\"id\": \"1\"}, null]",
        Unreadable,
        "entry 2 of the list is not an object; export the list again",
    );
    assert_refused(" \n", Unreadable, "line 1, column 1: the file is empty");
}
