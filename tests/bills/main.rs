//! What a night costs, in the units that the cloud bills: a strongly consistent read is one unit for every
//! 4 KB, a write one for every 1 KB, twice that in a transaction, and as much again for every index.
//! Contracts 7.6 says how many a night may take.

#![expect(clippy::expect_used, reason = "helpers of tests")]

use async_trait::async_trait;
use futures::executor::block_on;
use plumbline_governance::finding::state::FindingAction;
use plumbline_governance::ids::TenantId;
use plumbline_operations::{Handled, System};
use plumbline_ports::{
    Action, Batch, CommitError, IndexPosition, IndexQuery, Key, Page, PortError, Query, QueueName,
    Record, Records,
};
use plumbline_tests::policies::{FEATURE, many};
use plumbline_tests::stage::{Stage, must};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Units by what was asked: `get STATE`, `put RUN`.
type Bill = BTreeMap<String, (u64, u64)>;

/// Records with a bill.
struct Billed {
    inner: Arc<dyn Records>,
    bill: Mutex<Bill>,
}

impl Billed {
    fn note(&self, what: &str, key: &str, units: u64) {
        let kind = key.split('#').next().unwrap_or(key);
        let mut bill = self.bill.lock().unwrap_or_else(PoisonError::into_inner);
        let line = bill.entry(format!("{what} {kind}")).or_default();
        *line = (line.0 + 1, line.1 + units);
    }

    fn total(&self) -> u64 {
        let bill = self.bill.lock().unwrap_or_else(PoisonError::into_inner);
        bill.values().map(|line| line.1).sum()
    }

    fn lines(&self) -> Bill {
        self.bill.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn read(bytes: usize) -> u64 {
    (bytes as u64).div_ceil(4_096).max(1)
}

fn write(bytes: usize) -> u64 {
    (bytes as u64).div_ceil(1_024).max(1)
}

#[async_trait]
impl Records for Billed {
    async fn get(&self, key: &Key) -> Result<Option<Record>, PortError> {
        let found = self.inner.get(key).await?;
        self.note("get", &key.sk, read(found.as_ref().map_or(0, Record::size)));
        Ok(found)
    }

    async fn query(&self, query: &Query) -> Result<Page<String>, PortError> {
        let page = self.inner.query(query).await?;
        let what = match &query.range {
            plumbline_ports::Range::Prefix(prefix) if !prefix.is_empty() => prefix.clone(),
            _ => query.pk.clone(),
        };
        self.note("query", &what, read(page.records.iter().map(Record::size).sum()));
        Ok(page)
    }

    async fn query_index(&self, query: &IndexQuery) -> Result<Page<IndexPosition>, PortError> {
        let page = self.inner.query_index(query).await?;
        // Index reads are eventual, which is half the price.
        let units = read(page.records.iter().map(Record::size).sum()).div_ceil(2);
        let what = match &query.range {
            plumbline_ports::Range::Prefix(prefix) if !prefix.is_empty() => prefix.clone(),
            _ => query.pk.clone(),
        };
        self.note("query index", &what, units);
        Ok(page)
    }

    async fn commit(&self, batch: Batch) -> Result<(), CommitError> {
        let twice = if batch.actions.len() > 1 { 2 } else { 1 };
        for action in &batch.actions {
            let before = self.inner.get(action.key()).await?;
            let before = before.as_ref().map_or(0, Record::size);
            let (what, units) = match action {
                Action::Put(record, _) => {
                    let units = write(record.size().max(before));
                    ("put", units * twice + units * record.indexes.len() as u64)
                }
                Action::Delete(..) => ("delete", write(before) * twice),
                Action::Check(..) => ("check", write(before) * twice),
            };
            self.note(what, &action.key().sk, units);
        }
        self.inner.commit(batch).await
    }
}

fn billed(stage: &Stage) -> (Arc<Billed>, System) {
    let inner = Arc::clone(&stage.raw.records);
    let billed = Arc::new(Billed { inner, bill: Mutex::default() });
    let mut ports = plumbline_testkit::faults::wrap(&stage.raw, &stage.plan);
    ports.records = Arc::clone(&billed) as _;
    (billed, System::new(ports))
}

fn drain(system: &System) -> usize {
    let mut ended = 0;
    loop {
        let handled = must(block_on(system.work(QueueName::Compare, 10)));
        if handled.is_empty() {
            return ended;
        }
        ended += handled.iter().filter(|one| matches!(one, Handled::Ended(_))).count();
    }
}

/// Calls to the objects.
fn objects(stage: &Stage, op: &str) -> usize {
    stage.plan.calls().iter().filter(|call| call.op == op).count()
}

/// Fifty tenants with so many findings each, compared once.
fn fleet(tenants: u32, findings: u32) -> (Stage, Vec<TenantId>) {
    let stage = Stage::new();
    let (_, first, profile) = stage.governed(&[FEATURE], &many(100, 0));
    let mut all = vec![first];
    for at in 1..tenants {
        let tenant = stage.tenant(&format!("tenant {at:02}"));
        stage.assign(tenant, profile);
        all.push(tenant);
    }
    for tenant in &all {
        stage.import(*tenant, &many(100, findings));
        stage.compare(*tenant);
    }
    stage.schedule("02:00", "UTC");
    stage.clock.set("2026-01-02T02:00:30Z".parse().expect("a time"));
    // What the starts by hand left in the outbox is no part of the night.
    must(stage.tick());
    stage.drain();
    stage.wait(40 * 60);
    must(stage.tick());
    stage.drain();
    // The overview of the workspace is made just before the night, and has a bill of its own.
    stage.clock.set("2026-01-03T01:50:00Z".parse().expect("a time"));
    must(stage.tick());
    stage.clock.set("2026-01-03T02:00:30Z".parse().expect("a time"));
    (stage, all)
}

#[test]
fn a_night_without_a_change() {
    for findings in [0, 40] {
        let (stage, tenants) = fleet(50, findings);
        let (bill, system) = billed(&stage);
        stage.plan.reset();
        must(block_on(system.tick()));
        assert_eq!(drain(&system), tenants.len());
        let count = tenants.len() as u64;
        println!(
            "{findings} findings: {} units for {count} tenants: {:#?}",
            bill.total(),
            bill.lines()
        );
        assert!(bill.total() <= 8 * count, "{} units for {count} tenants", bill.total());
        for op in ["get object", "get a part of an object", "put object", "list objects"] {
            assert_eq!(objects(&stage, op), 0, "{op}");
        }
        for tenant in &tenants {
            let run = must(block_on(system.runs(stage.workspace, *tenant, 1))).remove(0);
            assert!(run.context.baseline_compare.is_some_and(|one| one.from_memo));
        }
    }
}

#[test]
fn an_overview() {
    for findings in [0, 40] {
        let (stage, tenants) = fleet(50, findings);
        let (bill, system) = billed(&stage);
        stage.clock.set("2026-01-03T01:59:00Z".parse().expect("a time"));
        must(block_on(system.tick()));
        let idle = bill.total();
        assert!(idle <= 5, "{idle} units for a tick in which nothing is due: {:#?}", bill.lines());
        stage.clock.set("2026-01-03T23:00:00Z".parse().expect("a time"));
        must(stage.tick());
        stage.drain();
        let (bill, system) = billed(&stage);
        stage.clock.set("2026-01-03T23:20:00Z".parse().expect("a time"));
        must(block_on(system.tick()));
        let count = tenants.len() as u64;
        println!("{findings} findings: {} units: {:#?}", bill.total(), bill.lines());
        assert!(bill.total() <= 30 + count / 4, "{}: {:#?}", bill.total(), bill.lines());
    }
}

#[test]
fn a_compare_by_hand_without_a_change() {
    let (stage, tenants) = fleet(1, 40);
    must(stage.start_compare(tenants[0]));
    let (bill, system) = billed(&stage);
    stage.plan.reset();
    assert_eq!(drain(&system), 1);
    let written: Vec<String> =
        bill.lines().into_keys().filter(|line| !line.starts_with("get")).collect();
    let expected = ["check POSTURE", "put ACTIVE", "put RUN"];
    assert_eq!(written, expected, "run, guard and memo are written, and nothing is listed");
    for op in ["get object", "get a part of an object", "put object", "list objects"] {
        assert_eq!(objects(&stage, op), 0, "{op}");
    }
}

/// A workspace pays the start of a night once, whatever its tenants find: what is due, the outbox, the
/// night's record and the next one, and the list of its tenants.
#[test]
fn the_start_of_a_night() {
    let (stage, _) = fleet(1, 0);
    let (bill, system) = billed(&stage);
    must(block_on(system.tick()));
    println!("{} units: {:#?}", bill.total(), bill.lines());
    assert!(bill.total() <= 15, "{}: {:#?}", bill.total(), bill.lines());
}

/// Contracts 7.6: a tenant's night with c changed findings costs 24 + 3 c, and three objects are put.
#[test]
fn a_night_with_changed_findings() {
    for changed in [1_u32, 10, 50, 90] {
        let (stage, tenants) = fleet(1, 0);
        stage.import(tenants[0], &many(100, changed));
        must(stage.tick());
        let (bill, system) = billed(&stage);
        stage.plan.reset();
        assert_eq!(drain(&system), 1);
        assert_eq!(stage.findings(tenants[0]).len(), changed as usize);
        let most = 24 + 3 * u64::from(changed);
        println!("{changed} findings: {} of {most} units: {:#?}", bill.total(), bill.lines());
        let puts = objects(&stage, "put object");
        assert!(puts <= 3, "{puts} objects were put");
        assert!(bill.total() <= most, "{} units, and {most} are allowed", bill.total());
    }
}

/// What stands already is read before it is resolved: a unit for six findings.
#[test]
fn a_night_that_resolves_findings() {
    for changed in [10_u32, 90] {
        let (stage, tenants) = fleet(1, changed);
        stage.import(tenants[0], &many(100, 0));
        must(stage.tick());
        let (bill, system) = billed(&stage);
        stage.plan.reset();
        assert_eq!(drain(&system), 1);
        let open = stage.findings(tenants[0]).iter().any(|one| one.finding.state.is_open());
        assert!(!open, "everything is resolved");
        let most = 24 + 3 * u64::from(changed) + u64::from(changed) / 6;
        println!("{changed} resolved: {} of {most} units: {:#?}", bill.total(), bill.lines());
        assert_eq!(objects(&stage, "put object"), 0);
        assert!(bill.total() <= most, "{} units, and {most} are allowed", bill.total());
    }
}

#[test]
fn a_night_after_a_person_acted_costs_no_more() {
    let (stage, tenants) = fleet(1, 20);
    for one in stage.findings(tenants[0]) {
        stage.act(tenants[0], one.finding.id, &FindingAction::Acknowledge);
    }
    let (bill, system) = billed(&stage);
    must(block_on(system.tick()));
    assert_eq!(drain(&system), 1);
    // One tenant alone carries the whole night: its record, the workspace, the outbox.
    assert!(bill.total() <= 24, "{}: {:#?}", bill.total(), bill.lines());
}
