//! Does queued runs in this process, until the ones that are waited for have ended.

use crate::data::Data;
use crate::progress::Progress;
use anyhow::bail;
use futures::executor::block_on;
use plumbline_governance::run::{Run, RunOutcome};
use plumbline_lambda_kit::log::noun;
use plumbline_operations::{OperationError, Step, Work};

/// How many messages are taken at once.
const LOT: usize = 10;

/// Works on their queues until all runs have ended, and gives them back as they are then, in their order.
/// Other work that waits in a queue is done on the way.
pub(crate) fn until_ended(
    data: &Data,
    runs: Vec<Run>,
    what: &'static str,
) -> anyhow::Result<Vec<Run>> {
    let progress = Progress::new(runs.len(), what);
    let mut ended = Vec::with_capacity(runs.len());
    for run in runs {
        let work = work_of(&run);
        loop {
            let now = block_on(data.system.run(run.workspace, run.tenant, run.id))?;
            if now.is_completed() {
                ended.push(now);
                break;
            }
            if block_on(data.system.work(work.queue(), LOT))?.is_empty() {
                // Its message is lost.
                alone(data, &run, &work)?;
            }
        }
        progress.step();
    }
    progress.finish();
    Ok(ended)
}

fn work_of(run: &Run) -> Work {
    Work::Run { workspace: run.workspace, tenant: run.tenant, run: run.id, run_type: run.run_type }
}

/// Does a run whose message does not come.
fn alone(data: &Data, run: &Run, work: &Work) -> anyhow::Result<()> {
    match block_on(data.system.perform(work)) {
        Ok(Step::Later(at)) if at > data.system.now() => bail!(
            "somebody else works on the run {}; look at it with `plumbline run show {}`, or end it with \
             `plumbline run cancel {}`",
            run.id,
            run.id,
            run.id
        ),
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
    bail!("the {} of `{whose}` {verb}: {reason}", noun(run.run_type));
}
