//! An issuer of tokens on this machine: it answers with its keys where the gateway and the API look for
//! them, and signs what a test claims.

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use axum::routing::get;
use axum::{Json, Router};
use jsonwebtoken::jwk::{Jwk, JwkSet};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use std::sync::OnceLock;
use std::time::SystemTime;

/// Names the key.
const KID: &str = "end-to-end-1";
/// What stands before the key itself in PKCS#8 of an RSA key of 2,048 bits (RFC 5958).
const PKCS8_HEAD: usize = 26;

/// The audience and the scope of tokens for the API.
pub(crate) const AUDIENCE: &str = "plumbline";

pub(crate) struct Issuer {
    /// The `iss` of its tokens.
    pub(crate) url: String,
    key: EncodingKey,
    _runtime: tokio::runtime::Runtime,
}

impl Issuer {
    /// The one that all tests share.
    pub(crate) fn shared() -> &'static Self {
        static SHARED: OnceLock<Issuer> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    fn start() -> Self {
        let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
        let der: Pkcs8V1Der<'_> = pair.as_der().unwrap();
        let key = EncodingKey::from_rsa_der(&der.as_ref()[PKCS8_HEAD..]);
        let mut jwk = Jwk::from_encoding_key(&key, Algorithm::RS256).unwrap();
        jwk.common.key_id = Some(KID.to_owned());
        let keys = JwkSet { keys: vec![jwk] };
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let about = json!({ "issuer": url, "jwks_uri": format!("{url}/keys") });
        let router = Router::new()
            .route("/keys", get(|| async move { Json(keys) }))
            .route("/.well-known/openid-configuration", get(|| async move { Json(about) }));
        runtime.spawn(async move { axum::serve(listener, router).await });
        Self { url, key, _runtime: runtime }
    }

    /// Where its keys are.
    pub(crate) fn keys_url(&self) -> String {
        format!("{}/keys", self.url)
    }

    /// A sound token for a subject, good for an hour.
    pub(crate) fn token(&self, subject: &str) -> String {
        #[expect(clippy::disallowed_methods, reason = "the gateway checks it against the time")]
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
        self.sign(&json!({
            "iss": self.url, "sub": subject, "aud": AUDIENCE, "scope": AUDIENCE,
            "iat": now, "exp": now + 3_600,
        }))
    }

    /// Signs claims.
    pub(crate) fn sign(&self, claims: &Value) -> String {
        let mut header = Header::new(Algorithm::RS256);
        header.kid = Some(KID.to_owned());
        jsonwebtoken::encode(&header, claims, &self.key).unwrap()
    }
}
