//! The tools that check the contract, in a Python environment of their own under the target directory.

use plumbline_policy::digest::Digest;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Mutex;

/// An environment with the packages of `requirements.txt`.
pub(crate) struct Python(PathBuf);

/// Both tests need the environment; one makes it.
static MAKING: Mutex<()> = Mutex::new(());

impl Python {
    /// Makes the environment, once for each state of the list of packages.
    pub(crate) fn ready() -> Self {
        let _making = MAKING.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let list = crate::here("requirements.txt");
        let digest = Digest::of(&fs::read(&list).unwrap()).to_string();
        let root = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("python-{digest:.16}"));
        let made = Self(root.clone());
        // Written last: what was broken off is begun anew.
        let whole = root.join("whole");
        if whole.exists() {
            return made;
        }
        if root.exists() {
            fs::remove_dir_all(&root).unwrap();
        }
        run(
            Command::new("python3").args(["-m", "venv"]).arg(&root),
            "this suite needs `python3`, 3.11 or newer, with its module `venv` (on Debian: python3-venv)",
        );
        run(
            made.command("pip").args(["install", "--quiet", "--require-hashes", "-r", &list]),
            "the packages of tests/contract/requirements.txt cannot be installed; pip needs a package index",
        );
        fs::write(whole, "").unwrap();
        made
    }

    /// A module of the environment as a command.
    pub(crate) fn command(&self, module: &str) -> Command {
        let mut command = Command::new(self.0.join("bin/python"));
        command.args(["-m", module]);
        command
    }
}

fn run(command: &mut Command, need: &str) {
    match command.output() {
        Ok(done) if done.status.success() => {}
        Ok(done) => panic!("{need}:\n{}", String::from_utf8_lossy(&done.stderr)),
        Err(error) => panic!("{need}: {error}"),
    }
}
