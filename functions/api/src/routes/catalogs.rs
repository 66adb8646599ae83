//! What is the same for everyone: badges and policy types.

use crate::access::Caller;
use crate::table::{Access, Route};
use axum::Json;
use plumbline_governance::badge;
use plumbline_policy::catalog::catalog;
use schemars::JsonSchema;
use serde::Serialize;

const TAG: &str = "Catalogs";

pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::get("/v1/badges", badges)
            .access(Access::Token)
            .does(TAG, "Read how every status word looks")
            .about("The one catalog that every face uses. A word it does not know is gray, never green.")
            .gives::<Badges>(200, "The catalog."),
        Route::get("/v1/policy-types", policy_types)
            .access(Access::Token)
            .does(TAG, "Read which policy types there are")
            .gives::<PolicyTypes>(200, "The catalog."),
    ]
}

/// The badge catalog.
#[derive(Debug, Serialize, JsonSchema)]
struct Badges {
    /// One entry for each domain and word.
    badges: Vec<BadgeView>,
}

/// How one word looks.
#[derive(Debug, Serialize, JsonSchema)]
struct BadgeView {
    /// What the word is about, such as `finding.status`.
    domain: &'static str,
    /// The word.
    value: &'static str,
    /// What is shown.
    label: &'static str,
    /// Its colour, by name.
    colour: &'static str,
    /// Its icon, by name.
    icon: &'static str,
    /// How it ranks; the lowest is looked at first.
    rank: u8,
}

/// The policy types.
#[derive(Debug, Serialize, JsonSchema)]
struct PolicyTypes {
    /// The version of the catalog.
    catalog_version: String,
    /// The types.
    policy_types: Vec<PolicyTypeView>,
}

/// One policy type.
#[derive(Debug, Serialize, JsonSchema)]
struct PolicyTypeView {
    /// Its catalog key.
    key: String,
    /// `supported`, `limited` or `unsupported`.
    support: String,
    /// Why it cannot be compared, or only in part.
    reason: Option<String>,
    /// The platform.
    platform: String,
    /// Where Graph keeps it.
    collection: String,
    /// The permission that reads it.
    permission: Option<String>,
}

async fn badges(_: Caller) -> Json<Badges> {
    let badges = badge::catalog()
        .map(|(domain, value, badge)| BadgeView {
            domain: domain.name(),
            value,
            label: badge.label,
            colour: badge.colour.name(),
            icon: badge.icon.name(),
            rank: badge.rank,
        })
        .collect();
    Json(Badges { badges })
}

async fn policy_types(_: Caller) -> Json<PolicyTypes> {
    let policy_types = catalog()
        .types()
        .iter()
        .map(|one| PolicyTypeView {
            key: one.key.clone(),
            support: one.support.as_str().to_owned(),
            reason: one.reason.clone(),
            platform: one.platform.clone(),
            collection: one.collection.clone(),
            permission: one.permission.clone(),
        })
        .collect();
    Json(PolicyTypes { catalog_version: catalog().version.clone(), policy_types })
}
