//! Scope: which types a baseline holds. An override can only narrow.

use plumbline_policy::catalog::{Kind, PolicyType, ROLE_DEFINITION, Support, catalog};
use plumbline_policy::digest::Digest;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A scope as it is written (seed 101, with the foundations of seed 128).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Scope {
    /// Policy types; empty means every type that can be compared.
    #[serde(default)]
    pub policy_types: Vec<String>,
    /// Foundations; empty means none.
    #[serde(default)]
    pub foundation_types: Vec<String>,
}

/// Why a scope is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScopeError {
    /// A key that the catalog does not hold.
    #[error("`{0}` is not a policy type; `plumbline policy-types` lists them")]
    Unknown(String),
    /// A foundation among policies, or the reverse.
    #[error("`{key}` is a {is}; name it in `{belongs}`")]
    WrongList {
        /// The key.
        key: String,
        /// What it is.
        is: &'static str,
        /// The list it belongs to.
        belongs: &'static str,
    },
    /// A type that baselines do not hold.
    #[error("`{key}` cannot be part of a baseline: {reason}")]
    Unsupported {
        /// The key.
        key: String,
        /// Why.
        reason: String,
    },
    /// An override that names a type the profile's scope does not hold.
    #[error("`{0}` is not in the profile's scope; an override can only narrow it")]
    Widens(String),
}

/// A scope with every "all" spelt out: sorted keys of comparable types.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EffectiveScope {
    keys: BTreeSet<String>,
}

impl Scope {
    /// Spells the scope out.
    ///
    /// # Errors
    /// Refuses unknown, misplaced and unsupported types; nothing is dropped silently.
    pub fn effective(&self) -> Result<EffectiveScope, ScopeError> {
        let mut keys = BTreeSet::new();
        if self.policy_types.is_empty() {
            keys.extend(
                catalog()
                    .types()
                    .iter()
                    .filter(|one| one.kind == Kind::Policy && one.is_comparable())
                    .map(|one| one.key.clone()),
            );
        }
        for key in &self.policy_types {
            keys.insert(check(key, Kind::Policy)?.key.clone());
        }
        for key in &self.foundation_types {
            keys.insert(check(key, Kind::Foundation)?.key.clone());
        }
        Ok(EffectiveScope { keys })
    }
}

fn check(key: &str, kind: Kind) -> Result<&'static PolicyType, ScopeError> {
    let found = catalog().get(key).map_err(|_| ScopeError::Unknown(key.to_owned()))?;
    if found.kind != kind {
        let (is, belongs) = match found.kind {
            Kind::Policy => ("policy", "policy_types"),
            Kind::Foundation => ("foundation", "foundation_types"),
        };
        return Err(ScopeError::WrongList { key: key.to_owned(), is, belongs });
    }
    if found.support == Support::Unsupported {
        let reason = found.reason.clone().unwrap_or_else(|| "it is not supported".to_owned());
        return Err(ScopeError::Unsupported { key: key.to_owned(), reason });
    }
    Ok(found)
}

impl EffectiveScope {
    /// The scope of a compare of folders: every type that can be compared, role definitions included.
    ///
    /// # Panics
    /// Never: the keys come from the catalog.
    #[must_use]
    pub fn everything() -> Self {
        let scope =
            Scope { policy_types: Vec::new(), foundation_types: vec![ROLE_DEFINITION.to_owned()] };
        scope.effective().unwrap_or_else(|_| Self { keys: BTreeSet::new() })
    }

    /// Whether a type is in scope.
    #[must_use]
    pub fn holds(&self, key: &str) -> bool {
        self.keys.contains(key)
    }

    /// The keys, sorted.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.keys.iter().map(String::as_str)
    }

    /// Narrows the scope to an override. Both are compared spelt out, so that "all" cannot widen.
    ///
    /// # Errors
    /// Names the first type that the scope does not hold.
    pub fn narrow(&self, to: &Scope) -> Result<Self, ScopeError> {
        let mut keys = BTreeSet::new();
        for (list, kind) in
            [(&to.policy_types, Kind::Policy), (&to.foundation_types, Kind::Foundation)]
        {
            for key in list {
                let key = &check(key, kind)?.key;
                if !self.holds(key) {
                    return Err(ScopeError::Widens(key.clone()));
                }
                keys.insert(key.clone());
            }
        }
        Ok(Self { keys })
    }

    /// The types that a rule keeps.
    #[must_use]
    pub fn only(&self, keep: impl Fn(&str) -> bool) -> Self {
        Self { keys: self.keys.iter().filter(|key| keep(key)).cloned().collect() }
    }

    /// Digest of the spelt-out scope, kept with every run.
    #[must_use]
    pub fn hash(&self) -> Digest {
        let keys: Vec<&str> = self.keys().collect();
        Digest::of(&serde_json::to_vec(&keys).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(policies: &[&str], foundations: &[&str]) -> Scope {
        let own = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect();
        Scope { policy_types: own(policies), foundation_types: own(foundations) }
    }

    #[test]
    fn all_policies_never_include_a_foundation() {
        let all = scope(&[], &[]).effective().unwrap();
        assert!(all.holds("settingsCatalogPolicy") && all.holds("conditionalAccessPolicy"));
        for one in catalog().types() {
            if one.kind == Kind::Foundation || !one.is_comparable() {
                assert!(!all.holds(&one.key), "{}", one.key);
            }
        }
        assert!(EffectiveScope::everything().holds(ROLE_DEFINITION));
        assert!(!EffectiveScope::everything().holds("intuneRoleAssignment"));
    }

    #[test]
    fn role_assignments_and_strangers_are_refused_by_name() {
        assert!(matches!(
            scope(&[], &["intuneRoleAssignment"]).effective(),
            Err(ScopeError::Unsupported { .. })
        ));
        assert!(matches!(
            scope(&["intuneRoleDefinition"], &[]).effective(),
            Err(ScopeError::WrongList { belongs: "foundation_types", .. })
        ));
        assert_eq!(
            scope(&["nonsense"], &[]).effective(),
            Err(ScopeError::Unknown("nonsense".to_owned()))
        );
    }

    #[test]
    fn an_override_only_narrows() {
        let profile =
            scope(&["settingsCatalogPolicy", "deviceConfiguration"], &[]).effective().unwrap();
        let narrow = profile.narrow(&scope(&["deviceConfiguration"], &[])).unwrap();
        assert_eq!(narrow.keys().collect::<Vec<_>>(), ["deviceConfiguration"]);
        assert_ne!(narrow.hash(), profile.hash());
        assert_eq!(
            profile.narrow(&scope(&["windowsUpdateRing"], &[])),
            Err(ScopeError::Widens("windowsUpdateRing".to_owned()))
        );
    }
}
