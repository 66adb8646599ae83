//! What a face for many callers rests on: members, revisions, the audit, long lists, answers that are
//! given once, uploads and overviews.

#![expect(clippy::unwrap_used, reason = "tests")]

mod audit;
mod items;
mod lists;
mod members;
mod once;
mod overview;
mod upload;
