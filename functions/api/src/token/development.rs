//! Tokens for one machine: `plumbline serve` is its own issuer. The key is derived from the root key of
//! the data directory, so that whoever may read the directory's secrets may mint, and nobody else.

use super::{AUDIENCE, FixedKeys, SCOPE, TrustedIssuer};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hkdf::Hkdf;
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::jwk::{Jwk, JwkSet};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use plumbline_ports::RootKey;
use serde::Serialize;
use sha2::Sha256;
use std::sync::Arc;

/// The issuer of tokens that a data directory mints for itself. Members that were added on the command
/// line are of this issuer.
pub const DEVELOPMENT_ISSUER: &str = "local";
/// Names the key.
const KID: &str = "development-1";
/// What stands before the 32 bytes of an Ed25519 key in PKCS#8 (RFC 8410).
const PKCS8: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];

/// Mints tokens, and checks them.
pub struct Development {
    key: EncodingKey,
    public: String,
}

#[derive(Serialize)]
struct Claims<'c> {
    iss: &'static str,
    sub: &'c str,
    aud: &'static str,
    scope: &'static str,
    iat: i64,
    exp: i64,
}

/// The library would not work with a key that was derived; it says why.
#[derive(Debug, thiserror::Error)]
#[error("no token can be made: {0}")]
pub struct MintError(String);

impl Development {
    /// Derives the key.
    ///
    /// # Errors
    /// The cryptography's, which no root key brings about.
    pub fn new(root: &RootKey) -> Result<Self, MintError> {
        let failed = |error: &dyn std::fmt::Display| MintError(error.to_string());
        let mut seed = [0; 32];
        Hkdf::<Sha256>::new(None, root.expose())
            .expand(b"plumbline development tokens v1", &mut seed)
            .map_err(|error| failed(&error))?;
        let pair = Ed25519KeyPair::from_seed_unchecked(&seed).map_err(|error| failed(&error))?;
        let public = URL_SAFE_NO_PAD.encode(pair.public_key().as_ref());
        let key = EncodingKey::from_ed_der(&[PKCS8.as_slice(), &seed].concat());
        Ok(Self { key, public })
    }

    /// Makes a token for a subject, good for a time.
    ///
    /// # Errors
    /// The cryptography's.
    pub fn mint(
        &self,
        subject: &str,
        now: Timestamp,
        good_for: SignedDuration,
    ) -> Result<String, MintError> {
        let iat = now.as_second();
        let exp = iat.saturating_add(good_for.as_secs());
        self.sign(&Claims {
            iss: DEVELOPMENT_ISSUER,
            sub: subject,
            aud: AUDIENCE,
            scope: SCOPE,
            iat,
            exp,
        })
    }

    /// Signs claims of any kind.
    ///
    /// # Errors
    /// The cryptography's.
    pub fn sign(&self, claims: &impl Serialize) -> Result<String, MintError> {
        self.sign_as(KID, claims)
    }

    /// Signs claims under another key id.
    ///
    /// # Errors
    /// The cryptography's.
    pub fn sign_as(&self, kid: &str, claims: &impl Serialize) -> Result<String, MintError> {
        let mut header = Header::new(Algorithm::EdDSA);
        header.kid = Some(kid.to_owned());
        header.typ = Some("at+jwt".to_owned());
        encode(&header, claims, &self.key).map_err(|error| MintError(error.to_string()))
    }

    /// The public key, as a JWK writes it.
    #[must_use]
    pub fn public_key(&self) -> &str {
        &self.public
    }

    /// The issuer, to be trusted.
    ///
    /// # Errors
    /// The cryptography's.
    pub fn issuer(&self) -> Result<TrustedIssuer, MintError> {
        let jwk: Jwk = serde_json::from_value(serde_json::json!({
            "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "kid": KID, "x": self.public,
        }))
        .map_err(|error| MintError(error.to_string()))?;
        Ok(TrustedIssuer {
            issuer: DEVELOPMENT_ISSUER.to_owned(),
            audience: AUDIENCE.to_owned(),
            scope: SCOPE.to_owned(),
            algorithms: vec![Algorithm::EdDSA],
            keys: Arc::new(FixedKeys::new(JwkSet { keys: vec![jwk] })),
        })
    }
}
