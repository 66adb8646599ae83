//! The API on a port of this machine, over embedded stores that hold one of everything.

use jiff::SignedDuration;
use plumbline_api::token::{DEVELOPMENT_ISSUER, Development};
use plumbline_api::{Api, Limits, Settings};
use plumbline_operations::{Actor, NewProfile, Person, System};
use plumbline_ports::{Clock, Secrets as _};
use plumbline_store_local::DataDir;
use plumbline_testkit::clock::ManualClock;
use plumbline_testkit::ids::CountedIds;
use plumbline_tests::holding::Holding;
use plumbline_tests::policies::FEATURE;
use plumbline_tests::stage::{must, scope};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

/// An API that runs until this is dropped.
pub(crate) struct Served {
    address: SocketAddr,
    token: String,
    ids: Value,
    document: Vec<u8>,
    folder: TempDir,
    _runtime: Runtime,
}

impl Served {
    /// Fills the stores and starts the API.
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        // Requests wait for the embedded stores on their thread.
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(8)
            .enable_all()
            .build()
            .unwrap();
        // Ids and times are the same in every run, and so are the requests, which are made from answers.
        let clock: Arc<dyn Clock> = Arc::new(ManualClock::default());
        let stores = DataDir::open(&folder.path().join("data"), Arc::clone(&clock)).unwrap();
        let ports = stores.ports(Arc::new(CountedIds::default()));
        let system = System::new(ports.clone());
        let root = runtime.block_on(stores.secrets.root_key()).unwrap();
        let mint = Development::new(&root).unwrap();
        let many = NonZeroU32::new(1_000_000).unwrap();
        let settings = Settings {
            ports,
            system: system.clone(),
            issuers: vec![mint.issuer().unwrap()],
            limits: Limits { subject: (many, many), workspace: (many, many), ..Limits::default() },
            open_workspaces: true,
        };
        let api = runtime.block_on(Api::new(settings)).unwrap();
        let ids = runtime.block_on(ids(&system));
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let router = api.router();
        runtime.spawn(async move { axum::serve(listener, router).await });
        Self {
            address,
            token: mint.mint("olga", clock.now(), SignedDuration::from_hours(1)).unwrap(),
            ids,
            document: runtime.block_on(document(&api)),
            folder,
            _runtime: runtime,
        }
    }

    /// Where it is.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A token of the owner.
    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    /// Ids that are there, for the hooks.
    pub(crate) fn ids(&self) -> String {
        self.ids.to_string()
    }

    /// The document, as it is served.
    pub(crate) fn document(&self) -> &[u8] {
        &self.document
    }

    /// A folder that goes with it.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }
}

async fn document(api: &Api) -> Vec<u8> {
    use http_body_util::BodyExt as _;
    use tower::ServiceExt as _;
    let request = axum::http::Request::get("/openapi.json").body(axum::body::Body::empty());
    let answer = api.router().oneshot(request.unwrap()).await.unwrap();
    answer.into_body().collect().await.unwrap().to_bytes().to_vec()
}

/// Ids to ask for, and ids of things that may be taken away.
async fn ids(system: &System) -> Value {
    let person = |subject: &str| Person {
        issuer: DEVELOPMENT_ISSUER.to_owned(),
        subject: subject.to_owned(),
    };
    let holding = Holding::make(system, &person("olga")).await;
    let (workspace, actor) = (holding.workspace, Actor::new("olga"));
    let new =
        NewProfile { name: "Spare".to_owned(), scope: scope(&[FEATURE]), ..NewProfile::default() };
    let spare = must(system.create_profile(workspace, &actor, new).await).id;
    let leaver = person("leaver");
    let viewer = plumbline_governance::access::MemberRole::Viewer.into();
    must(system.set_member(workspace, &actor, &leaver, viewer, None).await);
    let kept = json!({
        "workspace": workspace, "tenant": holding.first, "profile": holding.profile,
        "snapshot": holding.snapshot, "run": holding.run, "finding": holding.findings[0],
        "member": holding.viewer, "item": holding.item, "snapshot_item": holding.snapshot_item,
        "upload": holding.upload, "number": 1,
    });
    let mut spent = kept.clone();
    spent["tenant"] = json!(holding.second);
    spent["profile"] = json!(spare);
    spent["member"] = json!(leaver.member_id());
    spent["upload"] = json!(holding.second_upload);
    json!({ "kept": kept, "spent": spent })
}
