//! What the functions share: the stores behind a message, batches, settings, logs and metrics; and, behind
//! the feature `lambda`, the start on AWS Lambda.
//!
//! A function is a handler over [`Systems`] and an event. The same handler runs on Lambda over the stores
//! in the cloud, and in one process over a data directory.

// `cargo lambda build` makes every panic end the program, unless the profile says otherwise.
#[cfg(all(feature = "lambda", not(panic = "unwind")))]
compile_error!(
    "a panic fails one message of a batch and no other: build the functions with panic = \"unwind\""
);

pub mod answer;
pub mod batch;
pub mod log;
pub mod metrics;
pub mod settings;
#[cfg(feature = "lambda")]
pub mod start;
pub mod systems;

pub use answer::{Answer, Failed};
pub use systems::Systems;
