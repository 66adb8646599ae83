//! The night on a virtual clock: workers take messages, wait for the source, import what it gave and
//! compare. Import, compare and ticks are the real ones; only waiting is made up.

use crate::fleet::{Fleet, Tenant};
use crate::source::{self, Reading};
use futures::executor::block_on;
use jiff::{SignedDuration, Timestamp};
use plumbline_governance::ids::TenantId;
use plumbline_governance::run::RunOutcome;
use plumbline_operations::{Handled, Work};
use plumbline_ports::bill::Charge;
use plumbline_ports::{Delivery, Queue as _, QueueName};
use plumbline_tests::stage::must;
use rand_chacha::ChaCha8Rng;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet};
use std::time::{Duration, Instant};

/// A worker has this part of a processor like this one: a function of 512 MB.
const SLOWER: f64 = 1_769.0 / 512.0;
/// Seconds that a request to records, and one to objects, waits.
const RECORD_WAIT: f64 = 0.005;
const OBJECT_WAIT: f64 = 0.030;

/// What the night came to.
#[derive(Default)]
pub(crate) struct Night {
    /// When each tenant's compare ended, in seconds from the first tick.
    pub ended: HashMap<TenantId, f64>,
    /// What reading all tenants came to.
    pub source: Reading,
    /// Seconds that workers worked, together.
    pub busy: f64,
    /// Messages for a tenant that somebody had taken already.
    pub twice: usize,
    /// Findings that appeared.
    pub appeared: u64,
}

/// What happens at a moment; of one moment, in the order in which it was planned.
enum Event {
    Tick,
    /// The source gave everything of a tenant to a worker that began then.
    Read {
        tenant: Tenant,
        delivery: Delivery,
        began: Timestamp,
    },
    /// A worker has nothing to do any more.
    Free,
}

struct Play<'f> {
    fleet: &'f Fleet,
    drifted: usize,
    random: ChaCha8Rng,
    by_id: HashMap<TenantId, Tenant>,
    begun: HashSet<TenantId>,
    order: BinaryHeap<Reverse<(Timestamp, usize)>>,
    events: Vec<Option<Event>>,
    idle: usize,
    start: Timestamp,
    night: Night,
}

/// Plays a night with so many workers; every tenant has so many drifted policies.
pub(crate) fn play(fleet: &Fleet, workers: usize, drifted: usize, random: ChaCha8Rng) -> Night {
    fleet.at("2026-01-02T02:00:10Z");
    let start = fleet.now();
    let by_id = fleet.tenants.iter().map(|tenant| (tenant.id, *tenant)).collect();
    let mut play = Play {
        fleet,
        drifted,
        random,
        by_id,
        begun: HashSet::new(),
        order: BinaryHeap::new(),
        events: Vec::new(),
        idle: workers,
        start,
        night: Night::default(),
    };
    play.plan(0.0, Event::Tick);
    while let Some(Reverse((at, place))) = play.order.pop() {
        fleet.clock.set(at);
        let Some(event) = play.events.get_mut(place).and_then(Option::take) else { continue };
        play.happens(event);
        while play.idle > 0 && play.takes_a_message() {}
    }
    play.night
}

impl Play<'_> {
    /// Plans what happens in so many seconds.
    fn plan(&mut self, seconds: f64, event: Event) {
        let wait = SignedDuration::try_from(Duration::from_secs_f64(seconds));
        let at = wait.ok().and_then(|wait| self.fleet.now().checked_add(wait).ok());
        self.order.push(Reverse((at.unwrap_or(Timestamp::MAX), self.events.len())));
        self.events.push(Some(event));
    }

    fn happens(&mut self, event: Event) {
        match event {
            Event::Tick => {
                must(block_on(self.fleet.system.tick()));
                if self.night.ended.len() < self.fleet.tenants.len() {
                    self.plan(60.0, Event::Tick);
                }
            }
            Event::Read { tenant, delivery, began } => {
                let seconds = self.imports_and_compares(tenant, &delivery);
                let now = self.fleet.now();
                let since = |from: Timestamp| now.duration_since(from).as_secs_f64() + seconds;
                self.night.busy += since(began);
                self.night.ended.insert(tenant.id, since(self.start));
                self.plan(seconds, Event::Free);
            }
            Event::Free => self.idle += 1,
        }
    }

    /// An idle worker takes a message; `false` when there is none.
    fn takes_a_message(&mut self) -> bool {
        let visibility = plumbline_operations::VISIBILITY;
        let queue = &self.fleet.queue;
        let Some(delivery) = must(block_on(queue.receive(QueueName::Compare, 1, visibility))).pop()
        else {
            return false;
        };
        let Ok(Work::Night { tenant, .. }) = Work::read(&delivery.body) else {
            panic!("{} is no night", delivery.body)
        };
        if !self.begun.insert(tenant) {
            // A tick sent it again while it waited; the run of the other message answers for it.
            self.night.twice += 1;
            must(block_on(queue.delete(QueueName::Compare, &delivery.receipt)));
            return true;
        }
        self.idle -= 1;
        let tenant = self.by_id[&tenant];
        let reading = source::read(self.fleet.policies(), &mut self.random);
        let sum = &mut self.night.source;
        sum.calls += reading.calls;
        sum.throttled += reading.throttled;
        sum.seconds += reading.seconds;
        let began = self.fleet.now();
        self.plan(reading.seconds, Event::Read { tenant, delivery, began });
        true
    }

    /// Does the real work; answers how many seconds a worker takes for it.
    fn imports_and_compares(&mut self, tenant: Tenant, delivery: &Delivery) -> f64 {
        let Fleet { system, ledger, .. } = self.fleet;
        ledger.take();
        let began = Instant::now();
        self.fleet.import(tenant, self.drifted);
        let work = must(Work::read(&delivery.body));
        let handled = block_on(system.judge(&work, delivery.attempts));
        must(block_on(system.settle(QueueName::Compare, delivery, &handled)));
        let took = began.elapsed();
        let Handled::Ended(run) = handled else { panic!("no run of {} ended", tenant.id) };
        assert_eq!(run.outcome(), RunOutcome::Succeeded, "{:?}", run.failure());
        let count = |name: &str| run.summary_counts.get(name).copied().unwrap_or_default();
        assert_eq!(count("different_version"), self.drifted as u64, "{}", tenant.id);
        self.night.appeared += count("appeared");
        let (bill, waited) = ledger.take();
        let requests =
            |charge| f64::from(u32::try_from(bill.of(charge).requests).unwrap_or(u32::MAX));
        let records = requests(Charge::RecordRead) + requests(Charge::RecordWrite);
        let objects = requests(Charge::ObjectRead) + requests(Charge::ObjectWrite);
        took.saturating_sub(waited).as_secs_f64() * SLOWER
            + records * RECORD_WAIT
            + objects * OBJECT_WAIT
    }
}
