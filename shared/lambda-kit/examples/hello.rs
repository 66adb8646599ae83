//! The smallest function: what a function of ours takes to start is compared with this.

use lambda_runtime::{Error, LambdaEvent, run_concurrent, service_fn};
use serde_json::Value;

#[tokio::main]
async fn main() -> Result<(), Error> {
    run_concurrent(service_fn(
        |event: LambdaEvent<Value>| async move { Ok::<_, Error>(event.payload) },
    ))
    .await
}
