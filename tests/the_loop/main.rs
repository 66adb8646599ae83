//! The whole loop over stores in memory: import, capture, assign, compare, findings and what people do
//! with them.

#![expect(clippy::expect_used, clippy::unwrap_used, reason = "helpers of tests")]

mod changes;
mod findings;
mod folders;
mod references;
mod rules;
mod takeover;
mod world;
