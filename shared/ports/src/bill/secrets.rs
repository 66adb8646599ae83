//! Secrets with a bill.

use super::{Charge, Ledger, once};
use crate::PortError;
use crate::secrets::{RootKey, Secrets};
use async_trait::async_trait;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

pub(super) struct Billed {
    pub(super) inner: Arc<dyn Secrets>,
    pub(super) ledger: Arc<Ledger>,
    /// Adapters keep the key, so that a process asks for it once.
    pub(super) asked: AtomicBool,
}

#[async_trait]
impl Secrets for Billed {
    async fn root_key(&self) -> Result<RootKey, PortError> {
        if !self.asked.swap(true, Ordering::Relaxed) {
            self.ledger.note(Charge::SecretRead, "get", "root key", once(1.0));
        }
        self.ledger.call(self.inner.root_key()).await
    }
}
