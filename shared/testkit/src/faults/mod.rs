//! Stores that fail when a plan says so.
//!
//! A [`Plan`] counts every call over all ports it wraps, from 0, and does at the planned call what was
//! planned. A crash sweep wraps the ports, runs the work with a crash at call 0, 1, 2 and so on until the
//! work ends before the call is reached ([`Plan::has_fired`] is false), restarts and compares.

mod objects;
mod pages;
mod plan;
mod queue;
mod records;

pub use pages::SmallPages;
pub use plan::{Call, Fault, Plan, Port};

use plumbline_ports::Ports;
use std::sync::Arc;

/// The same ports, with records, objects and the queue under a plan.
#[must_use]
pub fn wrap(ports: &Ports, plan: &Arc<Plan>) -> Ports {
    Ports {
        records: Arc::new(records::FaultyRecords::new(
            Arc::clone(&ports.records),
            Arc::clone(plan),
        )),
        objects: Arc::new(objects::FaultyObjects::new(
            Arc::clone(&ports.objects),
            Arc::clone(plan),
        )),
        queue: Arc::new(queue::FaultyQueue::new(Arc::clone(&ports.queue), Arc::clone(plan))),
        ..ports.clone()
    }
}
