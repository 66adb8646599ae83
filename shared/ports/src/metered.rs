//! Wrappers that count every call; what a run used stands in its context.

use crate::PortError;
use crate::counters::{Counters, Usage};
use crate::objects::{Listing, ObjectKey, Objects, PutOutcome};
use crate::records::{
    Action, Batch, CommitError, IndexPosition, IndexQuery, Key, Page, Query, Record, Records,
};
use async_trait::async_trait;
use std::sync::Arc;

/// Records with a count.
pub struct MeteredRecords {
    inner: Arc<dyn Records>,
    counters: Arc<Counters>,
}

impl MeteredRecords {
    /// Wraps records.
    #[must_use]
    pub fn new(inner: Arc<dyn Records>, counters: Arc<Counters>) -> Self {
        Self { inner, counters }
    }

    fn read<'r>(&self, records: impl IntoIterator<Item = &'r Record>) {
        let mut usage = Usage { record_requests: 1, ..Usage::default() };
        for record in records {
            usage.records_read += 1;
            usage.record_bytes_read += record.size() as u64;
        }
        self.counters.add(usage);
    }
}

#[async_trait]
impl Records for MeteredRecords {
    async fn get(&self, key: &Key) -> Result<Option<Record>, PortError> {
        let found = self.inner.get(key).await?;
        self.read(&found);
        Ok(found)
    }

    async fn query(&self, query: &Query) -> Result<Page<String>, PortError> {
        let page = self.inner.query(query).await?;
        self.read(&page.records);
        Ok(page)
    }

    async fn query_index(&self, query: &IndexQuery) -> Result<Page<IndexPosition>, PortError> {
        let page = self.inner.query_index(query).await?;
        self.read(&page.records);
        Ok(page)
    }

    async fn commit(&self, batch: Batch) -> Result<(), CommitError> {
        let changes = batch.actions.iter().filter(|action| !matches!(action, Action::Check(..)));
        self.counters.add(Usage {
            record_requests: 1,
            records_written: changes.count() as u64,
            record_bytes_written: batch.size() as u64,
            ..Usage::default()
        });
        self.inner.commit(batch).await
    }
}

/// Objects with a count.
pub struct MeteredObjects {
    inner: Arc<dyn Objects>,
    counters: Arc<Counters>,
}

impl MeteredObjects {
    /// Wraps objects.
    #[must_use]
    pub fn new(inner: Arc<dyn Objects>, counters: Arc<Counters>) -> Self {
        Self { inner, counters }
    }

    fn read(&self, bytes: Option<&Vec<u8>>) {
        self.counters.add(Usage {
            objects_read: 1,
            object_bytes_read: bytes.map_or(0, Vec::len) as u64,
            ..Usage::default()
        });
    }
}

#[async_trait]
impl Objects for MeteredObjects {
    async fn put(&self, key: &ObjectKey, bytes: Vec<u8>) -> Result<PutOutcome, PortError> {
        self.counters.add(Usage {
            objects_written: 1,
            object_bytes_written: bytes.len() as u64,
            ..Usage::default()
        });
        self.inner.put(key, bytes).await
    }

    async fn get(&self, key: &ObjectKey) -> Result<Option<Vec<u8>>, PortError> {
        let found = self.inner.get(key).await?;
        self.read(found.as_ref());
        Ok(found)
    }

    async fn get_range(
        &self,
        key: &ObjectKey,
        offset: u64,
        length: u64,
    ) -> Result<Option<Vec<u8>>, PortError> {
        let found = self.inner.get_range(key, offset, length).await?;
        self.read(found.as_ref());
        Ok(found)
    }

    async fn list(
        &self,
        folder: &str,
        after: Option<&ObjectKey>,
        limit: usize,
    ) -> Result<Listing, PortError> {
        self.inner.list(folder, after, limit).await
    }

    async fn delete(&self, key: &ObjectKey) -> Result<(), PortError> {
        self.inner.delete(key).await
    }
}
