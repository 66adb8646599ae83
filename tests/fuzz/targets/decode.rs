//! Any bytes: decoding never panics, the quick way and the strict one agree, and what is accepted has one
//! canonical form.
#![no_main]

use libfuzzer_sys::fuzz_target;
use plumbline_policy::json::{parse, parse_payload, parse_strictly, to_text};

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = to_text(bytes) else { return };
    assert_eq!(parse_payload(&text), parse_strictly(&text, true));
    let parsed = parse(&text);
    assert_eq!(parsed, parse_strictly(&text, false));
    let Ok(value) = parsed else { return };
    let canonical = String::from_utf8(value.to_canonical()).expect("canonical bytes are UTF-8");
    let again = parse(&canonical).expect("canonical bytes are JSON");
    assert_eq!(again.to_canonical(), canonical.as_bytes(), "canonical bytes are a fixpoint");
});
