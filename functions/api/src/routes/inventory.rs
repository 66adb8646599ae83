//! What a tenant has: its state, and imports of it.

use super::snapshots::{ItemFilter, ItemQuery};
use crate::Api;
use crate::access::{Here, no};
use crate::problem::{Problem, REFUSED};
use crate::request::{Asked, At, Listing, PageOf, Several};
use crate::routes::inventory::body::{Documents, Incoming};
use crate::table::{Access, Route};
use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse as _, Response};
use plumbline_governance::access::Capability;
use plumbline_governance::ids::TenantId;
use plumbline_governance::index::StoredGap;
use plumbline_governance::run::Run;
use plumbline_operations::{
    CoverageClaim, ImportOptions, Imported, InventoryItem, State as TenantState,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub(crate) mod body;

const TAG: &str = "Inventory";
const ONE: &str = "/v1/workspaces/{workspace}/tenants/{tenant}/inventory";

pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::get(ONE, show)
            .access(Access::Member(Capability::Read))
            .does(TAG, "Read what a tenant had when it was last read")
            .gives::<TenantState>(200, "Counts and coverage of each type."),
        Route::post(ONE, import)
            .access(Access::Member(Capability::Import))
            .does(TAG, "Import a tenant's inventory")
            .about(
                "The body is streamed: JSON objects, lists or Graph pages one after another, in UTF-8; or a tar \
                 archive of exported files, whose folders tell types where nothing else does. Plain, or with \
                 `Content-Encoding: gzip` or `zstd`. The new state replaces the old one in one step, or \
                 not at all. Larger inventories than one request takes go through an upload.",
            )
            .query::<ImportQuery>()
            .stream("application/x-ndjson")
            .stream("application/json")
            .stream("application/x-tar")
            .gives::<ImportView>(200, "The run, the new state, and what was not read or not understood."),
        Route::get("/v1/workspaces/{workspace}/tenants/{tenant}/inventory/items", items)
            .access(Access::Member(Capability::Read))
            .does(TAG, "List what a tenant has")
            .query::<ItemQuery>()
            .gives::<PageOf<InventoryItem>>(200, "A page of its subjects."),
        Route::get(
            "/v1/workspaces/{workspace}/tenants/{tenant}/inventory/items/{item}/payload",
            payload,
        )
        .access(Access::Member(Capability::Read))
        .does(TAG, "Read one subject of a tenant as it was imported")
        .about("Secrets are slots.")
        .gives::<Value>(200, "The payload."),
    ]
}

/// How an import is to be taken.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ImportQuery {
    /// What the sender says of the documents: `complete`, `unknown`, or the policy types of which they are
    /// everything, with commas between. Without it nothing is proven absent.
    #[serde(default)]
    coverage: Several<String>,
    /// Policy types that may fall from many objects to none.
    #[serde(default)]
    confirm_empty: Several<String>,
}

impl ImportQuery {
    pub(crate) fn options(self) -> ImportOptions {
        let words = self.coverage.0;
        let coverage = match words.as_slice() {
            [] => CoverageClaim::Unknown,
            [only] if only == "unknown" => CoverageClaim::Unknown,
            [only] if only == "complete" => CoverageClaim::Complete,
            _ => CoverageClaim::Types(words),
        };
        ImportOptions { coverage, confirm_empty: self.confirm_empty.0 }
    }
}

/// What an import came to.
#[derive(Debug, Deserialize, JsonSchema, Serialize)]
pub struct ImportView {
    /// Its run.
    pub run: Run,
    /// The state as it is now.
    pub state: Option<TenantState>,
    /// What was not read, not understood or left aside.
    pub gaps: Vec<StoredGap>,
}

/// An import that was not taken is a problem; its run says why, too.
pub(crate) fn imported(imported: Imported) -> Result<Response, Problem> {
    let Imported { run, state, gaps } = imported;
    if let Some(failure) = run.failure() {
        return Err(REFUSED.because(failure.message.clone()).of_run(run.id));
    }
    Ok(Json(ImportView { run, state, gaps }).into_response())
}

#[derive(Deserialize)]
pub(super) struct OfTenant {
    pub(super) tenant: TenantId,
}

#[derive(Deserialize)]
struct ItemPlace {
    tenant: TenantId,
    item: String,
}

async fn show(
    State(api): State<Api>,
    here: Here,
    At(at): At<OfTenant>,
) -> Result<Json<TenantState>, Problem> {
    api.system().tenant(here.workspace, at.tenant).await?;
    let state = api.system().state(here.workspace, at.tenant).await?;
    state.map(Json).ok_or_else(|| no("inventory").next("Import one first."))
}

async fn import(
    State(api): State<Api>,
    here: Here,
    At(at): At<OfTenant>,
    Asked(query): Asked<ImportQuery>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let options = query.options();
    let incoming = Incoming::new(&headers, &api.0.limits)?;
    let documents = incoming.receive(body);
    run_import(&api, here, at.tenant, options, documents).await
}

/// Does an import on a thread that may block: documents are read, and perhaps waited for, one at a time.
pub(crate) async fn run_import(
    api: &Api,
    here: Here,
    tenant: TenantId,
    options: ImportOptions,
    documents: impl FnOnce() -> Documents + Send + 'static,
) -> Result<Response, Problem> {
    let system = api.system().clone();
    let done = tokio::task::spawn_blocking(move || {
        let mut documents = documents();
        let import = system.import(here.workspace, &here.actor, tenant, &options, &mut documents);
        futures::executor::block_on(import)
    });
    let done = done.await.map_err(|error| {
        tracing::error!("an import met a fault of the program: {error}");
        crate::problem::INTERNAL.because("the program failed at this import")
    })?;
    imported(done?)
}

async fn items(
    State(api): State<Api>,
    here: Here,
    At(at): At<OfTenant>,
    listing: Listing<ItemFilter>,
) -> Result<Json<PageOf<InventoryItem>>, Problem> {
    let of = listing.filter.policy_type.as_deref();
    let page = api
        .system()
        .inventory_items(here.workspace, at.tenant, of, listing.after(), listing.limit)
        .await?;
    Ok(Json(listing.page(page, |one| one)?))
}

async fn payload(
    State(api): State<Api>,
    here: Here,
    At(at): At<ItemPlace>,
) -> Result<Json<Value>, Problem> {
    Ok(Json(api.system().inventory_payload(here.workspace, at.tenant, &at.item).await?))
}
