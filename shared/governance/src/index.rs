//! Indexes: what is kept of a capture beside the payloads, so that a compare needs no payload of what did
//! not change. One document for a tenant's state, one for a baseline snapshot; both list entries sorted
//! by type and subject key.

use crate::compare::named_by;
use crate::coverage::CoverageMap;
use crate::gap::GapKind;
use crate::inventory::{Doubt, Inventory};
use crate::report::Gap;
use crate::scope::EffectiveScope;
use crate::subject::{RoleTraits, Source, Subject};
use plumbline_policy::catalog::{PolicyType, catalog};
use plumbline_policy::digest::{Digest, NORMALISER_VERSION};
use plumbline_policy::policy::Facets;
use plumbline_policy::reference::{Reference, ReferenceKind};
use plumbline_policy::secret::{SecretAt, SecretKey, identity_ref};
use plumbline_policy::tenant::{Localiser, TenantFacts};
use rustc_hash::{FxHashMap, FxHashSet};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeSet;

/// The version of the two documents.
pub const INDEX_VERSION: u32 = 1;

/// Where a payload stands: a part of a pack, compressed by itself.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize, JsonSchema,
)]
pub struct Frame {
    /// The digest of the pack's bytes, which is its object key.
    pub pack: Digest,
    /// Where the part begins, in bytes.
    pub offset: u64,
    /// How long it is, in bytes.
    pub length: u32,
    /// The digest of the payload, uncompressed; checked on every read.
    pub payload: Digest,
}

/// One subject of an index.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Entry {
    /// Catalog key.
    pub policy_type: String,
    /// The subject key; `None` without an identity.
    pub key: Option<String>,
    /// The subject key without a version at the end of the name.
    pub base_key: Option<String>,
    /// The id in Graph; in a baseline only for roles.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// The keyed hash of the id (contracts 5.8); not for roles, whose id stays raw.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity_ref: Option<String>,
    /// In a baseline: the id by which the baseline's own references name the subject.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub named_as: Option<String>,
    /// The name as sent; in a baseline with placeholders.
    pub display_name: Option<String>,
    /// Digests.
    pub facets: Facets,
    /// References of all facets.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub references: Vec<Reference>,
    /// Secrets of all facets.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<SecretAt>,
    /// Members without which the content is unknown.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing_detail: Vec<String>,
    /// Navigation members that were not read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_expanded: Vec<String>,
    /// For roles.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<RoleTraits>,
    /// Where the payload stands.
    pub frame: Frame,
}

/// A gap of a reading, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct StoredGap {
    /// What it is.
    pub kind: GapKind,
    /// The type it concerns.
    pub policy_type: Option<String>,
    /// The file or line.
    pub source_file: String,
    /// For a person.
    pub detail: String,
}

/// What one tenant had when it was last read.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct StateIndex {
    /// [`INDEX_VERSION`].
    pub version: u32,
    /// The rules behind every digest.
    pub normaliser_version: u32,
    /// What was known of the tenant when its digests were made: its facts are placeholders in them.
    #[serde(default)]
    pub facts: TenantFacts,
    /// How much of each type was read.
    pub coverage: CoverageMap,
    /// What was not read, not understood or left aside.
    pub gaps: Vec<StoredGap>,
    /// Subjects of comparable types.
    pub entries: Vec<Entry>,
    /// Objects of unsupported types: targets of references only.
    pub targets: Vec<Entry>,
}

/// What a baseline holds. No identifier of a tenant stands in it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct SnapshotIndex {
    /// [`INDEX_VERSION`].
    pub version: u32,
    /// The rules behind every digest.
    pub normaliser_version: u32,
    /// The types that were asked for.
    pub effective_scope: Vec<String>,
    /// Those of them that were read in full.
    pub covered_types: Vec<String>,
    /// Subjects.
    pub entries: Vec<Entry>,
    /// Objects of unsupported types: targets of references only.
    pub targets: Vec<Entry>,
}

/// An index that cannot be used as it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IndexError {
    /// A newer program wrote it.
    #[error(
        "the index has version {0}, and this program knows {INDEX_VERSION}; use the newer program"
    )]
    Newer(u32),
    /// The catalog no longer holds a type.
    #[error("the index names the unknown policy type `{0}`; use the program that wrote it")]
    UnknownType(String),
    /// The catalog no longer holds a member that was not read.
    #[error(
        "the index names the member `{member}` of {policy_type}, which the catalog lacks; use the \
         program that wrote it, or import or capture it again"
    )]
    UnknownMember {
        /// The member.
        member: String,
        /// Its type.
        policy_type: String,
    },
    /// The entries are not in order.
    #[error("the entries of the index are not in order at {0}; import or capture it again")]
    Order(usize),
    /// One subject stands twice.
    #[error("the entries of the index name one subject twice at {0}")]
    Twice(usize),
}

impl Entry {
    /// Keeps a subject of a tenant. `key` is the workspace's.
    #[must_use]
    pub fn of(subject: &Subject, key: &SecretKey, frame: Frame) -> Self {
        let owned = |list: &[&str]| list.iter().map(|one| (*one).to_owned()).collect();
        Self {
            policy_type: subject.policy_type.key.clone(),
            key: subject.key.clone(),
            base_key: subject.base_key.clone(),
            identity_ref: subject
                .external_id
                .as_deref()
                .filter(|_| !subject.policy_type.is_role_definition())
                .map(|id| identity_ref(key, &subject.policy_type.key, id)),
            external_id: subject.external_id.clone(),
            named_as: None,
            display_name: subject.display_name.clone(),
            facets: subject.facets,
            references: subject.references.clone(),
            secrets: subject.secrets.clone(),
            missing_detail: owned(&subject.missing_detail),
            not_expanded: owned(&subject.not_expanded),
            role: subject.role,
            frame,
        }
    }

    /// Turns the entry back into a subject; `place` is its place in the index.
    ///
    /// # Errors
    /// Names a type or a member that the catalog no longer holds.
    pub fn subject(&self, place: usize) -> Result<Subject, IndexError> {
        let policy_type: &'static PolicyType = catalog()
            .get(&self.policy_type)
            .map_err(|_| IndexError::UnknownType(self.policy_type.clone()))?;
        // A name that is left out here would make a subject look as if it had been read in full.
        let known = |names: &[String], of: &'static [String]| {
            let find = |name: &String| {
                let mut members = of.iter().map(String::as_str).chain(["@odata.type"]);
                members.find(|one| one == name).ok_or_else(|| IndexError::UnknownMember {
                    member: name.clone(),
                    policy_type: self.policy_type.clone(),
                })
            };
            names.iter().map(find).collect::<Result<Vec<&'static str>, IndexError>>()
        };
        Ok(Subject {
            policy_type,
            key: self.key.clone(),
            base_key: self.base_key.clone(),
            external_id: self.external_id.clone().or_else(|| self.identity_ref.clone()),
            identity_ref: self.identity_ref.clone(),
            named_as: self.named_as.clone(),
            display_name: self.display_name.clone(),
            facets: self.facets,
            references: self.references.clone(),
            secrets: self.secrets.clone(),
            missing_detail: known(&self.missing_detail, &policy_type.requires)?,
            not_expanded: known(&self.not_expanded, &policy_type.expands)?,
            role: self.role,
            source: Source { file: String::new(), index: place },
        })
    }

    /// The order of entries in an index.
    fn order(&self) -> (&str, Option<&str>, Option<&str>, Option<&str>, Digest) {
        (
            &self.policy_type,
            self.key.as_deref(),
            self.external_id.as_deref(),
            self.identity_ref.as_deref(),
            self.frame.payload,
        )
    }

    /// What a state root covers of the subject: everything a verdict may rest on, but not where the
    /// payload stands. Both keyed values are covered, so no root outlives a change of the key.
    fn rooted(&self) -> impl Serialize {
        (
            &self.policy_type,
            &self.key,
            &self.external_id,
            &self.identity_ref,
            (self.facets.content, self.facets.label, self.facets.assignments),
            &self.secrets,
            &self.references,
            &self.missing_detail,
            &self.not_expanded,
            &self.role,
        )
    }
}

/// Sorts entries as an index holds them.
pub fn sort_entries(entries: &mut [Entry]) {
    entries.sort_by(|a, b| a.order().cmp(&b.order()));
}

fn check(version: u32, lists: [&[Entry]; 2]) -> Result<(), IndexError> {
    if version > INDEX_VERSION {
        return Err(IndexError::Newer(version));
    }
    for entries in lists {
        let sorted = entries.windows(2).position(|pair| pair[0].order() > pair[1].order());
        if let Some(at) = sorted {
            return Err(IndexError::Order(at + 1));
        }
        // Without an id, two policies may be alike in everything.
        let is_named = |entry: &Entry| entry.external_id.is_some() || entry.identity_ref.is_some();
        let twice = entries
            .windows(2)
            .position(|pair| is_named(&pair[0]) && pair[0].order() == pair[1].order());
        if let Some(at) = twice {
            return Err(IndexError::Twice(at + 1));
        }
    }
    Ok(())
}

fn subjects(entries: &[Entry]) -> Result<Vec<Subject>, IndexError> {
    entries.iter().enumerate().map(|(place, entry)| entry.subject(place)).collect()
}

/// SHA-256 over rows as `serde_json` writes them, which is canonical for arrays of strings, numbers and
/// nulls.
fn digest_rows(rows: impl Iterator<Item = impl Serialize>) -> Digest {
    let mut bytes = Vec::new();
    for row in rows {
        // Writing plain data to memory cannot fail.
        let _ = serde_json::to_writer(&mut bytes, &row);
        bytes.push(b'\n');
    }
    Digest::of(&bytes)
}

impl StateIndex {
    /// Checks version and order; what another program wrote is not trusted.
    ///
    /// # Errors
    /// Says what is wrong.
    pub fn check(&self) -> Result<(), IndexError> {
        check(self.version, [&self.entries, &self.targets])
    }

    /// The state root (contracts 1.7): equal roots mean that no verdict can have changed.
    #[must_use]
    pub fn root(&self) -> Digest {
        let entries = digest_rows(self.entries.iter().map(Entry::rooted));
        let targets = digest_rows(
            self.targets.iter().map(|one| (&one.policy_type, &one.key, &one.external_id)),
        );
        let coverage: Vec<_> =
            self.coverage.types.iter().map(|(key, one)| (key, one.status)).collect();
        // A gap may lower trust without taking a type's coverage: an object of a type that the catalog
        // lacks. Places do not count: they change with the exporter.
        let mut gaps: Vec<_> = self
            .gaps
            .iter()
            .filter(|gap| gap.kind.lowers_trust())
            .map(|gap| (gap.kind, &gap.policy_type, &gap.detail))
            .collect();
        gaps.sort_unstable();
        let others = self.coverage.others;
        let rows = (3, self.normaliser_version, entries, targets, others, coverage, gaps);
        digest_rows(std::iter::once(rows))
    }

    /// The state as one side of a compare. `held` are the types that the baseline holds: a type that the
    /// tenant's cloud does not have takes proof away only if the baseline asks for it.
    ///
    /// # Errors
    /// Names a type that the catalog no longer holds.
    pub fn inventory(
        &self,
        scope: &EffectiveScope,
        held: &BTreeSet<&str>,
    ) -> Result<Inventory, IndexError> {
        let mut out = Inventory {
            source: "current".to_owned(),
            tenant_facts: true,
            subjects: subjects(&self.entries)?,
            targets: subjects(&self.targets)?,
            ..Inventory::default()
        };
        for gap in &self.gaps {
            let kept = Gap {
                kind: gap.kind,
                policy_type: gap.policy_type.clone(),
                side: None,
                source_file: gap.source_file.clone(),
                detail: gap.detail.clone(),
            };
            // What a gap takes away stands in the coverage.
            if !gap.kind.lowers_trust()
                || gap.policy_type.as_deref().is_none_or(|key| scope.holds(key))
            {
                out.gaps.push((kept, Doubt::Nothing));
            }
        }
        // A type that objects were read of is not absent, whatever else of it was not read; what that
        // leaves without proof stands in the gaps.
        out.types_read.extend(out.subjects.iter().map(|one| one.policy_type.key.as_str()));
        for key in scope.keys() {
            let Ok(policy_type) = catalog().get(key) else { continue };
            let coverage = self.coverage.of(key);
            if coverage.proves_absence() {
                out.types_read.insert(&policy_type.key);
            } else if !coverage.is_out_of_play() || held.contains(key) {
                let why = self.coverage.reason(key).unwrap_or("import it with its coverage stated");
                let gap = Gap {
                    kind: GapKind::Incomplete,
                    policy_type: Some(key.to_owned()),
                    side: None,
                    source_file: String::new(),
                    detail: format!("the coverage of {key} is {}: {why}", coverage.as_str()),
                };
                let doubt = Doubt::Types([policy_type.key.as_str()].into());
                out.gaps.push((gap, doubt));
            } else {
                // It is out of play on this side and the baseline holds none: nothing to compare.
                out.types_read.insert(&policy_type.key);
            }
        }
        out.gaps.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(out)
    }
}

/// What makes a snapshot what it is (contracts 1.7), as canonical JSON. Members stand in the order of
/// their names.
#[derive(Serialize)]
struct IdentityForm<'i> {
    covered_types: &'i [String],
    effective_scope: &'i [String],
    items: Vec<IdentityItem<'i>>,
    normaliser_version: u32,
    targets: Vec<IdentityTarget<'i>>,
    v: u32,
}

type IdentityItem<'i> = (&'i str, Option<&'i str>, Digest, Digest, Digest, Option<Digest>);
type IdentityTarget<'i> = (&'i str, Option<&'i str>, Option<&'i str>);

/// The version of a snapshot's identity; see `shared/decisions/0013-snapshots.md`.
const IDENTITY_VERSION: u32 = 3;

impl SnapshotIndex {
    /// Makes a baseline of a state: the subjects of a scope, without anything that names the tenant.
    /// Frames are those of the state; the caller replaces them by those of the baseline's packs.
    #[must_use]
    pub fn capture(state: &StateIndex, scope: &EffectiveScope, localiser: &Localiser) -> Self {
        let in_scope = || {
            state
                .entries
                .iter()
                .filter(|entry| scope.holds(&entry.policy_type))
                .chain(&state.targets)
        };
        let named: FxHashSet<(ReferenceKind, &str)> = in_scope()
            .flat_map(|entry| &entry.references)
            .map(|reference| (reference.kind, reference.external_id.as_str()))
            .collect();
        let keep = |entry: &Entry| -> Entry {
            let policy_type = catalog().get(&entry.policy_type).ok();
            let is_role = policy_type.is_some_and(PolicyType::is_role_definition);
            let id = entry.external_id.as_deref().map(graph_id);
            let is_named = id.as_deref().is_some_and(|id| {
                policy_type.is_some_and(|one| {
                    named_by(one).iter().any(|kind| named.contains(&(*kind, id)))
                })
            });
            let local = |text: &str| localiser.localise(text).into_owned();
            Entry {
                external_id: entry.external_id.clone().filter(|_| is_role),
                named_as: id.filter(|_| is_named && !is_role).map(|id| local(&id)),
                display_name: entry.display_name.as_deref().map(local),
                references: entry
                    .references
                    .iter()
                    .map(|one| Reference { external_id: local(&one.external_id), ..one.clone() })
                    .collect(),
                ..entry.clone()
            }
        };
        let mut entries: Vec<Entry> =
            state.entries.iter().filter(|one| scope.holds(&one.policy_type)).map(keep).collect();
        let mut targets: Vec<Entry> = state.targets.iter().map(keep).collect();
        sort_entries(&mut entries);
        sort_entries(&mut targets);
        Self {
            version: INDEX_VERSION,
            normaliser_version: NORMALISER_VERSION,
            effective_scope: scope.keys().map(str::to_owned).collect(),
            covered_types: scope
                .keys()
                .filter(|key| !state.coverage.of(key).is_out_of_play())
                .map(str::to_owned)
                .collect(),
            entries,
            targets,
        }
    }

    /// Checks version and order.
    ///
    /// # Errors
    /// Says what is wrong.
    pub fn check(&self) -> Result<(), IndexError> {
        check(self.version, [&self.entries, &self.targets])
    }

    /// The identity of the snapshot: equal content gives equal identities, whoever captured it and when.
    #[must_use]
    pub fn identity(&self) -> Digest {
        let mut items: Vec<IdentityItem<'_>> = self
            .entries
            .iter()
            .map(|entry| {
                let is_plain = entry.references.is_empty()
                    && entry.secrets.is_empty()
                    && entry.named_as.is_none();
                let beside = (&entry.references, &entry.secrets, &entry.named_as);
                let beside = (!is_plain).then(|| digest_rows(std::iter::once(beside)));
                let Facets { content, label, assignments } = entry.facets;
                (
                    entry.policy_type.as_str(),
                    entry.key.as_deref(),
                    content,
                    label,
                    assignments,
                    beside,
                )
            })
            .collect();
        items.sort_unstable();
        let mut targets: Vec<IdentityTarget<'_>> = self
            .targets
            .iter()
            .map(|one| (one.policy_type.as_str(), one.key.as_deref(), one.named_as.as_deref()))
            .collect();
        targets.sort_unstable();
        digest_rows(std::iter::once(IdentityForm {
            covered_types: &self.covered_types,
            effective_scope: &self.effective_scope,
            items,
            normaliser_version: self.normaliser_version,
            targets,
            v: IDENTITY_VERSION,
        }))
    }

    /// The types that the snapshot covers and a scope asks for.
    #[must_use]
    pub fn scope(&self, asked: &EffectiveScope) -> EffectiveScope {
        asked.only(|key| self.covered_types.binary_search_by(|one| one.as_str().cmp(key)).is_ok())
    }

    /// The types that the snapshot holds subjects of.
    #[must_use]
    pub fn held(&self) -> BTreeSet<&str> {
        self.entries.iter().map(|entry| entry.policy_type.as_str()).collect()
    }

    /// The snapshot as the golden side of a compare.
    ///
    /// # Errors
    /// Names a type that the catalog no longer holds.
    pub fn inventory(&self) -> Result<Inventory, IndexError> {
        Ok(Inventory {
            source: "baseline".to_owned(),
            tenant_facts: true,
            subjects: subjects(&self.entries)?,
            targets: subjects(&self.targets)?,
            types_read: self
                .covered_types
                .iter()
                .filter_map(|key| catalog().get(key).ok())
                .map(|one| one.key.as_str())
                .collect(),
            ..Inventory::default()
        })
    }
}

/// An id as references hold it: lower case, the GUID alone of one such as `T_<guid>`.
fn graph_id(id: &str) -> Cow<'_, str> {
    let id = plumbline_policy::reference::find_guid(id).map_or(id, |range| &id[range]);
    if id.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(id.to_ascii_lowercase())
    } else {
        Cow::Borrowed(id)
    }
}

/// Where the payloads of one index stood before: what was written once is not written again.
#[must_use]
pub fn frames_by_payload(index: &StateIndex) -> FxHashMap<Digest, Frame> {
    index
        .entries
        .iter()
        .chain(&index.targets)
        .map(|entry| (entry.frame.payload, entry.frame))
        .collect()
}

#[cfg(test)]
mod tests;
