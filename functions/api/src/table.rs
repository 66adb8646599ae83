//! The table of routes.

use crate::access::{Guarded, guard};
use crate::once::once;
use crate::{Api, routes};
use axum::handler::Handler;
use axum::http::Method;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodFilter, MethodRouter, on};
use plumbline_governance::access::Capability;
use schemars::{JsonSchema, Schema, SchemaGenerator};

/// What a caller needs for a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Nothing.
    Public,
    /// A valid token.
    Token,
    /// Membership of the workspace of the path, with a role that has this capability; for a path with a
    /// tenant, one that the member may see.
    Member(Capability),
    /// The same, of a member who is not limited to some tenants.
    WholeWorkspace(Capability),
}

/// Writes the schema of a type into a document.
pub(crate) type ShapeOf = fn(&mut SchemaGenerator) -> Schema;

/// A body that an answer may have.
pub(crate) struct Shape {
    pub(crate) media: &'static str,
    pub(crate) of: Option<ShapeOf>,
}

/// A successful answer.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) what: &'static str,
    pub(crate) shapes: Vec<Shape>,
    pub(crate) location: bool,
    pub(crate) etag: bool,
}

/// One route.
pub struct Route {
    /// Its method.
    pub method: Method,
    /// Its path, with `{names}` for what varies.
    pub path: &'static str,
    /// Who may.
    pub access: Access,
    /// The chapter of the reference that it stands in.
    pub tag: &'static str,
    /// What it does, in a line.
    pub summary: &'static str,
    /// More about it.
    pub about: &'static str,
    pub(crate) query: Option<ShapeOf>,
    pub(crate) body: Vec<Shape>,
    pub(crate) answers: Vec<Answer>,
    pub(crate) if_match: bool,
    pub(crate) once: bool,
    handler: MethodRouter<Api>,
}

impl Route {
    fn new<H, T>(method: Method, filter: MethodFilter, path: &'static str, handler: H) -> Self
    where
        H: Handler<T, Api>,
        T: 'static,
    {
        Self {
            once: method == Method::POST,
            method,
            path,
            // Until a route says otherwise.
            access: Access::WholeWorkspace(Capability::ManageMembers),
            tag: "",
            summary: "",
            about: "",
            query: None,
            body: Vec::new(),
            answers: Vec::new(),
            if_match: false,
            handler: on(filter, handler),
        }
    }

    pub(crate) fn get<H: Handler<T, Api>, T: 'static>(path: &'static str, handler: H) -> Self {
        Self::new(Method::GET, MethodFilter::GET, path, handler)
    }

    pub(crate) fn post<H: Handler<T, Api>, T: 'static>(path: &'static str, handler: H) -> Self {
        Self::new(Method::POST, MethodFilter::POST, path, handler)
    }

    pub(crate) fn put<H: Handler<T, Api>, T: 'static>(path: &'static str, handler: H) -> Self {
        Self::new(Method::PUT, MethodFilter::PUT, path, handler)
    }

    pub(crate) fn patch<H: Handler<T, Api>, T: 'static>(path: &'static str, handler: H) -> Self {
        Self::new(Method::PATCH, MethodFilter::PATCH, path, handler)
    }

    pub(crate) fn delete<H: Handler<T, Api>, T: 'static>(path: &'static str, handler: H) -> Self {
        Self::new(Method::DELETE, MethodFilter::DELETE, path, handler)
    }

    pub(crate) fn access(mut self, access: Access) -> Self {
        self.access = access;
        self
    }

    /// Names the chapter and says what the route does; a line, then perhaps more.
    pub(crate) fn does(mut self, tag: &'static str, summary: &'static str) -> Self {
        (self.tag, self.summary) = (tag, summary);
        self
    }

    pub(crate) fn about(mut self, about: &'static str) -> Self {
        self.about = about;
        self
    }

    pub(crate) fn query<Q: JsonSchema>(mut self) -> Self {
        self.query = Some(SchemaGenerator::root_schema_for::<Q>);
        self
    }

    pub(crate) fn body<B: JsonSchema>(mut self) -> Self {
        let of: ShapeOf = |generator| generator.subschema_for::<B>();
        self.body.push(Shape { media: "application/json", of: Some(of) });
        self
    }

    /// A body that is no JSON document of one shape; it is streamed, so it is never kept for repeating.
    pub(crate) fn stream(mut self, media: &'static str) -> Self {
        self.body.push(Shape { media, of: None });
        self.once = false;
        self
    }

    pub(crate) fn gives<B: JsonSchema>(mut self, status: u16, what: &'static str) -> Self {
        let of: ShapeOf = |generator| generator.subschema_for::<B>();
        let shapes = vec![Shape { media: "application/json", of: Some(of) }];
        self.answers.push(Answer { status, what, shapes, location: false, etag: false });
        self
    }

    /// The last answer also comes in another form, or comes in this one if it had none.
    pub(crate) fn or_as(mut self, media: &'static str) -> Self {
        if let Some(answer) = self.answers.last_mut() {
            answer.shapes.push(Shape { media, of: None });
        }
        self
    }

    pub(crate) fn gives_nothing(mut self, status: u16, what: &'static str) -> Self {
        self.answers.push(Answer {
            status,
            what,
            shapes: Vec::new(),
            location: false,
            etag: false,
        });
        self
    }

    /// The last answer has an `ETag`.
    pub(crate) fn tagged(mut self) -> Self {
        if let Some(answer) = self.answers.last_mut() {
            answer.etag = true;
        }
        self
    }

    /// The last answer says where the thing is.
    pub(crate) fn located(mut self) -> Self {
        if let Some(answer) = self.answers.last_mut() {
            answer.location = true;
        }
        self
    }

    /// The route heeds `If-Match`.
    pub(crate) fn if_match(mut self) -> Self {
        self.if_match = true;
        self
    }

    /// Whether the path names a tenant.
    #[must_use]
    pub fn names_tenant(&self) -> bool {
        self.path.contains("{tenant}")
    }

    /// The handler behind the access check, and for what is done only once, behind the record of it.
    pub(crate) fn guarded(self, api: &Api) -> MethodRouter<Api> {
        let mut handler = self.handler;
        if self.once {
            handler = handler.layer(from_fn_with_state(api.clone(), once));
        }
        let guarded = Guarded { api: api.clone(), access: self.access };
        handler.layer(from_fn_with_state(guarded, guard))
    }
}

/// Every route of the API.
#[must_use]
pub fn table() -> Vec<Route> {
    let mut table = Vec::new();
    for routes in [
        routes::workspaces::routes,
        routes::members::routes,
        routes::tenants::routes,
        routes::inventory::routes,
        routes::uploads::routes,
        routes::profiles::routes,
        routes::snapshots::routes,
        routes::assignments::routes,
        routes::role_mappings::routes,
        routes::compares::routes,
        routes::runs::routes,
        routes::findings::routes,
        routes::posture::routes,
        routes::exports::routes,
        routes::audit::routes,
        routes::catalogs::routes,
        routes::service::routes,
    ] {
        table.extend(routes());
    }
    table
}
