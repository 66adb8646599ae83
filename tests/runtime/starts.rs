//! How a function starts, and how it does not.

use crate::built::FUNCTIONS;
use crate::nothing::Nothing;
use crate::stub::{Function, Told};
use plumbline_tests::functions;
use std::time::Duration;

/// From the start of a program to its first question for an event: the median of some starts.
fn median(name: &str, set: &[(&str, String)]) -> Duration {
    let mut times: Vec<Duration> = (0..20)
        .map(|_| {
            let mut function = Function::start(name, set);
            let asked = function.asks();
            asked - function.begun
        })
        .collect();
    times.sort_unstable();
    times[times.len() / 2]
}

/// A function opens its connections before its first event, and still starts in a moment.
#[test]
fn a_function_starts_in_a_moment() {
    let services = Nothing::new();
    let hello = median("hello", &[]);
    println!("hello: {:.1} ms", hello.as_secs_f64() * 1e3);
    for (name, needed) in FUNCTIONS {
        let time = median(name, &services.settings(needed));
        let ratio = time.as_secs_f64() / hello.as_secs_f64();
        println!("{name}: {:.1} ms, {ratio:.1} × hello", time.as_secs_f64() * 1e3);
        let most = if functions::released().is_some() { 10 } else { 250 };
        assert!(time <= Duration::from_millis(most), "{name} takes {time:?} to start");
    }
}

/// What is uploaded of a function. The programs of the tests are larger.
#[test]
fn a_package_is_small() {
    for (name, _) in FUNCTIONS {
        let bytes = std::fs::metadata(functions::package(name)).unwrap().len();
        println!("{name}: {bytes} bytes packed");
        let most = match (functions::released(), name) {
            (None, _) => 15_000_000,
            // It holds the routes, their document and what checks tokens.
            (Some(_), "api") => 7_000_000,
            (Some(_), _) => 5_200_000,
        };
        assert!(bytes <= most, "{name}: {bytes} bytes");
    }
}

/// Every setting that a function needs is named when it is missing.
#[test]
fn a_missing_setting_is_named() {
    let services = Nothing::new();
    for (name, needed) in FUNCTIONS {
        for missing in needed {
            let mut set = services.settings(needed);
            set.retain(|(variable, _)| variable != missing);
            let mut function = Function::start(name, &set);
            let Told::InitFailed(headers, told) = function.told() else {
                panic!("{name}: {missing}")
            };
            assert_eq!(headers["lambda-runtime-function-error-type"], "Runtime.InitError");
            let message = told["errorMessage"].as_str().unwrap();
            assert!(message.contains(missing), "{name}: {message}");
            assert_eq!(function.ended().code(), Some(1));
        }
    }
}

/// A setting that names something else than it must, and a thing that is not there.
#[test]
fn a_lost_configuration_fails_the_start() {
    let services = Nothing::new();
    let mut set = services.settings(plumbline_compare::NEEDS);
    set.iter_mut().find(|(name, _)| *name == "PLUMBLINE_QUEUE_COMPARE").unwrap().1 =
        "compare".to_owned();
    let mut function = Function::start("compare", &set);
    let Told::InitFailed(_, told) = function.told() else { panic!("it starts") };
    assert!(told.to_string().contains("PLUMBLINE_QUEUE_COMPARE"), "{told}");

    let services = Nothing::without(Some("GetItem"));
    let mut function = Function::start("compare", &services.settings(plumbline_compare::NEEDS));
    let Told::InitFailed(_, told) = function.told() else { panic!("it starts") };
    assert!(told.to_string().contains("north-table"), "{told}");

    let services = Nothing::new();
    for (variable, value) in
        [("PLUMBLINE_ISSUERS", "[{}]"), ("PLUMBLINE_OPEN_WORKSPACES", "perhaps")]
    {
        let mut set = services.settings(plumbline_api::NEEDS);
        set.retain(|(name, _)| *name != variable);
        set.push((variable, value.to_owned()));
        let mut function = Function::start("api", &set);
        let Told::InitFailed(_, told) = function.told() else { panic!("it starts: {variable}") };
        assert!(told.to_string().contains(variable), "{told}");
    }
}

/// The system may end a function at any time; one that waits ends at once.
#[test]
fn a_function_that_is_ended_ends() {
    let services = Nothing::new();
    let mut function = Function::start("schedule", &services.settings(plumbline_schedule::NEEDS));
    function.asks();
    function.terminate();
    assert!(!function.ended().success());
}
