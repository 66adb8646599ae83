//! What a night costs, in the units that the cloud bills (`plumbline_ports::bill`), and in dollars.
//! Contracts 7.6 says how many a night may take.

#![expect(clippy::expect_used, reason = "helpers of tests")]
#![expect(clippy::print_stdout, reason = "what a night costs is told")]

mod dollars;
mod units;

use futures::executor::block_on;
use plumbline_governance::finding::state::FindingAction;
use plumbline_governance::ids::TenantId;
use plumbline_operations::{Handled, System};
use plumbline_ports::QueueName;
use plumbline_ports::bill::{Bill, Charge, Ledger};
use plumbline_tests::policies::{FEATURE, many};
use plumbline_tests::stage::{Stage, must};
use std::fmt::Write as _;
use std::sync::Arc;

/// A system whose calls are billed from now on.
fn billed(stage: &Stage) -> (Arc<Ledger>, System) {
    let ledger = Arc::new(Ledger::default());
    let system = System::new(stage.raw.billed(&ledger));
    (ledger, system)
}

/// Does what is queued; answers how many runs ended.
fn drain(system: &System) -> u32 {
    let mut ended = 0;
    loop {
        let handled = must(block_on(system.work(QueueName::Compare, 10)));
        if handled.is_empty() {
            return ended;
        }
        ended += handled.iter().map(|one| u32::from(matches!(one, Handled::Ended(_)))).sum::<u32>();
    }
}

/// The bill, for people.
fn told(bill: &Bill) -> String {
    let mut out = String::new();
    for (line, count) in bill.lines() {
        let _ = writeln!(out, "  {line}: {} units, {} requests", count.units, count.requests);
    }
    let _ = writeln!(out, "  together {} units, {:.8} dollars", bill.units(), bill.dollars());
    out
}

/// Units of records, read and written.
fn record_units(bill: &Bill) -> f64 {
    bill.of(Charge::RecordRead).units + bill.of(Charge::RecordWrite).units
}

/// Requests to objects, of any kind.
fn object_requests(bill: &Bill) -> u64 {
    bill.of(Charge::ObjectRead).requests + bill.of(Charge::ObjectWrite).requests
}

/// Tenants with so many policies and findings each, compared once; the next tick starts their night.
fn fleet(tenants: u32, policies: u32, findings: u32) -> (Stage, Vec<TenantId>) {
    let stage = Stage::new();
    let (_, first, profile) = stage.governed(&[FEATURE], &many(policies, 0));
    let mut all = vec![first];
    for at in 1..tenants {
        let tenant = stage.tenant(&format!("tenant {at:02}"));
        stage.assign(tenant, profile);
        all.push(tenant);
    }
    let policies = many(policies, findings);
    for tenant in &all {
        stage.import(*tenant, &policies);
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
    // The overview of the workspace has a bill of its own.
    stage.clock.set("2026-01-03T01:50:00Z".parse().expect("a time"));
    must(stage.tick());
    stage.clock.set("2026-01-03T02:00:30Z".parse().expect("a time"));
    (stage, all)
}

/// What a night bills in which nothing changed: its start and its compares.
fn unchanged_night(stage: &Stage, tenants: &[TenantId]) -> Bill {
    let (ledger, system) = billed(stage);
    must(block_on(system.tick()));
    assert_eq!(drain(&system) as usize, tenants.len());
    let bill = ledger.bill();
    for tenant in tenants {
        let run = must(block_on(system.runs(stage.workspace, *tenant, 1))).remove(0);
        assert!(run.context.baseline_compare.is_some_and(|one| one.from_memo));
    }
    bill
}

/// A tenant's night takes 8 units or requests, and nothing of S3, however many policies it has. Half an
/// hour later a look whether its run ended takes one more, and a workspace's share.
#[test]
fn a_night_without_a_change() {
    for (count, policies, findings) in [(50_u32, 100, 0), (50, 100, 40), (30, 5_000, 0)] {
        let (stage, tenants) = fleet(count, policies, findings);
        let bill = unchanged_night(&stage, &tenants);
        println!("{count} tenants, {policies} policies, {findings} findings:\n{}", told(&bill));
        let most = f64::from(8 * count);
        assert!(bill.units() <= most, "{} units for {count} tenants", bill.units());
        assert_eq!(object_requests(&bill), 0, "{}", told(&bill));
        let look = look_after(&stage);
        println!("and the look after it:\n{}", told(&look));
        assert!(look.units() <= 10.0 + f64::from(count), "{}", told(&look));
    }
}

/// What the look after a night bills, at a moment when no overview is due.
fn look_after(stage: &Stage) -> Bill {
    // The overview that the start of the night announced is made at 02:20.
    stage.clock.set("2026-01-03T02:20:00Z".parse().expect("a time"));
    must(stage.tick());
    let (ledger, system) = billed(stage);
    stage.clock.set("2026-01-03T02:31:00Z".parse().expect("a time"));
    assert_eq!(must(block_on(system.tick())).sent_again, 0);
    ledger.bill()
}

/// A workspace in which nothing happens costs nothing; after its night, its sums are made twice.
#[test]
fn overviews() {
    let count = 50;
    for findings in [0, 40] {
        let (stage, _) = fleet(count, 100, findings);
        let (ledger, system) = billed(&stage);
        for minute in 51..60 {
            stage.clock.set(format!("2026-01-03T01:{minute}:00Z").parse().expect("a time"));
            must(block_on(system.tick()));
            let (idle, _) = ledger.take();
            assert!(idle.units() <= 3.0, "a tick in which nothing is due:\n{}", told(&idle));
        }
        stage.clock.set("2026-01-03T02:00:30Z".parse().expect("a time"));
        must(stage.tick());
        stage.drain();
        let (ledger, system) = billed(&stage);
        let mut dear = 0;
        for minute in 0..24 * 60 - 1 {
            stage.wait(60);
            must(block_on(system.tick()));
            let (bill, _) = ledger.take();
            if bill.units() > 3.0 {
                dear += 1;
                println!("{findings} findings, minute {minute}:\n{}", told(&bill));
                assert!(bill.units() <= 30.0 + f64::from(count), "{}", told(&bill));
            }
        }
        assert_eq!(
            dear, 3,
            "the look after the night, and an overview after its start and after the look"
        );
    }
}

#[test]
fn a_compare_by_hand_without_a_change() {
    let (stage, tenants) = fleet(1, 100, 40);
    must(stage.start_compare(tenants[0]));
    let (ledger, system) = billed(&stage);
    assert_eq!(drain(&system), 1);
    let bill = ledger.bill();
    let written: Vec<String> = bill
        .lines()
        .filter(|(line, _)| line.charge == Charge::RecordWrite)
        .map(|(line, _)| line.to_string())
        .collect();
    let expected = ["check POSTURE", "put ACTIVE", "put RUN"];
    assert_eq!(written, expected, "run, guard and memo are written, and nothing is listed");
    assert!(bill.lines().all(|(line, _)| !line.op.starts_with("query")), "{}", told(&bill));
    assert_eq!(object_requests(&bill), 0, "{}", told(&bill));
}

/// A workspace pays the start of a night once, whatever its tenants find: what is due, the outbox, the
/// night's record and the next one, the list of its tenants, and a message for every ten of them. Two units
/// are the look for overviews, and that one is to be made.
#[test]
fn the_start_of_a_night() {
    let (stage, _) = fleet(1, 100, 0);
    let (ledger, system) = billed(&stage);
    must(block_on(system.tick()));
    let bill = ledger.bill();
    println!("{}", told(&bill));
    assert!(bill.units() <= 18.0, "{}", told(&bill));
}

/// Contracts 7.6: a tenant's night with c changed findings costs 24 + 3 c, and three objects are put.
#[test]
fn a_night_with_changed_findings() {
    for changed in [1_u32, 10, 50, 90] {
        let (stage, tenants) = fleet(1, 100, 0);
        stage.import(tenants[0], &many(100, changed));
        must(stage.tick());
        let (ledger, system) = billed(&stage);
        assert_eq!(drain(&system), 1);
        assert_eq!(stage.findings(tenants[0]).len(), changed as usize);
        let bill = ledger.bill();
        let most = f64::from(24 + 3 * changed);
        println!("{changed} findings, at most {most}:\n{}", told(&bill));
        let puts = bill.of(Charge::ObjectWrite).requests;
        assert!(puts <= 3, "{puts} objects were put");
        let units = record_units(&bill);
        assert!(units <= most, "{units} units, and {most} are allowed");
    }
}

/// What stands already is read before it is resolved, a unit for six findings, and moves in the index,
/// which writes there twice.
#[test]
fn a_night_that_resolves_findings() {
    for changed in [10_u32, 90] {
        let (stage, tenants) = fleet(1, 100, changed);
        stage.import(tenants[0], &many(100, 0));
        must(stage.tick());
        let (ledger, system) = billed(&stage);
        assert_eq!(drain(&system), 1);
        let open = stage.findings(tenants[0]).iter().any(|one| one.finding.state.is_open());
        assert!(!open, "everything is resolved");
        let bill = ledger.bill();
        let most = f64::from(24 + 4 * changed + changed / 6);
        println!("{changed} resolved, at most {most}:\n{}", told(&bill));
        assert_eq!(bill.of(Charge::ObjectWrite).requests, 0);
        let units = record_units(&bill);
        assert!(units <= most, "{units} units, and {most} are allowed");
    }
}

#[test]
fn a_night_after_a_person_acted_costs_no_more() {
    let (stage, tenants) = fleet(1, 100, 20);
    for one in stage.findings(tenants[0]) {
        stage.act(tenants[0], one.finding.id, &FindingAction::Acknowledge);
    }
    let (ledger, system) = billed(&stage);
    must(block_on(system.tick()));
    assert_eq!(drain(&system), 1);
    // One tenant alone carries the whole night: its record, the workspace, the outbox.
    let bill = ledger.bill();
    assert!(bill.units() <= 28.0, "{}", told(&bill));
}
