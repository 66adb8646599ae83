//! Does queued runs in this process, until the ones that are waited for have ended.

use crate::data::Data;
use crate::progress::Progress;
use anyhow::bail;
use futures::executor::block_on;
use plumbline_governance::run::{Run, RunOutcome, RunState};
use plumbline_operations::{OperationError, Work};
use plumbline_ports::QueueName;

/// How many messages are taken at once.
const LOT: usize = 10;

/// Works on a queue until all runs have ended, and gives them back as they are then, in their order.
/// Other work that waits in the queue is done on the way.
pub(super) fn until_ended(
    data: &Data,
    queue: QueueName,
    runs: Vec<Run>,
    what: &'static str,
) -> anyhow::Result<Vec<Run>> {
    let progress = Progress::new(runs.len(), what);
    let mut ended = Vec::with_capacity(runs.len());
    for run in runs {
        loop {
            let now = block_on(data.system.run(run.workspace, run.tenant, run.id))?;
            if now.is_completed() {
                ended.push(now);
                break;
            }
            if block_on(data.system.work(queue, LOT))?.is_empty() {
                // Its message is lost, or hidden because an earlier process took it and died.
                alone(data, &run)?;
            }
        }
        progress.step();
    }
    progress.finish();
    Ok(ended)
}

/// Does a run whose message does not come.
fn alone(data: &Data, run: &Run) -> anyhow::Result<()> {
    let work = Work::Run {
        workspace: run.workspace,
        tenant: run.tenant,
        run: run.id,
        run_type: run.run_type,
    };
    match block_on(data.system.perform(&work)) {
        Ok(plumbline_operations::Step::Later(at)) if at > data.system.now() => {
            let now = block_on(data.system.run(run.workspace, run.tenant, run.id))?;
            if let RunState::Running { started_at, .. } = now.state {
                bail!(
                    "the run {} was taken at {} by a process that did not end it; it can be taken again \
                     at {}: wait, or end it with `plumbline run cancel {}`",
                    run.id,
                    super::show::moment(started_at),
                    super::show::moment(at),
                    run.id
                );
            }
            Ok(())
        }
        Ok(_) => Ok(()),
        Err(error @ OperationError::Port(_)) => Err(error.into()),
        Err(error) if error.is_retryable() => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// An error for a run that did not do what was asked, with its reason.
pub(super) fn check(run: &Run, whose: &str) -> anyhow::Result<()> {
    let verb = match run.outcome() {
        RunOutcome::Blocked => "is blocked",
        RunOutcome::Failed => "failed",
        RunOutcome::Cancelled => "was cancelled",
        RunOutcome::Pending => "has not ended",
        RunOutcome::Succeeded | RunOutcome::Partial => return Ok(()),
    };
    let reason = run.failure().map_or("no reason was given", |failure| failure.message.as_str());
    bail!("the {} of `{whose}` {verb}: {reason}", noun(run));
}

/// What a run is called in a sentence.
pub(super) fn noun(run: &Run) -> &'static str {
    use plumbline_governance::run::RunType;
    match run.run_type {
        RunType::InventoryImport => "import",
        RunType::BaselineCapture => "capture",
        RunType::BaselineCompare => "compare",
        RunType::Renormalise => "renormalisation",
    }
}
