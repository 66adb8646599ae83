//! The programs of the functions as Lambda runs them: the built binaries under a Runtime API of our own,
//! with services behind them that have nothing in store. What they do with stores that hold something is
//! tested elsewhere (`functions`, `cloud`).

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod built;
mod nothing;
mod starts;
mod stub;
mod works;
