//! Puts verdicts, gaps and counts together, and takes back every verdict that is not proven.

use super::pair::{Outcome, content_gap, version};
use super::role::lone_role;
use super::{CompareOptions, Payloads};
use crate::finding::Fingerprint;
use crate::gap::GapKind;
use crate::inventory::{Doubt, Inventory, SideName};
use crate::matching::{Ambiguity, Match, MatchMode, Matching, ToldApart};
use crate::report::{
    ChangeType, DiffKind, Drift, Gap, MatchedBy, Pair, Report, RoleCounts, SCHEMA_VERSION, Side,
    Summary, Suppressed, Trust, TypeCounts,
};
use crate::severity::{RoleFacts, Severity, rate, rate_role};
use crate::subject::Subject;
use plumbline_policy::catalog::{PolicyType, catalog};
use plumbline_policy::digest::NORMALISER_VERSION;
use plumbline_policy::name;
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

pub(super) struct Assembly<'a> {
    baseline: &'a Inventory,
    current: &'a Inventory,
    options: &'a CompareOptions,
    payloads: &'a dyn Payloads,
    golden: &'a [&'a Subject],
    other: &'a [&'a Subject],
    gaps: Vec<Gap>,
    suppressed: Vec<Suppressed>,
    drift: Vec<Drift>,
    /// Roles that one side alone has, by the place of their drift.
    lone_roles: Vec<(usize, SideName, &'a Subject)>,
    unchanged: BTreeMap<&'a str, usize>,
    undecided: BTreeSet<String>,
}

impl<'a> Assembly<'a> {
    pub(super) fn new(
        baseline: &'a Inventory,
        current: &'a Inventory,
        options: &'a CompareOptions,
        payloads: &'a dyn Payloads,
        golden: &'a [&'a Subject],
        other: &'a [&'a Subject],
    ) -> Self {
        Self {
            baseline,
            current,
            options,
            payloads,
            golden,
            other,
            gaps: Vec::new(),
            suppressed: Vec::new(),
            drift: Vec::new(),
            lone_roles: Vec::new(),
            unchanged: BTreeMap::new(),
            undecided: BTreeSet::new(),
        }
    }

    pub(super) fn report(mut self, matching: &Matching, outcomes: Vec<Outcome>) -> Report {
        self.side_gaps();
        for (found, outcome) in matching.pairs.iter().zip(outcomes) {
            self.pair(found, outcome);
        }
        for ambiguity in &matching.ambiguous {
            self.ambiguous(ambiguity);
        }
        for at in &matching.nameless_baseline {
            self.nameless(SideName::Baseline, self.golden[*at]);
        }
        for at in &matching.nameless_current {
            self.nameless(SideName::Current, self.other[*at]);
        }
        for at in &matching.only_baseline {
            self.single(SideName::Baseline, self.golden[*at]);
        }
        for at in &matching.only_current {
            self.single(SideName::Current, self.other[*at]);
        }
        self.link_roles();
        self.describe_lone_roles();
        self.finish(matching)
    }

    /// Gaps of the readings that concern the scope.
    fn side_gaps(&mut self) {
        for (side, inventory) in
            [(SideName::Baseline, self.baseline), (SideName::Current, self.current)]
        {
            for (gap, doubt) in &inventory.gaps {
                let concerns = match doubt {
                    Doubt::Types(types) => types.iter().any(|key| self.options.scope.holds(key)),
                    Doubt::Everything | Doubt::Nothing => true,
                };
                if concerns {
                    self.gaps.push(Gap { side: Some(side.as_str()), ..gap.clone() });
                }
            }
        }
    }

    fn inventory(&self, side: SideName) -> &'a Inventory {
        match side {
            SideName::Baseline => self.baseline,
            SideName::Current => self.current,
        }
    }

    /// The gap that leaves a type without proof on one of the sides.
    fn unproven(&self, sides: &[SideName], policy_type: &PolicyType) -> Option<(GapKind, String)> {
        sides
            .iter()
            .map(|side| (side, self.inventory(*side)))
            .filter(|(_, inventory)| !inventory.proves(policy_type))
            .find_map(|(side, inventory)| {
                inventory.gaps.iter().find_map(|(gap, doubt)| {
                    let concerns = match doubt {
                        Doubt::Nothing => false,
                        Doubt::Everything => true,
                        Doubt::Types(types) => types.contains(policy_type.key.as_str()),
                    };
                    concerns.then(|| {
                        // A gap of a stored reading has no file; its detail says why.
                        let why = match gap.source_file.as_str() {
                            "" => gap.detail.clone(),
                            file => format!("{file} ({})", gap.kind.as_str().replace('_', " ")),
                        };
                        let reason = format!(
                            "{} of the {} side is not proven: {why}",
                            policy_type.key,
                            side.as_str(),
                        );
                        (gap.kind, reason)
                    })
                })
            })
    }

    fn pair(&mut self, found: &Match, outcome: Outcome) {
        let baseline = self.golden[found.baseline];
        if outcome.suppressed.is_some() {
            self.hold(baseline);
            self.hold(self.other[found.current]);
        }
        self.gaps.extend(outcome.gaps);
        self.suppressed.extend(outcome.suppressed);
        if outcome.unchanged {
            *self.unchanged.entry(&baseline.policy_type.key).or_default() += 1;
        }
        if let Some(drift) = outcome.drift {
            // What could not be read may be the better partner of either.
            let sides = [SideName::Baseline, SideName::Current];
            match self.unproven(&sides, baseline.policy_type) {
                Some((gap, reason)) => {
                    self.suppress(baseline, Some(ChangeType::DifferentVersion), gap, reason);
                }
                None => self.drift.push(drift),
            }
        }
    }

    /// Notes that nothing is claimed about a subject, so that no finding of it is resolved.
    fn hold(&mut self, subject: &Subject) {
        self.undecided.insert(self.options.recurrence_key(subject).to_string());
    }

    fn suppress(
        &mut self,
        subject: &Subject,
        change_type: Option<ChangeType>,
        gap: GapKind,
        reason: String,
    ) {
        self.hold(subject);
        self.suppressed.push(Suppressed {
            policy_type: subject.policy_type.key.clone(),
            display_name: subject.title().to_owned(),
            change_type,
            gap,
            reason,
            source_file: subject.source.file.clone(),
        });
    }

    fn gap(&mut self, kind: GapKind, side: SideName, subject: &Subject, detail: String) {
        self.gaps.push(Gap {
            kind,
            policy_type: Some(subject.policy_type.key.clone()),
            side: Some(side.as_str()),
            source_file: subject.source.file.clone(),
            detail,
        });
    }

    fn ambiguous(&mut self, found: &Ambiguity) {
        let sides = [
            (SideName::Baseline, &found.baseline, self.golden),
            (SideName::Current, &found.current, self.other),
        ];
        for (side, places, subjects) in sides {
            for at in places {
                let subject = subjects[*at];
                let detail = format!(
                    "`{}` shares its {} with others ({} on the baseline side, {} on the current \
                     side), and nothing tells them apart; rename one of them",
                    subject.title(),
                    found.by.as_str().replace('_', " "),
                    found.baseline.len(),
                    found.current.len(),
                );
                self.gap(GapKind::AmbiguousMatch, side, subject, detail.clone());
                self.suppress(subject, None, GapKind::AmbiguousMatch, detail);
            }
        }
    }

    fn nameless(&mut self, side: SideName, subject: &Subject) {
        let detail = match self.options.mode {
            MatchMode::Id => {
                "the policy has no id, and the compare matches by id; use --match auto"
            }
            _ => "the policy has neither name nor id; export it again",
        };
        let detail = format!("`{}`: {detail}", subject.title());
        self.gap(GapKind::NoIdentity, side, subject, detail.clone());
        self.suppress(subject, None, GapKind::NoIdentity, detail);
    }

    /// A subject that only one side has.
    fn single(&mut self, side: SideName, subject: &'a Subject) {
        let (change_type, kind) = match side {
            SideName::Baseline => (ChangeType::MissingPolicy, DiffKind::Missing),
            SideName::Current => (ChangeType::UnexpectedPolicy, DiffKind::Unexpected),
        };
        // Only the side that seems to lack the subject can hold it in what could not be read.
        if let Some((gap, reason)) = self.unproven(&[side.opposite()], subject.policy_type) {
            return self.suppress(subject, Some(change_type), gap, reason);
        }
        if self.is_type_absent(side, subject.policy_type) {
            let reason = format!(
                "the other side holds no {} at all; if its export is complete, say so with --complete",
                subject.policy_type.key
            );
            return self.suppress(subject, Some(change_type), GapKind::TypeAbsent, reason);
        }
        // That it exists is proven all the same; what it holds is not.
        if let Some((gap, detail)) = content_gap(subject) {
            self.gap(gap, side, subject, format!("`{}`: {detail}", subject.title()));
        }
        let verdict = match subject.role {
            None => Some(rate(kind, false)),
            Some(role) => rate_role(
                kind,
                RoleFacts {
                    built_in: role.built_in,
                    built_in_differs: false,
                    privileged: role.privileged,
                    direction: None,
                },
            ),
        };
        let Some((severity, severity_rule)) = verdict.map(|verdict| self.options.severity(verdict))
        else {
            let detail = format!(
                "`{}` is a built-in role, which no tenant can delete; that it is not there means a \
                 partial read, another cloud or a missing licence",
                subject.title()
            );
            self.gap(GapKind::DetailMissing, side, subject, detail.clone());
            return self.suppress(subject, Some(change_type), GapKind::DetailMissing, detail);
        };
        let hash = Some(self.options.version_hash(subject, &self.options.facets));
        let is_baseline = side == SideName::Baseline;
        if subject.role.is_some() {
            self.lone_roles.push((self.drift.len(), side, subject));
        }
        let fingerprint = Fingerprint {
            policy_type: &subject.policy_type.key,
            external_id: subject.external_id.as_deref(),
            subject_key: subject.key.as_deref(),
            change_type,
            baseline_hash: hash.filter(|_| is_baseline),
            current_hash: hash.filter(|_| !is_baseline),
        };
        self.drift.push(Drift {
            change_type,
            policy_type: subject.policy_type.key.clone(),
            subject_key: subject.key.clone().unwrap_or_default(),
            display_name: subject.title().to_owned(),
            baseline: is_baseline.then(|| version(subject)),
            current: (!is_baseline).then(|| version(subject)),
            facets: Vec::new(),
            diff_kind: kind,
            severity,
            severity_rule,
            matched_by: None,
            confidence: None,
            direction: None,
            possibly_same_as: None,
            role: None,
            fingerprint: fingerprint.digest(&self.options.owner).to_string(),
            recurrence_key: self.options.recurrence_key(subject).to_string(),
            changes: Vec::new(),
        });
    }

    /// Whether the side opposite to `side` holds none of a type and does not claim to be complete.
    fn is_type_absent(&self, side: SideName, policy_type: &PolicyType) -> bool {
        let opposite = self.inventory(side.opposite());
        !opposite.complete && !opposite.types_read.contains(policy_type.key.as_str())
    }

    /// Links a missing and an unexpected custom role of one name. The classification stays (seed 128: a
    /// role is its id), but a person wants to see them together.
    fn link_roles(&mut self) {
        let id_of = |drift: &Drift| {
            drift
                .baseline
                .as_ref()
                .or(drift.current.as_ref())
                .and_then(|version| version.external_id.clone())
        };
        let mut by_name: BTreeMap<String, [Vec<usize>; 2]> = BTreeMap::new();
        for (at, drift) in self.drift.iter().enumerate() {
            let slot = match drift.severity_rule {
                "role.custom.missing" => 0,
                "role.custom.unexpected" | "role.custom.unexpected.privileged" => 1,
                _ => continue,
            };
            by_name.entry(name::fold(&drift.display_name)).or_default()[slot].push(at);
        }
        for [missing, unexpected] in by_name.into_values() {
            if let ([missing], [unexpected]) = (missing.as_slice(), unexpected.as_slice()) {
                self.drift[*missing].possibly_same_as = id_of(&self.drift[*unexpected]);
                self.drift[*unexpected].possibly_same_as = id_of(&self.drift[*missing]);
            }
        }
    }

    /// Says what roles grant that one side alone has. It takes their payloads, which no verdict needed.
    fn describe_lone_roles(&mut self) {
        let payloads = self.payloads;
        let found: Vec<_> = std::mem::take(&mut self.lone_roles)
            .into_par_iter()
            .map(|(at, side, subject)| (at, lone_role(payloads, side, subject)))
            .collect();
        for (at, evidence) in found {
            self.drift[at].role = evidence;
        }
    }

    /// Whether both sides are known to hold nothing: declared so, or every type of the scope was read.
    fn is_proven_empty(&self) -> bool {
        let mut keys = self.options.scope.keys().peekable();
        let declared = self.baseline.complete && self.current.complete;
        declared
            || keys.peek().is_some()
                && keys.all(|key| {
                    [self.baseline, self.current].iter().all(|one| one.types_read.contains(key))
                })
    }

    fn type_absent_gaps(&mut self) {
        let mut absent: BTreeSet<(&'static str, &'static str)> = BTreeSet::new();
        for (side, subjects) in [(SideName::Baseline, self.golden), (SideName::Current, self.other)]
        {
            for subject in subjects {
                if self.is_type_absent(side, subject.policy_type) {
                    absent.insert((side.opposite().as_str(), &subject.policy_type.key));
                }
            }
        }
        for (side, key) in absent {
            self.gaps.push(Gap {
                kind: GapKind::TypeAbsent,
                policy_type: Some(key.to_owned()),
                side: Some(side),
                source_file: String::new(),
                detail: format!(
                    "the {side} side holds no {key}; if its export is complete, say --complete {side}"
                ),
            });
        }
    }

    fn finish(mut self, matching: &Matching) -> Report {
        self.type_absent_gaps();
        let nothing = self.golden.is_empty() && self.other.is_empty();
        if nothing && !self.is_proven_empty() {
            self.gaps.push(Gap {
                kind: GapKind::TypeAbsent,
                policy_type: None,
                side: None,
                source_file: String::new(),
                detail:
                    "neither side holds a policy of the scope; if both exports are complete, say \
                         --complete both"
                        .to_owned(),
            });
        }
        self.gaps.sort();
        self.gaps.dedup();
        self.suppressed.sort();
        self.drift.sort_by(|a, b| {
            let key = |drift: &Drift| {
                let version = drift.baseline.as_ref().or(drift.current.as_ref());
                (
                    std::cmp::Reverse(drift.severity),
                    drift.change_type,
                    drift.policy_type.clone(),
                    drift.display_name.clone(),
                    version.map(|version| version.source_file.clone()),
                    drift.fingerprint.clone(),
                )
            };
            key(a).cmp(&key(b))
        });
        let summary = self.summary();
        let trust = if summary.gaps == 0 {
            Trust::Full
        } else if summary.compared == 0 {
            Trust::UnprovenSuppressed
        } else {
            Trust::PartialSuppressed
        };
        let side = |inventory: &Inventory, policies: usize| Side {
            source: inventory.source.clone(),
            policies,
            digest: inventory.digest(&self.options.scope).to_string(),
            tenant_facts: inventory.tenant_facts,
        };
        let proven = self
            .options
            .scope
            .keys()
            .filter(|key| {
                let Ok(policy_type) = catalog().get(key) else { return false };
                let read = |inventory: &Inventory| {
                    inventory.complete || inventory.types_read.contains(*key)
                };
                let sides = [SideName::Baseline, SideName::Current];
                self.unproven(&sides, policy_type).is_none()
                    && read(self.baseline)
                    && read(self.current)
            })
            .map(str::to_owned)
            .collect();
        Report {
            schema_version: SCHEMA_VERSION,
            normaliser_version: NORMALISER_VERSION,
            baseline: side(self.baseline, self.golden.len()),
            current: side(self.current, self.other.len()),
            trust,
            summary,
            pairs: self.pairs(matching),
            drift: self.drift,
            suppressed: self.suppressed,
            gaps: self.gaps,
            undecided: self.undecided,
            proven,
        }
    }

    fn pairs(&self, matching: &Matching) -> Vec<Pair> {
        let mut out: Vec<Pair> = matching
            .pairs
            .iter()
            .filter_map(|found| {
                let (b, c) = (self.golden[found.baseline], self.other[found.current]);
                let is_weak = match found.by {
                    MatchedBy::Key | MatchedBy::Name => false,
                    MatchedBy::Id => self.options.mode == MatchMode::Auto,
                    MatchedBy::BaseName
                    | MatchedBy::Content
                    | MatchedBy::Similarity
                    | MatchedBy::Mapping => true,
                };
                let is_exact = !is_weak || b.key.is_some() && b.key == c.key;
                let one_id = found.told_apart.is_none_or(|how| how == ToldApart::IdAndName);
                if is_exact && one_id {
                    return None;
                }
                Some(Pair {
                    policy_type: b.policy_type.key.clone(),
                    baseline: b.title().to_owned(),
                    baseline_file: b.source.file.clone(),
                    current: c.title().to_owned(),
                    current_file: c.source.file.clone(),
                    matched_by: found.by,
                    confidence: found.confidence,
                    reason: reason(found, b, c),
                })
            })
            .collect();
        out.sort_by(|a, b| {
            (&a.policy_type, &a.baseline, &a.baseline_file).cmp(&(
                &b.policy_type,
                &b.baseline,
                &b.baseline_file,
            ))
        });
        out
    }

    fn summary(&self) -> Summary {
        let mut by_type: BTreeMap<String, TypeCounts> = BTreeMap::new();
        for subject in self.golden {
            by_type.entry(subject.policy_type.key.clone()).or_default().baseline += 1;
        }
        for subject in self.other {
            by_type.entry(subject.policy_type.key.clone()).or_default().current += 1;
        }
        for (key, count) in &self.unchanged {
            by_type.entry((*key).to_owned()).or_default().unchanged += count;
        }
        let mut by_severity: BTreeMap<&'static str, usize> =
            [Severity::High, Severity::Medium, Severity::Low].map(|s| (s.as_str(), 0)).into();
        for drift in &self.drift {
            *by_severity.entry(drift.severity.as_str()).or_default() += 1;
            let counts = by_type.entry(drift.policy_type.clone()).or_default();
            match drift.change_type {
                ChangeType::MissingPolicy => counts.missing_policy += 1,
                ChangeType::DifferentVersion => counts.different_version += 1,
                ChangeType::UnexpectedPolicy => counts.unexpected_policy += 1,
            }
        }
        for suppressed in &self.suppressed {
            by_type.entry(suppressed.policy_type.clone()).or_default().suppressed += 1;
        }
        let total = |pick: fn(&TypeCounts) -> usize| by_type.values().map(pick).sum::<usize>();
        let unchanged = total(|counts| counts.unchanged);
        let roles = by_type.get(plumbline_policy::catalog::ROLE_DEFINITION);
        Summary {
            compared: unchanged + self.drift.len(),
            unchanged,
            missing_policy: total(|counts| counts.missing_policy),
            different_version: total(|counts| counts.different_version),
            unexpected_policy: total(|counts| counts.unexpected_policy),
            suppressed: self.suppressed.len(),
            gaps: self.gaps.iter().filter(|gap| gap.kind.lowers_trust()).count(),
            by_severity,
            rbac_role_definitions: roles.map(|counts| RoleCounts {
                total_compared: counts.unchanged
                    + counts.different_version
                    + counts.missing_policy
                    + counts.unexpected_policy,
                unchanged: counts.unchanged,
                modified: counts.different_version,
                missing: counts.missing_policy,
                unexpected: counts.unexpected_policy,
            }),
            by_type,
        }
    }
}

fn reason(found: &Match, baseline: &Subject, current: &Subject) -> String {
    if let Some(how) = found.told_apart {
        let shared = match found.by {
            MatchedBy::Key | MatchedBy::Name => "name",
            MatchedBy::Id | MatchedBy::Mapping => "id",
            MatchedBy::BaseName => "name without its version",
            MatchedBy::Content | MatchedBy::Similarity => "settings",
        };
        return format!("several policies share the {shared}; {}", how.explain());
    }
    match found.by {
        MatchedBy::Key | MatchedBy::Name => "the names are equal".to_owned(),
        MatchedBy::Id => {
            let name = |subject: &Subject| name::fold(subject.title());
            let differs = if name(baseline) == name(current) { "platforms" } else { "names" };
            format!("the ids are equal, the {differs} differ")
        }
        MatchedBy::BaseName => "the names are equal without their versions".to_owned(),
        MatchedBy::Content => "names and ids differ, every setting is equal".to_owned(),
        MatchedBy::Similarity => format!(
            "names and ids differ; {} % of the settings are equal, and no other policy comes near",
            found.confidence
        ),
        MatchedBy::Mapping => "a person said that this role stands for that one".to_owned(),
    }
}
