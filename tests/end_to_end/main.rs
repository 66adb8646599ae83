//! The whole loop in the cloud: the built functions, deployed from the template on a server that plays AWS,
//! and used through the gateway as a person uses them. What goes wrong is made to go wrong from outside:
//! messages, objects and settings are changed, services answer badly, functions are killed.
//!
//! Which fault is tested where stands in `faults.md`.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod issuer;
mod loops;
mod messages;
mod nights;
mod people;
mod proxy;
mod role_definitions;
mod roles;
mod size;
mod stores;
mod time;
mod world;
