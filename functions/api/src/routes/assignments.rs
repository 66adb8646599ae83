//! Which profile a tenant is held to.

use crate::Api;
use crate::access::{Here, no};
use crate::answer::Tagged;
use crate::problem::Problem;
use crate::request::{At, Body, Expect};
use crate::table::{Access, Route};
use axum::extract::State;
use axum::http::StatusCode;
use plumbline_governance::access::Capability;
use plumbline_governance::ids::{ProfileId, TenantId};
use plumbline_governance::scope::Scope;
use plumbline_operations::Assignment;
use schemars::JsonSchema;
use serde::Deserialize;

pub(crate) const TAG: &str = "Assignments";
const ONE: &str = "/v1/workspaces/{workspace}/tenants/{tenant}/assignment";

pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::get(ONE, show)
            .access(Access::Member(Capability::Read))
            .does(TAG, "Read what a tenant is held to")
            .about("The tenants of a profile: `GET /v1/workspaces/{workspace}/tenants?profile=…`.")
            .gives::<Assignment>(200, "The assignment.")
            .tagged(),
        Route::put(ONE, set)
            .access(Access::Member(Capability::Assign))
            .does(TAG, "Hold a tenant to a profile")
            .about("A tenant has one profile at most; another one takes its place. The override only narrows.")
            .body::<NewAssignment>()
            .if_match()
            .gives::<Assignment>(200, "The assignment.")
            .tagged(),
        Route::delete(ONE, remove)
            .access(Access::Member(Capability::Assign))
            .does(TAG, "Hold a tenant to nothing")
            .if_match()
            .gives_nothing(204, "It is held to nothing any more."),
    ]
}

/// An assignment to be made.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewAssignment {
    /// An active profile.
    profile: ProfileId,
    /// A narrower scope for this tenant.
    #[serde(default)]
    override_scope: Option<Scope>,
}

#[derive(Deserialize)]
struct Place {
    tenant: TenantId,
}

async fn show(
    State(api): State<Api>,
    here: Here,
    At(at): At<Place>,
) -> Result<Tagged<Assignment>, Problem> {
    show_of(&api, &here, at.tenant).await
}

/// The assignment of a tenant as an answer.
pub(crate) async fn show_of(
    api: &Api,
    here: &Here,
    tenant: TenantId,
) -> Result<Tagged<Assignment>, Problem> {
    let stored = api.system().stored_assignment(here.workspace, tenant).await?;
    stored.map(Tagged).ok_or_else(|| no("assignment"))
}

async fn set(
    State(api): State<Api>,
    here: Here,
    At(at): At<Place>,
    Expect(expect): Expect,
    Body(new): Body<NewAssignment>,
) -> Result<Tagged<Assignment>, Problem> {
    api.system()
        .assign(here.workspace, &here.actor, at.tenant, new.profile, new.override_scope, expect)
        .await?;
    show_of(&api, &here, at.tenant).await
}

async fn remove(
    State(api): State<Api>,
    here: Here,
    At(at): At<Place>,
    Expect(expect): Expect,
) -> Result<StatusCode, Problem> {
    api.system().unassign(here.workspace, &here.actor, at.tenant, expect).await?;
    Ok(StatusCode::NO_CONTENT)
}
