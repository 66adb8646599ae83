//! The routes, one module a noun. Each lists its routes beside its handlers.

#![expect(
    clippy::option_option,
    reason = "in a change, null takes away and what is not there stays"
)]

pub(crate) mod assignments;
pub(crate) mod audit;
pub(crate) mod catalogs;
pub(crate) mod compares;
pub(crate) mod exports;
pub(crate) mod findings;
pub(crate) mod inventory;
pub(crate) mod members;
pub(crate) mod posture;
pub(crate) mod profiles;
pub(crate) mod role_mappings;
pub(crate) mod runs;
pub(crate) mod service;
pub(crate) mod snapshots;
pub(crate) mod tenants;
pub(crate) mod uploads;
pub(crate) mod workspaces;

use serde::{Deserialize, Deserializer};

/// Tells a member that is null, which takes a thing away, from one that is not there, which leaves it.
pub(crate) fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    source: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(source).map(Some)
}
