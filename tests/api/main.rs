//! The API as callers meet it: who may do what, what is refused and how, and what it says of itself.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod cells;
mod cursors;
mod document;
mod exports;
mod isolation;
mod messages;
mod once;
mod requests;
mod roles;
mod samples;
mod secrets;
mod tokens;
mod world;
