//! The twin tenant: every policy written out again as another tenant would have it must find no drift,
//! and one changed leaf must be found, alone and in its place.
//!
//! `PLUMBLINE_TWIN_CASES` sets the number of cases (2,000 without it, and then for a few minutes at
//! most), `PLUMBLINE_TWIN_SEED` the seed, `PLUMBLINE_DATA` the folder of real policies.

#![expect(clippy::print_stdout, reason = "a test says what it ran on")]

mod judge;

use judge::{Judged, judge_change, judge_noise};
use plumbline_governance::compare::CompareOptions;
use plumbline_governance::gap::GapKind;
use plumbline_governance::report::{Facet, MatchedBy, Report};
use plumbline_policy::tenant::TenantFacts;
use plumbline_testkit::twin::change::{Change, Kind as ChangeKind, change};
use plumbline_testkit::twin::family::Family;
use plumbline_testkit::twin::ids::{Bijection, Tenant, plant_facts};
use plumbline_testkit::twin::noise::Noise;
use plumbline_testkit::twin::write::{Style, to_text};
use plumbline_tests::{Files, compare_files, data, read_folder, samples};
use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng as _;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

#[expect(clippy::disallowed_methods, reason = "a test's own settings")]
fn setting(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok().filter(|text| !text.is_empty())?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} must be a number, not {text}")))
}

fn seed() -> u64 {
    let seed = setting("PLUMBLINE_TWIN_SEED").unwrap_or(20_260_801);
    println!("PLUMBLINE_TWIN_SEED={seed}");
    seed
}

/// The folders of policies, each of one tenant.
fn tenants() -> Vec<(String, BTreeMap<String, Vec<u8>>, Tenant)> {
    let mut out = Vec::new();
    let golden =
        Tenant { tenant_id: "aaea681b-1e96-462e-a18d-81651b8fc975".to_owned(), ..Tenant::alder() };
    out.push(("samples/golden".to_owned(), read_folder(&samples().join("golden")), golden));
    if let Some(root) = data() {
        for name in ["oib-vA", "oib-vB", "ca-vA", "ca-vB", "policy-types", "role-definitions"] {
            out.push((name.to_owned(), read_folder(&root.join(name)), Tenant::alder()));
        }
    } else {
        println!("PLUMBLINE_DATA is not set: the shipped samples only");
    }
    out
}

fn facts(tenant: &Tenant) -> TenantFacts {
    TenantFacts {
        tenant_id: Some(tenant.tenant_id.clone()),
        domains: tenant.domains.clone(),
        intune_account_id: Some(tenant.account_id.clone()),
    }
}

fn parse(file: &str, bytes: &[u8]) -> Value {
    let text = plumbline_policy::json::to_text(bytes).unwrap_or_else(|e| panic!("{file}: {e}"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn plain(document: &Value) -> Vec<u8> {
    to_text(document, Style::PLAIN, &mut ChaCha8Rng::seed_from_u64(0)).into_bytes()
}

fn one(file: &str, bytes: Vec<u8>, tenant: &Tenant) -> Files {
    Files {
        files: BTreeMap::from([(file.to_owned(), bytes)]),
        facts: facts(tenant),
        complete: true,
    }
}

fn gap_kinds(report: &Report) -> BTreeSet<GapKind> {
    report.gaps.iter().map(|gap| gap.kind).collect()
}

/// One policy to draw cases from.
struct Original {
    set: String,
    file: String,
    family: Family,
    tenant: Tenant,
    document: Value,
    /// What is not provable of the policy compared with itself.
    gaps: BTreeSet<GapKind>,
    /// Whether it is compared at all, with something to change.
    comparable: bool,
}

fn originals(seed: u64) -> BTreeMap<Family, Vec<Original>> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut out = BTreeMap::<Family, Vec<Original>>::new();
    for (set, files, tenant) in tenants() {
        for (file, bytes) in files {
            let family = Family::of(&file);
            let mut document = parse(&file, &bytes);
            plant_facts(&mut document, family, &tenant, rng.random_range(0..1_000_000));
            let side = one(&file, plain(&document), &tenant);
            let report = compare_files(&side, &side, &CompareOptions::default());
            assert!(report.drift.is_empty(), "{set}/{file} drifts from itself: {report:#?}");
            let gaps = gap_kinds(&report);
            let unknown = gaps.iter().any(|kind| *kind != GapKind::UnresolvedReference);
            out.entry(family).or_default().push(Original {
                set: set.clone(),
                file,
                family,
                tenant: tenant.clone(),
                document,
                comparable: !unknown && report.baseline.policies == 1,
                gaps,
            });
        }
    }
    out
}

#[test]
fn a_twin_tenant_has_no_drift() {
    let seed = seed();
    let began = Instant::now();
    let mut rounds = 0;
    for (set, files, tenant) in tenants() {
        let mut golden = BTreeMap::new();
        for (file, bytes) in &files {
            golden.insert(file.clone(), plain(&parse(file, bytes)));
        }
        let golden = Files { files: golden, facts: facts(&tenant), complete: true };
        let alone = compare_files(&golden, &golden, &CompareOptions::default());
        assert!(alone.drift.is_empty(), "{set} drifts from itself: {:#?}", alone.drift);
        for round in 0..3 {
            let map = Bijection::new(seed + round);
            let noise = |index: usize| {
                let seed = seed.wrapping_mul(31) + round * 100_000 + index as u64;
                if round == 0 { Noise::all(seed, map) } else { Noise::drawn(seed, map).of_tenant() }
            };
            let mut twin = BTreeMap::new();
            for (index, (file, bytes)) in files.iter().enumerate() {
                let document = parse(file, bytes);
                let noise = noise(index);
                let bytes = noise.write(&document, Family::of(file), file, &tenant);
                let (folder, name) = file.rsplit_once('/').unwrap_or(("", file));
                twin.insert(format!("{folder}/twin-of-{name}"), bytes);
            }
            let twin = Files { files: twin, facts: facts(&map.tenant(&tenant)), complete: true };
            let report = compare_files(&golden, &twin, &CompareOptions::default());
            let found: Vec<_> = report
                .drift
                .iter()
                .map(|drift| (&drift.display_name, drift.change_type, &drift.changes))
                .collect();
            assert!(found.is_empty(), "{set}, round {round}: drift in a twin: {found:#?}");
            let by_key = report.pairs.iter().all(|pair| pair.matched_by == MatchedBy::Key);
            assert!(by_key, "{set}: not matched by key: {:#?}", report.pairs);
            let (kinds, own) = (gap_kinds(&report), gap_kinds(&alone));
            assert!(kinds.is_subset(&own), "{set}: {kinds:?} beside {own:?}: {:#?}", report.gaps);
            assert_eq!(report.summary.unchanged, alone.summary.unchanged, "{set}");
            assert_eq!(report.suppressed.len(), alone.suppressed.len(), "{set}");
            // Assignments too: their targets are rewritten by the same bijection.
            let everything = CompareOptions {
                facets: vec![Facet::Content, Facet::Label, Facet::Assignments],
                ..CompareOptions::default()
            };
            let alone = compare_files(&golden, &golden, &everything);
            let report = compare_files(&golden, &twin, &everything);
            assert!(report.drift.is_empty(), "{set}: {:#?}", report.drift);
            let (kinds, own) = (gap_kinds(&report), gap_kinds(&alone));
            assert!(kinds.is_subset(&own), "{set}: {kinds:?} beside {own:?}: {:#?}", report.gaps);
            rounds += 1;
        }
    }
    println!("{rounds} whole tenants compared with their twins in {:?}", began.elapsed());
}

/// One drawn case.
struct Case<'o> {
    original: &'o Original,
    /// The noise of the golden side.
    golden: Noise,
    /// The noise of its twin.
    noise: Noise,
    /// The changed document and the change; `None` for noise alone.
    change: Option<(Value, Change)>,
}

impl<'o> Case<'o> {
    /// Draws a family, then a policy of it, so that the many policies of one family do not drown the
    /// rest; for a change, until a policy has a place for the drawn kind of change.
    fn drawn(originals: &'o BTreeMap<Family, Vec<Original>>, seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut golden = Noise::of_same_tenant(rng.random());
        if rng.random_bool(0.5) {
            golden.kinds.clear();
        }
        let noise = Noise::drawn(rng.random(), Bijection::new(rng.random()));
        let families: Vec<&Vec<Original>> = originals.values().collect();
        let policy = |rng: &mut ChaCha8Rng| {
            let family = if rng.random_bool(0.3) {
                &originals[&Family::Catalog]
            } else {
                families[rng.random_range(0..families.len())]
            };
            &family[rng.random_range(0..family.len())]
        };
        let kind = ChangeKind::ALL[rng.random_range(0..ChangeKind::ALL.len())];
        if rng.random_bool(0.75) {
            for _ in 0..200 {
                let original = policy(&mut rng);
                let mut document = original.document.clone();
                if original.comparable
                    && let Some(change) = change(&mut document, original.family, kind, &mut rng)
                {
                    return Self { original, golden, noise, change: Some((document, change)) };
                }
            }
        }
        Self { original: policy(&mut rng), golden, noise, change: None }
    }

    fn report(&self, golden: &Noise, noise: &Noise) -> Report {
        let Original { file, family, tenant, document, .. } = self.original;
        let bytes = golden.write(document, *family, file, tenant);
        let golden = one(file, bytes, tenant);
        let changed = self.change.as_ref().map_or(document, |(document, _)| document);
        let bytes = noise.write(changed, *family, file, tenant);
        let twin = one(file, bytes, &noise.tenant(tenant));
        compare_files(&golden, &twin, &CompareOptions::default())
    }

    fn judge(&self, golden: &Noise, noise: &Noise) -> Judged {
        let report = self.report(golden, noise);
        match &self.change {
            Some((_, change)) => judge_change(&report, change, &self.original.gaps),
            None => judge_noise(&report, &self.original.gaps),
        }
    }

    /// The least noise that still fails.
    fn least_noise(&self) -> (Noise, Noise) {
        let (mut golden, mut noise) = (self.golden.clone(), self.noise.clone());
        for kind in self.golden.kinds.clone() {
            let less = golden.without(kind);
            if self.judge(&less, &noise).is_err() {
                golden = less;
            }
        }
        for kind in self.noise.kinds.clone() {
            let less = noise.without(kind);
            if self.judge(&golden, &less).is_err() {
                noise = less;
            }
        }
        (golden, noise)
    }

    fn explain(&self, seed: u64, error: &str) -> String {
        let (golden, noise) = self.least_noise();
        let report = self.report(&golden, &noise);
        let change = self.change.as_ref().map(|(_, change)| (change.kind, change.raw.as_str()));
        let mut out = format!(
            "case {seed}: {}/{}\n  change: {change:?}\n  least noise: {:?} / {:?}\n  {error}\n",
            self.original.set, self.original.file, golden.kinds, noise.kinds,
        );
        for drift in &report.drift {
            let _ = writeln!(
                out,
                "  drift: {:?} {} matched by {:?}",
                drift.change_type, drift.display_name, drift.matched_by
            );
            for change in drift.changes.iter().take(6) {
                let _ = writeln!(
                    out,
                    "    {:?} {:?} {}: {:.300} -> {:.300}",
                    change.facet,
                    change.kind,
                    change.path,
                    shown(change.before.as_ref()),
                    shown(change.after.as_ref())
                );
            }
        }
        for gap in &report.gaps {
            let _ = writeln!(out, "  gap: {:?} {}", gap.kind, gap.detail);
        }
        for one in &report.suppressed {
            let _ = writeln!(out, "  suppressed: {} {:?}", one.display_name, one.gap);
        }
        out
    }
}

fn shown(value: Option<&Value>) -> String {
    value.map_or("nothing".to_owned(), Value::to_string)
}

#[test]
fn one_change_is_found_alone_and_noise_is_not() {
    let seed = seed();
    let began = Instant::now();
    let asked = setting("PLUMBLINE_TWIN_CASES").map(|n| usize::try_from(n).unwrap());
    let cases = asked.unwrap_or(2000);
    // Without a number of cases, a slow machine runs fewer.
    let limit = asked.map_or(Duration::from_mins(5), |_| Duration::MAX);
    let originals = originals(seed);
    let policies: usize = originals.values().map(Vec::len).sum();
    println!("{policies} policies to draw from, read in {:?}", began.elapsed());
    let next = AtomicUsize::new(0);
    let failures = Mutex::new(Vec::new());
    let counts = Mutex::new(BTreeMap::<Option<ChangeKind>, usize>::new());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    if at >= cases || began.elapsed() > limit {
                        return;
                    }
                    let seed = seed.wrapping_mul(1_000_003).wrapping_add(at as u64);
                    let case = Case::drawn(&originals, seed);
                    if let Err(error) = case.judge(&case.golden, &case.noise) {
                        failures.lock().unwrap().push((at, case.explain(seed, &error)));
                    }
                    let kind = case.change.map(|(_, change)| change.kind);
                    *counts.lock().unwrap().entry(kind).or_default() += 1;
                }
            });
        }
    });
    let counts = counts.into_inner().unwrap();
    let ran: usize = counts.values().sum();
    println!("{ran} cases in {:?}", began.elapsed());
    for (kind, count) in &counts {
        println!(
            "  {count:6} {}",
            kind.map_or("noise alone".to_owned(), |kind| format!("{kind:?}"))
        );
    }
    let mut failures = failures.into_inner().unwrap();
    failures.sort();
    let shown: Vec<_> = failures.iter().take(12).map(|(_, text)| text.as_str()).collect();
    assert!(failures.is_empty(), "{} of {ran} failed\n\n{}", failures.len(), shown.join("\n\n"));
    assert!(ran > 0);
}
