//! Any bytes: decoding never panics, and what it accepts has one canonical form.
#![no_main]

use libfuzzer_sys::fuzz_target;
use plumbline_policy::json::{parse, parse_payload, to_text};

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = to_text(bytes) else { return };
    let _ = parse_payload(&text);
    let Ok(value) = parse(&text) else { return };
    let canonical = String::from_utf8(value.to_canonical()).expect("canonical bytes are UTF-8");
    let again = parse(&canonical).expect("canonical bytes are JSON");
    assert_eq!(again.to_canonical(), canonical.as_bytes(), "canonical bytes are a fixpoint");
});
