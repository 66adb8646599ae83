//! How much one caller and one workspace may ask for. The buckets are those of one process; in the cloud
//! the gateway limits the whole before.

use crate::problem::{Problem, RATE_LIMITED};
use governor::clock::{Clock as GovernorClock, Reference as _};
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};
use plumbline_governance::ids::WorkspaceId;
use plumbline_operations::Person;
use plumbline_ports::Clock;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The limits of a stage.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Requests of one subject: how many at once, and how many a second after that.
    pub subject: (NonZeroU32, NonZeroU32),
    /// The same of one workspace, all its members together.
    pub workspace: (NonZeroU32, NonZeroU32),
    /// The most bytes of a JSON body.
    pub body_bytes: usize,
    /// The most bytes of an inventory that is sent in one request, as it comes over the wire.
    pub upload_bytes: u64,
    /// The most bytes of an inventory, unpacked.
    pub unpacked_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        let number = |value| NonZeroU32::new(value).unwrap_or(NonZeroU32::MIN);
        Self {
            subject: (number(200), number(50)),
            workspace: (number(1_000), number(300)),
            body_bytes: 256 * 1024,
            upload_bytes: 256 * 1024 * 1024,
            unpacked_bytes: 2 * 1024 * 1024 * 1024,
        }
    }
}

/// The port's clock, as the library wants it. It never goes back: the greatest moment that was seen
/// counts.
#[derive(Clone)]
struct Ticks {
    clock: Arc<dyn Clock>,
    greatest: Arc<AtomicU64>,
}

impl GovernorClock for Ticks {
    type Instant = Duration;

    fn now(&self) -> Duration {
        let now = u64::try_from(self.clock.now().as_millisecond()).unwrap_or_default();
        let before = self.greatest.fetch_max(now, Ordering::Relaxed);
        Duration::from_millis(before.max(now))
    }
}

type Buckets<K> = RateLimiter<K, DashMapStateStore<K>, Ticks, NoOpMiddleware<Duration>>;

/// Counts requests against the limits.
pub(crate) struct Gate {
    subjects: Buckets<(String, String)>,
    workspaces: Buckets<WorkspaceId>,
    ticks: Ticks,
    asked: AtomicU64,
}

/// After so many requests, buckets that are full again are forgotten.
const FORGET_EVERY: u64 = 10_000;

impl Gate {
    pub(crate) fn new(limits: &Limits, clock: Arc<dyn Clock>) -> Self {
        let ticks = Ticks { clock, greatest: Arc::new(AtomicU64::new(0)) };
        let quota =
            |(burst, rate): (NonZeroU32, NonZeroU32)| Quota::per_second(rate).allow_burst(burst);
        Self {
            subjects: RateLimiter::new(
                quota(limits.subject),
                DashMapStateStore::default(),
                ticks.clone(),
            ),
            workspaces: RateLimiter::new(
                quota(limits.workspace),
                DashMapStateStore::default(),
                ticks.clone(),
            ),
            ticks,
            asked: AtomicU64::new(0),
        }
    }

    /// Takes one request of a subject.
    pub(crate) fn subject(&self, person: &Person) -> Result<(), Problem> {
        if self.asked.fetch_add(1, Ordering::Relaxed).is_multiple_of(FORGET_EVERY) {
            self.subjects.retain_recent();
            self.workspaces.retain_recent();
        }
        let key = (person.issuer.clone(), person.subject.clone());
        self.subjects
            .check_key(&key)
            .map_err(|until| self.too_many(until.earliest_possible(), "you"))
    }

    /// Takes one request to a workspace, of a member.
    pub(crate) fn workspace(&self, workspace: WorkspaceId) -> Result<(), Problem> {
        self.workspaces.check_key(&workspace).map_err(|until| {
            self.too_many(until.earliest_possible(), "the members of this workspace")
        })
    }

    fn too_many(&self, earliest: Duration, who: &str) -> Problem {
        let wait = earliest.duration_since(self.ticks.now());
        let seconds = Duration::from(wait).as_secs_f64().ceil().max(1.0);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "at least 1, and small"
        )]
        let seconds = seconds as u64;
        RATE_LIMITED
            .because(format!("{who} sent more requests than are taken at once"))
            .after(seconds)
    }
}
