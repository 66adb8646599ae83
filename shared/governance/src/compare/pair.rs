//! Judges one matched pair.

use super::judge::{Targets, judge_references, judge_secrets, name_inside};
use super::role::evidence_of_roles;
use super::{CompareOptions, Payloads, evidence};
use crate::finding::Fingerprint;
use crate::gap::GapKind;
use crate::inventory::SideName;
use crate::matching::Match;
use crate::report::{
    Change, ChangeKind, ChangeType, DiffKind, Drift, Facet, Gap, Suppressed, Version,
};
use crate::severity::{RoleFacts, rate, rate_role};
use crate::subject::Subject;
use plumbline_policy::diff::diff;
use plumbline_policy::role::evidence::RoleEvidence;

pub(super) struct Context<'c> {
    pub(super) options: &'c CompareOptions,
    pub(super) payloads: &'c dyn Payloads,
    pub(super) targets: &'c Targets,
}

/// What one pair came to.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// Equal in everything that counts.
    pub(super) unchanged: bool,
    /// The difference.
    pub(super) drift: Option<Drift>,
    /// No verdict.
    pub(super) suppressed: Option<Suppressed>,
    /// Gaps of the pair.
    pub(super) gaps: Vec<Gap>,
}

impl Context<'_> {
    pub(super) fn judge(&self, baseline: &Subject, current: &Subject, found: &Match) -> Outcome {
        let mut out = Outcome::default();
        for (side, subject) in [(SideName::Baseline, baseline), (SideName::Current, current)] {
            if let Some((kind, detail)) = content_gap(subject) {
                out.gap(kind, Some(side), subject, &detail);
            }
        }
        for name in one_sided(baseline, current) {
            let (side, subject) = if baseline.not_expanded.contains(&name) {
                (SideName::Baseline, baseline)
            } else {
                (SideName::Current, current)
            };
            let detail =
                format!("`{name}` was not read here, but on the other side; export it too");
            out.gap(GapKind::DetailMissing, Some(side), subject, &detail);
        }
        if let Some(gap) = out.gaps.first() {
            let (kind, detail) = (gap.kind, gap.detail.clone());
            out.suppress(baseline, kind, detail);
            return out;
        }
        let facets = self.comparable_facets(baseline, current, &mut out);
        self.judge_facets(baseline, current, found, &facets, out)
    }

    /// The facets that count, without assignments that nobody read.
    fn comparable_facets(
        &self,
        baseline: &Subject,
        current: &Subject,
        out: &mut Outcome,
    ) -> Vec<Facet> {
        let unread = [(SideName::Baseline, baseline), (SideName::Current, current)]
            .into_iter()
            .filter(|(_, subject)| subject.not_expanded.contains(&"assignments"));
        let mut facets = self.options.facets.clone();
        if self.options.counts(Facet::Assignments) {
            for (side, subject) in unread {
                let detail = "the export holds no assignments; read them with $expand=assignments";
                out.gap(GapKind::DetailMissing, Some(side), subject, detail);
            }
            let differ = baseline.not_expanded.contains(&"assignments")
                != current.not_expanded.contains(&"assignments");
            if differ {
                facets.retain(|facet| *facet != Facet::Assignments);
            }
        }
        facets
    }

    fn judge_facets(
        &self,
        baseline: &Subject,
        current: &Subject,
        found: &Match,
        facets: &[Facet],
        mut out: Outcome,
    ) -> Outcome {
        let references = judge_references(
            &baseline.references,
            &current.references,
            facets,
            self.options.literal(),
            self.targets,
        );
        for (path, kind, count) in &references.unresolved {
            let next = if self.options.owner.is_offline() {
                "add their objects to both exports, or compare with --references literal if both sides \
                 come from one tenant"
            } else {
                "import their objects for both tenants"
            };
            let detail = format!(
                "{path}: {count} {} reference(s) whose targets are not known on both sides; {next}",
                kind.as_str().replace('_', " ")
            );
            out.gap(GapKind::UnresolvedReference, None, current, &detail);
        }
        let secrets = judge_secrets(&baseline.secrets, &current.secrets, facets);
        for path in &secrets.unproven {
            let detail = format!("{path}: one side's secret is masked, or under another key");
            out.gap(GapKind::SecretUnproven, None, current, &detail);
        }
        let differing: Vec<Facet> = facets
            .iter()
            .copied()
            .filter(|facet| baseline.facet(*facet) != current.facet(*facet))
            .collect();
        let nothing =
            differing.is_empty() && references.changes.is_empty() && secrets.changes.is_empty();
        if nothing {
            let leaf = references.unresolved.is_empty() && secrets.unproven.is_empty();
            if leaf {
                out.unchanged = true;
            } else if let Some(gap) = out
                .gaps
                .iter()
                .find(|gap| {
                    matches!(gap.kind, GapKind::UnresolvedReference | GapKind::SecretUnproven)
                })
                .cloned()
            {
                let reason = format!("everything else is equal; {}", gap.detail);
                out.suppress(baseline, gap.kind, reason);
            }
            return out;
        }
        if let Some((mut changes, role)) = self.evidence_of(baseline, current, &differing) {
            let beside = name_inside(&mut changes, references.changes);
            changes.extend(beside);
            changes.extend(secrets.changes);
            changes.sort_by(|a, b| (a.facet, &a.path).cmp(&(b.facet, &b.path)));
            out.drift = Some(self.drift_of(baseline, current, found, facets, changes, role));
        } else {
            let detail = "the file changed or went away while it was being compared; run again";
            out.gap(GapKind::Unreadable, None, current, detail);
            out.suppress(baseline, GapKind::Unreadable, detail.to_owned());
        }
        out
    }

    /// Reads both payloads again and compares the facets that differ, setting by setting.
    fn evidence_of(
        &self,
        baseline: &Subject,
        current: &Subject,
        differing: &[Facet],
    ) -> Option<(Vec<Change>, Option<RoleEvidence>)> {
        if differing.is_empty() {
            return Some((Vec::new(), None));
        }
        let golden = self.payloads.payload(SideName::Baseline, &baseline.source)?;
        let other = self.payloads.payload(SideName::Current, &current.source)?;
        let (golden_role, other_role) = (golden.role(), other.role());
        let before =
            golden.read_as(golden_role.as_ref(), self.payloads.localiser(SideName::Baseline));
        let after = other.read_as(other_role.as_ref(), self.payloads.localiser(SideName::Current));
        let mut changes = Vec::new();
        for facet in differing {
            let (b, a) = match facet {
                Facet::Content => (&before.content, &after.content),
                Facet::Label => (&before.label, &after.label),
                Facet::Assignments => (&before.assignments, &after.assignments),
            };
            changes.extend(evidence(*facet, &diff(b, a)));
        }
        let role = golden_role.as_ref().zip(other_role.as_ref()).map(|(golden, other)| {
            evidence_of_roles((golden, &before), (other, &after), &mut changes)
        });
        Some((changes, role))
    }
}

impl Context<'_> {
    fn drift_of(
        &self,
        baseline: &Subject,
        current: &Subject,
        found: &Match,
        compared: &[Facet],
        changes: Vec<Change>,
        role: Option<RoleEvidence>,
    ) -> Drift {
        let mut facets: Vec<Facet> = changes.iter().map(|change| change.facet).collect();
        facets.extend(compared.iter().filter(|f| baseline.facet(**f) != current.facet(**f)));
        facets.sort_unstable();
        facets.dedup();
        let is_role = baseline.role.is_some();
        let diff_kind = if facets.contains(&Facet::Content) {
            if is_role { DiffKind::PermissionChange } else { DiffKind::Content }
        } else if facets.contains(&Facet::Assignments) {
            DiffKind::AssignmentsOnly
        } else {
            DiffKind::MetadataOnly
        };
        let order_only = !facets.contains(&Facet::Assignments)
            && changes
                .iter()
                .filter(|change| change.facet == Facet::Content)
                .all(|change| change.kind == ChangeKind::Reordered);
        let direction = role
            .as_ref()
            .filter(|_| diff_kind == DiffKind::PermissionChange)
            .map(RoleEvidence::direction);
        let by_role = baseline.role.zip(current.role).and_then(|(b, c)| {
            rate_role(
                diff_kind,
                RoleFacts {
                    built_in: b.built_in,
                    built_in_differs: b.built_in != c.built_in,
                    privileged: role.as_ref().is_some_and(RoleEvidence::adds_privileged),
                    direction,
                },
            )
        });
        let verdict = by_role.unwrap_or_else(|| rate(diff_kind, order_only));
        let (severity, severity_rule) = self.options.severity(verdict);
        let external_id = current.external_id.as_deref().or(baseline.external_id.as_deref());
        let fingerprint = Fingerprint {
            policy_type: &baseline.policy_type.key,
            external_id,
            subject_key: baseline.key.as_deref(),
            change_type: ChangeType::DifferentVersion,
            baseline_hash: Some(self.options.version_hash(baseline, compared)),
            current_hash: Some(self.options.version_hash(current, compared)),
        };
        Drift {
            change_type: ChangeType::DifferentVersion,
            policy_type: baseline.policy_type.key.clone(),
            subject_key: baseline.key.clone().unwrap_or_default(),
            display_name: baseline.title().to_owned(),
            baseline: Some(version(baseline)),
            current: Some(version(current)),
            facets,
            diff_kind,
            severity,
            severity_rule,
            matched_by: Some(found.by),
            confidence: Some(found.confidence),
            direction,
            possibly_same_as: None,
            role,
            fingerprint: fingerprint.digest(&self.options.owner).to_string(),
            recurrence_key: self.options.recurrence_key(baseline).to_string(),
            changes,
        }
    }
}

pub(super) fn version(subject: &Subject) -> Version {
    Version {
        external_id: subject.external_id.clone(),
        display_name: subject.display_name.clone(),
        content_hash: subject.facets.content.to_string(),
        source_file: subject.source.file.clone(),
    }
}

/// Why a subject's content is not known, if it is not.
pub(super) fn content_gap(subject: &Subject) -> Option<(GapKind, String)> {
    if let Some(anomaly) = subject.role.and_then(|role| role.anomaly) {
        return Some((GapKind::ContentUnknown, anomaly.explain().to_owned()));
    }
    if subject.missing_detail.is_empty() {
        return None;
    }
    let members = subject.missing_detail.join(", ").replace('|', " or ");
    Some((
        GapKind::DetailMissing,
        format!(
            "{members} is not in the export; the list call leaves it out, read the object by id"
        ),
    ))
}

/// Navigation members of the content that one side has and the other did not read.
fn one_sided(baseline: &Subject, current: &Subject) -> Vec<&'static str> {
    let differs = |a: &Subject, b: &Subject| -> Vec<&'static str> {
        a.not_expanded
            .iter()
            .copied()
            .filter(|name| {
                // What is required is judged on its own; assignments are a facet of their own.
                let judged = a.policy_type.requires.iter().any(|required| required == name);
                *name != "assignments" && !judged && !b.not_expanded.contains(name)
            })
            .collect()
    };
    let mut out = differs(baseline, current);
    out.extend(differs(current, baseline));
    out
}

impl Outcome {
    fn gap(&mut self, kind: GapKind, side: Option<SideName>, subject: &Subject, detail: &str) {
        self.gaps.push(Gap {
            kind,
            policy_type: Some(subject.policy_type.key.clone()),
            side: side.map(SideName::as_str),
            source_file: subject.source.file.clone(),
            detail: format!("`{}`: {detail}", subject.title()),
        });
    }

    fn suppress(&mut self, subject: &Subject, gap: GapKind, reason: String) {
        self.suppressed = Some(Suppressed {
            policy_type: subject.policy_type.key.clone(),
            display_name: subject.title().to_owned(),
            change_type: None,
            gap,
            reason,
            source_file: subject.source.file.clone(),
        });
    }
}
