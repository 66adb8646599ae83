//! One sound request for every route. A route without one fails the suite.

use crate::world::{Call, Holding};
use serde_json::{Value, json};

/// Ids of roles that nobody has.
const ROLE: &str = "6e0f4a9c-3b52-4d0e-9f55-0c1d5a7b2e31";
const OTHER_ROLE: &str = "9a7c1d20-58b4-4c7e-8a16-f3e2d1c0b9a8";

/// The ids that a request names.
#[derive(Clone, Debug)]
pub(crate) struct Ids {
    pub(crate) workspace: String,
    pub(crate) tenant: String,
    pub(crate) profile: String,
    pub(crate) snapshot: String,
    pub(crate) run: String,
    pub(crate) finding: String,
    pub(crate) member: String,
    pub(crate) item: String,
    pub(crate) snapshot_item: String,
    pub(crate) upload: String,
    /// A tenant that a body names.
    pub(crate) body_tenant: String,
    /// A profile that a body names.
    pub(crate) body_profile: String,
}

impl Ids {
    /// Those of a workspace, with its first tenant.
    pub(crate) fn of(holding: &Holding) -> Self {
        Self {
            workspace: holding.workspace.to_string(),
            tenant: holding.first.to_string(),
            profile: holding.profile.to_string(),
            snapshot: holding.snapshot.to_string(),
            run: holding.run.to_string(),
            finding: holding.findings[0].to_string(),
            member: holding.viewer.clone(),
            item: holding.item.clone(),
            snapshot_item: holding.snapshot_item.clone(),
            upload: holding.upload.to_string(),
            body_tenant: holding.golden.to_string(),
            body_profile: holding.profile.to_string(),
        }
    }

    /// The same with the second tenant wherever a tenant is named.
    pub(crate) fn second(holding: &Holding) -> Self {
        Self {
            tenant: holding.second.to_string(),
            finding: holding.findings[1].to_string(),
            run: holding.second_run.to_string(),
            upload: holding.second_upload.to_string(),
            body_tenant: holding.second.to_string(),
            ..Self::of(holding)
        }
    }

    /// The workspace of one, and everything else of another.
    pub(crate) fn mixed(here: &Holding, foreign: &Holding) -> Self {
        Self { workspace: here.workspace.to_string(), ..Self::of(foreign) }
    }

    /// A workspace that is there, and ids that nothing has.
    pub(crate) fn missing(here: &Holding) -> Self {
        let none = |prefix: &str| format!("{prefix}_0190a5c2f0b07c3e8d1f4b6a9c0d2e11");
        Self {
            workspace: here.workspace.to_string(),
            tenant: none("ten"),
            profile: none("prf"),
            snapshot: none("snp"),
            run: none("run"),
            finding: none("fnd"),
            member: "0".repeat(64),
            item: "0".repeat(64),
            snapshot_item: "0".repeat(64),
            upload: none("upl"),
            body_tenant: none("ten"),
            body_profile: none("prf"),
        }
    }

    fn fill(&self, path: &str) -> String {
        let item = if path.contains("{snapshot}") { &self.snapshot_item } else { &self.item };
        path.replace("{workspace}", &self.workspace)
            .replace("{tenant}", &self.tenant)
            .replace("{profile}", &self.profile)
            .replace("{snapshot}", &self.snapshot)
            .replace("{run}", &self.run)
            .replace("{finding}", &self.finding)
            .replace("{member}", &self.member)
            .replace("{item}", item)
            .replace("{upload}", &self.upload)
            .replace("{role}", ROLE)
            .replace("{number}", "1")
    }
}

/// What a route is sent.
enum Sent {
    Nothing,
    Json(Value),
    Raw(&'static str, &'static str),
}

/// A sound request for a route.
///
/// # Panics
/// When the route has no sample: a new route needs its row here.
pub(crate) fn sample(method: &str, path: &str, ids: &Ids) -> Call {
    let body = body(&format!("{method} {path}"), ids).unwrap_or_else(|| {
        panic!("{method} {path} has no sample; add one to tests/api/samples.rs")
    });
    let call = Call::new(method, ids.fill(path));
    match body {
        Sent::Nothing => call,
        Sent::Json(value) => call.json(value),
        Sent::Raw(media, text) => call.raw(media, text),
    }
}

fn body(route: &str, ids: &Ids) -> Option<Sent> {
    const WS: &str = "/v1/workspaces/{workspace}";
    let (method, path) = route.split_once(' ')?;
    let path = path.strip_prefix(WS).unwrap_or(path);
    Some(match (method, path) {
        ("POST", "/v1/workspaces") => Sent::Json(json!({ "name": "Another" })),
        ("PATCH", "") => Sent::Json(json!({ "name": "Renamed" })),
        ("POST", "/members") => {
            Sent::Json(json!({ "issuer": "local", "subject": "somebody new", "role": "viewer" }))
        }
        ("PATCH", "/members/{member}") => Sent::Json(json!({ "role": "auditor" })),
        ("POST", "/tenants") => Sent::Json(json!({ "name": "A new tenant" })),
        ("PATCH", "/tenants/{tenant}") => Sent::Json(json!({ "name": "A tenant by another name" })),
        ("POST", "/tenants/{tenant}/inventory") => Sent::Raw("application/x-ndjson", ""),
        ("PUT", "/tenants/{tenant}/uploads/{upload}/parts/{number}") => {
            Sent::Raw("application/octet-stream", "{}")
        }
        ("PUT", "/tenants/{tenant}/assignment") => {
            Sent::Json(json!({ "profile": ids.body_profile }))
        }
        ("PUT", "/tenants/{tenant}/assignment/role-mappings/{role}") => {
            Sent::Json(json!({ "tenant_role": OTHER_ROLE, "reason": "One role" }))
        }
        ("POST", "/profiles") => Sent::Json(json!({ "name": "A new profile" })),
        ("PATCH", "/profiles/{profile}") => Sent::Json(json!({ "description": "Changed" })),
        ("POST", "/profiles/{profile}/capture") => Sent::Json(json!({ "tenant": ids.body_tenant })),
        ("POST", "/tenants/{tenant}/findings/{finding}/actions") => {
            Sent::Json(json!({ "action": "acknowledge" }))
        }
        ("POST", "/findings/actions") => Sent::Json(json!({
            "findings": [{ "tenant": ids.tenant, "finding": ids.finding }],
            "decision": { "action": "acknowledge" },
        })),
        (
            "POST",
            "/tenants/{tenant}/archive"
            | "/tenants/{tenant}/uploads"
            | "/tenants/{tenant}/uploads/{upload}/import"
            | "/tenants/{tenant}/compare"
            | "/tenants/{tenant}/runs/{run}/cancel"
            | "/profiles/{profile}/activate"
            | "/profiles/{profile}/draft"
            | "/profiles/{profile}/archive"
            | "/profiles/{profile}/compare"
            | "/profiles/{profile}/snapshots/{snapshot}/promote",
        )
        | (
            "DELETE",
            "/members/{member}"
            | "/tenants/{tenant}/uploads/{upload}"
            | "/tenants/{tenant}/assignment"
            | "/tenants/{tenant}/assignment/role-mappings/{role}",
        )
        | (
            "GET",
            "/v1/workspaces"
            | ""
            | "/members"
            | "/members/{member}"
            | "/tenants"
            | "/tenants/{tenant}"
            | "/tenants/{tenant}/inventory"
            | "/tenants/{tenant}/inventory/items"
            | "/tenants/{tenant}/inventory/items/{item}/payload"
            | "/tenants/{tenant}/uploads/{upload}"
            | "/tenants/{tenant}/assignment"
            | "/tenants/{tenant}/runs/{run}"
            | "/tenants/{tenant}/findings/{finding}"
            | "/tenants/{tenant}/findings/{finding}/evidence"
            | "/tenants/{tenant}/posture"
            | "/profiles"
            | "/profiles/{profile}"
            | "/profiles/{profile}/snapshots"
            | "/profiles/{profile}/snapshots/{snapshot}"
            | "/profiles/{profile}/snapshots/{snapshot}/items"
            | "/profiles/{profile}/snapshots/{snapshot}/items/{item}/payload"
            | "/runs"
            | "/nights"
            | "/findings"
            | "/exports/findings"
            | "/posture"
            | "/posture/tenants"
            | "/posture/trend"
            | "/posture/groups"
            | "/audit"
            | "/v1/badges"
            | "/v1/policy-types"
            | "/health"
            | "/openapi.json"
            | "/reference",
        ) => Sent::Nothing,
        _ => return None,
    })
}
