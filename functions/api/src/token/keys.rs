//! The public keys of an issuer.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::DecodingKey;
use jsonwebtoken::jwk::JwkSet;
use plumbline_ports::Clock;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;

/// Why there is no key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyError {
    /// The issuer has none of that id.
    Unknown,
    /// The issuer does not answer, and nothing is known of its keys yet.
    Unavailable(String),
}

/// Gives the public keys of one issuer. A key id is only ever compared with known ones: it is never a
/// path, an address or anything else that a caller could point somewhere.
#[async_trait]
pub trait Keys: Send + Sync {
    /// Finds a key by its id. A token without one has the empty id, which finds the key of an issuer that
    /// has a single one.
    async fn find(&self, kid: &str) -> Result<DecodingKey, KeyError>;
}

/// Keys that do not change while the program runs.
pub struct FixedKeys(JwkSet);

impl FixedKeys {
    /// Holds these keys.
    #[must_use]
    pub fn new(keys: JwkSet) -> Self {
        Self(keys)
    }
}

#[async_trait]
impl Keys for FixedKeys {
    async fn find(&self, kid: &str) -> Result<DecodingKey, KeyError> {
        pick(&self.0, kid)
    }
}

fn pick(keys: &JwkSet, kid: &str) -> Result<DecodingKey, KeyError> {
    let found = match (kid, keys.keys.as_slice()) {
        ("", [only]) => Some(only),
        ("", _) => None,
        (kid, _) => keys.find(kid),
    };
    DecodingKey::from_jwk(found.ok_or(KeyError::Unknown)?).map_err(|_| KeyError::Unknown)
}

/// Keys are fetched again after so long.
const FRESH: SignedDuration = SignedDuration::from_hours(1);
/// A key id that is not known makes the keys be fetched again, but not more often than so. Otherwise
/// anyone could make the program call the issuer with made-up key ids.
const PAUSE: SignedDuration = SignedDuration::from_secs(60);
/// An answer that is larger holds no keys.
const MAX_BYTES: usize = 256 * 1024;

/// Keys at an issuer's address (its `jwks_uri`), kept until they are old or one is missing. Keys that are
/// known stay in use while the issuer does not answer.
pub struct FetchedKeys {
    url: reqwest::Url,
    client: reqwest::Client,
    clock: Arc<dyn Clock>,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    keys: Option<JwkSet>,
    fetched_at: Option<Timestamp>,
    tried_at: Option<Timestamp>,
}

impl FetchedKeys {
    /// Prepares fetching from an address. It comes from the configuration, never from a token.
    ///
    /// # Errors
    /// Says what is wrong with the address, or that TLS cannot be set up.
    pub fn new(url: &str, clock: Arc<dyn Clock>) -> Result<Self, String> {
        let url: reqwest::Url =
            url.parse().map_err(|error| format!("`{url}` is no address: {error}"))?;
        let is_here = matches!(url.host_str(), Some("127.0.0.1" | "localhost"));
        if url.scheme() != "https" && !is_here {
            return Err(format!("`{url}` is not https; keys are fetched over TLS only"));
        }
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_secs(5))
            .build()
            .map_err(|error| format!("no HTTP client: {error}"))?;
        Ok(Self { url, client, clock, kept: Mutex::new(Kept::default()) })
    }

    async fn fetch(&self) -> Result<JwkSet, String> {
        let answer =
            self.client.get(self.url.clone()).send().await.map_err(|error| error.to_string())?;
        if !answer.status().is_success() {
            return Err(format!("it answered {}", answer.status()));
        }
        if answer.content_length().is_some_and(|length| length > MAX_BYTES as u64) {
            return Err("its answer is too large".to_owned());
        }
        let bytes = answer.bytes().await.map_err(|error| error.to_string())?;
        if bytes.len() > MAX_BYTES {
            return Err("its answer is too large".to_owned());
        }
        serde_json::from_slice(&bytes).map_err(|error| format!("its answer holds no keys: {error}"))
    }
}

#[async_trait]
impl Keys for FetchedKeys {
    async fn find(&self, kid: &str) -> Result<DecodingKey, KeyError> {
        let mut kept = self.kept.lock().await;
        let now = self.clock.now();
        let within = |at: Option<Timestamp>, span: SignedDuration| {
            at.is_some_and(|at| now.duration_since(at).abs() < span)
        };
        let found = kept.keys.as_ref().map(|keys| pick(keys, kid));
        let is_known = matches!(found, Some(Ok(_)));
        let may_ask = !within(kept.tried_at, PAUSE)
            || kept.keys.is_none() && !within(kept.tried_at, SignedDuration::from_secs(1));
        if (!is_known || !within(kept.fetched_at, FRESH)) && may_ask {
            kept.tried_at = Some(now);
            match self.fetch().await {
                Ok(keys) => {
                    kept.fetched_at = Some(now);
                    let found = pick(&keys, kid);
                    kept.keys = Some(keys);
                    return found;
                }
                Err(reason) if kept.keys.is_none() => return Err(KeyError::Unavailable(reason)),
                Err(reason) => tracing::warn!("keys are not fetched from {}: {reason}", self.url),
            }
        }
        match found {
            Some(found) => found,
            None => Err(KeyError::Unavailable("it did not answer a moment ago".to_owned())),
        }
    }
}
