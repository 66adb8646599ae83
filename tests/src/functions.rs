//! The programs of the functions, built once for all tests of a process, as binaries and as packages.

use crate::python::{Packages, Python};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The functions.
pub const FUNCTIONS: [&str; 5] = ["api", "schedule", "capture", "compare", "deadletter"];
/// Less optimised than a release, so that building five programs is no burden.
const PROFILE: &str = "function-test";

/// The binary of a function.
///
/// # Panics
/// When the functions do not build.
#[must_use]
pub fn binary(name: &str) -> PathBuf {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    let packages = || {
        let packages = FUNCTIONS.map(|name| format!("--package=plumbline-{name}"));
        build(&[&["--bins"], packages.each_ref().map(String::as_str).as_slice()].concat())
    };
    FOLDER.get_or_init(packages).join(name)
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
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let built = Command::new(env!("CARGO"))
        .current_dir(&root)
        .args(["build", "--locked", "--quiet", "--features", "lambda", "--profile", PROFILE])
        .args(what)
        .status();
    assert!(built.is_ok_and(|status| status.success()), "{what:?} does not build");
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    target.join(PROFILE)
}

/// The package of a function, as Lambda takes it: a zip archive of its binary.
///
/// # Panics
/// When it cannot be made.
#[must_use]
pub fn package(name: &str) -> PathBuf {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    let all = || {
        let folder = binary("packages");
        let python = Python::ready(Packages::Cloud);
        let packed = python.script("package.py").arg(&folder).args(FUNCTIONS.map(binary)).status();
        assert!(packed.is_ok_and(|status| status.success()), "the functions cannot be packed");
        folder
    };
    FOLDER.get_or_init(all).join(name).with_extension("zip")
}
