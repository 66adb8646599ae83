//! The matching ladder: which subject of one side is which of the other, how that is known, and how
//! sure it is. Never a guess: two candidates are a gap. See `shared/decisions/0004-matching.md`.

use crate::report::MatchedBy;
use crate::subject::Subject;
use plumbline_policy::catalog::Identity;
use plumbline_policy::name;
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::BTreeMap;

/// How subjects are matched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MatchMode {
    /// The whole ladder: key, id, base name, content, similarity.
    #[default]
    Auto,
    /// By id alone; right for one tenant at two times.
    Id,
    /// By exact (folded) name.
    Name,
    /// By name without a version at its end.
    BaseName,
}

/// One matched pair: places in the two slices, how, and how sure (0 to 100).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Match {
    /// Place on the golden side.
    pub baseline: usize,
    /// Place on the other side.
    pub current: usize,
    /// How the two were found to be one.
    pub by: MatchedBy,
    /// How sure that is.
    pub confidence: u8,
    /// How they were told apart from others that are called the same.
    pub told_apart: Option<ToldApart>,
}

/// What tells members of one group apart, the surest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ToldApart {
    /// Equal ids and names.
    IdAndName,
    /// Equal ids.
    Id,
    /// Equal names.
    Name,
    /// Equal content; several that are equal are interchangeable.
    Content,
    /// Each is the only one left on its side.
    LastLeft,
}

impl ToldApart {
    /// What a person reads.
    #[must_use]
    pub fn explain(self) -> &'static str {
        match self {
            Self::IdAndName => "these two have one id and one name",
            Self::Id => "these two have one id",
            Self::Name => "these two have one name",
            Self::Content => "every setting of these two is equal",
            Self::LastLeft => "these two are the only ones left",
        }
    }
}

/// Subjects that have more than one candidate, none better than another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ambiguity {
    /// Places on the golden side.
    pub baseline: Vec<usize>,
    /// Places on the other side.
    pub current: Vec<usize>,
    /// What they share.
    pub by: MatchedBy,
}

/// What the ladder found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Matching {
    /// Pairs, in order of the golden side.
    pub pairs: Vec<Match>,
    /// Only the golden side has these.
    pub only_baseline: Vec<usize>,
    /// Only the other side has these.
    pub only_current: Vec<usize>,
    /// Subjects without a verdict because of several candidates.
    pub ambiguous: Vec<Ambiguity>,
    /// Subjects of the golden side that the mode cannot identify.
    pub nameless_baseline: Vec<usize>,
    /// Subjects of the other side that the mode cannot identify.
    pub nameless_current: Vec<usize>,
}

/// The settings of one policy, as numbers: what similarity is counted on. Sorted, without doubles.
pub type Settings = Vec<u64>;

/// The least similarity (shared settings over all settings of both, in percent) that makes a pair.
pub const SIMILARITY_THRESHOLD: u8 = 60;
/// How far the best partner must be ahead of the next.
pub const SIMILARITY_MARGIN: u8 = 10;
/// A setting that more subjects than this share says nothing about which they are.
const COMMON: usize = 32;

/// Which role of the other side stands for which role of the golden one, because a person said so: id of
/// the golden role → id of the other, both in lower case. One role stands for one.
pub type RoleMappings = BTreeMap<String, String>;

/// Matches two sides. `settings` is asked for the settings of subjects that nothing else could match;
/// it is called with the side (`true` for the golden one) and the place.
#[must_use]
pub fn match_subjects(
    baseline: &[&Subject],
    current: &[&Subject],
    mode: MatchMode,
    mappings: &RoleMappings,
    settings: &dyn Fn(bool, usize) -> Settings,
) -> Matching {
    let mut ladder = Ladder {
        baseline,
        current,
        free_baseline: (0..baseline.len()).collect(),
        free_current: (0..current.len()).collect(),
        out: Matching::default(),
    };
    ladder.set_nameless_aside(mode);
    ladder.mapped(mappings);
    let auto = mode == MatchMode::Auto;
    if mode == MatchMode::Id {
        ladder.stage(MatchedBy::Id, 100, super::subject::Subject::folded_id);
    } else {
        // Roles have their id in the key, so they match by id in every mode.
        let by = if mode == MatchMode::Name { MatchedBy::Name } else { MatchedBy::Key };
        if mode == MatchMode::BaseName {
            ladder.stage(MatchedBy::Id, 100, |subject| {
                subject.key.clone().filter(|_| is_by_id(subject))
            });
        } else {
            ladder.stage(by, 100, |subject| subject.key.clone());
        }
    }
    if auto {
        ladder
            .stage(MatchedBy::Id, 95, |subject| subject.folded_id().filter(|_| !is_by_id(subject)));
    }
    if auto || mode == MatchMode::BaseName {
        let confidence = if auto { 90 } else { 100 };
        ladder.stage(MatchedBy::BaseName, confidence, |subject| {
            subject.base_key.clone().filter(|_| !is_by_id(subject))
        });
    }
    if auto {
        ladder.stage(MatchedBy::Content, 85, |subject| {
            let known = subject.missing_detail.is_empty() && !is_by_id(subject);
            known.then(|| subject.facets.content.to_string())
        });
        ladder.similar(settings);
    }
    ladder.finish()
}

fn is_by_id(subject: &Subject) -> bool {
    subject.policy_type.identity == Identity::ExternalId
}

struct Ladder<'s> {
    baseline: &'s [&'s Subject],
    current: &'s [&'s Subject],
    free_baseline: Vec<usize>,
    free_current: Vec<usize>,
    out: Matching,
}

type Group = (Vec<usize>, Vec<usize>);
/// What a subject is told by.
type Word = fn(&Subject) -> Option<String>;
/// A pair, and how it was told apart from others of its group.
type Told = (usize, usize, Option<ToldApart>);

impl Ladder<'_> {
    fn set_nameless_aside(&mut self, mode: MatchMode) {
        let identified = |subject: &Subject| match mode {
            MatchMode::Id => subject.external_id.is_some(),
            MatchMode::Name | MatchMode::BaseName => subject.key.is_some(),
            MatchMode::Auto => {
                subject.key.is_some() || subject.external_id.is_some() && !is_by_id(subject)
            }
        };
        let (baseline, current) = (self.baseline, self.current);
        let set_aside = |free: &mut Vec<usize>, subjects: &[&Subject]| {
            let (named, nameless) = free.iter().partition(|at| identified(subjects[**at]));
            *free = named;
            nameless
        };
        self.out.nameless_baseline = set_aside(&mut self.free_baseline, baseline);
        self.out.nameless_current = set_aside(&mut self.free_current, current);
    }

    /// Pairs custom roles that a person mapped. A role that has its own id on the other side is itself
    /// there, and a mapping whose role is gone pairs nothing: both are left to the ids.
    fn mapped(&mut self, mappings: &RoleMappings) {
        if mappings.is_empty() {
            return;
        }
        let (baseline, current) = (self.baseline, self.current);
        let custom = |subject: &Subject| {
            subject.folded_id().filter(|_| subject.role.is_some_and(|role| !role.built_in))
        };
        let by_id: FxHashMap<String, usize> =
            self.free_current.iter().filter_map(|at| Some((custom(current[*at])?, *at))).collect();
        let mut taken = (FxHashSet::default(), FxHashSet::default());
        for b in &self.free_baseline {
            let Some(id) = custom(baseline[*b]).filter(|id| !by_id.contains_key(id)) else {
                continue;
            };
            let Some(c) = mappings.get(&id).and_then(|to| by_id.get(to)) else { continue };
            if taken.1.insert(*c) {
                taken.0.insert(*b);
                self.out.pairs.push(Match {
                    baseline: *b,
                    current: *c,
                    by: MatchedBy::Mapping,
                    confidence: 100,
                    told_apart: None,
                });
            }
        }
        self.free_baseline.retain(|at| !taken.0.contains(at));
        self.free_current.retain(|at| !taken.1.contains(at));
    }

    /// Matches free subjects of one type that share a word.
    fn stage(&mut self, by: MatchedBy, confidence: u8, word: impl Fn(&Subject) -> Option<String>) {
        let mut groups: BTreeMap<(&str, String), Group> = BTreeMap::new();
        for at in &self.free_baseline {
            let subject = self.baseline[*at];
            if let Some(word) = word(subject) {
                groups.entry((&subject.policy_type.key, word)).or_default().0.push(*at);
            }
        }
        for at in &self.free_current {
            let subject = self.current[*at];
            if let Some(word) = word(subject)
                && let Some(group) = groups.get_mut(&(subject.policy_type.key.as_str(), word))
            {
                group.1.push(*at);
            }
        }
        let mut taken_baseline = FxHashSet::default();
        let mut taken_current = FxHashSet::default();
        for (b, c) in groups.into_values() {
            if c.is_empty() {
                continue;
            }
            let (pairs, (b_left, c_left)) = self.tell_apart(b, c);
            for (b, c, told_apart) in pairs {
                let confidence = confidence.min(if told_apart.is_some() { 95 } else { 100 });
                let by = if is_by_id(self.baseline[b]) { MatchedBy::Id } else { by };
                self.out.pairs.push(Match { baseline: b, current: c, by, confidence, told_apart });
                taken_baseline.insert(b);
                taken_current.insert(c);
            }
            if !b_left.is_empty() && !c_left.is_empty() {
                taken_baseline.extend(b_left.iter().copied());
                taken_current.extend(c_left.iter().copied());
                self.out.ambiguous.push(Ambiguity { baseline: b_left, current: c_left, by });
            }
        }
        self.free_baseline.retain(|at| !taken_baseline.contains(at));
        self.free_current.retain(|at| !taken_current.contains(at));
    }

    /// Pairs the members of one group: by id, by name, by equal content, and last because each is the
    /// only one left.
    fn tell_apart(&self, b: Vec<usize>, c: Vec<usize>) -> (Vec<Told>, Group) {
        if let ([b], [c]) = (b.as_slice(), c.as_slice()) {
            return (vec![(*b, *c, None)], Group::default());
        }
        let mut group = (b, c);
        let mut pairs = Vec::new();
        let words: [(ToldApart, Word); 4] = [
            (ToldApart::IdAndName, |subject| {
                Some(format!("{}\n{}", subject.folded_id()?, folded_name(subject)?))
            }),
            (ToldApart::Id, |subject| subject.folded_id()),
            (ToldApart::Name, folded_name),
            (ToldApart::Content, |subject| Some(subject.facets.content.to_string())),
        ];
        for (how, word) in words {
            let mut by_word: BTreeMap<String, Group> = BTreeMap::new();
            for at in &group.0 {
                if let Some(word) = word(self.baseline[*at]) {
                    by_word.entry(word).or_default().0.push(*at);
                }
            }
            for at in &group.1 {
                if let Some(word) = word(self.current[*at]) {
                    by_word.entry(word).or_default().1.push(*at);
                }
            }
            let mut taken = (FxHashSet::default(), FxHashSet::default());
            for (b, c) in by_word.into_values() {
                // Equal contents are interchangeable; equal names or ids are not.
                if how == ToldApart::Content || (b.len() == 1 && c.len() == 1) {
                    for (b, c) in b.into_iter().zip(c) {
                        pairs.push((b, c, Some(how)));
                        taken.0.insert(b);
                        taken.1.insert(c);
                    }
                }
            }
            group.0.retain(|at| !taken.0.contains(at));
            group.1.retain(|at| !taken.1.contains(at));
        }
        if let ([b], [c]) = (group.0.as_slice(), group.1.as_slice()) {
            pairs.push((*b, *c, Some(ToldApart::LastLeft)));
            return (pairs, Group::default());
        }
        (pairs, group)
    }

    /// Pairs leftovers of one type, platform and template family by what they configure. The index is
    /// over settings, and settings that many share are passed over, so the cost stays linear.
    fn similar(&mut self, settings: &dyn Fn(bool, usize) -> Settings) {
        let mut pools: BTreeMap<(&str, Vec<String>), Group> = BTreeMap::new();
        let pool_of = |subject: &Subject| -> Option<Vec<String>> {
            if is_by_id(subject) || !subject.missing_detail.is_empty() {
                return None;
            }
            let parts: Vec<String> = serde_json::from_str(subject.key.as_deref()?).ok()?;
            Some(parts.get(1..3)?.to_vec())
        };
        for at in &self.free_baseline {
            let subject = self.baseline[*at];
            if let Some(pool) = pool_of(subject) {
                pools.entry((&subject.policy_type.key, pool)).or_default().0.push(*at);
            }
        }
        for at in &self.free_current {
            let subject = self.current[*at];
            if let Some(pool) = pool_of(subject)
                && let Some(group) = pools.get_mut(&(subject.policy_type.key.as_str(), pool))
            {
                group.1.push(*at);
            }
        }
        let mut taken = (FxHashSet::default(), FxHashSet::default());
        for (b, c) in pools.into_values().filter(|(_, c)| !c.is_empty()) {
            let of = |side: bool, places: &[usize]| -> Vec<(usize, Settings)> {
                places.iter().map(|at| (*at, settings(side, *at))).collect()
            };
            for (b, c, score) in best_partners(&of(true, &b), &of(false, &c)) {
                taken.0.insert(b);
                taken.1.insert(c);
                self.out.pairs.push(Match {
                    baseline: b,
                    current: c,
                    by: MatchedBy::Similarity,
                    confidence: score,
                    told_apart: None,
                });
            }
        }
        self.free_baseline.retain(|at| !taken.0.contains(at));
        self.free_current.retain(|at| !taken.1.contains(at));
    }

    fn finish(self) -> Matching {
        let mut out = self.out;
        out.pairs.sort_unstable_by_key(|pair| (pair.baseline, pair.current));
        out.only_baseline = self.free_baseline;
        out.only_current = self.free_current;
        out
    }
}

fn folded_name(subject: &Subject) -> Option<String> {
    subject.display_name.as_deref().map(name::fold)
}

/// Finds pairs that are each other's one best partner, over the threshold and ahead of the next.
fn best_partners(
    baseline: &[(usize, Settings)],
    current: &[(usize, Settings)],
) -> Vec<(usize, usize, u8)> {
    let mut holders: FxHashMap<u64, Vec<u32>> = FxHashMap::default();
    for (at, (_, settings)) in current.iter().enumerate() {
        for setting in settings {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "a tenant has thousands of policies"
            )]
            holders.entry(*setting).or_default().push(at as u32);
        }
    }
    holders.retain(|_, places| places.len() <= COMMON);
    // Best and second best score, for each subject of either side.
    let mut best: Vec<(u8, usize, u8)> = vec![(0, usize::MAX, 0); baseline.len()];
    let mut best_back: Vec<(u8, usize, u8)> = vec![(0, usize::MAX, 0); current.len()];
    let note = |slot: &mut (u8, usize, u8), score: u8, partner: usize| {
        if score > slot.0 {
            *slot = (score, partner, slot.0);
        } else {
            slot.2 = slot.2.max(score);
        }
    };
    for (b, (_, settings)) in baseline.iter().enumerate() {
        let mut candidates = FxHashSet::default();
        for setting in settings {
            candidates.extend(holders.get(setting).into_iter().flatten().copied());
        }
        for c in candidates {
            let c = c as usize;
            let score = similarity(settings, &current[c].1);
            note(&mut best[b], score, c);
            note(&mut best_back[c], score, b);
        }
    }
    best.iter()
        .enumerate()
        .filter(|(b, (score, c, next))| {
            let back = best_back.get(*c);
            *score >= SIMILARITY_THRESHOLD
                && *score >= next + SIMILARITY_MARGIN
                && back.is_some_and(|(_, partner, next)| {
                    partner == b && *score >= next + SIMILARITY_MARGIN
                })
        })
        .map(|(b, (score, c, _))| (baseline[b].0, current[*c].0, *score))
        .collect()
}

/// Shared settings over all settings of both, in whole percent.
fn similarity(a: &[u64], b: &[u64]) -> u8 {
    let (mut i, mut j, mut shared) = (0, 0, 0_usize);
    while i < a.len() && j < b.len() {
        match a[i].cmp(&b[j]) {
            std::cmp::Ordering::Less => i += 1,
            std::cmp::Ordering::Greater => j += 1,
            std::cmp::Ordering::Equal => {
                shared += 1;
                i += 1;
                j += 1;
            }
        }
    }
    let all = a.len() + b.len() - shared;
    u8::try_from((100 * shared).checked_div(all).unwrap_or(0)).unwrap_or(100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn similarity_is_a_percentage() {
        assert_eq!(similarity(&[1, 2, 3], &[1, 2, 3]), 100);
        assert_eq!(similarity(&[1, 2], &[2, 3]), 33);
        assert_eq!(similarity(&[], &[]), 0);
    }

    #[test]
    fn only_a_clear_best_partner_makes_a_pair() {
        let one = |at, settings: &[u64]| (at, settings.to_vec());
        let clear = best_partners(&[one(7, &[1, 2, 3, 4])], &[one(9, &[1, 2, 3, 5]), one(8, &[6])]);
        assert_eq!(clear, [(7, 9, 60)]);
        let twins = best_partners(
            &[one(7, &[1, 2, 3, 4])],
            &[one(9, &[1, 2, 3, 4, 5]), one(8, &[1, 2, 3, 4, 6])],
        );
        assert_eq!(twins, []);
        let weak = best_partners(&[one(7, &[1, 2, 3, 4])], &[one(9, &[1, 8, 9])]);
        assert_eq!(weak, []);
    }
}
