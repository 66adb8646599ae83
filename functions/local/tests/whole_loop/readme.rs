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

#[test]
fn the_whole_loop_as_the_readme_tells_it() {
    let world = World::new();
    let text = script("The whole loop");
    assert!(text.contains("target/release/plumbline"), "{text}");
    // The program under test is built already, and stands elsewhere.
    let text: String = text
        .lines()
        .filter(|line| !line.starts_with("cargo build"))
        .map(|line| line.replace("target/release/plumbline", env!("CARGO_BIN_EXE_plumbline")))
        .collect::<Vec<_>>()
        .join("\n");
    let done = Command::new("sh")
        .args(["-u", "-c", &text])
        .current_dir(root())
        .env("TMPDIR", world.path())
        .env_remove("PLUMBLINE_DATA_DIR")
        .stdin(Stdio::null())
        .output()
        .expect("a shell");
    let (out, err) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert_eq!(err, "", "{out}");
    let mut rest = &*out;
    for step in [
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
        "nothing is wrong",
    ] {
        let at = rest.find(step).unwrap_or_else(|| panic!("{step:?} is not in {rest}"));
        rest = &rest[at + step.len()..];
    }
}
