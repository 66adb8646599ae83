//! One stack, with what tests do to it from outside.

use crate::issuer::{AUDIENCE, Issuer};
use plumbline_tests::bridge::Credentials;
use plumbline_tests::deploy::{Stack, deploy};
use plumbline_tests::ministack::{Account, Ministack, Policies};
use reqwest::Method;
use serde_json::{Map, Value, json};
use std::time::{Duration, Instant};

/// How long a test waits for something to come about.
const PATIENCE: Duration = Duration::from_secs(90);

/// An answer of the API.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

/// The account of a server that callers without keys belong to, such as those of the gateway.
const ACCOUNT: &str = "000000000000";

pub(crate) struct World {
    pub(crate) server: Ministack,
    pub(crate) stack: Stack,
    pub(crate) runtime: tokio::runtime::Runtime,
    client: reqwest::Client,
    host: String,
    base: String,
}

fn account_of(server: &Ministack) -> Account<'_> {
    let root = Credentials { key: ACCOUNT.to_owned(), secret: "test".to_owned(), token: None };
    Account { server, root }
}

impl World {
    /// A stack on a server of its own.
    pub(crate) fn new() -> Self {
        Self::under(Policies::Ignored)
    }

    /// A stack on a server of its own, which evaluates policies or does not.
    pub(crate) fn under(policies: Policies) -> Self {
        let server = Ministack::start(policies);
        let account = account_of(&server);
        let issuer = Issuer::shared();
        let keys = issuer.keys_url();
        let stack = deploy(
            &account,
            "plumbline",
            &[
                ("Architecture", "x86_64"),
                ("Issuer", &issuer.url),
                ("Audience", AUDIENCE),
                ("JwksUri", &keys),
                ("OpenWorkspaces", "true"),
            ],
        );
        let apis = account.call("apigatewayv2", "get_apis", &json!({}));
        let api = apis["Items"][0]["ApiId"].as_str().unwrap();
        let stages = account.call("apigatewayv2", "get_stages", &json!({ "ApiId": api }));
        let stage = stages["Items"][0]["StageName"].as_str().unwrap();
        let port = server.url().rsplit(':').next().unwrap().to_owned();
        let path = if stage == "$default" { String::new() } else { format!("/{stage}") };
        Self {
            host: format!("{api}.execute-api.localhost:{port}"),
            base: format!("{}{path}", server.url()),
            server,
            stack,
            client: reqwest::Client::new(),
            runtime: tokio::runtime::Runtime::new().unwrap(),
        }
    }

    /// The account of the stack, as its root.
    pub(crate) fn account(&self) -> Account<'_> {
        account_of(&self.server)
    }

    /// Sends a request through the gateway.
    pub(crate) fn send(&self, token: Option<&str>, method: &str, path: &str, body: &str) -> Answer {
        let method: Method = method.parse().unwrap();
        let mut request = self
            .client
            .request(method, format!("{}{path}", self.base))
            .header("host", &self.host)
            .body(body.to_owned());
        if !body.is_empty() {
            request = request.header("content-type", "application/json");
        }
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        self.runtime.block_on(async {
            let answer = request.send().await.unwrap();
            let status = answer.status().as_u16();
            let text = answer.text().await.unwrap();
            let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
            Answer { status, body }
        })
    }

    /// The name of a function.
    pub(crate) fn function(&self, name: &str) -> &str {
        let logical = format!("{name}function");
        let found = self.stack.resources.iter().find(|(id, _)| id.to_lowercase() == logical);
        found.unwrap_or_else(|| panic!("{name}: {:?}", self.stack.resources)).1
    }

    /// What a function is given.
    pub(crate) fn environment(&self, function: &str) -> Map<String, Value> {
        let asked = json!({ "FunctionName": self.function(function) });
        let found = self.account().call("lambda", "get_function_configuration", &asked);
        found["Environment"]["Variables"].as_object().cloned().unwrap_or_default()
    }

    /// One setting of a function.
    pub(crate) fn setting(&self, function: &str, variable: &str) -> String {
        let environment = self.environment(function);
        environment.get(variable).and_then(Value::as_str).unwrap_or_default().to_owned()
    }

    /// Changes a function: settings of its environment, and other members of its configuration.
    pub(crate) fn change(&self, function: &str, set: &[(&str, &str)], other: &Value) {
        let mut variables = self.environment(function);
        for (name, value) in set {
            variables.insert((*name).to_owned(), json!(value));
        }
        let mut asked = other.clone();
        asked["FunctionName"] = json!(self.function(function));
        asked["Environment"] = json!({ "Variables": variables });
        self.account().call("lambda", "update_function_configuration", &asked);
    }

    /// Starts a function with an event and waits for its answer; or for what went wrong.
    pub(crate) fn invoke(&self, function: &str, event: &Value) -> Result<Value, Value> {
        use base64::Engine as _;
        let code = base64::engine::general_purpose::STANDARD;
        let asked = json!({
            "FunctionName": self.function(function),
            "Payload": { "$bytes": code.encode(event.to_string()) },
        });
        let answer = self.account().call("lambda", "invoke", &asked);
        let payload = code.decode(answer["Payload"]["$bytes"].as_str().unwrap()).unwrap();
        let payload = serde_json::from_slice(&payload).unwrap_or(Value::Null);
        if answer["FunctionError"].is_null() { Ok(payload) } else { Err(payload) }
    }

    /// The processes of a function.
    pub(crate) fn processes(&self, function: &str) -> Vec<String> {
        let marks = [
            format!("AWS_LAMBDA_FUNCTION_NAME={}", self.function(function)),
            format!("AWS_ENDPOINT_URL={}", self.server.url()),
            // Functions of other accounts have the same name.
            format!("PLUMBLINE_BUCKET={}", self.setting(function, "PLUMBLINE_BUCKET")),
        ];
        let is_its = |id: &String| {
            let read = std::fs::read(format!("/proc/{id}/environ")).unwrap_or_default();
            let set: Vec<&[u8]> = read.split(|byte| *byte == 0).collect();
            marks.iter().all(|mark| set.contains(&mark.as_bytes()))
        };
        let entries = std::fs::read_dir("/proc").unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.parse::<u32>().is_ok()).filter(is_its).collect()
    }

    /// Everything that a function logged, a line each, without the lines of Lambda itself.
    pub(crate) fn log(&self, function: &str) -> Vec<String> {
        let mut asked = json!({ "logGroupName": self.log_group(function) });
        let mut out = Vec::new();
        loop {
            let Ok(page) = self.account().try_call("logs", "filter_log_events", &asked) else {
                return out;
            };
            let events = page["events"].as_array().unwrap();
            let lines = events.iter().map(|event| event["message"].as_str().unwrap().to_owned());
            out.extend(lines.filter(|line| line.starts_with('{')));
            match page["nextToken"].as_str() {
                Some(next) => asked["nextToken"] = json!(next),
                None => return out,
            }
        }
    }

    fn log_group(&self, function: &str) -> String {
        let asked = json!({ "FunctionName": self.function(function) });
        let found = self.account().call("lambda", "get_function_configuration", &asked);
        let set = found["LoggingConfig"]["LogGroup"].as_str().map(str::to_owned);
        set.unwrap_or_else(|| format!("/aws/lambda/{}", self.function(function)))
    }

    /// Sends messages to a queue, which a setting of the function `deadletter` names.
    pub(crate) fn enqueue(&self, queue: &str, group: &str, bodies: &[String]) {
        for body in bodies {
            let asked = json!({
                "QueueUrl": self.setting("deadletter", queue),
                "MessageBody": body,
                "MessageGroupId": group,
            });
            self.account().call("sqs", "send_message", &asked);
        }
    }

    /// How many messages of a queue can be seen, and how many are hidden.
    pub(crate) fn waiting(&self, queue: &str) -> (u64, u64) {
        let asked = json!({
            "QueueUrl": self.setting("deadletter", queue),
            "AttributeNames": ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
        });
        let found = self.account().call("sqs", "get_queue_attributes", &asked);
        let number = |name: &str| found["Attributes"][name].as_str().unwrap().parse().unwrap();
        (number("ApproximateNumberOfMessages"), number("ApproximateNumberOfMessagesNotVisible"))
    }

    /// How long a queue hides a message that was received.
    pub(crate) fn hide_for(&self, queue: &str, seconds: u32) {
        let asked = json!({
            "QueueUrl": self.setting("deadletter", queue),
            "Attributes": { "VisibilityTimeout": seconds.to_string() },
        });
        self.account().call("sqs", "set_queue_attributes", &asked);
    }

    /// What carries the messages of a function's queue to it.
    pub(crate) fn mapping(&self, function: &str) -> Value {
        let asked = json!({ "FunctionName": self.function(function) });
        let found = self.account().call("lambda", "list_event_source_mappings", &asked);
        found["EventSourceMappings"][0].clone()
    }

    /// Lets a function have no messages, or lets it have them again.
    pub(crate) fn deliver(&self, function: &str, enabled: bool) {
        let mapping = self.mapping(function);
        let asked = json!({ "UUID": mapping["UUID"], "Enabled": enabled });
        self.account().call("lambda", "update_event_source_mapping", &asked);
    }

    /// Waits until something is so.
    pub(crate) fn until<T>(&self, what: &str, is_so: impl Fn() -> Option<T>) -> T {
        let until = Instant::now() + PATIENCE;
        while Instant::now() < until {
            if let Some(found) = is_so() {
                return found;
            }
            std::thread::sleep(Duration::from_millis(150));
        }
        let tail = |name: &str| self.log(name).into_iter().rev().take(12).collect::<Vec<_>>();
        panic!("{what}: it does not come about; {:#?}", ["compare", "deadletter"].map(tail));
    }
}
