//! The programs of the functions, built once for all tests of a process, as binaries and as packages.

use crate::python::{Packages, Python};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The functions.
pub const FUNCTIONS: [&str; 5] = ["api", "schedule", "capture", "compare", "deadletter"];
/// Less optimised than a release, so that building five programs is no burden.
const PROFILE: &str = "function-test";
/// Names the folder of the deployed ones instead, as `cargo lambda build` makes it.
const RELEASE: &str = "PLUMBLINE_FUNCTIONS";

/// The binary of a function.
///
/// # Panics
/// When the functions do not build.
#[must_use]
pub fn binary(name: &str) -> PathBuf {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    if let Some(folder) = released() {
        let bootstrap = root().join(folder).join(name).join("bootstrap");
        return bootstrap
            .canonicalize()
            .unwrap_or_else(|why| panic!("{}: {why}", bootstrap.display()));
    }
    let packages = || {
        let packages = FUNCTIONS.map(|name| format!("--package=plumbline-{name}"));
        build(&[&["--bins"], packages.each_ref().map(String::as_str).as_slice()].concat())
    };
    FOLDER.get_or_init(packages).join(name)
}

/// The folder of the functions as they are deployed, where the tests are told to run them. Only then do limits
/// of size and time say something.
#[must_use]
pub fn released() -> Option<PathBuf> {
    std::env::var_os(RELEASE).map(PathBuf::from)
}

/// The smallest function there is, to measure others by.
///
/// # Panics
/// When it does not build.
#[must_use]
pub fn hello() -> PathBuf {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    let package = ["--package=plumbline-lambda-kit", "--example=hello"];
    FOLDER.get_or_init(|| build(&package)).join("examples/hello")
}

/// Builds what is named, and answers where it lies.
fn build(what: &[&str]) -> PathBuf {
    let root = root();
    let built = Command::new(env!("CARGO"))
        .current_dir(&root)
        .args(["build", "--locked", "--quiet", "--features", "lambda", "--profile", PROFILE])
        .args(what)
        .status();
    assert!(built.is_ok_and(|status| status.success()), "{what:?} does not build");
    target(&root).join(PROFILE)
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn target(root: &Path) -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from)
}

/// The package of a function, as Lambda takes it: a zip archive of its binary.
///
/// # Panics
/// When it cannot be made.
#[must_use]
pub fn package(name: &str) -> PathBuf {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    let all = || {
        let folder = target(&root()).join("tmp").join("packages");
        let python = Python::ready(Packages::Cloud);
        let packed = python.script("package.py").arg(&folder).args(FUNCTIONS.map(binary)).status();
        assert!(packed.is_ok_and(|status| status.success()), "the functions cannot be packed");
        folder
    };
    FOLDER.get_or_init(all).join(name).with_extension("zip")
}
