//! Baseline profiles, their transitions, and captures.

use super::given;
use crate::Api;
use crate::access::Here;
use crate::answer::{StartedRun, Tagged, accepted, created};
use crate::problem::Problem;
use crate::request::{At, Body, Expect, Listing, PageOf, Paging};
use crate::table::{Access, Route};
use axum::Json;
use axum::extract::State;
use axum::response::Response;
use plumbline_governance::access::Capability;
use plumbline_governance::ids::{ProfileId, TenantId};
use plumbline_governance::profile::{Profile, ProfileStatus};
use plumbline_governance::report::Facet;
use plumbline_governance::scope::Scope;
use plumbline_governance::severity::Severity;
use plumbline_operations::{NewProfile, Page, ProfileEdit};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

const TAG: &str = "Profiles";
const LIST: &str = "/v1/workspaces/{workspace}/profiles";
const ONE: &str = "/v1/workspaces/{workspace}/profiles/{profile}";

pub(crate) fn routes() -> Vec<Route> {
    let manage = Access::WholeWorkspace(Capability::ManageProfiles);
    let step = |route: Route, summary| {
        route
            .access(manage)
            .does(TAG, summary)
            .if_match()
            .gives::<Profile>(200, "The profile as it is now.")
            .tagged()
    };
    vec![
        Route::get(LIST, list)
            .access(Access::Member(Capability::Read))
            .does(TAG, "List the profiles")
            .query::<ProfileQuery>()
            .gives::<PageOf<Profile>>(200, "A page of them."),
        Route::post(LIST, create_profile)
            .access(manage)
            .does(TAG, "Make a profile, as a draft")
            .about(
                "No `policy_types` means every type that can be compared; no `foundation_types` means none. \
                 No `facets` means content and label.",
            )
            .body::<ProfileForm>()
            .gives::<Profile>(201, "The profile.")
            .located(),
        Route::get(ONE, show)
            .access(Access::Member(Capability::Read))
            .does(TAG, "Read a profile")
            .gives::<Profile>(200, "The profile.")
            .tagged(),
        Route::patch(ONE, edit)
            .access(manage)
            .does(TAG, "Change a profile")
            .about("What is not given stays; null takes a description or version label away.")
            .body::<ProfileChange>()
            .if_match()
            .gives::<Profile>(200, "The profile as it is now.")
            .tagged(),
        step(
            Route::post("/v1/workspaces/{workspace}/profiles/{profile}/activate", activate),
            "Put a profile in force",
        ),
        step(
            Route::post("/v1/workspaces/{workspace}/profiles/{profile}/draft", draft),
            "Take a profile back to a draft",
        ),
        step(
            Route::post("/v1/workspaces/{workspace}/profiles/{profile}/archive", archive),
            "Put a profile away for good",
        ),
        Route::post("/v1/workspaces/{workspace}/profiles/{profile}/capture", capture)
            .access(Access::WholeWorkspace(Capability::Capture))
            .does(TAG, "Capture a snapshot from a tenant")
            .about(
                "Freezes the tenant's inventory as the profile's snapshot. The run says whether it was taken, \
                 or was equal to one that the profile has.",
            )
            .body::<CaptureForm>()
            .gives::<StartedRun>(202, "The run.")
            .located(),
    ]
}

/// Which profiles.
#[derive(Debug, Default, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields)]
struct ProfileFilterQuery {
    /// Those of this status.
    #[serde(default)]
    status: Option<ProfileStatus>,
    /// The one of this name, without regard to case.
    #[serde(default)]
    name: Option<String>,
}

#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
struct ProfileQuery {
    #[schemars(flatten)]
    filter: ProfileFilterQuery,
    #[schemars(flatten)]
    paging: Paging,
}

/// A profile to be made.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ProfileForm {
    /// Its name, unique in the workspace.
    #[schemars(length(min = 1, max = 200))]
    name: String,
    /// For people.
    #[serde(default)]
    #[schemars(length(max = 2000))]
    description: Option<String>,
    /// For people, such as `2026.1`.
    #[serde(default)]
    #[schemars(length(max = 2000))]
    version_label: Option<String>,
    /// The types it holds.
    #[serde(default)]
    scope: Scope,
    /// The facets that count.
    #[serde(default)]
    facets: Vec<Facet>,
    /// Severities it gives to rules instead of their own.
    #[serde(default)]
    severities: BTreeMap<String, Severity>,
}

/// A change of a profile.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ProfileChange {
    /// Another name.
    #[serde(default)]
    #[schemars(length(min = 1, max = 200))]
    name: Option<String>,
    /// Another description.
    #[serde(default, deserialize_with = "given")]
    #[schemars(with = "Option<String>")]
    description: Option<Option<String>>,
    /// Another version label.
    #[serde(default, deserialize_with = "given")]
    #[schemars(with = "Option<String>")]
    version_label: Option<Option<String>>,
    /// Another scope.
    #[serde(default)]
    scope: Option<Scope>,
    /// Other facets.
    #[serde(default)]
    facets: Option<Vec<Facet>>,
    /// Other severities, all of them.
    #[serde(default)]
    severities: Option<BTreeMap<String, Severity>>,
}

/// A capture to be started.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CaptureForm {
    /// The golden tenant.
    tenant: TenantId,
}

#[derive(Deserialize)]
struct Place {
    profile: ProfileId,
}

async fn list(
    State(api): State<Api>,
    here: Here,
    listing: Listing<ProfileFilterQuery>,
) -> Result<Json<PageOf<Profile>>, Problem> {
    let asked = &listing.filter;
    let page = if let Some(name) = &asked.name {
        let found = api.system().profile_named(here.workspace, name).await?;
        let items = found
            .into_iter()
            .filter(|one| asked.status.is_none_or(|status| status == one.status))
            .collect();
        Page { items, next: None }
    } else {
        api.system()
            .profile_page(here.workspace, asked.status, listing.after(), listing.limit)
            .await?
    };
    Ok(Json(listing.page(page, |one| one)?))
}

async fn create_profile(
    State(api): State<Api>,
    here: Here,
    Body(form): Body<ProfileForm>,
) -> Result<Response, Problem> {
    let new = NewProfile {
        name: form.name,
        description: form.description,
        version_label: form.version_label,
        scope: form.scope,
        facets: form.facets,
        severities: form.severities,
    };
    let profile = api.system().create_profile(here.workspace, &here.actor, new).await?;
    Ok(created(&format!("/v1/workspaces/{}/profiles/{}", here.workspace, profile.id), &profile))
}

async fn show(
    State(api): State<Api>,
    here: Here,
    At(at): At<Place>,
) -> Result<Tagged<Profile>, Problem> {
    Ok(Tagged(api.system().stored_profile(here.workspace, at.profile).await?))
}

async fn edit(
    State(api): State<Api>,
    here: Here,
    At(at): At<Place>,
    Expect(expect): Expect,
    Body(change): Body<ProfileChange>,
) -> Result<Tagged<Profile>, Problem> {
    let edit = ProfileEdit {
        name: change.name,
        description: change.description,
        version_label: change.version_label,
        scope: change.scope,
        facets: change.facets,
        severities: change.severities,
    };
    api.system().edit_profile(here.workspace, &here.actor, at.profile, edit, expect).await?;
    show(State(api), here, At(at)).await
}

async fn become_status(
    api: Api,
    here: Here,
    at: Place,
    expect: Option<u64>,
    status: ProfileStatus,
) -> Result<Tagged<Profile>, Problem> {
    api.system()
        .set_profile_status(here.workspace, &here.actor, at.profile, status, expect)
        .await?;
    show(State(api), here, At(at)).await
}

async fn activate(
    State(api): State<Api>,
    here: Here,
    At(at): At<Place>,
    Expect(expect): Expect,
) -> Result<Tagged<Profile>, Problem> {
    become_status(api, here, at, expect, ProfileStatus::Active).await
}

async fn draft(
    State(api): State<Api>,
    here: Here,
    At(at): At<Place>,
    Expect(expect): Expect,
) -> Result<Tagged<Profile>, Problem> {
    become_status(api, here, at, expect, ProfileStatus::Draft).await
}

async fn archive(
    State(api): State<Api>,
    here: Here,
    At(at): At<Place>,
    Expect(expect): Expect,
) -> Result<Tagged<Profile>, Problem> {
    become_status(api, here, at, expect, ProfileStatus::Archived).await
}

async fn capture(
    State(api): State<Api>,
    here: Here,
    At(at): At<Place>,
    Body(form): Body<CaptureForm>,
) -> Result<Response, Problem> {
    here.see(form.tenant)?;
    let started =
        api.system().start_capture(here.workspace, &here.actor, at.profile, form.tenant).await?;
    Ok(accepted(started))
}
