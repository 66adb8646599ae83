//! The API behind API Gateway: events as requests, answers as API Gateway takes them.

use crate::events::event;
use crate::workers::on_runtime;
use axum::body::Body;
use axum::routing::get;
use jiff::SignedDuration;
use plumbline_api::gateway::{Context, Event, service};
use plumbline_api::token::Development;
use plumbline_api::{Api, Limits, Settings};
use plumbline_ports::Clock as _;
use plumbline_tests::stage::Stage;
use serde_json::{Value, json};
use tower::Service as _;

/// Gives an event to the API of a stage, with a token of `olga` in place of the one in the event.
fn answer(stage: &Stage, mut event: Value) -> Value {
    on_runtime(async {
        let root = stage.raw.secrets.root_key().await.unwrap();
        let mint = Development::new(&root).unwrap();
        let token = mint.mint("olga", stage.clock.now(), SignedDuration::from_hours(1)).unwrap();
        if let Some(authorization) = event.pointer_mut("/headers/authorization") {
            *authorization = json!(format!("Bearer {token}"));
        }
        let settings = Settings {
            ports: stage.raw.clone(),
            system: stage.system.clone(),
            issuers: vec![mint.issuer().unwrap()],
            limits: Limits::default(),
            open_workspaces: true,
        };
        let router = Api::new(settings).await.unwrap().router();
        sent(router, event).await.unwrap()
    })
}

async fn sent(router: axum::Router, event: Value) -> Result<Value, String> {
    let event = Event::new(serde_json::from_value(event).unwrap(), Context::default());
    let answer = service(router).call(event).await.map_err(|error| error.to_string())?;
    Ok(serde_json::to_value(answer).unwrap())
}

fn body(answer: &Value) -> Value {
    serde_json::from_str(answer["body"].as_str().unwrap()).unwrap()
}

#[test]
fn a_workspace_is_made_and_listed() {
    for name in ["api-post", "api-post-base64"] {
        let stage = Stage::new();
        let made = answer(&stage, event(name));
        assert_eq!(made["statusCode"], 201, "{made}");
        assert_eq!(made["headers"]["content-type"], "application/json");
        assert_eq!(made["isBase64Encoded"], false);
        let listed = body(&answer(&stage, event("api-get")));
        assert_eq!(listed["items"][0]["name"], "North", "{listed}");
        // The audit knows where the request came from: the gateway says so, no header does.
        let id = listed["items"][0]["id"].as_str().unwrap();
        let rows = stage.memory().records.dump();
        let audit: Vec<String> = rows
            .iter()
            .filter(|row| row.key.pk.starts_with(&format!("WS#{id}#AUDIT")))
            .map(|row| {
                String::from_utf8_lossy(&plumbline_operations::record_as_json(&row.body).unwrap())
                    .into_owned()
            })
            .collect();
        assert!(audit.len() == 1 && audit[0].contains("192.0.2.17"), "{audit:?}");
    }
}

#[test]
fn a_stage_with_a_name_is_no_part_of_the_path() {
    let stage = Stage::new();
    let listed = answer(&stage, event("api-stage-in-path"));
    assert_eq!(listed["statusCode"], 200, "{listed}");
    // Also where the gateway leaves it out by itself.
    let mut without = event("api-stage-in-path");
    without["rawPath"] = json!("/v1/workspaces");
    without["rawQueryString"] = json!("limit=1");
    assert_eq!(answer(&stage, without)["statusCode"], 200);
}

#[test]
fn bad_requests_are_problems() {
    for (name, status, kind) in [
        ("api-no-token", 401, "unauthenticated"),
        ("api-bad-body", 400, "bad_request"),
        ("api-unknown-path", 404, "not_found"),
    ] {
        let stage = Stage::new();
        let before = stage.dump();
        let answer = answer(&stage, event(name));
        assert_eq!(answer["statusCode"], status, "{name}: {answer}");
        let problem = body(&answer);
        assert_eq!(problem["type"], format!("urn:plumbline:problem:{kind}"), "{name}");
        assert_eq!(stage.dump(), before, "{name}");
    }
}

#[test]
fn a_body_that_is_too_large_is_told_so() {
    let stage = Stage::new();
    let mut large = event("api-post");
    large["body"] = json!(format!("{{\"name\":\"{}\"}}", "x".repeat(300 * 1024)));
    let answer = answer(&stage, large);
    assert_eq!(answer["statusCode"], 413, "{answer}");
}

/// Lambda would refuse it, and the caller would learn nothing.
#[test]
fn an_answer_that_is_too_large_is_told_so() {
    let large =
        |bytes: usize| axum::Router::new().fallback(get(move || async move { "x".repeat(bytes) }));
    let fits = on_runtime(sent(large(4 * 1024 * 1024), event("api-get"))).unwrap();
    assert_eq!(fits["statusCode"], 200);
    let refused = on_runtime(sent(large(4 * 1024 * 1024 + 1), event("api-get"))).unwrap();
    assert_eq!(refused["statusCode"], 413);
    assert!(body(&refused)["next_step"].as_str().unwrap().contains("filters"), "{refused}");
}

/// A stream that breaks off is an error of the function, never half an answer.
#[test]
fn an_answer_that_breaks_off_is_none() {
    let parts = || {
        let parts = [Ok("begun"), Err(std::io::Error::other("a store does not answer"))];
        Body::from_stream(futures::stream::iter(parts))
    };
    let router = axum::Router::new().fallback(get(move || async move { parts() }));
    let failed = on_runtime(sent(router, event("api-get"))).unwrap_err();
    assert!(failed.contains("a store does not answer"), "{failed}");
}

/// What API Gateway does not send is not taken for a request.
#[test]
fn another_event_is_no_request() {
    let event = event("schedule");
    let taken: Result<lambda_http::request::LambdaRequest, _> = serde_json::from_value(event);
    assert!(taken.is_err());
}
