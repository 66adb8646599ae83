//! An inventory: the subjects of one side, and everything about that side that is not proven.

use crate::gap::GapKind;
use crate::report::Gap;
use crate::scope::EffectiveScope;
use crate::subject::{Source, Subject};
use plumbline_policy::catalog::{PolicyType, catalog};
use plumbline_policy::classify::{
    Class, Evidence, Surroundings, classify, context_collection, context_path, types_in_doubt,
};
use plumbline_policy::digest::Digest;
use plumbline_policy::document::{NoDocuments, Rows, split};
use plumbline_policy::json::{DecodeError, TextError, Value, parse, parse_payload, to_text};
use plumbline_policy::policy::{Payload, admit};
use plumbline_policy::secret::SecretKey;
use plumbline_policy::tenant::Localiser;
use std::collections::BTreeSet;

/// Which side of a compare something belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SideName {
    /// The golden side.
    Baseline,
    /// The side held to it.
    Current,
}

impl SideName {
    /// The word used in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Baseline => "baseline",
            Self::Current => "current",
        }
    }

    /// The other side.
    #[must_use]
    pub fn opposite(self) -> Self {
        match self {
            Self::Baseline => Self::Current,
            Self::Current => Self::Baseline,
        }
    }
}

/// What a file holds instead of policies.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// The bytes are no text.
    #[error(transparent)]
    Text(#[from] TextError),
    /// The text is no JSON that can be taken exactly.
    #[error(transparent)]
    Json(#[from] DecodeError),
    /// The JSON is no policy and no list of policies.
    #[error(transparent)]
    Shape(#[from] NoDocuments),
}

/// How the payloads of one side are read.
#[derive(Debug)]
pub struct Reader {
    /// The key under which secrets are compared.
    pub key: SecretKey,
    /// The side's tenant facts.
    pub localiser: Localiser,
    /// Whether annotations of the transport are read too, so that `inspect` can list them.
    pub annotations: bool,
}

/// Types that a gap leaves without proof.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Doubt {
    /// None: the gap speaks of one subject or leaf, or is a note.
    #[default]
    Nothing,
    /// These types.
    Types(BTreeSet<&'static str>),
    /// Every type of the side.
    Everything,
}

/// What one file added to an inventory.
#[derive(Debug, Default)]
pub struct FileReading {
    /// Subjects, in the order of the file.
    pub subjects: Vec<Subject>,
    /// Gaps of the file, each with the types it leaves without proof.
    pub gaps: Vec<(Gap, Doubt)>,
    /// Types that the file proves to have been read, even where it holds none of them.
    pub types_read: BTreeSet<&'static str>,
}

/// Splits the folders of a relative path, nearest first.
#[must_use]
pub fn folders(file: &str) -> Vec<&str> {
    let mut parts: Vec<&str> = file.split('/').collect();
    parts.pop();
    parts.reverse();
    parts
}

impl Reader {
    /// Reads one file. Nothing is dropped: what is no subject is a gap with the file's name.
    #[must_use]
    pub fn read_file(&self, file: &str, bytes: &[u8]) -> FileReading {
        self.read_each(file, bytes, &mut |_| ())
    }

    /// Reads one file and hands over the payload of each subject, in their order.
    #[must_use]
    pub fn read_each(
        &self,
        file: &str,
        bytes: &[u8],
        keep: &mut dyn FnMut(&Payload<'_>),
    ) -> FileReading {
        let mut out = FileReading::default();
        if let Err(error) = self.read_into(file, bytes, &mut out, keep) {
            let doubtful = types_in_doubt(&folders(file));
            let doubt = if doubtful.is_empty() {
                Doubt::Everything
            } else {
                Doubt::Types(doubtful.iter().map(|one| one.key.as_str()).collect())
            };
            let policy_type = doubtful.first().map(|one| one.key.clone());
            out.add(GapKind::Unreadable, policy_type, file, error.to_string(), doubt);
        }
        out
    }

    fn parse<'t>(&self, text: &'t str) -> Result<Value<'t>, DecodeError> {
        if self.annotations { parse(text) } else { parse_payload(text) }
    }

    fn read_into(
        &self,
        file: &str,
        bytes: &[u8],
        out: &mut FileReading,
        keep: &mut dyn FnMut(&Payload<'_>),
    ) -> Result<(), Unreadable> {
        let text = to_text(bytes)?;
        let documents = split(self.parse(&text)?)?;
        let folders = folders(file);
        let around = Surroundings { page_context: documents.context.as_deref(), folders: &folders };
        let page_collection =
            documents.context.as_deref().and_then(|context| context_collection(catalog(), context));
        if let Some(collection) = page_collection {
            out.types_read.extend(catalog().in_collection(collection).map(|one| one.key.as_str()));
        }
        if documents.payloads.is_empty() && page_collection.is_none() && !documents.incomplete {
            let detail = "the file holds an empty list that does not say of what".to_owned();
            out.add(GapKind::NotAPolicy, None, file, detail, Doubt::Nothing);
        }
        let mut page_types: BTreeSet<&'static str> = BTreeSet::new();
        for (index, payload) in documents.payloads.into_iter().enumerate() {
            match classify(&payload, around) {
                // A folder named as a type makes a policy of what looks like one, not of a manifest.
                Class::Known { evidence: Evidence::Folder, .. } if is_stray(&payload) => {
                    let detail = "the file holds no policy".to_owned();
                    out.add(GapKind::NotAPolicy, None, file, detail, Doubt::Nothing);
                }
                Class::Known { policy_type, .. } => {
                    if documents.incomplete {
                        let same = catalog().in_collection(&policy_type.collection);
                        page_types.extend(same.map(|one| one.key.as_str()));
                    }
                    out.types_read.insert(&policy_type.key);
                    let payload = Payload::of(payload, policy_type, &self.key);
                    keep(&payload);
                    let source = Source { file: file.to_owned(), index };
                    out.subjects.push(Subject::read(&payload, &self.localiser, source));
                }
                Class::Unknown { candidates } => {
                    out.unknown(file, &candidates, &Described::of(&payload, around.page_context));
                }
            }
        }
        if documents.incomplete {
            let types: BTreeSet<&'static str> = match page_collection {
                Some(name) => catalog().in_collection(name).map(|one| one.key.as_str()).collect(),
                None if page_types.is_empty() => {
                    types_in_doubt(&folders).iter().map(|one| one.key.as_str()).collect()
                }
                None => page_types,
            };
            let first = types.first().map(|key| (*key).to_owned());
            let doubt = if types.is_empty() { Doubt::Everything } else { Doubt::Types(types) };
            let detail = "the page says that more pages follow (@odata.nextLink), and nothing proves \
                          that they are here; export the whole list";
            out.add(GapKind::Incomplete, first, file, detail.to_owned(), doubt);
        }
        Ok(())
    }

    /// Reads the payload of a subject again, in full.
    ///
    /// # Errors
    /// Fails as reading the file does, and when the file holds fewer payloads than it did.
    pub fn read_payload(
        &self,
        source: &Source,
        bytes: &[u8],
    ) -> Result<Payload<'static>, Unreadable> {
        self.read_told(source, bytes).map(|(payload, _)| payload)
    }

    /// Reads the payload of a subject again, and says what told its type.
    ///
    /// # Errors
    /// As [`Self::read_payload`].
    pub fn read_told(
        &self,
        source: &Source,
        bytes: &[u8],
    ) -> Result<(Payload<'static>, Evidence), Unreadable> {
        let text = to_text(bytes)?;
        let documents = split(self.parse(&text)?)?;
        let payload = documents.payloads.into_iter().nth(source.index);
        self.admitted(payload, documents.context.as_deref(), source)
    }

    /// Opens a file of many payloads, to read some of them again at the cost of these alone; `None` when
    /// it is no list.
    #[must_use]
    pub fn rows(bytes: &[u8]) -> Option<Rows> {
        Rows::of(to_text(bytes).ok()?.into_owned())
    }

    /// Reads the payload of a subject again out of an opened file.
    ///
    /// # Errors
    /// As [`Self::read_payload`].
    pub fn read_row(
        &self,
        source: &Source,
        rows: &Rows,
    ) -> Result<(Payload<'static>, Evidence), Unreadable> {
        let payload = rows.get(source.index).map(|text| self.parse(text)).transpose()?;
        self.admitted(payload, rows.context(), source)
    }

    fn admitted(
        &self,
        payload: Option<Value<'_>>,
        page_context: Option<&str>,
        source: &Source,
    ) -> Result<(Payload<'static>, Evidence), Unreadable> {
        let folders = folders(&source.file);
        let around = Surroundings { page_context, folders: &folders };
        match payload.and_then(|payload| admit(payload, around, &self.key).ok()) {
            Some((payload, Class::Known { evidence, .. })) => {
                let payload = Payload {
                    document: payload.document.into_owned(),
                    secrets: payload.secrets,
                    policy_type: payload.policy_type,
                };
                Ok((payload, evidence))
            }
            _ => Err(Unreadable::Shape(NoDocuments::Entry(source.index + 1))),
        }
    }
}

/// What an unclassified payload says of itself.
struct Described {
    odata_type: Option<String>,
    /// What its `@odata.context`, or that of its page, names.
    context: Option<String>,
    name: Option<String>,
    looks_like_policy: bool,
    wraps_policies: bool,
}

/// Members that objects of Graph have and files of other kinds do not.
const OF_GRAPH: [&str; 6] =
    ["@odata.type", "displayName", "settings", "assignments", "roleScopeTagIds", "platforms"];

/// Whether an object has nothing that a policy has.
fn is_stray(payload: &Value<'_>) -> bool {
    let has = |name: &str| payload.get(name).is_some();
    let described = Described::of(payload, None);
    !has("id") && !has("name") && !described.looks_like_policy && !described.wraps_policies
}

impl Described {
    fn of(payload: &Value<'_>, page_context: Option<&str>) -> Self {
        let text = |name: &str| payload.get(name).and_then(Value::as_str).map(str::to_owned);
        let has = |name: &str| payload.get(name).is_some();
        let context = payload.get("@odata.context").and_then(Value::as_str).or(page_context);
        Self {
            odata_type: text("@odata.type"),
            looks_like_policy: context.is_some()
                || OF_GRAPH.into_iter().any(has)
                || has("id") && has("name"),
            context: context.and_then(context_path).map(str::to_owned),
            name: text("displayName").or_else(|| text("name")),
            wraps_policies: wraps_policies(payload),
        }
    }
}

/// Whether objects of Graph stand somewhere inside, as in a saved batch answer or the file of a tool
/// that writes one list of everything. A manifest names policies but has no such objects.
fn wraps_policies(value: &Value<'_>) -> bool {
    let inner: Vec<&Value<'_>> = match value {
        Value::Object(members) => members.iter().map(|(_, value)| value).collect(),
        Value::List(items) => items.iter().collect(),
        _ => return false,
    };
    let has = |value: &Value<'_>, name: &str| value.get(name).is_some();
    inner.into_iter().any(|value| {
        has(value, "@odata.type")
            || has(value, "@odata.context")
            || has(value, "id") && has(value, "displayName")
            || wraps_policies(value)
    })
}

impl FileReading {
    fn add(
        &mut self,
        kind: GapKind,
        policy_type: Option<String>,
        file: &str,
        detail: String,
        doubt: Doubt,
    ) {
        let gap = Gap { kind, policy_type, side: None, source_file: file.to_owned(), detail };
        self.gaps.push((gap, doubt));
    }

    fn unknown(&mut self, file: &str, candidates: &[&'static PolicyType], what: &Described) {
        let name = what.name.as_deref().map(|name| format!("`{name}`: ")).unwrap_or_default();
        let first = candidates.first().map(|one| one.key.clone());
        match (&what.odata_type, candidates) {
            _ if !what.looks_like_policy && what.wraps_policies => {
                let detail = "the file wraps what looks like policies in members of its own; write each \
                              policy into a file, or all into one list";
                self.add(GapKind::UnknownType, None, file, detail.to_owned(), Doubt::Everything);
            }
            _ if !what.looks_like_policy => {
                let detail = "the file holds no policy".to_owned();
                self.add(GapKind::NotAPolicy, None, file, detail, Doubt::Nothing);
            }
            (Some(odata_type), _) => {
                // Its type is known to be none of the catalog's, so no other type is in doubt.
                let detail =
                    format!("{name}the catalog has no type for `{odata_type}`; it is not compared");
                self.add(GapKind::UnknownType, None, file, detail, Doubt::Nothing);
            }
            (None, [_, ..]) => {
                let keys: Vec<&str> = candidates.iter().map(|one| one.key.as_str()).collect();
                let detail = format!(
                    "{name}the policy does not say which of {} it is (no @odata.context, no \
                     @odata.type); export it from the beta version of Graph",
                    keys.join(", ")
                );
                let doubt = Doubt::Types(keys.into_iter().collect());
                self.add(GapKind::UnknownType, first, file, detail, doubt);
            }
            (None, []) if let Some(context) = &what.context => {
                let detail =
                    format!("{name}the catalog has no type for `{context}`; it is not compared");
                self.add(GapKind::UnknownType, None, file, detail, Doubt::Nothing);
            }
            (None, []) => {
                let detail = format!(
                    "{name}nothing tells the type (no @odata.context, no @odata.type, no folder named \
                     as a policy type); put it into a folder such as settingsCatalogPolicy/"
                );
                self.add(GapKind::UnknownType, None, file, detail, Doubt::Everything);
            }
        }
    }
}

/// The subjects of one side.
#[derive(Debug, Default)]
pub struct Inventory {
    /// What was read, as the caller names it.
    pub source: String,
    /// Whether facts of the tenant were given.
    pub tenant_facts: bool,
    /// Subjects of comparable types, sorted by type, key, id and source.
    pub subjects: Vec<Subject>,
    /// Objects of unsupported types: targets of references only.
    pub targets: Vec<Subject>,
    /// Gaps, with what they leave without proof.
    pub gaps: Vec<(Gap, Doubt)>,
    /// Types that were read, even where there was none.
    pub types_read: BTreeSet<&'static str>,
    /// Whether the side is declared to hold every policy of its tenant.
    pub complete: bool,
}

impl Inventory {
    /// Puts the readings of all files together. The order of the readings does not matter.
    #[must_use]
    pub fn gather(
        source: String,
        tenant_facts: bool,
        complete: bool,
        readings: impl IntoIterator<Item = FileReading>,
    ) -> Self {
        let mut out = Self { source, tenant_facts, complete, ..Self::default() };
        for reading in readings {
            out.gaps.extend(reading.gaps);
            out.types_read.extend(reading.types_read);
            for subject in reading.subjects {
                if subject.policy_type.is_comparable() {
                    out.subjects.push(subject);
                } else {
                    out.gaps.push((unsupported(&subject), Doubt::Nothing));
                    out.targets.push(subject);
                }
            }
        }
        let order = |a: &Subject, b: &Subject| {
            (&a.policy_type.key, &a.key, &a.external_id, &a.source).cmp(&(
                &b.policy_type.key,
                &b.key,
                &b.external_id,
                &b.source,
            ))
        };
        out.subjects.sort_unstable_by(order);
        out.targets.sort_unstable_by(order);
        out.read_once();
        out.gaps.sort_by(|a, b| a.0.cmp(&b.0));
        out
    }

    /// Keeps one of several equal readings of one object: pages overlap, and exports are copied.
    fn read_once(&mut self) {
        let same = |a: &Subject, b: &Subject| {
            a.external_id.is_some()
                && a.policy_type == b.policy_type
                && a.folded_id() == b.folded_id()
                && a.key == b.key
                && a.facets == b.facets
                && a.references == b.references
                && a.secrets == b.secrets
        };
        let mut notes = Vec::new();
        self.subjects.dedup_by(|later, first| {
            let twice = same(later, first);
            if twice {
                notes.push(Gap {
                    kind: GapKind::NotAPolicy,
                    policy_type: Some(later.policy_type.key.clone()),
                    side: None,
                    source_file: later.source.file.clone(),
                    detail: format!(
                        "`{}` stands in {} too, equal in everything; it is read once",
                        later.title(),
                        first.source.file
                    ),
                });
            }
            twice
        });
        self.gaps.extend(notes.into_iter().map(|note| (note, Doubt::Nothing)));
    }

    /// Says whether everything of a type was read.
    #[must_use]
    pub fn proves(&self, policy_type: &PolicyType) -> bool {
        !self.gaps.iter().any(|(_, doubt)| match doubt {
            Doubt::Nothing => false,
            Doubt::Everything => true,
            Doubt::Types(types) => types.contains(policy_type.key.as_str()),
        })
    }

    /// Digest over the subjects in scope and their facets; equal inventories have equal digests.
    #[must_use]
    pub fn digest(&self, scope: &EffectiveScope) -> Digest {
        let rows: Vec<_> = self
            .subjects
            .iter()
            .filter(|subject| scope.holds(&subject.policy_type.key))
            .map(|subject| {
                (
                    &subject.policy_type.key,
                    &subject.key,
                    &subject.external_id,
                    subject.facets,
                    &subject.references,
                )
            })
            .collect();
        Digest::of(&serde_json::to_vec(&rows).unwrap_or_default())
    }
}

fn unsupported(subject: &Subject) -> Gap {
    let reason = subject.policy_type.reason.as_deref().unwrap_or("it is not supported");
    Gap {
        kind: GapKind::UnsupportedType,
        policy_type: Some(subject.policy_type.key.clone()),
        side: None,
        source_file: subject.source.file.clone(),
        detail: format!("`{}` is not compared: {reason}", subject.title()),
    }
}
