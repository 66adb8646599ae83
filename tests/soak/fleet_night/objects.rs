//! Objects in memory that keep equal bytes once, whatever folder they are filed in: ten thousand tenants
//! begin with the same policies.

use async_trait::async_trait;
use plumbline_policy::digest::Digest;
use plumbline_ports::objects::{Listing, check_put};
use plumbline_ports::{ObjectKey, Objects, PortError, PutOutcome};
use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError, RwLock};

#[derive(Default)]
pub(crate) struct SharedObjects {
    bytes: RwLock<HashMap<Digest, Vec<u8>>>,
    keys: Mutex<HashSet<ObjectKey>>,
}

impl SharedObjects {
    /// Objects, and the bytes that they take together.
    pub(crate) fn size(&self) -> (usize, usize) {
        let keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner).len();
        let bytes = self.bytes.read().unwrap_or_else(PoisonError::into_inner);
        (keys, bytes.values().map(Vec::len).sum())
    }

    fn with<T>(&self, key: &ObjectKey, look: impl FnOnce(&[u8]) -> T) -> Option<T> {
        if !self.keys.lock().unwrap_or_else(PoisonError::into_inner).contains(key) {
            return None;
        }
        let bytes = self.bytes.read().unwrap_or_else(PoisonError::into_inner);
        bytes.get(&key.digest()).map(|bytes| look(bytes))
    }
}

#[async_trait]
impl Objects for SharedObjects {
    async fn put(&self, key: &ObjectKey, bytes: Vec<u8>) -> Result<PutOutcome, PortError> {
        check_put(key, &bytes)?;
        let mut all = self.bytes.write().unwrap_or_else(PoisonError::into_inner);
        all.entry(key.digest()).or_insert(bytes);
        let is_new = self.keys.lock().unwrap_or_else(PoisonError::into_inner).insert(key.clone());
        Ok(if is_new { PutOutcome::Created } else { PutOutcome::AlreadyThere })
    }

    async fn get(&self, key: &ObjectKey) -> Result<Option<Vec<u8>>, PortError> {
        Ok(self.with(key, <[u8]>::to_vec))
    }

    async fn get_range(
        &self,
        key: &ObjectKey,
        offset: u64,
        length: u64,
    ) -> Result<Option<Vec<u8>>, PortError> {
        let part = |bytes: &[u8]| {
            let (offset, length) = (usize::try_from(offset).ok()?, usize::try_from(length).ok()?);
            Some(bytes.get(offset..)?.get(..length)?.to_vec())
        };
        let Some(found) = self.with(key, part) else { return Ok(None) };
        found.map(Some).ok_or_else(|| PortError::corrupt(key.to_string(), "it is too short"))
    }

    async fn list(&self, _: &str, _: Option<&ObjectKey>, _: usize) -> Result<Listing, PortError> {
        Err(PortError::refused("list objects", "a night lists none"))
    }

    async fn delete(&self, _: &ObjectKey) -> Result<(), PortError> {
        Err(PortError::refused("delete an object", "a night deletes none"))
    }
}
