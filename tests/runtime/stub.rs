//! Lambda's Runtime API, as a function sees it, and a function under it.

use crate::built::binary;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use serde_json::Value;
use std::net::SocketAddr;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant, SystemTime};
use tokio::sync::Mutex;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// How long a test waits for a function to say something.
const PATIENCE: Duration = Duration::from_secs(30);
/// The trace of every invocation.
pub(crate) const TRACE: &str =
    "Root=1-69a3c9d0-5f1b2c3d4e5f60718293a4b5;Parent=53995c3f42cd8ad8;Sampled=1";

/// What a function told Lambda.
#[derive(Debug)]
pub(crate) enum Told {
    /// It asks for an event.
    Next(Instant),
    /// It answers an event.
    Answer(Value),
    /// It failed at an event.
    Failed(String),
    /// It does not start.
    InitFailed(HeaderMap, Value),
}

/// An event for a function: its id, how much time there is, and what it holds.
struct Invocation {
    id: String,
    time: Duration,
    event: Value,
}

#[derive(Clone)]
struct Api {
    events: Arc<Mutex<UnboundedReceiver<Invocation>>>,
    told: Sender<Told>,
}

/// A function that runs.
pub(crate) struct Function {
    pub(crate) begun: Instant,
    child: Child,
    events: UnboundedSender<Invocation>,
    told: Receiver<Told>,
    _runtime: tokio::runtime::Runtime,
}

impl Function {
    /// Starts a binary with what is set for it, and nothing else.
    pub(crate) fn start(name: &str, set: &[(&str, String)]) -> Self {
        let path = binary(name);
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let (events, queued) = unbounded_channel();
        let (tell, told) = channel();
        let address = serve(&runtime, Api { events: Arc::new(Mutex::new(queued)), told: tell });
        let begun = Instant::now();
        let child = Command::new(path)
            .env_clear()
            .envs([
                ("AWS_LAMBDA_RUNTIME_API", address.to_string().as_str()),
                ("AWS_LAMBDA_FUNCTION_NAME", &format!("north-{name}")),
                ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
                ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
            ])
            .envs(set.iter().map(|(name, value)| (name, value)))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        Self { begun, child, events, told, _runtime: runtime }
    }

    /// What it says next.
    #[track_caller]
    pub(crate) fn told(&mut self) -> Told {
        let told = self.told.recv_timeout(PATIENCE);
        told.unwrap_or_else(|error| {
            panic!("the function says nothing ({error}); {:?}", self.child.try_wait())
        })
    }

    /// Waits until it asks for an event; answers when that was.
    #[track_caller]
    pub(crate) fn asks(&mut self) -> Instant {
        match self.told() {
            Told::Next(at) => at,
            other => panic!("{other:?}"),
        }
    }

    /// Gives it an event for which it has so much time, once it asked for one, and waits for what it says.
    #[track_caller]
    pub(crate) fn does(&mut self, id: &str, time: Duration, event: Value) -> Told {
        self.events.send(Invocation { id: id.to_owned(), time, event }).unwrap();
        self.told()
    }

    /// Asks it to end, as the system does.
    pub(crate) fn terminate(&self) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    }

    /// Waits until it has ended.
    #[track_caller]
    pub(crate) fn ended(&mut self) -> ExitStatus {
        let until = Instant::now() + PATIENCE;
        while Instant::now() < until {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        panic!("the function does not end");
    }

    /// Ends it and gives every line that it wrote on standard output.
    pub(crate) fn lines(mut self) -> Vec<Value> {
        let _ = self.child.kill();
        let stdout = self.child.stdout.take().unwrap();
        let text = std::io::read_to_string(stdout).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

impl Drop for Function {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Serves a router on a free port of this machine.
pub(crate) fn listen(runtime: &tokio::runtime::Runtime, router: Router) -> SocketAddr {
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap();
    runtime.spawn(async move { axum::serve(listener, router).await });
    address
}

fn serve(runtime: &tokio::runtime::Runtime, api: Api) -> SocketAddr {
    let router = Router::new()
        .route("/2018-06-01/runtime/invocation/next", get(next))
        .route("/2018-06-01/runtime/invocation/{id}/response", post(response))
        .route("/2018-06-01/runtime/invocation/{id}/error", post(error))
        .route("/2018-06-01/runtime/init/error", post(init_error))
        .with_state(api);
    listen(runtime, router)
}

async fn next(State(api): State<Api>) -> Response {
    let _ = api.told.send(Told::Next(Instant::now()));
    let Some(Invocation { id, time, event }) = api.events.lock().await.recv().await else {
        return StatusCode::GONE.into_response();
    };
    #[expect(clippy::disallowed_methods, reason = "Lambda's clock")]
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let headers = [
        ("lambda-runtime-aws-request-id", id),
        ("lambda-runtime-deadline-ms", (now + time).as_millis().to_string()),
        ("lambda-runtime-trace-id", TRACE.to_owned()),
        (
            "lambda-runtime-invoked-function-arn",
            "arn:aws:lambda:eu-central-1:123456789012:function:north".to_owned(),
        ),
    ];
    (headers, event.to_string()).into_response()
}

fn json(body: &Bytes) -> Value {
    serde_json::from_slice(body).unwrap_or(Value::Null)
}

async fn response(State(api): State<Api>, body: Bytes) -> StatusCode {
    let _ = api.told.send(Told::Answer(json(&body)));
    StatusCode::ACCEPTED
}

async fn error(State(api): State<Api>, Path(id): Path<String>) -> StatusCode {
    let _ = api.told.send(Told::Failed(id));
    StatusCode::ACCEPTED
}

async fn init_error(State(api): State<Api>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let _ = api.told.send(Told::InitFailed(headers, json(&body)));
    StatusCode::ACCEPTED
}
