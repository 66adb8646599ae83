//! Objects under a plan.

use super::plan::{Fault, Plan, Port};
use async_trait::async_trait;
use plumbline_ports::objects::{Listing, check_bytes};
use plumbline_ports::{ObjectKey, Objects, PortError, PutOutcome};
use std::sync::Arc;

pub(super) struct FaultyObjects {
    inner: Arc<dyn Objects>,
    plan: Arc<Plan>,
}

impl FaultyObjects {
    pub(super) fn new(inner: Arc<dyn Objects>, plan: Arc<Plan>) -> Self {
        Self { inner, plan }
    }
}

/// Turns one bit in the middle.
fn damage(mut bytes: Vec<u8>) -> Vec<u8> {
    let middle = bytes.len() / 2;
    match bytes.get_mut(middle) {
        Some(byte) => *byte ^= 1,
        None => bytes.push(0),
    }
    bytes
}

#[async_trait]
impl Objects for FaultyObjects {
    async fn put(&self, key: &ObjectKey, bytes: Vec<u8>) -> Result<PutOutcome, PortError> {
        let work = self.inner.put(key, bytes);
        Ok(self.plan.call(Port::Objects, "put object", key.to_string(), work).await?.0)
    }

    async fn get(&self, key: &ObjectKey) -> Result<Option<Vec<u8>>, PortError> {
        let work = self.inner.get(key);
        match self.plan.call(Port::Objects, "get object", key.to_string(), work).await? {
            (_, Some(Fault::Missing)) => Ok(None),
            (Some(bytes), Some(Fault::Damage)) => {
                let bytes = damage(bytes);
                check_bytes(key, &bytes)?;
                Ok(Some(bytes))
            }
            (found, _) => Ok(found),
        }
    }

    async fn get_range(
        &self,
        key: &ObjectKey,
        offset: u64,
        length: u64,
    ) -> Result<Option<Vec<u8>>, PortError> {
        const OP: &str = "get a part of an object";
        let work = self.inner.get_range(key, offset, length);
        match self.plan.call(Port::Objects, OP, key.to_string(), work).await? {
            (_, Some(Fault::Missing)) => Ok(None),
            (found, Some(Fault::Damage)) => Ok(found.map(damage)),
            (found, _) => Ok(found),
        }
    }

    async fn list(
        &self,
        folder: &str,
        after: Option<&ObjectKey>,
        limit: usize,
    ) -> Result<Listing, PortError> {
        let work = self.inner.list(folder, after, limit);
        Ok(self.plan.call(Port::Objects, "list objects", folder.to_owned(), work).await?.0)
    }

    async fn delete(&self, key: &ObjectKey) -> Result<(), PortError> {
        let work = self.inner.delete(key);
        self.plan.call(Port::Objects, "delete object", key.to_string(), work).await?;
        Ok(())
    }
}
