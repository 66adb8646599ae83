//! A service that is not itself for a while: what stands between a function and a service, and lets
//! requests through, late, or not at all.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What becomes of one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It goes on.
    Passes,
    /// It goes on after so long.
    Waits(Duration),
    /// It is answered as `DynamoDB` answers when a partition has had enough.
    IsThrottled,
}

/// Decides, by what is asked (the operation of `DynamoDB`, the method and path of S3).
type Judge = Box<dyn FnMut(&str) -> Fate + Send>;

#[derive(Clone)]
struct Shared {
    judge: Arc<Mutex<Judge>>,
    /// Requests that did not simply pass.
    seen: Arc<Mutex<u32>>,
    service: String,
    client: reqwest::Client,
}

pub(crate) struct Proxy {
    pub(crate) url: String,
    shared: Shared,
    _runtime: tokio::runtime::Runtime,
}

impl Proxy {
    /// Stands before a service.
    pub(crate) fn before(
        service: String,
        judge: impl FnMut(&str) -> Fate + Send + 'static,
    ) -> Self {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let shared = Shared {
            judge: Arc::new(Mutex::new(Box::new(judge))),
            seen: Arc::default(),
            service,
            client: reqwest::Client::new(),
        };
        let router = Router::new().fallback(pass_on).with_state(shared.clone());
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        runtime.spawn(async move { axum::serve(listener, router).await });
        Self { url, shared, _runtime: runtime }
    }

    /// How many requests did not simply pass.
    pub(crate) fn hindered(&self) -> u32 {
        *self.shared.seen.lock().unwrap()
    }
}

async fn pass_on(State(shared): State<Shared>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let target = parts.headers.get("x-amz-target").and_then(|value| value.to_str().ok());
    let asked = match target {
        Some(target) => target.rsplit('.').next().unwrap_or_default().to_owned(),
        None => format!("{} {}", parts.method, parts.uri.path()),
    };
    let fate = (shared.judge.lock().unwrap())(&asked);
    if fate != Fate::Passes {
        *shared.seen.lock().unwrap() += 1;
    }
    match fate {
        Fate::Passes => {}
        Fate::Waits(time) => tokio::time::sleep(time).await,
        Fate::IsThrottled => {
            let said = r#"{"__type":"com.amazonaws.dynamodb.v20120810#ThrottlingException","message":"Rate exceeded"}"#;
            let kind = [("content-type", "application/x-amz-json-1.0")];
            return (StatusCode::BAD_REQUEST, kind, said).into_response();
        }
    }
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    match forward(&shared, &parts.uri, parts.method, parts.headers, body).await {
        Ok(answer) => answer,
        Err(error) => (StatusCode::BAD_GATEWAY, error.to_string()).into_response(),
    }
}

async fn forward(
    shared: &Shared,
    uri: &Uri,
    method: axum::http::Method,
    mut headers: axum::http::HeaderMap,
    body: Bytes,
) -> Result<Response, reqwest::Error> {
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    headers.remove("host");
    let request = shared.client.request(method, format!("{}{path}", shared.service));
    let answer = request.headers(headers).body(body).send().await?;
    let (status, headers) = (answer.status(), answer.headers().clone());
    let mut response = Response::new(Body::from(answer.bytes().await?));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response.headers_mut().remove("transfer-encoding");
    Ok(response)
}
