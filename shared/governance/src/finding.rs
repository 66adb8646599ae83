//! Findings: how drift is named, kept, and carried through its life.
//!
//! Two names: the fingerprint names a drift exactly, the recurrence key names it over time.

pub mod reconcile;
pub mod record;
pub mod seen;
pub mod state;

use crate::ids::{ProfileId, TenantId, WorkspaceId};
use crate::report::ChangeType;
use plumbline_policy::digest::Digest;
use serde::Serialize;

/// Whose drift it is. Folders have no tenant and no profile; theirs is [`Owner::offline`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// The workspace.
    pub workspace: String,
    /// The tenant.
    pub tenant: String,
    /// The profile.
    pub profile: String,
    /// `baseline_profile:<id>` (seed 101).
    pub scope_key: String,
}

const OFFLINE: &str = "offline";

impl Owner {
    /// The owner of a compare of folders.
    #[must_use]
    pub fn offline() -> Self {
        let word = || OFFLINE.to_owned();
        Self { workspace: word(), tenant: word(), profile: word(), scope_key: word() }
    }

    /// The owner of a tenant's compare with a profile.
    #[must_use]
    pub fn of(workspace: WorkspaceId, tenant: TenantId, profile: ProfileId) -> Self {
        Self {
            workspace: workspace.to_string(),
            tenant: tenant.to_string(),
            profile: profile.to_string(),
            scope_key: format!("baseline_profile:{profile}"),
        }
    }

    /// Whether this is the owner of a compare of folders.
    #[must_use]
    pub fn is_offline(&self) -> bool {
        self.scope_key == OFFLINE
    }
}

/// The subject type of every drift (seed 101); `policy_type` tells the kinds apart.
const SUBJECT_TYPE: &str = "policy";

/// What a fingerprint is made of besides its owner.
#[derive(Clone, Copy, Debug)]
pub struct Fingerprint<'f> {
    /// Catalog key.
    pub policy_type: &'f str,
    /// The subject's id in Graph.
    pub external_id: Option<&'f str>,
    /// The subject's key.
    pub subject_key: Option<&'f str>,
    /// Missing, different or unexpected.
    pub change_type: ChangeType,
    /// The golden version over the compared facets.
    pub baseline_hash: Option<Digest>,
    /// The other version over the compared facets.
    pub current_hash: Option<Digest>,
}

impl Fingerprint<'_> {
    /// Names this exact drift (contracts 4.1): any later change of either side gives another one.
    #[must_use]
    pub fn digest(&self, owner: &Owner) -> Digest {
        hash(&(
            1,
            &owner.tenant,
            &owner.scope_key,
            SUBJECT_TYPE,
            self.policy_type,
            self.external_id,
            self.subject_key,
            self.change_type,
            self.baseline_hash,
            self.current_hash,
        ))
    }
}

/// Names the drift of a subject over time (contracts 4.2): no hashes, no change type, no version in
/// the name.
#[must_use]
pub fn recurrence_key(owner: &Owner, policy_type: &str, subject_ref: Option<&str>) -> Digest {
    hash(&(1, &owner.workspace, &owner.tenant, &owner.profile, policy_type, subject_ref))
}

/// An array of strings, numbers and nulls is canonical as `serde_json` writes it.
fn hash(value: &impl Serialize) -> Digest {
    Digest::of(&serde_json::to_vec(value).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn golden_vectors() {
        let key = r#"["settingsCatalogPolicy","windows10","","win - laps - v3.1"]"#;
        let fingerprint = Fingerprint {
            policy_type: "settingsCatalogPolicy",
            external_id: Some("ccde33f8-d5c4-411c-9bbe-371e9894d1f9"),
            subject_key: Some(key),
            change_type: ChangeType::MissingPolicy,
            baseline_hash: Some(Digest::of(b"x")),
            current_hash: None,
        };
        let text = format!(
            "[1,\"offline\",\"offline\",\"policy\",\"settingsCatalogPolicy\",\
             \"ccde33f8-d5c4-411c-9bbe-371e9894d1f9\",{},\"missing_policy\",\"{}\",null]",
            serde_json::to_string(key).unwrap(),
            Digest::of(b"x"),
        );
        assert_eq!(fingerprint.digest(&Owner::offline()), Digest::of(text.as_bytes()));
        assert_eq!(
            recurrence_key(&Owner::offline(), "a", Some("b")),
            Digest::of(br#"[1,"offline","offline","offline","a","b"]"#)
        );
    }
}
