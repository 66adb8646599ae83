//! Services that have nothing in store: enough for a function to start, and to do messages of which
//! nothing is there.

use crate::stub::listen;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

/// One call to a service.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    /// What was asked; empty for S3.
    pub(crate) op: String,
    /// With what.
    pub(crate) body: Value,
    /// The trace it belongs to.
    pub(crate) trace: Option<String>,
}

/// The services.
pub(crate) struct Nothing {
    address: SocketAddr,
    state: Shared,
    _runtime: tokio::runtime::Runtime,
}

#[derive(Clone, Default)]
struct Shared {
    calls: Arc<Mutex<Vec<Call>>>,
    /// An operation whose thing is not there.
    gone: Option<&'static str>,
}

impl Nothing {
    /// Begins to serve.
    pub(crate) fn new() -> Self {
        Self::without(None)
    }

    /// The same, but for one operation that is refused.
    pub(crate) fn without(gone: Option<&'static str>) -> Self {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let state = Shared { gone, ..Shared::default() };
        let router = Router::new().fallback(answer).with_state(state.clone());
        Self { address: listen(&runtime, router), state, _runtime: runtime }
    }

    /// What is to be set for a function that works with these services.
    pub(crate) fn settings(&self, needed: &[&'static str]) -> Vec<(&'static str, String)> {
        let url = format!("http://{}", self.address);
        let mut out = vec![
            ("AWS_ENDPOINT_URL", url.clone()),
            ("AWS_REGION", "eu-central-1".to_owned()),
            ("AWS_ACCESS_KEY_ID", "test".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "test".to_owned()),
        ];
        out.extend(needed.iter().map(|name| {
            let value = match *name {
                "PLUMBLINE_TABLE" => "north-table".to_owned(),
                "PLUMBLINE_BUCKET" => "north-bucket".to_owned(),
                "PLUMBLINE_SECRET" => "north-secret".to_owned(),
                "PLUMBLINE_ISSUERS" => "[]".to_owned(),
                queue => format!("{url}/123456789012/{}", queue.to_lowercase().replace('_', "-")),
            };
            (*name, value)
        }));
        out
    }

    /// Every call so far.
    pub(crate) fn calls(&self) -> Vec<Call> {
        self.state.calls.lock().unwrap().clone()
    }
}

async fn answer(State(state): State<Shared>, headers: HeaderMap, body: Bytes) -> Response {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let target = text("x-amz-target").unwrap_or_default();
    let op = target.rsplit('.').next().unwrap_or_default().to_owned();
    let asked = serde_json::from_slice(&body).unwrap_or(Value::Null);
    let call = Call { op: op.clone(), body: asked, trace: text("x-amzn-trace-id") };
    state.calls.lock().unwrap().push(call);
    if state.gone == Some(&*op) {
        let gone = json!({"__type": "ResourceNotFoundException", "message": "it is not there"});
        return (StatusCode::BAD_REQUEST, gone.to_string()).into_response();
    }
    let body = match &*op {
        "Query" => json!({"Items": [], "Count": 0, "ScannedCount": 0}),
        "GetQueueAttributes" => {
            json!({"Attributes": {"QueueArn": "arn:aws:sqs:eu-central-1:123456789012:q"}})
        }
        "GetSecretValue" => json!({
            "ARN": "arn:aws:secretsmanager:eu-central-1:123456789012:secret:north-secret",
            "Name": "north-secret",
            "SecretString": json!({"version": 1, "root": "k".repeat(64)}).to_string(),
        }),
        "SendMessage" => json!({"MessageId": "1", "MD5OfMessageBody": ""}),
        "" => {
            let body = "<Error><Code>NoSuchKey</Code><Message>nothing</Message></Error>";
            return (StatusCode::NOT_FOUND, body).into_response();
        }
        _ => json!({}),
    };
    ([("content-type", "application/x-amz-json-1.0")], body.to_string()).into_response()
}
