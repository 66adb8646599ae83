//! The functions of the cloud over stores in memory: each event of `events/` and what comes of it, the time
//! that a function has, and the fence around a workspace.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod deadline;
mod events;
mod fence;
mod letters;
mod requests;
mod workers;
