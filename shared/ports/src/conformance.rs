//! The suites that every adapter passes.
//!
//! Each suite has one function a rule and one `all` that runs them. They panic with a sentence when a
//! rule does not hold. They use places of their own, so a store may hold other things; one store must not
//! run the same suite twice.

pub mod objects;
pub mod queue;
pub mod records;
pub mod secrets;
