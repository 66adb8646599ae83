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
}
