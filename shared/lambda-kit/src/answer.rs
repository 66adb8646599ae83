//! What a function gives back.

use std::collections::BTreeMap;

/// What was done, by the name of its metric.
pub type Counts = BTreeMap<&'static str, u64>;

/// The answer to an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer<R> {
    /// What whoever sent the event is told.
    pub body: R,
    /// What was done, for the metrics.
    pub counts: Counts,
}

/// Why an event was not done. It comes again, if whoever sent it does so.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Failed(pub String);
