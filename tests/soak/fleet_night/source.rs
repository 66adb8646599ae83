//! How long a tenant takes to answer. There is no client of the source yet: this says how many calls a read
//! of everything makes and what each takes. The policies themselves come from the fleet's generator.

use rand::{Rng as _, RngExt as _};
use rand_chacha::ChaCha8Rng;

/// Lists of the types, and their further pages.
const LIST_CALLS: usize = 40;
/// How many policies one call for details brings.
const DETAILS: usize = 20;
/// Calls of one tenant at a time.
const LANES: usize = 4;
/// The least and the most seconds of a call.
const LATENCY: (f64, f64) = (0.25, 0.8);
/// One call in so many is answered with 429.
const THROTTLED: u32 = 100;
/// The least and the most seconds of its Retry-After, in which the tenant is left alone.
const RETRY_AFTER: (f64, f64) = (1.0, 8.0);

/// What reading one tenant came to.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Reading {
    /// Calls, those that were refused included.
    pub calls: usize,
    /// Calls that were answered with 429.
    pub throttled: usize,
    /// Seconds from the first call to the last answer.
    pub seconds: f64,
}

/// Reads a tenant of so many policies: every list, then every policy's details.
pub(crate) fn read(policies: usize, random: &mut ChaCha8Rng) -> Reading {
    let mut out = Reading::default();
    let mut left = LIST_CALLS + policies.div_ceil(DETAILS);
    let mut lanes = [0.0_f64; LANES];
    // Nobody calls the tenant before this.
    let mut blocked = 0.0_f64;
    while left > 0 {
        let Some(lane) = lanes.iter_mut().min_by(|one, two| one.total_cmp(two)) else { break };
        let begins = lane.max(blocked);
        *lane = begins + between(LATENCY, random);
        out.calls += 1;
        if random.next_u32().is_multiple_of(THROTTLED) {
            out.throttled += 1;
            blocked = blocked.max(*lane + between(RETRY_AFTER, random));
        } else {
            left -= 1;
        }
    }
    out.seconds = lanes.into_iter().fold(0.0, f64::max);
    out
}

fn between((least, most): (f64, f64), random: &mut ChaCha8Rng) -> f64 {
    random.random_range(least..most)
}
