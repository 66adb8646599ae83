//! The script of the README, exactly as it stands there.

#![cfg(unix)]

use super::{World, root};
use std::process::{Command, Stdio};

/// The script below a heading: the first block of shell lines.
fn script(heading: &str) -> String {
    let readme = std::fs::read_to_string(root().join("README.md")).expect("the README");
    let section = readme.split(&format!("\n## {heading}\n")).nth(1).expect("the section");
    let block = section.split("```sh\n").nth(1).expect("a script");
    block.split("```").next().expect("its end").to_owned()
}

/// The script of the whole loop, with the program under test: it is built already, and stands elsewhere.
pub(super) fn whole_loop() -> String {
    let text = script("The whole loop");
    assert!(text.contains("target/release/plumbline"), "{text}");
    text.lines()
        .filter(|line| !line.starts_with("cargo build"))
        .map(|line| line.replace("target/release/plumbline", env!("CARGO_BIN_EXE_plumbline")))
        .collect::<Vec<_>>()
        .join("\n")
}

/// Runs a script and follows what it says.
#[track_caller]
pub(super) fn goes(world: &World, text: &str, variables: &[(&str, &str)], steps: &[&str]) {
    let done = Command::new("sh")
        .args(["-u", "-c", text])
        .current_dir(root())
        .env("TMPDIR", world.path())
        .env_remove("PLUMBLINE_DATA_DIR")
        .envs(variables.iter().copied())
        .stdin(Stdio::null())
        .output()
        .expect("a shell");
    let (out, err) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert_eq!(err, "", "{out}");
    let mut rest = &*out;
    for step in steps {
        let at = rest.find(step).unwrap_or_else(|| panic!("{step:?} is not in {rest}"));
        rest = &rest[at + step.len()..];
    }
}

/// What the script comes to, step by step.
pub(super) const STEPS: [&str; 12] = [
    "Imported Alder & Finch: 42 policies",
    "Captured Workplace from Alder & Finch: 39 policies",
    "Workplace is active",
    "Brightwater is held to Workplace",
    "Imported Brightwater: 43 policies",
    "Findings  14 new",
    "Acknowledged  Win - Compliance - Workstation Health",
    "Findings  1 resolved",
    "Findings  1 reopened",
    "Accepted  Win - Compliance - Workstation Health",
    "Findings  1 reopened",
    "gracePeriodHours: 24 → 96",
];

#[test]
fn the_whole_loop_as_the_readme_tells_it() {
    let steps = [STEPS.as_slice(), &["nothing is wrong"]].concat();
    goes(&World::new(), &whole_loop(), &[], &steps);
}
