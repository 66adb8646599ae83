//! The fault list: one named test a fault. `f01`, `f02`, `f03` and `f05` are the crash sweep (`tests/crash`).
//!
//! Not here, because what they need does not exist in one process on embedded stores:
//! - F12 (out of memory) and F16 (`ReportBatchItemFailures`): a Lambda's; that one failing message holds no
//!   other up is `f15`.
//! - F25 as hedged requests: S3's; bursts of errors are `f17` and `f25`.
//! - F34 (erase of a workspace): there is no such operation yet.
//! - F37 to F40: the Graph client's. What an incomplete inventory may say is `f37`.
//! - F41, F43, F44: the API's. F45, F47: the deployment's.

#![expect(clippy::expect_used, reason = "helpers of tests")]

mod delivery;
mod interleave;
mod members;
mod nights;
mod objects;
mod replies;
mod stored;
mod time;
