//! Something between the stores and the server that breaks calls as planned: AWS throttles, answers late
//! or not at all, and the server that plays it never does.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Response, StatusCode};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;

/// What becomes of a call.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// It is answered so, and does not reach the server.
    Answer(u16, String),
    /// It is done, and its answer is lost: the caller sees a broken server.
    LostReply,
}

/// A fault of JSON services: an error's code.
pub(crate) fn refusal(status: u16, code: &str) -> Fault {
    let message = "planned";
    Fault::Answer(status, serde_json::json!({ "__type": code, "message": message }).to_string())
}

/// A fault of S3.
pub(crate) fn s3_refusal(status: u16, code: &str) -> Fault {
    Fault::Answer(status, format!("<Error><Code>{code}</Code><Message>planned</Message></Error>"))
}

#[derive(Default)]
struct Plan {
    /// The next faults of calls whose target or method ends so.
    faults: Vec<(&'static str, Fault)>,
    seen: Vec<String>,
}

/// The place between, on a port of its own.
pub(crate) struct Between {
    address: SocketAddr,
    plan: Arc<Mutex<Plan>>,
}

#[derive(Clone)]
struct Shared {
    server: SocketAddr,
    plan: Arc<Mutex<Plan>>,
}

impl Between {
    /// Stands before a server; needs a runtime.
    pub(crate) async fn before(url: &str) -> Self {
        let server = url.strip_prefix("http://").unwrap().parse().unwrap();
        let plan = Arc::<Mutex<Plan>>::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Shared { server, plan: Arc::clone(&plan) };
        let router = Router::new().fallback(pass).with_state(shared);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, plan }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Breaks the next calls of an operation, in this order. Calls of S3 are named by their method.
    pub(crate) fn plan(&self, operation: &'static str, faults: impl IntoIterator<Item = Fault>) {
        let faults = faults.into_iter().map(|fault| (operation, fault));
        self.plan.lock().unwrap().faults.extend(faults);
    }

    /// How often an operation was called.
    pub(crate) fn calls(&self, operation: &str) -> usize {
        let plan = self.plan.lock().unwrap();
        plan.seen.iter().filter(|seen| seen.ends_with(operation)).count()
    }
}

async fn pass(State(shared): State<Shared>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let target = parts.headers.get("x-amz-target").and_then(|target| target.to_str().ok());
    let operation = target.map_or_else(|| parts.method.to_string(), str::to_owned);
    let fault = {
        let mut plan = shared.plan.lock().unwrap();
        plan.seen.push(operation.clone());
        let at = plan.faults.iter().position(|(name, _)| operation.ends_with(name));
        at.map(|at| plan.faults.remove(at).1)
    };
    let answer = |status: u16, body: Body| {
        let mut answer = Response::new(body);
        *answer.status_mut() = StatusCode::from_u16(status).unwrap();
        answer
    };
    if let Some(Fault::Answer(status, text)) = fault {
        return answer(status, Body::from(text));
    }
    let head = format!("{} {} HTTP/1.0\r\n", parts.method, parts.uri);
    let ask = tokio::task::spawn_blocking(move || ask(shared.server, &head, &parts.headers, &body));
    let (status, headers, bytes) = ask.await.unwrap();
    if matches!(fault, Some(Fault::LostReply)) {
        return answer(500, Body::from("{}"));
    }
    let mut answer = answer(status, Body::from(bytes));
    *answer.headers_mut() = headers;
    answer
}

/// One request on a connection of its own.
fn ask(
    server: SocketAddr,
    head: &str,
    headers: &HeaderMap,
    body: &Bytes,
) -> (u16, HeaderMap, Vec<u8>) {
    let mut stream = TcpStream::connect(server).unwrap();
    let mut request = head.as_bytes().to_vec();
    for (name, value) in headers {
        if name != "connection" && name != "content-length" && name != "expect" {
            request.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
        }
    }
    request.extend(format!("content-length: {}\r\n\r\n", body.len()).bytes());
    request.extend(body);
    stream.write_all(&request).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    let text = String::from_utf8_lossy(&answer[..end]).into_owned();
    let mut lines = text.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let mut out = HeaderMap::new();
    for line in lines {
        let (name, value) = line.split_once(": ").unwrap();
        let name: axum::http::HeaderName = name.parse().unwrap();
        if name != "connection" {
            out.append(name, value.parse().unwrap());
        }
    }
    (status, out, answer[end + 4..].to_vec())
}
