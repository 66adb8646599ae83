//! Where a report goes: whole or not at all, quiet pipes, no colours where nobody sees them.

use super::{Run, World, command, drifted, drifted_with_gap, samples};
use std::io::Read as _;
use std::process::Stdio;

#[test]
fn output_writes_what_would_be_printed() {
    let world = drifted();
    for format in ["text", "json", "csv", "sarif", "html"] {
        let printed = world.compare(&format!("--format {format}"));
        let before = world.listing();
        let written = world.compare(&format!("--format {format} --output report"));
        assert_eq!((written.code, &*written.out, &*written.err), (Some(2), "", ""), "{format}");
        let path = world.path().join("report");
        assert_eq!(std::fs::read_to_string(&path).expect("the report"), printed.out, "{format}");
        std::fs::remove_file(path).expect("the report");
        assert_eq!(world.listing(), before, "{format}: nothing else is written");
    }
}

#[test]
fn output_replaces_a_file_as_a_whole() {
    let world = drifted();
    world.write("report.json", "x".repeat(1 << 20));
    world.compare("--format json --output report.json");
    let text = std::fs::read_to_string(world.path().join("report.json")).expect("the report");
    assert_eq!(text, world.compare("--format json").out);
    // A run that fails leaves the old one.
    world.run("compare --baseline nowhere --current c --output report.json");
    assert_eq!(
        std::fs::read_to_string(world.path().join("report.json")).expect("the report"),
        text
    );
}

/// A link stays a link: the report goes where it leads, as `> report.json` would.
#[cfg(unix)]
#[test]
fn output_to_a_link_does_not_replace_the_link() {
    let world = drifted();
    world.write("kept/real.json", "old");
    let link = world.path().join("link.json");
    std::os::unix::fs::symlink("kept/real.json", &link).expect("a link");
    world.compare("--format json --output link.json");
    assert!(
        std::fs::symlink_metadata(&link).expect("the link").is_symlink(),
        "the link was replaced"
    );
    let real = std::fs::read_to_string(world.path().join("kept/real.json")).expect("the report");
    assert_eq!(real, world.compare("--format json").out);
}

/// A link to a file that is not there yet is a link all the same.
#[cfg(unix)]
#[test]
fn output_to_a_link_to_nothing_does_not_replace_the_link() {
    let world = drifted();
    world.folder("kept");
    let link = world.path().join("link.json");
    std::os::unix::fs::symlink("kept/new.json", &link).expect("a link");
    let done = world.compare("--format json --output link.json");
    assert!(
        std::fs::symlink_metadata(&link).expect("the link").is_symlink(),
        "the link was replaced"
    );
    assert!(done.code == Some(1) || world.path().join("kept/new.json").is_file());
}

/// A pipe or a device is written to or refused, never replaced by a file: as root, `--output /dev/null`
/// would take the device from the whole system.
#[cfg(unix)]
#[test]
fn output_to_a_pipe_does_not_replace_the_pipe() {
    use std::os::unix::fs::FileTypeExt as _;
    let world = drifted();
    let pipe = world.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().expect("mkfifo");
    assert!(made.success());
    let reader = {
        let pipe = pipe.clone();
        std::thread::spawn(move || std::fs::read_to_string(pipe))
    };
    let done = world.compare("--format json --output pipe");
    let kind = std::fs::symlink_metadata(&pipe).expect("the pipe").file_type();
    assert!(kind.is_fifo(), "the pipe was replaced");
    // Where it was refused nobody writes, and the reader waits for ever.
    if done.code == Some(2) {
        let read = reader.join().expect("the reader").expect("the report");
        assert_eq!(read, world.compare("--format json").out);
    }
}

fn assert_plain(what: &str, done: &Run) {
    for (name, text) in [("stdout", &done.out), ("stderr", &done.err)] {
        assert!(!text.contains('\u{1b}'), "{what}: escape bytes on {name}: {text:?}");
    }
}

/// Colour is for terminals; a pipe and a file get none, whatever the environment says.
#[test]
fn no_escape_bytes_where_there_is_no_terminal() {
    let world = drifted_with_gap();
    let nasty = super::feature("\u{1b}[31mRed\u{1b}[0m", 30, "1");
    world
        .policy("b/nasty.json", &nasty)
        .write("c/windowsQualityUpdateProfile/\u{1b}[31m.json", "{");
    for format in ["text", "csv", "html", "json", "sarif"] {
        let done = world.compare(&format!("--format {format}"));
        assert_eq!(done.code, Some(2));
        // A sheet keeps names as they are; every other format writes such characters out.
        if format != "csv" {
            assert_plain(format, &done);
        }
        assert_plain(format, &drifted_with_gap().compare(&format!("--format {format}")));
    }
    for arguments in [
        "inspect b",
        "inspect c",
        "diff b/changed.json c/changed.json",
        "policy-types",
        "demo",
        "demo compare",
        "completions bash",
        "--help",
        "compare --help",
        "compare",
    ] {
        assert_plain(arguments, &world.run(arguments));
    }
    for (name, value) in [("CLICOLOR_FORCE", "1"), ("FORCE_COLOR", "1"), ("TERM", "xterm-256color")]
    {
        let done = command(world.path())
            .args(["compare", "--baseline", "b", "--current", "c"])
            .env(name, value)
            .output()
            .expect("the command starts");
        assert!(!done.stdout.contains(&0x1b), "{name}");
    }
}

/// A reader that goes away early is not answered with an error message or a panic.
#[test]
fn a_broken_pipe_is_quiet() {
    let samples = samples();
    for arguments in [
        vec!["policy-types".to_owned()],
        vec!["policy-types".to_owned(), "--format".to_owned(), "json".to_owned()],
        vec!["demo".to_owned()],
        vec!["demo".to_owned(), "compare".to_owned()],
        vec!["inspect".to_owned(), samples.join("golden").display().to_string()],
        vec![
            "compare".to_owned(),
            "--baseline".to_owned(),
            samples.join("golden").display().to_string(),
            "--current".to_owned(),
            samples.join("tenant").display().to_string(),
            "--format".to_owned(),
            "html".to_owned(),
        ],
    ] {
        let mut child = command(&samples)
            .args(&arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the command starts");
        // Closed before the first byte is written.
        drop(child.stdout.take());
        let mut errors = String::new();
        child.stderr.take().expect("stderr").read_to_string(&mut errors).expect("text");
        child.wait().expect("the command ends");
        assert_eq!(errors, "", "{arguments:?}");
    }
}

/// Nothing but the report stands on standard output, nothing at all on standard error.
#[test]
fn standard_error_is_for_errors() {
    let world: World = drifted_with_gap();
    for format in ["text", "json", "csv", "sarif", "html"] {
        assert_eq!(world.compare(&format!("--format {format}")).err, "", "{format}");
    }
}
