//! The HTTP API. Everything that a caller can reach stands in one table ([`table`]): who may, with what,
//! what comes back. The router, the `OpenAPI` document, the reference page and the isolation tests are
//! made from it, so that a route that is not in the table does not exist.

mod access;
mod answer;
mod cursor;
mod document;
pub mod gateway;
mod limits;
mod once;
pub mod problem;
mod reference;
mod request;
mod routes;
mod shape;
pub mod table;
pub mod token;

/// What answers hold, for clients.
pub mod view {
    pub use crate::answer::StartedRun;
    pub use crate::request::PageOf;
    pub use crate::routes::findings::{BulkItem, BulkResult, FindingView};
    pub use crate::routes::inventory::ImportView;
    pub use crate::routes::members::MemberView;
    pub use crate::routes::posture::Trend;
    pub use crate::routes::workspaces::OwnWorkspace;
}

pub use access::Origin;
pub use limits::Limits;
pub use table::{Access, Route};

use crate::cursor::Cursors;
use crate::limits::Gate;
use crate::problem::{INTERNAL, METHOD_NOT_ALLOWED, NOT_FOUND};
use crate::token::{TrustedIssuer, Verifier};
use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderValue, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use futures::FutureExt as _;
use plumbline_operations::System;
use plumbline_ports::Ports;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

/// What must be set for the function.
pub const NEEDS: &[&str] = &[
    "PLUMBLINE_TABLE",
    "PLUMBLINE_BUCKET",
    "PLUMBLINE_QUEUE_CAPTURE",
    "PLUMBLINE_QUEUE_COMPARE",
    "PLUMBLINE_SECRET",
    "PLUMBLINE_ISSUERS",
];

/// What an API is made of.
pub struct Settings {
    /// The ports; the same as those of the system.
    pub ports: Ports,
    /// The operations.
    pub system: System,
    /// Whose tokens are taken.
    pub issuers: Vec<TrustedIssuer>,
    /// How much may be asked for.
    pub limits: Limits,
    /// Whether everyone with a valid token may make a workspace (contracts 6.1).
    pub open_workspaces: bool,
}

/// The API: what every route has at hand. Cheap to clone.
#[derive(Clone)]
pub struct Api(Arc<Inner>);

struct Inner {
    ports: Ports,
    system: System,
    verifier: Verifier,
    cursors: Cursors,
    gate: Gate,
    limits: Limits,
    open_workspaces: bool,
}

/// Why an API cannot start.
#[derive(Debug, thiserror::Error)]
#[error("the API cannot start: {0}")]
pub struct StartError(String);

impl Api {
    /// Makes an API.
    ///
    /// # Errors
    /// The root key cannot be had.
    pub async fn new(settings: Settings) -> Result<Self, StartError> {
        let Settings { ports, system, issuers, limits, open_workspaces } = settings;
        let root = ports.secrets.root_key().await.map_err(|error| StartError(error.to_string()))?;
        let cursors = Cursors::new(&root, Arc::clone(&ports.clock)).map_err(StartError)?;
        Ok(Self(Arc::new(Inner {
            verifier: Verifier::new(issuers, Arc::clone(&ports.clock)),
            cursors,
            gate: Gate::new(&limits, Arc::clone(&ports.clock)),
            ports,
            system,
            limits,
            open_workspaces,
        })))
    }

    /// The operations.
    #[must_use]
    pub fn system(&self) -> &System {
        &self.0.system
    }

    /// The router over the whole table. A request never reaches a handler around the access check.
    pub fn router(&self) -> Router {
        self.router_of(table::table())
    }

    /// The router over some routes; tests take a check away to see that its loss is noticed.
    pub fn router_of(&self, routes: Vec<Route>) -> Router {
        let mut all = Router::new();
        for route in routes {
            all = all.route(route.path, route.guarded(self));
        }
        all.fallback(|| async {
            NOT_FOUND.because("the API has no such path").next("See /openapi.json or /reference.")
        })
        .method_not_allowed_fallback(method_not_allowed)
        .layer(from_fn_with_state(self.clone(), observe))
        .layer(from_fn(guard_headers))
        .with_state(self.clone())
    }
}

async fn method_not_allowed(request: Request) -> Response {
    let path = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let methods: Vec<String> = table::table()
        .iter()
        .filter(|route| Some(route.path) == path.as_deref())
        .map(|route| route.method.to_string())
        .collect();
    let mut problem = METHOD_NOT_ALLOWED.because(format!("there is no {} here", request.method()));
    problem.allow = Some(methods.join(", ").into());
    problem.into_response()
}

/// Logs each request once: what was asked for and what came of it, without anything a caller wrote. A
/// fault of the program becomes an answer, and only this one request fails.
async fn observe(State(api): State<Api>, request: Request, next: Next) -> Response {
    let began = Instant::now();
    let id = api.0.ports.ids.mint(api.0.ports.clock.now());
    let method = request.method().clone();
    let route =
        request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    let done = AssertUnwindSafe(next.run(request)).catch_unwind().await;
    let mut response = done.unwrap_or_else(|_| {
        tracing::error!(request = %id, %method, route, "a request met a fault of the program");
        INTERNAL.because("the program failed at this request").into_response()
    });
    if let Ok(value) = HeaderValue::from_str(&id.to_string()) {
        response.headers_mut().insert("x-request-id", value);
    }
    let status = response.status().as_u16();
    let milliseconds = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    if route != "/health" {
        tracing::info!(request = %id, %method, route, status, milliseconds, "{method} {route} {status}");
    }
    response
}

/// What every answer says to browsers and caches.
async fn guard_headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}
