//! A few tenants over embedded stores, on a temporary data directory, whose nights are really done and
//! billed call by call.

use super::policies::{TYPE, policy};
use crate::commands::demo::clock::StoryClock;
use anyhow::{Context as _, bail};
use futures::executor::block_on;
use jiff::Timestamp;
use plumbline_governance::ids::{ProfileId, TenantId, WorkspaceId};
use plumbline_governance::profile::ProfileStatus;
use plumbline_governance::run::RunOutcome;
use plumbline_governance::schedule::Schedule;
use plumbline_governance::scope::Scope;
use plumbline_operations::{
    Actor, CoverageClaim, Handled, ImportOptions, NewProfile, Person, System, WorkspaceEdit,
};
use plumbline_policy::tenant::TenantFacts;
use plumbline_ports::bill::{Bill, Ledger};
use plumbline_ports::{Clock, QueueName};
use plumbline_store_local::{DataDir, SystemIds};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What a part of a night used.
#[derive(Clone, Debug, Default)]
pub(super) struct Used {
    /// What was billed.
    pub bill: Bill,
    /// How long it took outside of the stores, on this machine.
    pub computed: Duration,
}

/// What the parts of one night used, of all tenants of the sample together.
#[derive(Debug)]
pub(super) struct Night {
    /// New exports of all tenants become their states.
    pub import: Used,
    /// The tick that starts the night.
    pub start: Used,
    /// The compares.
    pub compare: Used,
    /// The tick that looks, half an hour later, whether all of them ended.
    pub look: Used,
    /// The two ticks that make the overview of the workspace: after the start of the night, and after the
    /// look.
    pub overview: Used,
    /// A tick in which nothing is due.
    pub idle: Used,
}

/// The fleet of a sample.
struct Sample {
    system: System,
    clock: Arc<StoryClock>,
    ledger: Arc<Ledger>,
    workspace: WorkspaceId,
    actor: Actor,
    policies: u32,
}

/// Does two nights of so many tenants and bills the second, before which so many policies of each drifted.
pub(super) fn night(tenants: u32, policies: u32, drifted: u32) -> anyhow::Result<Night> {
    let folder = tempfile::tempdir().context("cannot make a temporary data directory")?;
    let clock = Arc::new(StoryClock::at("2026-01-01T12:00:00Z".parse()?));
    let stores = DataDir::open(&folder.path().join("data"), Arc::clone(&clock) as Arc<dyn Clock>)?;
    let began = Instant::now();
    let ledger = Arc::new(Ledger::timed(Box::new(move || began.elapsed())));
    let system = System::new(stores.ports(Arc::new(SystemIds::new()?)).billed(&ledger));
    let actor = Actor::new("cost");
    let person = Person { issuer: "local".to_owned(), subject: "cost".to_owned() };
    let workspace = block_on(system.create_workspace(&person, &actor, "Cost"))?.id;
    let sample = Sample { system, clock, ledger, workspace, actor, policies };
    let all = sample.begin(tenants)?;

    sample.at("2026-01-02T02:00:10Z")?;
    sample.tick()?;
    sample.compare(tenants)?;
    // What the first night left over is done before the second.
    for time in ["02:31:00", "12:00:00", "23:00:00"] {
        sample.at(&format!("2026-01-02T{time}Z"))?;
        sample.tick()?;
    }
    let import = sample.used(|| all.iter().try_for_each(|one| sample.import(*one, drifted)))?;
    sample.at("2026-01-03T01:50:00Z")?;
    sample.tick()?;
    sample.at("2026-01-03T01:51:00Z")?;
    let idle = sample.used(|| sample.tick())?;
    sample.at("2026-01-03T02:00:10Z")?;
    let start = sample.used(|| sample.tick())?;
    let compare = sample.used(|| sample.compare(tenants))?;
    sample.at("2026-01-03T02:20:00Z")?;
    let after_start = sample.used(|| sample.tick())?;
    sample.at("2026-01-03T02:31:00Z")?;
    let look = sample.used(|| sample.tick())?;
    sample.at("2026-01-03T02:46:00Z")?;
    let after_look = sample.used(|| sample.tick())?;
    let overview = after_start.plus(&after_look);
    Ok(Night { import, start, compare, look, overview, idle })
}

impl Used {
    /// Both together.
    fn plus(mut self, other: &Self) -> Self {
        self.bill.add(&other.bill);
        self.computed += other.computed;
        self
    }
}

impl Sample {
    /// The golden tenant, its profile, and the tenants that are held to it.
    fn begin(&self, tenants: u32) -> anyhow::Result<Vec<TenantId>> {
        let Self { system, workspace, actor, .. } = self;
        let schedule = Some(Some(Schedule::parse("02:00", "UTC")?));
        let edit = WorkspaceEdit { schedule, ..WorkspaceEdit::default() };
        block_on(system.edit_workspace(*workspace, actor, edit, None))?;
        let add = |name: &str| -> anyhow::Result<TenantId> {
            let facts = TenantFacts::default();
            Ok(block_on(system.add_tenant(*workspace, actor, name, facts))?.id)
        };
        let golden = add("golden")?;
        self.import(golden, 0)?;
        let scope = Scope { policy_types: vec![TYPE.to_owned()], ..Scope::default() };
        let new = NewProfile { name: "Gold".to_owned(), scope, ..NewProfile::default() };
        let profile: ProfileId = block_on(system.create_profile(*workspace, actor, new))?.id;
        block_on(system.start_capture(*workspace, actor, profile, golden))?;
        self.work(QueueName::Capture)?;
        let active = ProfileStatus::Active;
        block_on(system.set_profile_status(*workspace, actor, profile, active, None))?;
        (0..tenants)
            .map(|number| {
                let tenant = add(&format!("tenant {number}"))?;
                self.import(tenant, 0)?;
                block_on(system.assign(*workspace, actor, tenant, profile, None, None))?;
                Ok(tenant)
            })
            .collect()
    }

    /// Moves the clock.
    fn at(&self, time: &str) -> anyhow::Result<()> {
        self.clock.set(time.parse::<Timestamp>()?);
        Ok(())
    }

    fn tick(&self) -> anyhow::Result<()> {
        block_on(self.system.tick())?;
        Ok(())
    }

    /// Imports the policies of a tenant, the first ones drifted.
    fn import(&self, tenant: TenantId, drifted: u32) -> anyhow::Result<()> {
        let options =
            ImportOptions { coverage: CoverageClaim::Complete, ..ImportOptions::default() };
        let mut documents = (0..self.policies)
            .map(|number| Ok((format!("{number}.json"), policy(number, number < drifted))));
        let (system, workspace) = (&self.system, self.workspace);
        block_on(system.import(workspace, &self.actor, tenant, &options, &mut documents))?;
        Ok(())
    }

    /// Does what is queued; answers how many runs succeeded.
    fn work(&self, queue: QueueName) -> anyhow::Result<u32> {
        let mut succeeded = 0;
        loop {
            let handled = block_on(self.system.work(queue, 10))?;
            if handled.is_empty() {
                return Ok(succeeded);
            }
            for one in handled {
                match one {
                    Handled::Ended(run) if run.outcome() == RunOutcome::Succeeded => succeeded += 1,
                    other => bail!("a run of the sample did not succeed: {other:?}"),
                }
            }
        }
    }

    fn compare(&self, tenants: u32) -> anyhow::Result<()> {
        let compared = self.work(QueueName::Compare)?;
        if compared != tenants {
            bail!("{compared} of {tenants} tenants of the sample were compared");
        }
        Ok(())
    }

    /// What something used.
    fn used(&self, what: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<Used> {
        self.ledger.take();
        let began = Instant::now();
        what()?;
        let took = began.elapsed();
        let (bill, waited) = self.ledger.take();
        Ok(Used { bill, computed: took.saturating_sub(waited) })
    }
}
