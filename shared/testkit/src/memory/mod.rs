//! Every store in memory: the contract of the ports with nothing around it.

mod objects;
mod queue;
mod records;
mod secrets;

pub use objects::MemoryObjects;
pub use queue::MemoryQueue;
pub use records::MemoryRecords;
pub use secrets::MemorySecrets;

use crate::ids::CountedIds;
use plumbline_ports::{Clock, Ports};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Every port in memory, on one clock and counted ids.
#[must_use]
pub fn ports(clock: Arc<dyn Clock>) -> Ports {
    Ports {
        records: Arc::new(MemoryRecords::default()),
        objects: Arc::new(MemoryObjects::default()),
        queue: Arc::new(MemoryQueue::new(Arc::clone(&clock))),
        secrets: Arc::new(MemorySecrets::default()),
        clock,
        ids: Arc::new(CountedIds::default()),
    }
}

/// Takes a lock; a panic of another test thread does not spread.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
