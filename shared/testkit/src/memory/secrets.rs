//! The stage's key in memory.

use async_trait::async_trait;
use plumbline_ports::{PortError, RootKey, Secrets};

/// One fixed root key.
#[derive(Clone, Debug)]
pub struct MemorySecrets(RootKey);

impl MemorySecrets {
    /// Answers this key.
    #[must_use]
    pub fn new(key: RootKey) -> Self {
        Self(key)
    }
}

impl Default for MemorySecrets {
    fn default() -> Self {
        Self(RootKey::new("memory", [7; 32]))
    }
}

#[async_trait]
impl Secrets for MemorySecrets {
    async fn root_key(&self) -> Result<RootKey, PortError> {
        Ok(self.0.clone())
    }
}
