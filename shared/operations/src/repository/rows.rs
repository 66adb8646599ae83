//! The kinds of rows, where each stands and what it may become.

mod audit;
mod once;
mod overview;
mod people;
mod upload;

pub use audit::AuditEntry;
pub(crate) use audit::AuditHead;
pub(crate) use once::{ONCE_HOURS, OnceRow};
pub use overview::{DriftGroup, DriftGroups, GroupSample, Overview, Totals, TrendPoint};
pub(crate) use overview::{OverviewDue, TREND_DAYS};
pub(crate) use people::{MemberRow, SubjectRow};
pub(crate) use upload::{PartRow, UploadRow};

use super::Row;
use super::keys::{self, folder, sk};
use jiff::Timestamp;
use jiff::civil::Date;
use plumbline_governance::coverage::CoverageMap;
use plumbline_governance::finding::record::Finding;
use plumbline_governance::finding::seen::SeenCounters;
use plumbline_governance::ids::{ProfileId, RunId, SnapshotId, TenantId, WorkspaceId};
use plumbline_governance::matching::RoleMappings;
use plumbline_governance::profile::Profile;
use plumbline_governance::run::{
    CompareResult, Failure, Run, RunOutcome, RunState, RunType, Trigger,
};
use plumbline_governance::schedule::Schedule;
use plumbline_governance::scope::Scope;
use plumbline_governance::severity::Severity;
use plumbline_policy::digest::Digest;
use plumbline_policy::tenant::TenantFacts;
use plumbline_ports::{Index, IndexKey, Key};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A workspace: the owner of baselines.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct Workspace {
    /// Its id.
    pub id: WorkspaceId,
    /// Its name.
    pub name: String,
    /// When its nightly compares start; `None`: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Schedule>,
    /// The moment at which its next night is due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<plumbline_governance::schema::Moment>")]
    pub next_night: Option<Timestamp>,
    /// How old an inventory may be, in hours, before nothing is concluded from it.
    pub inventory_max_age_hours: u32,
    /// When it was made.
    #[schemars(with = "plumbline_governance::schema::Moment")]
    pub created_at: Timestamp,
}

impl Row for Workspace {
    const WHAT: &'static str = "workspace";
    fn key(&self) -> Key {
        keys::in_workspace(self.id, sk::META)
    }
    fn spill_folder(&self) -> String {
        keys::folder::workspace(self.id)
    }
}

/// A workspace in the list of all.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct WorkspaceEntry {
    pub(crate) id: WorkspaceId,
}

impl Row for WorkspaceEntry {
    const WHAT: &'static str = "workspace entry";
    fn key(&self) -> Key {
        Key::new(keys::WORKSPACES, self.id.to_string())
    }
    fn spill_folder(&self) -> String {
        keys::folder::workspace(self.id)
    }
}

/// Whether a tenant is governed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TenantStatus {
    /// Governed.
    Active,
    /// Put away: no imports, no compares.
    Archived,
}

impl TenantStatus {
    /// The word used in JSON and in the badge catalog.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Archived => "archived",
        }
    }
}

/// A governed tenant.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct Tenant {
    /// Its id.
    pub id: TenantId,
    /// Its workspace.
    pub workspace: WorkspaceId,
    /// Its name, unique in the workspace without regard to case.
    pub name: String,
    /// Whether it is governed.
    pub status: TenantStatus,
    /// Its Entra tenant id, domains and Intune account id.
    #[serde(default)]
    pub facts: TenantFacts,
    /// The profile it is held to; the assignment says more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<ProfileId>,
    /// When it was added.
    #[schemars(with = "plumbline_governance::schema::Moment")]
    pub created_at: Timestamp,
}

impl Row for Tenant {
    const WHAT: &'static str = "tenant";
    fn key(&self) -> Key {
        keys::in_workspace(self.workspace, sk::tenant(self.id))
    }
    fn spill_folder(&self) -> String {
        keys::folder::workspace(self.workspace)
    }
}

impl Row for Profile {
    const WHAT: &'static str = "profile";
    fn key(&self) -> Key {
        keys::in_workspace(self.workspace, sk::profile(self.id))
    }
    fn spill_folder(&self) -> String {
        keys::folder::baseline(self.workspace, "spill")
    }
}

/// Keeps a name to one owner.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct NameGuard {
    pub(crate) workspace: WorkspaceId,
    pub(crate) kind: String,
    /// The folded name, hashed.
    pub(crate) hash: String,
    /// Who has it.
    pub(crate) owner: String,
}

impl NameGuard {
    pub(crate) fn of(workspace: WorkspaceId, kind: &str, name: &str, owner: String) -> Self {
        let hash = keys::hashed(&[&plumbline_policy::name::fold(name)]);
        Self { workspace, kind: kind.to_owned(), hash, owner }
    }
}

impl Row for NameGuard {
    const WHAT: &'static str = "name";
    fn key(&self) -> Key {
        keys::in_workspace(self.workspace, sk::name(&self.kind, &self.hash))
    }
    fn spill_folder(&self) -> String {
        keys::folder::workspace(self.workspace)
    }
}

/// A snapshot's header. The index it names holds the subjects.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct Snapshot {
    /// Its id, derived from profile and identity.
    pub id: SnapshotId,
    /// Its workspace.
    pub workspace: WorkspaceId,
    /// Its profile.
    pub profile: ProfileId,
    /// The identity of its content.
    pub snapshot_identity_hash: Digest,
    /// When it was captured first.
    #[schemars(with = "plumbline_governance::schema::Moment")]
    pub captured_at: Timestamp,
    /// How many subjects it holds.
    pub items: u64,
    /// How many of each type.
    pub by_type: BTreeMap<String, u64>,
    /// The index object for each version of the rules that it was derived under.
    pub indexes: BTreeMap<u32, Digest>,
}

impl Snapshot {
    pub(crate) fn key_of(workspace: WorkspaceId, profile: ProfileId, id: SnapshotId) -> Key {
        keys::in_workspace(workspace, sk::snapshot(profile, id))
    }
}

impl Row for Snapshot {
    const WHAT: &'static str = "snapshot";
    fn key(&self) -> Key {
        Self::key_of(self.workspace, self.profile, self.id)
    }
    fn indexes(&self) -> Vec<IndexKey> {
        vec![IndexKey {
            index: Index::Tenants,
            pk: keys::workspace(self.workspace),
            sk: sk::listed_snapshot(self.profile, self.captured_at, self.id),
        }]
    }
    fn spill_folder(&self) -> String {
        keys::folder::baseline(self.workspace, "spill")
    }
}

/// Marks the tenant that a snapshot was captured from; the snapshot itself names no tenant.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct Lineage {
    pub(crate) workspace: WorkspaceId,
    pub(crate) tenant: TenantId,
    pub(crate) snapshot: SnapshotId,
    pub(crate) run: RunId,
}

impl Row for Lineage {
    const WHAT: &'static str = "lineage";
    fn key(&self) -> Key {
        keys::in_tenant(self.workspace, self.tenant, sk::lineage(self.snapshot))
    }
    fn spill_folder(&self) -> String {
        folder::tenant(self.workspace, self.tenant, "spill")
    }
}

/// What a tenant had when it was last read. The index holds the subjects.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct State {
    /// The workspace.
    pub workspace: WorkspaceId,
    /// The tenant.
    pub tenant: TenantId,
    /// The rules behind the root.
    pub normaliser_version: u32,
    /// The state root.
    pub root: Digest,
    /// The index object.
    pub index: Digest,
    /// How many subjects.
    pub policies: u64,
    /// How many of each type, with how much of it was read.
    pub by_type: BTreeMap<String, u64>,
    /// How much of each type was read.
    pub coverage: CoverageMap,
    /// When it was read.
    #[schemars(with = "plumbline_governance::schema::Moment")]
    pub read_at: Timestamp,
    /// When it is too old for conclusions.
    #[schemars(with = "plumbline_governance::schema::Moment")]
    pub fresh_until: Timestamp,
    /// The import that wrote it.
    pub run: RunId,
}

impl Row for State {
    const WHAT: &'static str = "state";
    fn key(&self) -> Key {
        keys::in_tenant(self.workspace, self.tenant, sk::STATE)
    }
    fn spill_folder(&self) -> String {
        folder::tenant(self.workspace, self.tenant, "spill")
    }
}

/// Holds a tenant to one profile.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct Assignment {
    /// The workspace.
    pub workspace: WorkspaceId,
    /// The tenant.
    pub tenant: TenantId,
    /// The profile.
    pub profile: ProfileId,
    /// A narrower scope for this tenant; `None`: the profile's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub override_scope: Option<Scope>,
    /// Roles of the tenant that stand for roles of the baseline, by the baseline's ids.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub role_mappings: Vec<RoleMapping>,
    /// Who assigned it.
    pub assigned_by: String,
    /// When.
    #[schemars(with = "plumbline_governance::schema::Moment")]
    pub assigned_at: Timestamp,
}

/// A custom role of the tenant that stands for one of the baseline, because a person said so. Ids of
/// custom roles are made by each tenant, so nothing else makes the two comparable (seed 128).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct RoleMapping {
    /// The id of the role in the baseline, in lower case.
    pub baseline_role: String,
    /// The id of the role in the tenant, in lower case.
    pub tenant_role: String,
    /// Why the two are one.
    pub reason: String,
    /// Who said so.
    pub mapped_by: String,
    /// When.
    #[schemars(with = "plumbline_governance::schema::Moment")]
    pub mapped_at: Timestamp,
}

impl Assignment {
    /// The mappings as a compare takes them.
    #[must_use]
    pub fn role_mappings(&self) -> RoleMappings {
        let pair = |one: &RoleMapping| (one.baseline_role.clone(), one.tenant_role.clone());
        self.role_mappings.iter().map(pair).collect()
    }
}

impl Row for Assignment {
    const WHAT: &'static str = "assignment";
    fn key(&self) -> Key {
        keys::in_tenant(self.workspace, self.tenant, sk::ASSIGNMENT)
    }
    fn spill_folder(&self) -> String {
        folder::tenant(self.workspace, self.tenant, "spill")
    }
}

impl Row for Run {
    const WHAT: &'static str = "run";
    fn key(&self) -> Key {
        keys::in_tenant(self.workspace, self.tenant, sk::run(self.id))
    }
    /// Listed in its workspace is what a person started or what did not succeed, so that a night in which
    /// all is well pays nothing for it.
    fn indexes(&self) -> Vec<IndexKey> {
        let by_person = matches!(self.trigger, Trigger::Person { .. });
        let is_well = matches!(self.outcome(), RunOutcome::Pending | RunOutcome::Succeeded);
        if is_well && !by_person {
            return Vec::new();
        }
        vec![IndexKey {
            index: Index::Tenants,
            pk: keys::workspace(self.workspace),
            sk: sk::listed_run(self.created_at, self.id),
        }]
    }
    /// Runs that ended vanish after a time; what is active never does.
    fn expires_at(&self) -> Option<i64> {
        match &self.state {
            RunState::Completed { finished_at, .. } => {
                Some(finished_at.as_second() + i64::from(RUN_RETENTION_DAYS) * 86_400)
            }
            _ => None,
        }
    }
    fn spill_folder(&self) -> String {
        folder::tenant(self.workspace, self.tenant, "spill")
    }
}

/// How long runs are kept, in days.
pub(crate) const RUN_RETENTION_DAYS: u32 = 90;

/// Keeps one run of a kind and identity active, hands out leases, and remembers what a compare found.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct Guard {
    pub(crate) workspace: WorkspaceId,
    /// The tenant of the active run; for a capture the one that the last was from.
    pub(crate) tenant: TenantId,
    pub(crate) run_type: RunType,
    /// The profile; for a renormalisation the workspace.
    pub(crate) identity: String,
    /// The active run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) active: Option<RunId>,
    /// Counts the leases; only the holder of the last one may write.
    pub(crate) fence: u64,
    /// When the lease ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) lease_until: Option<Timestamp>,
    /// The process that has the lease, where processes are told apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) holder: Option<uuid::Uuid>,
    /// The last local date whose night was compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) last_night: Option<Date>,
    /// What the last compare found, and from what.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) memo: Option<Memo>,
    /// How often each type was compared with proof.
    #[serde(default)]
    pub(crate) seen: SeenCounters,
}

/// A compare's inputs and result. Equal inputs have an equal result, so nothing is read again.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct Memo {
    /// Digest of everything that the result rests on (contracts 5.4).
    pub(crate) key: Digest,
    /// When it stops to hold, because an acceptance ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) valid_until: Option<Timestamp>,
    /// The run that found it; its context says more.
    pub(crate) run: RunId,
    pub(crate) result: CompareResult,
    pub(crate) summary_counts: BTreeMap<String, u64>,
    pub(crate) outcome: RunOutcome,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) failure: Option<Failure>,
    /// Types that were looked at and not proven; all others were.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) unproven: Vec<String>,
}

impl Guard {
    /// A profile is captured once at a time, whatever tenant it is captured from: the guard of a capture
    /// stands in the workspace. Every other kind of run is one tenant's own matter.
    pub(crate) fn key_of(
        workspace: WorkspaceId,
        tenant: TenantId,
        run_type: RunType,
        identity: &str,
    ) -> Key {
        let sk = sk::active(run_type, identity);
        match run_type {
            RunType::BaselineCapture => keys::in_workspace(workspace, sk),
            _ => keys::in_tenant(workspace, tenant, sk),
        }
    }

    pub(crate) fn new(
        workspace: WorkspaceId,
        tenant: TenantId,
        run_type: RunType,
        identity: String,
    ) -> Self {
        Self {
            workspace,
            tenant,
            run_type,
            identity,
            active: None,
            fence: 0,
            lease_until: None,
            holder: None,
            last_night: None,
            memo: None,
            seen: SeenCounters::default(),
        }
    }
}

impl Row for Guard {
    const WHAT: &'static str = "guard";
    fn key(&self) -> Key {
        Self::key_of(self.workspace, self.tenant, self.run_type, &self.identity)
    }
    fn spill_folder(&self) -> String {
        match self.run_type {
            RunType::BaselineCapture => folder::workspace(self.workspace),
            _ => folder::tenant(self.workspace, self.tenant, "spill"),
        }
    }
}

/// A severity in a key: the most severe sorts first.
pub(crate) fn urgency(severity: Severity) -> u8 {
    match severity {
        Severity::High => 0,
        Severity::Medium => 1,
        Severity::Low => 2,
    }
}

impl Row for Finding {
    const WHAT: &'static str = "finding";
    fn key(&self) -> Key {
        keys::in_tenant(self.workspace, self.tenant, sk::finding(self.row_key(), self.occurrence))
    }
    fn indexes(&self) -> Vec<IndexKey> {
        let urgency = urgency(self.drift.severity);
        vec![IndexKey {
            index: Index::Findings,
            pk: keys::workspace(self.workspace),
            sk: format!(
                "{}#{urgency}#{}#{}",
                self.state.as_str(),
                keys::moment(self.changed_at),
                self.id
            ),
        }]
    }
    fn spill_folder(&self) -> String {
        folder::tenant(self.workspace, self.tenant, "spill")
    }
}

/// How a tenant stands: the counts of its findings.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct Posture {
    /// The workspace.
    pub workspace: WorkspaceId,
    /// The tenant.
    pub tenant: TenantId,
    /// Findings by status.
    pub by_status: BTreeMap<String, u64>,
    /// Open findings by severity.
    pub open_by_severity: BTreeMap<String, u64>,
    /// The profile that it was last compared with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<ProfileId>,
    /// How much the last compare proved; `None` before the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trust: Option<String>,
    /// The last compare that wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<RunId>,
    /// When it was written.
    #[schemars(with = "plumbline_governance::schema::Moment")]
    pub updated_at: Timestamp,
}

impl Row for Posture {
    const WHAT: &'static str = "posture";
    fn key(&self) -> Key {
        keys::in_tenant(self.workspace, self.tenant, sk::POSTURE)
    }
    fn indexes(&self) -> Vec<IndexKey> {
        vec![IndexKey {
            index: Index::Tenants,
            pk: keys::workspace(self.workspace),
            sk: format!("{}{}", sk::POSTURES, self.tenant),
        }]
    }
    fn spill_folder(&self) -> String {
        folder::tenant(self.workspace, self.tenant, "spill")
    }
}

/// Something that may have to be sent again, and closed when nobody finishes it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct Outbox {
    pub(crate) id: uuid::Uuid,
    pub(crate) workspace: WorkspaceId,
    /// When it is looked at next; the key begins with it, so that a tick reads only what is due.
    pub(crate) look_at: Timestamp,
    /// When its runs are given up.
    pub(crate) deadline: Timestamp,
    pub(crate) what: Watched,
}

/// What an outbox row watches.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum Watched {
    /// One run that somebody started.
    Run { tenant: TenantId, run: RunId, run_type: RunType },
    /// A batch of tenants of one night: trigger and outbox in one.
    Night { date: Date, due: Timestamp, tenants: Vec<TenantId> },
    /// A tenant whose profile was taken away: the findings of the old one may have to be retired still.
    Retire { tenant: TenantId },
}

impl Row for Outbox {
    const WHAT: &'static str = "outbox row";
    fn key(&self) -> Key {
        Key::new(keys::OUTBOX, format!("{}#{}", keys::moment(self.look_at), self.id.simple()))
    }
    fn spill_folder(&self) -> String {
        keys::folder::workspace(self.workspace)
    }
}

/// A workspace's next night.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct Due {
    pub(crate) workspace: WorkspaceId,
    pub(crate) date: Date,
    pub(crate) at: Timestamp,
}

impl Due {
    pub(crate) fn key_of(due: Timestamp, workspace: WorkspaceId) -> Key {
        Key::new(keys::DUE, format!("{}#{workspace}", keys::moment(due)))
    }
}

impl Row for Due {
    const WHAT: &'static str = "due night";
    fn key(&self) -> Key {
        Self::key_of(self.at, self.workspace)
    }
    fn spill_folder(&self) -> String {
        keys::folder::workspace(self.workspace)
    }
}

/// How a night went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NightStatus {
    /// Its compares were started.
    Started,
    /// Nothing ran: the schedule did not tick in time.
    Missed,
}

/// One night of a workspace. A missed one stays visible as missed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct NightRecord {
    /// The workspace.
    pub workspace: WorkspaceId,
    /// The local date.
    #[schemars(with = "plumbline_governance::schema::Day")]
    pub date: Date,
    /// When it was due.
    #[schemars(with = "plumbline_governance::schema::Moment")]
    pub due: Timestamp,
    /// How it went.
    pub status: NightStatus,
    /// How many tenants it covers.
    pub tenants: u64,
    /// When the row was written.
    #[schemars(with = "plumbline_governance::schema::Moment")]
    pub at: Timestamp,
}

impl Row for NightRecord {
    const WHAT: &'static str = "night";
    fn key(&self) -> Key {
        keys::in_workspace(self.workspace, sk::night(self.date))
    }
    fn expires_at(&self) -> Option<i64> {
        Some(self.at.as_second() + 400 * 86_400)
    }
    fn spill_folder(&self) -> String {
        keys::folder::workspace(self.workspace)
    }
}

/// An object that nothing refers to. It is deleted when that is still so after the grace.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct Doomed {
    pub(crate) workspace: WorkspaceId,
    pub(crate) folder: String,
    pub(crate) digest: Digest,
    pub(crate) bytes: u64,
    pub(crate) since: Timestamp,
    /// Set just before the object goes; from then on nobody may rely on it.
    pub(crate) dying: bool,
}

impl Row for Doomed {
    const WHAT: &'static str = "doomed object";
    fn key(&self) -> Key {
        keys::in_workspace(self.workspace, sk::doomed(&self.folder, self.digest))
    }
    fn spill_folder(&self) -> String {
        keys::folder::workspace(self.workspace)
    }
}

/// Stored objects of a tenant or of a profile's snapshots that turned out to be gone or damaged: the next
/// import, or the next capture, writes everything anew instead of naming what stands already.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct Suspect {
    pub(crate) workspace: WorkspaceId,
    /// The tenant, unless it is a profile's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) tenant: Option<TenantId>,
    /// The profile, unless it is a tenant's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) profile: Option<ProfileId>,
    pub(crate) at: Timestamp,
}

impl Suspect {
    pub(crate) fn of_tenant(workspace: WorkspaceId, tenant: TenantId, at: Timestamp) -> Self {
        Self { workspace, tenant: Some(tenant), profile: None, at }
    }

    pub(crate) fn of_profile(workspace: WorkspaceId, profile: ProfileId, at: Timestamp) -> Self {
        Self { workspace, tenant: None, profile: Some(profile), at }
    }
}

impl Row for Suspect {
    const WHAT: &'static str = "suspicion";
    fn key(&self) -> Key {
        match (self.tenant, self.profile) {
            (Some(tenant), _) => keys::in_tenant(self.workspace, tenant, sk::SUSPECT),
            (None, Some(profile)) => keys::in_workspace(self.workspace, sk::suspect_of(profile)),
            (None, None) => keys::in_workspace(self.workspace, sk::SUSPECT),
        }
    }
    fn spill_folder(&self) -> String {
        keys::folder::workspace(self.workspace)
    }
}
