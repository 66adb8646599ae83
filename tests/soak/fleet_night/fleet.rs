//! The fleet: workspaces of very different sizes, each with a golden tenant, a profile and a night at 02:00.

use crate::objects::SharedObjects;
use crate::queue::FairQueue;
use futures::executor::block_on;
use jiff::Timestamp;
use plumbline_governance::ids::{ProfileId, TenantId, WorkspaceId};
use plumbline_governance::profile::ProfileStatus;
use plumbline_governance::schedule::Schedule;
use plumbline_operations::{Actor, NamedBytes, NewProfile, Person, System, WorkspaceEdit};
use plumbline_policy::tenant::TenantFacts;
use plumbline_ports::bill::Ledger;
use plumbline_ports::{Clock as _, Ports, QueueName};
use plumbline_testkit::clock::ManualClock;
use plumbline_testkit::ids::CountedIds;
use plumbline_testkit::memory::{MemoryRecords, MemorySecrets};
use plumbline_tests::policies::{FEATURE, feature};
use plumbline_tests::stage::{complete, must, scope};
use std::sync::Arc;
use std::time::Instant;

/// A tenant of the fleet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tenant {
    pub workspace: WorkspaceId,
    pub id: TenantId,
    /// Says which of its policies drift.
    pub number: usize,
}

pub(crate) struct Fleet {
    pub system: System,
    pub clock: Arc<ManualClock>,
    pub queue: Arc<FairQueue>,
    pub objects: Arc<SharedObjects>,
    pub ledger: Arc<Ledger>,
    pub tenants: Vec<Tenant>,
    /// What every tenant begins with.
    policies: Vec<NamedBytes>,
    actor: Actor,
}

/// How many tenants each workspace has: four of ten are in one, two in another, two in eight, and the rest
/// in small ones.
pub(crate) fn sizes(tenants: usize) -> Vec<usize> {
    let mut out = vec![tenants * 2 / 5, tenants / 5];
    out.extend([tenants / 40; 8]);
    out.extend([tenants / 250; 40]);
    let small = (tenants / 2_000).max(1);
    let mut left = tenants - out.iter().sum::<usize>();
    while left > 0 {
        out.push(small.min(left));
        left -= small.min(left);
    }
    out.retain(|size| *size > 0);
    out
}

fn policy(number: usize, version: &str) -> NamedBytes {
    let at = u32::try_from(number).unwrap_or(u32::MAX);
    let policy = feature(&format!("Policy {number:05}"), at, version);
    (format!("{number:05}.json"), policy.to_string().into_bytes())
}

impl Fleet {
    /// Every tenant held to its workspace's profile, before the first night of all.
    pub(crate) fn make(tenants: usize, policies: usize) -> Self {
        let began = Instant::now();
        let clock = Arc::new(ManualClock::at(must("2026-01-01T12:00:00Z".parse())));
        let (queue, objects) = (Arc::new(FairQueue::new(Arc::clone(&clock) as _)), Arc::default());
        let ledger = Arc::new(Ledger::timed(Box::new(move || began.elapsed())));
        let ports = Ports {
            records: Arc::new(MemoryRecords::default()),
            objects: Arc::clone(&objects) as _,
            queue: Arc::clone(&queue) as _,
            secrets: Arc::new(MemorySecrets::default()),
            clock: Arc::clone(&clock) as _,
            ids: Arc::new(CountedIds::default()),
        };
        let system = System::new(ports.billed(&ledger));
        let policies = (0..policies).map(|at| policy(at, &format!("version {at}"))).collect();
        let actor = Actor::new("fleet");
        let mut fleet =
            Self { system, clock, queue, objects, ledger, tenants: Vec::new(), policies, actor };
        for (number, size) in sizes(tenants).into_iter().enumerate() {
            fleet.workspace(number, size);
        }
        fleet
    }

    /// A workspace with its golden tenant, its profile and so many tenants.
    fn workspace(&mut self, number: usize, size: usize) {
        let (system, actor) = (&self.system, &self.actor);
        let person = Person { issuer: "local".to_owned(), subject: "fleet".to_owned() };
        let name = format!("Workspace {number}");
        let workspace = must(block_on(system.create_workspace(&person, actor, &name))).id;
        let schedule = Some(Some(must(Schedule::parse("02:00", "UTC"))));
        let edit = WorkspaceEdit { schedule, ..WorkspaceEdit::default() };
        must(block_on(system.edit_workspace(workspace, actor, edit, None)));
        let add = |name: &str| {
            let facts = TenantFacts::default();
            must(block_on(system.add_tenant(workspace, actor, name, facts))).id
        };
        let golden = Tenant { workspace, id: add("golden"), number: 0 };
        self.import(golden, 0);
        let new = NewProfile {
            name: "Gold".to_owned(),
            scope: scope(&[FEATURE]),
            ..NewProfile::default()
        };
        let profile: ProfileId = must(block_on(system.create_profile(workspace, actor, new))).id;
        must(block_on(system.start_capture(workspace, actor, profile, golden.id)));
        while !must(block_on(system.work(QueueName::Capture, 10))).is_empty() {}
        let active = ProfileStatus::Active;
        must(block_on(system.set_profile_status(workspace, actor, profile, active, None)));
        let first = self.tenants.len();
        let made: Vec<Tenant> = (0..size)
            .map(|at| {
                let id = add(&format!("tenant {at}"));
                must(block_on(system.assign(workspace, actor, id, profile, None, None)));
                Tenant { workspace, id, number: first + at }
            })
            .collect();
        self.tenants.extend(made);
    }

    /// Imports a tenant's policies, so many of them drifted, others than its neighbours'.
    pub(crate) fn import(&self, tenant: Tenant, drifted: usize) {
        let all = self.policies.len();
        let changed: Vec<NamedBytes> = (0..drifted)
            .map(|at| policy((tenant.number + at * all / drifted) % all, &format!("drift {at}")))
            .collect();
        let mut documents = self.policies.iter().map(|one| {
            let found = changed.iter().find(|(name, _)| *name == one.0);
            Ok(found.unwrap_or(one).clone())
        });
        let (system, actor) = (&self.system, &self.actor);
        let all = complete();
        let import = system.import(tenant.workspace, actor, tenant.id, &all, &mut documents);
        must(block_on(import));
    }

    /// How many policies each tenant has.
    pub(crate) fn policies(&self) -> usize {
        self.policies.len()
    }

    /// Sets the clock.
    pub(crate) fn at(&self, time: &str) {
        self.clock.set(must(time.parse::<Timestamp>()));
    }

    /// The time.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }
}
