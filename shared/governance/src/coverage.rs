//! Coverage: how much of each policy type was read. What was not read in full proves nothing.

use crate::scope::EffectiveScope;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How much of one type was read (domain rules 3.8).
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Coverage {
    /// Every page and every needed detail.
    Succeeded,
    /// The list is whole; details of some objects are not there.
    Partial,
    /// A part of the list was not read.
    Failed,
    /// Left out on purpose.
    Skipped,
    /// The tenant's cloud or licence does not have the type.
    NotSupported,
    /// Nobody said.
    Unknown,
}

impl Coverage {
    /// The word used in JSON and in the badge catalog.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Partial => "partial",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
            Self::NotSupported => "not_supported",
            Self::Unknown => "unknown",
        }
    }

    /// Whether the list of the type is whole, so that what is not in it is not there.
    #[must_use]
    pub fn proves_absence(self) -> bool {
        matches!(self, Self::Succeeded | Self::Partial)
    }

    /// Whether the type plays no part in the tenant, which takes no proof away.
    #[must_use]
    pub fn is_out_of_play(self) -> bool {
        matches!(self, Self::Skipped | Self::NotSupported)
    }
}

/// The coverage of every type: one word for most, and the exceptions with their reasons.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct CoverageMap {
    /// Holds for every type that is not named.
    pub others: Coverage,
    /// The exceptions, by catalog key.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub types: BTreeMap<String, TypeCoverage>,
}

/// The coverage of one type.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct TypeCoverage {
    /// How much was read.
    pub status: Coverage,
    /// Why it is not more, for a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl CoverageMap {
    /// The same for every type.
    #[must_use]
    pub fn all(others: Coverage) -> Self {
        Self { others, types: BTreeMap::new() }
    }

    /// How much of a type was read.
    #[must_use]
    pub fn of(&self, policy_type: &str) -> Coverage {
        self.types.get(policy_type).map_or(self.others, |one| one.status)
    }

    /// Why a type was not read in full; `None` where nobody said.
    #[must_use]
    pub fn reason(&self, policy_type: &str) -> Option<&str> {
        self.types.get(policy_type)?.reason.as_deref()
    }

    /// Notes the coverage of a type.
    pub fn set(&mut self, policy_type: &str, status: Coverage, reason: Option<String>) {
        self.types.insert(policy_type.to_owned(), TypeCoverage { status, reason });
    }

    /// Lowers a type to what a gap leaves of it; what is lower already stays.
    pub fn lower(&mut self, policy_type: &str, to: Coverage, reason: &str) {
        let rank = |coverage| match coverage {
            Coverage::Succeeded => 2,
            Coverage::Partial => 1,
            _ => 0,
        };
        if rank(self.of(policy_type)) > rank(to) {
            self.set(policy_type, to, Some(reason.to_owned()));
        }
    }

    /// The types of a scope that stop a capture: what was not read in full must not become a baseline.
    pub fn unproven<'s>(
        &'s self,
        scope: &'s EffectiveScope,
    ) -> impl Iterator<Item = (&'s str, Coverage)> {
        scope
            .keys()
            .map(|key| (key, self.of(key)))
            .filter(|(_, one)| *one != Coverage::Succeeded && !one.is_out_of_play())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scope::Scope;

    #[test]
    fn exceptions_count_before_the_rest() {
        let mut map = CoverageMap::all(Coverage::Succeeded);
        map.lower("deviceConfiguration", Coverage::Failed, "cut off");
        map.lower("deviceConfiguration", Coverage::Partial, "never raises");
        assert_eq!(map.of("deviceConfiguration"), Coverage::Failed);
        assert_eq!(map.reason("deviceConfiguration"), Some("cut off"));
        map.set("windowsUpdateRing", Coverage::NotSupported, None);
        let scope = Scope::default().effective().unwrap();
        let unproven: Vec<_> = map.unproven(&scope).collect();
        assert_eq!(unproven, [("deviceConfiguration", Coverage::Failed)]);
    }

    #[test]
    fn a_gap_only_lowers() {
        use Coverage::{Failed, NotSupported, Partial, Skipped, Succeeded, Unknown};
        for (from, to, expected) in [
            (Succeeded, Partial, Partial),
            (Succeeded, Failed, Failed),
            (Partial, Failed, Failed),
            (Partial, Partial, Partial),
            (Failed, Partial, Failed),
            (Unknown, Partial, Unknown),
            (Unknown, Failed, Unknown),
            (Skipped, Failed, Skipped),
            (NotSupported, Partial, NotSupported),
        ] {
            let mut map = CoverageMap::all(from);
            map.lower("deviceConfiguration", to, "a gap");
            assert_eq!(map.of("deviceConfiguration"), expected, "{from:?} to {to:?}");
            let reason = (from != expected).then_some("a gap");
            assert_eq!(map.reason("deviceConfiguration"), reason, "{from:?} to {to:?}");
            assert_eq!(map.of("windowsUpdateRing"), from, "no other type");
        }
    }

    #[test]
    fn what_stops_a_capture() {
        use Coverage::{Failed, NotSupported, Partial, Skipped, Succeeded, Unknown};
        let scope =
            Scope { policy_types: vec!["deviceConfiguration".to_owned()], ..Scope::default() };
        let scope = scope.effective().unwrap();
        for (status, stops) in [
            (Succeeded, false),
            (Skipped, false),
            (NotSupported, false),
            (Partial, true),
            (Failed, true),
            (Unknown, true),
        ] {
            let map = CoverageMap::all(status);
            assert_eq!(map.unproven(&scope).next().is_some(), stops, "{status:?}");
            let text = serde_json::to_string(&map).unwrap();
            assert_eq!(text, format!(r#"{{"others":"{}"}}"#, status.as_str()));
            assert_eq!(serde_json::from_str::<CoverageMap>(&text).unwrap(), map);
        }
    }
}
