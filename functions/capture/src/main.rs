//! The function on Lambda.

use plumbline_capture::{NEEDS, handle};
use plumbline_lambda_kit::start;
use std::process::ExitCode;

fn main() -> ExitCode {
    start::function(NEEDS, |cloud, event, time| async move { handle(&cloud, event, time).await })
}
