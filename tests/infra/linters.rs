//! Well-known linters: cfn-lint for the form, checkov for common rules. Each must fail on a broken copy.

use plumbline_tests::deploy;
use plumbline_tests::python::{Packages, Python};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

#[test]
fn cfn_lint_finds_nothing() {
    let done = cfn_lint(&deploy::template());
    assert!(done.status.success(), "{}", said(&done));
}

#[test]
fn cfn_lint_finds_what_is_broken() {
    let broken = [
        ("      VersioningConfiguration:", "      VersionningConfiguration:", "E3002"),
        ("!GetAtt CaptureDeadLetters.Arn", "!GetAtt CaptureDeadLetters.Arm", "E1010"),
        ("BillingMode: PAY_PER_REQUEST", "BillingMode: PAY_PER_MONTH", "E3639"),
        ("!Ref CompareDeadLetters", "!Ref CompareLetters", "E1020"),
    ];
    for (right, wrong, code) in broken {
        let copy = Copy::with(right, wrong);
        let done = cfn_lint(&copy.template());
        assert!(!done.status.success() && said(&done).contains(code), "{wrong}: {}", said(&done));
    }
}

#[test]
fn checkov_finds_nothing() {
    let done = checkov(&root());
    assert!(done.status.success(), "{}", said(&done));
    // It also succeeds when it finds no template.
    assert!(said(&done).contains("Passed checks: "), "{}", said(&done));
}

#[test]
fn checkov_finds_what_is_broken() {
    let copy = Copy::with("BlockPublicPolicy: true", "BlockPublicPolicy: false");
    let done = checkov(copy.0.path());
    assert!(!done.status.success() && said(&done).contains("CKV_AWS_54"), "{}", said(&done));
}

fn cfn_lint(template: &Path) -> Output {
    let lint = "import sys; from cfnlint.runner import main; sys.exit(main())";
    Python::ready(Packages::Cloud).interpreter().args(["-c", lint]).arg(template).output().unwrap()
}

/// Runs it as `infra/checkov.yaml` says, in the root of a repository.
fn checkov(root: &Path) -> Output {
    let mut checkov: Command = Python::ready(Packages::Checkov).module("checkov.main");
    let settings = ["--config-file", "infra/checkov.yaml"];
    checkov.current_dir(root).args(settings).output().unwrap()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn said(done: &Output) -> String {
    [&done.stdout, &done.stderr].map(|bytes| String::from_utf8_lossy(bytes)).concat()
}

/// A copy of `infra` in which something is broken.
struct Copy(TempDir);

impl Copy {
    fn with(right: &str, wrong: &str) -> Self {
        let copy = Self(tempfile::tempdir().unwrap());
        let text = fs::read_to_string(deploy::template()).unwrap();
        assert!(text.contains(right), "the template has no `{right}`");
        fs::create_dir(copy.0.path().join("infra")).unwrap();
        fs::write(copy.template(), text.replacen(right, wrong, 1)).unwrap();
        let settings = "infra/checkov.yaml";
        fs::copy(root().join(settings), copy.0.path().join(settings)).unwrap();
        copy
    }

    fn template(&self) -> PathBuf {
        self.0.path().join("infra/template.yaml")
    }
}
