//! Compares that somebody asks for.

use crate::Api;
use crate::access::Here;
use crate::answer::{StartedRun, accepted};
use crate::problem::Problem;
use crate::request::{At, Listing, NoFilter, PageOf, Paging};
use crate::table::{Access, Route};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use plumbline_governance::access::Capability;
use plumbline_governance::ids::{ProfileId, TenantId};
use serde::Deserialize;

const TAG: &str = "Compares";

pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::post("/v1/workspaces/{workspace}/tenants/{tenant}/compare", one)
            .access(Access::Member(Capability::Compare))
            .does(TAG, "Compare a tenant with its baseline")
            .about("A compare that is active already is given back instead of a second one.")
            .gives::<StartedRun>(202, "The run.")
            .located(),
        Route::post("/v1/workspaces/{workspace}/profiles/{profile}/compare", all)
            .access(Access::WholeWorkspace(Capability::Compare))
            .does(TAG, "Compare the tenants that are held to a profile")
            .about("Starts one page of tenants a call, 100 at most; repeat with `next_cursor` until it is null.")
            .query::<Paging>()
            .gives::<PageOf<StartedRun>>(202, "The runs of this page."),
    ]
}

#[derive(Deserialize)]
struct OfTenant {
    tenant: TenantId,
}

#[derive(Deserialize)]
struct OfProfile {
    profile: ProfileId,
}

async fn one(
    State(api): State<Api>,
    here: Here,
    At(at): At<OfTenant>,
) -> Result<Response, Problem> {
    Ok(accepted(api.system().start_compare(here.workspace, &here.actor, at.tenant).await?))
}

async fn all(
    State(api): State<Api>,
    here: Here,
    At(at): At<OfProfile>,
    listing: Listing<NoFilter>,
) -> Result<Response, Problem> {
    let limit = listing.limit.min(100);
    let page = api
        .system()
        .start_compares(here.workspace, &here.actor, at.profile, listing.after(), limit)
        .await?;
    let shown = listing.page(page, StartedRun::from)?;
    Ok((StatusCode::ACCEPTED, Json(shown)).into_response())
}
