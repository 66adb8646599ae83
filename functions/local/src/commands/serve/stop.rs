//! One word for all threads: stop.

use anyhow::Context as _;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Set once, seen by everybody who waits.
#[derive(Clone, Default)]
pub(super) struct Stop(Arc<(Mutex<bool>, Condvar)>);

impl Stop {
    /// Set by Ctrl-C, or when the system asks the process to end. A second signal ends it at once, which
    /// loses nothing: what was not finished is done again.
    pub(super) fn on_signal() -> anyhow::Result<Self> {
        let stop = Self::default();
        let seen = stop.clone();
        ctrlc::set_handler(move || {
            if seen.is_set() {
                std::process::exit(super::EXIT_ERROR.into());
            }
            seen.now();
        })
        .context("cannot listen for Ctrl-C")?;
        Ok(stop)
    }

    /// Sets it.
    pub(super) fn now(&self) {
        let (set, changed) = &*self.0;
        *set.lock().unwrap_or_else(PoisonError::into_inner) = true;
        changed.notify_all();
    }

    /// Whether it is set.
    pub(super) fn is_set(&self) -> bool {
        *self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until it is set, but no longer than that; answers whether it is.
    pub(super) fn wait(&self, longest: Duration) -> bool {
        let (set, changed) = &*self.0;
        let guard = set.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = changed.wait_timeout_while(guard, longest, |set| !*set);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }
}
