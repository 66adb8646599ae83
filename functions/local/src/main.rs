//! The `plumbline` command.

mod cli;
mod client;
mod commands;
mod data;
mod documents;
mod folder;
mod listing;
mod progress;
mod render;

use clap::Parser as _;
use std::io::Write as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = match cli::Cli::try_parse() {
        Ok(cli) => cli,
        Err(usage) => {
            // Clap's own code for a wrong option is 2, which means drift here.
            let code = if usage.use_stderr() { commands::EXIT_ERROR } else { commands::EXIT_EQUAL };
            let _ = usage.print();
            return ExitCode::from(code);
        }
    };
    match commands::run(&cli) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            // A reader that went away (`plumbline … | head`) is no failure worth a word.
            let closed = error.chain().any(|cause| {
                cause
                    .downcast_ref::<std::io::Error>()
                    .is_some_and(|io| io.kind() == std::io::ErrorKind::BrokenPipe)
            });
            if !closed {
                let _ = writeln!(
                    std::io::stderr(),
                    "plumbline: {}",
                    render::visible(&format!("{error:#}"))
                );
            }
            ExitCode::from(commands::EXIT_ERROR)
        }
    }
}
