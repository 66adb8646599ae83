//! The steps of a history. Numbers are taken modulo what there is, so that every history can be played.

use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;

/// What a person does with a finding.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Action {
    Acknowledge,
    Close,
    Accept { hours: Option<u8> },
    Reopen,
}

/// What is said of an import's documents.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Claim {
    Complete,
    Features,
    Unknown,
}

/// One step.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Op {
    /// Changes up to three policies of a tenant, then imports them.
    Import {
        tenant: usize,
        changes: [(u8, u8); 3],
        claim: Claim,
        confirm: bool,
    },
    /// Takes every policy of one type away, then imports.
    Collapse {
        tenant: usize,
        quality: bool,
        confirm: bool,
    },
    Capture {
        profile: usize,
        source: usize,
    },
    Promote {
        profile: usize,
        nth: usize,
    },
    Scope {
        profile: usize,
        both: bool,
    },
    Facets {
        profile: usize,
        label: bool,
    },
    Severity {
        profile: usize,
        low: bool,
    },
    Status {
        profile: usize,
        active: bool,
    },
    Assign {
        tenant: usize,
        profile: usize,
        narrow: Option<bool>,
    },
    Unassign {
        tenant: usize,
    },
    Compare {
        tenant: usize,
    },
    /// Two starts, one run; the message once more.
    CompareTwice {
        tenant: usize,
    },
    Cancel {
        tenant: usize,
    },
    Night,
    Wait {
        hours: u8,
    },
    Act {
        tenant: usize,
        nth: usize,
        action: Action,
    },
    Collect,
}

/// Draws a history. Most begin with a governed world, so that steps are not wasted on refusals.
pub(crate) fn draw(rng: &mut ChaCha8Rng, steps: usize) -> Vec<Op> {
    let mut out = Vec::with_capacity(steps);
    if rng.random_bool(0.9) {
        for tenant in [0, 0, 0, 1, 1, 1, 2, 2] {
            let changes = [(); 3].map(|()| (rng.random_range(0..12), rng.random_range(2..6)));
            out.push(Op::Import { tenant, changes, claim: Claim::Complete, confirm: false });
        }
        for profile in 0..2 {
            out.push(Op::Capture { profile, source: profile });
            out.push(Op::Status { profile, active: true });
        }
        for tenant in 0..3 {
            let profile = rng.random_range(0..2);
            out.push(Op::Assign { tenant, profile, narrow: None });
        }
    }
    while out.len() < steps {
        out.push(step(rng));
    }
    out
}

fn step(rng: &mut ChaCha8Rng) -> Op {
    let tenant = rng.random_range(0..3);
    let profile = rng.random_range(0..2);
    match rng.random_range(0..100) {
        0..=24 => Op::Import {
            tenant,
            changes: [(); 3].map(|()| (rng.random_range(0..12), rng.random_range(0..6))),
            claim: match rng.random_range(0..8) {
                0 => Claim::Unknown,
                1 => Claim::Features,
                _ => Claim::Complete,
            },
            confirm: rng.random_bool(0.2),
        },
        25..=27 => {
            Op::Collapse { tenant, quality: rng.random_bool(0.5), confirm: rng.random_bool(0.5) }
        }
        28..=33 => Op::Capture { profile, source: tenant },
        34..=35 => Op::Promote { profile, nth: rng.random_range(0..4) },
        36..=37 => Op::Scope { profile, both: rng.random_bool(0.6) },
        38 => Op::Facets { profile, label: rng.random_bool(0.6) },
        39 => Op::Severity { profile, low: rng.random_bool(0.5) },
        40..=43 => Op::Status { profile, active: rng.random_bool(0.8) },
        44..=51 => Op::Assign {
            tenant,
            profile,
            narrow: rng.random_bool(0.3).then(|| rng.random_bool(0.5)),
        },
        52 => Op::Unassign { tenant },
        53..=69 => Op::Compare { tenant },
        70..=71 => Op::CompareTwice { tenant },
        72 => Op::Cancel { tenant },
        73..=79 => Op::Night,
        80..=83 => Op::Wait { hours: rng.random_range(1..60) },
        84 => Op::Collect,
        _ => Op::Act {
            tenant,
            nth: rng.random_range(0..8),
            action: match rng.random_range(0..5) {
                0 => Action::Acknowledge,
                1 => Action::Close,
                2 => Action::Accept { hours: None },
                3 => Action::Accept { hours: Some(rng.random_range(1..80)) },
                _ => Action::Reopen,
            },
        },
    }
}
