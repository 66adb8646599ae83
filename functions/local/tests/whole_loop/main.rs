//! The loop on a data directory, as a person drives it: the built command, one child process a step.

#![expect(clippy::expect_used, reason = "helpers of tests")]

mod invoke;
mod life;
mod names;
mod readme;
mod refused;
mod roles;
mod serve;
mod server;
mod streams;

use serde_json::{Value, json};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// What one run of the command came to.
struct Done {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Done {
    /// Asserts an exit code and that nothing was complained about; gives the output.
    #[track_caller]
    fn with(self, code: i32) -> String {
        assert_eq!((self.code, &*self.err), (Some(code), ""), "{}", self.out);
        self.out
    }

    /// The output as JSON.
    #[track_caller]
    fn json(&self) -> Value {
        serde_json::from_str(&self.out)
            .unwrap_or_else(|error| panic!("{error}: {}{}", self.out, self.err))
    }

    /// Asserts that the command failed with one message and wrote nothing else.
    #[track_caller]
    fn fails(&self, message: &str) {
        assert_eq!(
            (self.code, &*self.out, &*self.err),
            (Some(1), "", &*format!("plumbline: {message}\n"))
        );
    }

    /// Asserts that the command failed and that its message holds these words.
    #[track_caller]
    fn fails_with(&self, words: &[&str]) {
        assert_eq!((self.code, &*self.out), (Some(1), ""), "{}", self.err);
        for word in words {
            assert!(self.err.contains(word), "{word:?} is not in {}", self.err);
        }
    }
}

/// A folder with a data directory, `data`, and whatever a test writes beside it.
struct World(TempDir);

impl World {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    /// A workspace with two tenants, `Golden` and `Other`.
    fn with_tenants() -> Self {
        let world = Self::new();
        for step in [
            &["workspace", "create", "North"][..],
            &["tenant", "add", "Golden"],
            &["tenant", "add", "Other"],
        ] {
            world.run(step).with(0);
        }
        world
    }

    /// `Other` is held to what `Golden` had: three policies of which the first has the content `1`.
    fn governed() -> Self {
        let world = Self::with_tenants();
        world.policies("golden", "1");
        for step in [
            "import --tenant Golden golden --coverage complete",
            "profile create Gold",
            "capture --profile Gold --tenant Golden",
            "profile activate Gold",
            "assign --tenant Other --profile Gold",
        ] {
            world.line(step).with(0);
        }
        world
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_plumbline"));
        command
            .current_dir(self.path())
            .env("PLUMBLINE_DATA_DIR", "data")
            .env("USER", "eve")
            .stdin(Stdio::null());
        command
    }

    #[track_caller]
    fn run(&self, arguments: &[&str]) -> Done {
        done(&mut self.command(), arguments, None)
    }

    /// Runs a command line; arguments are parted at spaces.
    #[track_caller]
    fn line(&self, line: &str) -> Done {
        self.run(&line.split_whitespace().collect::<Vec<_>>())
    }

    /// Runs a command line with something on standard input.
    #[track_caller]
    fn fed(&self, line: &str, input: impl AsRef<[u8]>) -> Done {
        let arguments: Vec<&str> = line.split_whitespace().collect();
        done(&mut self.command(), &arguments, Some(input.as_ref()))
    }

    /// Writes a file, and the folders above it.
    #[track_caller]
    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> &Self {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, bytes).expect("a file");
        self
    }

    /// Writes a folder of three policies; `version` is the content of the first.
    fn policies(&self, folder: &str, version: &str) {
        for (number, name, version) in [(1, "One", version), (2, "Two", "2"), (3, "Three", "3")] {
            let text = feature(name, number, version).to_string();
            self.write(&format!("{folder}/{number}.json"), text);
        }
    }

    /// Imports three policies for `Other` and compares it; gives the exit code and the findings.
    #[track_caller]
    fn night(&self, version: &str) -> (Option<i32>, Vec<Value>) {
        self.policies("other", version);
        self.line("import --tenant Other other --coverage complete").with(0);
        let done = self.line("compare --tenant Other --format json");
        let findings = self.line("findings --tenant Other --format json").json();
        (done.code, findings.as_array().expect("a list").clone())
    }
}

#[track_caller]
fn done(command: &mut Command, arguments: &[&str], input: Option<&[u8]>) -> Done {
    command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
    if input.is_some() {
        command.stdin(Stdio::piped());
    }
    let mut child = command.spawn().expect("the command starts");
    if let (Some(input), Some(mut stdin)) = (input, child.stdin.take()) {
        // The command may refuse what it reads before it has read all.
        let _ = stdin.write_all(input);
    }
    let done = child.wait_with_output().expect("the command ends");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    Done { code: done.status.code(), out: text(done.stdout), err: text(done.stderr) }
}

/// A feature update profile: `version` is its content.
fn feature(name: &str, number: u32, version: &str) -> Value {
    json!({
        "@odata.context": "https://graph.microsoft.com/beta/$metadata#deviceManagement/windowsFeatureUpdateProfiles/$entity",
        "id": format!("5e11ab1e-0000-4000-8000-{number:012}"), "displayName": name,
        "featureUpdateVersion": version, "roleScopeTagIds": ["0"], "assignments": [],
    })
}

/// The folder of the workspace.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
