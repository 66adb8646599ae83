//! Runs that are waited for, and sums: what others do for a server, and nobody for a data directory.

use super::{Client, Side};
use crate::commands::work;
use crate::progress::Progress;
use futures::executor::block_on;
use plumbline_governance::ids::RunId;
use plumbline_governance::run::{Run, RunType};
use std::collections::BTreeMap;

/// How long the server may wait with its answer, in seconds.
const WAIT: &str = "20";

impl Client {
    /// Waits until runs have ended, and gives them back as they are then, in their order. With a data
    /// directory nobody else does them, so that is done here.
    ///
    /// # Errors
    /// The API's, or those of the work.
    pub(crate) fn until_ended(
        &self,
        runs: Vec<Run>,
        what: &'static str,
    ) -> anyhow::Result<Vec<Run>> {
        match &self.wire.side {
            Side::Here(here) => {
                // Imports end with the command that began them, and one command at a time has the
                // directory: one that has not ended was given up.
                let queued = runs.iter().filter(|run| is_queued(run.run_type)).cloned().collect();
                let mut ended: BTreeMap<RunId, Run> = work::until_ended(&here.data, queued, what)?
                    .into_iter()
                    .map(|run| (run.id, run))
                    .collect();
                Ok(runs.into_iter().map(|run| ended.remove(&run.id).unwrap_or(run)).collect())
            }
            Side::Server(_) => {
                let progress = Progress::waiting(runs.len(), what);
                let mut ended = Vec::with_capacity(runs.len());
                for mut run in runs {
                    while !run.is_completed() {
                        let path = format!("/tenants/{}/runs/{}?wait={WAIT}", run.tenant, run.id);
                        run = self.get(&path)?;
                    }
                    ended.push(run);
                    progress.step();
                }
                progress.finish();
                Ok(ended)
            }
        }
    }

    /// Makes the sums of the workspace, where nobody does so from time to time.
    ///
    /// # Errors
    /// The store's.
    pub(crate) fn refresh_sums(&self) -> anyhow::Result<()> {
        if let Side::Here(here) = &self.wire.side {
            block_on(here.data.system.refresh_overview(self.workspace.id))?;
        }
        Ok(())
    }
}

fn is_queued(run_type: RunType) -> bool {
    matches!(run_type, RunType::BaselineCapture | RunType::BaselineCompare)
}
