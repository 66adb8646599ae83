//! The service itself: whether it is well, and what it offers.

use crate::Api;
use crate::document::document;
use crate::problem::{Problem, UNAVAILABLE};
use crate::reference::page;
use crate::table::{Access, Route};
use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{Html, IntoResponse as _, Response};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use std::sync::LazyLock;

const TAG: &str = "Service";

/// The document is the same for every caller; it is made once.
static DOCUMENT: LazyLock<Value> = LazyLock::new(document);

pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::get("/health", health)
            .access(Access::Public)
            .does(TAG, "Ask whether the service is well")
            .about("The store is asked for one row.")
            .gives::<Health>(200, "It is."),
        Route::get("/openapi.json", openapi)
            .access(Access::Public)
            .does(TAG, "Read this document")
            .gives::<Value>(200, "The OpenAPI document."),
        Route::get("/reference", reference)
            .access(Access::Public)
            .does(TAG, "Read the reference as a page")
            .gives_nothing(200, "The page.")
            .or_as("text/html"),
    ]
}

/// How the service is.
#[derive(Debug, Serialize, JsonSchema)]
struct Health {
    /// `ok`; anything else comes as a problem.
    status: &'static str,
    /// The version of the program.
    version: &'static str,
}

async fn health(State(api): State<Api>) -> Result<Json<Health>, Problem> {
    match api.system().is_reachable().await {
        Ok(()) => Ok(Json(Health { status: "ok", version: env!("CARGO_PKG_VERSION") })),
        Err(error) => {
            tracing::error!("the service is not well: {error}");
            Err(UNAVAILABLE.because("a store does not answer at the moment").after(5))
        }
    }
}

async fn openapi() -> Json<&'static Value> {
    Json(&DOCUMENT)
}

async fn reference() -> Response {
    // The page brings its own style and runs nothing.
    let policy = "default-src 'none'; style-src 'unsafe-inline'";
    ([(header::CONTENT_SECURITY_POLICY, policy)], Html(page(&DOCUMENT))).into_response()
}
