//! The loop as people and nights go through it.

use crate::issuer::{AUDIENCE, Issuer};
use crate::people::Workspace;
use crate::world::World;
use plumbline_tests::policies::{FEATURE, many};
use serde_json::{Value, json};

#[test]
fn from_a_request_to_findings() {
    let world = World::new();
    let workspace = Workspace::new(&world, "olga");
    let (profile, _) = workspace.golden(&[FEATURE], &many(20, 0));
    let tenant = workspace.governed("Contoso", &profile, &many(20, 3));
    let run = workspace.compare(&tenant);
    let run = workspace.ended(&tenant, &run);
    assert_eq!(run["outcome"], "succeeded", "{run}");
    let changed = |at| (format!("Policy {at:04}"), "new".to_owned(), 1);
    assert_eq!(workspace.drift(&tenant), [changed(0), changed(1), changed(2)]);
    let evidence = workspace.findings(&tenant)[0]["id"].as_str().unwrap().to_owned();
    let evidence = workspace.get(&format!("/tenants/{tenant}/findings/{evidence}/evidence"));
    assert!(evidence.to_string().contains("version 0x"), "{evidence}");
    // What is mended is resolved, by a compare and by nothing else.
    workspace.import(&tenant, &many(20, 1));
    let run = workspace.compare(&tenant);
    assert_eq!(workspace.ended(&tenant, &run)["outcome"], "succeeded");
    let drift = workspace.drift(&tenant);
    let resolved = drift.iter().filter(|one| one.1 == "resolved").count();
    assert_eq!((drift.len(), resolved), (3, 2), "{drift:?}");
}

/// The gateway lets nobody through without a sound token; the API, nobody who is no member.
#[test]
fn who_is_let_in() {
    let world = World::new();
    let olga = Workspace::new(&world, "olga");
    let issuer = Issuer::shared();
    let list = |token: Option<&str>| world.send(token, "GET", "/v1/workspaces", "").status;
    assert_eq!(list(None), 401);
    assert_eq!(list(Some("no.token.atall")), 401);
    let claims = |change: Value| {
        let mut claims =
            json!({ "iss": issuer.url, "sub": "olga", "aud": AUDIENCE, "scope": AUDIENCE });
        claims["exp"] = json!(4_000_000_000_u64);
        for (name, value) in change.as_object().unwrap() {
            claims[name] = value.clone();
        }
        issuer.sign(&claims)
    };
    assert_eq!(list(Some(&claims(json!({})))), 200);
    assert_eq!(list(Some(&claims(json!({ "exp": 1_000_000_000 })))), 401);
    assert_eq!(list(Some(&claims(json!({ "aud": "another" })))), 401);
    assert_eq!(list(Some(&claims(json!({ "iss": "https://issuer.example" })))), 401);
    // An ID token of the same issuer has no scope of ours.
    assert!([401, 403].contains(&list(Some(&claims(json!({ "scope": "openid" }))))));
    let paul = issuer.token("paul");
    let path = format!("/v1/workspaces/{}", olga.id);
    assert_eq!(world.send(Some(&paul), "GET", &path, "").status, 404);
    assert_eq!(olga.get("")["id"], json!(olga.id));
}
