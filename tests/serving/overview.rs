//! Overviews are what a recount of everything gives, and are made no more often than they must be.

use futures::executor::block_on;
use plumbline_governance::finding::state::FindingAction;
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

/// The moments at which overviews are due.
fn due(stage: &Stage) -> Vec<String> {
    let rows = stage.memory().records.dump();
    let of = |row: Record| row.key.sk.split_once('#').map(|(at, _)| at.to_owned());
    rows.into_iter().filter(|row| row.key.pk == "OVERVIEWS").filter_map(of).collect()
}

#[test]
fn the_tick_makes_overviews_when_something_may_have_changed() {
    let stage = Stage::new();
    let ws = stage.workspace;
    let (_, tenant, _) = stage.governed(&[FEATURE], &many(3, 0));
    let overview = || must(block_on(stage.system.overview(ws)));
    let groups = || must(block_on(stage.system.groups(ws))).unwrap();
    let wait = |minutes: i64| {
        stage.wait(minutes * 60);
        must(stage.tick());
    };
    stage.clock.set("2026-03-02T10:00:00Z".parse().unwrap());
    must(stage.tick());
    let first = overview().unwrap();
    is_recount(&stage, &first);
    stage.import(tenant, &many(3, 2));
    stage.compare(tenant);
    wait(2);
    assert_eq!(overview().unwrap(), first, "at most every quarter of an hour");
    wait(13);
    let second = overview().unwrap();
    is_recount(&stage, &second);
    assert_eq!(second.totals.by_status["new"], 2);
    assert!(groups().groups.is_empty(), "groups at most every hour");
    wait(45);
    assert_eq!(groups().groups.len(), 2);
    let (made, last) = (groups().as_of, overview().unwrap());
    assert_eq!(due(&stage), Vec::<String>::new());
    for _ in 0..60 {
        wait(30);
    }
    assert_eq!((groups().as_of, overview().unwrap()), (made, last), "nothing changed");
    // A new day, with what stands then.
    stage.act(tenant, stage.findings(tenant)[0].finding.id, &FindingAction::Acknowledge);
    wait(15);
    wait(1);
    let trend = must(block_on(stage.system.trend(ws, 3)));
    assert_eq!(trend.len(), 2);
    assert!(trend[0].date < trend[1].date);
    assert_eq!((trend[0].totals.by_status["new"], trend[1].totals.by_status["new"]), (2, 1));
}

/// Whatever changes the sums of a workspace, the sums follow.
#[test]
fn every_change_is_announced() {
    let stage = Stage::new();
    let ws = stage.workspace;
    let (_, tenant, profile) = stage.governed(&[FEATURE], &many(3, 0));
    let pass = |minutes: i64| {
        for _ in 0..minutes {
            stage.wait(60);
            must(stage.tick());
            stage.drain();
        }
    };
    let follows = |change: &str| {
        pass(20);
        is_recount(&stage, &must(block_on(stage.system.overview(ws))).unwrap());
        assert_eq!(due(&stage), Vec::<String>::new(), "{change}: nothing is due when all is done");
    };
    let finding = || stage.findings(tenant)[0].finding.id;
    stage.clock.set("2026-03-02T10:00:00Z".parse().unwrap());
    pass(120);
    let changes: [(&str, &dyn Fn()); 7] = [
        ("a tenant is added", &|| _ = stage.tenant("Added")),
        ("a compare is started", &|| {
            stage.import(tenant, &many(3, 2));
            must(stage.start_compare(tenant));
        }),
        ("a finding is acknowledged", &|| {
            stage.act(tenant, finding(), &FindingAction::Acknowledge);
        }),
        ("a tenant is let go", &|| must(stage.unassign(tenant))),
        ("a tenant is held to a profile", &|| stage.assign(tenant, profile)),
        ("a night", &|| {
            stage.import(tenant, &many(3, 3));
            stage.schedule("12:00", "UTC");
            stage.clock.set("2026-03-03T12:00:00Z".parse().unwrap());
        }),
        ("a tenant is archived", &|| {
            must(block_on(stage.system.archive_tenant(ws, &stage.actor, tenant, None)));
        }),
    ];
    let mut seen = must(block_on(stage.system.overview(ws))).unwrap();
    for (change, make) in changes {
        make();
        // Groups may still be due from the change before.
        pass(75);
        follows(change);
        let now = must(block_on(stage.system.overview(ws))).unwrap();
        assert_ne!(now.totals, seen.totals, "{change}");
        seen = now;
    }
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
