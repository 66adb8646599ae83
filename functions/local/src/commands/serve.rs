//! `plumbline serve`: workers, the schedule and the housekeeping of one data directory, until stopped.
//!
//! Everything runs on plain threads: calls to the embedded stores block. The API is one more thread beside
//! these, over the same [`Data`].

mod http;
pub(super) mod log;
mod stop;

use super::{EXIT_EQUAL, EXIT_ERROR};
use crate::cli::data::DataArgs;
use crate::cli::work::ServeArgs;
use crate::data::Data;
use futures::executor::block_on;
use plumbline_lambda_kit::log::told;
use plumbline_operations::{OperationError, System};
use plumbline_ports::QueueName;
use plumbline_store_local::Stores;
use std::time::Duration;
use stop::Stop;
use tracing::{error, info};

/// How long a worker that found nothing waits.
const IDLE: Duration = Duration::from_millis(500);
/// How long a worker waits after the queue did not answer.
const TROUBLE: Duration = Duration::from_secs(5);
/// How often the schedule is looked at.
const TICK: Duration = Duration::from_secs(20);
/// After so many ticks rows that expired are swept: every hour.
const SWEEP: u32 = 180;

pub(super) fn run(args: &DataArgs, serve: &ServeArgs) -> anyhow::Result<u8> {
    let data = Data::open(args)?;
    log::begin(serve.log);
    let stop = Stop::on_signal()?;
    let http = http::Http::bind(&data, serve)?;
    let workspaces = block_on(data.system.workspaces())?;
    let nightly = workspaces.iter().filter(|one| one.schedule.is_some()).count();
    info!(
        workers = serve.workers,
        "serving {} with {} workers; {} of {} workspaces compare nightly; press Ctrl-C to stop. One process \
         at a time has the directory: other commands go through the API with --server",
        data.stores.path().display(),
        serve.workers,
        nightly,
        workspaces.len()
    );
    http.announce();
    let (system, stores) = (&data.system, &data.stores);
    let whole = std::thread::scope(|scope| {
        let mut threads = vec![
            scope.spawn(|| housekeeping(system, stores, &stop)),
            scope.spawn(|| http.serve(&stop)),
        ];
        for _ in 0..serve.workers {
            threads.push(scope.spawn(|| worker(system, &stop)));
        }
        while !stop.wait(IDLE) {
            // A thread that ended by itself met a fault of the program: better to stop than to limp.
            if threads.iter().any(std::thread::ScopedJoinHandle::is_finished) {
                stop.now();
            }
        }
        threads.into_iter().map(std::thread::ScopedJoinHandle::join).all(|joined| joined.is_ok())
    });
    if whole {
        info!("stopped; what was queued goes on with the next start");
        return Ok(EXIT_EQUAL);
    }
    error!("stopped because a part of the program failed; see the message above, then start again");
    Ok(EXIT_ERROR)
}

/// Takes one message after another from all queues in turn.
fn worker(system: &System, stop: &Stop) {
    while !stop.is_set() {
        let mut did = false;
        for queue in QueueName::ALL {
            match block_on(system.work(queue, 1)) {
                Ok(handled) => {
                    did |= !handled.is_empty();
                    for one in &handled {
                        told(queue, one);
                    }
                }
                Err(trouble) => {
                    error!(queue = queue.as_str(), "the queue does not answer: {trouble}");
                    stop.wait(TROUBLE);
                }
            }
        }
        if !did {
            stop.wait(IDLE);
        }
    }
}

/// Looks at the schedule, ends what nobody will finish, and sweeps what expired.
fn housekeeping(system: &System, stores: &Stores, stop: &Stop) {
    let mut ticks = 0_u32;
    loop {
        if let Err(trouble) = tick(system) {
            error!("the schedule could not be worked through: {trouble}");
        }
        if ticks.is_multiple_of(SWEEP) {
            match stores.sweep(system.now()) {
                Ok(0) => {}
                Ok(swept) => info!(swept, "swept {swept} rows that had expired"),
                Err(trouble) => error!("rows that expired could not be swept: {trouble}"),
            }
        }
        ticks = ticks.wrapping_add(1);
        if stop.wait(TICK) {
            return;
        }
    }
}

fn tick(system: &System) -> Result<(), OperationError> {
    let ticked = block_on(system.tick())?;
    plumbline_schedule::told(&ticked);
    for queue in QueueName::ALL {
        for letter in block_on(system.bury_dead(queue))? {
            error!(
                queue = queue.as_str(),
                message = letter.message_id,
                "the message {} was given up: {}",
                letter.message_id,
                letter.reason
            );
        }
    }
    Ok(())
}
