//! Tokens, one kind of bad one after another (reliability 2.3).

use crate::world::{Call, World};
use async_trait::async_trait;
use axum::Router;
use axum::routing::get;
use jiff::SignedDuration;
use jsonwebtoken::Algorithm;
use plumbline_api::token::{FetchedKeys, KeyError, Keys, TrustedIssuer, Verifier};
use plumbline_ports::Clock as _;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

fn list() -> Call {
    Call::get("/v1/workspaces")
}

/// Claims of a sound token, with some of them changed; null takes one away.
fn claims(world: &World, change: &Value) -> Value {
    let now = world.clock.now().as_second();
    let mut claims = json!({
        "iss": "local", "sub": "olga", "aud": "plumbline", "scope": "plumbline",
        "iat": now, "exp": now + 3600,
    });
    for (name, value) in change.as_object().unwrap() {
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(name);
        } else {
            claims[name] = value.clone();
        }
    }
    claims
}

fn status(world: &World, change: &Value) -> u16 {
    world.send(list().token(&world.sign(&claims(world, change)))).status
}

#[test]
fn a_sound_token_is_taken() {
    let world = World::new();
    assert_eq!(status(&world, &json!({})), 200);
}

#[test]
fn alg_none() {
    let world = World::new();
    let sound = world.sign(&claims(&world, &json!({})));
    let body = sound.split('.').nth(1).unwrap();
    // {"alg":"none"} and {"alg":"None"}, with and without a signature.
    for head in ["eyJhbGciOiJub25lIn0", "eyJhbGciOiJOb25lIn0"] {
        for signature in ["", "x"] {
            let token = format!("{head}.{body}.{signature}");
            assert_eq!(world.send(list().token(&token)).problem(), "unauthenticated", "{token}");
        }
    }
}

#[test]
fn hs256_with_the_public_key() {
    let world = World::new();
    for secret in [world.public_key().into_bytes(), b"".to_vec()] {
        for algorithm in [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512] {
            let key = jsonwebtoken::EncodingKey::from_secret(&secret);
            let mut header = jsonwebtoken::Header::new(algorithm);
            header.kid = Some("development-1".to_owned());
            let token = jsonwebtoken::encode(&header, &claims(&world, &json!({})), &key).unwrap();
            assert_eq!(world.send(list().token(&token)).problem(), "unauthenticated");
        }
    }
}

#[test]
fn a_kid_that_is_a_path_or_an_address() {
    let world = World::new();
    for kid in ["../../etc/passwd", "http://169.254.169.254/key", "/dev/null", "' or 1=1 --", "\0"]
    {
        let token = world.mint.sign_as(kid, &claims(&world, &json!({}))).unwrap();
        assert_eq!(world.send(list().token(&token)).problem(), "unauthenticated", "{kid:?}");
    }
    let long = world.mint.sign_as(&"k".repeat(1_000), &claims(&world, &json!({}))).unwrap();
    assert_eq!(world.send(list().token(&long)).problem(), "unauthenticated");
}

#[test]
fn huge_claims() {
    let world = World::new();
    assert_eq!(status(&world, &json!({ "pad": "x".repeat(20_000) })), 401);
    let deep = (0..2_000).fold(json!(1), |inner, _| json!([inner]));
    // A claim that nobody reads is passed over, however deep.
    assert!(matches!(status(&world, &json!({ "deep": deep })), 200 | 401));
    assert_eq!(status(&world, &json!({ "sub": "s".repeat(500) })), 401);
    assert_eq!(status(&world, &json!({ "sub": " " })), 401);
}

#[test]
fn an_audience_that_is_a_list() {
    let world = World::new();
    assert_eq!(status(&world, &json!({ "aud": ["other", "plumbline"] })), 200);
    assert_eq!(status(&world, &json!({ "aud": ["other"] })), 401);
    assert_eq!(status(&world, &json!({ "aud": [] })), 401);
    assert_eq!(status(&world, &json!({ "aud": null })), 401);
    assert_eq!(status(&world, &json!({ "aud": "plumbline2" })), 401);
}

#[test]
fn a_missing_scope() {
    let world = World::new();
    assert_eq!(status(&world, &json!({ "scope": null })), 401);
    assert_eq!(status(&world, &json!({ "scope": "" })), 401);
    assert_eq!(status(&world, &json!({ "scope": "plumbliner openid" })), 401);
    assert_eq!(status(&world, &json!({ "scope": "openid plumbline" })), 200);
    assert_eq!(status(&world, &json!({ "scope": null, "scp": "plumbline openid" })), 200);
    assert_eq!(status(&world, &json!({ "scope": null, "scp": ["plumbline"] })), 200);
}

#[test]
fn clocks_that_are_apart() {
    let world = World::new();
    let now = world.clock.now().as_second();
    // A minute is taken, ten are not.
    assert_eq!(status(&world, &json!({ "exp": now - 30 })), 200);
    assert_eq!(status(&world, &json!({ "exp": now - 600 })), 401);
    assert_eq!(status(&world, &json!({ "nbf": now + 30 })), 200);
    assert_eq!(status(&world, &json!({ "nbf": now + 600 })), 401);
    assert_eq!(status(&world, &json!({ "exp": null })), 401);
    assert_eq!(status(&world, &json!({ "exp": i64::MAX })), 401);
    assert_eq!(status(&world, &json!({ "exp": "soon" })), 401);
}

#[test]
fn headers_that_are_no_bearer_token() {
    let world = World::new();
    let token = world.token("olga");
    for header in [
        String::new(),
        "Bearer".to_owned(),
        format!("Basic {token}"),
        format!("Bearer{token}"),
        token.clone(),
        format!("Bearer {token} {token}"),
        format!("Bearer {}", &token[..token.len() - 2]),
    ] {
        let answer = world.send(list().header("authorization", &header));
        assert_eq!(answer.problem(), "unauthenticated", "{header}");
        assert!(answer.header("www-authenticate").is_some());
    }
    assert_eq!(world.send(list().header("authorization", &format!("bearer {token}"))).status, 200);
    // A token in the address would stand in logs; it is not taken there.
    assert_eq!(world.send(Call::get(format!("/v1/workspaces?access_token={token}"))).status, 401);
}

/// The keys of an issuer are fetched once, again when one is missing, and not for every made-up key id.
#[test]
fn keys_are_kept_and_fetched_again() {
    let world = World::new();
    let asked = Arc::new(AtomicUsize::new(0));
    let jwks = json!({ "keys": [{
        "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "kid": "development-1", "x": world.public_key(),
    }] });
    let count = Arc::clone(&asked);
    let app = Router::new().route(
        "/keys",
        get(move || {
            count.fetch_add(1, Ordering::SeqCst);
            let jwks = jwks.clone();
            async move { axum::Json(jwks) }
        }),
    );
    world.runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = tokio::spawn(async move { axum::serve(listener, app).await });
        let clock = Arc::clone(&world.clock) as Arc<dyn plumbline_ports::Clock>;
        let keys =
            Arc::new(FetchedKeys::new(&format!("http://{address}/keys"), clock.clone()).unwrap());
        let issuer = TrustedIssuer {
            issuer: "local".to_owned(),
            audience: "plumbline".to_owned(),
            scope: "plumbline".to_owned(),
            algorithms: vec![Algorithm::EdDSA],
            keys: keys.clone(),
        };
        let verifier = Verifier::new(vec![issuer], clock);
        let bearer = |token: String| format!("Bearer {token}");
        let sound = bearer(world.sign(&claims(&world, &json!({}))));
        for _ in 0..5 {
            assert_eq!(verifier.person(Some(&sound)).await.unwrap().subject, "olga");
        }
        assert_eq!(asked.load(Ordering::SeqCst), 1);
        // Made-up key ids: one more look a minute, no more.
        for nth in 0..50 {
            let made_up =
                world.mint.sign_as(&format!("k{nth}"), &claims(&world, &json!({}))).unwrap();
            let refused = verifier.person(Some(&bearer(made_up))).await.unwrap_err();
            assert_eq!(refused.word(), "unauthenticated");
        }
        assert_eq!(asked.load(Ordering::SeqCst), 1);
        world.clock.advance_seconds(61);
        let made_up = world.mint.sign_as("k", &claims(&world, &json!({}))).unwrap();
        assert!(verifier.person(Some(&bearer(made_up))).await.is_err());
        assert_eq!(asked.load(Ordering::SeqCst), 2);
        // The issuer is gone: what is known stays in use, and a new program cannot check anything.
        server.abort();
        let _ = server.await;
        world.clock.advance(SignedDuration::from_hours(3));
        let sound = bearer(world.sign(&claims(&world, &json!({}))));
        assert!(verifier.person(Some(&sound)).await.is_ok());
        let fresh =
            FetchedKeys::new(&format!("http://{address}/keys"), Arc::clone(&world.clock) as _)
                .unwrap();
        assert!(matches!(fresh.find("development-1").await, Err(KeyError::Unavailable(_))));
    });
}

#[test]
fn keys_come_over_tls_alone() {
    let world = World::new();
    let clock = || Arc::clone(&world.clock) as Arc<dyn plumbline_ports::Clock>;
    for address in
        ["http://issuer.example/keys", "ftp://issuer.example/keys", "file:///etc/passwd", "keys"]
    {
        assert!(FetchedKeys::new(address, clock()).is_err(), "{address}");
    }
    assert!(FetchedKeys::new("https://issuer.example/keys", clock()).is_ok());
}

/// An issuer whose keys cannot be had: not the caller's fault, and not let in either.
#[test]
fn an_issuer_that_does_not_answer() {
    struct Silent;
    #[async_trait]
    impl Keys for Silent {
        async fn find(&self, _: &str) -> Result<jsonwebtoken::DecodingKey, KeyError> {
            Err(KeyError::Unavailable("no route to host".to_owned()))
        }
    }
    let world = World::new();
    let issuer = TrustedIssuer {
        issuer: "local".to_owned(),
        audience: "plumbline".to_owned(),
        scope: "plumbline".to_owned(),
        algorithms: vec![Algorithm::EdDSA],
        keys: Arc::new(Silent),
    };
    let verifier = Verifier::new(vec![issuer], Arc::clone(&world.clock) as _);
    let sound = format!("Bearer {}", world.sign(&claims(&world, &json!({}))));
    let problem = world.runtime.block_on(verifier.person(Some(&sound))).unwrap_err();
    assert_eq!((problem.word(), problem.status), ("unavailable", 503));
}
