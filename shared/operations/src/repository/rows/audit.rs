//! The audit: entries that are only ever added, each with the digest of the one before it.

use crate::repository::Row;
use crate::repository::keys::{self, sk};
use jiff::Timestamp;
use plumbline_governance::ids::{TenantId, WorkspaceId};
use plumbline_policy::digest::Digest;
use plumbline_ports::Key;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One line of the audit: who did what to what, from where, and why.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct AuditEntry {
    /// Its place in the workspace's audit, from 1, without a hole.
    pub sequence: u64,
    /// Digest of the entry before it; `None` for the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<Digest>,
    /// Names the entry.
    pub id: uuid::Uuid,
    /// The workspace.
    pub workspace: WorkspaceId,
    /// When; never before the entry before it.
    #[schemars(with = "plumbline_governance::schema::Moment")]
    pub at: Timestamp,
    /// Who.
    pub actor: String,
    /// Who vouches for them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// Where the request came from: `command`, or an IP address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// What, such as `finding.accept`.
    pub action: String,
    /// To what: an id.
    pub target: String,
    /// The tenant it concerns, if one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<TenantId>,
    /// Why, where a reason is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Digest of the thing before; `None` when it is new.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Digest>,
    /// Digest of the thing after; `None` when it is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Digest>,
}

impl AuditEntry {
    /// What the next entry names it by: SHA-256 of the entry as it is stored, as JSON in the order of its
    /// members here, without those that are not there.
    #[must_use]
    pub fn digest(&self) -> Digest {
        // Writing plain data to memory cannot fail.
        Digest::of(&serde_json::to_vec(self).unwrap_or_default())
    }
}

impl Row for AuditEntry {
    const WHAT: &'static str = "audit entry";
    fn key(&self) -> Key {
        Key::new(keys::audit(self.workspace, self.at), sk::audit(self.sequence))
    }
    fn spill_folder(&self) -> String {
        keys::folder::workspace(self.workspace)
    }
}

/// The last entry of a workspace's audit: what the next one goes on from.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct AuditHead {
    pub(crate) workspace: WorkspaceId,
    pub(crate) sequence: u64,
    pub(crate) digest: Digest,
    pub(crate) at: Timestamp,
}

impl AuditHead {
    pub(crate) fn key_of(workspace: WorkspaceId) -> Key {
        keys::in_workspace(workspace, sk::AUDIT_HEAD)
    }

    pub(crate) fn of(entry: &AuditEntry) -> Self {
        let AuditEntry { workspace, sequence, at, .. } = entry;
        Self { workspace: *workspace, sequence: *sequence, digest: entry.digest(), at: *at }
    }
}

impl Row for AuditHead {
    const WHAT: &'static str = "audit head";
    fn key(&self) -> Key {
        Self::key_of(self.workspace)
    }
    fn spill_folder(&self) -> String {
        keys::folder::workspace(self.workspace)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The digest of an entry is a contract: a chain that was written must be walked by every program
    /// after it.
    #[test]
    fn the_digest_of_an_entry_is_fixed() {
        let at: Timestamp = "2026-11-24T01:02:03.004Z".parse().unwrap();
        let entry = AuditEntry {
            sequence: 7,
            previous: Some(Digest::of(b"6")),
            id: uuid::Uuid::from_u128(7),
            workspace: WorkspaceId::from_uuid(uuid::Uuid::from_u128(1)),
            at,
            actor: "eve".to_owned(),
            issuer: Some("local".to_owned()),
            from: Some("command".to_owned()),
            action: "finding.accept".to_owned(),
            target: "fnd_1".to_owned(),
            tenant: Some(TenantId::from_uuid(uuid::Uuid::from_u128(2))),
            reason: Some("by design".to_owned()),
            before: None,
            after: Some(Digest::of(b"after")),
        };
        assert_eq!(
            entry.digest().to_string(),
            "65c9415facba2b21735fe76b44d5f5b9f6c56ab39624bc0ca52d5571f3f46450"
        );
        let key = entry.key();
        assert!(key.pk.ends_with("#AUDIT#2026-11") && key.sk == "000000000007", "{key}");
        assert_eq!(AuditHead::of(&entry).digest, entry.digest());
    }
}
