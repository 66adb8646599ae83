//! `plumbline invoke`: gives an event to a function of the cloud, in this process and over the data
//! directory, and shows its answer.

use super::EXIT_EQUAL;
use super::serve::log;
use crate::cli::data::DataArgs;
use crate::cli::work::{FunctionArg, InvokeArgs, LogArg};
use crate::data::Data;
use anyhow::Context as _;
use jiff::SignedDuration;
use plumbline_api::token::Development;
use plumbline_api::{Api, Limits, Settings, gateway};
use plumbline_capture as capture;
use plumbline_compare as compare;
use plumbline_deadletter as deadletter;
use plumbline_lambda_kit::{Answer, Failed};
use plumbline_ports::Secrets as _;
use plumbline_schedule as schedule;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;
use tower::Service as _;

/// How long the token of a request is good.
const GOOD_FOR: SignedDuration = SignedDuration::from_mins(15);

pub(super) fn run(args: &DataArgs, invoke: &InvokeArgs) -> anyhow::Result<u8> {
    let event = read(&invoke.event)?;
    let data = Data::open(args)?;
    log::begin(LogArg::Text);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the threads of the function")?;
    let answer = runtime.block_on(answer(&data, invoke, event))?;
    super::write_out(format!("{answer:#}\n").as_bytes(), None)?;
    Ok(EXIT_EQUAL)
}

fn read(path: &Path) -> anyhow::Result<Value> {
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_slice(&bytes).with_context(|| {
        format!("{} is no JSON; the folder `events` has an event of each kind", path.display())
    })
}

async fn answer(data: &Data, invoke: &InvokeArgs, event: Value) -> anyhow::Result<Value> {
    let system = &data.system;
    let time = Duration::from_secs(invoke.seconds.into());
    match invoke.function {
        FunctionArg::Api => requested(data, event).await,
        FunctionArg::Schedule => body(schedule::handle(system).await),
        FunctionArg::Capture => body(capture::handle(system, taken(event)?, time).await),
        FunctionArg::Compare => body(compare::handle(system, taken(event)?, time).await),
        FunctionArg::Deadletter => {
            let queues =
                deadletter::DeadQueues::named("plumbline-capture-dead", "plumbline-compare-dead");
            body(deadletter::handle(system, &queues, taken(event)?).await)
        }
    }
}

/// An event in the form that a function takes.
fn taken<E: DeserializeOwned>(event: Value) -> anyhow::Result<E> {
    serde_json::from_value(event).context(
        "the event is not of the form that the function takes; the folder `events` has one of each kind",
    )
}

fn body<R: Serialize>(answer: Result<Answer<R>, Failed>) -> anyhow::Result<Value> {
    Ok(serde_json::to_value(answer?.body)?)
}

/// Gives a request to the API, with a token of the data directory in place of the one in the event.
async fn requested(data: &Data, mut event: Value) -> anyhow::Result<Value> {
    let development = Development::new(&data.stores.secrets.root_key().await?)?;
    if let Some(authorization) = event.pointer_mut("/headers/authorization") {
        let token = development.mint(data.actor.name(), data.system.now(), GOOD_FOR)?;
        *authorization = json!(format!("Bearer {token}"));
    }
    let settings = Settings {
        ports: data.ports.clone(),
        system: data.system.clone(),
        issuers: vec![development.issuer()?],
        limits: Limits::default(),
        open_workspaces: true,
    };
    let mut service = gateway::service(Api::new(settings).await?.router());
    let event = gateway::Event::new(taken(event)?, gateway::Context::default());
    let answer = service.call(event).await.map_err(|error| anyhow::anyhow!("{error}"))?;
    Ok(serde_json::to_value(answer)?)
}
