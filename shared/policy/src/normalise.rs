//! From a redacted payload to its normal form: noise dropped at the places where it is noise, sets and
//! keyed lists sorted, references and secrets turned into slots, tenant facts into placeholders.
//!
//! The walk is one pass; the rules are data (`catalog/rules.json`). Sources of the rules: the Graph
//! documentation and the survey of real exports that `shared/decisions/0003-normal-form.md` describes.

use crate::base64::decode_text;
use crate::catalog::{
    DefinitionRules, Encoding, KeyPath, KeyText, Place, PlaceId, Places, PolicyType, plain_type,
};
use crate::json::{Value, is_annotation, parse};
use crate::normal::Normal;
use crate::path::{Step, join};
use crate::redact::{definition_rules, is_simple_value};
use crate::reference::{Facet, Reference, ReferenceKind, find_guid};
use crate::scan::TEXT_SLOT;
use crate::secret::{Secret, SecretAt};
use crate::tenant::Localiser;
use std::borrow::Cow;
use std::cell::Cell;

/// The three facets of one payload, and what stands beside them.
#[derive(Clone, Debug, PartialEq)]
pub struct Normalised<'v> {
    /// What the policy configures.
    pub content: Normal<'v>,
    /// Name and description.
    pub label: Normal<'v>,
    /// Targets, filters and scope tags.
    pub assignments: Normal<'v>,
    /// References of all facets, sorted.
    pub references: Vec<Reference>,
    /// Secrets of all facets, sorted.
    pub secrets: Vec<SecretAt>,
}

impl Normalised<'_> {
    /// Copies every borrowed string.
    #[must_use]
    pub fn into_owned(self) -> Normalised<'static> {
        Normalised {
            content: self.content.into_owned(),
            label: self.label.into_owned(),
            assignments: self.assignments.into_owned(),
            references: self.references,
            secrets: self.secrets,
        }
    }
}

/// Something that the normal form leaves out, for `inspect`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dropped {
    /// Where it stood.
    pub path: String,
    /// The rule that dropped it.
    pub rule: String,
}

/// A member that means something, and its place.
struct Kept {
    place: Option<PlaceId>,
}

/// Normalises a redacted payload of a known type.
///
/// `secrets` is what `redact` returned for it. With `trace`, every member left out is recorded.
#[must_use]
pub fn normalise<'v>(
    payload: &'v Value<'_>,
    policy_type: &'v PolicyType,
    secrets: &[Secret],
    localiser: &Localiser,
    trace: Option<&mut Vec<Dropped>>,
) -> Normalised<'v> {
    let mut walk = Walk {
        places: policy_type.places(),
        localiser,
        secrets,
        scanned: secrets.iter().any(|s| s.reason == crate::secret::SecretReason::Content),
        holder: None,
        steps: Vec::with_capacity(16),
        open: emptied(OPEN.take()),
        references: Vec::new(),
        secrets_at: Vec::new(),
        trace,
    };
    let normalised = walk.root(payload, policy_type);
    OPEN.set(emptied(walk.open));
    normalised
}

type Node<'v> = (Cow<'v, str>, Normal<'v>);

thread_local! {
    /// Room for open nodes, from one payload to the next.
    static OPEN: Cell<Vec<Node<'static>>> = const { Cell::new(Vec::new()) };
}

/// The memory of a vector, for nodes of another payload.
fn emptied<'v>(mut open: Vec<Node<'_>>) -> Vec<Node<'v>> {
    open.clear();
    open.into_iter().map_while(|_| None).collect()
}

struct FoundReference<'v> {
    steps: Vec<Step<'v>>,
    kind: ReferenceKind,
    external_id: String,
}

struct FoundSecret<'v> {
    steps: Vec<Step<'v>>,
    index: usize,
}

struct Walk<'v, 'w> {
    places: &'v Places,
    localiser: &'w Localiser,
    secrets: &'w [Secret],
    scanned: bool,
    /// The object that holds the member at hand; conditions look at it.
    holder: Option<&'v Value<'v>>,
    steps: Vec<Step<'v>>,
    /// What was normalised of all objects and lists that are still open; an item has no name. A node is
    /// built where it stays until its object closes: handing it up step by step costs more than making it.
    open: Vec<Node<'v>>,
    references: Vec<FoundReference<'v>>,
    secrets_at: Vec<FoundSecret<'v>>,
    trace: Option<&'w mut Vec<Dropped>>,
}

impl<'v> Walk<'v, '_> {
    fn root(&mut self, payload: &'v Value<'_>, policy_type: &PolicyType) -> Normalised<'v> {
        let mut content = Vec::new();
        let mut label = Vec::new();
        let mut assignments = Vec::new();
        for (name, value) in payload.members().unwrap_or_default() {
            if name == "@odata.type" && policy_type.polymorphic {
                let subtype = value.as_str().map(plain_type).unwrap_or_default();
                content
                    .push((Cow::Borrowed("@odata.type"), Normal::String(Cow::Borrowed(subtype))));
                continue;
            }
            let Some(Kept { place }) = self.member(payload, name, value, Some(Places::ROOT), None)
            else {
                continue;
            };
            let Some((name, normal)) = self.open.pop() else { continue };
            let place = place.map(|id| self.places.place(id));
            let facet = match place {
                Some(place) if place.label => &mut label,
                Some(place) if place.assignments => &mut assignments,
                _ => &mut content,
            };
            let is_name = place.is_some_and(|place| place.label) && name != "description";
            facet.push((name, if is_name { trimmed(normal) } else { normal }));
        }
        let map = |mut members: Vec<(Cow<'v, str>, Normal<'v>)>| {
            members.sort_unstable_by(|a, b| a.0.cmp(&b.0));
            Normal::Map(members)
        };
        let mut references: Vec<Reference> = std::mem::take(&mut self.references)
            .into_iter()
            .map(|found| Reference {
                facet: self.facet_of(&found.steps),
                path: join(&found.steps),
                kind: found.kind,
                external_id: found.external_id,
            })
            .collect();
        references.sort_unstable();
        let mut secrets: Vec<SecretAt> = std::mem::take(&mut self.secrets_at)
            .into_iter()
            .filter_map(|found| {
                let secret = self.secrets.get(found.index)?;
                Some(SecretAt {
                    facet: self.facet_of(&found.steps),
                    path: join(&found.steps),
                    key_id: secret.key_id.clone(),
                    mac: secret.mac,
                })
            })
            .collect();
        secrets.sort_unstable();
        Normalised {
            content: map(content),
            label: map(label),
            assignments: map(assignments),
            references,
            secrets,
        }
    }

    fn facet_of(&self, steps: &[Step<'_>]) -> Facet {
        let root = match steps.first() {
            Some(Step::Member(name)) => self.places.member(Some(Places::ROOT), name),
            _ => None,
        };
        match root.map(|id| self.places.place(id)) {
            Some(place) if place.label => Facet::Label,
            Some(place) if place.assignments => Facet::Assignments,
            _ => Facet::Content,
        }
    }

    fn dropped(&mut self, name: &str, rule: &str) {
        if let Some(trace) = self.trace.as_deref_mut() {
            let mut path = join(&self.steps);
            if !path.is_empty() {
                path.push('/');
            }
            path.push_str(name);
            trace.push(Dropped { path, rule: rule.to_owned() });
        }
    }

    fn put(&mut self, name: &'v str, normal: Normal<'v>) {
        self.open.push((Cow::Borrowed(name), normal));
    }

    /// Normalises one member and puts it down; returns its place, or `None` when it means nothing.
    fn member(
        &mut self,
        object: &'v Value<'_>,
        name: &'v str,
        value: &'v Value<'_>,
        parent: Option<PlaceId>,
        rule: Option<DefinitionRules>,
    ) -> Option<Kept> {
        if self.trace.is_none() && value.is_empty() {
            return None;
        }
        let annotation = is_annotation(name);
        let kept_type = name == "@odata.type"
            && parent.is_some_and(|parent| self.places.place(parent).keep_type);
        if annotation && !kept_type {
            self.dropped(name, "annotation of the transport");
            return None;
        }
        let id = self.places.member(parent, name);
        if let Some((why, twin)) = id.and_then(|id| self.places.place(id).drop.as_ref())
            && twin.as_ref().is_none_or(|twin| object.get(twin).is_some_and(|v| !v.is_empty()))
        {
            self.dropped(name, why);
            return None;
        }
        if value.is_empty() {
            self.dropped(name, "nothing configured");
            return None;
        }
        // A link and the object it links to, expanded, are two spellings of one thing.
        let bound = name.strip_suffix("@odata.bind");
        if bound.is_some_and(|expanded| object.get(expanded).is_some()) {
            self.dropped(name, "the linked object stands beside");
            return None;
        }
        let own_name = bound.unwrap_or(name);
        self.steps.push(Step::Member(Cow::Borrowed(own_name)));
        let holder = self.holder.replace(object);
        if kept_type {
            let kind = value.as_str().map(plain_type).unwrap_or_default();
            self.put(own_name, Normal::String(Cow::Borrowed(kind)));
        } else if bound.is_some() {
            let link = self.link(value, id.map(|id| self.places.place(id)));
            self.put(own_name, link);
        } else {
            self.value(own_name, value, id, rule);
        }
        self.holder = holder;
        self.steps.pop();
        if self.open.last().is_some_and(|(_, normal)| normal.is_empty()) {
            self.open.pop();
            self.dropped(name, "nothing configured");
            return None;
        }
        Some(Kept { place: id })
    }

    /// Normalises a value and puts it down under a name.
    fn value(
        &mut self,
        name: &'v str,
        value: &'v Value<'_>,
        id: Option<PlaceId>,
        rule: Option<DefinitionRules>,
    ) {
        let place = id.map(|id| self.places.place(id));
        match value {
            Value::List(items) => {
                let list = self.list(items, id, place, rule);
                self.put(name, list);
            }
            // PowerShell writes a list of one as its only item.
            Value::Object(_) if self.expects_list(id) => {
                let list = self.list(std::slice::from_ref(value), id, place, rule);
                self.put(name, list);
            }
            Value::String(_) if place.is_some_and(|place| place.set || place.keyed.is_some()) => {
                let list = self.list(std::slice::from_ref(value), id, place, rule);
                self.put(name, list);
            }
            Value::Object(members) => {
                let members = self.object(value, members, id, place, rule);
                self.put(name, Normal::Map(members));
            }
            Value::String(text) => {
                let normal = self.string(text, place, rule);
                self.put(name, normal);
            }
            Value::Null => self.put(name, Normal::Null),
            Value::Bool(value) => self.put(name, Normal::Bool(*value)),
            Value::Number(number) => self.put(name, Normal::Number(*number)),
            Value::Secret(index) => {
                self.secrets_at.push(FoundSecret { steps: self.steps.clone(), index: *index });
                self.put(name, Normal::Secret);
            }
        }
    }

    fn expects_list(&self, id: Option<PlaceId>) -> bool {
        id.is_some_and(|id| {
            let place = self.places.place(id);
            place.set || place.keyed.is_some() || self.places.items(Some(id)).is_some()
        })
    }

    fn object(
        &mut self,
        object: &'v Value<'_>,
        members: &'v [(Cow<'_, str>, Value<'_>)],
        id: Option<PlaceId>,
        place: Option<&Place>,
        rule: Option<DefinitionRules>,
    ) -> Vec<(Cow<'v, str>, Normal<'v>)> {
        let definition = definition_rules(object, place);
        let from = self.open.len();
        for (name, value) in members {
            let inherited = definition.filter(|_| is_simple_value(name)).or(rule);
            self.member(object, name, value, id, inherited);
        }
        let mut out = self.open.split_off(from);
        out.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        out
    }

    fn list(
        &mut self,
        items: &'v [Value<'_>],
        id: Option<PlaceId>,
        place: Option<&'v Place>,
        rule: Option<DefinitionRules>,
    ) -> Normal<'v> {
        let inner = self.places.items(id);
        if let Some(kind) = place.and_then(|place| place.reference) {
            return self.reference_list(items, kind, place.is_some_and(|place| place.set));
        }
        if let Some(parts) = place.and_then(|place| place.keyed.as_deref()) {
            return self.keyed(items, inner, parts, rule);
        }
        let is_set = place.is_some_and(|place| place.set) || rule.is_some_and(|rule| rule.set);
        if is_set {
            return self.set(items, inner, rule);
        }
        let from = self.open.len();
        for (index, item) in items.iter().enumerate() {
            self.steps.push(Step::Index(index));
            self.value("", item, inner, rule);
            self.steps.pop();
        }
        Normal::List(self.open.drain(from..).map(|(_, item)| item).collect())
    }

    fn keyed(
        &mut self,
        items: &'v [Value<'_>],
        inner: Option<PlaceId>,
        parts: &[Vec<KeyPath>],
        rule: Option<DefinitionRules>,
    ) -> Normal<'v> {
        struct Item<'v> {
            key: Cow<'v, str>,
            normal: Normal<'v>,
            marks: Marks,
        }
        let from = self.open.len();
        let mut marks = Vec::with_capacity(items.len());
        for item in items {
            let key = self.key(item, parts);
            let before = self.marks();
            self.steps.push(Step::Key { key: key.clone(), nth: 0 });
            self.value("", item, inner, rule);
            self.steps.pop();
            if let Some((name, _)) = self.open.last_mut() {
                *name = key;
            }
            marks.push(self.since(before));
        }
        let mut out: Vec<Item<'v>> = self
            .open
            .drain(from..)
            .zip(marks)
            .map(|((key, normal), marks)| Item { key, normal, marks })
            .collect();
        out.sort_by(|a, b| a.key.cmp(&b.key));
        // Items that share a key are told apart by what they hold.
        let mut start = 0;
        while start < out.len() {
            let run = out[start..].iter().take_while(|item| item.key == out[start].key).count();
            if run > 1 {
                let group = &mut out[start..start + run];
                group.sort_by_cached_key(|item| item.normal.to_canonical());
                for item in group {
                    self.tell_apart(&item.marks, &item.normal);
                }
            }
            start += run;
        }
        Normal::Keyed(out.into_iter().map(|item| (item.key, item.normal)).collect())
    }

    /// The key of an item as a person reads it: its parts joined with `+`.
    fn key(&self, item: &'v Value<'_>, parts: &[Vec<KeyPath>]) -> Cow<'v, str> {
        let part = |alternatives: &[KeyPath]| -> Cow<'v, str> {
            alternatives
                .iter()
                .find_map(|path| {
                    let value = path.follow(item).filter(|value| !value.is_empty())?;
                    Some(match value {
                        Value::String(text) => match path.reads {
                            KeyText::Link => Cow::Borrowed(link_target(text.as_ref())),
                            KeyText::Type => Cow::Borrowed(plain_type(text.as_ref())),
                            KeyText::Plain => self.localiser.localise(text.as_ref()),
                        },
                        other => {
                            Cow::Owned(String::from_utf8_lossy(&other.to_canonical()).into_owned())
                        }
                    })
                })
                .unwrap_or_default()
        };
        match parts {
            [only] => part(only),
            many => Cow::Owned(
                many.iter()
                    .map(|alternatives| part(alternatives))
                    .filter(|text| !text.is_empty())
                    .collect::<Vec<_>>()
                    .join("+"),
            ),
        }
    }

    fn set(
        &mut self,
        items: &'v [Value<'_>],
        inner: Option<PlaceId>,
        rule: Option<DefinitionRules>,
    ) -> Normal<'v> {
        let mut out = Vec::with_capacity(items.len());
        for item in items {
            let from = self.marks();
            self.steps.push(Step::Item(String::new()));
            self.value("", item, inner, rule);
            self.steps.pop();
            let Some((_, normal)) = self.open.pop() else { continue };
            let marks = self.since(from);
            if !marks.is_empty() {
                self.tell_apart(&marks, &normal);
            }
            out.push((normal.to_canonical(), marks.is_empty(), normal));
        }
        out.sort_by(|a, b| a.0.cmp(&b.0));
        // Doubles mean nothing, unless a slot hides that they are two.
        out.dedup_by(|a, b| a.0 == b.0 && a.1);
        Normal::Set(out.into_iter().map(|(_, _, normal)| normal).collect())
    }

    /// A list of ids: in a set, doubles and order mean nothing; the path names the list alone.
    fn reference_list(
        &mut self,
        items: &'v [Value<'_>],
        kind: ReferenceKind,
        is_set: bool,
    ) -> Normal<'v> {
        let mut texts: Vec<&'v str> = items.iter().filter_map(Value::as_str).collect();
        if is_set {
            texts.sort_unstable_by_key(|text| text.to_ascii_lowercase());
            texts.dedup_by(|a, b| a.eq_ignore_ascii_case(b));
        }
        let mut out: Vec<Normal<'v>> = texts
            .into_iter()
            .map(|text| self.reference(text, kind))
            .chain(items.iter().filter(|item| item.as_str().is_none()).map(Normal::verbatim))
            .collect();
        if is_set {
            out.sort_by_cached_key(Normal::to_canonical);
            Normal::Set(out)
        } else {
            Normal::List(out)
        }
    }

    fn string(
        &mut self,
        text: &'v str,
        place: Option<&Place>,
        rule: Option<DefinitionRules>,
    ) -> Normal<'v> {
        if let Some(kind) = place.and_then(|place| place.reference) {
            return self.reference(text, kind);
        }
        if place.is_some_and(|place| place.comma_set) {
            let mut parts: Vec<&str> = text.split(',').map(str::trim).collect();
            parts.sort_unstable();
            parts.dedup();
            return Normal::String(Cow::Owned(parts.join(",")));
        }
        let rule = rule.unwrap_or_default();
        let encoding = place
            .and_then(|place| place.text.as_ref())
            .filter(|(_, when)| self.holder.is_some_and(|holder| when.hold(holder)))
            .map(|(encoding, _)| *encoding)
            .or(rule.text);
        if let Some(encoding) = encoding {
            return self.document(text, encoding);
        }
        if let (Some(kind), false) = (rule.reference, rule.json) {
            return self.reference(text, kind);
        }
        let json = rule.json || place.is_some_and(|place| place.json);
        if (json || text.starts_with(['{', '[']))
            && let Some(normal) = self.embedded(text, rule.reference)
        {
            return normal;
        }
        self.plain(Cow::Borrowed(text))
    }

    fn plain(&mut self, text: Cow<'v, str>) -> Normal<'v> {
        let text = self.settle_slots(text);
        Normal::String(match text {
            Cow::Borrowed(text) => self.localiser.localise(text),
            Cow::Owned(text) => Cow::Owned(self.localiser.localise(&text).into_owned()),
        })
    }

    fn document(&mut self, text: &'v str, encoding: Encoding) -> Normal<'v> {
        match encoding {
            Encoding::Plain => self.plain(Cow::Borrowed(text)),
            Encoding::Base64 => match decode_text(text) {
                Some(decoded) => self.plain(Cow::Owned(decoded)),
                None => Normal::String(Cow::Borrowed(text)),
            },
            Encoding::Base64Json => match decode_text(text) {
                Some(decoded) => {
                    self.embedded(&decoded, None).unwrap_or_else(|| self.plain(Cow::Owned(decoded)))
                }
                None => Normal::String(Cow::Borrowed(text)),
            },
        }
    }

    /// A JSON document in a string; `None` when the string holds none. With a kind, ids inside it are
    /// references.
    fn embedded(&mut self, text: &str, kind: Option<ReferenceKind>) -> Option<Normal<'v>> {
        let text = self.settle_slots(Cow::Borrowed(text));
        let mut document = parse(&text).ok()?;
        self.settle_strings(&mut document, kind);
        Some(Normal::Json(Box::new(Normal::verbatim(&document).into_owned())))
    }

    fn settle_strings(&mut self, value: &mut Value<'_>, kind: Option<ReferenceKind>) {
        match value {
            Value::String(text) => {
                let id = kind.filter(|_| find_guid(text) == Some(0..text.len()));
                if let Some(kind) = id {
                    self.references.push(FoundReference {
                        steps: self.steps.clone(),
                        kind,
                        external_id: text.to_ascii_lowercase(),
                    });
                    *text = Cow::Owned(format!("{{{{{}}}}}", kind.as_str()));
                } else if let Cow::Owned(local) = self.localiser.localise(text) {
                    *text = Cow::Owned(local);
                }
            }
            Value::List(items) => items.iter_mut().for_each(|v| self.settle_strings(v, kind)),
            Value::Object(members) => {
                for (_, value) in members {
                    self.settle_strings(value, kind);
                }
            }
            _ => {}
        }
    }

    /// A link: host, version and collection differ between exports, the id does not.
    fn link(&mut self, value: &'v Value<'_>, place: Option<&Place>) -> Normal<'v> {
        match value {
            Value::String(text) => {
                let target = link_target(text);
                self.steps.push(Step::Member(Cow::Borrowed("id")));
                let id = match place.and_then(|place| place.reference) {
                    Some(kind) => self.reference(target, kind),
                    None => Normal::String(Cow::Borrowed(target)),
                };
                self.steps.pop();
                Normal::Map(vec![(Cow::Borrowed("id"), id)])
            }
            Value::List(items) => {
                let mut out = Vec::with_capacity(items.len());
                for (index, item) in items.iter().enumerate() {
                    let set = place.is_some_and(|place| place.set);
                    let step = if set { Step::Item(String::new()) } else { Step::Index(index) };
                    self.steps.push(step);
                    out.push(self.link(item, place));
                    self.steps.pop();
                }
                if place.is_some_and(|place| place.set) {
                    out.sort_by_cached_key(Normal::to_canonical);
                    Normal::Set(out)
                } else {
                    Normal::List(out)
                }
            }
            other => Normal::verbatim(other),
        }
    }

    /// Takes the numbers out of credential slots and notes which secrets stand here.
    fn settle_slots<'t>(&mut self, text: Cow<'t, str>) -> Cow<'t, str> {
        if !self.scanned || !text.contains(TEXT_SLOT) {
            return text;
        }
        let mut out = String::with_capacity(text.len());
        let mut rest = text.as_ref();
        while let Some(at) = rest.find(TEXT_SLOT) {
            out.push_str(&rest[..at]);
            rest = &rest[at + TEXT_SLOT.len()..];
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            if let Ok(index) = rest[..digits].parse() {
                self.secrets_at.push(FoundSecret { steps: self.steps.clone(), index });
            }
            out.push_str("{{secret");
            rest = &rest[digits..];
        }
        out.push_str(rest);
        Cow::Owned(out)
    }

    /// An id becomes a slot; a word such as `All` stays. Text around the id stays too.
    fn reference(&mut self, text: &'v str, kind: ReferenceKind) -> Normal<'v> {
        let range = match kind {
            ReferenceKind::ScopeTag => Some(0..text.len()),
            _ => find_guid(text),
        };
        let Some(range) = range else {
            return self.plain(Cow::Borrowed(text));
        };
        self.references.push(FoundReference {
            steps: self.steps.clone(),
            kind,
            external_id: text[range.clone()].to_ascii_lowercase(),
        });
        if range.len() == text.len() {
            return Normal::Reference(kind);
        }
        let around =
            format!("{}{{{{{}}}}}{}", &text[..range.start], kind.as_str(), &text[range.end..]);
        Normal::String(Cow::Owned(around))
    }

    fn marks(&self) -> (usize, usize) {
        (self.references.len(), self.secrets_at.len())
    }

    fn since(&self, (references, secrets): (usize, usize)) -> Marks {
        Marks {
            references: references..self.references.len(),
            secrets: secrets..self.secrets_at.len(),
            depth: self.steps.len(),
        }
    }

    /// References and secrets below an item that is known by its content get that content's digest
    /// into their paths, so that two of them can change places only between items that are equal.
    fn tell_apart(&mut self, marks: &Marks, normal: &Normal<'_>) {
        let digest = normal.digest().short();
        let steps = self.references[marks.references.clone()]
            .iter_mut()
            .map(|found| &mut found.steps)
            .chain(self.secrets_at[marks.secrets.clone()].iter_mut().map(|found| &mut found.steps));
        for steps in steps {
            match steps.get_mut(marks.depth) {
                Some(Step::Key { key, .. }) => *key = Cow::Owned(format!("{key}~{digest}")),
                Some(step) => *step = Step::Item(digest.clone()),
                None => {}
            }
        }
    }
}

struct Marks {
    references: std::ops::Range<usize>,
    secrets: std::ops::Range<usize>,
    depth: usize,
}

impl Marks {
    fn is_empty(&self) -> bool {
        self.references.is_empty() && self.secrets.is_empty()
    }
}

/// The id that a link ends with: `…/definitions('id')` or `…/definitions/id`.
fn link_target(text: &str) -> &str {
    let last = text.rsplit('/').next().unwrap_or(text);
    last.split_once("('").and_then(|(_, rest)| rest.strip_suffix("')")).unwrap_or(last)
}

/// A name without white space around it, composed.
fn trimmed(name: Normal<'_>) -> Normal<'_> {
    match name {
        Normal::String(text) if text.trim() == text && text.is_ascii() => Normal::String(text),
        Normal::String(text) => Normal::String(Cow::Owned(crate::name::composed(text.trim()))),
        other => other,
    }
}
