//! Records under a plan.

use super::plan::{Plan, Port};
use async_trait::async_trait;
use plumbline_ports::{
    Batch, CommitError, IndexPosition, IndexQuery, Key, Page, PortError, Query, Record, Records,
};
use std::sync::Arc;

pub(super) struct FaultyRecords {
    inner: Arc<dyn Records>,
    plan: Arc<Plan>,
}

impl FaultyRecords {
    pub(super) fn new(inner: Arc<dyn Records>, plan: Arc<Plan>) -> Self {
        Self { inner, plan }
    }
}

#[async_trait]
impl Records for FaultyRecords {
    async fn get(&self, key: &Key) -> Result<Option<Record>, PortError> {
        let work = self.inner.get(key);
        let call = self.plan.call(Port::Records, "get a record", key.to_string(), work);
        Ok(call.await?.0)
    }

    async fn query(&self, query: &Query) -> Result<Page<String>, PortError> {
        let what = format!("{} {:?}", query.pk, query.range);
        let work = self.inner.query(query);
        Ok(self.plan.call(Port::Records, "query records", what, work).await?.0)
    }

    async fn query_index(&self, query: &IndexQuery) -> Result<Page<IndexPosition>, PortError> {
        let what = format!("{:?} {} {:?}", query.index, query.pk, query.range);
        let work = self.inner.query_index(query);
        Ok(self.plan.call(Port::Records, "query records by an index", what, work).await?.0)
    }

    async fn commit(&self, batch: Batch) -> Result<(), CommitError> {
        let keys: Vec<String> =
            batch.actions.iter().map(|action| action.key().to_string()).collect();
        let work = self.inner.commit(batch);
        self.plan.call(Port::Records, "commit records", keys.join(", "), work).await?;
        Ok(())
    }
}
