//! What the rules *are*: identity, scope, matching, compare, trust, severity, findings and badges. Pure:
//! no I/O, no clock, no randomness.

pub mod badge;
pub mod compare;
pub mod finding;
pub mod gap;
pub mod ids;
pub mod inventory;
pub mod matching;
pub mod report;
pub mod scope;
pub mod severity;
pub mod subject;
mod wellknown;
