//! The key grammar. A partition begins with its owner; ids have a fixed length and are made of letters
//! and digits, so no key is the beginning of another's. User text never stands in a key: it is hashed.

use jiff::Timestamp;
use jiff::civil::Date;
use plumbline_governance::ids::{ProfileId, RunId, SnapshotId, TenantId, UploadId, WorkspaceId};
use plumbline_governance::run::RunType;
use plumbline_policy::digest::Digest;
use plumbline_ports::Key;

/// The partition of a workspace's own records.
pub(crate) fn workspace(workspace: WorkspaceId) -> String {
    format!("WS#{workspace}")
}

/// The partition of one tenant's records.
pub(crate) fn tenant(workspace: WorkspaceId, tenant: TenantId) -> String {
    format!("WS#{workspace}#TEN#{tenant}")
}

/// The partition of a workspace's audit, one a month.
pub(crate) fn audit(workspace: WorkspaceId, at: Timestamp) -> String {
    audit_month(workspace, jiff::tz::TimeZone::UTC.to_datetime(at).date())
}

/// The partition of the audit of a date's month.
pub(crate) fn audit_month(workspace: WorkspaceId, date: Date) -> String {
    format!("WS#{workspace}#AUDIT#{:04}-{:02}", date.year(), date.month())
}

/// The partition of one person's workspaces. `subject` is the person's hash.
pub(crate) fn subject(subject: &str) -> String {
    format!("SUBJECT#{subject}")
}

/// The partition of a workspace's requests that are done once.
pub(crate) fn idempotency(workspace: WorkspaceId) -> String {
    format!("WS#{workspace}#IDEM")
}

/// The list of all workspaces.
pub(crate) const WORKSPACES: &str = "WORKSPACES";
/// The nights that are due, in order.
pub(crate) const DUE: &str = "DUE";
/// The overviews that are due, in order.
pub(crate) const OVERVIEWS: &str = "OVERVIEWS";
/// Messages that may have to be sent again, and runs that may have to be closed.
pub(crate) const OUTBOX: &str = "OUTBOX#0";

/// A moment as a part of a key: fixed length, in order.
pub(crate) fn moment(at: Timestamp) -> String {
    format!("{:015}", at.as_millisecond().max(0))
}

/// A digest of user text that stands in a key in its place.
pub(crate) fn hashed(parts: &[&str]) -> String {
    Digest::of(parts.join("\n").as_bytes()).to_string()
}

/// One row of a workspace.
pub(crate) fn in_workspace(id: WorkspaceId, sk: impl Into<String>) -> Key {
    Key::new(workspace(id), sk)
}

/// One row of a tenant.
pub(crate) fn in_tenant(id: WorkspaceId, of: TenantId, sk: impl Into<String>) -> Key {
    Key::new(tenant(id, of), sk)
}

/// Sort keys.
pub(crate) mod sk {
    use super::{
        Date, Digest, ProfileId, RunId, RunType, SnapshotId, TenantId, Timestamp, UploadId,
    };

    pub(crate) const META: &str = "META";
    pub(crate) const STATE: &str = "STATE";
    pub(crate) const ASSIGNMENT: &str = "ASSIGNMENT";
    pub(crate) const POSTURE: &str = "POSTURE";
    pub(crate) const MEMBERS: &str = "MEMBER#";
    pub(crate) const TENANTS: &str = "TENANT#";
    pub(crate) const PROFILES: &str = "PROFILE#";
    pub(crate) const GUARDS: &str = "ACTIVE#";
    pub(crate) const RUNS: &str = "RUN#";
    /// In the list of a workspace.
    pub(crate) const POSTURES: &str = "POSTURE#";
    pub(crate) const FINDINGS: &str = "FINDING#";
    pub(crate) const NIGHTS: &str = "NIGHT#";
    pub(crate) const DOOMED: &str = "DOOMED#";
    pub(crate) const UPLOADS: &str = "UPLOAD#";
    pub(crate) const UPLOAD_PARTS: &str = "UPLOAD_PART#";
    pub(crate) const SUSPECT: &str = "SUSPECT";
    pub(crate) const OVERVIEW: &str = "OVERVIEW";
    pub(crate) const GROUPS: &str = "GROUPS";
    pub(crate) const TRENDS: &str = "TREND#";
    pub(crate) const AUDIT_HEAD: &str = "AUDIT_HEAD";

    /// In the partition of a month's audit.
    pub(crate) fn audit(sequence: u64) -> String {
        format!("{sequence:012}")
    }

    pub(crate) fn member(hash: &str) -> String {
        format!("MEMBER#{hash}")
    }
    pub(crate) fn tenant(id: TenantId) -> String {
        format!("TENANT#{id}")
    }
    pub(crate) fn profile(id: ProfileId) -> String {
        format!("PROFILE#{id}")
    }
    pub(crate) fn snapshots(profile: ProfileId) -> String {
        format!("SNAPSHOT#{profile}#")
    }
    pub(crate) fn snapshot(profile: ProfileId, id: SnapshotId) -> String {
        format!("SNAPSHOT#{profile}#{id}")
    }
    pub(crate) fn name(kind: &str, hash: &str) -> String {
        format!("NAME#{kind}#{hash}")
    }
    /// In the list of a workspace, in the order of time.
    pub(crate) fn listed_snapshot(profile: ProfileId, at: Timestamp, id: SnapshotId) -> String {
        format!("SNAPSHOT#{profile}#{}#{id}", super::moment(at))
    }
    /// In the list of a workspace, in the order of time.
    pub(crate) fn listed_run(at: Timestamp, id: RunId) -> String {
        format!("RUN#{}#{id}", super::moment(at))
    }
    pub(crate) fn night(date: Date) -> String {
        format!("NIGHT#{date}")
    }
    pub(crate) fn run(id: RunId) -> String {
        format!("RUN#{id}")
    }
    pub(crate) fn active(run_type: RunType, identity: impl std::fmt::Display) -> String {
        format!("ACTIVE#{}#{identity}", run_type.as_str())
    }
    pub(crate) fn lineage(snapshot: SnapshotId) -> String {
        format!("LINEAGE#{snapshot}")
    }
    pub(crate) fn finding(row_key: Digest, occurrence: u32) -> String {
        format!("FINDING#{row_key}#{occurrence:06}")
    }
    pub(crate) fn trend(date: Date) -> String {
        format!("{TRENDS}{date}")
    }
    pub(crate) fn upload(id: UploadId) -> String {
        format!("{UPLOADS}{id}")
    }
    pub(crate) fn upload_parts(id: UploadId) -> String {
        format!("{UPLOAD_PARTS}{id}#")
    }
    pub(crate) fn upload_part(id: UploadId, number: u32) -> String {
        format!("{UPLOAD_PARTS}{id}#{number:04}")
    }
    /// Beside the workspaces of a person.
    pub(crate) fn once(hash: &str) -> String {
        format!("IDEM#{hash}")
    }
    /// The row key and the occurrence that the sort key of a finding names.
    pub(crate) fn finding_of(sk: &str) -> Option<(Digest, u32)> {
        let (row_key, occurrence) = sk.strip_prefix(FINDINGS)?.split_once('#')?;
        Some((row_key.parse().ok()?, occurrence.parse().ok()?))
    }
    pub(crate) fn suspect_of(profile: ProfileId) -> String {
        format!("SUSPECT#{profile}")
    }
    /// Two folders may hold the same bytes; each has a doom of its own.
    pub(crate) fn doomed(folder: &str, object: Digest) -> String {
        format!("DOOMED#{}", super::hashed(&[folder, &object.to_string()]))
    }
}

/// Folders of objects.
pub(crate) mod folder {
    use super::{TenantId, WorkspaceId};

    pub(crate) fn workspace(id: WorkspaceId) -> String {
        format!("ws/{id}")
    }
    /// The workspace that a folder belongs to.
    pub(crate) fn owner(folder: &str) -> Option<WorkspaceId> {
        folder.split('/').nth(1)?.parse().ok()
    }
    /// Overviews that are too large for a record.
    pub(crate) fn overview(id: WorkspaceId) -> String {
        format!("ws/{id}/overview")
    }
    /// Answers that are too large for a record.
    pub(crate) fn answers(id: WorkspaceId) -> String {
        format!("ws/{id}/answers")
    }
    pub(crate) fn tenant(id: WorkspaceId, tenant: TenantId, what: &str) -> String {
        format!("ws/{id}/ten/{tenant}/{what}")
    }
    pub(crate) fn baseline(id: WorkspaceId, what: &str) -> String {
        format!("ws/{id}/baseline/{what}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;
    use uuid::Uuid;

    /// Ids that differ in as little as one digit, and ids that differ in everything.
    fn id() -> impl Strategy<Value = Uuid> {
        prop_oneof![any::<u128>(), 0..4_u128].prop_map(Uuid::from_u128)
    }

    fn at() -> impl Strategy<Value = Timestamp> {
        (0..4_000_000_000_000_i64).prop_map(|ms| Timestamp::from_millisecond(ms).unwrap())
    }

    proptest! {
        /// What belongs to a workspace begins with its key and no other's; likewise of a tenant. So a
        /// prefix never reaches into what is somebody else's.
        #[test]
        fn no_key_is_the_beginning_of_another_owners(
            ids in proptest::collection::vec((id(), id(), at()), 2..6),
        ) {
            let mut workspaces = BTreeSet::new();
            let mut tenants = BTreeSet::new();
            let mut all: BTreeSet<(Option<WorkspaceId>, String)> =
                [WORKSPACES, DUE, OUTBOX].map(|key| (None, key.to_owned())).into();
            for (one, other, at) in ids {
                let of = WorkspaceId::from_uuid(one);
                let ten = TenantId::from_uuid(other);
                workspaces.insert((of, workspace(of)));
                tenants.insert(((of, ten), tenant(of, ten)));
                for key in [workspace(of), tenant(of, ten), audit(of, at)] {
                    all.insert((Some(of), key));
                }
                for what in ["index", "pack", "evidence", "spill"] {
                    prop_assert_eq!(folder::owner(&folder::tenant(of, ten, what)), Some(of));
                    prop_assert_eq!(folder::owner(&folder::baseline(of, what)), Some(of));
                }
            }
            for (of, beginning) in &workspaces {
                for (owner, key) in &all {
                    prop_assert_eq!(key.starts_with(beginning), *owner == Some(*of), "{}", key);
                    prop_assert!(owner.is_some() || !beginning.starts_with(key.as_str()));
                }
            }
            for (of, beginning) in &tenants {
                for (owner, key) in &tenants {
                    prop_assert_eq!(key.starts_with(beginning), owner == of, "{}", key);
                }
            }
        }

        /// A listing of one kind of row meets rows of that kind alone.
        #[test]
        fn no_row_is_listed_as_another_kind(one in id(), other in id(), text in ".{0,40}") {
            let digest = Digest::of(text.as_bytes());
            let (profile, snapshot) = (ProfileId::from_uuid(one), SnapshotId::from_uuid(other));
            let rows = [
                sk::META.to_owned(),
                sk::STATE.to_owned(),
                sk::ASSIGNMENT.to_owned(),
                sk::POSTURE.to_owned(),
                sk::member(&hashed(&[&text])),
                sk::tenant(TenantId::from_uuid(one)),
                sk::profile(profile),
                sk::run(RunId::from_uuid(one)),
                sk::finding(digest, 1),
                sk::night(Date::constant(2026, 11, 24)),
                sk::doomed("ws", digest),
                sk::active(RunType::BaselineCompare, profile),
                sk::snapshot(profile, snapshot),
                sk::lineage(snapshot),
                sk::name("tenant", &hashed(&[&text])),
                sk::suspect_of(profile),
            ];
            let kinds = [
                sk::MEMBERS, sk::TENANTS, sk::PROFILES, sk::RUNS, sk::FINDINGS, sk::NIGHTS,
                sk::DOOMED, sk::GUARDS,
            ];
            for kind in kinds {
                let met = rows.iter().filter(|row| row.starts_with(kind)).count();
                prop_assert_eq!(met, 1, "{}", kind);
            }
            let snapshots = sk::snapshots(profile);
            prop_assert_eq!(rows.iter().filter(|row| row.starts_with(&snapshots)).count(), 1);
            // Nothing that a person wrote stands in a key.
            for row in &rows {
                prop_assert!(row.is_ascii() && (text.len() < 6 || !row.contains(&text)), "{}", row);
            }
        }
    }
}
