//! Who is calling: bearer tokens of trusted issuers. A token says only who somebody is; what they may do
//! stands in their membership.

mod development;
mod issuers;
mod keys;

pub use development::{DEVELOPMENT_ISSUER, Development};
pub use issuers::{BadIssuers, issuers};
pub use keys::{FetchedKeys, FixedKeys, KeyError, Keys};

use crate::problem::{Problem, UNAUTHENTICATED, UNAVAILABLE};
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use plumbline_operations::Person;
use plumbline_ports::Clock;
use serde::Deserialize;
use std::sync::Arc;

/// What stands in a token's audience for this API, unless the configuration says otherwise.
pub const AUDIENCE: &str = "plumbline";
/// The scope that tells an access token for this API from an ID token of the same issuer.
pub const SCOPE: &str = "plumbline";
/// A longer token is not looked at.
const MAX_TOKEN: usize = 8 * 1024;
/// A longer key id is not looked up.
const MAX_KID: usize = 200;
/// How far the clocks of an issuer and of this program may be apart.
const LEEWAY: SignedDuration = SignedDuration::from_secs(60);

/// An issuer whose tokens are taken.
pub struct TrustedIssuer {
    /// Its `iss`, to the letter.
    pub issuer: String,
    /// The `aud` that its tokens for this API have.
    pub audience: String,
    /// The scope that its access tokens for this API have.
    pub scope: String,
    /// The signatures that it makes; nothing else is taken from it. Only asymmetric ones make sense: a
    /// shared key would let everyone who can check a token make one.
    pub algorithms: Vec<Algorithm>,
    /// Its public keys.
    pub keys: Arc<dyn Keys>,
}

/// Checks tokens.
pub struct Verifier {
    issuers: Vec<TrustedIssuer>,
    clock: Arc<dyn Clock>,
}

/// What is read from a token that holds.
#[derive(Debug, Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: OneOrMany,
    exp: i64,
    #[serde(default)]
    nbf: Option<i64>,
    #[serde(default)]
    scope: Option<String>,
    #[serde(default)]
    scp: Option<OneOrMany>,
}

/// Issuers write one word or a list.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl OneOrMany {
    fn holds(&self, word: &str) -> bool {
        match self {
            Self::One(one) => one == word,
            Self::Many(many) => many.iter().any(|one| one == word),
        }
    }
}

impl Claims {
    fn has_scope(&self, scope: &str) -> bool {
        let spaced = |text: &str| text.split(' ').any(|word| word == scope);
        self.scope.as_deref().is_some_and(spaced)
            || match &self.scp {
                Some(OneOrMany::One(text)) => spaced(text),
                Some(OneOrMany::Many(words)) => words.iter().any(|word| word == scope),
                None => false,
            }
    }
}

/// Only the issuer, before anything is checked: it chooses the keys.
#[derive(Deserialize)]
struct IssuerOnly {
    iss: String,
}

impl Verifier {
    /// Trusts these issuers, and the clock for when a token ends.
    #[must_use]
    pub fn new(issuers: Vec<TrustedIssuer>, clock: Arc<dyn Clock>) -> Self {
        Self { issuers, clock }
    }

    /// Reads who sent a request from its `Authorization` header.
    ///
    /// # Errors
    /// Unauthenticated, with the reason; unavailable when the issuer's keys cannot be had.
    pub async fn person(&self, authorization: Option<&str>) -> Result<Person, Problem> {
        let refuse = |reason: &str| UNAUTHENTICATED.because(reason.to_owned());
        let header =
            authorization.ok_or_else(|| refuse("the request has no `Authorization` header"))?;
        let token = header
            .split_once(' ')
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, token)| token.trim())
            .ok_or_else(|| refuse("the `Authorization` header is no bearer token"))?;
        if token.len() > MAX_TOKEN {
            return Err(refuse("the token is too long"));
        }
        let head = decode_header(token).map_err(|_| refuse("the token cannot be read"))?;
        let unchecked: IssuerOnly = jsonwebtoken::dangerous::insecure_decode_claims(token)
            .map_err(|_| refuse("the token cannot be read"))?;
        let issuer = self
            .issuers
            .iter()
            .find(|known| known.issuer == unchecked.iss)
            .ok_or_else(|| refuse("the token is of an issuer that is not trusted here"))?;
        if !issuer.algorithms.contains(&head.alg) {
            return Err(refuse("the token is signed in a way that is not taken from its issuer"));
        }
        let kid = head.kid.unwrap_or_default();
        if kid.len() > MAX_KID {
            return Err(refuse("the token's key id is too long"));
        }
        let key: DecodingKey = issuer.keys.find(&kid).await.map_err(|error| match error {
            KeyError::Unknown => {
                refuse("the token is signed with a key that its issuer does not have")
            }
            KeyError::Unavailable(reason) => {
                tracing::error!("the keys of the issuer {} cannot be had: {reason}", issuer.issuer);
                UNAVAILABLE
                    .because("the keys of the token's issuer cannot be had at the moment")
                    .after(5)
            }
        })?;
        let claims = decode::<Claims>(token, &key, &signature_alone(head.alg))
            .map_err(|_| refuse("the token's signature or form is wrong"))?
            .claims;
        self.check(issuer, &claims).map_err(refuse)?;
        Ok(Person { issuer: claims.iss, subject: claims.sub })
    }

    fn check(&self, issuer: &TrustedIssuer, claims: &Claims) -> Result<(), &'static str> {
        let now = self.clock.now();
        let moment =
            |second| Timestamp::from_second(second).map_err(|_| "the token has no real times");
        if claims.iss != issuer.issuer || !claims.aud.holds(&issuer.audience) {
            return Err("the token is not meant for this API");
        }
        if moment(claims.exp)?.saturating_add(LEEWAY).unwrap_or(Timestamp::MIN) <= now {
            return Err("the token has expired");
        }
        if let Some(begin) = claims.nbf
            && moment(begin)? > now.saturating_add(LEEWAY).unwrap_or(Timestamp::MAX)
        {
            return Err("the token is not valid yet");
        }
        if !claims.has_scope(&issuer.scope) {
            return Err(
                "the token lacks the scope for this API; send an access token, no ID token",
            );
        }
        if claims.sub.trim().is_empty() || claims.sub.len() > plumbline_governance::text::MAX_NAME {
            return Err("the token names nobody");
        }
        Ok(())
    }
}

/// The library checks the signature. All else is checked here, against a clock that tests can set.
fn signature_alone(algorithm: Algorithm) -> Validation {
    let mut validation = Validation::new(algorithm);
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.validate_aud = false;
    validation.required_spec_claims.clear();
    validation
}
