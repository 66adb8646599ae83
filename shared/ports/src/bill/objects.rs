//! Objects with a bill, in the requests of S3.

use super::{Charge, Ledger, once};
use crate::PortError;
use crate::objects::{Listing, ObjectKey, Objects, PutOutcome};
use async_trait::async_trait;
use std::sync::Arc;

pub(super) struct Billed {
    pub(super) inner: Arc<dyn Objects>,
    pub(super) ledger: Arc<Ledger>,
}

impl Billed {
    fn note(&self, charge: Charge, op: &'static str, folder: &str, units: f64) {
        self.ledger.note(charge, op, kind(folder), once(units));
    }
}

/// The kind of an object: the last part of its folder.
fn kind(folder: &str) -> &str {
    folder.rsplit('/').next().unwrap_or(folder)
}

#[async_trait]
impl Objects for Billed {
    async fn put(&self, key: &ObjectKey, bytes: Vec<u8>) -> Result<PutOutcome, PortError> {
        let told = self.ledger.call(self.inner.put(key, bytes)).await;
        if !matches!(told, Err(PortError::Refused { .. })) {
            self.note(Charge::ObjectWrite, "put", key.folder(), 1.0);
        }
        // What is there already is looked at, whether it is what it should be.
        if matches!(told, Ok(PutOutcome::AlreadyThere)) {
            self.note(Charge::ObjectRead, "head", key.folder(), 1.0);
        }
        told
    }

    async fn get(&self, key: &ObjectKey) -> Result<Option<Vec<u8>>, PortError> {
        self.note(Charge::ObjectRead, "get", key.folder(), 1.0);
        self.ledger.call(self.inner.get(key)).await
    }

    async fn get_range(
        &self,
        key: &ObjectKey,
        offset: u64,
        length: u64,
    ) -> Result<Option<Vec<u8>>, PortError> {
        self.note(Charge::ObjectRead, "get a part", key.folder(), 1.0);
        self.ledger.call(self.inner.get_range(key, offset, length)).await
    }

    async fn list(
        &self,
        folder: &str,
        after: Option<&ObjectKey>,
        limit: usize,
    ) -> Result<Listing, PortError> {
        self.note(Charge::ObjectWrite, "list", folder, 1.0);
        self.ledger.call(self.inner.list(folder, after, limit)).await
    }

    async fn delete(&self, key: &ObjectKey) -> Result<(), PortError> {
        // Free of charge, and noted so that nobody wonders.
        self.note(Charge::ObjectWrite, "delete", key.folder(), 0.0);
        self.ledger.call(self.inner.delete(key)).await
    }
}
