//! A clock that stands until the story goes on.

use jiff::Timestamp;
use plumbline_ports::Clock;
use std::sync::{Mutex, PoisonError};

/// Shows the time of the story.
#[derive(Debug)]
pub(in crate::commands) struct StoryClock(Mutex<Timestamp>);

impl StoryClock {
    /// A clock that shows a time.
    pub(in crate::commands) fn at(now: Timestamp) -> Self {
        Self(Mutex::new(now))
    }

    /// Sets the clock.
    pub(in crate::commands) fn set(&self, now: Timestamp) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = now;
    }
}

impl Clock for StoryClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
