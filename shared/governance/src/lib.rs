//! What the rules *are*: identity, scope, matching, compare, trust, severity, findings and badges. Pure:
//! no I/O, no clock, no randomness.

pub mod access;
pub mod badge;
pub mod compare;
pub mod coverage;
pub mod finding;
pub mod gap;
pub mod ids;
pub mod index;
pub mod inventory;
pub mod matching;
pub mod notice;
pub mod profile;
pub mod report;
pub mod run;
pub mod schedule;
pub mod schema;
pub mod scope;
pub mod severity;
pub mod subject;
pub mod text;
mod wellknown;
