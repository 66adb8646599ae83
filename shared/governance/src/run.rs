//! Operation runs: what was started, how far it came, and how it ended. Every run ends.

use crate::ids::{ProfileId, RunId, SnapshotId, TenantId, WorkspaceId};
use jiff::Timestamp;
use jiff::civil::Date;
use plumbline_policy::digest::Digest;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a run does. The words of the seeds stay as they are.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum RunType {
    /// Reads what a tenant has.
    InventoryImport,
    /// Freezes a tenant's state into a snapshot.
    BaselineCapture,
    /// Compares a tenant with its baseline.
    BaselineCompare,
    /// Derives stored captures again under new rules.
    Renormalise,
}

impl RunType {
    /// The word used in JSON and in keys.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InventoryImport => "inventory_import",
            Self::BaselineCapture => "baseline_capture",
            Self::BaselineCompare => "baseline_compare",
            Self::Renormalise => "renormalise",
        }
    }
}

/// How a run ended, or that it has not.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum RunOutcome {
    /// It has not ended.
    Pending,
    /// It did everything.
    Succeeded,
    /// It did what could be proven.
    Partial,
    /// Something has to be done first.
    Blocked,
    /// It could not do its work.
    Failed,
    /// It was not wanted any more.
    Cancelled,
}

impl RunOutcome {
    /// The word used in JSON and in the badge catalog.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Succeeded => "succeeded",
            Self::Partial => "partial",
            Self::Blocked => "blocked",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

/// Why a run ended as it did, when that was not success (contracts 5.7).
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum ReasonCode {
    /// Some types or subjects were not proven.
    NotProven,
    /// Nothing was ever imported for the tenant.
    NoInventory,
    /// The inventory is older than the workspace allows.
    InventoryTooOld,
    /// Types of the scope were not read in full.
    UnprovenTypes,
    /// A type fell from many objects to none, and nobody confirmed it.
    ConfirmEmpty,
    /// The tenant has no profile.
    NotAssigned,
    /// The profile is not active.
    ProfileNotActive,
    /// The profile has no snapshot.
    NoSnapshot,
    /// Snapshot and state were made under different rules.
    RenormalisePending,
    /// A newer run took its place.
    Superseded,
    /// Profile, tenant or workspace is gone.
    Deleted,
    /// A person ended it.
    ByPerson,
    /// No worker finished it in time.
    NoDelivery,
    /// Its message could not be understood or was given up.
    PoisonMessage,
    /// An object it needs is gone.
    MissingObject,
    /// Stored bytes are not what they were.
    CorruptObject,
    /// Something else changed the tenant's state at the same time.
    Conflict,
    /// The input could not be read.
    BadInput,
    /// The message names another workspace than its tenant's.
    ScopeMismatch,
}

impl ReasonCode {
    /// The word used in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotProven => "not_proven",
            Self::NoInventory => "no_inventory",
            Self::InventoryTooOld => "inventory_too_old",
            Self::UnprovenTypes => "unproven_types",
            Self::ConfirmEmpty => "confirm_empty",
            Self::NotAssigned => "not_assigned",
            Self::ProfileNotActive => "profile_not_active",
            Self::NoSnapshot => "no_snapshot",
            Self::RenormalisePending => "renormalise_pending",
            Self::Superseded => "superseded",
            Self::Deleted => "deleted",
            Self::ByPerson => "by_person",
            Self::NoDelivery => "no_delivery",
            Self::PoisonMessage => "poison_message",
            Self::MissingObject => "missing_object",
            Self::CorruptObject => "corrupt_object",
            Self::Conflict => "conflict",
            Self::BadInput => "bad_input",
            Self::ScopeMismatch => "scope_mismatch",
        }
    }
}

/// A reason with a sentence that says what to do next.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct Failure {
    /// For programs.
    pub reason_code: ReasonCode,
    /// For people.
    pub message: String,
}

/// Who or what started a run.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum Trigger {
    /// A person.
    Person {
        /// Who.
        actor: String,
    },
    /// The night of a local date.
    Night {
        /// The date.
        #[schemars(with = "crate::schema::Day")]
        date: Date,
    },
}

/// How far a run is.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum RunState {
    /// Waits for a worker.
    Queued,
    /// A worker has it.
    Running {
        /// When the worker took it.
        #[schemars(with = "crate::schema::Moment")]
        started_at: Timestamp,
        /// The fencing counter of the worker's lease.
        fence: u64,
    },
    /// Done, one way or another.
    Completed {
        /// When a worker took it; `None` if none did.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(with = "Option<crate::schema::Moment>")]
        started_at: Option<Timestamp>,
        /// When it ended.
        #[schemars(with = "crate::schema::Moment")]
        finished_at: Timestamp,
        /// How it ended; never pending.
        outcome: RunOutcome,
        /// Why, when that was not success.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        failure: Option<Failure>,
    },
}

/// What a run was given and what it found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct RunContext {
    /// The profile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline_profile_id: Option<ProfileId>,
    /// The snapshot, frozen when the run was queued; the one a capture made or confirmed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline_snapshot_id: Option<SnapshotId>,
    /// The tenant that a capture reads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_tenant_id: Option<TenantId>,
    /// Digest of the spelt-out scope.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effective_scope_hash: Option<Digest>,
    /// The state that was read, frozen when the run was queued.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state_root: Option<Digest>,
    /// The object that holds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state_index: Option<Digest>,
    /// What a capture came to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline_capture: Option<CaptureResult>,
    /// What a compare came to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline_compare: Option<CompareResult>,
    /// What an import came to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inventory_import: Option<ImportResult>,
    /// What was asked of the stores.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub usage: BTreeMap<String, u64>,
}

/// What a capture came to.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct CaptureResult {
    /// Subjects of the snapshot.
    pub items: u64,
    /// Whether the profile held an equal snapshot already, which this run confirms.
    pub confirmed_existing: bool,
}

/// What an import came to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct ImportResult {
    /// Subjects of comparable types.
    pub policies: u64,
    /// Payloads that were written.
    pub written: u64,
    /// Payloads that stood in the packs already.
    pub kept: u64,
    /// Gaps that lower trust.
    pub gaps: u64,
    /// Whether the state root differs from the one before.
    pub changed: bool,
}

/// What a compare came to, in full; the canonical counts stand in `summary_counts`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct CompareResult {
    /// How much was proven.
    pub trust: String,
    /// Whether the memo answered, because nothing had changed.
    pub from_memo: bool,
    /// Counts of role definitions under the words of seed 128.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rbac_role_definitions: Option<RoleSummary>,
    /// What was not proven, the first hundred.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gaps: Vec<String>,
    /// Subjects without a verdict, the first hundred.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub suppressed: Vec<String>,
}

/// Counts of role definitions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct RoleSummary {
    /// Roles with a verdict.
    pub total_compared: u64,
    /// Equal roles.
    pub unchanged: u64,
    /// Roles that differ.
    pub modified: u64,
    /// Roles that only the baseline has.
    pub missing: u64,
    /// Roles that only the tenant has.
    pub unexpected: u64,
}

/// One run.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct Run {
    /// Its id.
    pub id: RunId,
    /// The workspace.
    pub workspace: WorkspaceId,
    /// The tenant it reads.
    pub tenant: TenantId,
    /// What it does.
    #[serde(rename = "type")]
    pub run_type: RunType,
    /// Who or what started it.
    pub trigger: Trigger,
    /// When it was started.
    #[schemars(with = "crate::schema::Moment")]
    pub created_at: Timestamp,
    /// When it is given up.
    #[schemars(with = "crate::schema::Moment")]
    pub deadline: Timestamp,
    /// How far it is.
    #[serde(flatten)]
    pub state: RunState,
    /// What it was given and what it found.
    pub context: RunContext,
    /// The canonical counts.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub summary_counts: BTreeMap<String, u64>,
}

/// A step that the state of a run does not allow.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the run is {status} and cannot be {verb}")]
pub struct BadStep {
    /// How far it is.
    pub status: &'static str,
    /// What was to happen.
    pub verb: &'static str,
}

impl Run {
    /// The word for how far it is.
    #[must_use]
    pub fn status(&self) -> &'static str {
        match self.state {
            RunState::Queued => "queued",
            RunState::Running { .. } => "running",
            RunState::Completed { .. } => "completed",
        }
    }

    /// How it ended.
    #[must_use]
    pub fn outcome(&self) -> RunOutcome {
        match self.state {
            RunState::Completed { outcome, .. } => outcome,
            _ => RunOutcome::Pending,
        }
    }

    /// Why it ended as it did.
    #[must_use]
    pub fn failure(&self) -> Option<&Failure> {
        match &self.state {
            RunState::Completed { failure, .. } => failure.as_ref(),
            _ => None,
        }
    }

    /// Whether it ended.
    #[must_use]
    pub fn is_completed(&self) -> bool {
        matches!(self.state, RunState::Completed { .. })
    }

    /// A worker takes it, for the first time or after another worker's lease ended.
    ///
    /// # Errors
    /// A run that ended cannot be taken.
    pub fn claim(&mut self, now: Timestamp, fence: u64) -> Result<(), BadStep> {
        let started_at = match self.state {
            RunState::Queued => now,
            RunState::Running { started_at, .. } => started_at,
            RunState::Completed { .. } => {
                return Err(BadStep { status: self.status(), verb: "claimed" });
            }
        };
        self.state = RunState::Running { started_at, fence };
        Ok(())
    }

    /// Ends it.
    ///
    /// # Errors
    /// A run ends once.
    pub fn finish(
        &mut self,
        now: Timestamp,
        outcome: RunOutcome,
        failure: Option<Failure>,
    ) -> Result<(), BadStep> {
        let started_at = match self.state {
            RunState::Queued => None,
            RunState::Running { started_at, .. } => Some(started_at),
            RunState::Completed { .. } => {
                return Err(BadStep { status: self.status(), verb: "finished" });
            }
        };
        self.state = RunState::Completed { started_at, finished_at: now, outcome, failure };
        Ok(())
    }
}

impl RunId {
    /// The id of a scheduled run: the same for the same workspace, tenant, type and local date, whoever
    /// starts it and how often. It sorts by the moment the night was due, which stands in front; the
    /// record of a night fixes that moment once for its date.
    #[must_use]
    pub fn scheduled(
        workspace: WorkspaceId,
        tenant: TenantId,
        run_type: RunType,
        date: Date,
        due: Timestamp,
    ) -> Self {
        let text = format!("{workspace}\n{tenant}\n{}\n{date}", run_type.as_str());
        let digest = Digest::of(text.as_bytes());
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&digest.as_bytes()[..16]);
        let millis = due.as_millisecond().to_be_bytes();
        bytes[..6].copy_from_slice(&millis[2..]);
        Self::from_custom_bytes(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run() -> Run {
        let of = |text: &str| Digest::of(text.as_bytes());
        Run {
            id: RunId::derive(&of("r")),
            workspace: WorkspaceId::derive(&of("w")),
            tenant: TenantId::derive(&of("t")),
            run_type: RunType::BaselineCompare,
            trigger: Trigger::Person { actor: "me".to_owned() },
            created_at: Timestamp::UNIX_EPOCH,
            deadline: Timestamp::UNIX_EPOCH,
            state: RunState::Queued,
            context: RunContext::default(),
            summary_counts: BTreeMap::new(),
        }
    }

    #[test]
    fn a_run_ends_once() {
        let now = Timestamp::UNIX_EPOCH;
        let mut run = run();
        assert_eq!((run.status(), run.outcome().as_str()), ("queued", "pending"));
        run.claim(now, 1).unwrap();
        run.claim(now, 2).unwrap();
        assert_eq!(run.status(), "running");
        run.finish(now, RunOutcome::Succeeded, None).unwrap();
        assert!(run.finish(now, RunOutcome::Failed, None).is_err());
        assert!(run.claim(now, 3).is_err());
        let text = serde_json::to_string(&run).unwrap();
        assert!(
            text.contains(r#""status":"completed""#) && text.contains(r#""outcome":"succeeded""#)
        );
        assert_eq!(serde_json::from_str::<Run>(&text).unwrap(), run);
    }

    #[test]
    fn scheduled_ids_name_the_night() {
        let run = run();
        let date: Date = "2026-11-24".parse().unwrap();
        let due: Timestamp = "2026-11-24T02:00:00Z".parse().unwrap();
        let id = |due| RunId::scheduled(run.workspace, run.tenant, run.run_type, date, due);
        assert_eq!(id(due), id(due));
        assert_eq!(id(due).as_uuid().get_version_num(), 8);
        let later = due.checked_add(jiff::SignedDuration::from_secs(1)).unwrap();
        assert!(id(due) < id(later));
        // The moment it is due in front, so that runs sort by time; then the digest of the four parts.
        let text = format!("{}\n{}\nbaseline_compare\n2026-11-24", run.workspace, run.tenant);
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&Digest::of(text.as_bytes()).as_bytes()[..16]);
        bytes[..6].copy_from_slice(&due.as_millisecond().to_be_bytes()[2..]);
        assert_eq!(id(due), RunId::from_custom_bytes(bytes));
        // Each of the four parts counts.
        let of = |text: &str| Digest::of(text.as_bytes());
        let others = [
            RunId::scheduled(WorkspaceId::derive(&of("x")), run.tenant, run.run_type, date, due),
            RunId::scheduled(run.workspace, TenantId::derive(&of("x")), run.run_type, date, due),
            RunId::scheduled(run.workspace, run.tenant, RunType::BaselineCapture, date, due),
            RunId::scheduled(
                run.workspace,
                run.tenant,
                run.run_type,
                date.tomorrow().unwrap(),
                due,
            ),
        ];
        for other in others {
            assert_ne!(other, id(due));
        }
    }
}
