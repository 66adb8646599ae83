//! Whole tenants: sides, scope, order, and that nobody is lost.

use crate::{config, rng};
use plumbline_governance::compare::CompareOptions;
use plumbline_governance::inventory::{Inventory, Reader};
use plumbline_governance::matching::{MatchMode, match_subjects};
use plumbline_governance::report::{ChangeKind, ChangeType, Drift, Report, TypeCounts};
use plumbline_governance::scope::{EffectiveScope, Scope};
use plumbline_governance::subject::Subject;
use plumbline_policy::secret::SecretKey;
use plumbline_policy::tenant::{Localiser, TenantFacts};
use plumbline_testkit::generator::{Documents, later, tenant};
use plumbline_tests::{Files, compare_files};
use proptest::prelude::*;
use rand::seq::SliceRandom as _;
use std::collections::BTreeMap;

const MODES: [MatchMode; 4] =
    [MatchMode::Auto, MatchMode::Id, MatchMode::Name, MatchMode::BaseName];

fn files(documents: &Documents, complete: bool) -> Files {
    let files =
        documents.iter().map(|(file, document)| (file.clone(), document.to_string().into_bytes()));
    Files { files: files.collect(), facts: TenantFacts::default(), complete }
}

/// A drawn tenant and the same one later, and how they are compared.
fn drawn(seed: u64) -> (Files, Files, CompareOptions) {
    let rng = &mut rng(seed);
    let policies = rng.random_range(0..14);
    let golden = tenant(rng, policies);
    let other = if rng.random_bool(0.8) { later(rng, &golden) } else { tenant(rng, policies) };
    let options = CompareOptions {
        mode: MODES[rng.random_range(0..MODES.len())],
        ..CompareOptions::default()
    };
    let (a, b) = (rng.random_bool(0.7), rng.random_bool(0.7));
    (files(&golden, a), files(&other, b), options)
}

fn inventory(side: &Files, order: &[&String]) -> Inventory {
    let reader = Reader {
        key: SecretKey::new("test", [7; 32]),
        localiser: Localiser::new(&side.facts),
        annotations: false,
    };
    let readings = order.iter().map(|file| reader.read_file(file, &side.files[*file]));
    Inventory::gather("side".to_owned(), false, side.complete, readings)
}

/// What a drift is, seen from either side.
fn identity(drift: &Drift, swapped: bool) -> (ChangeType, Option<String>, Option<String>) {
    let file = |version: &Option<plumbline_governance::report::Version>| {
        version.as_ref().map(|version| version.source_file.clone())
    };
    let (baseline, current) = (file(&drift.baseline), file(&drift.current));
    let turned = match drift.change_type {
        ChangeType::MissingPolicy => ChangeType::UnexpectedPolicy,
        ChangeType::UnexpectedPolicy => ChangeType::MissingPolicy,
        ChangeType::DifferentVersion => ChangeType::DifferentVersion,
    };
    if swapped { (turned, current, baseline) } else { (drift.change_type, baseline, current) }
}

/// How many changes of each kind there are. Where an ordered list differs, one side may show as changed
/// what the other shows as removed and added, but both know how much longer it became.
fn kinds(drift: &Drift, swapped: bool) -> (BTreeMap<ChangeKind, usize>, isize) {
    let mut out = BTreeMap::new();
    let mut longer = 0;
    for change in &drift.changes {
        let kind = match change.kind {
            ChangeKind::Added if swapped => ChangeKind::Removed,
            ChangeKind::Removed if swapped => ChangeKind::Added,
            kind => kind,
        };
        if change.path.contains('[') {
            longer += match kind {
                _ if !change.path.ends_with(']') => 0,
                ChangeKind::Added => 1,
                ChangeKind::Removed => -1,
                ChangeKind::Changed | ChangeKind::Reordered => 0,
            };
        } else {
            *out.entry(kind).or_default() += 1;
        }
    }
    (out, longer)
}

fn json(report: &Report) -> String {
    serde_json::to_string(report).unwrap()
}

proptest! {
    #![proptest_config(config(512))]

    #[test]
    fn a_tenant_does_not_drift_from_itself(seed: u64) {
        let (golden, _, options) = drawn(seed);
        let report = compare_files(&golden, &golden, &options);
        prop_assert!(report.drift.is_empty(), "{:#?}", report.drift);
        prop_assert_eq!(report.baseline.digest, report.current.digest);
    }

    #[test]
    fn equal_inputs_give_equal_bytes(seed: u64) {
        let (golden, other, options) = drawn(seed);
        let once = compare_files(&golden, &other, &options);
        let twice = compare_files(&golden, &other, &options);
        prop_assert_eq!(json(&once), json(&twice));
    }

    #[test]
    fn the_order_of_files_means_nothing(seed: u64) {
        let (golden, _, _) = drawn(seed);
        let mut order: Vec<&String> = golden.files.keys().collect();
        let once = inventory(&golden, &order);
        order.shuffle(&mut rng(seed));
        let again = inventory(&golden, &order);
        prop_assert_eq!(format!("{once:?}"), format!("{again:?}"));
        let scope = EffectiveScope::everything();
        prop_assert_eq!(once.digest(&scope), again.digest(&scope));
    }

    #[test]
    fn sides_swap(seed: u64) {
        let (mut golden, mut other, options) = drawn(seed);
        // A missing built-in role is a gap and an unexpected one is drift.
        for side in [&mut golden, &mut other] {
            side.files.retain(|file, bytes| {
                !file.contains("Role") || String::from_utf8_lossy(bytes).contains("\"isBuiltIn\":false")
            });
        }
        let there = compare_files(&golden, &other, &options);
        let back = compare_files(&other, &golden, &options);
        let view = |report: &Report, swapped: bool| {
            let mut drift: Vec<_> = report
                .drift
                .iter()
                .map(|drift| {
                    let facets = drift.facets.clone();
                    (identity(drift, swapped), facets, drift.matched_by, drift.confidence)
                })
                .collect();
            drift.sort();
            drift
        };
        prop_assert_eq!(view(&there, false), view(&back, true));
        for drift in &there.drift {
            let same = back.drift.iter().find(|one| identity(one, true) == identity(drift, false));
            let (one, two) = (kinds(drift, false), kinds(same.unwrap(), true));
            prop_assert_eq!(one, two, "{:#?} and {:#?}", drift.changes, same.unwrap().changes);
        }
        prop_assert_eq!(there.summary.unchanged, back.summary.unchanged);
        prop_assert_eq!(there.suppressed.len(), back.suppressed.len());
        prop_assert_eq!(there.trust, back.trust);
    }

    #[test]
    fn a_narrower_scope_finds_no_more(seed: u64) {
        let (golden, other, options) = drawn(seed);
        let wide = compare_files(&golden, &other, &options);
        let rng = &mut rng(seed);
        let mut scope = Scope::default();
        for key in ["settingsCatalogPolicy", "deviceConfiguration", "conditionalAccessPolicy"] {
            if rng.random_bool(0.5) {
                scope.policy_types.push(key.to_owned());
            }
        }
        if rng.random_bool(0.5) {
            scope.foundation_types.push("intuneRoleDefinition".to_owned());
        }
        let narrow = CompareOptions { scope: options.scope.narrow(&scope).unwrap(), ..options };
        let narrow_report = compare_files(&golden, &other, &narrow);
        for drift in &narrow_report.drift {
            prop_assert!(narrow.scope.holds(&drift.policy_type));
            let known = wide.drift.iter().any(|one| identity(one, false) == identity(drift, false));
            prop_assert!(known, "new in a narrower scope: {:#?}", drift);
        }
        for drift in wide.drift.iter().filter(|drift| narrow.scope.holds(&drift.policy_type)) {
            let kept = narrow_report
                .drift
                .iter()
                .any(|one| identity(one, false) == identity(drift, false));
            // A reference may only have been drift because its target was in scope.
            let by_target = drift.changes.iter().all(|change| {
                change.path.contains("Groups") || change.path.contains("Users")
            });
            prop_assert!(kept || by_target, "lost in a narrower scope: {:#?}", drift);
        }
    }

    #[test]
    fn every_subject_stands_in_one_place_of_a_matching(seed: u64) {
        let (golden, other, options) = drawn(seed);
        let (golden, other) = (
            inventory(&golden, &golden.files.keys().collect::<Vec<_>>()),
            inventory(&other, &other.files.keys().collect::<Vec<_>>()),
        );
        let (b, c): (Vec<&Subject>, Vec<&Subject>) =
            (golden.subjects.iter().collect(), other.subjects.iter().collect());
        let found = match_subjects(&b, &c, options.mode, &options.role_mappings, &|_, _| Vec::new());
        let ambiguous = |side: fn(&plumbline_governance::matching::Ambiguity) -> &Vec<usize>| {
            found.ambiguous.iter().flat_map(side).copied().collect::<Vec<_>>()
        };
        let sides = [
            (
                b.len(),
                found.pairs.iter().map(|pair| pair.baseline).collect::<Vec<_>>(),
                ambiguous(|one| &one.baseline),
                &found.only_baseline,
                &found.nameless_baseline,
            ),
            (
                c.len(),
                found.pairs.iter().map(|pair| pair.current).collect(),
                ambiguous(|one| &one.current),
                &found.only_current,
                &found.nameless_current,
            ),
        ];
        for (count, mut places, ambiguous, only, nameless) in sides {
            places.extend(ambiguous);
            places.extend(only);
            places.extend(nameless);
            places.sort_unstable();
            prop_assert_eq!(places, (0..count).collect::<Vec<_>>());
        }
        for pair in &found.pairs {
            prop_assert_eq!(&b[pair.baseline].policy_type.key, &c[pair.current].policy_type.key);
            prop_assert!(pair.confidence <= 100);
        }
    }

    #[test]
    fn every_subject_stands_in_the_report(seed: u64) {
        let (golden, other, options) = drawn(seed);
        let report = compare_files(&golden, &other, &options);
        let summary = &report.summary;
        let drift = summary.missing_policy + summary.different_version + summary.unexpected_policy;
        prop_assert_eq!(report.drift.len(), drift);
        prop_assert_eq!(report.suppressed.len(), summary.suppressed);
        prop_assert_eq!(summary.compared, summary.unchanged + drift);
        let sum = |count: fn(&TypeCounts) -> usize| summary.by_type.values().map(count).sum::<usize>();
        prop_assert_eq!(sum(|one| one.unchanged), summary.unchanged);
        prop_assert_eq!(sum(|one| one.suppressed), summary.suppressed);
        prop_assert_eq!(sum(|one| one.baseline), report.baseline.policies);
        prop_assert_eq!(sum(|one| one.current), report.current.policies);
        // A suppressed subject stands for itself, or for its pair.
        let both = report.baseline.policies + report.current.policies;
        let told = 2 * (summary.unchanged + summary.different_version)
            + summary.missing_policy
            + summary.unexpected_policy;
        prop_assert!(told + summary.suppressed <= both, "{told} and {} of {both}", summary.suppressed);
        prop_assert!(told + 2 * summary.suppressed >= both, "{told} and {} of {both}", summary.suppressed);
    }
}
