//! The layer rule: policy < governance < ports < operations, stores, graph < lambda kit < functions. A crate
//! may use what lies below it, nothing beside it and nothing above it.

#![expect(clippy::expect_used, reason = "helpers of tests")]

use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

/// Where a member stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    /// A crate of the product, by layer.
    Layer(u8),
    /// Builders for tests.
    Testkit,
    /// The suites across crates.
    Tests,
}

/// The layer of the functions.
const FUNCTIONS: u8 = 5;

/// Crates that do I/O or need a runtime; the two lowest layers know none of them.
const IMPURE: &[&str] =
    &["tokio", "reqwest", "redb", "hyper", "rusqlite", "ureq", "async-std", "smol", "mio"];
/// The same by the start of the name.
const IMPURE_FAMILIES: &[&str] = &["aws-", "tokio-", "hyper-", "lambda_", "lambda-"];

/// One edge of the workspace's graph.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Edge {
    from: String,
    to: String,
    dev: bool,
}

/// A member: its name and its folder in the workspace.
type Members = BTreeMap<String, String>;

/// The place of a member, told by its folder.
fn place(folder: &str) -> Option<Place> {
    Some(match folder {
        "shared/policy" => Place::Layer(0),
        "shared/governance" => Place::Layer(1),
        "shared/ports" => Place::Layer(2),
        "shared/operations" | "shared/store-aws" | "shared/store-local" | "shared/graph" => {
            Place::Layer(3)
        }
        "shared/lambda-kit" => Place::Layer(4),
        "shared/testkit" => Place::Testkit,
        "tests" => Place::Tests,
        other if other.starts_with("functions/") && other.matches('/').count() == 1 => {
            Place::Layer(FUNCTIONS)
        }
        _ => return None,
    })
}

/// Every breach of the rule, in words.
fn breaches(members: &Members, edges: &[Edge]) -> Vec<String> {
    let mut out: Vec<String> = members
        .iter()
        .filter(|(_, folder)| place(folder).is_none())
        .map(|(name, folder)| format!("{name} in {folder} has no layer"))
        .collect();
    for edge in edges {
        let Some(from) = members.get(&edge.from).and_then(|folder| place(folder)) else { continue };
        let pure = matches!(from, Place::Layer(0 | 1));
        let impure = IMPURE.contains(&edge.to.as_str())
            || IMPURE_FAMILIES.iter().any(|family| edge.to.starts_with(family));
        if pure && impure && !edge.dev {
            out.push(format!("{} uses {}, which does I/O", edge.from, edge.to));
        }
        let Some(to) = members.get(&edge.to).and_then(|folder| place(folder)) else { continue };
        let allowed = match (from, to) {
            (_, Place::Tests) | (Place::Testkit, Place::Testkit) => false,
            (Place::Tests, _) => true,
            (_, Place::Testkit) => edge.dev,
            (Place::Testkit, Place::Layer(to)) => to < FUNCTIONS,
            (Place::Layer(FUNCTIONS), Place::Layer(FUNCTIONS)) => {
                members.get(&edge.from).is_some_and(|folder| folder == "functions/local")
            }
            (Place::Layer(from), Place::Layer(to)) => to < from,
        };
        if !allowed {
            let how = if edge.dev { " in its tests" } else { "" };
            out.push(format!("{} may not use {}{how}", edge.from, edge.to));
        }
    }
    out.sort();
    out
}

/// Reads members and edges from the output of `cargo metadata`.
fn graph(metadata: &Value) -> (Members, Vec<Edge>) {
    let root = Path::new(metadata["workspace_root"].as_str().expect("a root"));
    let (mut members, mut edges) = (Members::new(), Vec::new());
    for package in metadata["packages"].as_array().expect("packages") {
        let name = package["name"].as_str().expect("a name").to_owned();
        let manifest = Path::new(package["manifest_path"].as_str().expect("a path"));
        let folder = manifest.parent().and_then(|folder| folder.strip_prefix(root).ok());
        members
            .insert(name.clone(), folder.expect("a member").to_string_lossy().replace('\\', "/"));
        for dependency in package["dependencies"].as_array().expect("dependencies") {
            edges.push(Edge {
                from: name.clone(),
                to: dependency["name"].as_str().expect("a name").to_owned(),
                dev: dependency["kind"] == "dev",
            });
        }
    }
    (members, edges)
}

fn metadata() -> Value {
    let answer = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo");
    serde_json::from_slice(&answer.stdout).expect("JSON")
}

#[test]
fn the_workspace_keeps_the_layers() {
    let (members, edges) = graph(&metadata());
    for expected in ["plumbline-policy", "plumbline-governance", "plumbline", "plumbline-tests"] {
        assert!(members.contains_key(expected), "{expected}: {members:?}");
    }
    let has = |from: &str, to: &str| edges.iter().any(|edge| edge.from == from && edge.to == to);
    assert!(
        has("plumbline", "plumbline-governance") && has("plumbline-governance", "plumbline-policy")
    );
    assert_eq!(breaches(&members, &edges), Vec::<String>::new());
}

/// A workspace with a crate at every place.
fn made_up() -> Members {
    [
        ("policy", "shared/policy"),
        ("governance", "shared/governance"),
        ("ports", "shared/ports"),
        ("operations", "shared/operations"),
        ("store-aws", "shared/store-aws"),
        ("store-local", "shared/store-local"),
        ("graph", "shared/graph"),
        ("lambda-kit", "shared/lambda-kit"),
        ("testkit", "shared/testkit"),
        ("local", "functions/local"),
        ("api", "functions/api"),
        ("worker", "functions/worker"),
        ("suites", "tests"),
    ]
    .map(|(name, folder)| (name.to_owned(), folder.to_owned()))
    .into()
}

fn edge(from: &str, to: &str, dev: bool) -> Edge {
    Edge { from: from.to_owned(), to: to.to_owned(), dev }
}

/// Negative control: each wrong edge of a made-up workspace is caught, each right one is not.
#[test]
fn a_wrong_edge_is_caught() {
    let members = made_up();
    let judge = |from, to, dev| breaches(&members, &[edge(from, to, dev)]);
    for (from, to, dev) in [
        ("governance", "policy", false),
        ("ports", "governance", false),
        ("operations", "ports", false),
        ("store-aws", "policy", false),
        ("lambda-kit", "operations", false),
        ("api", "lambda-kit", false),
        ("local", "api", false),
        ("local", "store-local", false),
        ("policy", "testkit", true),
        ("api", "testkit", true),
        ("suites", "testkit", false),
        ("suites", "local", false),
        ("testkit", "policy", false),
        ("policy", "serde_json", false),
        ("policy", "tokio", true),
        ("store-aws", "aws-sdk-dynamodb", false),
        ("store-local", "redb", false),
        ("ports", "tokio", false),
    ] {
        assert_eq!(judge(from, to, dev), [""; 0], "{from} → {to}");
    }
    for (from, to, dev, said) in [
        ("policy", "governance", false, "policy may not use governance"),
        ("policy", "governance", true, "policy may not use governance in its tests"),
        ("governance", "ports", false, "governance may not use ports"),
        ("ports", "operations", false, "ports may not use operations"),
        ("operations", "graph", false, "operations may not use graph"),
        ("store-aws", "store-local", false, "store-aws may not use store-local"),
        ("graph", "lambda-kit", false, "graph may not use lambda-kit"),
        ("lambda-kit", "api", false, "lambda-kit may not use api"),
        ("api", "worker", false, "api may not use worker"),
        ("api", "local", false, "api may not use local"),
        ("governance", "testkit", false, "governance may not use testkit"),
        ("local", "testkit", false, "local may not use testkit"),
        ("testkit", "local", false, "testkit may not use local"),
        ("policy", "suites", true, "policy may not use suites in its tests"),
        ("policy", "tokio", false, "policy uses tokio, which does I/O"),
        ("policy", "aws-sdk-s3", false, "policy uses aws-sdk-s3, which does I/O"),
        ("governance", "reqwest", false, "governance uses reqwest, which does I/O"),
        ("governance", "redb", false, "governance uses redb, which does I/O"),
    ] {
        assert_eq!(judge(from, to, dev), [said]);
    }
    let mut stranger = members;
    stranger.insert("misc".to_owned(), "shared/misc".to_owned());
    assert_eq!(breaches(&stranger, &[]), ["misc in shared/misc has no layer"]);
}

/// The reader of `cargo metadata` sees kinds and folders, so that the control above is about the same graph.
#[test]
fn metadata_is_read_with_kinds() {
    let metadata = serde_json::json!({
        "workspace_root": "/w",
        "packages": [
            { "name": "policy", "manifest_path": "/w/shared/policy/Cargo.toml", "dependencies": [
                { "name": "testkit", "kind": "dev" }, { "name": "tokio", "kind": "build" },
            ] },
            { "name": "testkit", "manifest_path": "/w/shared/testkit/Cargo.toml", "dependencies": [
                { "name": "policy", "kind": null },
            ] },
        ],
    });
    let (members, edges) = graph(&metadata);
    assert_eq!(edges[0], edge("policy", "testkit", true));
    assert_eq!(breaches(&members, &edges), ["policy uses tokio, which does I/O"]);
}
