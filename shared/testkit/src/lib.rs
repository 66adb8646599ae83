//! Builders, the tenant generator and planted secrets. For tests only.

pub mod generator;
pub mod secrets;
pub mod twin;
