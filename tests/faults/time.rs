//! Nights, clocks and ticks.

use futures::executor::block_on;
use jiff::Timestamp;
use plumbline_governance::run::RunType;
use plumbline_operations::{NightStatus, System};
use plumbline_testkit::faults::Fault;
use plumbline_tests::check::{assert_whole, pending_runs};
use plumbline_tests::policies::{FEATURE, many};
use plumbline_tests::stage::{Stage, must};
use std::collections::BTreeMap;

const TYPES: &[&str] = &[FEATURE];

fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

/// The compares of a tenant by the date of their night.
fn nights_of(
    stage: &Stage,
    tenant: plumbline_governance::ids::TenantId,
) -> BTreeMap<String, usize> {
    let mut out = BTreeMap::new();
    for run in must(block_on(stage.system.runs(stage.workspace, tenant, 1_000))) {
        if let plumbline_governance::run::Trigger::Night { date } = run.trigger {
            *out.entry(date.to_string()).or_default() += 1;
        }
    }
    out
}

/// A governed stage whose clock stands at a time.
fn stage_at(time: &str) -> (Stage, plumbline_governance::ids::TenantId) {
    let stage = Stage::new();
    stage.clock.set(at(time));
    let (_, tenant, _) = stage.governed(TYPES, &many(3, 0));
    (stage, tenant)
}

#[test]
fn f35_two_ticks_at_once() {
    for call in 0..30 {
        let (stage, tenant) = stage_at("2026-03-01T00:00:00Z");
        stage.schedule("02:00", "UTC");
        stage.wait(3 * 3_600);
        let other = System::new(stage.raw.clone());
        stage.plan.reset();
        stage.plan.at(
            call,
            Fault::delay(move || async move {
                other.tick().await.expect("a tick");
            }),
        );
        must(stage.tick());
        let ends = !stage.plan.has_fired();
        stage.drain();
        assert_eq!(nights_of(&stage, tenant).into_values().collect::<Vec<_>>(), [1], "{call}");
        assert_eq!(must(block_on(stage.system.nights(stage.workspace))).len(), 1, "{call}");
        assert_whole(&stage, "f35");
        if ends {
            return;
        }
    }
}

#[test]
fn f35_two_ticks_in_two_threads() {
    for round in 0..20 {
        let (stage, tenant) = stage_at("2026-03-01T00:00:00Z");
        stage.schedule("02:00", "UTC");
        stage.wait(3 * 3_600);
        let started: usize = std::thread::scope(|scope| {
            let ticks: Vec<_> = (0..4)
                .map(|_| {
                    let system = System::new(stage.raw.clone());
                    scope.spawn(move || must(block_on(system.tick())).started.len())
                })
                .collect();
            ticks.into_iter().map(|tick| tick.join().expect("a tick")).sum()
        });
        assert_eq!(started, 1, "round {round}");
        stage.drain();
        assert_eq!(nights_of(&stage, tenant).len(), 1, "round {round}");
    }
}

#[test]
fn f35_missed_nights_stay_visible() {
    let (stage, tenant) = stage_at("2026-03-01T00:00:00Z");
    stage.schedule("02:00", "UTC");
    stage.clock.set(at("2026-03-05T20:00:00Z"));
    let ticked = must(stage.tick());
    assert_eq!((ticked.started.len(), ticked.missed.len()), (0, 5), "{ticked:?}");
    stage.drain();
    assert_eq!(nights_of(&stage, tenant).len(), 0, "a missed night is not made up for");
    stage.clock.set(at("2026-03-06T02:00:30Z"));
    assert_eq!(must(stage.tick()).started.len(), 1);
    stage.drain();
    let nights = must(block_on(stage.system.nights(stage.workspace)));
    let seen: Vec<(String, bool)> = nights
        .iter()
        .map(|night| (night.date.to_string(), night.status == NightStatus::Missed))
        .collect();
    let expected =
        ["06", "05", "04", "03", "02", "01"].map(|day| (format!("2026-03-{day}"), day != "06"));
    assert_eq!(seen, expected);
    // A year of silence does not stop the schedule.
    stage.clock.set(at("2027-06-01T02:10:00Z"));
    let ticked = must(stage.tick());
    assert_eq!(ticked.started.len(), 1);
    assert!(ticked.missed.len() >= 31, "{}", ticked.missed.len());
}

#[test]
fn f36_daylight_saving() {
    for (zone, time, from, to) in [
        ("Europe/Berlin", "02:30", "2026-03-26T12:00:00Z", "2026-04-01T12:00:00Z"),
        ("Europe/Berlin", "02:30", "2026-10-22T12:00:00Z", "2026-10-28T12:00:00Z"),
        ("America/New_York", "01:30", "2026-10-29T12:00:00Z", "2026-11-04T12:00:00Z"),
        ("Australia/Lord_Howe", "02:15", "2026-10-01T00:00:00Z", "2026-10-07T12:00:00Z"),
        ("Africa/Cairo", "00:00", "2026-04-21T12:00:00Z", "2026-04-27T12:00:00Z"),
    ] {
        let (stage, tenant) = stage_at(from);
        stage.schedule(time, zone);
        while stage.second() < at(to).as_second() {
            stage.wait(10 * 60);
            must(stage.tick());
            stage.drain();
        }
        let nights = nights_of(&stage, tenant);
        assert!(nights.len() >= 6, "{zone}: {nights:?}");
        assert!(nights.values().all(|count| *count == 1), "{zone}: {nights:?}");
        let dates: Vec<jiff::civil::Date> =
            nights.keys().map(|date| date.parse().expect("a date")).collect();
        for pair in dates.windows(2) {
            assert_eq!(pair[0].tomorrow().expect("a date"), pair[1], "{zone}: no date is left out");
        }
    }
}

#[test]
fn f36_a_clock_that_jumps() {
    for jump in [-3_600_i64, 600, -7_200, 3_600, -86_400] {
        let (stage, tenant) = stage_at("2026-03-01T00:00:00Z");
        stage.schedule("02:00", "UTC");
        for _ in 0..60 {
            stage.wait(20 * 60);
            let _ = stage.tick();
            stage.drain();
        }
        stage.wait(jump);
        for _ in 0..8 {
            stage.import(tenant, &many(3, 1));
            let run = stage.compare(tenant);
            assert!(run.is_completed(), "{jump}");
            for _ in 0..18 {
                stage.wait(20 * 60);
                must(stage.tick());
                stage.drain();
            }
        }
        let nights = nights_of(&stage, tenant);
        assert!(nights.values().all(|count| *count == 1), "{jump}: {nights:?}");
        stage.wait(17 * 60);
        stage.settle();
        assert_eq!(pending_runs(&stage), Vec::<String>::new(), "{jump}");
        assert_whole(&stage, "f36");
        let standing = stage.findings(tenant);
        assert_eq!(standing.len(), 1, "{jump}");
    }
}

#[test]
fn f36_a_clock_that_jumps_back_while_a_run_is_held() {
    // The lease was taken while the clock ran ahead: nobody may be shut out for hours.
    let (stage, tenant) = stage_at("2026-03-01T10:00:00Z");
    stage.import(tenant, &many(3, 1));
    let started = must(stage.start_compare(tenant));
    stage.wait(6_000);
    stage.plan.next(
        |call| call.op == "query records" && call.what.contains("FINDING"),
        Fault::CrashBefore,
    );
    stage.drain();
    assert!(stage.plan.is_crashed());
    stage.wait(-6_000);
    stage.plan.restart();
    let mut minutes = 0;
    while !stage.run(tenant, &started).is_completed() && minutes < 300 {
        stage.wait(60);
        minutes += 1;
        let _ = stage.tick();
        stage.drain();
    }
    assert!(stage.run(tenant, &started).is_completed(), "after {minutes} minutes");
    assert!(minutes < 180, "{minutes}");
    assert_whole(&stage, "f36 held");
}

#[test]
fn nights_hold_active_tenants_with_a_profile_only() {
    let (stage, tenant) = stage_at("2026-03-01T00:00:00Z");
    let idle = stage.tenant("idle");
    stage.schedule("02:00", "UTC");
    stage.wait(3 * 3_600);
    must(stage.tick());
    stage.drain();
    assert_eq!(nights_of(&stage, tenant).len(), 1);
    assert_eq!(nights_of(&stage, idle).len(), 0);
    let runs = must(block_on(stage.system.runs(stage.workspace, tenant, 10)));
    assert!(runs.iter().all(|run| run.run_type != RunType::BaselineCompare || run.is_completed()));
}
