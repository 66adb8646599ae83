//! Golden vectors of what indexes are called by, and what coverage takes away (domain rules 3.8).

use super::*;
use crate::compare::{CompareOptions, Payloads, compare};
use crate::coverage::Coverage;
use crate::gap::GapKind;
use crate::inventory::SideName;
use crate::report::{Report, Trust};
use crate::scope::Scope;
use plumbline_policy::policy::Payload;
use plumbline_policy::reference::Facet;
use plumbline_policy::secret::SecretMac;
use std::borrow::Cow;

const TYPE: &str = "deviceConfiguration";

fn entry(name: &str, content: &str) -> Entry {
    let of = |text: &str| Digest::of(text.as_bytes());
    let key = crate::subject::subject_key(TYPE, "windows10", "", name);
    Entry {
        policy_type: TYPE.to_owned(),
        base_key: Some(key.clone()),
        key: Some(key),
        external_id: Some(format!("id-{name}")),
        identity_ref: Some(of(name).to_string()),
        named_as: None,
        display_name: Some(name.to_owned()),
        facets: Facets { content: of(content), label: of(name), assignments: of("") },
        references: Vec::new(),
        secrets: Vec::new(),
        missing_detail: Vec::new(),
        not_expanded: Vec::new(),
        role: None,
        frame: Frame { pack: of("pack"), offset: 0, length: 1, payload: of(content) },
    }
}

fn state(entries: Vec<Entry>, coverage: Coverage) -> StateIndex {
    StateIndex {
        version: INDEX_VERSION,
        normaliser_version: 1,
        facts: TenantFacts::default(),
        coverage: CoverageMap::all(coverage),
        gaps: Vec::new(),
        entries,
        targets: Vec::new(),
    }
}

fn snapshot(entries: Vec<Entry>) -> SnapshotIndex {
    SnapshotIndex {
        version: INDEX_VERSION,
        normaliser_version: 1,
        effective_scope: vec![TYPE.to_owned()],
        covered_types: vec![TYPE.to_owned()],
        entries,
        targets: Vec::new(),
    }
}

fn scope() -> EffectiveScope {
    let scope = Scope { policy_types: vec![TYPE.to_owned()], foundation_types: Vec::new() };
    scope.effective().unwrap()
}

fn group(id: &str) -> Reference {
    Reference {
        facet: Facet::Assignments,
        path: "assignments".to_owned(),
        kind: ReferenceKind::Group,
        external_id: id.to_owned(),
    }
}

fn secret(byte: u8) -> SecretAt {
    SecretAt {
        facet: Facet::Content,
        path: "preSharedKey".to_owned(),
        key_id: "k1".to_owned(),
        mac: Some(SecretMac::from_bytes([byte; 32])),
    }
}

#[test]
fn golden_identity_of_a_snapshot() {
    let mut second = entry("b", "2");
    second.references.push(group("g"));
    second.named_as = Some("b".to_owned());
    let mut index = snapshot(vec![entry("a", "1"), second.clone()]);
    index.targets.push(Entry { named_as: Some("g".to_owned()), ..entry("nurses", "") });
    let of = |text: &str| Digest::of(text.as_bytes());
    let beside = (&second.references, &second.secrets, &second.named_as);
    let beside = serde_json::to_string(&beside).unwrap();
    let key = |name: &str| {
        let key = format!(r#"["deviceConfiguration","windows10","","{name}"]"#);
        serde_json::to_string(&key).unwrap()
    };
    let text = format!(
        concat!(
            r#"{{"covered_types":["deviceConfiguration"],"effective_scope":["deviceConfiguration"],"#,
            r#""items":[["deviceConfiguration",{},"{}","{}","{}",null],"#,
            r#"["deviceConfiguration",{},"{}","{}","{}","{}"]],"normaliser_version":1,"#,
            r#""targets":[["deviceConfiguration",{},"g"]],"v":3}}"#,
            "\n"
        ),
        key("a"),
        of("1"),
        of("a"),
        of(""),
        key("b"),
        of("2"),
        of("b"),
        of(""),
        of(&format!("{beside}\n")),
        key("nurses"),
    );
    assert_eq!(index.identity(), Digest::of(text.as_bytes()), "{text}");
}

#[test]
fn an_identity_names_the_content_and_not_the_tenant() {
    let base = snapshot(vec![entry("a", "1"), entry("b", "2")]);
    let identity = |change: &dyn Fn(&mut SnapshotIndex)| {
        let mut index = base.clone();
        change(&mut index);
        index.identity()
    };
    let same: [&dyn Fn(&mut SnapshotIndex); 5] = [
        &|index| index.entries.reverse(),
        &|index| index.entries[0].external_id = None,
        &|index| index.entries[0].identity_ref = Some("another tenant's".to_owned()),
        &|index| index.entries[0].frame.offset = 9,
        &|index| index.entries[0].display_name = None,
    ];
    for (at, change) in same.into_iter().enumerate() {
        assert_eq!(identity(change), base.identity(), "{at}");
    }
    let others: [&dyn Fn(&mut SnapshotIndex); 13] = [
        &|index| index.entries[0].facets.content = Digest::of(b"x"),
        &|index| index.entries[0].facets.label = Digest::of(b"x"),
        &|index| index.entries[0].facets.assignments = Digest::of(b"x"),
        &|index| index.entries[0].key = None,
        &|index| index.entries[0].references.push(group("g")),
        &|index| index.entries[0].secrets.push(secret(1)),
        &|index| index.covered_types.clear(),
        &|index| index.effective_scope.push("windowsUpdateRing".to_owned()),
        // A renamed group alone: references meet by the names of what they point to.
        &|index| index.targets.push(entry("nurses", "")),
        &|index| index.targets.push(entry("doctors", "")),
        &|index| {
            index.targets.push(Entry { named_as: Some("g".to_owned()), ..entry("nurses", "") });
        },
        &|index| index.entries[0].named_as = Some("g".to_owned()),
        &|index| index.normaliser_version = 2,
    ];
    let mut seen: BTreeSet<Digest> = [base.identity()].into();
    for (at, change) in others.into_iter().enumerate() {
        assert!(seen.insert(identity(change)), "{at}");
    }
}

#[test]
fn golden_root_of_a_state() {
    let mut index = state(vec![entry("a", "1")], Coverage::Succeeded);
    index.coverage.set("windowsUpdateRing", Coverage::NotSupported, Some("no licence".to_owned()));
    let of = |text: &str| Digest::of(text.as_bytes()).to_string();
    let key = serde_json::to_string(r#"["deviceConfiguration","windows10","","a"]"#).unwrap();
    let row = format!(
        "[\"deviceConfiguration\",{key},\"id-a\",\"{}\",[\"{}\",\"{}\",\"{}\"],[],[],[],[],null]\n",
        of("a"),
        of("1"),
        of("a"),
        of(""),
    );
    let text = format!(
        "[3,1,\"{}\",\"{}\",\"succeeded\",[[\"windowsUpdateRing\",\"not_supported\"]],[]]\n",
        of(&row),
        of(""),
    );
    assert_eq!(index.root(), Digest::of(text.as_bytes()), "{row}{text}");
}

#[test]
fn a_root_covers_all_that_a_verdict_rests_on_and_no_place() {
    let base = state(vec![entry("a", "1")], Coverage::Succeeded);
    let root = |change: &dyn Fn(&mut StateIndex)| {
        let mut index = base.clone();
        change(&mut index);
        index.root()
    };
    let gap = |kind, file: &str, detail: &str| StoredGap {
        kind,
        policy_type: None,
        source_file: file.to_owned(),
        detail: detail.to_owned(),
    };
    let note = gap(GapKind::NotAPolicy, "manifest.json", "the file holds no policy");
    let unknown = |file: &str| gap(GapKind::UnknownType, file, "the catalog has no type for `x`");
    let target = || entry("group", "");
    let same: [&dyn Fn(&mut StateIndex); 3] = [
        &|index| index.entries[0].frame.offset = 9,
        &|index| index.gaps.push(note.clone()),
        &|index| index.coverage.types.clear(),
    ];
    for (at, change) in same.into_iter().enumerate() {
        assert_eq!(root(change), base.root(), "{at}");
    }
    let others: [&dyn Fn(&mut StateIndex); 16] = [
        &|index| index.entries[0].facets.content = Digest::of(b"x"),
        &|index| index.entries[0].facets.label = Digest::of(b"x"),
        &|index| index.entries[0].facets.assignments = Digest::of(b"x"),
        &|index| index.entries[0].external_id = None,
        &|index| index.entries[0].identity_ref = Some("under another key".to_owned()),
        &|index| index.entries[0].key = None,
        &|index| index.entries[0].references.push(group("g")),
        &|index| index.entries[0].secrets.push(secret(1)),
        &|index| {
            index.entries[0].secrets.push(SecretAt { key_id: "k2".to_owned(), ..secret(1) });
        },
        &|index| index.entries[0].missing_detail.push("settings".to_owned()),
        &|index| index.entries[0].not_expanded.push("assignments".to_owned()),
        &|index| index.targets.push(target()),
        &|index| index.coverage.others = Coverage::Unknown,
        &|index| index.coverage.set(TYPE, Coverage::Failed, None),
        &|index| index.gaps.push(unknown("a.json")),
        &|index| index.normaliser_version = 2,
    ];
    let mut seen: BTreeSet<Digest> = [base.root()].into();
    for (at, change) in others.into_iter().enumerate() {
        assert!(seen.insert(root(change)), "{at}");
    }
    assert_eq!(
        root(&|index| index.gaps.push(unknown("a.json"))),
        root(&|index| index.gaps.push(unknown("b.json"))),
        "the place of a gap changes with the exporter"
    );
}

/// Payloads that cannot be read: what is compared here is equal, or is there on one side alone.
struct Nothing(Localiser);

impl Payloads for Nothing {
    fn payload(&self, _: SideName, _: &Source) -> Option<Cow<'_, Payload<'static>>> {
        None
    }

    fn localiser(&self, _: SideName) -> &Localiser {
        &self.0
    }
}

fn compared(golden: &SnapshotIndex, current: &StateIndex) -> Report {
    let options = CompareOptions { scope: golden.scope(&scope()), ..CompareOptions::default() };
    let payloads = Nothing(Localiser::new(&TenantFacts::default()));
    let current = current.inventory(&options.scope, &golden.held()).unwrap();
    compare(&golden.inventory().unwrap(), &current, &options, &payloads)
}

/// Missing, unexpected, equal, proven, trust.
type Effect = (usize, usize, usize, bool, Trust);

fn effect(report: &Report) -> Effect {
    let summary = &report.summary;
    let proven = report.proven.contains(TYPE);
    let (missing, unexpected) = (summary.missing_policy, summary.unexpected_policy);
    (missing, unexpected, summary.unchanged, proven, report.trust)
}

#[test]
fn what_the_coverage_of_a_type_takes_away() {
    use Coverage::{Failed, NotSupported, Partial, Skipped, Succeeded, Unknown};
    let golden = snapshot(vec![entry("both", "1"), entry("golden", "2")]);
    for (coverage, expected) in [
        (Succeeded, (1, 1, 1, true, Trust::Full)),
        (Partial, (1, 1, 1, true, Trust::Full)),
        // An unexpected policy is there, whatever else was not read.
        (Failed, (0, 1, 1, false, Trust::PartialSuppressed)),
        (Unknown, (0, 1, 1, false, Trust::PartialSuppressed)),
        (Skipped, (0, 1, 1, false, Trust::PartialSuppressed)),
        (NotSupported, (0, 1, 1, false, Trust::PartialSuppressed)),
    ] {
        let current = state(vec![entry("both", "1"), entry("other", "3")], coverage);
        let report = compared(&golden, &current);
        assert_eq!(effect(&report), expected, "{coverage:?}");
        let held_back: Vec<&str> =
            report.suppressed.iter().map(|one| one.display_name.as_str()).collect();
        let held: &[&str] = if expected.3 { &[] } else { &["golden"] };
        assert_eq!(held_back, held, "{coverage:?}");
        assert!(report.gaps.iter().all(|gap| gap.kind == GapKind::Incomplete), "{:?}", report.gaps);
        for one in &report.suppressed {
            assert!(one.reason.contains("import it with its coverage stated"), "{}", one.reason);
        }
    }
}

#[test]
fn a_type_that_the_tenant_cannot_have_is_no_gap_where_the_baseline_holds_none() {
    for (coverage, expected) in [
        (Coverage::Succeeded, (0, 0, 0, true, Trust::Full)),
        (Coverage::NotSupported, (0, 0, 0, true, Trust::Full)),
        (Coverage::Skipped, (0, 0, 0, true, Trust::Full)),
        (Coverage::Failed, (0, 0, 0, false, Trust::UnprovenSuppressed)),
        (Coverage::Unknown, (0, 0, 0, false, Trust::UnprovenSuppressed)),
    ] {
        let report = compared(&snapshot(Vec::new()), &state(Vec::new(), coverage));
        assert_eq!(effect(&report), expected, "{coverage:?} {:?}", report.gaps);
    }
    let mut uncovered = snapshot(Vec::new());
    uncovered.covered_types.clear();
    let report = compared(&uncovered, &state(Vec::new(), Coverage::Succeeded));
    assert_eq!(report.trust, Trust::UnprovenSuppressed, "nothing was compared at all");
}

#[test]
fn an_object_without_its_details_takes_its_own_verdict_alone() {
    let golden = snapshot(vec![entry("a", "1"), entry("b", "2")]);
    let mut current = state(vec![entry("a", "1"), entry("b", "3")], Coverage::Partial);
    current.entries[1].missing_detail.push("@odata.type".to_owned());
    let report = compared(&golden, &current);
    assert_eq!(effect(&report), (0, 0, 1, true, Trust::PartialSuppressed));
    assert_eq!(report.undecided.len(), 1, "nothing of that one is resolved");
}

#[test]
fn damaged_indexes_are_refused_by_name() {
    let good = state(vec![entry("a", "1"), entry("b", "2")], Coverage::Succeeded);
    assert_eq!(good.check(), Ok(()));
    let mut newer = good.clone();
    newer.version = INDEX_VERSION + 1;
    assert_eq!(newer.check(), Err(IndexError::Newer(INDEX_VERSION + 1)));
    let mut turned = good.clone();
    turned.entries.reverse();
    assert_eq!(turned.check(), Err(IndexError::Order(1)));
    let mut unread = good.clone();
    unread.entries[0].missing_detail.push("nonsense".to_owned());
    let error = unread.inventory(&scope(), &BTreeSet::new()).unwrap_err();
    let (member, policy_type) = ("nonsense".to_owned(), TYPE.to_owned());
    assert_eq!(error, IndexError::UnknownMember { member, policy_type });
    let mut stranger = good;
    stranger.entries[0].policy_type = "nonsense".to_owned();
    let error = stranger.inventory(&scope(), &BTreeSet::new()).unwrap_err();
    assert_eq!(error, IndexError::UnknownType("nonsense".to_owned()));
}

#[test]
fn a_baseline_names_no_tenant() {
    let facts = TenantFacts { domains: vec!["alder.example".to_owned()], ..TenantFacts::default() };
    let mut policy = entry("at alder.example", "1");
    policy.references.push(group("id-target"));
    policy.references.push(group("ring.alder.example"));
    let mut target = entry("target", "2");
    target.policy_type = "entraGroup".to_owned();
    let mut index = state(vec![policy], Coverage::Succeeded);
    index.targets.push(target);
    let golden = SnapshotIndex::capture(&index, &scope(), &Localiser::new(&facts));
    let text = serde_json::to_string(&golden.entries[0]).unwrap();
    // The key is localised when the state is read; see `Payload::identify`.
    let beside = text.replace(r#"windows10\",\"\",\"at alder.example"#, "");
    assert!(!beside.contains("alder.example"), "{beside}");
    assert!(!beside.contains("id-at"), "{beside}");
    assert_eq!(golden.entries[0].identity_ref, index.entries[0].identity_ref);
}
