//! The audit: who changed what, when, from where and why.

use crate::Api;
use crate::access::Here;
use crate::problem::Problem;
use crate::request::{Listing, PageOf, Paging, text};
use crate::table::{Access, Route};
use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use plumbline_governance::access::Capability;
use plumbline_governance::schema::Moment;
use plumbline_operations::AuditEntry;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::get("/v1/workspaces/{workspace}/audit", list)
            .access(Access::WholeWorkspace(Capability::ReadAudit))
            .does("Audit", "List the audit, the newest first")
            .about(
                "Entries are only ever added. Each holds the digest of the one before it, so that a changed or \
                 missing one shows; `plumbline verify` checks the chain.",
            )
            .query::<AuditQuery>()
            .gives::<PageOf<AuditEntry>>(200, "A page of it."),
    ]
}

/// Which entries.
#[derive(Debug, Default, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields)]
struct AuditFilter {
    /// Those of this moment or later.
    #[serde(default, deserialize_with = "text")]
    #[schemars(with = "Option<Moment>")]
    since: Option<Timestamp>,
    /// Those before this moment.
    #[serde(default, deserialize_with = "text")]
    #[schemars(with = "Option<Moment>")]
    until: Option<Timestamp>,
}

#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
struct AuditQuery {
    #[schemars(flatten)]
    filter: AuditFilter,
    #[schemars(flatten)]
    paging: Paging,
}

async fn list(
    State(api): State<Api>,
    here: Here,
    listing: Listing<AuditFilter>,
) -> Result<Json<PageOf<AuditEntry>>, Problem> {
    let AuditFilter { since, until } = listing.filter;
    let page = api
        .system()
        .audit_page(here.workspace, since, until, listing.after(), listing.limit)
        .await?;
    Ok(Json(listing.page(page, |one| one)?))
}
