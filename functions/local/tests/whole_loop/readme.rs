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

/// The script with curl, on a port of its own. Where there is no `curl`, Python stands in for it.
#[test]
fn the_same_with_curl_as_the_readme_tells_it() {
    let world = World::new();
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .expect("a port")
        .port();
    let text = script("The same with curl")
        .replace("plumbline serve", &format!("plumbline serve --listen 127.0.0.1:{port}"))
        .replace("127.0.0.1:8484", &format!("127.0.0.1:{port}"))
        .replace("target/release/plumbline", env!("CARGO_BIN_EXE_plumbline"));
    let path = curl_or_its_stand_in(&world);
    let steps = [
        "import succeeded",
        "capture succeeded",
        "profile active",
        "compare succeeded partial",
        "new 14",
        "finding acknowledged",
        "finding resolved",
        "finding reopened",
        "finding accepted",
        "finding reopened",
        "24 hours were meant, 96 are set",
        "last: run.start.baseline_compare",
        "nothing is wrong",
    ];
    goes(&world, &text, &[("PATH", &path)], &steps);
}

/// The search path for programs, with a `curl` on it.
fn curl_or_its_stand_in(world: &World) -> String {
    #[expect(clippy::disallowed_methods, reason = "a child's search path is extended")]
    let path = std::env::var("PATH").unwrap_or_default();
    let is_there = Command::new("curl").arg("--version").stdout(Stdio::null()).status().is_ok();
    if is_there {
        return path;
    }
    let folder = world.path().join("bin");
    std::fs::create_dir_all(&folder).expect("a folder");
    let program = folder.join("curl");
    std::fs::copy(root().join("functions/local/tests/whole_loop/curl.py"), &program)
        .expect("a copy");
    std::fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755))
        .expect("it can be run");
    format!("{}:{path}", folder.display())
}

#[test]
fn the_whole_loop_as_the_readme_tells_it() {
    let steps = [STEPS.as_slice(), &["nothing is wrong"]].concat();
    goes(&World::new(), &whole_loop(), &[], &steps);
}
