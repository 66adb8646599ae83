//! The compare: two inventories in, a report out. Pure and deterministic to the byte.
//!
//! Digests decide; payloads are asked for only where they differ (the second pass), so that an unchanged
//! policy costs nothing but its digest.

mod assemble;
mod judge;
mod pair;
mod role;

use crate::finding::{Owner, recurrence_key};
use crate::inventory::{Inventory, SideName};
use crate::matching::{Match, MatchMode, Matching, RoleMappings, Settings, match_subjects};
use crate::report::{Facet, MatchedBy, Report};
use crate::scope::EffectiveScope;
use crate::severity::{Severity, Verdict};
use crate::subject::{Source, Subject};
use judge::Targets;
pub(crate) use judge::named_by;
use plumbline_policy::diff::Change;
use plumbline_policy::digest::Digest;
use plumbline_policy::normal::Normal;
use plumbline_policy::path::{Step, join};
use plumbline_policy::policy::Payload;
use plumbline_policy::tenant::Localiser;
use rayon::prelude::*;
use rustc_hash::FxBuildHasher;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::hash::BuildHasher as _;

/// How references are judged (contracts 1.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReferenceMode {
    /// Literal when subjects are matched by id alone, portable otherwise.
    #[default]
    Auto,
    /// Raw ids are values: both sides come from one tenant.
    Literal,
    /// Two references are equal when they point to one matched pair, or to the same well-known object.
    Portable,
}

/// What a compare is asked to do.
#[derive(Clone, Debug)]
pub struct CompareOptions {
    /// How subjects are matched.
    pub mode: MatchMode,
    /// The facets that count, content first.
    pub facets: Vec<Facet>,
    /// The types that count.
    pub scope: EffectiveScope,
    /// How references are judged.
    pub references: ReferenceMode,
    /// Whose drift it is; goes into fingerprints and recurrence keys.
    pub owner: Owner,
    /// Severities that a profile gives to rules instead of their own, by rule id.
    pub severities: BTreeMap<String, Severity>,
    /// Roles that stand for roles of the baseline because a person said so.
    pub role_mappings: RoleMappings,
}

impl Default for CompareOptions {
    fn default() -> Self {
        Self {
            mode: MatchMode::Auto,
            facets: vec![Facet::Content, Facet::Label],
            scope: EffectiveScope::everything(),
            references: ReferenceMode::Auto,
            owner: Owner::offline(),
            severities: BTreeMap::new(),
            role_mappings: RoleMappings::new(),
        }
    }
}

impl CompareOptions {
    fn literal(&self) -> bool {
        match self.references {
            ReferenceMode::Literal => true,
            ReferenceMode::Portable => false,
            ReferenceMode::Auto => self.mode == MatchMode::Id,
        }
    }

    /// What a rule's verdict comes to under the profile.
    fn severity(&self, (severity, rule): Verdict) -> Verdict {
        (self.severities.get(rule).copied().unwrap_or(severity), rule)
    }

    /// The hash of one side's version for a fingerprint.
    fn version_hash(&self, subject: &Subject, facets: &[Facet]) -> Digest {
        subject.version_hash(facets, !self.owner.is_offline())
    }

    /// Names the drift of a subject over time.
    fn recurrence_key(&self, subject: &Subject) -> Digest {
        recurrence_key(&self.owner, &subject.policy_type.key, subject.base_key.as_deref())
    }

    fn counts(&self, facet: Facet) -> bool {
        self.facets.contains(&facet)
    }
}

/// Gives payloads back for the second pass.
pub trait Payloads: Sync {
    /// Returns the payload of a subject; `None` when it can no longer be read.
    fn payload(&self, side: SideName, source: &Source) -> Option<Cow<'_, Payload<'static>>>;

    /// Returns the side's localiser.
    fn localiser(&self, side: SideName) -> &Localiser;
}

/// Compares two inventories.
#[must_use]
pub fn compare(
    baseline: &Inventory,
    current: &Inventory,
    options: &CompareOptions,
    payloads: &dyn Payloads,
) -> Report {
    compare_by(baseline, current, options, payloads, None)
}

/// Compares two inventories of one subject each, which are a pair because the caller says so.
#[must_use]
pub fn compare_two(
    baseline: &Inventory,
    current: &Inventory,
    options: &CompareOptions,
    payloads: &dyn Payloads,
) -> Report {
    let pair =
        Match { baseline: 0, current: 0, by: MatchedBy::Key, confidence: 100, told_apart: None };
    let matching = Matching { pairs: vec![pair], ..Matching::default() };
    compare_by(baseline, current, options, payloads, Some(matching))
}

fn compare_by(
    baseline: &Inventory,
    current: &Inventory,
    options: &CompareOptions,
    payloads: &dyn Payloads,
    matching: Option<Matching>,
) -> Report {
    let golden = in_scope(baseline, &options.scope);
    let other = in_scope(current, &options.scope);

    let settings = |is_baseline: bool, at: usize| -> Settings {
        let (side, subject) = if is_baseline {
            (SideName::Baseline, golden[at])
        } else {
            (SideName::Current, other[at])
        };
        settings_of(payloads, side, subject)
    };
    let matching = matching.unwrap_or_else(|| {
        match_subjects(&golden, &other, options.mode, &options.role_mappings, &settings)
    });

    let golden_targets: Vec<&Subject> = baseline.targets.iter().collect();
    let other_targets: Vec<&Subject> = current.targets.iter().collect();
    let target_matching = match_subjects(
        &golden_targets,
        &other_targets,
        MatchMode::Name,
        &RoleMappings::new(),
        &|_, _| Vec::new(),
    );
    let targets = Targets::new(
        matching.pairs.iter().map(|pair| (golden[pair.baseline], other[pair.current])).chain(
            target_matching
                .pairs
                .iter()
                .map(|pair| (golden_targets[pair.baseline], other_targets[pair.current])),
        ),
    );

    let context = pair::Context { options, payloads, targets: &targets };
    let outcomes: Vec<pair::Outcome> = matching
        .pairs
        .par_iter()
        .map(|found| context.judge(golden[found.baseline], other[found.current], found))
        .collect();
    assemble::Assembly::new(baseline, current, options, payloads, &golden, &other)
        .report(&matching, outcomes)
}

fn in_scope<'i>(inventory: &'i Inventory, scope: &EffectiveScope) -> Vec<&'i Subject> {
    inventory.subjects.iter().filter(|s| scope.holds(&s.policy_type.key)).collect()
}

/// The settings of a subject as numbers, for similarity: one for each leaf, made of path and value.
fn settings_of(payloads: &dyn Payloads, side: SideName, subject: &Subject) -> Settings {
    let Some(payload) = payloads.payload(side, &subject.source) else { return Vec::new() };
    let normalised = payload.read(payloads.localiser(side));
    let mut out = Vec::new();
    let mut steps = Vec::new();
    leaves(&normalised.content, &mut steps, &mut out);
    out.sort_unstable();
    out.dedup();
    out
}

fn leaves<'n>(node: &'n Normal<'_>, steps: &mut Vec<Step<'n>>, out: &mut Settings) {
    let mut at = |step: Step<'n>, value: &'n Normal<'_>, steps: &mut Vec<Step<'n>>| {
        steps.push(step);
        leaves(value, steps, out);
        steps.pop();
    };
    match node {
        Normal::Map(members) => {
            for (name, value) in members {
                at(Step::Member(Cow::Borrowed(name.as_ref())), value, steps);
            }
        }
        Normal::Keyed(items) => {
            for (key, value) in items {
                let key = Cow::Borrowed(key.as_ref());
                at(Step::Key { key, nth: 0 }, value, steps);
            }
        }
        Normal::List(items) | Normal::Set(items) => {
            for value in items {
                at(Step::Item(String::new()), value, steps);
            }
        }
        Normal::Json(document) => leaves(document, steps, out),
        leaf => out.push(FxBuildHasher.hash_one((join(steps), leaf.to_canonical()))),
    }
}

/// Turns changes of one facet into evidence. Slots of references are left out: which object a reference
/// names is judged apart.
fn evidence(facet: Facet, changes: &[Change<'_, '_>]) -> Vec<crate::report::Change> {
    changes
        .iter()
        .filter(|change| !is_reference_slot(change.before) && !is_reference_slot(change.after))
        .map(|change| crate::report::Change {
            facet,
            path: join(&change.path),
            kind: change.kind,
            before: change.before.map(Normal::to_json),
            after: change.after.map(Normal::to_json),
        })
        .collect()
}

fn is_reference_slot(node: Option<&Normal<'_>>) -> bool {
    match node {
        Some(Normal::Reference(_)) => true,
        Some(Normal::Set(items) | Normal::List(items)) => {
            !items.is_empty() && items.iter().all(|item| matches!(item, Normal::Reference(_)))
        }
        _ => false,
    }
}
