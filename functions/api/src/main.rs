//! The function on Lambda.

use plumbline_api::token::issuers;
use plumbline_api::{Api, Limits, NEEDS, Settings, gateway};
use plumbline_lambda_kit::Systems as _;
use plumbline_lambda_kit::settings::{flag, required};
use plumbline_lambda_kit::start::{environment, run};
use std::process::ExitCode;

fn main() -> ExitCode {
    run(NEEDS, async |cloud| {
        let ports = cloud.ports();
        let trusted = required("PLUMBLINE_ISSUERS", &environment)?;
        let settings = Settings {
            issuers: issuers(trusted.as_bytes(), &ports.clock)
                .map_err(|reason| format!("PLUMBLINE_ISSUERS: {reason}"))?,
            open_workspaces: flag("PLUMBLINE_OPEN_WORKSPACES", &environment)?,
            system: cloud.whole(),
            limits: Limits::default(),
            ports,
        };
        Ok(gateway::service(Api::new(settings).await?.router()))
    })
}
