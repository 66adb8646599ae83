//! What is kept of a payload: the redacted document, its secrets' MACs, and the versions of both.
//! Everything that follows (normal form, digests, evidence) can be derived from it again.

use crate::base64::{decode_text, encode_text};
use crate::catalog::{Encoding, Places, PolicyType, catalog};
use crate::json::{DecodeError, Value, parse};
use crate::policy::Payload;
use crate::redact::REDACTION_VERSION;
use crate::secret::{Secret, SecretMac, SecretReason};
use crate::tenant::Localiser;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Stored bytes that are no payload.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoredError {
    /// The bytes are not what this program writes.
    #[error("a stored payload cannot be read: {0}")]
    Form(String),
    /// A newer program wrote them.
    #[error(
        "a stored payload has redaction version {0}, and this program knows {REDACTION_VERSION}; \
         use the newer program"
    )]
    Newer(u32),
    /// The catalog no longer holds the type.
    #[error("a stored payload has the unknown type `{0}`")]
    UnknownType(String),
}

#[derive(Deserialize, Serialize)]
struct Head<'h> {
    redaction_version: u32,
    policy_type: Cow<'h, str>,
    secrets: Vec<SecretRow<'h>>,
}

/// A secret as it is stored beside its document.
#[derive(Deserialize, Serialize)]
struct SecretRow<'h> {
    at: Cow<'h, str>,
    reason: SecretReason,
    key: Cow<'h, str>,
    mac: Option<SecretMac>,
}

impl Payload<'_> {
    /// Writes what is stored: one line with versions, type and secrets, and one with the canonical
    /// document, in which each secret is the constant slot.
    #[must_use]
    pub fn to_stored(&self) -> Vec<u8> {
        let head = Head {
            redaction_version: REDACTION_VERSION,
            policy_type: Cow::Borrowed(&self.policy_type.key),
            secrets: self
                .secrets
                .iter()
                .map(|secret| SecretRow {
                    at: Cow::Borrowed(&secret.pointer),
                    reason: secret.reason,
                    key: Cow::Borrowed(&secret.key_id),
                    mac: secret.mac,
                })
                .collect(),
        };
        // A head of strings and numbers always serialises.
        let mut out = serde_json::to_vec(&head).unwrap_or_default();
        out.push(b'\n');
        self.document.write_canonical(&mut out);
        out
    }

    /// Reads what [`Payload::to_stored`] wrote.
    ///
    /// # Errors
    /// Says what is wrong with the bytes.
    pub fn from_stored(bytes: &[u8]) -> Result<Payload<'static>, StoredError> {
        let form = |what: &dyn std::fmt::Display| StoredError::Form(what.to_string());
        let text = std::str::from_utf8(bytes).map_err(|error| form(&error))?;
        let (head, document) =
            text.split_once('\n').ok_or_else(|| form(&"it has no first line"))?;
        let head: Head<'_> = serde_json::from_str(head).map_err(|error| form(&error))?;
        if head.redaction_version > REDACTION_VERSION {
            return Err(StoredError::Newer(head.redaction_version));
        }
        let policy_type = catalog()
            .get(&head.policy_type)
            .map_err(|_| StoredError::UnknownType(head.policy_type.to_string()))?;
        let mut document = parse(document).map_err(|error: DecodeError| form(&error))?.into_owned();
        let mut path = String::new();
        let places: BTreeMap<&str, usize> =
            head.secrets.iter().enumerate().map(|(at, row)| (row.at.as_ref(), at)).collect();
        restore(&mut document, &mut path, &places)
            .map_err(|at| form(&format!("the secret at `{at}` is not listed")))?;
        let secrets = head
            .secrets
            .into_iter()
            .map(|row| Secret {
                pointer: row.at.into_owned(),
                reason: row.reason,
                key_id: row.key.into_owned(),
                mac: row.mac,
            })
            .collect();
        Ok(Payload { document, secrets, policy_type })
    }

    /// The payload as a baseline holds it: facts of the tenant are placeholders, and ids that name the
    /// object or its parts are gone. The normal form is the same as before. The ids of roles stay: a
    /// role is its id.
    #[must_use]
    pub fn without_tenant(&self, localiser: &Localiser) -> Payload<'static> {
        let own = self.own_localiser(localiser);
        let mut document = self.document.clone().into_owned();
        strip(&mut document, self.policy_type, own.as_ref().unwrap_or(localiser));
        Payload { document, secrets: self.secrets.clone(), policy_type: self.policy_type }
    }
}

/// Turns slots back into secrets. Members that begin with `$` were doubled on the way in, so a member
/// `$secret` is always a slot.
fn restore(
    value: &mut Value<'static>,
    path: &mut String,
    secrets: &BTreeMap<&str, usize>,
) -> Result<(), String> {
    match value {
        Value::Object(members) => {
            if let [(name, Value::Bool(true))] = members.as_slice()
                && name == "$secret"
            {
                let at = secrets.get(path.as_str()).ok_or_else(|| path.clone())?;
                *value = Value::Secret(*at);
                return Ok(());
            }
            for (name, member) in members {
                let length = path.len();
                path.push('/');
                path.push_str(&name.replace('~', "~0").replace('/', "~1"));
                restore(member, path, secrets)?;
                path.truncate(length);
            }
        }
        Value::List(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                let length = path.len();
                path.push('/');
                path.push_str(&index.to_string());
                restore(item, path, secrets)?;
                path.truncate(length);
            }
        }
        _ => {}
    }
    Ok(())
}

fn strip(document: &mut Value<'static>, policy_type: &PolicyType, localiser: &Localiser) {
    let places = policy_type.places();
    let mut own = None;
    if let Value::Object(members) = document
        && !policy_type.is_role_definition()
    {
        own = document_id(members).map(str::to_owned);
        members.retain(|(name, _)| name != "id");
    }
    let taken = Taken { places, localiser, own: own.as_deref() };
    taken.strip(document, Some(Places::ROOT));
}

fn document_id<'m>(members: &'m [(Cow<'static, str>, Value<'static>)]) -> Option<&'m str> {
    let id = members.iter().find(|(name, _)| name == "id")?;
    id.1.as_str().filter(|id| !id.is_empty())
}

/// What is taken out of a payload of a baseline.
struct Taken<'t> {
    places: &'t Places,
    localiser: &'t Localiser,
    /// The object's own id, which noise such as an assignment's source names too.
    own: Option<&'t str>,
}

impl Taken<'_> {
    fn strip(&self, value: &mut Value<'static>, id: Option<crate::catalog::PlaceId>) {
        let places = self.places;
        match value {
            Value::String(text) => {
                let encoding =
                    id.and_then(|id| places.place(id).text.as_ref()).map(|(form, _)| *form);
                if let Some(local) = localised(text, encoding, self.localiser) {
                    *text = Cow::Owned(local);
                }
            }
            Value::List(items) => {
                let inner = places.items(id);
                for item in items {
                    self.strip(item, inner.or(id));
                }
            }
            Value::Object(members) => {
                let inner = places.items(id).or(id);
                members.retain(|(name, member)| {
                    let noise = places
                        .member(inner, name)
                        .is_some_and(|place| places.place(place).drop.is_some());
                    let names_own = || {
                        self.own.zip(member.as_str()).is_some_and(|(own, text)| text.contains(own))
                    };
                    !(noise && (name == "id" || names_own()))
                });
                for (name, member) in members {
                    self.strip(member, places.member(inner, name));
                }
            }
            _ => {}
        }
    }
}

/// The text with placeholders; `None` where nothing is replaced. A document in Base64 is looked into.
fn localised(text: &str, encoding: Option<Encoding>, localiser: &Localiser) -> Option<String> {
    if matches!(encoding, Some(Encoding::Base64 | Encoding::Base64Json))
        && let Some(decoded) = decode_text(text)
    {
        return match localiser.localise(&decoded) {
            Cow::Owned(local) => Some(encode_text(&local)),
            Cow::Borrowed(_) => None,
        };
    }
    match localiser.localise(text) {
        Cow::Owned(local) => Some(local),
        Cow::Borrowed(_) => None,
    }
}

impl Serialize for SecretMac {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut text = String::with_capacity(64);
        for byte in self.as_bytes() {
            use std::fmt::Write as _;
            // Writing to a string cannot fail.
            let _ = write!(text, "{byte:02x}");
        }
        serializer.serialize_str(&text)
    }
}

impl<'de> Deserialize<'de> for SecretMac {
    fn deserialize<D: serde::Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        let digest = crate::digest::Digest::deserialize(source)?;
        Ok(Self::from_bytes(*digest.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classify::Surroundings;
    use crate::policy::{Facets, admit};
    use crate::secret::SecretKey;
    use crate::tenant::TenantFacts;

    const WIFI: &str = r##"{"@odata.type":"#microsoft.graph.windowsWifiConfiguration",
        "id":"5e11ab1e-0000-4000-8000-000000000001","displayName":"Wi-Fi","preSharedKey":"hunter2hunter2",
        "ssid":"plant.alder.example","$odd":"x","assignments":[{"id":"a_b",
        "sourceId":"5e11ab1e-0000-4000-8000-000000000001","target":{
        "@odata.type":"#microsoft.graph.groupAssignmentTarget","groupId":"5e11ab1e-0000-4000-8000-000000000002"}}]}"##;

    fn admitted(text: &str) -> Payload<'static> {
        let around = Surroundings { page_context: None, folders: &[] };
        let (payload, _) = admit(
            crate::json::parse_payload(text).unwrap(),
            around,
            &SecretKey::new("k1", [3; 32]),
        )
        .unwrap();
        Payload {
            document: payload.document.into_owned(),
            secrets: payload.secrets,
            policy_type: payload.policy_type,
        }
    }

    #[test]
    fn a_payload_comes_back_as_it_was_stored() {
        let payload = admitted(WIFI);
        let bytes = payload.to_stored();
        assert!(!String::from_utf8_lossy(&bytes).contains("hunter2"));
        let back = Payload::from_stored(&bytes).unwrap();
        assert_eq!(back.secrets, payload.secrets);
        assert_eq!(back.to_stored(), bytes);
        let localiser = Localiser::new(&TenantFacts::default());
        assert_eq!(back.read(&localiser), payload.read(&localiser));
    }

    #[test]
    fn a_baseline_payload_names_no_tenant_and_hashes_the_same() {
        let payload = admitted(WIFI);
        let facts = TenantFacts { domains: vec!["alder.example".to_owned()], ..Default::default() };
        let localiser = Localiser::new(&facts);
        let baseline = payload.without_tenant(&localiser);
        let text = String::from_utf8(baseline.to_stored()).unwrap();
        assert!(!text.contains("alder") && !text.contains("8000-000000000001"), "{text}");
        assert!(!text.contains("a_b"), "{text}");
        let nobody = Localiser::new(&TenantFacts::default());
        assert_eq!(Facets::of(&baseline.read(&nobody)), Facets::of(&payload.read(&localiser)));
    }

    #[test]
    fn damaged_and_newer_bytes_are_refused_by_name() {
        let bytes = String::from_utf8(admitted(WIFI).to_stored()).unwrap();
        let said = |text: &str| Payload::from_stored(text.as_bytes()).unwrap_err();
        assert_eq!(said(&bytes.replacen("version\":1", "version\":9", 1)), StoredError::Newer(9));
        assert_eq!(
            said(&bytes.replacen("deviceConfiguration", "nonsense", 1)),
            StoredError::UnknownType("nonsense".to_owned())
        );
        for text in ["", "{}", "{}\n{}", &bytes[..bytes.len() - 1]] {
            assert!(matches!(said(text), StoredError::Form(_)), "{text}");
        }
        let unlisted = bytes.replacen("/preSharedKey", "/other", 1);
        assert!(said(&unlisted).to_string().contains("is not listed"));
    }
}
