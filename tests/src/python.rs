//! Tools written in Python, each list of packages in an environment of its own under the target directory.

use plumbline_policy::digest::Digest;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A list of packages, by version and digest, kept beside the suite that needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packages {
    /// What checks the contract of the API.
    Contract,
    /// A server that plays AWS, and what speaks to it and checks templates.
    Cloud,
    /// What checks templates against common rules. Its packages do not agree with the others'.
    Checkov,
}

impl Packages {
    /// The list, under `tests`.
    fn list(self) -> &'static str {
        match self {
            Self::Contract => "contract/requirements.txt",
            Self::Cloud => "cloud/requirements.txt",
            Self::Checkov => "infra/requirements-checkov.txt",
        }
    }
}

/// An environment with packages.
#[derive(Clone, Debug)]
pub struct Python(PathBuf);

impl Python {
    /// Makes the environment, once for each state of its list.
    ///
    /// # Panics
    /// Says what is missing: Python, its module `venv`, or a package index.
    #[must_use]
    pub fn ready(packages: Packages) -> Self {
        let list = source(packages.list());
        let bytes = fs::read(&list).unwrap_or_else(|error| panic!("{}: {error}", list.display()));
        let name = format!("python-{:.16}", Digest::of(&bytes).to_string());
        let (root, lock) = (scratch().join(&name), scratch().join(format!("{name}.lock")));
        // Other tests, perhaps in other processes, wait until one has made it.
        let lock = File::create(&lock).and_then(|file| file.lock().map(|()| file));
        let _lock = lock.unwrap_or_else(|error| panic!("{}: {error}", root.display()));
        let made = Self(root.clone());
        // Written last: what was broken off is begun anew.
        let whole = root.join("whole");
        if whole.exists() {
            return made;
        }
        if root.exists() {
            fs::remove_dir_all(&root).unwrap_or_else(|error| panic!("{}: {error}", root.display()));
        }
        run(
            Command::new("python3").args(["-m", "venv"]).arg(&root),
            "this suite needs `python3`, 3.11 or newer, with its module `venv` (on Debian: python3-venv)",
        );
        run(
            made.module("pip").args(["install", "--quiet", "--require-hashes", "-r"]).arg(&list),
            &format!(
                "the packages of tests/{} cannot be installed; pip needs a package index",
                packages.list()
            ),
        );
        fs::write(&whole, "").unwrap_or_else(|error| panic!("{}: {error}", whole.display()));
        made
    }

    /// A module of the environment as a command.
    #[must_use]
    pub fn module(&self, module: &str) -> Command {
        let mut command = self.interpreter();
        command.args(["-m", module]);
        command
    }

    /// A script of this folder as a command.
    #[must_use]
    pub(crate) fn script(&self, name: &str) -> Command {
        let mut command = self.interpreter();
        command.arg(source("src").join(name));
        command
    }

    /// Its interpreter as a command.
    #[must_use]
    pub fn interpreter(&self) -> Command {
        Command::new(self.0.join("bin/python"))
    }
}

fn source(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Where Cargo lets tests keep files: `tmp` in the target directory, in which the test itself lies.
fn scratch() -> PathBuf {
    let exe = std::env::current_exe().unwrap_or_default();
    let target = exe.ancestors().skip(1).find(|folder| folder.ends_with("deps"));
    let target = target.and_then(|deps| deps.ancestors().nth(2));
    let scratch = target.map_or_else(std::env::temp_dir, |target| target.join("tmp"));
    fs::create_dir_all(&scratch).unwrap_or_else(|error| panic!("{}: {error}", scratch.display()));
    scratch
}

fn run(command: &mut Command, need: &str) {
    match command.output() {
        Ok(done) if done.status.success() => {}
        Ok(done) => panic!("{need}:\n{}", String::from_utf8_lossy(&done.stderr)),
        Err(error) => panic!("{need}: {error}"),
    }
}
