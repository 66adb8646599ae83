//! How tenants stand: counts, their history, and drift that many tenants share.

use crate::Api;
use crate::access::{Here, no};
use crate::problem::Problem;
use crate::request::{Asked, At, Listing, NoFilter, PageOf, Paging};
use crate::table::{Access, Route};
use axum::Json;
use axum::extract::State;
use plumbline_governance::access::Capability;
use plumbline_governance::ids::TenantId;
use plumbline_operations::{DriftGroups, Overview, Posture, TrendPoint};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

const TAG: &str = "Posture";
/// How far back the history goes unless the caller says otherwise, and at most, in days.
const DAYS: u16 = 90;
const MAX_DAYS: u16 = 400;

pub(crate) fn routes() -> Vec<Route> {
    let whole = Access::WholeWorkspace(Capability::Read);
    vec![
        Route::get("/v1/workspaces/{workspace}/posture", overview)
            .access(whole)
            .does(TAG, "Read how the workspace stands")
            .about("Counts of the workspace and of each profile. They are made regularly; `as_of` says when.")
            .gives::<Overview>(200, "The counts."),
        Route::get("/v1/workspaces/{workspace}/posture/tenants", tenants)
            .access(Access::Member(Capability::Read))
            .does(TAG, "List how each tenant stands")
            .about("A tenant that was never compared is not in the list: nothing is known of it.")
            .query::<Paging>()
            .gives::<PageOf<Posture>>(200, "A page of them."),
        Route::get("/v1/workspaces/{workspace}/posture/trend", trend)
            .access(whole)
            .does(TAG, "Read the history of the counts")
            .query::<Days>()
            .gives::<Trend>(200, "One point a day, the oldest first."),
        Route::get("/v1/workspaces/{workspace}/posture/groups", groups)
            .access(whole)
            .does(TAG, "Read which drift many tenants share")
            .about("One group is the same change of the same subject against the same baseline.")
            .gives::<DriftGroups>(200, "The groups, the largest first."),
        Route::get("/v1/workspaces/{workspace}/tenants/{tenant}/posture", tenant)
            .access(Access::Member(Capability::Read))
            .does(TAG, "Read how a tenant stands")
            .gives::<Posture>(200, "The counts of its findings."),
    ]
}

/// How far back.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Days {
    /// Days, up to 400; 90 unless said otherwise.
    #[serde(default)]
    #[schemars(range(min = 1, max = 400))]
    days: Option<u16>,
}

/// The history of the counts.
#[derive(Debug, Deserialize, JsonSchema, Serialize)]
pub struct Trend {
    /// One point a day, the oldest first. A day without a point was not counted.
    pub points: Vec<TrendPoint>,
}

#[derive(Deserialize)]
struct OfTenant {
    tenant: TenantId,
}

async fn overview(State(api): State<Api>, here: Here) -> Result<Json<Overview>, Problem> {
    let overview = api.system().overview(here.workspace).await?;
    overview.map(Json).ok_or_else(not_yet)
}

fn not_yet() -> Problem {
    no("overview").next(
        "It is made within minutes of the first compare, by the schedule; look at a tenant's posture until \
         then.",
    )
}

async fn tenants(
    State(api): State<Api>,
    here: Here,
    listing: Listing<NoFilter>,
) -> Result<Json<PageOf<Posture>>, Problem> {
    let within = here.within();
    let page = api
        .system()
        .posture_page(here.workspace, within.as_ref(), listing.after(), listing.limit)
        .await?;
    Ok(Json(listing.page(page, |one| one)?))
}

async fn trend(
    State(api): State<Api>,
    here: Here,
    Asked(days): Asked<Days>,
) -> Result<Json<Trend>, Problem> {
    let days = days.days.unwrap_or(DAYS);
    if !(1..=MAX_DAYS).contains(&days) {
        return Err(
            crate::problem::BAD_REQUEST.because(format!("`days` is a number from 1 to {MAX_DAYS}"))
        );
    }
    Ok(Json(Trend { points: api.system().trend(here.workspace, days.into()).await? }))
}

async fn groups(State(api): State<Api>, here: Here) -> Result<Json<DriftGroups>, Problem> {
    let groups = api.system().groups(here.workspace).await?;
    groups.map(Json).ok_or_else(not_yet)
}

async fn tenant(
    State(api): State<Api>,
    here: Here,
    At(at): At<OfTenant>,
) -> Result<Json<Posture>, Problem> {
    api.system().tenant(here.workspace, at.tenant).await?;
    let posture = api.system().posture(here.workspace, at.tenant).await?;
    posture.map(Json).ok_or_else(|| {
        no("posture").next("The tenant was never compared; assign a profile and compare it.")
    })
}
