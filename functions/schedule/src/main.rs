//! The function on Lambda.

use plumbline_lambda_kit::start;
use plumbline_schedule::{NEEDS, handle};
use serde::de::IgnoredAny;
use std::process::ExitCode;

fn main() -> ExitCode {
    start::function(NEEDS, |cloud, _: IgnoredAny, _| async move { handle(&cloud).await })
}
