//! The check before every handler: who is it, is the workspace theirs, may they.

use crate::Api;
use crate::problem::{FORBIDDEN, NOT_FOUND, Problem};
use crate::table::Access;
use axum::extract::{ConnectInfo, FromRequestParts, RawPathParams, Request, State};
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::Response;
use plumbline_governance::access::{Capability, Member};
use plumbline_governance::ids::{TenantId, WorkspaceId};
use plumbline_operations::{Actor, OperationError, Person};
use std::collections::BTreeSet;
use std::net::SocketAddr;

/// Where a request came from, for the audit. Whoever takes the connection says so; a header never does.
#[derive(Clone, Debug)]
pub struct Origin(pub String);

/// A caller who passed the check.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    /// Who it is.
    pub(crate) person: Person,
    /// The same, for the audit.
    pub(crate) actor: Actor,
}

/// A member of the workspace that the path names.
#[derive(Clone, Debug)]
pub(crate) struct Here {
    pub(crate) workspace: WorkspaceId,
    pub(crate) member: Member,
    pub(crate) actor: Actor,
}

impl Here {
    /// The tenants that the member is limited to.
    pub(crate) fn within(&self) -> Option<BTreeSet<TenantId>> {
        self.member.tenants.clone()
    }

    /// Checks a tenant that stands in a body or a query: it is not there for who may not see it.
    pub(crate) fn see(&self, tenant: TenantId) -> Result<(), Problem> {
        if self.member.sees(tenant) { Ok(()) } else { Err(no("tenant")) }
    }
}

/// What the check needs to know.
#[derive(Clone)]
pub(crate) struct Guarded {
    pub(crate) api: Api,
    pub(crate) access: Access,
}

/// What is missing and what is another's: one answer.
pub(crate) fn no(what: &'static str) -> Problem {
    OperationError::NotFound { what, id: String::new() }.into()
}

pub(crate) async fn guard(
    State(Guarded { api, access }): State<Guarded>,
    params: RawPathParams,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let (capability, whole) = match access {
        Access::Public => return Ok(next.run(request).await),
        Access::Token => (None, false),
        Access::Member(capability) => (Some(capability), false),
        Access::WholeWorkspace(capability) => (Some(capability), true),
    };
    let authorization = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let person = api.0.verifier.person(authorization).await?;
    api.0.gate.subject(&person)?;
    let actor = Actor::new(&person.subject).by(&person.issuer).from(origin(&request));
    if let Some(capability) = capability {
        let here = admit(&api, &params, &person, actor.clone(), capability, whole).await?;
        request.extensions_mut().insert(here);
    }
    request.extensions_mut().insert(Caller { person, actor });
    Ok(next.run(request).await)
}

/// Lets a member in. Each step fails alike for what is not there and for what is another's, after the
/// same calls (contracts 6.2).
async fn admit(
    api: &Api,
    params: &RawPathParams,
    person: &Person,
    actor: Actor,
    capability: Capability,
    whole: bool,
) -> Result<Here, Problem> {
    let param = |name: &str| params.iter().find(|(key, _)| *key == name).map(|(_, value)| value);
    let workspace: WorkspaceId =
        param("workspace").and_then(|text| text.parse().ok()).ok_or_else(|| no("workspace"))?;
    let member = api.system().member(workspace, person).await?.ok_or_else(|| no("workspace"))?;
    api.0.gate.workspace(workspace)?;
    if let Some(text) = param("tenant") {
        let tenant: TenantId = text.parse().map_err(|_| no("tenant"))?;
        if !member.sees(tenant) {
            return Err(no("tenant"));
        }
    }
    if !member.role.may(capability) {
        return Err(FORBIDDEN.because(format!(
            "the role {} does not allow this in the workspace",
            member.role.as_str()
        )));
    }
    if whole && member.tenants.is_some() {
        return Err(FORBIDDEN
            .because(
                "this concerns the whole workspace, and the membership is limited to some tenants",
            )
            .next(
                "Ask for one of your tenants, or ask an owner for a membership without that limit.",
            ));
    }
    Ok(Here { workspace, member, actor })
}

fn origin(request: &Request) -> String {
    let extensions = request.extensions();
    match (extensions.get::<Origin>(), extensions.get::<ConnectInfo<SocketAddr>>()) {
        (Some(Origin(origin)), _) => origin.clone(),
        (None, Some(ConnectInfo(address))) => address.ip().to_string(),
        (None, None) => "unknown".to_owned(),
    }
}

/// What the check put into a request, and nothing else does.
fn checked<T: Clone + Send + Sync + 'static>(parts: &Parts) -> Result<T, Problem> {
    parts.extensions.get().cloned().ok_or_else(|| NOT_FOUND.because("nobody may do this"))
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        checked(parts)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Here {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        checked(parts)
    }
}
