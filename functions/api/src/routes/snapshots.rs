//! Snapshots of a profile: what good looks like, frozen. None of them names a tenant.

use crate::Api;
use crate::access::Here;
use crate::answer::Tagged;
use crate::problem::Problem;
use crate::request::{At, Expect, Listing, NoFilter, PageOf, Paging};
use crate::table::{Access, Route};
use axum::Json;
use axum::extract::State;
use plumbline_governance::access::Capability;
use plumbline_governance::ids::{ProfileId, SnapshotId};
use plumbline_governance::profile::Profile;
use plumbline_operations::{Snapshot, SnapshotItem};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

const TAG: &str = "Snapshots";

pub(crate) fn routes() -> Vec<Route> {
    let read = Access::Member(Capability::Read);
    vec![
        Route::get("/v1/workspaces/{workspace}/profiles/{profile}/snapshots", list)
            .access(read)
            .does(TAG, "List the snapshots of a profile")
            .query::<Paging>()
            .gives::<PageOf<Snapshot>>(200, "A page of them."),
        Route::get("/v1/workspaces/{workspace}/profiles/{profile}/snapshots/{snapshot}", show)
            .access(read)
            .does(TAG, "Read a snapshot's header")
            .gives::<Snapshot>(200, "The header."),
        Route::get("/v1/workspaces/{workspace}/profiles/{profile}/snapshots/{snapshot}/items", items)
            .access(read)
            .does(TAG, "List what a snapshot holds")
            .query::<ItemQuery>()
            .gives::<PageOf<SnapshotItem>>(200, "A page of its subjects."),
        Route::get(
            "/v1/workspaces/{workspace}/profiles/{profile}/snapshots/{snapshot}/items/{item}/payload",
            payload,
        )
        .access(read)
        .does(TAG, "Read one subject of a snapshot as it was captured")
        .about("Secrets are slots, the tenant's own facts are placeholders.")
        .gives::<Value>(200, "The payload."),
        Route::post(
            "/v1/workspaces/{workspace}/profiles/{profile}/snapshots/{snapshot}/promote",
            promote,
        )
        .access(Access::WholeWorkspace(Capability::ManageProfiles))
        .does(TAG, "Compare with this snapshot from now on")
        .if_match()
        .about("`If-Match` is the ETag of the profile.")
        .gives::<Profile>(200, "The profile as it is now.")
        .tagged(),
    ]
}

/// Which items.
#[derive(Debug, Default, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ItemFilter {
    /// Those of this catalog key.
    #[serde(default)]
    pub(super) policy_type: Option<String>,
}

#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
pub(super) struct ItemQuery {
    #[schemars(flatten)]
    filter: ItemFilter,
    #[schemars(flatten)]
    paging: Paging,
}

#[derive(Deserialize)]
struct OfProfile {
    profile: ProfileId,
}

#[derive(Deserialize)]
struct Place {
    profile: ProfileId,
    snapshot: SnapshotId,
}

#[derive(Deserialize)]
struct ItemPlace {
    profile: ProfileId,
    snapshot: SnapshotId,
    item: String,
}

async fn list(
    State(api): State<Api>,
    here: Here,
    At(at): At<OfProfile>,
    listing: Listing<NoFilter>,
) -> Result<Json<PageOf<Snapshot>>, Problem> {
    api.system().profile(here.workspace, at.profile).await?;
    let page = api
        .system()
        .snapshot_page(here.workspace, at.profile, listing.after(), listing.limit)
        .await?;
    Ok(Json(listing.page(page, |one| one)?))
}

async fn show(
    State(api): State<Api>,
    here: Here,
    At(at): At<Place>,
) -> Result<Json<Snapshot>, Problem> {
    Ok(Json(api.system().snapshot(here.workspace, at.profile, at.snapshot).await?))
}

async fn items(
    State(api): State<Api>,
    here: Here,
    At(at): At<Place>,
    listing: Listing<ItemFilter>,
) -> Result<Json<PageOf<SnapshotItem>>, Problem> {
    let of = listing.filter.policy_type.as_deref();
    let page = api
        .system()
        .snapshot_items(here.workspace, at.profile, at.snapshot, of, listing.after(), listing.limit)
        .await?;
    Ok(Json(listing.page(page, |one| one)?))
}

async fn payload(
    State(api): State<Api>,
    here: Here,
    At(at): At<ItemPlace>,
) -> Result<Json<Value>, Problem> {
    let payload =
        api.system().snapshot_payload(here.workspace, at.profile, at.snapshot, &at.item).await?;
    Ok(Json(payload))
}

async fn promote(
    State(api): State<Api>,
    here: Here,
    At(at): At<Place>,
    Expect(expect): Expect,
) -> Result<Tagged<Profile>, Problem> {
    api.system()
        .promote_snapshot(here.workspace, &here.actor, at.profile, at.snapshot, expect)
        .await?;
    Ok(Tagged(api.system().stored_profile(here.workspace, at.profile).await?))
}
