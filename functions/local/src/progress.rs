//! A progress bar, shown only on a terminal and only when the work takes over a second.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal as _;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// Counts steps; draws itself once a second has passed.
pub(crate) struct Progress {
    bar: ProgressBar,
    started: Instant,
    shown: OnceLock<()>,
}

const PATIENCE: Duration = Duration::from_secs(1);
/// How often the sign of life turns.
const TURN: Duration = Duration::from_millis(200);

impl Progress {
    /// Starts counting towards `total`.
    #[must_use]
    pub(crate) fn new(total: usize, what: &'static str) -> Self {
        let bar = ProgressBar::with_draw_target(Some(total as u64), ProgressDrawTarget::hidden());
        if let Ok(style) = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {eta}") {
            bar.set_style(style);
        }
        bar.set_message(what);
        Self { bar, started: Instant::now(), shown: OnceLock::new() }
    }

    /// Starts counting towards an end that nobody knows.
    #[must_use]
    pub(crate) fn endless(what: &'static str) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        if let Ok(style) = ProgressStyle::with_template("{msg} {spinner} {pos} {elapsed}") {
            bar.set_style(style);
        }
        bar.set_message(what);
        Self { bar, started: Instant::now(), shown: OnceLock::new() }
    }

    /// Waits for ends that come from elsewhere: shows itself at once, and that time goes by.
    #[must_use]
    pub(crate) fn waiting(total: usize, what: &'static str) -> Self {
        let bar = ProgressBar::with_draw_target(Some(total as u64), ProgressDrawTarget::hidden());
        if let Ok(style) = ProgressStyle::with_template("{msg} {spinner} {pos}/{len} {elapsed}") {
            bar.set_style(style);
        }
        bar.set_message(what);
        if std::io::stderr().is_terminal() {
            bar.set_draw_target(ProgressDrawTarget::stderr());
            bar.enable_steady_tick(TURN);
        }
        Self { bar, started: Instant::now(), shown: OnceLock::from(()) }
    }

    /// Counts one step.
    pub(crate) fn step(&self) {
        self.bar.inc(1);
        if self.started.elapsed() > PATIENCE && std::io::stderr().is_terminal() {
            self.shown.get_or_init(|| self.bar.set_draw_target(ProgressDrawTarget::stderr()));
        }
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
