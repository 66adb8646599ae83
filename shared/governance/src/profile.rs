//! Baseline profiles: what good looks like, and for which types.

use crate::ids::{ProfileId, SnapshotId, WorkspaceId};
use crate::report::Facet;
use crate::scope::{EffectiveScope, Scope, ScopeError};
use crate::severity::{RULES, Severity};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Where a profile stands (seed 101).
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum ProfileStatus {
    /// Being written; no tenant is compared with it.
    Draft,
    /// In force.
    Active,
    /// Put away for good.
    Archived,
}

impl ProfileStatus {
    /// The word used in JSON and in the badge catalog.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Active => "active",
            Self::Archived => "archived",
        }
    }

    /// Whether a profile may go from this status to another: draft ↔ active, and either to archived.
    #[must_use]
    pub fn may_become(self, to: Self) -> bool {
        matches!(
            (self, to),
            (Self::Draft, Self::Active | Self::Archived)
                | (Self::Active, Self::Draft | Self::Archived)
        )
    }
}

/// A baseline profile.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct Profile {
    /// Its id.
    pub id: ProfileId,
    /// Its owner.
    pub workspace: WorkspaceId,
    /// Its name, unique in the workspace without regard to case.
    pub name: String,
    /// For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// For people, such as `2026.1`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version_label: Option<String>,
    /// Where it stands.
    pub status: ProfileStatus,
    /// The types it holds.
    pub scope: Scope,
    /// The facets that count.
    pub facets: Vec<Facet>,
    /// Severities it gives to rules instead of their own.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub severities: BTreeMap<String, Severity>,
    /// The snapshot that tenants are compared with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active_snapshot: Option<SnapshotId>,
    /// Who made it.
    pub created_by: String,
    /// When.
    #[schemars(with = "crate::schema::Moment")]
    pub created_at: Timestamp,
    /// When it was last changed.
    #[schemars(with = "crate::schema::Moment")]
    pub updated_at: Timestamp,
}

/// Why a profile is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadProfile {
    /// Its scope.
    #[error(transparent)]
    Scope(#[from] ScopeError),
    /// A severity for a rule that does not exist.
    #[error("`{0}` is no severity rule; every finding names the rule that rated it")]
    Rule(String),
    /// No facet counts.
    #[error("no facet counts; name at least one of content, label and assignments")]
    Facets,
    /// A step that statuses do not allow.
    #[error(
        "an {from} profile cannot become {to}; draft and active change into each other, and archived is final"
    )]
    Status {
        /// Where it stands.
        from: &'static str,
        /// Where it was to go.
        to: &'static str,
    },
    /// Activation without a snapshot.
    #[error("the profile has no snapshot; capture one first")]
    NoSnapshot,
}

impl Profile {
    /// Checks what a person may give: scope, facets, severities. Returns the scope spelt out.
    ///
    /// # Errors
    /// Names what is wrong.
    pub fn check(&self) -> Result<EffectiveScope, BadProfile> {
        if self.facets.is_empty() {
            return Err(BadProfile::Facets);
        }
        if let Some(rule) =
            self.severities.keys().find(|rule| !RULES.iter().any(|(id, _, _)| id == rule))
        {
            return Err(BadProfile::Rule(rule.clone()));
        }
        Ok(self.scope.effective()?)
    }

    /// Takes a step of its life.
    ///
    /// # Errors
    /// Refuses steps that the statuses do not allow, and activation without a snapshot.
    pub fn become_status(&mut self, to: ProfileStatus, now: Timestamp) -> Result<(), BadProfile> {
        if !self.status.may_become(to) {
            return Err(BadProfile::Status { from: self.status.as_str(), to: to.as_str() });
        }
        if to == ProfileStatus::Active && self.active_snapshot.is_none() {
            return Err(BadProfile::NoSnapshot);
        }
        self.status = to;
        self.updated_at = now;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_of_a_profile() {
        use ProfileStatus::{Active, Archived, Draft};
        for (from, to, allowed) in [
            (Draft, Active, true),
            (Active, Draft, true),
            (Active, Archived, true),
            (Draft, Archived, true),
            (Archived, Draft, false),
            (Archived, Active, false),
            (Draft, Draft, false),
        ] {
            assert_eq!(from.may_become(to), allowed, "{from:?} {to:?}");
        }
    }
}
