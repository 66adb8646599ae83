//! Judges what stands beside a normal form: references, after matching, and secrets.

use crate::report::{Change, ChangeKind, Facet};
use crate::subject::Subject;
use crate::wellknown::is_well_known;
use plumbline_policy::catalog::PolicyType;
use plumbline_policy::normal::SECRET_SET;
use plumbline_policy::reference::{Reference, ReferenceKind};
use plumbline_policy::secret::SecretAt;
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;

/// Which matched pair an id belongs to, on either side.
#[derive(Debug, Default)]
pub(super) struct Targets {
    baseline: Known,
    current: Known,
}

/// Pair and name by kind and id; `None` where two objects of a kind share an id.
type Known = FxHashMap<(ReferenceKind, String), Option<(usize, String)>>;

/// The kinds of references that may name an object of a type.
pub(crate) fn named_by(policy_type: &PolicyType) -> &'static [ReferenceKind] {
    use ReferenceKind as Kind;
    match policy_type.key.as_str() {
        "roleScopeTag" => &[Kind::ScopeTag],
        "assignmentFilter" => &[Kind::Filter],
        "namedLocation" => &[Kind::Location],
        "authenticationStrengthPolicy" => &[Kind::AuthenticationStrength],
        "termsOfUseAgreement" => &[Kind::TermsOfUse],
        "notificationMessageTemplate" => &[Kind::NotificationTemplate],
        "reusablePolicySetting" => &[Kind::ReusableSetting],
        "mobileApp" => &[Kind::App],
        "vppToken" => &[Kind::VppToken],
        "deviceConfiguration" => &[Kind::Certificate, Kind::Policy],
        "deviceComplianceScript"
        | "deviceManagementScript"
        | "deviceHealthScript"
        | "macOSShellScript" => &[Kind::Script, Kind::Policy],
        _ => &[Kind::Policy],
    }
}

impl Targets {
    pub(super) fn new<'s>(pairs: impl Iterator<Item = (&'s Subject, &'s Subject)>) -> Self {
        let mut out = Self::default();
        for (number, (baseline, current)) in pairs.enumerate() {
            for (side, subject) in [(&mut out.baseline, baseline), (&mut out.current, current)] {
                let Some(id) = subject.reference_id() else { continue };
                for kind in named_by(subject.policy_type) {
                    side.entry((*kind, id.clone()))
                        .and_modify(|known| *known = None)
                        .or_insert_with(|| Some((number, subject.title().to_owned())));
                }
            }
        }
        out
    }
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Target {
    Pair(usize),
    WellKnown(String),
    Raw(String),
    Unknown,
}

/// What the references of a pair come to.
#[derive(Debug, Default)]
pub(super) struct ReferenceVerdict {
    /// Drift, by facet.
    pub(super) changes: Vec<Change>,
    /// Leaves without a verdict: path, kind and how many.
    pub(super) unresolved: Vec<(String, ReferenceKind, usize)>,
}

/// Judges the references of a pair in the facets that count.
pub(super) fn judge_references(
    baseline: &[Reference],
    current: &[Reference],
    facets: &[Facet],
    literal: bool,
    targets: &Targets,
) -> ReferenceVerdict {
    type Leaf<'r> = (Facet, &'r str, ReferenceKind);
    let mut leaves: BTreeMap<Leaf<'_>, (Vec<&str>, Vec<&str>)> = BTreeMap::new();
    for reference in baseline {
        let leaf = (reference.facet, reference.path.as_str(), reference.kind);
        leaves.entry(leaf).or_default().0.push(&reference.external_id);
    }
    for reference in current {
        let leaf = (reference.facet, reference.path.as_str(), reference.kind);
        leaves.entry(leaf).or_default().1.push(&reference.external_id);
    }
    let mut out = ReferenceVerdict::default();
    for ((facet, path, kind), (b, c)) in leaves {
        if !facets.contains(&facet) {
            continue;
        }
        let resolve = |ids: &[&str], side: &Known| {
            let mut resolved: Vec<(Target, String)> = ids
                .iter()
                .map(|id| {
                    let known = side.get(&(kind, (*id).to_owned())).and_then(Option::as_ref);
                    let shown =
                        known.map_or_else(|| (*id).to_owned(), |(_, n)| format!("{n} ({id})"));
                    let target = if literal {
                        Target::Raw((*id).to_owned())
                    } else if is_well_known(kind, id) {
                        Target::WellKnown((*id).to_owned())
                    } else {
                        known.map_or(Target::Unknown, |(number, _)| Target::Pair(*number))
                    };
                    (target, shown)
                })
                .collect();
            resolved.sort();
            resolved
        };
        let (mut b, mut c) = (resolve(&b, &targets.baseline), resolve(&c, &targets.current));
        cancel(&mut b, &mut c);
        if b.is_empty() && c.is_empty() {
            continue;
        }
        let unknown = |side: &[(Target, String)]| {
            side.iter().filter(|(target, _)| *target == Target::Unknown).count()
        };
        let (b_unknown, c_unknown) = (unknown(&b), unknown(&c));
        // Unknown ones may stand for unknown ones, or for objects that only the other folder holds; a
        // well-known object is never an unknown one.
        let well_known = |side: &[(Target, String)]| {
            side.iter().any(|(target, _)| matches!(target, Target::WellKnown(_)))
        };
        let is_drift = b.len() != c.len()
            || (b_unknown == 0 && c_unknown == 0)
            || well_known(&b)
            || well_known(&c);
        if is_drift {
            out.changes.extend(reference_changes(facet, path, b, c));
        } else {
            out.unresolved.push((path.to_owned(), kind, b.len()));
        }
    }
    out
}

/// Takes out what both sides have; unknown targets never cancel.
fn cancel(b: &mut Vec<(Target, String)>, c: &mut Vec<(Target, String)>) {
    b.retain(|(target, _)| {
        if *target == Target::Unknown {
            return true;
        }
        match c.iter().position(|(other, _)| other == target) {
            Some(at) => {
                c.remove(at);
                false
            }
            None => true,
        }
    });
}

fn reference_changes(
    facet: Facet,
    path: &str,
    b: Vec<(Target, String)>,
    c: Vec<(Target, String)>,
) -> Vec<Change> {
    let change = |kind, before: Option<String>, after: Option<String>| Change {
        facet,
        path: path.to_owned(),
        kind,
        before: before.map(serde_json::Value::String),
        after: after.map(serde_json::Value::String),
    };
    if let ([(_, before)], [(_, after)]) = (b.as_slice(), c.as_slice()) {
        return vec![change(ChangeKind::Changed, Some(before.clone()), Some(after.clone()))];
    }
    let removed = b.into_iter().map(|(_, id)| change(ChangeKind::Removed, Some(id), None));
    let added = c.into_iter().map(|(_, id)| change(ChangeKind::Added, None, Some(id)));
    removed.chain(added).collect()
}

/// What the secrets of a pair come to.
#[derive(Debug, Default)]
pub(super) struct SecretVerdict {
    /// Secrets that differ. Values and MACs are never shown.
    pub(super) changes: Vec<Change>,
    /// Paths whose secrets cannot be compared.
    pub(super) unproven: Vec<String>,
}

/// Judges the secrets that stand at the same places on both sides; a slot that only one side has is seen
/// in the content.
pub(super) fn judge_secrets(baseline: &[SecretAt], current: &[SecretAt]) -> SecretVerdict {
    let mut places: BTreeMap<&str, (Vec<&SecretAt>, Vec<&SecretAt>)> = BTreeMap::new();
    for secret in baseline {
        places.entry(&secret.path).or_default().0.push(secret);
    }
    for secret in current {
        places.entry(&secret.path).or_default().1.push(secret);
    }
    let mut out = SecretVerdict::default();
    for (path, (b, c)) in places {
        if b.len() != c.len() {
            continue;
        }
        let comparable = b.iter().chain(&c).all(|secret| secret.mac.is_some());
        let presence = b.iter().chain(&c).all(|secret| secret.mac.is_none());
        if presence {
            continue;
        }
        let same_key = b.iter().chain(&c).all(|secret| secret.key_id == b[0].key_id);
        if !comparable || !same_key {
            out.unproven.push(path.to_owned());
            continue;
        }
        let macs = |side: &[&SecretAt]| {
            let mut macs: Vec<_> = side.iter().map(|secret| secret.mac).collect();
            macs.sort_unstable();
            macs
        };
        if macs(&b) != macs(&c) {
            out.changes.push(Change {
                facet: Facet::Content,
                path: path.to_owned(),
                kind: ChangeKind::Changed,
                before: Some(serde_json::Value::from(SECRET_SET)),
                after: Some(serde_json::Value::from("(secret changed)")),
            });
        }
    }
    out
}
