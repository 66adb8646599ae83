//! A stage for suites over the whole loop: one workspace over stores whose calls can be made to fail,
//! with shorthand for each step, and a view of everything that a crash must not change.

#![expect(clippy::must_use_candidate, reason = "steps of a test, done for what they change")]

use crate::policies::Policies;
use futures::executor::block_on;
use jiff::SignedDuration;
use plumbline_governance::finding::state::FindingAction;
use plumbline_governance::ids::{FindingId, ProfileId, TenantId, WorkspaceId};
use plumbline_governance::profile::ProfileStatus;
use plumbline_governance::run::{Run, RunType};
use plumbline_governance::schedule::Schedule;
use plumbline_governance::scope::Scope;
use plumbline_operations::{
    Actor, CoverageClaim, Handled, ImportOptions, Imported, NamedBytes, NewProfile, OperationError,
    Person, SeenFinding, Started, System, Ticked, WorkspaceEdit,
};
use plumbline_policy::tenant::TenantFacts;
use plumbline_ports::{Clock as _, Ports, Query, QueueName, Record};
use plumbline_testkit::clock::ManualClock;
use plumbline_testkit::faults::{Plan, wrap};
use plumbline_testkit::ids::CountedIds;
use plumbline_testkit::memory::{MemoryObjects, MemoryQueue, MemoryRecords, MemorySecrets};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The stores in memory behind a stage, to be looked into and damaged.
#[derive(Clone)]
pub struct Stores {
    /// Rows.
    pub records: Arc<MemoryRecords>,
    /// Objects.
    pub objects: Arc<MemoryObjects>,
    /// Messages.
    pub queue: Arc<MemoryQueue>,
}

/// A workspace over stores that can be made to fail.
pub struct Stage {
    /// The clock of everything.
    pub clock: Arc<ManualClock>,
    /// The stores without faults.
    pub raw: Ports,
    /// The stores in memory; a stage over others has none.
    pub stores: Option<Stores>,
    /// What goes wrong, and when.
    pub plan: Arc<Plan>,
    /// The system, over the ports under the plan.
    pub system: System,
    /// The workspace.
    pub workspace: WorkspaceId,
    /// Who acts.
    pub actor: Actor,
}

/// Findings by status, open findings by severity, and the trust of the last compare.
pub type Counts = (BTreeMap<String, u64>, BTreeMap<String, u64>, Option<String>);

/// Everything of one tenant that must be the same with and without a crash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TenantView {
    /// The state root.
    pub root: Option<String>,
    /// Type, name, status, times seen, occurrence, fingerprint and severity of each finding.
    pub findings: Vec<(String, String, &'static str, u64, u32, String, &'static str)>,
    /// Findings by status and open findings by severity.
    pub posture: Option<Counts>,
    /// The profile it is held to.
    pub profile: Option<ProfileId>,
    /// Outcome and counts of the last compare.
    pub compared: Option<(&'static str, BTreeMap<String, u64>)>,
}

/// Everything of a workspace that must be the same with and without a crash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// By tenant.
    pub tenants: BTreeMap<TenantId, TenantView>,
    /// The active snapshot's identity and how many snapshots there are, by profile.
    pub profiles: BTreeMap<ProfileId, (&'static str, Option<String>, usize)>,
    /// Date and status of each night.
    pub nights: Vec<(String, String)>,
}

impl Default for Stage {
    fn default() -> Self {
        Self::new()
    }
}

impl Stage {
    /// A stage over stores in memory.
    #[must_use]
    pub fn new() -> Self {
        let clock = Arc::new(ManualClock::default());
        let stores = Stores {
            records: Arc::default(),
            objects: Arc::default(),
            queue: Arc::new(MemoryQueue::new(Arc::clone(&clock) as _)),
        };
        let raw = Ports {
            records: Arc::clone(&stores.records) as _,
            objects: Arc::clone(&stores.objects) as _,
            queue: Arc::clone(&stores.queue) as _,
            secrets: Arc::new(MemorySecrets::default()),
            clock: Arc::clone(&clock) as _,
            ids: Arc::new(CountedIds::default()),
        };
        Self { stores: Some(stores), ..Self::over(raw, clock) }
    }

    /// A stage over other stores on the same clock.
    ///
    /// # Panics
    /// When the stores do not take a workspace.
    #[must_use]
    pub fn over(raw: Ports, clock: Arc<ManualClock>) -> Self {
        let plan = Plan::new();
        let system = System::new(wrap(&raw, &plan));
        let person = Person { issuer: "local".to_owned(), subject: "eve".to_owned() };
        let workspace =
            match block_on(system.create_workspace(&person, &Actor::new("eve"), "North")) {
                Ok(workspace) => workspace.id,
                Err(error) => panic!("no workspace: {error}"),
            };
        Self { clock, raw, stores: None, plan, system, workspace, actor: Actor::new("eve") }
    }

    /// The stores in memory.
    ///
    /// # Panics
    /// When the stage stands over others.
    #[must_use]
    pub fn memory(&self) -> &Stores {
        match &self.stores {
            Some(stores) => stores,
            None => panic!("the stage does not stand over memory"),
        }
    }

    /// Moves the clock by seconds.
    pub fn wait(&self, seconds: i64) {
        self.clock.advance(SignedDuration::from_secs(seconds));
    }

    /// Adds a tenant.
    ///
    /// # Panics
    /// When it is refused.
    pub fn tenant(&self, name: &str) -> TenantId {
        self.tenant_with(name, TenantFacts::default())
    }

    /// Adds a tenant with facts.
    ///
    /// # Panics
    /// When it is refused.
    pub fn tenant_with(&self, name: &str, facts: TenantFacts) -> TenantId {
        must(block_on(self.system.add_tenant(self.workspace, &self.actor, name, facts))).id
    }

    /// Makes a profile for some types.
    ///
    /// # Panics
    /// When it is refused.
    pub fn profile(&self, name: &str, types: &[&str]) -> ProfileId {
        let new =
            NewProfile { name: name.to_owned(), scope: scope(types), ..NewProfile::default() };
        must(block_on(self.system.create_profile(self.workspace, &self.actor, new))).id
    }

    /// Imports policies as everything that a tenant has.
    ///
    /// # Panics
    /// When the import is refused.
    pub fn import(&self, tenant: TenantId, policies: &Policies) -> Imported {
        must(self.try_import(tenant, policies, &complete()))
    }

    /// Imports policies.
    ///
    /// # Errors
    /// The import's.
    pub fn try_import(
        &self,
        tenant: TenantId,
        policies: &Policies,
        options: &ImportOptions,
    ) -> Result<Imported, OperationError> {
        let mut documents = policies.iter().map(|(name, value)| {
            let named: NamedBytes = (format!("{name}.json"), value.to_string().into_bytes());
            Ok(named)
        });
        block_on(self.system.import(self.workspace, &self.actor, tenant, options, &mut documents))
    }

    /// Works as one worker does, until no message is to be had or the process is dead.
    ///
    /// # Panics
    /// When the work never ends.
    pub fn drain(&self) -> Vec<Run> {
        let mut out = Vec::new();
        for _ in 0..500 {
            let mut any = false;
            for queue in QueueName::ALL {
                let handled = block_on(self.system.work(queue, 10)).unwrap_or_default();
                any |= !handled.is_empty();
                for one in handled {
                    if let Handled::Ended(run) = one {
                        out.push(*run);
                    }
                }
            }
            if !any || self.plan.is_crashed() {
                return out;
            }
        }
        panic!("the work never ends");
    }

    /// Lets hours pass with ticks and workers, until nothing waits any more.
    pub fn settle(&self) {
        for _ in 0..30 {
            let _ = block_on(self.system.tick());
            self.drain();
            for queue in QueueName::ALL {
                let _ = block_on(self.system.bury_dead(queue));
            }
            self.wait(20 * 60);
        }
    }

    /// Captures a tenant and waits for the end.
    ///
    /// # Panics
    /// When nothing ends.
    pub fn capture(&self, profile: ProfileId, source: TenantId) -> Run {
        let started = must(self.start_capture(profile, source));
        self.drain();
        self.run(source, &started)
    }

    /// Starts a capture.
    ///
    /// # Errors
    /// The operation's.
    pub fn start_capture(
        &self,
        profile: ProfileId,
        source: TenantId,
    ) -> Result<Started, OperationError> {
        block_on(self.system.start_capture(self.workspace, &self.actor, profile, source))
    }

    /// Starts a compare.
    ///
    /// # Errors
    /// The operation's.
    pub fn start_compare(&self, tenant: TenantId) -> Result<Started, OperationError> {
        block_on(self.system.start_compare(self.workspace, &self.actor, tenant))
    }

    /// Compares a tenant and waits for the end.
    ///
    /// # Panics
    /// When nothing ends.
    pub fn compare(&self, tenant: TenantId) -> Run {
        self.wait(60);
        let started = must(self.start_compare(tenant));
        self.drain();
        self.run(tenant, &started)
    }

    /// Reads a run that was started.
    ///
    /// # Panics
    /// When it is gone.
    #[must_use]
    pub fn run(&self, tenant: TenantId, started: &Started) -> Run {
        must(block_on(self.system.run(self.workspace, tenant, started.run.id)))
    }

    /// Makes a profile active.
    ///
    /// # Panics
    /// When it is refused.
    pub fn activate(&self, profile: ProfileId) {
        let to = ProfileStatus::Active;
        must(block_on(self.system.set_profile_status(
            self.workspace,
            &self.actor,
            profile,
            to,
            None,
        )));
    }

    /// Holds a tenant to a profile.
    ///
    /// # Panics
    /// When it is refused.
    pub fn assign(&self, tenant: TenantId, profile: ProfileId) {
        must(block_on(self.system.assign(
            self.workspace,
            &self.actor,
            tenant,
            profile,
            None,
            None,
        )));
    }

    /// Takes a tenant's profile away.
    ///
    /// # Errors
    /// The operation's.
    pub fn unassign(&self, tenant: TenantId) -> Result<(), OperationError> {
        block_on(self.system.unassign(self.workspace, &self.actor, tenant, None))
    }

    /// The findings of a tenant.
    ///
    /// # Panics
    /// When they cannot be read.
    #[must_use]
    pub fn findings(&self, tenant: TenantId) -> Vec<SeenFinding> {
        must(block_on(self.system.findings(self.workspace, tenant)))
    }

    /// The finding of a name.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn finding(&self, tenant: TenantId, name: &str) -> SeenFinding {
        let mut found = self.findings(tenant).into_iter();
        match found.find(|one| one.finding.drift.display_name == name) {
            Some(found) => found,
            None => panic!("there is no finding of {name}"),
        }
    }

    /// Does something with a finding.
    ///
    /// # Errors
    /// The operation's.
    pub fn try_act(
        &self,
        tenant: TenantId,
        id: FindingId,
        action: &FindingAction,
    ) -> Result<(), OperationError> {
        block_on(self.system.act(self.workspace, &self.actor, tenant, id, action, None)).map(drop)
    }

    /// Does something with a finding, a second later.
    ///
    /// # Panics
    /// When it is refused.
    pub fn act(&self, tenant: TenantId, id: FindingId, action: &FindingAction) {
        self.wait(1);
        must(self.try_act(tenant, id, action));
    }

    /// Sets the nights of the workspace.
    ///
    /// # Panics
    /// When it is refused.
    pub fn schedule(&self, time: &str, zone: &str) {
        let schedule = match Schedule::parse(time, zone) {
            Ok(schedule) => Some(schedule),
            Err(error) => panic!("{error}"),
        };
        must(block_on(self.system.edit_workspace(
            self.workspace,
            &self.actor,
            WorkspaceEdit { schedule: Some(schedule), ..WorkspaceEdit::default() },
            None,
        )));
    }

    /// Does what is due.
    ///
    /// # Errors
    /// The operation's.
    pub fn tick(&self) -> Result<Ticked, OperationError> {
        block_on(self.system.tick())
    }

    /// A golden tenant and another, both with `policies`, captured and assigned.
    ///
    /// # Panics
    /// When the capture does not succeed.
    #[must_use]
    pub fn governed(&self, types: &[&str], policies: &Policies) -> (TenantId, TenantId, ProfileId) {
        let golden = self.tenant("golden");
        let other = self.tenant("other");
        let profile = self.profile("Gold", types);
        self.import(golden, policies);
        let run = self.capture(profile, golden);
        assert_eq!(run.outcome().as_str(), "succeeded", "{:?}", run.failure());
        self.activate(profile);
        self.assign(other, profile);
        self.import(other, policies);
        (golden, other, profile)
    }

    /// Every entry of the workspace's audit, in order, past any fault.
    ///
    /// # Panics
    /// When the stores do not answer.
    #[must_use]
    pub fn audit(&self) -> Vec<Record> {
        let months = (2025..2029).flat_map(|year| (1..=12).map(move |month| (year, month)));
        months
            .flat_map(|(year, month)| {
                let pk = format!("WS#{}#AUDIT#{year}-{month:02}", self.workspace);
                must(block_on(self.raw.records.query_all(Query::prefix(pk, ""))))
            })
            .collect()
    }

    /// Every row of the workspace and of the schedule, past any fault.
    ///
    /// # Panics
    /// When the stores do not answer.
    #[must_use]
    pub fn dump(&self) -> Vec<Record> {
        let mut partitions = vec![
            format!("WS#{}", self.workspace),
            "OUTBOX#0".to_owned(),
            "DUE".to_owned(),
            "WORKSPACES".to_owned(),
        ];
        let tenants = must(block_on(System::new(self.raw.clone()).tenants(self.workspace)));
        partitions.extend(
            tenants.iter().map(|tenant| format!("WS#{}#TEN#{}", self.workspace, tenant.id)),
        );
        let mut out = Vec::new();
        for partition in partitions {
            let query = plumbline_ports::Query::prefix(partition, "");
            out.extend(must(block_on(self.raw.records.query_all(query))));
        }
        out
    }

    /// What must be the same with and without a crash.
    ///
    /// # Panics
    /// When it cannot be read.
    #[must_use]
    pub fn view(&self) -> View {
        let system = System::new(self.raw.clone());
        let workspace = self.workspace;
        let mut tenants = BTreeMap::new();
        for tenant in must(block_on(system.tenants(workspace))) {
            let state = must(block_on(system.state(workspace, tenant.id)));
            let posture = must(block_on(system.posture(workspace, tenant.id)));
            let mut findings: Vec<_> = must(block_on(system.findings(workspace, tenant.id)))
                .into_iter()
                .map(|one| {
                    let (finding, drift) = (&one.finding, &one.finding.drift);
                    (
                        drift.policy_type.clone(),
                        drift.display_name.clone(),
                        finding.state.as_str(),
                        one.seen.times,
                        finding.occurrence,
                        drift.fingerprint.to_string(),
                        drift.severity.as_str(),
                    )
                })
                .collect();
            findings.sort();
            let view = TenantView {
                root: state.map(|state| state.root.to_string()),
                findings,
                posture: posture.map(|row| (row.by_status, row.open_by_severity, row.trust)),
                profile: tenant.profile,
                compared: must(block_on(system.runs(workspace, tenant.id, 100)))
                    .into_iter()
                    .filter(|run| run.run_type == RunType::BaselineCompare)
                    .max_by_key(|run| run.created_at)
                    .map(|run| (run.outcome().as_str(), run.summary_counts)),
            };
            tenants.insert(tenant.id, view);
        }
        let mut profiles = BTreeMap::new();
        for profile in must(block_on(system.profiles(workspace))) {
            let snapshots = must(block_on(system.snapshots(workspace, profile.id)));
            let active = snapshots.iter().find(|one| Some(one.id) == profile.active_snapshot);
            let identity = active.map(|one| one.snapshot_identity_hash.to_string());
            profiles.insert(profile.id, (profile.status.as_str(), identity, snapshots.len()));
        }
        let nights = must(block_on(system.nights(workspace)))
            .into_iter()
            .map(|night| (night.date.to_string(), format!("{:?}", night.status)))
            .collect();
        View { tenants, profiles, nights }
    }

    /// Seconds since 1970.
    #[must_use]
    pub fn second(&self) -> i64 {
        self.clock.now().as_second()
    }
}

/// A scope of policy types.
#[must_use]
pub fn scope(types: &[&str]) -> Scope {
    let policy_types = types.iter().map(|one| (*one).to_owned()).collect();
    Scope { policy_types, foundation_types: Vec::new() }
}

/// An import of everything that a tenant has.
#[must_use]
pub fn complete() -> ImportOptions {
    ImportOptions { coverage: CoverageClaim::Complete, ..ImportOptions::default() }
}

/// What a call gave that a test cannot do without.
///
/// # Panics
/// When the call failed.
pub fn must<T, E: std::fmt::Display>(result: Result<T, E>) -> T {
    match result {
        Ok(found) => found,
        Err(error) => panic!("{error}"),
    }
}
