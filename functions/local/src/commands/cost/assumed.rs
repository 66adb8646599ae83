//! What cannot be counted on this machine, and what is assumed of it instead. Every assumption is printed
//! with the result.

use super::sheet::Use;
use plumbline_ports::bill::{Charge, prices};
use std::collections::BTreeMap;

/// The memory of a function.
const MEMORY_MB: f64 = 512.0;
/// The memory with which Lambda gives one whole processor; less gives that much less.
const WHOLE_CPU_MB: f64 = 1_769.0;
/// How long a request waits for its answer, in seconds.
const RECORD_WAIT: f64 = 0.005;
const OBJECT_WAIT: f64 = 0.030;
/// What a run writes to the logs, in GB.
const LOG: f64 = 2e-6;
/// Ticks in a month: one a minute.
pub(super) const TICKS: f64 = 60.0 * 24.0 * 30.0;
/// Requests with which Lambda asks four queues for work in a month without any: five pollers each, which
/// wait 20 seconds.
pub(super) const POLLS: f64 = 4.0 * 5.0 * 3.0 * TICKS;
/// Secrets of a stage.
const SECRETS: f64 = 1.0;

/// What functions add to what was counted: calls, time and logs.
pub(super) fn functions(counted: &Use, calls: f64) -> Use {
    let requests = |charge| counted.requests.get(&charge).copied().unwrap_or(0.0);
    let waited = (requests(Charge::RecordRead) + requests(Charge::RecordWrite)) * RECORD_WAIT
        + (requests(Charge::ObjectRead) + requests(Charge::ObjectWrite)) * OBJECT_WAIT;
    let seconds = counted.computed * WHOLE_CPU_MB / MEMORY_MB + waited;
    let units = BTreeMap::from([
        (Charge::FunctionCall, calls),
        (Charge::FunctionTime, seconds * MEMORY_MB / 1_024.0),
        (Charge::LogIntake, calls * LOG),
    ]);
    Use { units, ..Use::default() }
}

/// What is paid by the month whatever is done.
pub(super) fn monthly() -> f64 {
    SECRETS * prices::SECRET.each()
}

/// The assumptions in words.
pub(super) fn told() -> Vec<String> {
    vec![
        format!(
            "Lambda's time is worked out, not measured: the time that this machine computed, outside of the \
             stores, times {WHOLE_CPU_MB} / {MEMORY_MB}, because a function of {MEMORY_MB} MB has that part \
             of a processor, and {} ms for every request to DynamoDB, {} ms for every one to S3.",
            RECORD_WAIT * 1e3,
            OBJECT_WAIT * 1e3
        ),
        "A function is called once for every import and compare; messages come and go ten at a time.".to_owned(),
        format!("A run logs {} bytes. Storage and what people look at are not in the sum.", LOG * 1e9),
        "A month without work: a tick a minute, five pollers on each of four queues, one secret.".to_owned(),
        "DynamoDB counts a change in an index once, also in a transaction. All tenants are in one \
         workspace. No free tier."
            .to_owned(),
    ]
}
