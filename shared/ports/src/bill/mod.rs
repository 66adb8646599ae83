//! What the cloud bills for the calls to the ports, counted as they are made.
//!
//! [`Ports::billed`] wraps every port so that each call is noted in a [`Ledger`]. The units are those of
//! the price lists, whatever store stands behind the port: embedded stores and stores in memory give the
//! bill that the cloud would write. [`prices`] says what a unit costs.

mod objects;
pub mod prices;
mod queue;
mod records;
mod secrets;

use crate::Ports;
use std::collections::BTreeMap;
use std::future::Future;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What one unit is billed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Charge {
    /// 4 KB of records read from the table; half of that when an index is read.
    RecordRead,
    /// 1 KB of records written.
    RecordWrite,
    /// An object put, or a page of a listing.
    ObjectWrite,
    /// An object read, whole or in part, or looked for.
    ObjectRead,
    /// A request to a queue, for every 64 KB that it carries.
    QueueRequest,
    /// A secret read.
    SecretRead,
    /// A function called.
    FunctionCall,
    /// A function's memory in GB times its seconds.
    FunctionTime,
    /// A schedule that fired.
    ScheduleCall,
    /// A request to the HTTP API.
    ApiRequest,
    /// A GB of logs taken in.
    LogIntake,
}

impl Charge {
    /// Every charge.
    pub const ALL: [Self; 11] = [
        Self::RecordRead,
        Self::RecordWrite,
        Self::ObjectWrite,
        Self::ObjectRead,
        Self::QueueRequest,
        Self::SecretRead,
        Self::FunctionCall,
        Self::FunctionTime,
        Self::ScheduleCall,
        Self::ApiRequest,
        Self::LogIntake,
    ];

    /// The service and what it counts, as its price list names them.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RecordRead => "DynamoDB read units",
            Self::RecordWrite => "DynamoDB write units",
            Self::ObjectWrite => "S3 PUT and LIST",
            Self::ObjectRead => "S3 GET",
            Self::QueueRequest => "SQS requests",
            Self::SecretRead => "Secrets Manager calls",
            Self::FunctionCall => "Lambda requests",
            Self::FunctionTime => "Lambda GB-seconds",
            Self::ScheduleCall => "Scheduler invocations",
            Self::ApiRequest => "HTTP API requests",
            Self::LogIntake => "CloudWatch Logs GB",
        }
    }
}

/// One kind of call: `put` of a `RUN` row, billed as a write of records.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Line {
    /// What it is billed as.
    pub charge: Charge,
    /// What was asked, such as `get`.
    pub op: &'static str,
    /// Of what: the kind of a row or of an object, the name of a queue.
    pub of: String,
}

impl std::fmt::Display for Line {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { op, of, .. } = self;
        if of.is_empty() { formatter.write_str(op) } else { write!(formatter, "{op} {of}") }
    }
}

/// How much of something was used.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Count {
    /// How often it was asked for. A batch of rows is asked for once, with its first row.
    pub requests: u64,
    /// What of that is billed; halves are exact.
    pub units: f64,
}

impl std::ops::AddAssign for Count {
    fn add_assign(&mut self, other: Self) {
        self.requests += other.requests;
        self.units += other.units;
    }
}

/// What was used, line by line.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bill(BTreeMap<Line, Count>);

impl Bill {
    /// The lines, in order.
    pub fn lines(&self) -> impl Iterator<Item = (&Line, Count)> {
        self.0.iter().map(|(line, count)| (line, *count))
    }

    /// Adds to a line.
    pub fn note(&mut self, charge: Charge, op: &'static str, of: impl Into<String>, count: Count) {
        *self.0.entry(Line { charge, op, of: of.into() }).or_default() += count;
    }

    /// Adds another bill.
    pub fn add(&mut self, other: &Self) {
        for (line, count) in &other.0 {
            *self.0.entry(line.clone()).or_default() += *count;
        }
    }

    /// What each charge comes to.
    #[must_use]
    pub fn by_charge(&self) -> BTreeMap<Charge, Count> {
        let mut out = BTreeMap::<Charge, Count>::new();
        for (line, count) in self.lines() {
            *out.entry(line.charge).or_default() += count;
        }
        out
    }

    /// What one charge comes to.
    #[must_use]
    pub fn of(&self, charge: Charge) -> Count {
        self.by_charge().remove(&charge).unwrap_or_default()
    }

    /// Units of records, requests to objects, queues and secrets, all in one sum.
    #[must_use]
    pub fn units(&self) -> f64 {
        self.lines().map(|(_, count)| count.units).sum()
    }

    /// What it costs by the table of [`prices`].
    #[must_use]
    pub fn dollars(&self) -> f64 {
        self.lines().map(|(line, count)| count.units * line.charge.price().each()).sum()
    }
}

/// Reads a watch that only goes forward.
pub type Watch = dyn Fn() -> Duration + Send + Sync;

/// Collects a bill from any thread.
#[derive(Default)]
pub struct Ledger {
    bill: Mutex<Bill>,
    waited: Mutex<Duration>,
    watch: Option<Box<Watch>>,
}

impl Ledger {
    /// A ledger that also adds up how long the calls took, by a watch.
    #[must_use]
    pub fn timed(watch: Box<Watch>) -> Self {
        Self { watch: Some(watch), ..Self::default() }
    }

    /// What was used so far.
    #[must_use]
    pub fn bill(&self) -> Bill {
        lock(&self.bill).clone()
    }

    /// How long the calls took so far; nothing without a watch.
    #[must_use]
    pub fn waited(&self) -> Duration {
        *lock(&self.waited)
    }

    /// Gives what was used so far and how long it took, and begins anew.
    pub fn take(&self) -> (Bill, Duration) {
        (std::mem::take(&mut *lock(&self.bill)), std::mem::take(&mut *lock(&self.waited)))
    }

    /// Notes one use; adapters that count for themselves call it too.
    pub fn note(&self, charge: Charge, op: &'static str, of: impl Into<String>, count: Count) {
        lock(&self.bill).note(charge, op, of, count);
    }

    /// Waits for a call.
    async fn call<T>(&self, call: impl Future<Output = T>) -> T {
        let Some(watch) = &self.watch else { return call.await };
        let began = watch();
        let told = call.await;
        *lock(&self.waited) += watch().saturating_sub(began);
        told
    }
}

impl Ports {
    /// The same ports, with every call to records, objects, queue and secrets noted in `ledger`.
    #[must_use]
    pub fn billed(&self, ledger: &Arc<Ledger>) -> Self {
        let inner = self.clone();
        Self {
            records: Arc::new(records::Billed { inner: inner.records, ledger: Arc::clone(ledger) }),
            objects: Arc::new(objects::Billed { inner: inner.objects, ledger: Arc::clone(ledger) }),
            queue: Arc::new(queue::Billed { inner: inner.queue, ledger: Arc::clone(ledger) }),
            secrets: Arc::new(secrets::Billed {
                inner: inner.secrets,
                ledger: Arc::clone(ledger),
                asked: AtomicBool::new(false),
            }),
            clock: inner.clock,
            ids: inner.ids,
        }
    }
}

/// A count of one request.
fn once(units: f64) -> Count {
    Count { requests: 1, units }
}

/// How many units of a size some bytes fill; one at least.
#[expect(clippy::cast_precision_loss, reason = "no call moves 2^53 units")]
fn filled(bytes: usize, unit: usize) -> f64 {
    bytes.div_ceil(unit).max(1) as f64
}

/// Takes a lock; a panic of another thread does not spread.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
