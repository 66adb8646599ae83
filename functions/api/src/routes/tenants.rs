//! Governed tenants.

use crate::Api;
use crate::access::Here;
use crate::answer::{Tagged, created};
use crate::problem::Problem;
use crate::request::{At, Body, Expect, Listing, PageOf, Paging, text};
use crate::table::{Access, Route};
use axum::Json;
use axum::extract::State;
use axum::response::Response;
use plumbline_governance::access::Capability;
use plumbline_governance::ids::{ProfileId, TenantId};
use plumbline_operations::{Page, Tenant, TenantEdit, TenantFilter, TenantStatus};
use plumbline_policy::tenant::TenantFacts;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

const TAG: &str = "Tenants";
const LIST: &str = "/v1/workspaces/{workspace}/tenants";
const ONE: &str = "/v1/workspaces/{workspace}/tenants/{tenant}";

pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::get(LIST, list)
            .access(Access::Member(Capability::Read))
            .does(TAG, "List the tenants")
            .query::<TenantQuery>()
            .gives::<PageOf<Tenant>>(200, "A page of them."),
        Route::post(LIST, add)
            .access(Access::WholeWorkspace(Capability::ManageTenants))
            .does(TAG, "Add a tenant")
            .about("Its facts become placeholders in everything that is compared, so that they are no drift.")
            .body::<NewTenant>()
            .gives::<Tenant>(201, "The tenant.")
            .located(),
        Route::get(ONE, show)
            .access(Access::Member(Capability::Read))
            .does(TAG, "Read a tenant")
            .gives::<Tenant>(200, "The tenant.")
            .tagged(),
        Route::patch(ONE, edit)
            .access(Access::Member(Capability::ManageTenants))
            .does(TAG, "Change a tenant's name or facts")
            .about("What is not given stays. Facts are replaced as a whole, and count from the next import on.")
            .body::<TenantChange>()
            .if_match()
            .gives::<Tenant>(200, "The tenant as it is now.")
            .tagged(),
        Route::post("/v1/workspaces/{workspace}/tenants/{tenant}/archive", archive)
            .access(Access::Member(Capability::ManageTenants))
            .does(TAG, "Put a tenant away")
            .about("It takes no imports and no compares any more. Its findings are resolved as out of scope.")
            .if_match()
            .gives::<Tenant>(200, "The tenant as it is now.")
            .tagged(),
    ]
}

/// Which tenants.
#[derive(Debug, Default, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields)]
struct TenantFilterQuery {
    /// Those held to this profile.
    #[serde(default, deserialize_with = "text")]
    profile: Option<ProfileId>,
    /// Those of this status.
    #[serde(default)]
    status: Option<TenantStatus>,
    /// The one of this name, without regard to case.
    #[serde(default)]
    name: Option<String>,
}

/// For the document: filter and paging together.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
struct TenantQuery {
    #[schemars(flatten)]
    filter: TenantFilterQuery,
    #[schemars(flatten)]
    paging: Paging,
}

/// A tenant to be added.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewTenant {
    /// Its name, unique in the workspace.
    #[schemars(length(min = 1, max = 200))]
    name: String,
    /// Its Entra tenant id, verified domains and Intune account id.
    #[serde(default)]
    facts: TenantFacts,
}

/// A change of a tenant.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct TenantChange {
    /// Another name.
    #[serde(default)]
    #[schemars(length(min = 1, max = 200))]
    name: Option<String>,
    /// Other facts, all of them.
    #[serde(default)]
    facts: Option<TenantFacts>,
}

#[derive(Deserialize)]
struct Place {
    tenant: TenantId,
}

async fn list(
    State(api): State<Api>,
    here: Here,
    listing: Listing<TenantFilterQuery>,
) -> Result<Json<PageOf<Tenant>>, Problem> {
    let asked = &listing.filter;
    if let Some(name) = &asked.name {
        let found = api.system().tenant_named(here.workspace, name).await?;
        let items: Vec<Tenant> = found
            .into_iter()
            .filter(|one| here.member.sees(one.id))
            .filter(|one| asked.profile.is_none() || asked.profile == one.profile)
            .filter(|one| asked.status.is_none_or(|status| status == one.status))
            .collect();
        return Ok(Json(listing.page(Page { items, next: None }, |one| one)?));
    }
    let filter =
        TenantFilter { within: here.within(), profile: asked.profile, status: asked.status };
    let page =
        api.system().tenant_page(here.workspace, &filter, listing.after(), listing.limit).await?;
    Ok(Json(listing.page(page, |one| one)?))
}

async fn add(
    State(api): State<Api>,
    here: Here,
    Body(new): Body<NewTenant>,
) -> Result<Response, Problem> {
    let tenant = api.system().add_tenant(here.workspace, &here.actor, &new.name, new.facts).await?;
    Ok(created(&format!("/v1/workspaces/{}/tenants/{}", here.workspace, tenant.id), &tenant))
}

async fn show(
    State(api): State<Api>,
    here: Here,
    At(at): At<Place>,
) -> Result<Tagged<Tenant>, Problem> {
    Ok(Tagged(api.system().stored_tenant(here.workspace, at.tenant).await?))
}

async fn edit(
    State(api): State<Api>,
    here: Here,
    At(at): At<Place>,
    Expect(expect): Expect,
    Body(change): Body<TenantChange>,
) -> Result<Tagged<Tenant>, Problem> {
    let edit = TenantEdit { name: change.name, facts: change.facts };
    api.system().edit_tenant(here.workspace, &here.actor, at.tenant, edit, expect).await?;
    Ok(Tagged(api.system().stored_tenant(here.workspace, at.tenant).await?))
}

async fn archive(
    State(api): State<Api>,
    here: Here,
    At(at): At<Place>,
    Expect(expect): Expect,
) -> Result<Tagged<Tenant>, Problem> {
    api.system().archive_tenant(here.workspace, &here.actor, at.tenant, expect).await?;
    Ok(Tagged(api.system().stored_tenant(here.workspace, at.tenant).await?))
}
