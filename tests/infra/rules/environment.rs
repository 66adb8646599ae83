//! Each function is told what it needs, and no more.

use super::Break::{Drop, Set};
use super::Rule;
use crate::template::{Resource, refers};
use plumbline_ports::{Clock, SystemClock};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What a workspace's records and objects are reached through by those that hold none of their own.
pub(super) const DATA_ROLE: &str = "PLUMBLINE_DATA_ROLE";

/// What the C library of each function reads: how many heaps it keeps, and what is too large for them.
const HEAP: [(&str, &str); 2] = [("MALLOC_ARENA_MAX", "1"), ("MALLOC_MMAP_THRESHOLD_", "131072")];

/// What each function stops without, and what it may be told besides.
fn told(function: &str) -> (&'static [&'static str], &'static [&'static str]) {
    match function {
        "api" => (plumbline_api::NEEDS, &["PLUMBLINE_OPEN_WORKSPACES"]),
        "schedule" => (plumbline_schedule::NEEDS, &[]),
        "capture" => (plumbline_capture::NEEDS, &[DATA_ROLE]),
        "compare" => (plumbline_compare::NEEDS, &[DATA_ROLE]),
        "deadletter" => (plumbline_deadletter::NEEDS, &[DATA_ROLE]),
        _ => (&[], &[]),
    }
}

/// What a variable names.
const MEANS: &[(&str, &str)] = &[
    ("PLUMBLINE_TABLE", "Table"),
    ("PLUMBLINE_BUCKET", "Bucket"),
    ("PLUMBLINE_QUEUE_CAPTURE", "CaptureQueue"),
    ("PLUMBLINE_QUEUE_COMPARE", "CompareQueue"),
    ("PLUMBLINE_DEAD_CAPTURE", "CaptureDeadLetters"),
    ("PLUMBLINE_DEAD_COMPARE", "CompareDeadLetters"),
    ("PLUMBLINE_SECRET", "Secret"),
    ("PLUMBLINE_OPEN_WORKSPACES", "OpenWorkspaces"),
    (DATA_ROLE, "DataRole"),
];

pub(super) const RULES: &[Rule] = &[
    Rule {
        says: "a function keeps one small heap",
        faults: |template| {
            let large = template.functions().filter(has_a_large_heap);
            large.map(|function| function.name.to_owned()).collect()
        },
        broken_by: &[
            Set("/CompareFunction/Properties/Environment/Variables/MALLOC_ARENA_MAX", r#""8""#),
            Drop("/CaptureFunction/Properties/Environment/Variables/MALLOC_MMAP_THRESHOLD_"),
        ],
    },
    Rule {
        says: "a function is told what it needs and nothing else",
        faults: |template| template.functions().flat_map(mistold).collect(),
        broken_by: &[
            Drop("/ApiFunction/Properties/Environment/Variables/PLUMBLINE_ISSUERS"),
            Drop("/CaptureFunction/Properties/Environment/Variables/PLUMBLINE_DEAD_CAPTURE"),
            Drop("/CompareFunction/Properties/Environment/Variables/PLUMBLINE_DATA_ROLE"),
            Drop("/DeadletterFunction/Properties/Environment/Variables/PLUMBLINE_QUEUE_COMPARE"),
            Drop("/ScheduleFunction/Properties/Environment/Variables/PLUMBLINE_TABLE"),
            Set(
                "/CaptureFunction/Properties/Environment/Variables/PLUMBLINE_SECRET",
                r#"{"Ref":"Secret"}"#,
            ),
        ],
    },
    Rule {
        says: "a variable names what it says",
        faults: |template| template.functions().flat_map(misnamed).collect(),
        broken_by: &[
            Set(
                "/CompareFunction/Properties/Environment/Variables/PLUMBLINE_QUEUE_COMPARE",
                r#"{"Ref":"CaptureQueue"}"#,
            ),
            Set(
                "/CompareFunction/Properties/Environment/Variables/PLUMBLINE_DEAD_COMPARE",
                r#"{"Ref":"CompareQueue"}"#,
            ),
            Set("/ApiFunction/Properties/Environment/Variables/PLUMBLINE_TABLE", r#""plumbline""#),
        ],
    },
    Rule {
        says: "the issuers are those of the parameters, in the form that the API reads",
        faults: |template| template.functions().filter_map(bad_issuers).collect(),
        broken_by: &[
            Set("/ApiFunction/Properties/Environment/Variables/PLUMBLINE_ISSUERS", r#""[]""#),
            Set(
                "/ApiFunction/Properties/Environment/Variables/PLUMBLINE_ISSUERS",
                r#"{"Fn::Sub":"[{\"issuer\":\"${Issuer}\"}]"}"#,
            ),
        ],
    },
];

/// The variables of a function.
pub(super) fn variables(function: Resource<'_>) -> BTreeMap<&str, &Value> {
    let all = function.at("/Environment/Variables").as_object().into_iter().flatten();
    all.map(|(name, value)| (name.as_str(), value)).collect()
}

fn mistold(function: Resource<'_>) -> Vec<String> {
    let (needs, may) = told(&function.function());
    let heap = HEAP.map(|(name, _)| name);
    let wanted: BTreeSet<&str> = needs.iter().chain(may).copied().chain(heap).collect();
    let found: BTreeSet<&str> = variables(function).into_keys().collect();
    wanted.symmetric_difference(&found).map(|name| format!("{}: {name}", function.name)).collect()
}

/// A compare has 32 MB only with one small heap.
fn has_a_large_heap(function: &Resource<'_>) -> bool {
    let found = variables(*function);
    HEAP.iter().any(|(name, value)| found.get(name).is_none_or(|found| *found != value))
}

fn misnamed(function: Resource<'_>) -> Vec<String> {
    let found = variables(function);
    let wrong = MEANS.iter().filter(|(name, what)| {
        found.get(name).is_some_and(|value| !refers(value).iter().eq([what]))
    });
    wrong.map(|(name, what)| format!("{}: {name} does not name {what}", function.name)).collect()
}

fn bad_issuers(function: Resource<'_>) -> Option<String> {
    let value = *variables(function).get("PLUMBLINE_ISSUERS")?;
    let text = value["Fn::Sub"].as_str().unwrap_or_default();
    let filled = [
        ("Issuer", "https://issuer.test/"),
        ("Audience", "plumbline"),
        ("Scope", "plumbline"),
        ("JwksUri", "https://issuer.test/keys"),
    ];
    let told = filled
        .iter()
        .fold(text.to_owned(), |text, (name, with)| text.replace(&format!("${{{name}}}"), with));
    let all = filled.iter().all(|(name, _)| refers(value).contains(*name));
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let read = plumbline_api::token::issuers(told.as_bytes(), &clock);
    let good = all && read.is_ok_and(|issuers| issuers.len() == 1);
    (!good).then(|| format!("{}: {told}", function.name))
}
