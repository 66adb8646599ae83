//! Counts what a run asks of the stores.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts, from any thread.
#[derive(Debug, Default)]
pub struct Counters {
    records_read: AtomicU64,
    records_written: AtomicU64,
    record_bytes_read: AtomicU64,
    record_bytes_written: AtomicU64,
    record_requests: AtomicU64,
    objects_read: AtomicU64,
    objects_written: AtomicU64,
    object_bytes_read: AtomicU64,
    object_bytes_written: AtomicU64,
}

/// What was asked of the stores so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Rows read.
    pub records_read: u64,
    /// Rows written or deleted.
    pub records_written: u64,
    /// Bytes of rows read.
    pub record_bytes_read: u64,
    /// Bytes of rows written.
    pub record_bytes_written: u64,
    /// Calls to the records.
    pub record_requests: u64,
    /// Objects read, whole or in part.
    pub objects_read: u64,
    /// Objects written, or found to be there.
    pub objects_written: u64,
    /// Bytes of objects read.
    pub object_bytes_read: u64,
    /// Bytes of objects written.
    pub object_bytes_written: u64,
}

impl Counters {
    /// Adds what one call used.
    pub fn add(&self, usage: Usage) {
        let add = |counter: &AtomicU64, by: u64| counter.fetch_add(by, Ordering::Relaxed);
        add(&self.records_read, usage.records_read);
        add(&self.records_written, usage.records_written);
        add(&self.record_bytes_read, usage.record_bytes_read);
        add(&self.record_bytes_written, usage.record_bytes_written);
        add(&self.record_requests, usage.record_requests);
        add(&self.objects_read, usage.objects_read);
        add(&self.objects_written, usage.objects_written);
        add(&self.object_bytes_read, usage.object_bytes_read);
        add(&self.object_bytes_written, usage.object_bytes_written);
    }

    /// What was counted so far.
    #[must_use]
    pub fn usage(&self) -> Usage {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Usage {
            records_read: read(&self.records_read),
            records_written: read(&self.records_written),
            record_bytes_read: read(&self.record_bytes_read),
            record_bytes_written: read(&self.record_bytes_written),
            record_requests: read(&self.record_requests),
            objects_read: read(&self.objects_read),
            objects_written: read(&self.objects_written),
            object_bytes_read: read(&self.object_bytes_read),
            object_bytes_written: read(&self.object_bytes_written),
        }
    }
}
