//! Runs: how work that was asked for goes, and how it ended. Nights too.

use crate::Api;
use crate::access::Here;
use crate::problem::{BAD_REQUEST, Problem};
use crate::request::{Asked, At, Listing, NoFilter, PageOf, Paging, text};
use crate::table::{Access, Route};
use axum::Json;
use axum::extract::State;
use plumbline_governance::access::Capability;
use plumbline_governance::ids::{RunId, TenantId};
use plumbline_governance::run::{Run, RunOutcome, RunType};
use plumbline_operations::{NightRecord, RunFilter};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::time::{Duration, Instant};

const TAG: &str = "Runs";
const ONE: &str = "/v1/workspaces/{workspace}/tenants/{tenant}/runs/{run}";
/// How long a caller may wait for a run in one request, in seconds.
const MAX_WAIT: u64 = 20;
/// How often a run that is waited for is looked at.
const LOOK: Duration = Duration::from_millis(250);

pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::get("/v1/workspaces/{workspace}/runs", list)
            .access(Access::Member(Capability::Read))
            .does(TAG, "List runs, the newest first")
            .about(
                "Over the whole workspace: what people started, and every night that did not succeed. With a \
                 tenant: all of its runs. A night's run stands where it was due.",
            )
            .query::<RunQuery>()
            .gives::<PageOf<Run>>(200, "A page of them."),
        Route::get(ONE, show)
            .access(Access::Member(Capability::Read))
            .does(TAG, "Read a run")
            .about("With `wait`, the answer comes when the run has ended, or after so many seconds.")
            .query::<Wait>()
            .gives::<Run>(200, "The run."),
        Route::post("/v1/workspaces/{workspace}/tenants/{tenant}/runs/{run}/cancel", cancel)
            .access(Access::Member(Capability::Compare))
            .does(TAG, "End a run that has not ended")
            .gives::<Run>(200, "The run as it is now."),
        Route::get("/v1/workspaces/{workspace}/nights", nights)
            .access(Access::WholeWorkspace(Capability::Read))
            .does(TAG, "List the nights, the newest first")
            .about("A missed night stays visible as missed.")
            .query::<Paging>()
            .gives::<PageOf<NightRecord>>(200, "A page of them."),
    ]
}

/// How far a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "snake_case")]
enum RunStatus {
    Queued,
    Running,
    Completed,
}

impl RunStatus {
    fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Completed => "completed",
        }
    }
}

/// Which runs.
#[derive(Debug, Default, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields)]
struct RunFilterQuery {
    /// Those of this tenant.
    #[serde(default, deserialize_with = "text")]
    tenant: Option<TenantId>,
    /// Those that do this.
    #[serde(default, rename = "type")]
    run_type: Option<RunType>,
    /// Those that are so far.
    #[serde(default)]
    status: Option<RunStatus>,
    /// Those that ended so.
    #[serde(default)]
    outcome: Option<RunOutcome>,
}

#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
struct RunQuery {
    #[schemars(flatten)]
    filter: RunFilterQuery,
    #[schemars(flatten)]
    paging: Paging,
}

/// How long to wait.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Wait {
    /// Seconds to wait for the end, up to 20.
    #[serde(default)]
    #[schemars(range(max = 20))]
    wait: Option<u64>,
}

#[derive(Deserialize)]
struct Place {
    tenant: TenantId,
    run: RunId,
}

async fn list(
    State(api): State<Api>,
    here: Here,
    listing: Listing<RunFilterQuery>,
) -> Result<Json<PageOf<Run>>, Problem> {
    let asked = &listing.filter;
    if let Some(tenant) = asked.tenant {
        here.see(tenant)?;
        api.system().tenant(here.workspace, tenant).await?;
    }
    let filter = RunFilter {
        tenant: asked.tenant,
        within: here.within(),
        run_type: asked.run_type,
        status: asked.status.map(|status| status.as_str().to_owned()),
        outcome: asked.outcome,
    };
    let page =
        api.system().run_page(here.workspace, &filter, listing.after(), listing.limit).await?;
    Ok(Json(listing.page(page, |one| one)?))
}

async fn show(
    State(api): State<Api>,
    here: Here,
    At(at): At<Place>,
    Asked(wait): Asked<Wait>,
) -> Result<Json<Run>, Problem> {
    let wait = wait.wait.unwrap_or_default();
    if wait > MAX_WAIT {
        return Err(BAD_REQUEST.because(format!("`wait` is at most {MAX_WAIT} seconds")));
    }
    let began = Instant::now();
    loop {
        let run = api.system().run(here.workspace, at.tenant, at.run).await?;
        if run.is_completed() || began.elapsed() >= Duration::from_secs(wait) {
            return Ok(Json(run));
        }
        tokio::time::sleep(LOOK).await;
    }
}

async fn cancel(
    State(api): State<Api>,
    here: Here,
    At(at): At<Place>,
) -> Result<Json<Run>, Problem> {
    Ok(Json(api.system().cancel_run(here.workspace, &here.actor, at.tenant, at.run).await?))
}

async fn nights(
    State(api): State<Api>,
    here: Here,
    listing: Listing<NoFilter>,
) -> Result<Json<PageOf<NightRecord>>, Problem> {
    let page = api.system().night_page(here.workspace, listing.after(), listing.limit).await?;
    Ok(Json(listing.page(page, |one| one)?))
}
