//! The issuers that a configuration trusts.

use super::{FetchedKeys, TrustedIssuer};
use jsonwebtoken::Algorithm;
use plumbline_ports::Clock;
use serde::Deserialize;
use std::sync::Arc;

/// An issuer as it is written down.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct IssuerForm {
    issuer: String,
    audience: String,
    scope: String,
    algorithms: Vec<Algorithm>,
    jwks_uri: String,
}

/// A list of issuers that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadIssuers {
    /// It is no such list.
    #[error("no list of issuers; each has issuer, audience, scope, algorithms and jwks_uri: {0}")]
    Form(String),
    /// An issuer has no algorithm, or one with a shared key.
    #[error(
        "the issuer {0} must name algorithms, and none of them with a shared key; RS256 or ES256 is usual"
    )]
    Algorithms(String),
    /// The address of an issuer's keys is of no use.
    #[error("{0}")]
    Address(String),
}

/// Reads a list of issuers, as JSON.
///
/// # Errors
/// Says what is wrong with it.
pub fn issuers(json: &[u8], clock: &Arc<dyn Clock>) -> Result<Vec<TrustedIssuer>, BadIssuers> {
    let forms: Vec<IssuerForm> =
        serde_json::from_slice(json).map_err(|error| BadIssuers::Form(error.to_string()))?;
    forms.into_iter().map(|form| trusted(form, clock)).collect()
}

fn trusted(form: IssuerForm, clock: &Arc<dyn Clock>) -> Result<TrustedIssuer, BadIssuers> {
    let shared =
        |one: &Algorithm| matches!(one, Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512);
    if form.algorithms.is_empty() || form.algorithms.iter().any(shared) {
        return Err(BadIssuers::Algorithms(form.issuer));
    }
    let keys = FetchedKeys::new(&form.jwks_uri, Arc::clone(clock)).map_err(BadIssuers::Address)?;
    Ok(TrustedIssuer {
        issuer: form.issuer,
        audience: form.audience,
        scope: form.scope,
        algorithms: form.algorithms,
        keys: Arc::new(keys),
    })
}
