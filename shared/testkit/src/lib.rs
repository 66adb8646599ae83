//! Builders, the tenant generator, planted secrets, stores in memory, clocks and faults. For tests only.

pub mod clock;
pub mod faults;
pub mod generator;
pub mod ids;
pub mod memory;
pub mod secrets;
pub mod twin;
