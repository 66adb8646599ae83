//! Uploads: an inventory in parts, for what one request does not take.

use super::inventory::body::{Media, Packing, parts};
use super::inventory::{ImportQuery, ImportView, OfTenant, run_import};
use crate::Api;
use crate::access::Here;
use crate::answer::created;
use crate::problem::{Problem, UNSUPPORTED};
use crate::request::{Asked, At, whole};
use crate::table::{Access, Route};
use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use plumbline_governance::access::Capability;
use plumbline_governance::ids::{TenantId, UploadId};
use plumbline_operations::Upload;
use serde::Deserialize;

const TAG: &str = "Inventory";
const ONE: &str = "/v1/workspaces/{workspace}/tenants/{tenant}/uploads/{upload}";
/// The most bytes of one part: what the gateway lets through with room to spare.
const MAX_PART: usize = 4 * 1024 * 1024;

pub(crate) fn routes() -> Vec<Route> {
    let import = Access::Member(Capability::Import);
    vec![
        Route::post("/v1/workspaces/{workspace}/tenants/{tenant}/uploads", begin)
            .access(import)
            .does(TAG, "Begin an upload")
            .about("It is kept for a day. Its parts, one behind the other, are what an import takes as a body.")
            .gives::<Upload>(201, "The upload.")
            .located(),
        Route::get(ONE, show)
            .access(import)
            .does(TAG, "Read which parts an upload has")
            .gives::<Upload>(200, "The upload."),
        Route::put(
            "/v1/workspaces/{workspace}/tenants/{tenant}/uploads/{upload}/parts/{number}",
            put_part,
        )
        .access(import)
        .does(TAG, "Send a part")
        .about("Parts have numbers from 1 to 1000 and at most 4 MiB each. Sent again, a part replaces itself.")
        .stream("application/octet-stream")
        .gives::<Upload>(200, "The upload as it is now."),
        Route::post("/v1/workspaces/{workspace}/tenants/{tenant}/uploads/{upload}/import", import_it)
            .access(import)
            .does(TAG, "Import what was uploaded")
            .about(
            "`Content-Type` and `Content-Encoding` of this request say what the parts together are; it has \
             no body of its own. Without them they are plain JSON values.",
        )
            .query::<ImportQuery>()
            .gives::<ImportView>(200, "As for an import in one request."),
        Route::delete(ONE, abort)
            .access(import)
            .does(TAG, "Give an upload up")
            .gives_nothing(204, "It is gone."),
    ]
}

#[derive(Deserialize)]
struct Place {
    tenant: TenantId,
    upload: UploadId,
}

#[derive(Deserialize)]
struct PartPlace {
    tenant: TenantId,
    upload: UploadId,
    number: u32,
}

async fn begin(
    State(api): State<Api>,
    here: Here,
    At(at): At<OfTenant>,
) -> Result<Response, Problem> {
    let upload = api.system().start_upload(here.workspace, &here.actor, at.tenant).await?;
    let location =
        format!("/v1/workspaces/{}/tenants/{}/uploads/{}", here.workspace, at.tenant, upload.id);
    Ok(created(&location, &upload))
}

async fn show(
    State(api): State<Api>,
    here: Here,
    At(at): At<Place>,
) -> Result<Json<Upload>, Problem> {
    Ok(Json(api.system().upload(here.workspace, at.tenant, at.upload).await?))
}

async fn put_part(
    State(api): State<Api>,
    here: Here,
    At(at): At<PartPlace>,
    body: Body,
) -> Result<Json<Upload>, Problem> {
    let bytes = whole(body, MAX_PART).await?;
    let upload = api
        .system()
        .put_part(here.workspace, at.tenant, at.upload, at.number, bytes.to_vec())
        .await?;
    Ok(Json(upload))
}

async fn import_it(
    State(api): State<Api>,
    here: Here,
    At(at): At<Place>,
    Asked(query): Asked<ImportQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let options = query.options();
    let word = |name| {
        headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok()).unwrap_or_default()
    };
    let media = match word(header::CONTENT_TYPE) {
        "" => Media::Values,
        named => Media::read(named).ok_or_else(|| {
            UNSUPPORTED.because("the parts are said to be of a type that is not taken")
        })?,
    };
    let packing = Packing::read(word(header::CONTENT_ENCODING))
        .ok_or_else(|| UNSUPPORTED.because("the parts are packed in a way that is not taken"))?;
    let upload = api.system().upload(here.workspace, at.tenant, at.upload).await?;
    let numbers = upload.numbers()?;
    let unpacked = api.0.limits.unpacked_bytes;
    let documents = parts(api.system().clone(), upload, numbers, (media, packing), unpacked);
    let response = run_import(&api, here.clone(), at.tenant, options, documents).await?;
    // Imported is imported: what is left of the upload is swept if this does not reach it.
    if let Err(error) = api.system().abort_upload(here.workspace, at.tenant, at.upload).await {
        tracing::warn!("an upload that was imported stays until it expires: {error}");
    }
    Ok(response)
}

async fn abort(
    State(api): State<Api>,
    here: Here,
    At(at): At<Place>,
) -> Result<StatusCode, Problem> {
    api.system().abort_upload(here.workspace, at.tenant, at.upload).await?;
    Ok(StatusCode::NO_CONTENT)
}
