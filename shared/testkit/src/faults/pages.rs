//! Records whose pages are small and sometimes empty.

use async_trait::async_trait;
use plumbline_ports::{
    Batch, CommitError, IndexPosition, IndexQuery, Key, Page, PortError, Query, Record, Records,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Records that answer a few rows a page, and nothing on every third page, with more behind it. Who does
/// not follow the pages to their end loses rows.
pub struct SmallPages {
    inner: Arc<dyn Records>,
    rows: usize,
    asked: AtomicUsize,
}

impl SmallPages {
    /// Records with so many rows a page, at least one.
    #[must_use]
    pub fn new(inner: Arc<dyn Records>, rows: usize) -> Self {
        Self { inner, rows: rows.max(1), asked: AtomicUsize::new(0) }
    }

    /// Whether this page is one of the empty ones.
    fn is_empty(&self) -> bool {
        self.asked.fetch_add(1, Ordering::Relaxed) % 3 == 2
    }
}

#[async_trait]
impl Records for SmallPages {
    async fn get(&self, key: &Key) -> Result<Option<Record>, PortError> {
        self.inner.get(key).await
    }

    async fn query(&self, query: &Query) -> Result<Page<String>, PortError> {
        query.check_limits()?;
        if let Some(after) = &query.after
            && self.is_empty()
        {
            return Ok(Page { records: Vec::new(), next: Some(after.clone()) });
        }
        let few = Query { limit: query.limit.min(self.rows), ..query.clone() };
        self.inner.query(&few).await
    }

    async fn query_index(&self, query: &IndexQuery) -> Result<Page<IndexPosition>, PortError> {
        query.check_limits()?;
        if let Some(after) = &query.after
            && self.is_empty()
        {
            return Ok(Page { records: Vec::new(), next: Some(after.clone()) });
        }
        let few = IndexQuery { limit: query.limit.min(self.rows), ..query.clone() };
        self.inner.query_index(&few).await
    }

    async fn commit(&self, batch: Batch) -> Result<(), CommitError> {
        self.inner.commit(batch).await
    }
}
