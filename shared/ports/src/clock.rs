//! Time comes from here and from nowhere else.

use jiff::Timestamp;

/// Tells the time.
///
/// Clocks go wrong: they jump back an hour and ahead ten minutes. No rule may need one that only rises;
/// order comes from revisions and counters, never from two times.
pub trait Clock: Send + Sync {
    /// The time now.
    fn now(&self) -> Timestamp;
}
