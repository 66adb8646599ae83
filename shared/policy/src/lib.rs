//! What an Intune policy *is*: from the bytes of an export to digests that are equal in every tenant
//! that configured the same, and to a diff that speaks of settings.
//!
//! The order is fixed: [`json::to_text`] and [`json::parse`] → [`document::split`] →
//! [`classify::classify`] → [`redact::redact`] → [`policy::Payload::read`] (normalise and localise) →
//! [`policy::Facets`]. Everything here is pure: no I/O, no clock, no randomness.

mod base64;
pub mod catalog;
pub mod classify;
pub mod diff;
pub mod digest;
pub mod document;
pub mod json;
pub mod name;
pub mod normal;
pub mod normalise;
pub mod path;
pub mod policy;
pub mod redact;
pub mod reference;
pub mod role;
pub mod scan;
pub mod secret;
pub mod stored;
pub mod tenant;
