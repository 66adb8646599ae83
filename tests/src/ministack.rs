//! A server that plays AWS, on a free port of this machine, for as long as it is held.

use crate::bridge::{Bridge, Credentials, Refusal};
use crate::python::{Packages, Python};
use serde_json::Value;
use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The region that it plays.
pub const REGION: &str = "eu-central-1";
/// How long it may take to start: longer than ever measured, on a machine that builds besides.
const START: Duration = Duration::from_mins(1);
/// How often another port is tried, when somebody else took the one that was free.
const PORTS: usize = 3;

/// Whether policies are evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policies {
    /// Everybody may do everything.
    Ignored,
    /// Each caller may do what its policies allow.
    Evaluated,
}

/// A running server.
#[derive(Debug)]
pub struct Ministack {
    process: Child,
    address: SocketAddr,
    bridge: Bridge,
    accounts: AtomicU64,
    _folder: TempDir,
}

/// An account of its own in a server: what lies in one is not seen from another.
#[derive(Clone, Debug)]
pub struct Account<'m> {
    /// The server.
    pub server: &'m Ministack,
    /// Its root.
    pub root: Credentials,
}

impl Ministack {
    /// Starts a server and waits until it answers.
    ///
    /// # Panics
    /// When it does not start; with what it said.
    #[must_use]
    pub fn start(policies: Policies) -> Self {
        let python = Python::ready(Packages::Cloud);
        let mut told = String::new();
        for _ in 0..PORTS {
            match Self::on_a_port(&python, policies) {
                Ok(server) => return server,
                Err(why) => told = why,
            }
        }
        panic!("ministack does not start: {told}");
    }

    /// The server that the tests of one process share; each of them makes an account of its own.
    #[must_use]
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Ministack> = OnceLock::new();
        SHARED.get_or_init(|| Self::start(Policies::Ignored))
    }

    fn on_a_port(python: &Python, policies: Policies) -> Result<Self, String> {
        let said = |error: std::io::Error| error.to_string();
        let folder = tempfile::tempdir().map_err(said)?;
        let free = TcpListener::bind("127.0.0.1:0").map_err(said)?;
        let address = free.local_addr().map_err(said)?;
        drop(free);
        let url = format!("http://{address}");
        let log = folder.path().join("ministack.log");
        let output = File::create(&log).map_err(said)?;
        let mut command = python.script("emulator.py");
        command
            .env("BIND_HOST", "127.0.0.1")
            .env("GATEWAY_PORT", address.port().to_string())
            .env("MINISTACK_REGION", REGION)
            // Its functions reach it, not AWS.
            .env("AWS_ENDPOINT_URL", &url)
            .env("AUTH", if policies == Policies::Evaluated { "true" } else { "false" })
            .env("TMPDIR", folder.path())
            .stdin(Stdio::piped())
            .stdout(output.try_clone().map_err(said)?)
            .stderr(output);
        let mut process = command.spawn().map_err(said)?;
        let patience = Instant::now() + START;
        while !is_well(address) {
            let ended = process.try_wait().map_err(said)?.is_some();
            if ended || Instant::now() > patience {
                let _ = process.kill();
                let _ = process.wait();
                return Err(fs::read_to_string(&log).unwrap_or_default());
            }
            thread::sleep(Duration::from_millis(20));
        }
        let bridge = Bridge::start(python, &url, REGION);
        Ok(Self { process, address, bridge, accounts: AtomicU64::new(0), _folder: folder })
    }

    /// Where it is.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A fresh account.
    #[must_use]
    pub fn account(&self) -> Account<'_> {
        let number = self.accounts.fetch_add(1, Ordering::Relaxed);
        let key = format!("{:012}", 100_000_000_000 + number);
        Account { server: self, root: Credentials { key, secret: "test".to_owned(), token: None } }
    }
}

impl Account<'_> {
    /// The account's number.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.root.key
    }

    /// Makes a call as the account's root; see [`Bridge::call`].
    ///
    /// # Errors
    /// What the service says.
    pub fn try_call(
        &self,
        service: &str,
        operation: &str,
        arguments: &Value,
    ) -> Result<Value, Refusal> {
        self.call_as(&self.root, service, operation, arguments)
    }

    /// Makes a call as the account's root that must succeed.
    ///
    /// # Panics
    /// When it does not.
    #[expect(clippy::must_use_candidate, reason = "many calls are made for what they change")]
    pub fn call(&self, service: &str, operation: &str, arguments: &Value) -> Value {
        self.try_call(service, operation, arguments)
            .unwrap_or_else(|refusal| panic!("{service} {operation}: {refusal}"))
    }

    /// Makes a call as somebody else.
    ///
    /// # Errors
    /// What the service says.
    pub fn call_as(
        &self,
        who: &Credentials,
        service: &str,
        operation: &str,
        arguments: &Value,
    ) -> Result<Value, Refusal> {
        self.server.bridge.call(who, service, operation, arguments)
    }
}

/// Whether a server answers that it is well.
fn is_well(address: SocketAddr) -> bool {
    let ask = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        stream.write_all(
            format!("GET /_ministack/health HTTP/1.0\r\nHost: {address}\r\n\r\n").as_bytes(),
        )?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    };
    ask().is_ok_and(|answer| answer.split_whitespace().nth(1) == Some("200"))
}

impl Drop for Ministack {
    fn drop(&mut self) {
        // The end of its input ends it and whatever it started; a test that is killed lets go of it too.
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}
