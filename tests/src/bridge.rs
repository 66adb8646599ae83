//! Calls of AWS services over one Python process with boto3: suites make, look at and damage what lies in
//! the cloud without an SDK.

use crate::python::Python;
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::sync::{Mutex, PoisonError};

/// Who calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// The access key. Twelve digits are an account of its own.
    pub key: String,
    /// The secret key.
    pub secret: String,
    /// The token of a session.
    pub token: Option<String>,
}

/// A call that was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The service's code, such as `AccessDenied`.
    pub code: String,
    /// What it says.
    pub message: String,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}: {}", self.code, self.message)
    }
}

/// A Python process that makes calls, one at a time.
#[derive(Debug)]
pub struct Bridge {
    process: Child,
    lines: Mutex<(ChildStdin, BufReader<ChildStdout>)>,
}

impl Bridge {
    /// Starts the process for a server.
    ///
    /// # Panics
    /// When it cannot be started.
    #[must_use]
    pub fn start(python: &Python, url: &str, region: &str) -> Self {
        let mut process = python
            .script("bridge.py")
            .args([url, region])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("the bridge does not start: {error}"));
        let (input, output) = (process.stdin.take(), process.stdout.take());
        let (Some(input), Some(output)) = (input, output) else { panic!("both are piped") };
        Self { process, lines: Mutex::new((input, BufReader::new(output))) }
    }

    /// Makes a call; operation and arguments in the spelling of boto3. Bytes are
    /// `{"$bytes": "<base64>"}`.
    ///
    /// # Errors
    /// What the service says.
    ///
    /// # Panics
    /// When the process is gone.
    pub fn call(
        &self,
        credentials: &Credentials,
        service: &str,
        operation: &str,
        arguments: &Value,
    ) -> Result<Value, Refusal> {
        let Credentials { key, secret, token } = credentials;
        let call = json!({
            "service": service,
            "operation": operation,
            "arguments": arguments,
            "credentials": { "key": key, "secret": secret, "token": token },
        });
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let mut line = String::new();
        let done = writeln!(lines.0, "{call}").and_then(|()| lines.1.read_line(&mut line));
        done.unwrap_or_else(|error| panic!("{service} {operation}: the bridge is gone: {error}"));
        let mut answer: Value = serde_json::from_str(&line)
            .unwrap_or_else(|error| panic!("{service} {operation}: {error}: `{line}`"));
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        match answer.get("error") {
            Some(error) => {
                Err(Refusal { code: text(&error["code"]), message: text(&error["message"]) })
            }
            None => Ok(answer["result"].take()),
        }
    }
}

impl Drop for Bridge {
    fn drop(&mut self) {
        // It may be gone already; nothing can be done about an error here.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
