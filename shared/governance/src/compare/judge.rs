//! Judges what stands beside a normal form: references, after matching, and secrets.

use crate::report::{Change, ChangeKind, Facet};
use crate::subject::Subject;
use crate::wellknown::is_well_known;
use plumbline_policy::catalog::PolicyType;
use plumbline_policy::normal::SECRET_SET;
use plumbline_policy::reference::{Reference, ReferenceKind};
use plumbline_policy::secret::SecretAt;
use rustc_hash::FxHashMap;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::hash::Hash;

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

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
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

/// One reference of one side, with what it points to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Resolved<'r> {
    target: Target,
    id: &'r str,
    /// How a person reads it.
    shown: String,
}

/// Where references stand: facet, path and kind.
type Leaf<'r> = (Facet, Cow<'r, str>, ReferenceKind);
/// The ids of both sides.
type Ids<'r> = (Vec<&'r str>, Vec<&'r str>);

/// Judges the references of a pair in the facets that count.
pub(super) fn judge_references(
    baseline: &[Reference],
    current: &[Reference],
    facets: &[Facet],
    literal: bool,
    targets: &Targets,
) -> ReferenceVerdict {
    let mut out = ReferenceVerdict::default();
    for ((facet, path, kind), (b, c)) in leaves(baseline, current) {
        if !facets.contains(&facet) {
            continue;
        }
        let mut b = resolved(b, kind, &targets.baseline, literal);
        let mut c = resolved(c, kind, &targets.current, literal);
        // Unknown targets never cancel.
        cancel(&mut b, &mut c, |one| (one.target != Target::Unknown).then(|| one.target.clone()));
        if b.is_empty() && c.is_empty() {
            continue;
        }
        let any = |is: fn(&Target) -> bool| b.iter().chain(&c).any(|one| is(&one.target));
        // Unknown ones may stand for unknown ones, or for objects that only the other folder holds; a
        // well-known object is never an unknown one.
        let is_drift = b.len() != c.len()
            || !any(|target| *target == Target::Unknown)
            || any(|target| matches!(target, Target::WellKnown(_)));
        if is_drift {
            // One id on both sides is no proof, but no news either. Scope tags are small numbers that
            // mean another tag in every tenant.
            cancel(&mut b, &mut c, |one| (kind != ReferenceKind::ScopeTag).then_some(one.id));
            out.changes.extend(reference_changes(facet, &path, b, c));
        } else {
            out.unresolved.push((path.into_owned(), kind, b.len()));
        }
    }
    out
}

/// Says what the ids of one leaf point to, in a fixed order.
fn resolved<'r>(
    ids: Vec<&'r str>,
    kind: ReferenceKind,
    side: &Known,
    literal: bool,
) -> Vec<Resolved<'r>> {
    let resolve = |id: &'r str| {
        let known = side.get(&(kind, id.to_owned())).and_then(Option::as_ref);
        let shown = known.map_or_else(|| id.to_owned(), |(_, name)| format!("{name} ({id})"));
        let target = if literal {
            Target::Raw(id.to_owned())
        } else if is_well_known(kind, id) {
            Target::WellKnown(id.to_owned())
        } else {
            known.map_or(Target::Unknown, |(number, _)| Target::Pair(*number))
        };
        Resolved { target, id, shown }
    };
    let mut out: Vec<Resolved<'r>> = ids.into_iter().map(resolve).collect();
    out.sort();
    out
}

/// Brings the references of both sides together by where they stand. Items that share a key have their
/// content's digest in the path. Where that leaves one side with more than the other, items were added,
/// removed or changed, which the content shows; the references among them are compared by key alone.
fn leaves<'r>(baseline: &'r [Reference], current: &'r [Reference]) -> BTreeMap<Leaf<'r>, Ids<'r>> {
    let mut exact: BTreeMap<Leaf<'r>, Ids<'r>> = BTreeMap::new();
    let leaf = |one: &'r Reference| (one.facet, Cow::Borrowed(one.path.as_str()), one.kind);
    for one in baseline {
        exact.entry(leaf(one)).or_default().0.push(&one.external_id);
    }
    for one in current {
        exact.entry(leaf(one)).or_default().1.push(&one.external_id);
    }
    let mut out: BTreeMap<Leaf<'r>, Ids<'r>> = BTreeMap::new();
    for ((facet, path, kind), (b, c)) in exact {
        let path = if b.len() == c.len() { path } else { without_digests(path) };
        let ids = out.entry((facet, path, kind)).or_default();
        ids.0.extend(b);
        ids.1.extend(c);
    }
    out
}

/// Takes the digests out of the keys of a path: `{key~0123abcd}` becomes `{key}`.
fn without_digests(path: Cow<'_, str>) -> Cow<'_, str> {
    const DIGITS: usize = 8;
    let mut out = String::new();
    let mut rest = path.as_ref();
    while let Some(at) = rest.find('~') {
        let (before, after) = (&rest[..at], &rest[at + 1..]);
        let digest = after.get(..DIGITS).is_some_and(|d| d.bytes().all(|b| b.is_ascii_hexdigit()));
        let is_last = digest && after[DIGITS..].starts_with('}');
        out.push_str(before);
        if is_last {
            rest = &after[DIGITS..];
        } else {
            out.push('~');
            rest = after;
        }
    }
    if out.is_empty() {
        return path;
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// Takes out, one for one, what both sides have under an equal key; what has no key stays.
fn cancel<'r, K: Eq + Hash>(
    b: &mut Vec<Resolved<'r>>,
    c: &mut Vec<Resolved<'r>>,
    key: impl Fn(&Resolved<'r>) -> Option<K>,
) {
    let mut free: FxHashMap<K, usize> = FxHashMap::default();
    for key in c.iter().filter_map(&key) {
        *free.entry(key).or_default() += 1;
    }
    let mut met: FxHashMap<K, usize> = FxHashMap::default();
    b.retain(|one| {
        let Some(key) = key(one) else { return true };
        match free.get_mut(&key) {
            Some(count) if *count > 0 => {
                *count -= 1;
                *met.entry(key).or_default() += 1;
                false
            }
            _ => true,
        }
    });
    c.retain(|one| match key(one).and_then(|key| met.get_mut(&key)) {
        Some(count) if *count > 0 => {
            *count -= 1;
            false
        }
        _ => true,
    });
}

fn reference_changes(
    facet: Facet,
    path: &str,
    b: Vec<Resolved<'_>>,
    c: Vec<Resolved<'_>>,
) -> Vec<Change> {
    let change = |kind, before: Option<String>, after: Option<String>| Change {
        facet,
        path: path.to_owned(),
        kind,
        before: before.map(serde_json::Value::String),
        after: after.map(serde_json::Value::String),
    };
    if let ([before], [after]) = (b.as_slice(), c.as_slice()) {
        let (before, after) = (before.shown.clone(), after.shown.clone());
        return vec![change(ChangeKind::Changed, Some(before), Some(after))];
    }
    let removed = b.into_iter().map(|one| change(ChangeKind::Removed, Some(one.shown), None));
    let added = c.into_iter().map(|one| change(ChangeKind::Added, None, Some(one.shown)));
    removed.chain(added).collect()
}

/// Names the targets of references in the items that were added or removed with them, where their slots
/// stand, and returns the changes of references that stand nowhere else.
pub(super) fn name_inside(changes: &mut [Change], references: Vec<Change>) -> Vec<Change> {
    let named = |reference: &Change, changes: &mut [Change]| {
        changes.iter_mut().filter(|change| change.kind == reference.kind).any(|change| {
            let Some(rest) = inside(&change.path, &reference.path) else { return false };
            let slot = match reference.kind {
                ChangeKind::Added => change.after.as_mut().zip(reference.after.as_ref()),
                ChangeKind::Removed => change.before.as_mut().zip(reference.before.as_ref()),
                ChangeKind::Changed | ChangeKind::Reordered => None,
            };
            slot.is_some_and(|(value, name)| name_slot(value, rest, name))
        })
    };
    references.into_iter().filter(|reference| !named(reference, changes)).collect()
}

/// What follows an item's path in the path of something inside it. Items that share a key are numbered
/// in one and not in the other.
fn inside<'p>(item: &str, path: &'p str) -> Option<&'p str> {
    let item = match item.rsplit_once("}#") {
        Some((key, number)) if number.bytes().all(|b| b.is_ascii_digit()) => &item[..=key.len()],
        _ => item,
    };
    path.strip_prefix(item)?.strip_prefix('/')
}

/// Writes a name into the slot at a path of members; `false` where no slot stands there any more.
fn name_slot(value: &mut serde_json::Value, path: &str, name: &serde_json::Value) -> bool {
    let (member, rest) = path.split_once('/').unwrap_or((path, ""));
    let Some(value) = value.get_mut(member) else { return false };
    if !rest.is_empty() {
        return name_slot(value, rest, name);
    }
    let is_slot = |value: &&mut serde_json::Value| {
        value.as_str().is_some_and(|text| text.starts_with('(') && text.ends_with(" reference)"))
    };
    let slot = match value {
        serde_json::Value::Array(items) => items.iter_mut().find(is_slot),
        other => Some(other).filter(is_slot),
    };
    let found = slot.is_some();
    if let Some(slot) = slot {
        slot.clone_from(name);
    }
    found
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
pub(super) fn judge_secrets(
    baseline: &[SecretAt],
    current: &[SecretAt],
    facets: &[Facet],
) -> SecretVerdict {
    type Place<'s> = (Facet, &'s str);
    let mut places: BTreeMap<Place<'_>, (Vec<&SecretAt>, Vec<&SecretAt>)> = BTreeMap::new();
    let counts = |secret: &&SecretAt| facets.contains(&secret.facet);
    for secret in baseline.iter().filter(counts) {
        places.entry((secret.facet, &secret.path)).or_default().0.push(secret);
    }
    for secret in current.iter().filter(counts) {
        places.entry((secret.facet, &secret.path)).or_default().1.push(secret);
    }
    let mut out = SecretVerdict::default();
    for ((facet, path), (b, c)) in places {
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
                facet,
                path: path.to_owned(),
                kind: ChangeKind::Changed,
                before: Some(serde_json::Value::from(SECRET_SET)),
                after: Some(serde_json::Value::from("(secret changed)")),
            });
        }
    }
    out
}
