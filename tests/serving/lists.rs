//! Long lists: whatever the size of a page, the pages together are the list, in its order, nothing twice
//! and nothing left out; and a call reads a bounded number of rows.

use futures::executor::block_on;
use jiff::{SignedDuration, Timestamp};
use plumbline_governance::finding::state::FindingAction;
use plumbline_governance::ids::{ProfileId, TenantId};
use plumbline_governance::profile::ProfileStatus;
use plumbline_governance::report::ChangeType;
use plumbline_governance::run::{Run, RunOutcome, RunType, Trigger};
use plumbline_governance::severity::Severity;
use plumbline_operations::{
    FindingFilter, OperationError, Page, Position, RunFilter, SeenFinding, TenantFilter,
    TenantStatus,
};
use plumbline_tests::policies::{FEATURE, Policies, QUALITY, feature, many, policies, quality};
use plumbline_tests::stage::{Stage, must};
use std::collections::BTreeSet;
use std::fmt::Debug;

/// What a filter is to leave.
type Keep<'k, T> = Box<dyn Fn(&T) -> bool + 'k>;

/// Every page of a list, joined.
fn all<T>(
    limit: usize,
    page: impl Fn(Option<&Position>, usize) -> Result<Page<T>, OperationError>,
) -> Vec<T> {
    let (mut out, mut after): (Vec<T>, Option<Position>) = (Vec::new(), None);
    for _ in 0..10_000 {
        let found = must(page(after.as_ref(), limit));
        assert!(found.items.len() <= limit);
        out.extend(found.items);
        // A position survives being written down.
        let text = found.next.as_ref().map(|next| serde_json::to_string(next).unwrap());
        after = text.map(|text| serde_json::from_str(&text).unwrap());
        assert_eq!(after, found.next);
        if after.is_none() {
            return out;
        }
    }
    panic!("the list never ends");
}

fn holds_for_all_sizes<T: PartialEq + Debug>(
    what: &str,
    expected: &[T],
    page: impl Fn(Option<&Position>, usize) -> Result<Page<T>, OperationError>,
) {
    for limit in (1..=expected.len() + 1).step_by(1 + expected.len() / 8).chain([1_000]) {
        assert_eq!(all(limit, &page), expected, "{what}, {limit} a page");
    }
}

/// A workspace of four tenants and two profiles with findings of every status, severity and kind.
struct Busy {
    stage: Stage,
    tenants: Vec<TenantId>,
    profiles: [ProfileId; 2],
}

fn other(from: u32) -> Policies {
    let changed = (0..4).map(|at| feature(&format!("Policy {at:04}"), at, "other"));
    let kept = (4..10).map(|at| feature(&format!("Policy {at:04}"), at, &format!("version {at}")));
    let more = (0..3).map(|at| feature(&format!("More {at}"), 100 + at + from, "mine"));
    policies(changed.chain(kept).chain(more).chain([quality("Q", 50, 3)]))
}

fn golden() -> Policies {
    policies(
        (0..12)
            .map(|at| feature(&format!("Policy {at:04}"), at, &format!("version {at}")))
            .chain([quality("Q", 50, 1), quality("R", 51, 1)]),
    )
}

fn busy() -> Busy {
    let stage = Stage::new();
    let (first, one, profile) = stage.governed(&[FEATURE, QUALITY], &golden());
    let second = stage.profile("Second", &[FEATURE]);
    assert_eq!(stage.capture(second, first).outcome(), RunOutcome::Succeeded);
    stage.activate(second);
    let (two, three) = (stage.tenant("Two"), stage.tenant("Three"));
    stage.assign(two, profile);
    stage.assign(three, second);
    for (nth, tenant) in [one, two, three].into_iter().enumerate() {
        stage.import(tenant, &other(10 * u32::try_from(nth).unwrap()));
        stage.compare(tenant);
        let ids: Vec<_> = stage.findings(tenant).iter().map(|one| one.finding.id).collect();
        let reason = || "because".to_owned();
        for (at, id) in ids.iter().enumerate() {
            match at % 5 {
                0 => stage.act(tenant, *id, &FindingAction::Acknowledge),
                1 => {
                    let accept = FindingAction::Accept { reason: reason(), until: None };
                    stage.act(tenant, *id, &accept);
                    if at > 3 {
                        stage.act(tenant, *id, &FindingAction::Reopen { reason: reason() });
                    }
                }
                2 => stage.act(tenant, *id, &FindingAction::Close { reason: reason() }),
                _ => {}
            }
        }
    }
    // What drifts no more is resolved.
    stage.import(two, &golden());
    stage.compare(two);
    Busy { stage, tenants: vec![first, one, two, three], profiles: [profile, second] }
}

fn urgency(one: &SeenFinding) -> impl Ord + use<> {
    let statuses = ["new", "reopened", "acknowledged", "accepted", "resolved", "closed"];
    let status = statuses.iter().position(|word| *word == one.finding.state.as_str()).unwrap();
    let severity = match one.finding.drift.severity.as_str() {
        "high" => 0,
        "medium" => 1,
        _ => 2,
    };
    let is_settled = status > 2;
    (
        is_settled,
        if is_settled { (status, severity) } else { (severity, status) },
        std::cmp::Reverse((one.finding.changed_at, one.finding.id.to_string())),
    )
}

/// What a filter leaves, by a test of its own.
fn model(busy: &Busy, keep: impl Fn(&SeenFinding) -> bool) -> Vec<SeenFinding> {
    let mut out: Vec<SeenFinding> =
        busy.tenants.iter().flat_map(|tenant| busy.stage.findings(*tenant)).filter(keep).collect();
    out.sort_by_key(urgency);
    out
}

#[test]
fn findings_come_in_their_order_under_every_filter() {
    let busy = busy();
    let everything = model(&busy, |_| true);
    let statuses: BTreeSet<_> = everything.iter().map(|one| one.finding.state.as_str()).collect();
    assert_eq!(statuses.len(), 6, "{statuses:?}");
    let severities: BTreeSet<_> = everything.iter().map(|one| one.finding.drift.severity).collect();
    assert_eq!(severities.len(), 3);
    let middle = everything[everything.len() / 2].finding.changed_at;
    let run = everything[3].finding.first_run;
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    let none = FindingFilter::default;
    let cases: Vec<(FindingFilter, Keep<'_, SeenFinding>)> = vec![
        (none(), Box::new(|_| true)),
        (
            FindingFilter { statuses: words(&["new", "closed"]), ..none() },
            Box::new(|one| matches!(one.finding.state.as_str(), "new" | "closed")),
        ),
        (
            FindingFilter { severities: [Severity::High, Severity::Low].into(), ..none() },
            Box::new(|one| one.finding.drift.severity != Severity::Medium),
        ),
        (
            FindingFilter { profile: Some(busy.profiles[1]), ..none() },
            Box::new(|one| one.finding.profile == busy.profiles[1]),
        ),
        (
            FindingFilter { policy_types: words(&[QUALITY]), ..none() },
            Box::new(|one| one.finding.drift.policy_type == QUALITY),
        ),
        (
            FindingFilter { change_types: [ChangeType::MissingPolicy].into(), ..none() },
            Box::new(|one| one.finding.drift.change_type == ChangeType::MissingPolicy),
        ),
        (
            FindingFilter { run: Some(run), ..none() },
            Box::new(|one| one.finding.first_run == run || one.finding.last_run == run),
        ),
        (
            FindingFilter { changed_since: Some(middle), ..none() },
            Box::new(|one| one.finding.changed_at >= middle),
        ),
        (
            FindingFilter { changed_until: Some(middle), ..none() },
            Box::new(|one| one.finding.changed_at < middle),
        ),
        (
            FindingFilter { first_seen_since: Some(middle), ..none() },
            Box::new(|one| one.finding.first_seen_at >= middle),
        ),
        (
            FindingFilter { first_seen_until: Some(middle), ..none() },
            Box::new(|one| one.finding.first_seen_at < middle),
        ),
    ];
    let ws = busy.stage.workspace;
    for (filter, keep) in &cases {
        let expected = model(&busy, keep);
        holds_for_all_sizes(&format!("{filter:?}"), &expected, |after, limit| {
            block_on(busy.stage.system.finding_page(ws, filter, after, limit))
        });
        // The same of one tenant, and tenant by tenant.
        let mut by_tenant = Vec::new();
        let within: BTreeSet<TenantId> = busy.tenants[1..3].iter().copied().collect();
        for tenant in &within {
            let of = |one: &SeenFinding| one.finding.tenant == *tenant && keep(one);
            let expected = model(&busy, of);
            let filter = FindingFilter { tenant: Some(*tenant), ..filter.clone() };
            holds_for_all_sizes(&format!("{filter:?}"), &expected, |after, limit| {
                block_on(busy.stage.system.finding_page(ws, &filter, after, limit))
            });
            by_tenant.extend(expected);
        }
        let filter = FindingFilter { within: Some(within), ..filter.clone() };
        holds_for_all_sizes(&format!("{filter:?}"), &by_tenant, |after, limit| {
            block_on(busy.stage.system.finding_page(ws, &filter, after, limit))
        });
        let elsewhere = FindingFilter { tenant: Some(busy.tenants[3]), ..filter };
        let page = must(block_on(busy.stage.system.finding_page(ws, &elsewhere, None, 10)));
        assert!(page.items.is_empty(), "a limited member may not know of it");
    }
    let odd = FindingFilter { statuses: words(&["gone"]), ..none() };
    let refused = block_on(busy.stage.system.finding_page(ws, &odd, None, 10)).unwrap_err();
    assert!(refused.to_string().contains("no status of a finding"), "{refused}");
    for one in &everything {
        let (tenant, id) = (one.finding.tenant, one.finding.id);
        assert_eq!(&must(block_on(busy.stage.system.finding(ws, tenant, id))), one);
    }
    let absent = block_on(busy.stage.system.finding(ws, busy.tenants[0], everything[0].finding.id));
    assert!(matches!(absent, Err(OperationError::NotFound { .. })));
}

#[test]
fn only_a_hundred_findings_are_acted_on_at_once() {
    let busy = busy();
    let one = &busy.stage.findings(busy.tenants[1])[0].finding;
    let ids = vec![(one.tenant, one.id); 101];
    let (system, actor) = (&busy.stage.system, &busy.stage.actor);
    let action = FindingAction::Acknowledge;
    let refused = block_on(system.act_on_all(busy.stage.workspace, actor, &ids, &action));
    assert!(matches!(refused, Err(OperationError::Invalid(_))));
}

#[test]
fn runs_are_listed_when_a_person_or_trouble_made_them() {
    let busy = busy();
    let stage = &busy.stage;
    // A quiet night, and one that did not succeed: the inventory is too old by then.
    stage.schedule("02:00", "UTC");
    for _ in 0..24 {
        stage.clock.advance(SignedDuration::from_hours(6));
        must(stage.tick());
        stage.drain();
    }
    let mut every: Vec<Run> = busy
        .tenants
        .iter()
        .flat_map(|tenant| must(block_on(stage.system.runs(stage.workspace, *tenant, 1_000))))
        .collect();
    every.sort_by_key(|run| std::cmp::Reverse((run.created_at, run.id.to_string())));
    let is_quiet = |run: &Run| {
        matches!(run.trigger, Trigger::Night { .. }) && run.outcome() == RunOutcome::Succeeded
    };
    assert!(every.iter().any(is_quiet), "a quiet night");
    let blocked = |run: &Run| run.outcome() == RunOutcome::Blocked;
    assert!(every.iter().any(blocked), "a night with trouble");
    let listed: Vec<Run> = every.iter().filter(|run| !is_quiet(run)).cloned().collect();
    let ws = stage.workspace;
    let none = RunFilter::default;
    let cases: Vec<(RunFilter, Keep<'_, Run>)> = vec![
        (none(), Box::new(|_| true)),
        (
            RunFilter { run_type: Some(RunType::BaselineCapture), ..none() },
            Box::new(|run| run.run_type == RunType::BaselineCapture),
        ),
        (
            RunFilter { outcome: Some(RunOutcome::Blocked), ..none() },
            Box::new(|run| run.outcome() == RunOutcome::Blocked),
        ),
        (RunFilter { status: Some("queued".to_owned()), ..none() }, Box::new(|_| false)),
    ];
    for (filter, keep) in &cases {
        let of = |runs: &[Run], tenants: &[TenantId]| -> Vec<Run> {
            let kept = |run: &&Run| keep(run) && tenants.contains(&run.tenant);
            runs.iter().filter(kept).cloned().collect()
        };
        let page = |filter: RunFilter| {
            move |after: Option<&Position>, limit| {
                block_on(stage.system.run_page(ws, &filter, after, limit))
            }
        };
        let what = format!("{filter:?}");
        holds_for_all_sizes(&what, &of(&listed, &busy.tenants), page(filter.clone()));
        let one = busy.tenants[2];
        let of_one = RunFilter { tenant: Some(one), ..filter.clone() };
        holds_for_all_sizes(&what, &of(&every, &[one]), page(of_one));
        let within = RunFilter { within: Some([one].into()), ..filter.clone() };
        holds_for_all_sizes(&what, &of(&listed, &[one]), page(within));
    }
    let odd = RunFilter { status: Some("asleep".to_owned()), ..none() };
    assert!(block_on(stage.system.run_page(ws, &odd, None, 10)).is_err());
    let nights = must(block_on(stage.system.nights(ws)));
    assert!(nights.len() >= 5);
    holds_for_all_sizes("nights", &nights, |after, limit| {
        block_on(stage.system.night_page(ws, after, limit))
    });
}

#[test]
fn what_people_set_up_is_listed_and_found_by_name() {
    let busy = busy();
    let (stage, ws) = (&busy.stage, busy.stage.workspace);
    let away = stage.tenant("Away");
    must(block_on(stage.system.archive_tenant(ws, &stage.actor, away, None)));
    for nth in 0..9 {
        stage.tenant(&format!("More {nth}"));
        stage.profile(&format!("Draft {nth}"), &[FEATURE]);
    }
    let tenants = must(block_on(stage.system.tenants(ws)));
    let none = TenantFilter::default;
    let within: BTreeSet<TenantId> = tenants.iter().step_by(2).map(|one| one.id).collect();
    for filter in [
        none(),
        TenantFilter { within: Some(within.clone()), ..none() },
        TenantFilter { profile: Some(busy.profiles[0]), ..none() },
        TenantFilter { status: Some(TenantStatus::Archived), ..none() },
        TenantFilter { within: Some(within), status: Some(TenantStatus::Active), profile: None },
    ] {
        let kept: Vec<_> = tenants
            .iter()
            .filter(|one| filter.within.as_ref().is_none_or(|within| within.contains(&one.id)))
            .filter(|one| filter.profile.is_none() || one.profile == filter.profile)
            .filter(|one| filter.status.is_none_or(|status| one.status == status))
            .cloned()
            .collect();
        holds_for_all_sizes(&format!("{filter:?}"), &kept, |after, limit| {
            block_on(stage.system.tenant_page(ws, &filter, after, limit))
        });
    }
    let profiles = must(block_on(stage.system.profiles(ws)));
    for status in [None, Some(ProfileStatus::Active), Some(ProfileStatus::Draft)] {
        let kept: Vec<_> = profiles
            .iter()
            .filter(|one| status.is_none_or(|status| one.status == status))
            .cloned()
            .collect();
        holds_for_all_sizes("profiles", &kept, |after, limit| {
            block_on(stage.system.profile_page(ws, status, after, limit))
        });
    }
    for nth in 0..4 {
        stage.wait(60);
        stage.import(busy.tenants[0], &many(5, nth));
        stage.capture(busy.profiles[1], busy.tenants[0]);
    }
    let snapshots = must(block_on(stage.system.snapshots(ws, busy.profiles[1])));
    assert_eq!(snapshots.len(), 5);
    holds_for_all_sizes("snapshots", &snapshots, |after, limit| {
        block_on(stage.system.snapshot_page(ws, busy.profiles[1], after, limit))
    });
    let postures: Vec<_> =
        tenants.iter().filter_map(|one| must(block_on(stage.system.posture(ws, one.id)))).collect();
    assert_eq!(postures.len(), 3);
    holds_for_all_sizes("postures", &postures, |after, limit| {
        block_on(stage.system.posture_page(ws, None, after, limit))
    });
    let two: BTreeSet<TenantId> = busy.tenants[..2].iter().copied().collect();
    let seen: Vec<_> = postures.iter().filter(|one| two.contains(&one.tenant)).cloned().collect();
    holds_for_all_sizes("postures within", &seen, |after, limit| {
        block_on(stage.system.posture_page(ws, Some(&two), after, limit))
    });

    let named = |name: &str| must(block_on(stage.system.tenant_named(ws, name)));
    assert_eq!(named("more 3").unwrap().name, "More 3");
    assert!(named("Away").is_none() && named("nobody").is_none());
    let named = |name: &str| must(block_on(stage.system.profile_named(ws, name)));
    assert_eq!(named("SECOND").unwrap().id, busy.profiles[1]);
    assert!(named("third").is_none());
}

#[test]
fn all_tenants_of_a_profile_are_compared_a_page_a_call() {
    let busy = busy();
    let (stage, ws) = (&busy.stage, busy.stage.workspace);
    let start = |after: Option<&Position>, limit| {
        block_on(stage.system.start_compares(ws, &stage.actor, busy.profiles[0], after, limit))
    };
    let mut tenants: Vec<TenantId> =
        all(1, start).into_iter().map(|started| started.run.tenant).collect();
    tenants.sort_unstable();
    assert_eq!(tenants, busy.tenants[1..3]);
    assert!(must(start(None, 100)).items.iter().all(|one| one.was_active));
    assert!(matches!(start(None, 101), Err(OperationError::Invalid(_))));
}

/// A filter that leaves nothing makes a call read no more than ten times what it asked for.
#[test]
fn a_call_reads_a_bounded_number_of_rows() {
    let stage = Stage::new();
    for nth in 0..25 {
        stage.tenant(&format!("T{nth}"));
    }
    let filter = TenantFilter { status: Some(TenantStatus::Archived), ..TenantFilter::default() };
    let (mut calls, mut after) = (0, None);
    loop {
        let page = block_on(stage.system.tenant_page(stage.workspace, &filter, after.as_ref(), 1));
        let page = must(page);
        assert!(page.items.is_empty());
        calls += 1;
        match page.next {
            Some(next) => after = Some(next),
            None => break,
        }
    }
    assert_eq!(calls, 3);
    let none = Timestamp::UNIX_EPOCH;
    let old = FindingFilter { changed_until: Some(none), ..FindingFilter::default() };
    let page = must(block_on(stage.system.finding_page(stage.workspace, &old, None, 5)));
    assert_eq!(page, Page { items: Vec::new(), next: None });
}
