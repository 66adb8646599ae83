//! A night of a whole fleet on a virtual clock. Fails when it takes too long or is not fair.
//!
//! ```sh
//! cargo bench -p plumbline-tests --bench fleet_night                       # 10,000 tenants of 1,000 policies
//! cargo bench -p plumbline-tests --bench fleet_night -- 200 1000 50        # tenants, policies, workers
//! ```

#![expect(
    clippy::panic,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    clippy::indexing_slicing,
    reason = "a simulation that prints"
)]

mod fleet;
mod night;
mod objects;
mod queue;
mod source;

use fleet::Fleet;
use night::Night;
use plumbline_governance::ids::WorkspaceId;
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// The most minutes of the night, on its own clock.
const MINUTES: f64 = 60.0;
/// The last tenant of a workspace ends within so many times its fair share.
const FAIR: f64 = 2.0;
/// The most time it takes here.
const REAL: Duration = Duration::from_mins(15);
/// One policy in so many drifted.
const DRIFT: usize = 100;
const SEED: u64 = 20_260_102;

fn main() -> ExitCode {
    let began = Instant::now();
    let words: Vec<usize> = std::env::args().filter_map(|word| word.parse().ok()).collect();
    let given = |place: usize, otherwise| words.get(place).copied().unwrap_or(otherwise);
    let (tenants, policies, workers) = (given(0, 10_000), given(1, 1_000), given(2, 50));
    let drifted = policies.div_ceil(DRIFT);
    let fleet = Fleet::make(tenants, policies);
    println!(
        "{tenants} tenants of {policies} policies in {} workspaces made: {:.1?}",
        fleet::sizes(tenants).len(),
        began.elapsed()
    );
    let playing = Instant::now();
    let night = night::play(&fleet, workers, drifted, ChaCha8Rng::seed_from_u64(SEED));
    println!("played in {:.1?}, {:.1?} in all", playing.elapsed(), began.elapsed());
    let (objects, bytes) = fleet.objects.size();
    println!("{objects} objects, {:.0} MB without what is equal", bytes as f64 / 1e6);
    if let Some(peak) = peak() {
        println!("peak memory {peak} MiB");
    }
    let good = report(&fleet, &night, workers, drifted);
    let in_time = began.elapsed() <= REAL;
    if !in_time {
        println!("FAILED: it took {:.0?} here, and {REAL:.0?} are allowed", began.elapsed());
    }
    if good && in_time { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Prints what the night came to; answers whether it keeps its limits.
fn report(fleet: &Fleet, night: &Night, workers: usize, drifted: usize) -> bool {
    let tenants = fleet.tenants.len();
    let per = |number: f64| number / tenants as f64;
    println!(
        "source: {} calls, {} answered with 429, {:.1} s a tenant; worker {:.1} s a tenant; {} messages \
         twice",
        night.source.calls,
        night.source.throttled,
        per(night.source.seconds),
        per(night.busy),
        night.twice
    );
    let all_ended = night.ended.len() == tenants && night.appeared == (tenants * drifted) as u64;
    let end = night.ended.values().copied().fold(0.0, f64::max);
    println!(
        "{workers} workers: {:.1} virtual minutes, {:.0} % busy; {} findings",
        end / 60.0,
        night.busy / end / workers as f64 * 100.0,
        night.appeared
    );
    let mut last: BTreeMap<WorkspaceId, (usize, f64)> = BTreeMap::new();
    for tenant in &fleet.tenants {
        let ended = night.ended.get(&tenant.id).copied().unwrap_or(f64::INFINITY);
        let of = last.entry(tenant.workspace).or_default();
        *of = (of.0 + 1, of.1.max(ended));
    }
    // Of each size the workspace that waited longest: its end, its fair share and how they compare.
    let mut by_size: BTreeMap<usize, (usize, f64)> = BTreeMap::new();
    for (size, ended) in last.values() {
        let of = by_size.entry(*size).or_default();
        *of = (of.0 + 1, of.1.max(*ended));
    }
    let mut worst = 0.0_f64;
    println!("workspaces  tenants  last ended  fair share  ratio");
    for (size, (count, ended)) in &by_size {
        // Workers given out evenly: until a workspace of this size is done, each other has had as many
        // tenants done, or all it has.
        let before: usize = last.values().map(|(other, _)| other.min(size)).sum();
        let share = (before as f64 / tenants as f64) * end;
        let ratio = ended / share;
        worst = worst.max(ratio);
        println!(
            "{count:>10}{size:>9}{:>10.1} m{:>10.1} m{ratio:>7.2}",
            ended / 60.0,
            share / 60.0
        );
    }
    let checks = [
        (all_ended, "not every tenant was compared with the findings that it has".to_owned()),
        (end <= MINUTES * 60.0, format!("{:.1} minutes, and {MINUTES} are allowed", end / 60.0)),
        (worst <= FAIR, format!("{worst:.2} times the fair share, and {FAIR} are allowed")),
    ];
    for (_, told) in checks.iter().filter(|(holds, _)| !holds) {
        println!("FAILED: {told}");
    }
    checks.iter().all(|(holds, _)| *holds)
}

/// The most memory that this process held, in MiB; nothing on systems that do not tell.
fn peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM"))?;
    Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? / 1_024)
}
