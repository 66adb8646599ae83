//! A queue under a plan.

use super::plan::{Fault, Plan, Port};
use async_trait::async_trait;
use plumbline_ports::{DeadLetter, Delivery, Outgoing, PortError, Queue, QueueName, Receipt};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

pub(super) struct FaultyQueue {
    inner: Arc<dyn Queue>,
    plan: Arc<Plan>,
}

impl FaultyQueue {
    pub(super) fn new(inner: Arc<dyn Queue>, plan: Arc<Plan>) -> Self {
        Self { inner, plan }
    }

    async fn call<T>(
        &self,
        op: &'static str,
        what: String,
        work: impl Future<Output = Result<T, PortError>> + Send,
    ) -> Result<T, PortError> {
        Ok(self.plan.call(Port::Queue, op, what, work).await?.0)
    }
}

fn named(queue: QueueName, receipt: &Receipt) -> String {
    format!("{} {}", queue.as_str(), receipt.0)
}

#[async_trait]
impl Queue for FaultyQueue {
    async fn send(
        &self,
        queue: QueueName,
        messages: Vec<Outgoing>,
    ) -> Result<Vec<usize>, PortError> {
        const OP: &str = "send messages";
        let fault = self.plan.enter(Port::Queue, OP, queue.as_str().to_owned())?;
        if !matches!(fault, Some(Fault::TakeHalf)) {
            return Ok(self.plan.make(OP, fault, self.inner.send(queue, messages)).await?.0);
        }
        let every_second = |place: &usize| place % 2 == 1;
        let left: Vec<usize> = (0..messages.len()).filter(every_second).collect();
        let taken: Vec<usize> = (0..messages.len()).filter(|place| place % 2 == 0).collect();
        let send = taken.iter().filter_map(|place| messages.get(*place).cloned()).collect();
        let refused = self.inner.send(queue, send).await?;
        let mut refused: Vec<usize> =
            refused.into_iter().filter_map(|place| taken.get(place).copied()).collect();
        refused.extend(left);
        refused.sort_unstable();
        Ok(refused)
    }

    async fn receive(
        &self,
        queue: QueueName,
        limit: usize,
        visibility: Duration,
    ) -> Result<Vec<Delivery>, PortError> {
        let work = self.inner.receive(queue, limit, visibility);
        self.call("receive messages", queue.as_str().to_owned(), work).await
    }

    async fn extend(
        &self,
        queue: QueueName,
        receipt: &Receipt,
        visibility: Duration,
    ) -> Result<(), PortError> {
        let work = self.inner.extend(queue, receipt, visibility);
        self.call("extend a delivery", named(queue, receipt), work).await
    }

    async fn delete(&self, queue: QueueName, receipt: &Receipt) -> Result<(), PortError> {
        let work = self.inner.delete(queue, receipt);
        self.call("delete a message", named(queue, receipt), work).await
    }

    async fn bury(
        &self,
        queue: QueueName,
        delivery: &Delivery,
        reason: &str,
    ) -> Result<(), PortError> {
        let work = self.inner.bury(queue, delivery, reason);
        self.call("bury a message", named(queue, &delivery.receipt), work).await
    }

    async fn dead_letters(
        &self,
        queue: QueueName,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, PortError> {
        let work = self.inner.dead_letters(queue, limit);
        self.call("list dead letters", queue.as_str().to_owned(), work).await
    }

    async fn forget(&self, queue: QueueName, receipt: &Receipt) -> Result<(), PortError> {
        let work = self.inner.forget(queue, receipt);
        self.call("forget a dead letter", named(queue, receipt), work).await
    }
}
