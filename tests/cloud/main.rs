//! The stores in the cloud, against a server that plays AWS: they pass the suites of the ports, and what
//! only AWS does is tested by name.
//!
//! Two things that server does not do. It gives messages in the order they came, so fairness between
//! groups is not asserted; that each message names its group is. It evaluates policies but knows no leading
//! keys; the harness tells it (`tests/src/emulator.py`).

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod between;
mod conformance;
mod fence;
mod objects;
mod queue;
mod records;
mod stage;
mod warm;
