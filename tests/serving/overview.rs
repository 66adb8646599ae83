//! Overviews are what a recount of everything gives, and are made no more often than they must be.

use futures::executor::block_on;
use jiff::SignedDuration;
use plumbline_governance::ids::TenantId;
use plumbline_operations::{DriftGroups, Overview, Person, Totals};
use plumbline_ports::{Batch, Condition, Record};
use plumbline_tests::policies::{FEATURE, QUALITY, many};
use plumbline_tests::stage::{Stage, must};
use std::collections::{BTreeMap, BTreeSet};

/// Tenants of two profiles: alike and unlike, archived, held to nothing, never compared.
fn fleet() -> Stage {
    let stage = Stage::new();
    let (golden, first, profile) = stage.governed(&[FEATURE], &many(12, 0));
    let second = stage.profile("Second", &[FEATURE, QUALITY]);
    stage.capture(second, golden);
    stage.activate(second);
    let mut all = vec![first];
    for nth in 0..8 {
        let tenant = stage.tenant(&format!("T{nth}"));
        stage.assign(tenant, if nth < 5 { profile } else { second });
        all.push(tenant);
    }
    for (nth, tenant) in all.iter().enumerate().take(8) {
        stage.import(*tenant, &many(12, u32::try_from(nth % 4).unwrap()));
        stage.compare(*tenant);
    }
    stage.tenant("Held to nothing");
    must(stage.unassign(all[1]));
    must(block_on(stage.system.archive_tenant(stage.workspace, &stage.actor, all[2], None)));
    for nth in 0..520 {
        stage.tenant(&format!("Many {nth}"));
    }
    stage
}

/// The sums, counted from all rows.
fn recount(stage: &Stage) -> (Totals, BTreeMap<String, Totals>) {
    let ws = stage.workspace;
    let zero = |words: &[&str]| words.iter().map(|word| ((*word).to_owned(), 0)).collect();
    let none = || Totals {
        tenants: 0,
        unassigned: 0,
        by_trust: zero(&["full", "partial_suppressed", "unproven_suppressed", "never_compared"]),
        by_status: zero(&["new", "acknowledged", "reopened", "accepted", "resolved", "closed"]),
        open_by_severity: zero(&["high", "medium", "low"]),
    };
    let (mut whole, mut by_profile) = (none(), BTreeMap::new());
    for tenant in must(block_on(stage.system.tenants(ws))) {
        if tenant.status.as_str() == "archived" {
            continue;
        }
        let trust = must(block_on(stage.system.posture(ws, tenant.id))).and_then(|one| one.trust);
        let trust = trust.unwrap_or_else(|| "never_compared".to_owned());
        let of = tenant.profile.map(|id| by_profile.entry(id.to_string()).or_insert_with(none));
        let findings = stage.findings(tenant.id);
        for sums in [Some(&mut whole), of].into_iter().flatten() {
            sums.tenants += 1;
            match tenant.profile {
                None => sums.unassigned += 1,
                Some(_) => *sums.by_trust.get_mut(&trust).unwrap() += 1,
            }
            for one in &findings {
                let status = one.finding.state.as_str();
                *sums.by_status.get_mut(status).unwrap() += 1;
                if one.finding.state.is_open() {
                    let severity = one.finding.drift.severity.as_str();
                    *sums.open_by_severity.get_mut(severity).unwrap() += 1;
                }
            }
        }
    }
    (whole, by_profile)
}

fn is_recount(stage: &Stage, overview: &Overview) {
    let (totals, by_profile) = recount(stage);
    assert_eq!(overview.totals, totals);
    let found: BTreeMap<String, Totals> =
        overview.by_profile.iter().map(|(id, one)| (id.to_string(), one.clone())).collect();
    assert_eq!(found, by_profile);
    assert_eq!(overview.unreadable, 0);
}

fn groups_are_recount(stage: &Stage, groups: &DriftGroups) {
    let mut expected: BTreeMap<String, BTreeSet<TenantId>> = BTreeMap::new();
    for tenant in must(block_on(stage.system.tenants(stage.workspace))) {
        for one in stage.findings(tenant.id) {
            if one.finding.state.is_open() {
                let drift = &one.finding.drift;
                let key = format!(
                    "{} {} {} {:?} {:?} {:?}",
                    one.finding.profile,
                    drift.policy_type,
                    drift.subject_key,
                    drift.change_type,
                    drift.baseline_hash,
                    drift.current_hash
                );
                expected.entry(key).or_default().insert(tenant.id);
            }
        }
    }
    assert_eq!(groups.groups.len(), expected.len());
    assert!(groups.groups.is_sorted_by_key(|one| std::cmp::Reverse(one.tenants)));
    assert!(!groups.truncated);
    for one in &groups.groups {
        let key = format!(
            "{} {} {} {:?} {:?} {:?}",
            one.profile,
            one.policy_type,
            one.subject_key,
            one.change_type,
            one.baseline_hash,
            one.current_hash
        );
        let tenants = &expected[&key];
        assert_eq!(one.tenants, tenants.len() as u64, "{key}");
        assert_eq!(one.samples.len(), tenants.len().min(5));
        for sample in &one.samples {
            let found =
                block_on(stage.system.finding(stage.workspace, sample.tenant, sample.finding));
            assert_eq!(must(found).finding.drift.display_name, one.display_name);
            assert!(tenants.contains(&sample.tenant));
        }
    }
}

#[test]
fn an_overview_is_a_recount() {
    let stage = fleet();
    let ws = stage.workspace;
    assert_eq!(must(block_on(stage.system.overview(ws))), None);
    assert_eq!(must(block_on(stage.system.groups(ws))), None);
    let made = must(block_on(stage.system.refresh_overview(ws)));
    is_recount(&stage, &made);
    assert!(made.totals.unassigned > 500 && made.totals.by_trust["never_compared"] > 0);
    assert!(made.totals.by_status["new"] > 0 && made.totals.by_status["resolved"] > 0);
    assert_eq!(must(block_on(stage.system.overview(ws))), Some(made.clone()));
    let groups = must(block_on(stage.system.groups(ws))).unwrap();
    groups_are_recount(&stage, &groups);
    assert!(groups.groups[0].tenants >= 2, "{:?}", groups.groups[0]);
    let trend = must(block_on(stage.system.trend(ws, 30)));
    assert_eq!(trend.len(), 1);
    assert_eq!(trend[0].totals, made.totals);
    for days in [0, 401] {
        assert!(block_on(stage.system.trend(ws, days)).is_err());
    }
    assert_eq!(must(block_on(stage.system.verify(ws))).damage, Vec::new());
}

#[test]
fn the_tick_makes_overviews_when_they_are_due() {
    let stage = Stage::new();
    let ws = stage.workspace;
    let (_, tenant, _) = stage.governed(&[FEATURE], &many(3, 0));
    let overview = || must(block_on(stage.system.overview(ws)));
    let groups = || must(block_on(stage.system.groups(ws))).unwrap();
    must(stage.tick());
    let first = overview().unwrap();
    is_recount(&stage, &first);
    stage.import(tenant, &many(3, 2));
    stage.compare(tenant);
    stage.wait(60);
    must(stage.tick());
    assert_eq!(overview().unwrap(), first, "at most every fifteen minutes");
    stage.wait(15 * 60);
    must(stage.tick());
    let second = overview().unwrap();
    is_recount(&stage, &second);
    assert_eq!(second.totals.by_status["new"], 2);
    assert!(groups().groups.is_empty(), "groups at most every hour");
    stage.wait(45 * 60);
    must(stage.tick());
    assert_eq!(groups().groups.len(), 2);
    let made = groups().as_of;
    for _ in 0..8 {
        stage.wait(30 * 60);
        must(stage.tick());
    }
    assert_eq!(groups().as_of, made, "nothing changed");
    assert!(overview().unwrap().as_of > made);
    // A new day, with what stands then.
    stage.clock.advance(SignedDuration::from_hours(24));
    must(stage.tick());
    let trend = must(block_on(stage.system.trend(ws, 3)));
    assert_eq!(trend.len(), 2);
    assert!(trend[0].date < trend[1].date);
    assert_eq!(trend[1].totals.by_status["new"], 2);
}

/// Takes a row's body for another one.
fn spoil(stage: &Stage, row: &Record) {
    let spoilt = Record { body: b"{".to_vec(), ..row.clone() };
    let batch = Batch::new().put(spoilt, Condition::Always);
    block_on(stage.raw.records.commit(batch)).unwrap();
}

#[test]
fn one_workspaces_trouble_holds_no_other_up() {
    let stage = Stage::new();
    let person = Person { issuer: "local".to_owned(), subject: "eve".to_owned() };
    let others: Vec<_> = ["A", "B"]
        .map(|name| must(block_on(stage.system.create_workspace(&person, &stage.actor, name))).id)
        .to_vec();
    let rows = stage.memory().records.dump();
    let meta = rows
        .iter()
        .find(|row| row.key.sk == "META" && row.key.pk == format!("WS#{}", stage.workspace));
    spoil(&stage, meta.unwrap());
    assert!(stage.tick().is_err(), "the trouble is told");
    for id in others {
        assert!(must(block_on(stage.system.overview(id))).is_some());
    }
    assert!(stage.tick().is_ok(), "it is tried again when it is due again");

    // A row that cannot be read makes the sums too small, and they say so.
    let stage = fleet();
    let rows = stage.memory().records.dump();
    spoil(&stage, rows.iter().find(|row| row.key.sk == "POSTURE").unwrap());
    let made = must(block_on(stage.system.refresh_overview(stage.workspace)));
    assert_eq!(made.unreadable, 1);
}
