//! Every end of a run, the rules of profiles and members, and what a baseline must not hold.

#![expect(clippy::expect_used, reason = "helpers of tests")]

mod baseline;
mod ends;
mod profiles;
mod rotation;
