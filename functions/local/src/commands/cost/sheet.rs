//! From a sample to a fleet: what each part of a night uses and costs for so many tenants.

use super::assumed;
use super::sample::{Night, Used};
use plumbline_ports::bill::{Charge, Count};
use std::collections::BTreeMap;

/// The parts that are the night itself; the others lie beside it.
const NIGHT: [&str; 3] = ["start of the night", "compares", "look after the night"];
/// How many nights a month has.
pub(super) const NIGHTS: f64 = 30.0;

/// What a part of the fleet's night uses.
#[derive(Clone, Debug, Default)]
pub(super) struct Use {
    /// Billed units by charge.
    pub units: BTreeMap<Charge, f64>,
    /// Requests by charge.
    pub requests: BTreeMap<Charge, f64>,
    /// Seconds of computing on this machine.
    pub computed: f64,
}

impl Use {
    fn of(used: &Used) -> Self {
        let sums = used.bill.by_charge();
        let each = |number: fn(&Count) -> f64| {
            sums.iter().map(|(charge, count)| (*charge, number(count))).collect()
        };
        Self {
            units: each(|count| count.units),
            requests: each(|count| float(count.requests)),
            computed: used.computed.as_secs_f64(),
        }
    }

    /// Two uses side by side, each number made of both.
    fn with(&self, other: &Self, of: impl Fn(f64, f64) -> f64) -> Self {
        let sums = |one: &BTreeMap<Charge, f64>, two: &BTreeMap<Charge, f64>| {
            let at =
                |sums: &BTreeMap<Charge, f64>, charge| sums.get(&charge).copied().unwrap_or(0.0);
            Charge::ALL
                .into_iter()
                .map(|charge| (charge, of(at(one, charge), at(two, charge))))
                .filter(|(_, units)| *units > 0.0)
                .collect()
        };
        Self {
            units: sums(&self.units, &other.units),
            requests: sums(&self.requests, &other.requests),
            computed: of(self.computed, other.computed).max(0.0),
        }
    }

    /// So many times as much.
    pub(super) fn times(&self, factor: f64) -> Self {
        self.with(&Self::default(), |one, _| one * factor)
    }

    /// Both together.
    fn plus(&self, other: &Self) -> Self {
        self.with(other, |one, two| one + two)
    }

    /// Dollars by the table of prices.
    pub(super) fn dollars(&self) -> f64 {
        self.units.iter().map(|(charge, units)| charge.price().each() * units).sum()
    }
}

/// A part of a night, for the whole fleet.
#[derive(Debug)]
pub(super) struct Part {
    /// Its name.
    pub name: &'static str,
    /// What was counted.
    pub counted: Use,
    /// What is assumed beside it.
    pub assumed: Use,
}

impl Part {
    /// Dollars for the fleet's night.
    pub(super) fn dollars(&self) -> f64 {
        self.counted.dollars() + self.assumed.dollars()
    }
}

/// The parts of the fleet's night. What a night uses grows by the same amount with every tenant, so it lies
/// on the line through a night of one tenant and one of `sample` tenants.
pub(super) fn parts(one: &Night, many: &Night, sample: f64, tenants: f64) -> Vec<Part> {
    let part = |name, of: fn(&Night) -> &Used, runs: f64| {
        let (first, all) = (Use::of(of(one)), Use::of(of(many)));
        let each = |first, all| (all - first) / (sample - 1.0);
        let counted = first.with(&all, |first, all| first + each(first, all) * (tenants - 1.0));
        Part { name, assumed: assumed::functions(&counted, runs), counted }
    };
    let [start, compares, look] = NIGHT;
    let mut import = part("import of the new state", |night| &night.import, tenants);
    import.assumed.units.insert(Charge::ApiRequest, tenants);
    vec![
        part(start, |night| &night.start, 0.0),
        part(compares, |night| &night.compare, tenants),
        part(look, |night| &night.look, 0.0),
        import,
        part("overviews after the night", |night| &night.overview, 0.0),
    ]
}

/// The night itself.
pub(super) fn night(parts: &[Part]) -> Part {
    let of_night = parts.iter().filter(|part| NIGHT.contains(&part.name));
    sum("the night itself", of_night)
}

/// What runs in a month in which nothing is done: the ticks, and what is assumed of the queues.
pub(super) fn idle(night: &Night) -> Part {
    let counted = Use::of(&night.idle).times(assumed::TICKS);
    let mut assumed = assumed::functions(&counted, assumed::TICKS);
    assumed.units.remove(&Charge::LogIntake);
    assumed.units.insert(Charge::ScheduleCall, assumed::TICKS);
    assumed.units.insert(Charge::QueueRequest, assumed::POLLS);
    Part { name: "a month without work", counted, assumed }
}

/// All parts together.
pub(super) fn together(parts: &[Part]) -> Part {
    sum("together", parts.iter())
}

fn sum<'p>(name: &'static str, parts: impl Iterator<Item = &'p Part>) -> Part {
    let none = Part { name, counted: Use::default(), assumed: Use::default() };
    parts.fold(none, |sum, part| Part {
        name,
        counted: sum.counted.plus(&part.counted),
        assumed: sum.assumed.plus(&part.assumed),
    })
}

#[expect(clippy::cast_precision_loss, reason = "no sample makes 2^53 requests")]
fn float(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use plumbline_ports::bill::Bill;

    fn used(units: f64) -> Used {
        let mut bill = Bill::default();
        bill.note(Charge::RecordWrite, "put", "RUN", Count { requests: 1, units });
        Used { bill, ..Used::default() }
    }

    fn night(units: f64) -> Night {
        let [import, start, compare, look, overview, idle] = [0; 6].map(|_| used(units));
        Night { import, start, compare, look, overview, idle }
    }

    #[test]
    fn a_fleet_lies_on_the_line_through_the_samples() {
        // Ten for the workspace and three for each tenant.
        let (one, many) = (night(13.0), night(40.0));
        for (tenants, expected) in [(1.0, 13.0), (10.0, 40.0), (1_000.0, 3_010.0)] {
            let parts = parts(&one, &many, 10.0, tenants);
            let writes: Vec<f64> =
                parts.iter().map(|part| part.counted.units[&Charge::RecordWrite].round()).collect();
            assert_eq!(writes, [expected; 5]);
        }
    }

    #[test]
    fn a_million_writes_cost_62_cents_and_a_half() {
        let part = Use::of(&used(1e6));
        assert_eq!(format!("{:.4}", part.dollars()), "0.6250");
    }
}
