//! Properties that hold for every document, tenant and pair of tenants.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod canonical;
mod decoding;
mod diffing;
mod tenants;

use proptest::prelude::*;
use proptest::test_runner::Config;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng as _;
use serde_json::{Value, json};

/// Settings of every suite: no files, so that a failing case is in the output and nowhere else.
/// `PLUMBLINE_PROPERTY_FACTOR` multiplies the number of cases.
fn config(cases: u32) -> Config {
    #[expect(clippy::disallowed_methods, reason = "a test's one setting")]
    let factor = std::env::var("PLUMBLINE_PROPERTY_FACTOR").ok();
    let factor: u32 = factor.and_then(|text| text.parse().ok()).unwrap_or(1);
    Config { cases: cases * factor, failure_persistence: None, ..Config::default() }
}

fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

/// Any JSON value. Floats are quarters, so that every reader takes them exactly.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (-1_000_000..1_000_000).prop_map(|quarters: i32| json!(f64::from(quarters) / 4.0)),
        any::<String>().prop_map(Value::from),
        "[a-z]{0,4}".prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 6, |inner| {
        let name = prop_oneof!["[a-z]{0,3}", any::<String>(), Just("@odata.type".to_owned())];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(name, inner, 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}
