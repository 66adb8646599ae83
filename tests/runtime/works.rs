//! What a running function does with events.

use crate::nothing::Nothing;
use crate::stub::{Function, TRACE, Told};
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;

const MINUTE: Duration = Duration::from_mins(1);

fn event(name: &str) -> Value {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../events").join(name).with_extension("json");
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

#[track_caller]
fn answer(told: Told) -> Value {
    match told {
        Told::Answer(body) => body,
        other => panic!("{other:?}"),
    }
}

fn failures(ids: &[&str]) -> Value {
    json!({"batchItemFailures": ids.iter().map(|id| json!({"itemIdentifier": id})).collect::<Vec<_>>()})
}

/// One environment does one event after another: messages of nothing, one that cannot be read, one of a
/// newer program, and an event that is none.
#[test]
fn a_worker_answers_batch_after_batch() {
    let services = Nothing::new();
    let mut function = Function::start("compare", &services.settings(plumbline_compare::NEEDS));
    function.asks();
    assert_eq!(answer(function.does("r-1", MINUTE, event("compare"))), failures(&[]));
    function.asks();
    let newer = event("compare-newer-version");
    let id = newer["Records"][0]["messageId"].as_str().unwrap();
    assert_eq!(answer(function.does("r-2", MINUTE, newer.clone())), failures(&[id]));
    function.asks();
    assert_eq!(answer(function.does("r-3", MINUTE, event("compare-bad-body"))), failures(&[]));
    function.asks();
    let told = function.does("r-4", MINUTE, json!({"no": "batch"}));
    assert!(matches!(&told, Told::Failed(id) if id == "r-4"), "{told:?}");
    function.asks();
    assert_eq!(answer(function.does("r-5", MINUTE, event("compare-empty"))), failures(&[]));
    let calls = services.calls();
    let settled: Vec<&str> = calls
        .iter()
        .map(|call| &*call.op)
        .filter(|op| ["ChangeMessageVisibility", "SendMessage", "DeleteMessage"].contains(op))
        .collect();
    assert_eq!(settled, ["ChangeMessageVisibility", "SendMessage", "DeleteMessage"], "{calls:#?}");
    // What a run sends on belongs to the same trace.
    let sent = calls.iter().find(|call| call.op == "SendMessage").unwrap();
    assert_eq!(sent.trace.as_deref(), Some(TRACE));
    assert!(sent.body.to_string().contains("cannot be read"), "{sent:?}");
}

/// With less time than the margin nothing is begun, and everything comes again.
#[test]
fn a_worker_without_time_gives_back() {
    let services = Nothing::new();
    let mut function = Function::start("compare", &services.settings(plumbline_compare::NEEDS));
    function.asks();
    let batch = event("compare");
    let ids: Vec<&str> =
        [0, 1].map(|at| batch["Records"][at]["messageId"].as_str().unwrap()).into();
    let before = services.calls().len();
    let told = answer(function.does("r-1", Duration::from_secs(9), batch.clone()));
    let mut named: Vec<&str> = told["batchItemFailures"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["itemIdentifier"].as_str().unwrap())
        .collect();
    named.sort_unstable();
    assert_eq!(named, ids);
    let asked: Vec<String> =
        services.calls()[before..].iter().map(|call| call.op.clone()).collect();
    assert_eq!(asked, ["ChangeMessageVisibility", "ChangeMessageVisibility"]);
}

/// Every line of the log is JSON with the id of the request; metrics name the function; no message's body
/// and no setting stands in it.
#[test]
fn the_log_is_made_of_json() {
    let services = Nothing::new();
    let mut function = Function::start("compare", &services.settings(plumbline_compare::NEEDS));
    function.asks();
    let mut batch = event("compare-bad-body");
    batch["Records"][0]["body"] = json!("hunter2 is no message");
    answer(function.does("r-77", MINUTE, batch));
    function.asks();
    let lines = function.lines();
    let (metrics, logs): (Vec<&Value>, Vec<&Value>) =
        lines.iter().partition(|line| line.get("_aws").is_some());
    assert_eq!(metrics.len(), 1, "{lines:#?}");
    assert_eq!(metrics[0]["FunctionName"], "north-compare");
    assert_eq!((&metrics[0]["Buried"], &metrics[0]["Nothing"]), (&json!(1), &json!(1)));
    let buried: Vec<&&Value> = logs
        .iter()
        .filter(|line| line["message"].as_str().is_some_and(|text| text.contains("given up")))
        .collect();
    assert_eq!(buried.len(), 1, "{lines:#?}");
    assert_eq!(buried[0]["level"], "ERROR");
    assert!(buried[0]["spans"].to_string().contains("r-77"), "{}", buried[0]);
    assert!(buried[0]["spans"].to_string().contains("message.id"), "{}", buried[0]);
    assert!(!json!(lines).to_string().contains("hunter2"), "{lines:#?}");
}

#[test]
fn the_other_functions_answer() {
    let services = Nothing::new();
    let start = |name: &str, needed: &[&'static str]| {
        let mut function = Function::start(name, &services.settings(needed));
        function.asks();
        function
    };
    let mut schedule = start("schedule", plumbline_schedule::NEEDS);
    let ticked = answer(schedule.does("r-1", MINUTE, event("schedule")));
    assert_eq!(
        ticked,
        json!({"nightsStarted": 0, "nightsMissed": 0, "sentAgain": 0, "runsClosed": 0})
    );
    let mut capture = start("capture", plumbline_capture::NEEDS);
    assert_eq!(answer(capture.does("r-2", MINUTE, event("capture"))), failures(&[]));
    let mut api = start("api", plumbline_api::NEEDS);
    let refused = answer(api.does("r-3", MINUTE, event("api-get")));
    assert_eq!(refused["statusCode"], 401, "{refused}");
    let mut letters = start("deadletter", plumbline_deadletter::NEEDS);
    let unknown = event("deadletter-unknown-queue");
    let id = unknown["Records"][0]["messageId"].as_str().unwrap();
    assert_eq!(answer(letters.does("r-4", MINUTE, unknown.clone())), failures(&[id]));
    letters.asks();
    let mut ours = event("deadletter-bad-body");
    ours["Records"][0]["eventSourceARN"] =
        json!("arn:aws:sqs:eu-central-1:123456789012:plumbline-dead-compare");
    assert_eq!(answer(letters.does("r-5", MINUTE, ours)), failures(&[]));
}
