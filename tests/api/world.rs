//! Two workspaces on one API, and everyone who might call it.

use axum::body::Body;
use axum::http::{HeaderMap, Method, Request};
use http_body_util::BodyExt as _;
use jiff::SignedDuration;
use plumbline_api::token::{DEVELOPMENT_ISSUER, Development};
use plumbline_api::{Api, Limits, Settings};
use plumbline_governance::access::{MemberChange, MemberRole};
use plumbline_governance::ids::{TenantId, WorkspaceId};
use plumbline_operations::{Actor, Person, System};
use plumbline_ports::Clock as _;
use plumbline_testkit::clock::ManualClock;
pub(crate) use plumbline_tests::holding::Holding;
use plumbline_tests::holding::drain;
use plumbline_tests::stage::{Stage, must};
use serde_json::Value;
use std::sync::Arc;
use tower::ServiceExt as _;

/// An answer, read whole.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Vec<u8>,
}

impl Answer {
    /// The body as JSON; null when it is none.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or(Value::Null)
    }

    /// The last part of a problem's type.
    pub(crate) fn problem(&self) -> String {
        let kind = self.json()["type"].as_str().unwrap_or_default().to_owned();
        kind.rsplit(':').next().unwrap_or_default().to_owned()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

/// A request before it is sent.
pub(crate) struct Call {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Call {
    pub(crate) fn new(method: &str, path: impl Into<String>) -> Self {
        let method = method.parse().unwrap();
        Self { method, path: path.into(), headers: Vec::new(), body: Vec::new() }
    }

    pub(crate) fn get(path: impl Into<String>) -> Self {
        Self::new("GET", path)
    }

    pub(crate) fn post(path: impl Into<String>, body: Value) -> Self {
        Self::new("POST", path).json(body)
    }

    pub(crate) fn json(mut self, body: impl Into<Value>) -> Self {
        self.body = body.into().to_string().into_bytes();
        self.header("content-type", "application/json")
    }

    pub(crate) fn raw(mut self, media: &str, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self.header("content-type", media)
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn token(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }
}

/// The API over stores in memory.
pub(crate) struct World {
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) stage: Stage,
    pub(crate) api: Api,
    pub(crate) mint: Development,
    pub(crate) runtime: tokio::runtime::Runtime,
}

/// Somebody of the development issuer.
pub(crate) fn person(subject: &str) -> Person {
    Person { issuer: DEVELOPMENT_ISSUER.to_owned(), subject: subject.to_owned() }
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(generous())
    }

    /// A world with limits of its own.
    pub(crate) fn with(limits: Limits) -> Self {
        let stage = Stage::new();
        let clock = Arc::clone(&stage.clock);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let root = runtime.block_on(stage.raw.secrets.root_key()).unwrap();
        let mint = Development::new(&root).unwrap();
        let settings = Settings {
            ports: stage.raw.clone(),
            system: stage.system.clone(),
            issuers: vec![mint.issuer().unwrap()],
            limits,
            open_workspaces: true,
        };
        let api = runtime.block_on(Api::new(settings)).unwrap();
        Self { clock, stage, api, mint, runtime }
    }

    pub(crate) fn system(&self) -> &System {
        self.api.system()
    }

    /// A token of a subject, good for an hour.
    pub(crate) fn token(&self, subject: &str) -> String {
        let good_for = SignedDuration::from_hours(1);
        self.mint.mint(subject, self.clock.now(), good_for).unwrap()
    }

    /// Sends a request.
    pub(crate) fn send(&self, call: Call) -> Answer {
        self.send_to(&self.api.router(), call)
    }

    /// Sends a request to another router than the API's own.
    pub(crate) fn send_to(&self, router: &axum::Router, call: Call) -> Answer {
        let mut request = Request::builder().method(call.method).uri(&call.path);
        for (name, value) in &call.headers {
            request = request.header(name, value);
        }
        let request = request.body(Body::from(call.body)).unwrap();
        let router = router.clone();
        self.runtime.block_on(async move {
            let response = router.oneshot(request).await.unwrap();
            let (parts, body) = response.into_parts();
            let bytes =
                body.collect().await.map_or_else(|_| Vec::new(), |body| body.to_bytes().to_vec());
            Answer { status: parts.status.as_u16(), headers: parts.headers, bytes }
        })
    }

    /// Signs claims as the development issuer does.
    pub(crate) fn sign(&self, claims: &Value) -> String {
        self.mint.sign(claims).unwrap()
    }

    /// The development issuer's public key, as its JWK writes it.
    pub(crate) fn public_key(&self) -> String {
        self.mint.public_key().to_owned()
    }

    /// Every row that stands, by key and revision.
    pub(crate) fn rows(&self) -> Vec<String> {
        self.stage
            .memory()
            .records
            .dump()
            .iter()
            .map(|row| format!("{} {}", row.key, row.revision))
            .collect()
    }

    /// Sends a request as a subject.
    pub(crate) fn send_as(&self, subject: &str, call: Call) -> Answer {
        let token = self.token(subject);
        self.send(call.token(&token))
    }

    /// Makes a workspace with one of everything, owned by `owner`.
    pub(crate) fn holding(&self, owner: &str) -> Holding {
        self.runtime.block_on(Holding::make(self.system(), &person(owner)))
    }

    /// Does what is queued.
    pub(crate) async fn drain(&self) {
        drain(self.system()).await;
    }

    /// Makes somebody a member.
    pub(crate) fn member(&self, workspace: WorkspaceId, subject: &str, change: MemberChange) {
        let actor = Actor::new("setup");
        let system = self.system();
        let person = person(subject);
        must(self.runtime.block_on(system.set_member(workspace, &actor, &person, change, None)));
    }

    /// The same, limited to some tenants.
    pub(crate) fn limited(
        &self,
        workspace: WorkspaceId,
        subject: &str,
        role: MemberRole,
        to: &[TenantId],
    ) {
        let tenants = Some(to.iter().copied().collect());
        self.member(workspace, subject, MemberChange { role, tenants, until: None });
    }
}

/// Limits that no test meets by accident.
pub(crate) fn generous() -> Limits {
    let many = std::num::NonZeroU32::new(1_000_000).unwrap();
    Limits { subject: (many, many), workspace: (many, many), ..Limits::default() }
}
