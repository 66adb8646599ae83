//! `serve`: it works, has the directory to itself, and stops when it is told to.

#![cfg(unix)]

use super::World;
use futures::executor::block_on;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use plumbline_governance::schedule::Schedule;
use plumbline_operations::{Actor, System, WorkspaceEdit};
use plumbline_ports::Clock;
use plumbline_store_local::{DataDir, SystemClock, SystemIds};
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// A command that serves, and the lines of its log.
pub(super) struct Serving {
    child: Child,
    log: Receiver<String>,
}

impl Serving {
    /// Serves the world's directory on a port that nobody else has.
    pub(super) fn start(world: &World, options: &str) -> Self {
        let mut child = world
            .command()
            .args(["serve", "--listen", "127.0.0.1:0"])
            .args(options.split_whitespace())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the command starts");
        let (send, log) = channel();
        let lines = BufReader::new(child.stderr.take().expect("stderr")).lines();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                if send.send(line).is_err() {
                    break;
                }
            }
        });
        Self { child, log }
    }

    /// Waits for a line that holds these words.
    #[track_caller]
    pub(super) fn says(&self, words: &str) -> String {
        loop {
            match self.log.recv_timeout(Duration::from_secs(30)) {
                Ok(line) if line.contains(words) => return line,
                Ok(_) => {}
                Err(error) => panic!("no line with {words:?}: {error}"),
            }
        }
    }

    pub(super) fn signal(&self, name: &str) {
        let status = Command::new("kill")
            .args([format!("-{name}"), self.child.id().to_string()])
            .status()
            .expect("a signal is sent");
        assert!(status.success());
    }

    #[track_caller]
    pub(super) fn ends_with(mut self, code: i32) {
        assert_eq!(self.child.wait().expect("it ends").code(), Some(code));
    }
}

#[test]
fn it_has_the_directory_to_itself_and_stops_cleanly() {
    for signal in ["TERM", "INT"] {
        let world = World::with_tenants();
        world.policies("other", "1");
        let serving = Serving::start(&world, "");
        let line = serving.says("serving data with 2 workers");
        assert!(line.contains("press Ctrl-C to stop"), "{line}");
        let pid = serving.child.id();
        world.line("import --tenant other other").fails(&format!(
            "`data` is in use by another plumbline process (pid {pid}); stop it or use another --data directory"
        ));
        serving.signal(signal);
        serving.says("stopped");
        serving.ends_with(0);
        world.line("import --tenant other other").with(0);
    }
}

#[test]
fn the_log_as_json() {
    let world = World::governed();
    world.line("workspace schedule --time 02:00 --zone UTC").with(0);
    let serving = Serving::start(&world, "--log json --workers 1");
    let line = serving.says("serving");
    let line: serde_json::Value = serde_json::from_str(&line).expect("JSON");
    assert_eq!((&line["level"], &line["workers"]), (&"INFO".into(), &1.into()));
    assert!(line["message"].as_str().is_some_and(|text| text.contains("1 of 1 workspaces")));
    serving.signal("TERM");
    serving.ends_with(0);
}

/// A clock that stands.
struct Standing(Timestamp);

impl Clock for Standing {
    fn now(&self) -> Timestamp {
        self.0
    }
}

/// A night that fell due five minutes ago, while nobody served: it is started at once, its compare is
/// done, and what it finds is there afterwards.
#[test]
fn a_night_begins_by_itself() {
    let world = World::governed();
    world.policies("other", "9");
    world.line("import --tenant Other other --coverage complete").with(0);
    let ago = |minutes| {
        SystemClock.now().checked_sub(SignedDuration::from_mins(minutes)).expect("a time")
    };
    let time = TimeZone::UTC.to_datetime(ago(5)).strftime("%H:%M").to_string();
    {
        let clock = Arc::new(Standing(ago(10)));
        let stores = DataDir::open(&world.path().join("data"), clock).expect("the directory");
        let system = System::new(stores.ports(Arc::new(SystemIds::new().expect("ids"))));
        let workspace = block_on(system.workspaces()).expect("workspaces")[0].id;
        let schedule = Schedule::parse(&time, "UTC").expect("a schedule");
        let actor = Actor::new("eve");
        let edit = WorkspaceEdit { schedule: Some(Some(schedule)), ..WorkspaceEdit::default() };
        block_on(system.edit_workspace(workspace, &actor, edit, None)).expect("it is set");
    }
    let serving = Serving::start(&world, "");
    serving.says("the night of");
    serving.says("succeeded");
    serving.signal("TERM");
    serving.ends_with(0);
    let nights = world.line("nights --format json").json();
    assert_eq!(nights[0]["status"], "started", "{nights}");
    let runs = world.line("runs --tenant Other --format json").json();
    assert_eq!(
        (&runs[0]["trigger"]["by"], &runs[0]["outcome"]),
        (&"night".into(), &"succeeded".into())
    );
    let findings = world.line("findings --format json").json();
    assert_eq!(findings.as_array().map(Vec::len), Some(1), "{findings}");
}

#[test]
fn wrong_options() {
    let world = World::new();
    for line in ["serve --workers 0", "serve --workers 65", "serve --log xml"] {
        world.line(line).fails_with(&["--help"]);
    }
    assert!(!world.path().join("data").exists());
}
