//! The API of a server.

use super::{Answer, Content, Request};
use crate::cli::data::TOKEN;
use anyhow::{Context as _, anyhow, bail};
use axum::http::header::{
    CONTENT_ENCODING, CONTENT_TYPE, ETAG, HeaderMap, HeaderName, IF_MATCH, RETRY_AFTER,
};
use axum::http::{Method, StatusCode};
use reqwest::{Client, RequestBuilder, Url};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How long a connection may take to stand.
const CONNECT: Duration = Duration::from_secs(10);
/// How long an answer may take, and one to a request that does much.
const ANSWER: Duration = Duration::from_mins(1);
const LONG: Duration = Duration::from_hours(1);
/// How long one request is repeated for, all pauses together.
const PATIENCE: Duration = Duration::from_mins(1);
/// The first pause after a lost connection; each is twice the one before.
const PAUSE: Duration = Duration::from_millis(250);
/// Has a request done once, however often it arrives.
const ONCE: HeaderName = HeaderName::from_static("idempotency-key");

/// A server, and who we are there.
pub(super) struct Server {
    http: Client,
    base: String,
    token: String,
    /// Whether it ever answered. One that never did is not there, and nobody wants to wait for it.
    met: AtomicBool,
}

impl Server {
    /// Takes the address and the token; nothing is sent yet.
    pub(super) fn new(address: &str, token: Option<String>) -> anyhow::Result<Self> {
        let (base, is_loopback) = checked(address)?;
        let token = token.with_context(|| {
            format!(
                "there is no token for {base}; set {TOKEN} to one (beside `plumbline serve`: export \
                 {TOKEN}=\"$(plumbline token)\")"
            )
        })?;
        let mut http = Client::builder()
            .user_agent(concat!("plumbline/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT)
            // The token is for this address alone.
            .redirect(reqwest::redirect::Policy::none());
        if is_loopback {
            http = http.no_proxy();
        }
        let http = http.build().context("cannot prepare requests to a server")?;
        Ok(Self { http, base, token, met: AtomicBool::new(false) })
    }

    /// Sends a request; again when the connection is lost and that does no harm, and when the server asks
    /// to wait.
    pub(super) async fn send(&self, request: &Request) -> anyhow::Result<Answer> {
        let key = request.once.then(random_key).transpose()?;
        let is_safe = key.is_some() || matches!(request.method, Method::GET | Method::PUT);
        let (mut left, mut pause) = (PATIENCE, PAUSE);
        loop {
            let (wait, failed) = match self.exchange(request, key.as_deref()).await {
                Ok((answer, after)) => {
                    self.met.store(true, Ordering::Relaxed);
                    match after.filter(|after| *after <= left) {
                        Some(after) => (after, None),
                        None => return Ok(answer),
                    }
                }
                Err(error) => {
                    // What never arrived was not done.
                    let is_safe = is_safe || error.is_connect();
                    if !is_safe || !self.met.load(Ordering::Relaxed) || pause > left {
                        return Err(self.lost(&error));
                    }
                    (pause, Some(error))
                }
            };
            if failed.is_some() {
                pause *= 2;
            }
            left = left.saturating_sub(wait);
            tokio::time::sleep(wait).await;
        }
    }

    /// One try: the answer, and after what time it is worth another.
    async fn exchange(
        &self,
        request: &Request,
        key: Option<&str>,
    ) -> Result<(Answer, Option<Duration>), reqwest::Error> {
        let url = format!("{}{}", self.base, request.path);
        let mut asked = self
            .http
            .request(request.method.clone(), url)
            .bearer_auth(&self.token)
            .timeout(if request.is_long { LONG } else { ANSWER });
        if let Some(key) = key {
            asked = asked.header(ONCE, key);
        }
        if let Some(revision) = &request.if_match {
            asked = asked.header(IF_MATCH, revision);
        }
        let response = content(asked, &request.content).send().await?;
        let status = response.status();
        let headers = response.headers();
        let etag = headers.get(ETAG).and_then(|tag| tag.to_str().ok()).map(str::to_owned);
        let after = again_after(status, headers);
        Ok((Answer { status, etag, body: response.bytes().await? }, after))
    }

    fn lost(&self, error: &reqwest::Error) -> anyhow::Error {
        let base = &self.base;
        if error.is_timeout() && !error.is_connect() {
            return anyhow!(
                "{base} did not answer in time; `plumbline runs` shows what was begun, then repeat"
            );
        }
        let mut reason: &dyn std::error::Error = error;
        while let Some(source) = reason.source() {
            reason = source;
        }
        if error.is_connect() {
            anyhow!(
                "{base} cannot be reached: {reason}; check the address, and that `plumbline serve` runs there"
            )
        } else {
            anyhow!(
                "the connection to {base} was lost: {reason}; look at what was done, then repeat"
            )
        }
    }
}

fn content(asked: RequestBuilder, content: &Content) -> RequestBuilder {
    match content {
        Content::Nothing => asked,
        Content::Json(bytes) => asked.header(CONTENT_TYPE, "application/json").body(bytes.clone()),
        Content::Raw(bytes, form) => {
            let asked = asked.header(CONTENT_TYPE, form.media).body(bytes.clone());
            match form.packed {
                Some(packed) => asked.header(CONTENT_ENCODING, packed),
                None => asked,
            }
        }
    }
}

/// When a server asks to come again, and when.
fn again_after(status: StatusCode, headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
    match (status, seconds) {
        // A conflict with a time is a first request that is still at work.
        (
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE | StatusCode::CONFLICT,
            Some(seconds),
        ) => Some(Duration::from_secs(seconds)),
        (
            StatusCode::TOO_MANY_REQUESTS
            | StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT,
            None,
        ) => Some(Duration::from_secs(2)),
        _ => None,
    }
}

/// Checks an address: the base of all paths, and whether it is this machine.
fn checked(address: &str) -> anyhow::Result<(String, bool)> {
    let example = "such as https://plumbline.example.com or http://127.0.0.1:8484";
    let url: Url = address.parse().map_err(|error| {
        anyhow!("`{address}` is no address of a server: {error}; write one {example}")
    })?;
    let host = url.host_str().unwrap_or_default();
    let is_loopback = host == "localhost"
        || host
            .trim_matches(['[', ']'])
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback());
    match url.scheme() {
        "https" => {}
        "http" if is_loopback => {}
        "http" => bail!(
            "{address} would send the token in the clear; write https, or http only to this machine itself"
        ),
        _ => bail!("`{address}` is no address of a server; write one {example}"),
    }
    if url.query().is_some()
        || url.fragment().is_some()
        || !url.username().is_empty()
        || url.password().is_some()
    {
        bail!("`{address}` is more than an address of a server; write one {example}");
    }
    Ok((url.as_str().trim_end_matches('/').to_owned(), is_loopback))
}

fn random_key() -> anyhow::Result<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)
        .map_err(|error| anyhow!("the system gives no randomness: {error}"))?;
    Ok(u128::from_be_bytes(bytes).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;
    use std::thread::JoinHandle;

    #[test]
    fn a_token_goes_in_the_clear_to_this_machine_alone() {
        for good in
            ["http://127.0.0.1:8484", "http://localhost", "http://[::1]:1/", "https://a.example/b/"]
        {
            let (base, _) = checked(good).unwrap();
            assert_eq!(base, good.trim_end_matches('/'));
        }
        for bad in [
            "127.0.0.1:8484",
            "plumbline",
            "ftp://a.example",
            "http://a.example",
            "http://127.0.0.1.a.example",
            "https://u:p@a.example",
            "https://a.example/?x=1",
        ] {
            assert!(checked(bad).is_err(), "{bad}");
        }
    }

    /// A server that answers each connection with the next text, or breaks it off where that is empty;
    /// gives the requests back.
    fn answering(answers: &'static [&'static str]) -> (String, JoinHandle<Vec<String>>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let serving = std::thread::spawn(move || {
            let mut asked = Vec::new();
            for answer in answers {
                let (mut stream, _) = listener.accept().unwrap();
                let mut bytes = [0; 4096];
                let read = stream.read(&mut bytes).unwrap();
                asked.push(String::from_utf8_lossy(&bytes[..read]).to_ascii_lowercase());
                stream.write_all(answer.as_bytes()).unwrap();
            }
            asked
        });
        (address, serving)
    }

    const GOOD: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";
    const LATER: &str = "HTTP/1.1 503 Service Unavailable\r\nretry-after: 0\r\ncontent-length: 2\r\n\
                         connection: close\r\n\r\n{}";
    const MUCH_LATER: &str = "HTTP/1.1 429 Too Many Requests\r\nretry-after: 3600\r\n\
                              content-length: 2\r\nconnection: close\r\n\r\n{}";

    fn send(address: &str, requests: &[Request]) -> Vec<Option<u16>> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let server = Server::new(address, Some("t".to_owned())).unwrap();
        let send = |request| runtime.block_on(server.send(request));
        requests.iter().map(|request| send(request).ok().map(|one| one.status.as_u16())).collect()
    }

    fn keys(asked: &[String]) -> Vec<Option<&str>> {
        let key = |line: &'_ str| line.starts_with("idempotency-key: ");
        asked.iter().map(|one| one.lines().find(|line| key(line))).collect()
    }

    #[test]
    fn a_request_is_sent_again_with_its_key() {
        let (address, serving) = answering(&[GOOD, "", LATER, GOOD]);
        let get = Request::new(Method::GET, "/");
        let post = Request::new(Method::POST, "/x");
        assert_eq!(send(&address, &[get, post]), [Some(200), Some(200)]);
        let asked = serving.join().unwrap();
        let keys = keys(&asked);
        assert_eq!(keys[0], None);
        assert!(keys[1].is_some() && keys[1] == keys[2] && keys[2] == keys[3], "{keys:?}");
    }

    #[test]
    fn what_may_have_been_done_is_not_done_again() {
        let (address, serving) = answering(&[GOOD, "", MUCH_LATER]);
        let get = Request::new(Method::GET, "/");
        let patch = || Request::new(Method::PATCH, "/x");
        assert_eq!(send(&address, &[get, patch(), patch()]), [Some(200), None, Some(429)]);
        assert_eq!(serving.join().unwrap().len(), 3);
    }
}
