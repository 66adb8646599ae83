//! The binaries, built once for all tests.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The functions, and what must be set for each.
pub(crate) const FUNCTIONS: [(&str, &[&str]); 5] = [
    ("api", plumbline_api::NEEDS),
    ("schedule", plumbline_schedule::NEEDS),
    ("capture", plumbline_capture::NEEDS),
    ("compare", plumbline_compare::NEEDS),
    ("deadletter", plumbline_deadletter::NEEDS),
];
/// Less optimised than a release, so that building five programs is no burden.
const PROFILE: &str = "function-test";

/// The binary of a function; `hello` is the smallest function there is.
pub(crate) fn binary(name: &str) -> PathBuf {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    let folder = FOLDER.get_or_init(build);
    if name == "hello" { folder.join("examples/hello") } else { folder.join(name) }
}

fn build() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let cargo = |arguments: &[&str]| {
        let built = Command::new(env!("CARGO"))
            .current_dir(&root)
            .args(["build", "--locked", "--quiet", "--features", "lambda", "--profile", PROFILE])
            .args(arguments)
            .status();
        assert!(built.unwrap().success(), "{arguments:?} does not build");
    };
    let packages = FUNCTIONS.map(|(name, _)| format!("--package=plumbline-{name}"));
    let mut arguments = vec!["--bins"];
    arguments.extend(packages.iter().map(String::as_str));
    cargo(&arguments);
    cargo(&["--package=plumbline-lambda-kit", "--example=hello"]);
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    target.join(PROFILE)
}
