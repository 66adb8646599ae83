//! The keys of the stage.

use crate::PortError;
use async_trait::async_trait;
use std::fmt;

/// The key that every workspace key is derived from. There is one a stage, not one a workspace: nothing
/// is priced per tenant.
#[derive(Clone)]
pub struct RootKey {
    /// Names the key; public, and part of every workspace key's id.
    pub id: String,
    bytes: [u8; 32],
}

impl RootKey {
    /// Wraps key material.
    #[must_use]
    pub fn new(id: impl Into<String>, bytes: [u8; 32]) -> Self {
        Self { id: id.into(), bytes }
    }

    /// The key material; for derivation alone.
    #[must_use]
    pub fn expose(&self) -> &[u8; 32] {
        &self.bytes
    }
}

impl fmt::Debug for RootKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("RootKey").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Keeps the stage's keys.
#[async_trait]
pub trait Secrets: Send + Sync {
    /// The root key in force. An adapter makes it once if there is none, and answers the same one ever
    /// after.
    async fn root_key(&self) -> Result<RootKey, PortError>;
}
