//! Takes secrets out of a decoded payload, before anything is hashed, stored or shown.
//!
//! What is a secret is told by place, definition id, value type and whole member name, never by a part
//! of a name: `passwordMinimumLength` is policy. Free text is scanned for credentials besides.

use crate::base64::{decode_text, encode_text};
use crate::catalog::{
    DefinitionRules, Encoding, Place, PlaceId, Places, PolicyType, SecretForm, catalog,
};
use crate::json::{Value, is_annotation};
use crate::scan::redact_text;
use crate::secret::{Secret, SecretKey, SecretMac, SecretReason};
use std::borrow::Cow;

/// Names that mean a secret wherever they stand. Whole names, compared without case.
const SECRET_NAMES: &[&str] = &[
    "preSharedKey",
    "sharedSecret",
    "sharedKey",
    "passphrase",
    "privateKey",
    "token",
    "tokenValue",
    "apiKey",
    "clientSecret",
    "password",
    "wifiPassword",
    "adminAccountPassword",
    "adDomainPassword",
    "deviceAccountPassword",
    "encryptedPfxPassword",
    "qrCodeContent",
    "qrCodeImage",
];

/// Blobs that differ in every tenant by design, by the ends of their names.
const BLOB_ENDINGS: &[&str] = &["onboardingblob", "offboardingblob"];

/// The version of this step; stored beside a redacted payload.
pub const REDACTION_VERSION: u32 = 1;

/// Takes the secrets out and returns them in document order. `policy_type` is `None` for a payload that
/// could not be classified; names, value types and content are judged all the same.
///
/// Members of the payload that begin with `$` get a second `$`, so that a slot can never be forged.
pub fn redact(
    payload: &mut Value<'_>,
    policy_type: Option<&PolicyType>,
    key: &SecretKey,
) -> Vec<Secret> {
    let mut walk = Walk {
        places: policy_type.map(PolicyType::places),
        key,
        path: Vec::with_capacity(16),
        found: Vec::new(),
    };
    let root = walk.places.map(|_| Places::ROOT);
    walk.value(payload, root, None);
    let found = walk.found;
    found
        .into_iter()
        .map(|(path, reason, mac)| Secret {
            pointer: pointer(payload, &path),
            reason,
            key_id: key.id().to_owned(),
            mac,
        })
        .collect()
}

/// Writes a path of places among siblings as a JSON pointer.
fn pointer(mut value: &Value<'_>, path: &[usize]) -> String {
    let mut out = String::new();
    for at in path {
        out.push('/');
        match value {
            Value::Object(members) => {
                out.push_str(&members[*at].0.replace('~', "~0").replace('/', "~1"));
                value = &members[*at].1;
            }
            Value::List(items) => {
                out.push_str(&at.to_string());
                value = &items[*at];
            }
            _ => break,
        }
    }
    out
}

struct Walk<'k> {
    places: Option<&'k Places>,
    key: &'k SecretKey,
    /// Places among siblings, from the root.
    path: Vec<usize>,
    found: Vec<(Vec<usize>, SecretReason, Option<SecretMac>)>,
}

impl Walk<'_> {
    fn place(&self, id: Option<PlaceId>) -> Option<&Place> {
        Some(self.places?.place(id?))
    }

    fn value(&mut self, value: &mut Value<'_>, id: Option<PlaceId>, rule: Option<DefinitionRules>) {
        match value {
            Value::String(text) => {
                // Conditions matter for what a text means, not for where credentials are looked for.
                let encoding = self
                    .place(id)
                    .and_then(|place| place.text.as_ref())
                    .map(|(encoding, _)| *encoding)
                    .or(rule.and_then(|rule| rule.text));
                let base64 = matches!(encoding, Some(Encoding::Base64 | Encoding::Base64Json));
                if let Some(redacted) = self.text(text, base64) {
                    *value = Value::String(Cow::Owned(redacted));
                }
            }
            Value::List(items) => {
                let inner = self.places.and_then(|places| places.items(id));
                for (index, item) in items.iter_mut().enumerate() {
                    self.path.push(index);
                    self.value(item, inner.or(self.list_of_one(id)), rule);
                    self.path.pop();
                }
            }
            Value::Object(_) => {
                // PowerShell writes a list of one as its only item; its rules stand at the items.
                let inner = self.places.and_then(|places| places.items(id)).or(id);
                self.object(value, inner, rule);
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Secret(_) => {}
        }
    }

    /// A list where the rules expect a single value has that value's rules at its items.
    fn list_of_one(&self, id: Option<PlaceId>) -> Option<PlaceId> {
        id.filter(|id| self.place(Some(*id)).is_some_and(|place| place.text.is_some()))
    }

    fn object(
        &mut self,
        object: &mut Value<'_>,
        id: Option<PlaceId>,
        rule: Option<DefinitionRules>,
    ) {
        let telling = Telling::of(object.members().unwrap_or_default(), self.place(id));
        // Judged before anything is taken out, since conditions look at members beside.
        let holds_secrets = self.place(id).is_some_and(|place| place.holds_secrets);
        let holds_texts = self.place(id).is_some_and(|place| place.holds_texts);
        let by_place: Vec<Option<SecretForm>> = object
            .members()
            .filter(|_| holds_secrets)
            .unwrap_or_default()
            .iter()
            .map(|(name, _)| {
                let child = self.places.and_then(|places| places.member(id, name));
                let rules = &self.place(child)?.secret;
                rules.iter().find(|(_, when)| when.hold(object)).map(|(form, _)| *form)
            })
            .collect();
        let Value::Object(members) = object else { return };
        let places = self.places.filter(|_| id.is_some());
        for (index, (name, value)) in members.iter_mut().enumerate() {
            if name.starts_with('$') {
                *name = Cow::Owned(format!("${name}"));
            }
            if matches!(value, Value::Null | Value::Bool(_)) {
                continue;
            }
            // Annotations of the transport reach no digest, no evidence and no page.
            if is_annotation(name) {
                continue;
            }
            // Of a string, the place tells at most that it is a text document.
            let child = places
                .filter(|_| holds_texts || !matches!(value, Value::String(_)))
                .and_then(|places| places.member(id, name));
            self.path.push(index);
            let by_place = by_place.get(index).copied().flatten();
            if let Some((form, reason)) = telling.secret(name, by_place, rule) {
                self.take(value, form, reason);
            } else {
                let inherited = telling.definition.filter(|_| is_simple_value(name)).or(rule);
                self.value(value, child, inherited);
            }
            self.path.pop();
        }
    }

    /// Replaces a value by a slot. Nothing configured is no secret; neither is a truth value.
    fn take(&mut self, value: &mut Value<'_>, form: SecretForm, reason: SecretReason) {
        if value.is_empty() || matches!(value, Value::Bool(_) | Value::Secret(_)) {
            return;
        }
        let masked = value.as_str().is_some_and(|text| text.bytes().all(|byte| byte == b'*'));
        let mac = (form == SecretForm::Value && !masked).then(|| match &*value {
            Value::String(text) => self.key.mac(text.as_bytes()),
            other => self.key.mac(&other.to_canonical()),
        });
        *value = Value::Secret(self.found.len());
        self.keep(reason, mac);
    }

    fn keep(&mut self, reason: SecretReason, mac: Option<SecretMac>) {
        self.found.push((self.path.clone(), reason, mac));
    }

    fn text(&mut self, text: &str, base64: bool) -> Option<String> {
        let decoded = if base64 { decode_text(text) } else { None };
        let redacted = redact_text(decoded.as_deref().unwrap_or(text), |secret| {
            self.keep(SecretReason::Content, Some(self.key.mac(secret.as_bytes())));
            self.found.len() - 1
        })?;
        Some(if decoded.is_some() { encode_text(&redacted) } else { redacted })
    }
}

/// Reads the rules of a settings catalog instance's definition id.
pub(crate) fn definition_rules(
    object: &Value<'_>,
    place: Option<&Place>,
) -> Option<DefinitionRules> {
    let place = place.filter(|place| place.instance)?;
    let id = object.get("settingDefinitionId")?.as_str();
    definition_id_rules(Some(place), id)
}

fn definition_id_rules(place: Option<&Place>, id: Option<&str>) -> Option<DefinitionRules> {
    let is_instance = place.is_some_and(|place| place.instance);
    catalog().definitions().rules(id.filter(|_| is_instance)?)
}

/// The members of an instance that hold its own values; children are instances of their own.
pub(crate) fn is_simple_value(name: &str) -> bool {
    matches!(name, "simpleSettingValue" | "simpleSettingCollectionValue")
}

/// What the members of an object tell of each other.
struct Telling {
    /// The rules of a settings catalog instance's definition id.
    definition: Option<DefinitionRules>,
    /// Whether the value's type or state says that it is a secret.
    value_type: Option<SecretForm>,
    /// Whether a name beside the value says so.
    pair: Option<SecretForm>,
}

impl Telling {
    /// Looks at each member once: no object but an instance, a value or a pair has anything to tell.
    fn of(members: &[(Cow<'_, str>, Value<'_>)], place: Option<&Place>) -> Self {
        let [mut id, mut kind, mut state, mut name, mut key, mut app_key] = [None; 6];
        let [mut value, mut app_value] = [false; 2];
        for (member, found) in members {
            let told = match member.as_ref() {
                "settingDefinitionId" => &mut id,
                "@odata.type" => &mut kind,
                "valueState" => &mut state,
                "name" => &mut name,
                "key" => &mut key,
                "appConfigKey" => &mut app_key,
                "value" => {
                    value = true;
                    continue;
                }
                "appConfigKeyValue" => {
                    app_value = true;
                    continue;
                }
                _ => continue,
            };
            *told = found.as_str();
        }
        Self {
            definition: definition_id_rules(place, id),
            value_type: value_type_secret(kind, state),
            pair: [app_key.filter(|_| app_value), name.filter(|_| value), key.filter(|_| value)]
                .into_iter()
                .flatten()
                .find_map(pair_secret),
        }
    }
}

impl Telling {
    /// Whether a member is a secret, and by what; the first that tells counts.
    fn secret(
        &self,
        name: &str,
        by_place: Option<SecretForm>,
        rule: Option<DefinitionRules>,
    ) -> Option<(SecretForm, SecretReason)> {
        if let Some(form) = by_place {
            return Some((form, SecretReason::Place));
        }
        if name == "value" {
            if let Some(form) = rule.and_then(|rule| rule.secret) {
                return Some((form, SecretReason::DefinitionId));
            }
            if let Some(form) = self.value_type {
                return Some((form, SecretReason::ValueType));
            }
        }
        let by_name = name_secret(name).or(self.pair.filter(|_| is_pair_value(name)));
        by_name.map(|form| (form, SecretReason::MemberName))
    }
}

/// A settings catalog secret says so by its value type or its state. Unless the state says that the
/// text is plain, the value is a token that the service may give anew.
fn value_type_secret(odata_type: Option<&str>, state: Option<&str>) -> Option<SecretForm> {
    match state {
        Some("notEncrypted") => Some(SecretForm::Value),
        Some(_) => Some(SecretForm::Presence),
        None => odata_type
            .is_some_and(|name| name.ends_with("SecretSettingValue"))
            .then_some(SecretForm::Presence),
    }
}

/// The members that hold the value of a pair: `{"name": "api_key", "value": …}`, as app configurations
/// do.
fn is_pair_value(name: &str) -> bool {
    matches!(name, "value" | "appConfigKeyValue")
}

/// Whether the name of a pair is a secret's. It counts whole, or behind its last dot; signs between its
/// words do not.
fn pair_secret(name: &str) -> Option<SecretForm> {
    let last = name.rsplit('.').next().unwrap_or(name);
    let plain: String = last.chars().filter(char::is_ascii_alphanumeric).collect();
    name_secret(&plain)
}

/// The last letters of the secret names of each length, a bit each: most other names are told apart by
/// a look at this.
static LAST_LETTERS: [u32; 32] = {
    let mut table = [0; 32];
    let mut at = 0;
    while at < SECRET_NAMES.len() {
        let name = SECRET_NAMES[at].as_bytes();
        table[name.len()] |= letter_bit(name[name.len() - 1]);
        at += 1;
    }
    table
};

/// One bit for a letter in either case.
const fn letter_bit(letter: u8) -> u32 {
    1 << (letter & 31)
}

fn name_secret(name: &str) -> Option<SecretForm> {
    let last = name.bytes().next_back()?;
    let perhaps = LAST_LETTERS.get(name.len()).is_some_and(|bits| bits & letter_bit(last) != 0);
    if perhaps && SECRET_NAMES.iter().any(|secret| secret.eq_ignore_ascii_case(name)) {
        return Some(SecretForm::Value);
    }
    let ends = |ending: &&str| {
        name.len() >= ending.len()
            && name.as_bytes()[name.len() - ending.len()..].eq_ignore_ascii_case(ending.as_bytes())
    };
    // All endings end so.
    let is_blob = last.eq_ignore_ascii_case(&b'b') && BLOB_ENDINGS.iter().any(ends);
    is_blob.then_some(SecretForm::Presence)
}
