//! What is logged of work, and the form of the log on Lambda.

use plumbline_governance::run::{Run, RunOutcome, RunType};
use plumbline_operations::Handled;
use plumbline_ports::QueueName;
use tracing::level_filters::LevelFilter;
use tracing::{error, info, warn};

/// Begins to log: one JSON object a line, on standard output, with what the spans around it say (the ids
/// of the request and of the message).
pub fn begin() {
    // It fails only when there is a log already, which is then the log.
    let _ = tracing_subscriber::fmt()
        .with_max_level(LevelFilter::INFO)
        .with_target(false)
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .try_init();
}

/// Says what became of a message: one line a run, none for what was nothing.
pub fn told(queue: QueueName, handled: &Handled) {
    match handled {
        Handled::Ended(run) => ended(run),
        Handled::Nothing => {}
        Handled::Again { reason, .. } => {
            warn!(queue = queue.as_str(), "a message comes again: {reason}");
        }
        Handled::Buried(reason) => {
            error!(queue = queue.as_str(), "a message was given up: {reason}");
        }
    }
}

fn ended(run: &Run) {
    let noun = noun(run.run_type);
    let reason = run.failure().map(|failure| failure.message.as_str()).unwrap_or_default();
    let (id, tenant, outcome) = (run.id, run.tenant, run.outcome().as_str());
    match run.outcome() {
        RunOutcome::Succeeded => {
            info!(run = %id, %tenant, outcome, "{noun} of {tenant} {outcome}");
        }
        RunOutcome::Failed => {
            error!(run = %id, %tenant, outcome, "{noun} of {tenant} {outcome}: {reason}");
        }
        _ => warn!(run = %id, %tenant, outcome, "{noun} of {tenant} {outcome}: {reason}"),
    }
}

/// What a run is called in a sentence.
#[must_use]
pub fn noun(run_type: RunType) -> &'static str {
    match run_type {
        RunType::InventoryImport => "import",
        RunType::BaselineCapture => "capture",
        RunType::BaselineCompare => "compare",
        RunType::Renormalise => "renormalisation",
    }
}
