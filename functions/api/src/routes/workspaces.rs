//! Workspaces and their settings.

use super::given;
use crate::Api;
use crate::access::{Caller, Here};
use crate::answer::{Tagged, created};
use crate::problem::{FORBIDDEN, Problem};
use crate::request::{Body, Expect, Listing, NoFilter, PageOf, Paging};
use crate::table::{Access, Route};
use axum::Json;
use axum::extract::State;
use axum::response::Response;
use plumbline_governance::access::{Capability, MemberRole};
use plumbline_governance::ids::TenantId;
use plumbline_governance::schedule::Schedule;
use plumbline_governance::schema::Moment;
use plumbline_operations::{Workspace, WorkspaceEdit};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

const TAG: &str = "Workspaces";

pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::post("/v1/workspaces", create)
            .access(Access::Token)
            .does(TAG, "Make a workspace")
            .about("The caller becomes its owner.")
            .body::<NewWorkspace>()
            .gives::<Workspace>(201, "The workspace.")
            .located(),
        Route::get("/v1/workspaces", list)
            .access(Access::Token)
            .does(TAG, "List the workspaces of the caller")
            .query::<Paging>()
            .gives::<PageOf<OwnWorkspace>>(200, "A page of them, with what the caller is there."),
        Route::get("/v1/workspaces/{workspace}", show)
            .access(Access::Member(Capability::Read))
            .does(TAG, "Read a workspace")
            .gives::<Workspace>(200, "The workspace.")
            .tagged(),
        Route::patch("/v1/workspaces/{workspace}", edit)
            .access(Access::WholeWorkspace(Capability::ManageWorkspace))
            .does(TAG, "Change the settings of a workspace")
            .about("What is not given stays. `schedule: null` ends the nightly compares.")
            .body::<WorkspaceChange>()
            .if_match()
            .gives::<Workspace>(200, "The workspace as it is now.")
            .tagged(),
    ]
}

/// A workspace to be made.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewWorkspace {
    /// Its name, up to 200 characters.
    #[schemars(length(min = 1, max = 200))]
    name: String,
}

/// A workspace, and what the caller is there.
#[derive(Debug, Deserialize, JsonSchema, Serialize)]
pub struct OwnWorkspace {
    /// The workspace.
    pub workspace: Workspace,
    /// The caller's role.
    pub role: MemberRole,
    /// The tenants that the caller is limited to; null without a limit.
    pub tenants: Option<BTreeSet<TenantId>>,
    /// When the membership ends; null without an end.
    #[schemars(with = "Option<Moment>")]
    pub until: Option<jiff::Timestamp>,
}

/// A change of settings.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct WorkspaceChange {
    /// Another name.
    #[serde(default)]
    #[schemars(length(min = 1, max = 200))]
    name: Option<String>,
    /// When nightly compares start; null: never.
    #[serde(default, deserialize_with = "given")]
    #[schemars(with = "Option<Schedule>")]
    schedule: Option<Option<Schedule>>,
    /// How old an inventory may be before nothing is concluded from it.
    #[serde(default)]
    #[schemars(range(min = 1, max = 8760))]
    inventory_max_age_hours: Option<u32>,
}

async fn create(
    State(api): State<Api>,
    caller: Caller,
    Body(new): Body<NewWorkspace>,
) -> Result<Response, Problem> {
    if !api.0.open_workspaces {
        return Err(FORBIDDEN
            .because("workspaces are made by the operator here")
            .next("Ask the operator to make one for you."));
    }
    let workspace = api.system().create_workspace(&caller.person, &caller.actor, &new.name).await?;
    Ok(created(&format!("/v1/workspaces/{}", workspace.id), &workspace))
}

async fn list(
    State(api): State<Api>,
    caller: Caller,
    listing: Listing<NoFilter>,
) -> Result<Json<PageOf<OwnWorkspace>>, Problem> {
    let page = api.system().workspaces_of(&caller.person, listing.after(), listing.limit).await?;
    let shown = listing.page(page, |(workspace, member)| OwnWorkspace {
        workspace,
        role: member.role,
        tenants: member.tenants,
        until: member.until,
    })?;
    Ok(Json(shown))
}

async fn show(State(api): State<Api>, here: Here) -> Result<Tagged<Workspace>, Problem> {
    Ok(Tagged(api.system().stored_workspace(here.workspace).await?))
}

async fn edit(
    State(api): State<Api>,
    here: Here,
    Expect(expect): Expect,
    Body(change): Body<WorkspaceChange>,
) -> Result<Tagged<Workspace>, Problem> {
    let edit = WorkspaceEdit {
        name: change.name,
        schedule: change.schedule,
        inventory_max_age_hours: change.inventory_max_age_hours,
    };
    api.system().edit_workspace(here.workspace, &here.actor, edit, expect).await?;
    Ok(Tagged(api.system().stored_workspace(here.workspace).await?))
}
