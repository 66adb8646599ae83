//! Which role of a tenant stands for which role of its baseline.

use crate::Api;
use crate::access::Here;
use crate::answer::Tagged;
use crate::problem::Problem;
use crate::request::{At, Body, Expect};
use crate::routes::assignments::{TAG, show_of};
use crate::table::{Access, Route};
use axum::extract::State;
use axum::http::StatusCode;
use plumbline_governance::access::Capability;
use plumbline_governance::ids::TenantId;
use plumbline_operations::{Assignment, NewRoleMapping};
use schemars::JsonSchema;
use serde::Deserialize;

const ONE: &str = "/v1/workspaces/{workspace}/tenants/{tenant}/assignment/role-mappings/{role}";

pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::put(ONE, set)
            .access(Access::Member(Capability::Assign))
            .does(TAG, "Say which role of the tenant stands for a role of the baseline")
            .about(
                "Every tenant makes its own ids for custom roles, and equal names are not enough. `role` is \
                 the id of the baseline's role. It counts from the next compare on.",
            )
            .body::<NewMapping>()
            .if_match()
            .gives::<Assignment>(200, "The assignment with the mapping.")
            .tagged(),
        Route::delete(ONE, remove)
            .access(Access::Member(Capability::Assign))
            .does(TAG, "Take a role mapping away")
            .if_match()
            .gives_nothing(204, "The two roles are two again."),
    ]
}

/// A mapping to be made.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewMapping {
    /// The id of the tenant's role, as Graph gives it.
    #[schemars(regex(pattern = r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"))]
    tenant_role: String,
    /// Why the two are one; the audit keeps it.
    reason: String,
}

#[derive(Deserialize)]
struct Place {
    tenant: TenantId,
    role: String,
}

async fn set(
    State(api): State<Api>,
    here: Here,
    At(at): At<Place>,
    Expect(expect): Expect,
    Body(new): Body<NewMapping>,
) -> Result<Tagged<Assignment>, Problem> {
    let NewMapping { tenant_role, reason } = new;
    let new = NewRoleMapping { baseline_role: at.role, tenant_role, reason };
    api.system().map_role(here.workspace, &here.actor, at.tenant, new, expect).await?;
    show_of(&api, &here, at.tenant).await
}

async fn remove(
    State(api): State<Api>,
    here: Here,
    At(at): At<Place>,
    Expect(expect): Expect,
) -> Result<StatusCode, Problem> {
    api.system().unmap_role(here.workspace, &here.actor, at.tenant, &at.role, expect).await?;
    Ok(StatusCode::NO_CONTENT)
}
