//! The tick: starts nights that are due, sends lost messages again, ends dead runs.

use plumbline_lambda_kit::{Answer, Failed, Systems};
use plumbline_operations::Ticked;
use serde::Serialize;
use std::collections::BTreeMap;
use tracing::{info, warn};

/// What must be set for the function.
pub const NEEDS: &[&str] =
    &["PLUMBLINE_TABLE", "PLUMBLINE_BUCKET", "PLUMBLINE_QUEUE_CAPTURE", "PLUMBLINE_QUEUE_COMPARE"];

/// What a tick did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Tick {
    nights_started: u64,
    nights_missed: u64,
    sent_again: u64,
    runs_closed: u64,
}

/// Does what is due. What the event holds does not matter: the clock says what is due, and a tick may come
/// twice, late or from two places.
///
/// # Errors
/// The stores'; everything else that is due was done.
pub async fn handle(systems: &dyn Systems) -> Result<Answer<Tick>, Failed> {
    let ticked =
        systems.whole().tick().await.map_err(|error| {
            Failed(format!("the schedule could not be worked through: {error}"))
        })?;
    told(&ticked);
    let tick = Tick {
        nights_started: ticked.started.len() as u64,
        nights_missed: ticked.missed.len() as u64,
        sent_again: ticked.sent_again as u64,
        runs_closed: ticked.closed as u64,
    };
    let counts = BTreeMap::from([
        ("NightsStarted", tick.nights_started),
        ("NightsMissed", tick.nights_missed),
        ("SentAgain", tick.sent_again),
        ("RunsClosed", tick.runs_closed),
    ]);
    Ok(Answer { body: tick, counts })
}

/// Says what a tick did; a quiet one says nothing.
pub fn told(ticked: &Ticked) {
    for (workspace, date) in &ticked.started {
        info!(%workspace, %date, "the night of {date} began in {workspace}");
    }
    for (workspace, date) in &ticked.missed {
        warn!(%workspace, %date, "the night of {date} was missed in {workspace}");
    }
    if ticked.sent_again > 0 {
        info!(messages = ticked.sent_again, "sent {} messages again", ticked.sent_again);
    }
    if ticked.closed > 0 {
        warn!(runs = ticked.closed, "ended {} runs that nobody finished in time", ticked.closed);
    }
}
