//! The commands' one way to the system: a client of the HTTP API. The same requests go to a server, or to
//! the API over a data directory that is opened in this process; no command knows which.

mod archive;
mod here;
mod import;
mod named;
mod refusal;
mod runs;
mod server;
mod workspace;

pub(crate) use import::Import;
pub(crate) use named::{one, several, short};
pub(crate) use refusal::{Refusal, sentence};

use crate::cli::data::{DataArgs, SERVER, TOKEN, variable};
use anyhow::{Context as _, bail};
use axum::http::{Method, StatusCode};
use bytes::Bytes;
use here::Here;
use plumbline_api::view::PageOf;
use plumbline_operations::Workspace;
use serde::Serialize;
use serde::de::DeserializeOwned;
use server::Server;
use tokio::runtime::Runtime;

/// The items of a page that is one of many: as many as the API gives.
const PAGE: &str = "200";

/// What is asked.
pub(crate) struct Request {
    method: Method,
    /// Path and query.
    path: String,
    /// The revision that a change is made for.
    if_match: Option<String>,
    /// Whether the API does it once however often it is sent with one key.
    once: bool,
    /// Whether the answer comes only when much was done.
    is_long: bool,
    content: Content,
}

/// The body of a request that may be sent again.
enum Content {
    Nothing,
    Json(Bytes),
    /// Bytes, with their media type and how they are packed.
    Raw(Bytes, Form),
}

/// What bytes are.
#[derive(Clone, Copy)]
struct Form {
    media: &'static str,
    packed: Option<&'static str>,
}

/// What came back.
struct Answer {
    status: StatusCode,
    etag: Option<String>,
    body: Bytes,
}

/// The two sides there are.
enum Side {
    Here(Box<Here>),
    Server(Server),
}

/// A wire to the API: requests by path, answers as what they hold.
pub(crate) struct Wire {
    side: Side,
    // Dropped last: what the side does in the background runs on it.
    runtime: Runtime,
}

/// A wire with the workspace that is meant.
pub(crate) struct Client {
    wire: Wire,
    /// The workspace.
    pub workspace: Workspace,
}

impl Request {
    fn new(method: Method, path: impl Into<String>) -> Self {
        let once = method == Method::POST;
        Self {
            method,
            path: path.into(),
            if_match: None,
            once,
            is_long: false,
            content: Content::Nothing,
        }
    }

    fn json(mut self, body: &impl Serialize) -> anyhow::Result<Self> {
        self.content = Content::Json(serde_json::to_vec(body)?.into());
        Ok(self)
    }

    fn raw(mut self, bytes: Bytes, form: Form) -> Self {
        self.content = Content::Raw(bytes, form);
        self
    }

    /// The request does much before it is answered.
    fn long(mut self) -> Self {
        self.is_long = true;
        self
    }
}

impl Answer {
    /// The answer, if it is a success.
    fn good(self) -> anyhow::Result<Self> {
        if self.status.is_success() { Ok(self) } else { Err(Refusal::of(&self).into()) }
    }

    fn read<T: DeserializeOwned>(&self) -> anyhow::Result<T> {
        serde_json::from_slice(&self.body).context(
            "the answer cannot be read; use the same version of plumbline here and on the server",
        )
    }
}

impl Wire {
    /// Opens the side that the arguments name: a server, or a data directory.
    ///
    /// # Errors
    /// Says what is wrong with the address, the token or the directory.
    pub(crate) fn open(args: &DataArgs) -> anyhow::Result<Self> {
        if args.act_as.is_some() && args.server().is_some() {
            bail!("{SERVER} is set, and the token says who asks a server; leave --as out");
        }
        // One request at a time; what the API does beside it (a body that comes in, a clock) shares the
        // thread.
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .context("cannot begin to send requests")?;
        let side = match args.server() {
            Some(address) => Side::Server(Server::new(&address, variable(TOKEN))?),
            None => Side::Here(Box::new(runtime.block_on(Here::open(args))?)),
        };
        Ok(Self { side, runtime })
    }

    fn ask(&self, request: &Request) -> anyhow::Result<Answer> {
        match &self.side {
            Side::Here(here) => self.runtime.block_on(here.send(request)),
            Side::Server(server) => self.runtime.block_on(server.send(request)),
        }
    }

    fn send(&self, request: &Request) -> anyhow::Result<Answer> {
        self.ask(request)?.good()
    }

    /// Reads a thing.
    pub(crate) fn get<T: DeserializeOwned>(&self, path: &str) -> anyhow::Result<T> {
        self.send(&Request::new(Method::GET, path))?.read()
    }

    /// Reads a thing that may not be there.
    pub(crate) fn find<T: DeserializeOwned>(&self, path: &str) -> anyhow::Result<Option<T>> {
        Ok(self.find_tagged(path)?.map(|(found, _)| found))
    }

    /// Reads a thing that may not be there, with its revision.
    fn find_tagged<T: DeserializeOwned>(
        &self,
        path: &str,
    ) -> anyhow::Result<Option<(T, Option<String>)>> {
        let answer = self.ask(&Request::new(Method::GET, path))?;
        if answer.status == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        let answer = answer.good()?;
        Ok(Some((answer.read()?, answer.etag)))
    }

    /// Reads a list to its end.
    pub(crate) fn list<T: DeserializeOwned>(
        &self,
        path: &str,
        filter: &[(&str, &str)],
    ) -> anyhow::Result<Vec<T>> {
        self.pages(&Request::new(Method::GET, path), filter, usize::MAX)
    }

    /// Sends a request page by page until there are as many items, or no more.
    fn pages<T: DeserializeOwned>(
        &self,
        request: &Request,
        filter: &[(&str, &str)],
        most: usize,
    ) -> anyhow::Result<Vec<T>> {
        let mut items: Vec<T> = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let mut query = filter.to_vec();
            query.push(("limit", PAGE));
            query.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
            let page = Request::new(request.method.clone(), with(&request.path, &query));
            let page: PageOf<T> = self.send(&page)?.read()?;
            items.extend(page.items);
            cursor = page.next_cursor;
            if cursor.is_none() || items.len() >= most {
                items.truncate(most);
                return Ok(items);
            }
        }
    }

    /// Makes a thing, or has something done.
    pub(crate) fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> anyhow::Result<T> {
        self.send(&Request::new(Method::POST, path).json(body)?)?.read()
    }
}

impl Client {
    /// Opens the side that the arguments name, and finds the workspace that they mean.
    ///
    /// # Errors
    /// As [`Wire::open`]; says which workspaces there are if none of them is meant.
    pub(crate) fn open(args: &DataArgs) -> anyhow::Result<Self> {
        let wire = Wire::open(args)?;
        let workspace = wire.workspace(args.workspace.as_deref())?;
        Ok(Self { wire, workspace })
    }

    /// A path within the workspace.
    fn at(&self, rest: &str) -> String {
        format!("/v1/workspaces/{}{rest}", self.workspace.id)
    }

    /// Reads a thing of the workspace.
    pub(crate) fn get<T: DeserializeOwned>(&self, rest: &str) -> anyhow::Result<T> {
        self.wire.get(&self.at(rest))
    }

    /// Reads a thing of the workspace that may not be there.
    pub(crate) fn find<T: DeserializeOwned>(&self, rest: &str) -> anyhow::Result<Option<T>> {
        self.wire.find(&self.at(rest))
    }

    /// The same with its revision, for [`Client::patch`].
    pub(crate) fn find_tagged<T: DeserializeOwned>(
        &self,
        rest: &str,
    ) -> anyhow::Result<Option<(T, Option<String>)>> {
        self.wire.find_tagged(&self.at(rest))
    }

    /// Reads a list of the workspace to its end.
    pub(crate) fn list<T: DeserializeOwned>(
        &self,
        rest: &str,
        filter: &[(&str, &str)],
    ) -> anyhow::Result<Vec<T>> {
        self.wire.list(&self.at(rest), filter)
    }

    /// Reads the first items of a list of the workspace.
    pub(crate) fn first<T: DeserializeOwned>(
        &self,
        rest: &str,
        filter: &[(&str, &str)],
        most: usize,
    ) -> anyhow::Result<Vec<T>> {
        self.wire.pages(&Request::new(Method::GET, self.at(rest)), filter, most)
    }

    /// Makes a thing in the workspace, or has something done there.
    pub(crate) fn post<T: DeserializeOwned>(
        &self,
        rest: &str,
        body: &impl Serialize,
    ) -> anyhow::Result<T> {
        self.wire.post(&self.at(rest), body)
    }

    /// Has something done that needs no more words.
    pub(crate) fn act<T: DeserializeOwned>(&self, rest: &str) -> anyhow::Result<T> {
        self.wire.send(&Request::new(Method::POST, self.at(rest)))?.read()
    }

    /// Has something done page by page.
    pub(crate) fn act_on_pages<T: DeserializeOwned>(&self, rest: &str) -> anyhow::Result<Vec<T>> {
        self.wire.pages(&Request::new(Method::POST, self.at(rest)), &[], usize::MAX)
    }

    /// Puts a thing in the workspace in place.
    pub(crate) fn put<T: DeserializeOwned>(
        &self,
        rest: &str,
        body: &impl Serialize,
    ) -> anyhow::Result<T> {
        self.wire.send(&Request::new(Method::PUT, self.at(rest)).json(body)?)?.read()
    }

    /// Changes a thing of the workspace; with a revision, only if it still has that one.
    pub(crate) fn patch<T: DeserializeOwned>(
        &self,
        rest: &str,
        body: &impl Serialize,
        revision: Option<String>,
    ) -> anyhow::Result<T> {
        let mut request = Request::new(Method::PATCH, self.at(rest)).json(body)?;
        request.if_match = revision;
        self.wire.send(&request)?.read()
    }

    /// Takes a thing of the workspace away; answers whether it was there.
    pub(crate) fn delete(&self, rest: &str) -> anyhow::Result<bool> {
        let answer = self.wire.ask(&Request::new(Method::DELETE, self.at(rest)))?;
        if answer.status == StatusCode::NOT_FOUND {
            return Ok(false);
        }
        answer.good().map(|_| true)
    }
}

/// What a person wrote as one part of a path.
pub(crate) fn segment(text: &str) -> String {
    // Only for its way of writing a part.
    let mut url = reqwest::Url::parse("http://localhost/").ok();
    if let Some(mut parts) = url.as_mut().and_then(|url| url.path_segments_mut().ok()) {
        parts.clear().push(text);
    }
    url.map(|url| url.path().trim_start_matches('/').to_owned()).unwrap_or_default()
}

/// A path with a query.
fn with(path: &str, query: &[(&str, &str)]) -> String {
    if query.is_empty() {
        return path.to_owned();
    }
    // Only for its way of writing a query.
    let written = reqwest::Url::parse_with_params("http://localhost/", query);
    let query = written.ok().and_then(|url| url.query().map(str::to_owned)).unwrap_or_default();
    format!("{path}?{query}")
}

#[cfg(test)]
mod tests {
    use super::with;

    #[test]
    fn names_in_a_query_are_escaped() {
        assert_eq!(with("/v1/x", &[]), "/v1/x");
        assert_eq!(
            with("/v1/x", &[("name", "A & ß"), ("limit", "2")]),
            "/v1/x?name=A+%26+%C3%9F&limit=2"
        );
    }
}
