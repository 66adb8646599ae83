//! The embedded stores.
