//! The command as a person or a pipeline meets it: run as a child process, judged by its exit code and by
//! what it writes.

#![expect(clippy::expect_used, reason = "helpers of tests")]

mod commands;
mod cost;
mod errors;
mod files;
mod formats;
mod names;
mod output;
mod verdicts;

use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// What one run of the command came to.
struct Run {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Run {
    /// The output as JSON.
    #[track_caller]
    fn json(&self) -> Value {
        serde_json::from_str(&self.out)
            .unwrap_or_else(|error| panic!("{error}: {}{}", self.out, self.err))
    }

    /// Asserts that the command failed with one message, said nothing else, and wrote nothing.
    #[track_caller]
    fn fails(&self, message: &str) {
        assert_eq!(
            (self.code, &*self.out, &*self.err),
            (Some(1), "", &*format!("plumbline: {message}\n"))
        );
    }
}

/// The command, started in `folder`.
fn command(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_plumbline"));
    command.current_dir(folder).stdin(Stdio::null());
    command
}

/// Runs the command in `folder`; arguments are parted at spaces.
#[track_caller]
fn run(folder: &Path, arguments: &str) -> Run {
    let arguments: Vec<&str> = arguments.split_whitespace().collect();
    let done = command(folder).args(&arguments).output().expect("the command starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    Run { code: done.status.code(), out: text(done.stdout), err: text(done.stderr) }
}

/// The shipped sample tenants.
fn samples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("samples")
}

/// A folder of its own for one test.
struct World(TempDir);

impl World {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes a file, and the folders above it.
    #[track_caller]
    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> &Self {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, bytes).expect("a file");
        self
    }

    /// Makes a folder.
    fn folder(&self, name: &str) -> &Self {
        std::fs::create_dir_all(self.path().join(name)).expect("a folder");
        self
    }

    fn policy(&self, name: &str, policy: &Value) -> &Self {
        self.write(name, policy.to_string())
    }

    #[track_caller]
    fn run(&self, arguments: &str) -> Run {
        run(self.path(), arguments)
    }

    /// Compares the folders `b` and `c`.
    #[track_caller]
    fn compare(&self, more: &str) -> Run {
        self.run(&format!("compare --baseline b --current c {more}"))
    }

    /// Every file below, by relative path.
    fn listing(&self) -> Vec<String> {
        let mut out = Vec::new();
        let mut folders = vec![self.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
                let path = entry.path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let name = path.strip_prefix(self.path()).expect("below").to_string_lossy();
                    out.push(name.replace('\\', "/"));
                }
            }
        }
        out.sort();
        out
    }
}

/// A feature update profile: `version` is its content.
fn feature(name: &str, number: u32, version: &str) -> Value {
    json!({
        "@odata.context": "https://graph.microsoft.com/beta/$metadata#deviceManagement/windowsFeatureUpdateProfiles/$entity",
        "id": format!("5e11ab1e-0000-4000-8000-{number:012}"), "displayName": name,
        "featureUpdateVersion": version, "roleScopeTagIds": ["0"], "assignments": [],
    })
}

/// One equal pair.
fn equal() -> World {
    let world = World::new();
    world
        .policy("b/same.json", &feature("Same", 1, "1"))
        .policy("c/same.json", &feature("Same", 1, "1"));
    world
}

/// One equal pair, and one that differs: drift of severity medium.
fn drifted() -> World {
    let world = equal();
    world
        .policy("b/changed.json", &feature("Changed", 2, "1"))
        .policy("c/changed.json", &feature("Changed", 2, "2"));
    world
}

/// Both of `drifted`, and a file that cannot be read, of another type.
fn drifted_with_gap() -> World {
    let world = drifted();
    world.write("c/windowsQualityUpdateProfile/bad.json", "{");
    world
}

/// One equal pair and a file that cannot be read.
fn equal_with_gap() -> World {
    let world = equal();
    world.write("c/bad.json", "{");
    world
}
