//! Objects in memory.

use super::lock;
use async_trait::async_trait;
use plumbline_ports::objects::{Listed, Listing, check_bytes, check_list, check_put};
use plumbline_ports::{ObjectKey, Objects, PortError, PutOutcome};
use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Mutex;

/// Objects in a map.
#[derive(Debug, Default)]
pub struct MemoryObjects(Mutex<BTreeMap<ObjectKey, Vec<u8>>>);

impl MemoryObjects {
    /// Puts any bytes under a key, as damage does.
    pub fn damage(&self, key: &ObjectKey, bytes: Vec<u8>) {
        lock(&self.0).insert(key.clone(), bytes);
    }

    /// Every key, in order.
    #[must_use]
    pub fn keys(&self) -> Vec<ObjectKey> {
        lock(&self.0).keys().cloned().collect()
    }
}

#[async_trait]
impl Objects for MemoryObjects {
    async fn put(&self, key: &ObjectKey, bytes: Vec<u8>) -> Result<PutOutcome, PortError> {
        check_put(key, &bytes)?;
        let mut objects = lock(&self.0);
        if objects.get(key) == Some(&bytes) {
            return Ok(PutOutcome::AlreadyThere);
        }
        objects.insert(key.clone(), bytes);
        Ok(PutOutcome::Created)
    }

    async fn get(&self, key: &ObjectKey) -> Result<Option<Vec<u8>>, PortError> {
        let Some(bytes) = lock(&self.0).get(key).cloned() else { return Ok(None) };
        check_bytes(key, &bytes)?;
        Ok(Some(bytes))
    }

    async fn get_range(
        &self,
        key: &ObjectKey,
        offset: u64,
        length: u64,
    ) -> Result<Option<Vec<u8>>, PortError> {
        let objects = lock(&self.0);
        let Some(bytes) = objects.get(key) else { return Ok(None) };
        let part = usize::try_from(offset).ok().zip(usize::try_from(length).ok());
        let part = part.and_then(|(offset, length)| {
            bytes.get(offset..).and_then(|rest| rest.get(..length)).map(<[u8]>::to_vec)
        });
        part.map(Some).ok_or_else(|| {
            PortError::corrupt(
                format!("the object {key}"),
                format!("{} bytes, but {length} from {offset} were asked for", bytes.len()),
            )
        })
    }

    async fn list(
        &self,
        folder: &str,
        after: Option<&ObjectKey>,
        limit: usize,
    ) -> Result<Listing, PortError> {
        check_list(folder, limit)?;
        let objects = lock(&self.0);
        let inside = |key: &ObjectKey| {
            key.folder()
                .strip_prefix(folder)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let mut found = objects.range((from, Bound::Unbounded)).filter(|(key, _)| inside(key));
        let listed: Vec<Listed> = found
            .by_ref()
            .take(limit)
            .map(|(key, bytes)| Listed { key: key.clone(), bytes: bytes.len() as u64 })
            .collect();
        let more = found.next().is_some();
        let next = listed.last().filter(|_| more).map(|last| last.key.clone());
        Ok(Listing { objects: listed, next })
    }

    async fn delete(&self, key: &ObjectKey) -> Result<(), PortError> {
        lock(&self.0).remove(key);
        Ok(())
    }
}
