//! The log of `serve`, on standard error.

use crate::cli::work::LogArg;
use std::io::IsTerminal as _;
use tracing::level_filters::LevelFilter;

/// Begins to log. Nothing else of the command logs: it says what it has to say and ends.
pub(in crate::commands) fn begin(form: LogArg) {
    let builder = tracing_subscriber::fmt()
        .with_max_level(LevelFilter::INFO)
        .with_writer(std::io::stderr)
        .with_target(false);
    // It fails only when there is a log already, which is then the log.
    let _ = match form {
        LogArg::Json => builder.json().flatten_event(true).try_init(),
        LogArg::Text => {
            let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
            let colour = std::io::stderr().is_terminal() && !no_color;
            builder.compact().with_ansi(colour).try_init()
        }
    };
}
