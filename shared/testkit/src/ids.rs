//! Ids that come in the same order every time.

use jiff::Timestamp;
use plumbline_policy::digest::Digest;
use plumbline_ports::Ids;
use std::sync::atomic::{AtomicU64, Ordering};
use uuid::{Builder, Uuid};

/// Ids of version 7 that count up from a seed: the same calls give the same ids.
#[derive(Debug, Default)]
pub struct CountedIds {
    seed: u16,
    next: AtomicU64,
}

impl CountedIds {
    /// Ids that share nothing with those of another seed.
    #[must_use]
    pub fn new(seed: u16) -> Self {
        Self { seed, next: AtomicU64::new(0) }
    }

    fn next(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }
}

impl Ids for CountedIds {
    fn mint(&self, at: Timestamp) -> Uuid {
        let mut rest = [0; 10];
        rest[..2].copy_from_slice(&(self.seed & 0x0fff).to_be_bytes());
        rest[2..].copy_from_slice(&self.next().to_be_bytes());
        Builder::from_unix_timestamp_millis(at.as_millisecond().max(0).unsigned_abs(), &rest)
            .into_uuid()
    }

    fn secret(&self) -> [u8; 32] {
        *Digest::of(format!("secret {} {}", self.seed, self.next()).as_bytes()).as_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_calls_give_the_same_ids_and_none_twice() {
        let at = Timestamp::from_second(1_767_225_600).unwrap();
        let draw = |seed| {
            let ids = CountedIds::new(seed);
            (0..1_000).map(|_| ids.mint(at)).collect::<Vec<_>>()
        };
        let mut all = draw(1);
        assert_eq!(all, draw(1));
        assert!(all.iter().all(|id| id.get_version_num() == 7));
        assert!(all.is_sorted());
        all.extend(draw(2));
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 2_000);
    }
}
