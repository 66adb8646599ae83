//! Canonical bytes: one document, one spelling.

use crate::{any_json, config, rng};
use plumbline_policy::json::parse;
use plumbline_testkit::twin::write::{Style, to_text};
use proptest::prelude::*;
use serde_json::{Number, Value};

fn canonical(text: &str) -> Vec<u8> {
    parse(text).unwrap_or_else(|error| panic!("{error}: {text}")).to_canonical()
}

/// The value with whole floats as integers, which is how both are one number.
fn whole(value: Value) -> Value {
    match value {
        Value::Number(number) => {
            let float = number.as_f64().filter(|float| number.is_f64() && float.fract() == 0.0);
            let text = float.map(|float| format!("{float:.0}").replace("-0", "0"));
            let whole = text.and_then(|text| text.parse::<i64>().ok().map(Number::from));
            Value::Number(whole.unwrap_or(number))
        }
        Value::Array(items) => items.into_iter().map(whole).collect(),
        Value::Object(members) => {
            Value::Object(members.into_iter().map(|(name, value)| (name, whole(value))).collect())
        }
        other => other,
    }
}

proptest! {
    #![proptest_config(config(1024))]

    #[test]
    fn canonical_bytes_are_a_fixpoint(value in any_json()) {
        let once = canonical(&value.to_string());
        let text = std::str::from_utf8(&once).unwrap();
        prop_assert_eq!(&canonical(text), &once);
    }

    #[test]
    fn another_reader_sees_the_same_value(value in any_json()) {
        let bytes = canonical(&value.to_string());
        let read: Value = serde_json::from_slice(&bytes).unwrap();
        prop_assert_eq!(whole(read), whole(value));
    }

    #[test]
    fn spelling_means_nothing(value in any_json(), seed: u64) {
        let rng = &mut rng(seed);
        let mut style = Style::drawn(rng);
        style.shuffle = true;
        let text = to_text(&value, style, rng);
        prop_assert_eq!(canonical(&text), canonical(&value.to_string()));
    }

    #[test]
    fn different_values_have_different_bytes(a in any_json(), b in any_json()) {
        let equal = whole(a.clone()) == whole(b.clone());
        prop_assert_eq!(canonical(&a.to_string()) == canonical(&b.to_string()), equal);
    }

    #[test]
    fn numbers_keep_every_bit(bits: u64) {
        let number = f64::from_bits(bits);
        prop_assume!(number.is_finite());
        // The shortest text that reads back as this number.
        let text = format!("{number:e}");
        if let Ok(value) = parse(&text) {
            let bytes = value.to_canonical();
            let read: f64 = std::str::from_utf8(&bytes).unwrap().parse().unwrap();
            let same = read.to_bits() == number.to_bits() || read.abs() + number.abs() == 0.0;
            prop_assert!(same, "{text} became {read:e}");
        }
    }
}
