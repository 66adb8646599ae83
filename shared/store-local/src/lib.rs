//! The embedded stores: records, objects, a durable queue and the root key under one data directory.
//!
//! [`DataDir::open`] gives every store of a directory, held by one process at a time. Every call works on
//! the caller's thread and may wait for the disk: run them where blocking does no harm. Layout, order of
//! writes and what survives a crash: `shared/decisions/0011-embedded-stores.md`.

mod check;
mod database;
mod dir;
mod error;
mod files;
mod format;
mod lock;
mod objects;
mod queue;
mod records;
mod secrets;

pub use check::Problem;
pub use dir::{DataDir, Stores};
pub use error::OpenError;
pub use objects::LocalObjects;
pub use plumbline_ports::system::{NoRandomness, SystemClock, SystemIds};
pub use queue::LocalQueue;
pub use records::LocalRecords;
pub use secrets::LocalSecrets;
