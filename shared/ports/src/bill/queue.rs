//! A queue with a bill, in the requests of SQS.

use super::{Charge, Ledger, filled, once};
use crate::PortError;
use crate::queue::{DeadLetter, Delivery, Outgoing, Queue, QueueName, REQUEST_BYTES, Receipt};
use async_trait::async_trait;
use std::sync::Arc;
use std::time::Duration;

pub(super) struct Billed {
    pub(super) inner: Arc<dyn Queue>,
    pub(super) ledger: Arc<Ledger>,
}

impl Billed {
    fn note(&self, op: &'static str, queue: QueueName, bytes: usize) {
        self.ledger.note(
            Charge::QueueRequest,
            op,
            queue.as_str(),
            once(filled(bytes, REQUEST_BYTES)),
        );
    }
}

#[async_trait]
impl Queue for Billed {
    async fn send(
        &self,
        queue: QueueName,
        messages: Vec<Outgoing>,
    ) -> Result<Vec<usize>, PortError> {
        self.note("send", queue, messages.iter().map(|message| message.body.len()).sum());
        self.ledger.call(self.inner.send(queue, messages)).await
    }

    async fn receive(
        &self,
        queue: QueueName,
        limit: usize,
        visibility: Duration,
    ) -> Result<Vec<Delivery>, PortError> {
        let found = self.ledger.call(self.inner.receive(queue, limit, visibility)).await?;
        self.note("receive", queue, found.iter().map(|delivery| delivery.body.len()).sum());
        // In the cloud the service that received them deletes them, all in one request.
        if !found.is_empty() {
            self.note("delete", queue, 0);
        }
        Ok(found)
    }

    async fn extend(
        &self,
        queue: QueueName,
        receipt: &Receipt,
        visibility: Duration,
    ) -> Result<(), PortError> {
        self.note("extend", queue, 0);
        self.ledger.call(self.inner.extend(queue, receipt, visibility)).await
    }

    async fn delete(&self, queue: QueueName, receipt: &Receipt) -> Result<(), PortError> {
        self.ledger.call(self.inner.delete(queue, receipt)).await
    }

    async fn bury(
        &self,
        queue: QueueName,
        delivery: &Delivery,
        reason: &str,
    ) -> Result<(), PortError> {
        self.note("send a dead letter", queue, 0);
        self.note("delete alone", queue, 0);
        self.ledger.call(self.inner.bury(queue, delivery, reason)).await
    }

    async fn dead_letters(
        &self,
        queue: QueueName,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, PortError> {
        self.note("receive dead letters", queue, 0);
        self.ledger.call(self.inner.dead_letters(queue, limit)).await
    }

    async fn forget(&self, queue: QueueName, receipt: &Receipt) -> Result<(), PortError> {
        self.note("delete a dead letter", queue, 0);
        self.ledger.call(self.inner.forget(queue, receipt)).await
    }
}
