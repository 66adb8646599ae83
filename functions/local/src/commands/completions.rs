//! `plumbline completions`: what a shell needs to complete the command.

use super::{EXIT_EQUAL, write_out};
use crate::cli::Cli;
use crate::cli::work::CompletionsArgs;
use clap::CommandFactory as _;

pub(super) fn run(args: &CompletionsArgs) -> anyhow::Result<u8> {
    let mut out = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "plumbline", &mut out);
    write_out(&out, None)?;
    Ok(EXIT_EQUAL)
}
