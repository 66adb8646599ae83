//! The function on Lambda.

use plumbline_deadletter::{DeadQueues, NEEDS, handle};
use plumbline_lambda_kit::start;
use std::process::ExitCode;
use std::sync::Arc;

fn main() -> ExitCode {
    start::run(NEEDS, async |cloud| {
        let queues = Arc::new(DeadQueues::from_env(&start::environment)?);
        Ok(start::service(cloud, move |cloud, event, _| {
            let queues = Arc::clone(&queues);
            async move { handle(&cloud, &queues, event).await }
        }))
    })
}
