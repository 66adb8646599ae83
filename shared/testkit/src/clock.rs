//! A clock that stands until somebody moves it.

use jiff::{SignedDuration, Timestamp};
use plumbline_ports::Clock;
use std::sync::Mutex;
use std::sync::PoisonError;

/// A clock that stands until somebody moves it; backwards too.
#[derive(Debug)]
pub struct ManualClock(Mutex<Timestamp>);

impl ManualClock {
    /// A clock that shows a time.
    #[must_use]
    pub fn at(now: Timestamp) -> Self {
        Self(Mutex::new(now))
    }

    /// A clock that shows so many seconds since 1970.
    #[must_use]
    pub fn at_second(second: i64) -> Self {
        Self::at(Timestamp::from_second(second).unwrap_or(Timestamp::UNIX_EPOCH))
    }

    /// Sets the clock, forwards or back.
    pub fn set(&self, now: Timestamp) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = now;
    }

    /// Moves the clock; a negative span jumps back. It stops at the ends of time.
    pub fn advance(&self, by: SignedDuration) {
        let mut now = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let end = if by.is_negative() { Timestamp::MIN } else { Timestamp::MAX };
        *now = now.checked_add(by).unwrap_or(end);
    }

    /// Moves the clock ahead by seconds.
    pub fn advance_seconds(&self, seconds: i64) {
        self.advance(SignedDuration::from_secs(seconds));
    }

    /// Moves the clock back by seconds, as a wrong clock does when it is corrected.
    pub fn jump_back_seconds(&self, seconds: i64) {
        self.advance(SignedDuration::from_secs(-seconds));
    }
}

impl Default for ManualClock {
    /// The first of January 2026, midnight.
    fn default() -> Self {
        Self::at_second(1_767_225_600)
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
