//! How often each type was compared with proof (contracts 4.5). A finding that did not change is not
//! written; what is missing in its count is added when it is read.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A count of proven compares, and the last of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Seen {
    /// How many.
    pub count: u64,
    /// The last one.
    pub last_at: Timestamp,
}

/// The counts of all types: one for those that were proven every time, and the others by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct SeenCounters {
    /// The count of every type that is not named; `None` before the first compare.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    common: Option<Seen>,
    /// Types that were not proven every time.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    lagging: BTreeMap<String, Option<Seen>>,
}

impl SeenCounters {
    /// The count of a type.
    #[must_use]
    pub fn of(&self, policy_type: &str) -> Option<Seen> {
        self.lagging.get(policy_type).copied().unwrap_or(self.common)
    }

    /// Counts one compare that proved some of the types it looked at.
    #[must_use]
    pub fn after(
        &self,
        looked_at: &BTreeSet<String>,
        proven: &BTreeSet<String>,
        now: Timestamp,
    ) -> Self {
        let next = |seen: Option<Seen>| {
            let count = seen.map_or(0, |seen| seen.count).saturating_add(1);
            Some(Seen { count, last_at: now })
        };
        let mut lagging = self.lagging.clone();
        for key in looked_at.difference(proven) {
            lagging.entry(key.clone()).or_insert(self.common);
        }
        for (key, seen) in &mut lagging {
            if proven.contains(key) {
                *seen = next(*seen);
            }
        }
        let common = next(self.common);
        // Only the count tells whether a type lags; after a while without proof it may catch up by
        // being named alike.
        lagging.retain(|_, seen| *seen != common);
        Self { common, lagging }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_without_proof_lag_behind() {
        let set = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect::<BTreeSet<_>>();
        let at = |second| Timestamp::from_second(second).unwrap();
        let both = set(&["a", "b"]);
        let counters = SeenCounters::default()
            .after(&both, &both, at(1))
            .after(&both, &set(&["a"]), at(2))
            .after(&both, &both, at(3));
        let count = |key| counters.of(key).map(|seen| (seen.count, seen.last_at));
        assert_eq!(count("a"), Some((3, at(3))));
        assert_eq!(count("b"), Some((2, at(3))));
        let text = serde_json::to_string(&counters).unwrap();
        assert_eq!(serde_json::from_str::<SeenCounters>(&text).unwrap(), counters);
    }

    /// Counters are an abbreviation of one count a type: whatever is proven in whatever order, no count
    /// falls, and the difference between two moments is the number of proven compares between them.
    #[test]
    fn counters_count_as_one_count_a_type_would() {
        let types = ["a", "b", "c", "d"];
        let mut random = 0x2545_f491_4f6c_dd1d_u64;
        let mut draw = |below: u64| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            random % below
        };
        for _ in 0..200 {
            let mut counters = SeenCounters::default();
            let mut plain: BTreeMap<&str, (u64, Option<Timestamp>)> = BTreeMap::new();
            let looked_at: BTreeSet<String> = types.map(str::to_owned).into();
            for second in 1..40 {
                let at = Timestamp::from_second(second).unwrap();
                // Mostly all of them, as it is in life.
                let all = draw(3) > 0;
                let proven: BTreeSet<String> =
                    looked_at.iter().filter(|_| all || draw(2) == 0).cloned().collect();
                let before = counters.clone();
                counters = counters.after(&looked_at, &proven, at);
                for key in types {
                    let count = |of: &SeenCounters| of.of(key).map_or(0, |seen| seen.count);
                    let step = u64::from(proven.contains(key));
                    assert_eq!(count(&counters), count(&before) + step, "{key} at {second}");
                    let expected = plain.entry(key).or_default();
                    if proven.contains(key) {
                        *expected = (expected.0 + 1, Some(at));
                    }
                    let got = counters.of(key);
                    assert_eq!(got.map_or(0, |seen| seen.count), expected.0);
                    assert_eq!(got.map(|seen| seen.last_at), expected.1);
                }
                let named = counters.lagging.len();
                assert!(named <= types.len(), "{named} types are named");
            }
            let behind = counters.lagging.values().all(|seen| *seen != counters.common);
            assert!(behind, "what does not lag is not named");
        }
    }

    #[test]
    fn a_type_that_was_never_looked_at_begins_with_the_common_count() {
        let set = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect::<BTreeSet<_>>();
        let at = Timestamp::from_second(7).unwrap();
        let counters = SeenCounters::default().after(&set(&["a"]), &set(&["a"]), at);
        assert_eq!(counters.of("b"), counters.of("a"), "only differences of counts are ever used");
        assert_eq!(SeenCounters::default().of("a"), None);
    }
}
