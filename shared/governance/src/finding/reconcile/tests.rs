//! Every row of the life of a finding (contracts 4.3) in one table, and the rules around it.

use super::*;
use crate::report::{ChangeType, DiffKind, SCHEMA_VERSION, Side, Summary, Trust, Version};
use crate::scope::Scope;
use crate::severity::Severity;

const TYPE: &str = "settingsCatalogPolicy";

/// A drift of a subject, in one of its versions.
fn drift(recurrence: &str, subject: &str, version: &str) -> crate::report::Drift {
    let id = format!("id of {subject}");
    crate::report::Drift {
        change_type: ChangeType::UnexpectedPolicy,
        policy_type: TYPE.to_owned(),
        subject_key: subject.to_owned(),
        display_name: subject.to_owned(),
        baseline: None,
        current: Some(Version {
            external_id: Some(id),
            display_name: Some(subject.to_owned()),
            content_hash: Digest::of(version.as_bytes()).to_string(),
            source_file: String::new(),
        }),
        facets: Vec::new(),
        diff_kind: DiffKind::Unexpected,
        severity: Severity::Low,
        severity_rule: "policy.unexpected",
        matched_by: None,
        confidence: None,
        direction: None,
        possibly_same_as: None,
        role: None,
        fingerprint: Digest::of(format!("{subject} {version}").as_bytes()).to_string(),
        recurrence_key: Digest::of(recurrence.as_bytes()).to_string(),
        changes: Vec::new(),
    }
}

fn report(drift: Vec<crate::report::Drift>, is_proven: bool) -> Report {
    let side =
        || Side { source: String::new(), policies: 0, digest: String::new(), tenant_facts: true };
    Report {
        schema_version: SCHEMA_VERSION,
        normaliser_version: 1,
        baseline: side(),
        current: side(),
        trust: Trust::Full,
        summary: Summary::default(),
        drift,
        pairs: Vec::new(),
        suppressed: Vec::new(),
        gaps: Vec::new(),
        undecided: BTreeSet::new(),
        proven: is_proven.then(|| TYPE.to_owned()).into_iter().collect(),
    }
}

fn scope(key: &str) -> EffectiveScope {
    let scope = Scope { policy_types: vec![key.to_owned()], foundation_types: Vec::new() };
    scope.effective().unwrap()
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// What a compare at a second makes of the rows.
struct Compare {
    report: Report,
    second: i64,
    asked: EffectiveScope,
    compared: EffectiveScope,
    before: SeenCounters,
}

impl Compare {
    fn of(report: Report, second: i64) -> Self {
        let before = SeenCounters::default();
        Self { report, second, asked: scope(TYPE), compared: scope(TYPE), before }
    }

    fn after(&self) -> SeenCounters {
        let asked = self.asked.keys().map(str::to_owned).collect();
        self.before.after(&asked, &self.report.proven, at(self.second))
    }

    fn changes(&self, standing: &BTreeMap<Digest, Finding>) -> Vec<FindingChange> {
        let digest = |text: &str| Digest::of(text.as_bytes());
        Reconciliation {
            workspace: WorkspaceId::derive(&digest("workspace")),
            tenant: TenantId::derive(&digest("tenant")),
            profile: ProfileId::derive(&digest("profile")),
            snapshot: SnapshotId::derive(&digest("snapshot")),
            run: RunId::derive(&digest(&self.second.to_string())),
            report: &self.report,
            scope: &self.compared,
            asked: &self.asked,
            before: &self.before,
            after: &self.after(),
            now: at(self.second),
        }
        .changes(standing)
    }

    /// Takes the changes over, and checks that the same compare has nothing more to say.
    fn run(&self, standing: &mut BTreeMap<Digest, Finding>) -> Vec<FindingChange> {
        let changes = self.changes(standing);
        for change in &changes {
            standing.insert(change.finding.row_key(), change.finding.clone());
        }
        assert_eq!(self.changes(standing), [], "a compare that is repeated changes nothing");
        changes
    }
}

/// A row with one drift in version `1`, in a state.
fn row(state: &FindingState) -> BTreeMap<Digest, Finding> {
    let mut standing = BTreeMap::new();
    Compare::of(report(vec![drift("k", "a", "1")], true), 1).run(&mut standing);
    for finding in standing.values_mut() {
        finding.state = state.clone();
    }
    standing
}

#[test]
fn every_row_of_a_findings_life() {
    let pinned = Digest::of(b"a 1");
    let by = || "eve".to_owned();
    let accepted = |until: Option<i64>| FindingState::Accepted {
        by: by(),
        at: at(2),
        reason: "agreed".to_owned(),
        until: until.map(at),
        fingerprint: pinned,
    };
    let states = [
        ("new", FindingState::New),
        ("acknowledged", FindingState::Acknowledged { by: by(), at: at(2) }),
        ("reopened", FindingState::Reopened { at: at(2) }),
        ("resolved", FindingState::Resolved { at: at(2), because: Resolution::Proven }),
        ("out of scope", FindingState::Resolved { at: at(2), because: Resolution::OutOfScope }),
        ("accepted", accepted(None)),
        ("accepted until later", accepted(Some(1_000))),
        ("accepted until now", accepted(Some(100))),
        ("closed", FindingState::Closed { by: by(), at: at(2), reason: by(), fingerprint: pinned }),
    ];
    // Columns: the same drift, another drift of the subject, none with proof, none without proof, none
    // because the subject has no verdict, the type is not asked for, the type is asked for and the
    // snapshot does not cover it. `-`: nothing is written.
    let expected = [
        ["-", "changed new", "resolved", "-", "-", "out", "-"],
        ["-", "changed acknowledged", "resolved", "-", "-", "out", "-"],
        ["-", "changed reopened", "resolved", "-", "-", "out", "-"],
        ["reopened", "reopened", "-", "-", "-", "-", "-"],
        ["reopened", "reopened", "-", "-", "-", "-", "-"],
        ["-", "reopened", "changed accepted", "-", "-", "changed accepted", "-"],
        ["-", "reopened", "changed accepted", "-", "-", "changed accepted", "-"],
        ["reopened", "reopened", "resolved", "lapsed", "lapsed", "out", "lapsed"],
        ["-", "appeared 2", "-", "-", "-", "-", "-"],
    ];
    let other_type = || scope("deviceConfiguration");
    for ((name, state), columns) in states.iter().zip(expected) {
        for (column, expected) in columns.into_iter().enumerate() {
            let mut compare = match column {
                0 => Compare::of(report(vec![drift("k", "a", "1")], true), 100),
                1 => Compare::of(report(vec![drift("k", "a", "2")], true), 100),
                _ => Compare::of(report(Vec::new(), column == 2 || column == 4), 100),
            };
            if column == 4 {
                compare.report.undecided.insert(Digest::of(b"k").to_string());
            }
            if column >= 5 {
                compare.compared = other_type();
            }
            if column == 5 {
                compare.asked = other_type();
            }
            let mut standing = row(state);
            let got: Vec<String> = compare
                .run(&mut standing)
                .iter()
                .map(|change| match (&change.finding.state, change.event) {
                    (FindingState::Resolved { because: Resolution::OutOfScope, .. }, _) => {
                        "out".to_owned()
                    }
                    (FindingState::Reopened { .. }, FindingEvent::Reopened)
                        if change.drift.is_none() =>
                    {
                        "lapsed".to_owned()
                    }
                    (state, FindingEvent::Changed) => format!("changed {}", state.as_str()),
                    (_, FindingEvent::Appeared) => {
                        format!("appeared {}", change.finding.occurrence)
                    }
                    (_, event) => event.as_str().to_owned(),
                })
                .collect();
            let got = if got.is_empty() { "-".to_owned() } else { got.join(", ") };
            assert_eq!(got, expected, "{name}, column {column}");
        }
    }
}

#[test]
fn a_finding_says_what_the_last_compare_saw() {
    let mut standing = row(&FindingState::New);
    let changes = Compare::of(report(vec![drift("k", "a", "2")], true), 100).run(&mut standing);
    let [change] = changes.as_slice() else { panic!("{changes:?}") };
    let finding = &change.finding;
    assert_eq!(finding.drift.fingerprint, Digest::of(b"a 2"));
    assert_eq!((finding.first_seen_at, finding.changed_at), (at(1), at(100)));
    assert_eq!((change.drift, finding.evidence), (Some(0), None));
    assert_eq!(finding.id, finding_id(Digest::of(b"k"), 1));
}

#[test]
fn the_next_occurrence_has_a_row_of_its_own() {
    let closed = FindingState::Closed {
        by: "eve".to_owned(),
        at: at(2),
        reason: "known".to_owned(),
        fingerprint: Digest::of(b"a 1"),
    };
    let standing = row(&closed);
    let compare = Compare::of(report(vec![drift("k", "a", "2")], true), 100);
    let changes = compare.changes(&standing);
    let [change] = changes.as_slice() else { panic!("{changes:?}") };
    assert_eq!(change.finding.id, finding_id(Digest::of(b"k"), 2));
    assert_eq!(change.finding.row_key(), Digest::of(b"k"));
    assert_eq!((change.finding.seen.times, change.finding.first_seen_at), (1, at(100)));
}

/// Subjects and the words for their states, by subject.
fn by_subject(standing: &BTreeMap<Digest, Finding>) -> Vec<(String, &'static str)> {
    let mut out: Vec<_> = standing
        .values()
        .map(|finding| (finding.drift.subject_key.clone(), finding.state.as_str()))
        .collect();
    out.sort();
    out
}

#[test]
fn subjects_of_one_base_name_keep_their_rows() {
    let twins = || vec![drift("k", "a", "1"), drift("k", "b", "1")];
    let row = |subject: &str, state| (subject.to_owned(), state);
    let mut standing = BTreeMap::new();
    let appeared = Compare::of(report(twins(), true), 1).run(&mut standing);
    assert_eq!(appeared.len(), 2);
    assert_ne!(appeared[0].finding.id, appeared[1].finding.id);

    // Another order of the report, as another severity gives it, changes nothing.
    let mut turned = report(twins(), true);
    turned.drift.reverse();
    assert_eq!(Compare::of(turned, 2).run(&mut standing), []);

    // The one goes away: the other keeps what a person decided on it.
    let accepted = FindingState::Accepted {
        by: "eve".to_owned(),
        at: at(3),
        reason: "agreed".to_owned(),
        until: None,
        fingerprint: Digest::of(b"b 1"),
    };
    for finding in standing.values_mut().filter(|one| one.drift.subject_key == "b") {
        finding.state = accepted.clone();
    }
    Compare::of(report(vec![drift("k", "b", "1")], true), 4).run(&mut standing);
    assert_eq!(by_subject(&standing), [row("a", "resolved"), row("b", "accepted")]);

    // A third one that the report lists first takes the row of neither.
    let three = vec![drift("k", "0", "1"), drift("k", "a", "1"), drift("k", "b", "1")];
    Compare::of(report(three, true), 5).run(&mut standing);
    assert_eq!(
        by_subject(&standing),
        [row("0", "new"), row("a", "reopened"), row("b", "accepted")]
    );
}

#[test]
fn subjects_that_nothing_tells_apart_all_have_a_row() {
    let mut alike = vec![drift("k", "a", "1"); 4];
    for drift in &mut alike {
        drift.current.as_mut().unwrap().external_id = None;
    }
    let mut standing = BTreeMap::new();
    let changes = Compare::of(report(alike.clone(), true), 1).run(&mut standing);
    assert_eq!((changes.len(), standing.len()), (4, 4));
    alike.pop();
    Compare::of(report(alike, true), 2).run(&mut standing);
    let open = standing.values().filter(|finding| finding.state.is_open()).count();
    assert_eq!(open, 3);
}

#[test]
fn a_subject_that_goes_from_missing_to_different_keeps_its_finding() {
    let mut missing = drift("k", "a", "1");
    missing.change_type = ChangeType::MissingPolicy;
    missing.baseline = missing.current.take();
    let mut different = drift("k", "a", "1");
    different.change_type = ChangeType::DifferentVersion;
    different.baseline.clone_from(&missing.baseline);
    different.current.as_mut().unwrap().external_id = Some("the tenant's id".to_owned());
    different.fingerprint = Digest::of(b"different").to_string();
    let mut standing = BTreeMap::new();
    let first = Compare::of(report(vec![missing], true), 1).run(&mut standing);
    // Another subject of the same base name comes with it, and before it.
    let both = vec![drift("k", "0", "1"), different];
    Compare::of(report(both, true), 2).run(&mut standing);
    let kept = &standing[&Digest::of(b"k")];
    assert_eq!(
        (kept.id, kept.drift.change_type),
        (first[0].finding.id, ChangeType::DifferentVersion)
    );
    assert_eq!(standing.len(), 2);
}

#[test]
fn only_proven_compares_count_as_seen() {
    let mut standing = BTreeMap::new();
    let compare = Compare::of(report(vec![drift("k", "a", "1")], true), 1);
    compare.run(&mut standing);
    let times = |standing: &BTreeMap<Digest, Finding>, counters: &SeenCounters| {
        let seen = seen_now(&standing[&Digest::of(b"k")], counters);
        (seen.times, seen.last_at)
    };
    let first = compare.after();
    assert_eq!(times(&standing, &first), (1, at(1)));

    let mut again = Compare::of(report(vec![drift("k", "a", "1")], true), 2);
    again.before = first;
    assert_eq!(again.run(&mut standing), []);
    let second = again.after();
    assert_eq!(times(&standing, &second), (2, at(2)));

    let mut unproven = Compare::of(report(Vec::new(), false), 3);
    unproven.before = second;
    assert_eq!(unproven.run(&mut standing), []);
    let third = unproven.after();
    assert_eq!(times(&standing, &third), (2, at(2)), "nobody saw it");

    let mut gone = Compare::of(report(Vec::new(), true), 4);
    gone.before = third;
    gone.run(&mut standing);
    assert_eq!(times(&standing, &gone.after()), (2, at(2)), "it was not there to be seen");
}
