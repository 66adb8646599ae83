//! The API over a data directory that is opened in this process.

use super::archive::Chunks;
use super::{Answer, Content, Form, Request};
use crate::cli::data::DataArgs;
use crate::data::Data;
use anyhow::Context as _;
use axum::Router;
use axum::body::Body;
use axum::http::header::{
    AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, ETAG, HeaderMap, HeaderValue, IF_MATCH,
};
use http_body_util::BodyExt as _;
use jiff::SignedDuration;
use plumbline_api::token::Development;
use plumbline_api::{Api, Limits, Origin, Settings};
use plumbline_ports::Secrets as _;
use std::num::NonZeroU32;
use tower::ServiceExt as _;
use tracing::level_filters::LevelFilter;

/// How long the token of one command is good; what one command does takes less.
const GOOD_FOR: SignedDuration = SignedDuration::from_hours(24);

/// The API, and the directory it works on.
pub(super) struct Here {
    /// The directory.
    pub data: Data,
    router: Router,
    authorization: HeaderValue,
}

impl Here {
    pub(super) async fn open(args: &DataArgs) -> anyhow::Result<Self> {
        let data = Data::open(args)?;
        log();
        let root = data.stores.secrets.root_key().await?;
        let development = Development::new(&root)?;
        let token = development.mint(data.actor.name(), data.system.now(), GOOD_FOR)?;
        let settings = Settings {
            ports: data.ports.clone(),
            system: data.system.clone(),
            issuers: vec![development.issuer()?],
            limits: limits(),
            open_workspaces: true,
        };
        let router = Api::new(settings).await?.router();
        let authorization = HeaderValue::try_from(format!("Bearer {token}"))?;
        Ok(Self { data, router, authorization })
    }

    /// Sends a request; it comes to the same handlers as over the network.
    pub(super) async fn send(&self, request: &Request) -> anyhow::Result<Answer> {
        let (body, media) = match &request.content {
            Content::Nothing => (Body::empty(), None),
            Content::Json(bytes) => {
                (Body::from(bytes.clone()), Some(Form { media: "application/json", packed: None }))
            }
            Content::Raw(bytes, form) => (Body::from(bytes.clone()), Some(*form)),
        };
        self.dispatch(request, body, media).await
    }

    /// Sends a request whose body comes in chunks.
    pub(super) async fn stream(
        &self,
        request: &Request,
        chunks: Chunks,
        form: Form,
    ) -> anyhow::Result<Answer> {
        let chunks = futures::stream::unfold(chunks, |mut chunks| async move {
            chunks.recv().await.map(|chunk| (chunk, chunks))
        });
        self.dispatch(request, Body::from_stream(chunks), Some(form)).await
    }

    async fn dispatch(
        &self,
        request: &Request,
        body: Body,
        form: Option<Form>,
    ) -> anyhow::Result<Answer> {
        let mut asked = axum::http::Request::builder()
            .method(request.method.clone())
            .uri(&request.path)
            .extension(Origin("command".to_owned()))
            .body(body)
            .context("the request cannot be written")?;
        let headers: &mut HeaderMap = asked.headers_mut();
        headers.insert(AUTHORIZATION, self.authorization.clone());
        if let Some(form) = form {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(form.media));
            if let Some(packed) = form.packed {
                headers.insert(CONTENT_ENCODING, HeaderValue::from_static(packed));
            }
        }
        if let Some(revision) = &request.if_match {
            headers.insert(IF_MATCH, HeaderValue::try_from(revision)?);
        }
        let response = self.router.clone().oneshot(asked).await?;
        let (parts, body) = response.into_parts();
        let etag = parts.headers.get(ETAG).and_then(|tag| tag.to_str().ok()).map(str::to_owned);
        Ok(Answer { status: parts.status, etag, body: body.collect().await?.to_bytes() })
    }
}

/// A problem says little of a fault of the stores, because a caller may be anybody; the log says all. Here
/// the caller is who would read the log.
fn log() {
    // It fails only when there is a log already, which is then the log.
    let _ = tracing_subscriber::fmt()
        .with_max_level(LevelFilter::ERROR)
        .with_writer(std::io::stderr)
        .with_target(false)
        .with_ansi(false)
        .without_time()
        .try_init();
}

/// One's own command on one's own machine is not held up.
fn limits() -> Limits {
    let plenty = NonZeroU32::new(1_000_000).unwrap_or(NonZeroU32::MAX);
    Limits {
        subject: (plenty, plenty),
        workspace: (plenty, plenty),
        upload_bytes: u64::MAX,
        unpacked_bytes: u64::MAX,
        ..Limits::default()
    }
}
