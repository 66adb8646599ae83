//! The machine's clock and randomness, for every program over every store; read here and nowhere else.

use crate::{Clock, Ids};
use jiff::Timestamp;
use plumbline_policy::digest::Digest;
use std::sync::atomic::{AtomicU64, Ordering};
use uuid::{Builder, Uuid};

/// The clock of the machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        #[expect(
            clippy::disallowed_methods,
            reason = "the port's only adapter over the machine's clock"
        )]
        Timestamp::now()
    }
}

/// The system gave no random bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the system gave no random bytes ({0}); check that this process may read the system's randomness"
)]
pub struct NoRandomness(getrandom::Error);

/// Draws random bytes from the system.
///
/// # Errors
/// When the system has no randomness.
pub fn random() -> Result<[u8; 32], NoRandomness> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(NoRandomness)?;
    Ok(bytes)
}

/// Ids from the system's randomness.
///
/// An id holds the time, then a counter of this process that starts at random, then random bits: the
/// counter tells apart what one process mints, whatever its clock does; the random bits tell apart what
/// two processes mint.
pub struct SystemIds {
    seed: [u8; 32],
    minted: AtomicU64,
    drawn: AtomicU64,
}

impl SystemIds {
    /// Draws a seed.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub fn new() -> Result<Self, NoRandomness> {
        let seed = random()?;
        let [a, b, c, d, ..] = random()?;
        let start = u32::from_be_bytes([a, b, c, d]) >> 1;
        Ok(Self { seed, minted: AtomicU64::new(u64::from(start)), drawn: AtomicU64::new(0) })
    }

    /// Bytes nobody can guess: the seed, a number never used before, and fresh randomness if there is any.
    fn draw(&self) -> [u8; 32] {
        let fresh = random().unwrap_or_default();
        let number = self.drawn.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        *Digest::of(&[&self.seed[..], &number, &fresh].concat()).as_bytes()
    }
}

impl Ids for SystemIds {
    fn mint(&self, at: Timestamp) -> Uuid {
        // 12 bits are free before the variant and 62 behind it: 40 for the counter, 34 at random.
        let number = self.minted.fetch_add(1, Ordering::Relaxed) & ((1 << 40) - 1);
        let drawn = self.draw();
        let (first, _) = drawn.split_first_chunk::<8>().unwrap_or((&[0; 8], &[]));
        let random = u64::from_be_bytes(*first) & ((1 << 34) - 1);
        let high = number >> 28;
        let low = ((number & ((1 << 28) - 1)) << 34) | random;
        let mut rest = [0; 10];
        rest[..2].copy_from_slice(&high.to_be_bytes()[6..]);
        rest[2..].copy_from_slice(&low.to_be_bytes());
        let millisecond = at.as_millisecond().max(0).unsigned_abs();
        Builder::from_unix_timestamp_millis(millisecond, &rest).into_uuid()
    }

    fn secret(&self) -> [u8; 32] {
        self.draw()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn ids_never_repeat_though_the_clock_stands_and_jumps_back() {
        let ids = SystemIds::new().unwrap();
        let late = Timestamp::from_millisecond(1_767_225_600_000).unwrap();
        let early = Timestamp::from_millisecond(1_767_222_000_000).unwrap();
        let mut seen = BTreeSet::new();
        let mut counters = BTreeSet::new();
        for round in 0..50_000 {
            let at = if round % 2 == 0 { late } else { early };
            let id = ids.mint(at);
            assert_eq!((id.get_version_num(), id.get_variant()), (7, uuid::Variant::RFC4122));
            let millis = u64::from_be_bytes([
                0,
                0,
                id.as_bytes()[0],
                id.as_bytes()[1],
                id.as_bytes()[2],
                id.as_bytes()[3],
                id.as_bytes()[4],
                id.as_bytes()[5],
            ]);
            assert_eq!(i64::try_from(millis).unwrap(), at.as_millisecond());
            assert!(seen.insert(id));
            // Without the time and the random bits they are still apart.
            let counter = (id.as_u128() >> 34) & 0x03ff_cfff_ffff;
            assert!(counters.insert(counter), "{id}");
        }
    }

    #[test]
    fn ids_of_one_moment_rise() {
        let ids = SystemIds::new().unwrap();
        let at = Timestamp::from_second(1_767_225_600).unwrap();
        let minted: Vec<_> = (0..1_000).map(|_| ids.mint(at)).collect();
        assert!(minted.is_sorted());
    }

    #[test]
    fn a_time_before_1970_is_no_panic() {
        assert_eq!(SystemIds::new().unwrap().mint(Timestamp::MIN).as_u128() >> 80, 0);
    }

    #[test]
    fn secrets_differ() {
        let (one, two) = (SystemIds::new().unwrap(), SystemIds::new().unwrap());
        let all = BTreeSet::from([one.secret(), one.secret(), two.secret(), two.secret()]);
        assert_eq!(all.len(), 4);
    }
}
