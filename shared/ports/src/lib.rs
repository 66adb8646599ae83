//! What the system needs from outside, in its own words.
//!
//! Each port says what an adapter promises, limits included, and ships a suite that every adapter passes
//! (`conformance`, behind the feature of that name). The limits are those of `DynamoDB`, S3 and SQS, and
//! every adapter enforces them: what runs on one machine runs in the cloud.

pub mod clock;
pub mod counters;
pub mod error;
pub mod ids;
pub mod metered;
pub mod objects;
pub mod queue;
pub mod records;
pub mod secrets;
pub mod system;

#[cfg(feature = "conformance")]
pub mod conformance;

pub use clock::Clock;
pub use counters::{Counters, Usage};
pub use error::PortError;
pub use ids::Ids;
pub use objects::{ObjectKey, Objects, PutOutcome};
pub use queue::{DeadLetter, Delivery, Outgoing, Queue, QueueName, Receipt};
pub use records::{
    Action, Batch, CommitError, Condition, Index, IndexKey, IndexPosition, IndexQuery, Key, Page,
    Query, Range, Record, Records,
};
pub use secrets::{RootKey, Secrets};
pub use system::{SystemClock, SystemIds};

use std::sync::Arc;

/// Every port an operation may use. Cheap to clone.
#[derive(Clone)]
pub struct Ports {
    /// Rows with conditions.
    pub records: Arc<dyn Records>,
    /// Immutable bytes by content.
    pub objects: Arc<dyn Objects>,
    /// Messages that are delivered at least once.
    pub queue: Arc<dyn Queue>,
    /// The keys of the stage.
    pub secrets: Arc<dyn Secrets>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Fresh ids.
    pub ids: Arc<dyn Ids>,
}

impl Ports {
    /// The same ports, with records and objects counted into `counters`.
    #[must_use]
    pub fn metered(&self, counters: &Arc<Counters>) -> Self {
        Self {
            records: Arc::new(metered::MeteredRecords::new(
                Arc::clone(&self.records),
                Arc::clone(counters),
            )),
            objects: Arc::new(metered::MeteredObjects::new(
                Arc::clone(&self.objects),
                Arc::clone(counters),
            )),
            ..self.clone()
        }
    }
}
