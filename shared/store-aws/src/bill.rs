//! What is billed: requests, and the units that the services say they consumed.

use aws_sdk_dynamodb::types::ConsumedCapacity;
use plumbline_ports::queue::REQUEST_BYTES;
use std::sync::atomic::{AtomicU64, Ordering};

/// What was billed since the start. A request that the SDK sends again counts once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bill {
    /// Requests to the table.
    pub record_requests: u64,
    /// Halves of read units, as the table said: a read that may lag behind costs a half.
    pub record_read_halves: u64,
    /// Write units, as the table said. It says nothing of a write whose condition failed.
    pub record_write_units: u64,
    /// Requests of the bucket's dear class: put and list.
    pub object_puts: u64,
    /// Requests of its cheap class: get and head.
    pub object_gets: u64,
    /// Deletes, which are free.
    pub object_deletes: u64,
    /// Requests to the queues, one for every 64 KB that began.
    pub queue_requests: u64,
    /// Requests for the secret.
    pub secret_requests: u64,
    /// Sessions of a workspace, which are free.
    pub sessions: u64,
}

/// Counts, from any thread.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    record_requests: AtomicU64,
    record_read_halves: AtomicU64,
    record_write_units: AtomicU64,
    object_puts: AtomicU64,
    object_gets: AtomicU64,
    object_deletes: AtomicU64,
    queue_requests: AtomicU64,
    secret_requests: AtomicU64,
    sessions: AtomicU64,
}

fn add(counter: &AtomicU64, by: u64) {
    counter.fetch_add(by, Ordering::Relaxed);
}

impl Meter {
    pub(crate) fn bill(&self) -> Bill {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Bill {
            record_requests: read(&self.record_requests),
            record_read_halves: read(&self.record_read_halves),
            record_write_units: read(&self.record_write_units),
            object_puts: read(&self.object_puts),
            object_gets: read(&self.object_gets),
            object_deletes: read(&self.object_deletes),
            queue_requests: read(&self.queue_requests),
            secret_requests: read(&self.secret_requests),
            sessions: read(&self.sessions),
        }
    }

    pub(crate) fn record_request(&self) {
        add(&self.record_requests, 1);
    }

    pub(crate) fn read<'c>(&self, consumed: impl IntoIterator<Item = &'c ConsumedCapacity>) {
        add(&self.record_read_halves, units(consumed, 2.0));
    }

    pub(crate) fn written<'c>(&self, consumed: impl IntoIterator<Item = &'c ConsumedCapacity>) {
        add(&self.record_write_units, units(consumed, 1.0));
    }

    pub(crate) fn object_put(&self) {
        add(&self.object_puts, 1);
    }

    pub(crate) fn object_get(&self) {
        add(&self.object_gets, 1);
    }

    pub(crate) fn object_delete(&self) {
        add(&self.object_deletes, 1);
    }

    /// A request to a queue that carries so many bytes there or back.
    pub(crate) fn queue_request(&self, bytes: usize) {
        add(&self.queue_requests, bytes.div_ceil(REQUEST_BYTES).max(1) as u64);
    }

    pub(crate) fn secret_request(&self) {
        add(&self.secret_requests, 1);
    }

    pub(crate) fn session(&self) {
        add(&self.sessions, 1);
    }
}

/// The consumed units in parts of a unit; what is not whole is rounded up.
fn units<'c>(consumed: impl IntoIterator<Item = &'c ConsumedCapacity>, parts: f64) -> u64 {
    let units = consumed.into_iter().filter_map(ConsumedCapacity::capacity_units).sum::<f64>();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "units are counts; a float that is none becomes 0"
    )]
    let whole = (units * parts).ceil() as u64;
    whole
}
