//! What a handler answers with.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use plumbline_governance::run::Run;
use plumbline_operations::{Started, Stored};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A thing with the revision it has, as `ETag`.
pub(crate) struct Tagged<T>(pub(crate) Stored<T>);

impl<T: Serialize> IntoResponse for Tagged<T> {
    fn into_response(self) -> Response {
        tagged(StatusCode::OK, self.0.revision, &self.0.row)
    }
}

/// The `ETag` of a revision.
pub(crate) fn etag(revision: u64) -> String {
    format!("\"r{revision}\"")
}

/// An answer with an `ETag`.
pub(crate) fn tagged(status: StatusCode, revision: u64, body: &impl Serialize) -> Response {
    (status, [(header::ETAG, etag(revision))], Json(body)).into_response()
}

/// A new thing: 201, and where it is.
pub(crate) fn created(location: &str, body: &impl Serialize) -> Response {
    let mut response = (StatusCode::CREATED, Json(body)).into_response();
    locate(&mut response, location);
    response
}

/// A run that was asked for.
#[derive(Debug, Deserialize, JsonSchema, Serialize)]
pub struct StartedRun {
    /// The run.
    pub run: Run,
    /// Whether it was active already, so that nothing new was started.
    pub was_active: bool,
}

impl From<Started> for StartedRun {
    fn from(started: Started) -> Self {
        Self { run: started.run, was_active: started.was_active }
    }
}

/// Work that goes on: 202, and where its run is.
pub(crate) fn accepted(started: Started) -> Response {
    let location = run_path(&started.run);
    let mut response = (StatusCode::ACCEPTED, Json(StartedRun::from(started))).into_response();
    locate(&mut response, &location);
    response
}

/// Where a run is read.
pub(crate) fn run_path(run: &Run) -> String {
    format!("/v1/workspaces/{}/tenants/{}/runs/{}", run.workspace, run.tenant, run.id)
}

fn locate(response: &mut Response, location: &str) {
    if let Ok(value) = HeaderValue::from_str(location) {
        response.headers_mut().insert(header::LOCATION, value);
    }
}
