//! Secrets: the key they are compared under, and what is kept of each.

use crate::reference::Facet;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use std::fmt;

/// A key under which secrets are compared. Two MACs mean something together only under one key.
#[derive(Clone)]
pub struct SecretKey {
    id: String,
    bytes: [u8; 32],
}

impl SecretKey {
    /// Builds a key from 32 secret bytes and the name it is known by.
    #[must_use]
    pub fn new(id: impl Into<String>, bytes: [u8; 32]) -> Self {
        Self { id: id.into(), bytes }
    }

    /// The name of the key; public.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Computes the MAC of a secret.
    ///
    /// # Panics
    /// Never: HMAC takes a key of any length.
    #[must_use]
    pub fn mac(&self, secret: &[u8]) -> SecretMac {
        SecretMac(self.keyed(&[b"plumbline secret v1\0", secret].concat()))
    }

    fn keyed(&self, bytes: &[u8]) -> [u8; 32] {
        #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.bytes).expect("any length will do");
        mac.update(bytes);
        mac.finalize().into_bytes().into()
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SecretKey").field("id", &self.id).finish_non_exhaustive()
    }
}

/// The keyed MAC of one secret. It is stored and compared, never shown: there is no `Display`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SecretMac([u8; 32]);

impl SecretMac {
    /// Takes the bytes back from storage.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Returns the bytes, for storage.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for SecretMac {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SecretMac(…)")
    }
}

/// Why a value was taken out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SecretReason {
    /// The rules name the place.
    Place,
    /// The definition id tells.
    DefinitionId,
    /// The value's type tells.
    ValueType,
    /// The whole name of the member tells.
    MemberName,
    /// The text has the form of a credential.
    Content,
}

/// One secret that was taken out of a payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Secret {
    /// JSON pointer into the payload.
    pub pointer: String,
    /// Why it was taken out.
    pub reason: SecretReason,
    /// The name of the key of `mac`.
    pub key_id: String,
    /// `None` where only presence counts: masked values and tokens that change by themselves.
    pub mac: Option<SecretMac>,
}

/// A secret's place in the normal form, and what is compared of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
pub struct SecretAt {
    /// The facet it belongs to.
    pub facet: Facet,
    /// Where it stands in the normal form.
    pub path: String,
    /// The name of the key of `mac`.
    pub key_id: String,
    /// See [`Secret::mac`].
    pub mac: Option<SecretMac>,
}

/// The keyed hash that stands for an id in artefacts that must not hold it (contracts 5.8), as 64
/// hexadecimal digits. It never meets the MAC of a secret: each has a beginning of its own.
#[must_use]
pub fn identity_ref(key: &SecretKey, policy_type: &str, external_id: &str) -> String {
    let parts = ["plumbline identity v1", policy_type, &external_id.to_ascii_lowercase()];
    let mut out = String::with_capacity(64);
    for byte in key.keyed(parts.join("\0").as_bytes()) {
        use std::fmt::Write as _;
        // Writing to a string cannot fail.
        let _ = write!(out, "{byte:02x}");
    }
    out
}
