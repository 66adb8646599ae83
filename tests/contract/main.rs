//! The contract: the `OpenAPI` document holds for the API as it runs. The document is validated, and then
//! requests made from it, sound and unsound, are sent to an API over embedded stores.

#![expect(clippy::unwrap_used, reason = "a test may panic")]
#![expect(clippy::print_stdout, reason = "what was tried is told")]

mod served;

use crate::served::Served;
use plumbline_tests::python::{Packages, Python};
use std::process::Command;

/// Draws the same requests in every run.
const SEED: &str = "20261";
/// Requests of each kind and route.
const EXAMPLES: &str = "12";

fn here(file: &str) -> String {
    format!("{}/contract/{file}", env!("CARGO_MANIFEST_DIR"))
}

/// Runs a program to its end; its whole output is the message where it fails.
fn passes(command: &mut Command) {
    let done = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let told = format!("{}\n{}", text(&done.stdout), text(&done.stderr));
    assert!(done.status.success(), "{told}");
    println!("{told}");
}

#[test]
fn the_document_is_sound_openapi() {
    let (python, served) = (Python::ready(Packages::Contract), Served::start());
    let file = served.folder().join("openapi.json");
    std::fs::write(&file, served.document()).unwrap();
    passes(python.module("openapi_spec_validator").arg(&file));
}

#[test]
fn the_api_keeps_what_its_document_says() {
    let (python, served) = (Python::ready(Packages::Contract), Served::start());
    passes(
        python
            .module("schemathesis.cli")
            // Its files, such as what it learnt of earlier runs, belong to this run alone.
            .current_dir(served.folder())
            .env("PYTHONPATH", here(""))
            .env("SCHEMATHESIS_HOOKS", "hooks")
            .env("PLUMBLINE_IDS", served.ids())
            .args(["--config-file", &here("schemathesis.toml")])
            .args(["run", &format!("{}/openapi.json", served.url())])
            .args(["-H", &format!("Authorization: Bearer {}", served.token())])
            .args(["--checks", "all", "--phases", "examples,coverage,fuzzing"])
            .args(["--seed", SEED, "--max-examples", EXAMPLES, "--no-color"]),
    );
}
