//! Random histories, played through the real operations and through a model of maps alone. After every
//! step both must say the same, and every invariant must hold over the rows and objects as stored.
//!
//! `PLUMBLINE_MODEL_STEPS` sets how many steps a run takes in all. Seeds are printed; a history that
//! fails is made as short as it can be, and printed step by step.

#![expect(clippy::expect_used, reason = "helpers of tests")]
#![expect(clippy::print_stdout, reason = "seeds are printed")]

mod history;
mod play;
mod reference;

use history::{Op, draw};
use play::{Kind, play};
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// How many steps one history has.
const STEPS: usize = 100;

/// What the histories must have come to, all together.
const REACHED: &[&str] = &[
    "finding new",
    "finding acknowledged",
    "finding reopened",
    "finding resolved",
    "finding closed",
    "finding accepted",
    "finding of a second occurrence",
    "accepted and away",
    "run succeeded",
    "run partial not_proven",
    "run blocked confirm_empty",
    "run blocked unproven_types",
    "run blocked inventory_too_old",
    "run blocked profile_not_active",
    "run cancelled by_person",
    "run from memo",
    "run of a night",
    "severity high",
    "severity medium",
    "severity low",
];

fn steps() -> u64 {
    #[expect(clippy::disallowed_methods, reason = "a test's one setting")]
    let named = std::env::var("PLUMBLINE_MODEL_STEPS").ok();
    named.and_then(|text| text.parse().ok()).unwrap_or(10_000)
}

/// Takes steps away as long as the history still fails.
fn shrink(kind: Kind, mut ops: Vec<Op>) -> Vec<Op> {
    let mut chunk = ops.len().div_ceil(2);
    let mut tries = 0;
    loop {
        let mut at = 0;
        let mut any = false;
        while at < ops.len() && tries < 600 {
            tries += 1;
            let mut fewer = ops.clone();
            fewer.drain(at..(at + chunk).min(ops.len()));
            if play(kind, &fewer).is_err() {
                ops = fewer;
                any = true;
            } else {
                at += chunk;
            }
        }
        if chunk == 1 && (!any || tries >= 600) {
            return ops;
        }
        chunk = (chunk / 2).max(1);
    }
}

/// Plays histories of consecutive seeds on two threads.
fn run(kind: Kind, seed: u64, histories: u64) {
    let next = AtomicU64::new(0);
    let failed: Mutex<Option<u64>> = Mutex::new(None);
    let reached: Mutex<BTreeMap<String, u64>> = Mutex::default();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    if at >= histories || failed.lock().is_ok_and(|failed| failed.is_some()) {
                        break;
                    }
                    let ops = draw(&mut ChaCha8Rng::seed_from_u64(seed + at), STEPS);
                    match play(kind, &ops) {
                        Ok(history) => {
                            if let Ok(mut reached) = reached.lock() {
                                for (what, count) in history {
                                    *reached.entry(what).or_default() += count;
                                }
                            }
                        }
                        Err(_) => {
                            if let Ok(mut failed) = failed.lock() {
                                failed.get_or_insert(seed + at);
                            }
                        }
                    }
                }
            });
        }
    });
    let reached = reached.into_inner().unwrap_or_default();
    println!("{kind:?}: {reached:#?}");
    println!("{kind:?}: seeds {seed} to {}, {STEPS} steps each", seed + histories - 1);
    let Some(seed) = failed.into_inner().unwrap_or_default() else {
        // Histories that never come this far would prove nothing.
        if histories >= 50 {
            for what in REACHED {
                assert!(reached.contains_key(*what), "no history reached `{what}`");
            }
        }
        return;
    };
    let ops = shrink(kind, draw(&mut ChaCha8Rng::seed_from_u64(seed), STEPS));
    let error = play(kind, &ops).err().unwrap_or_default();
    let listed: Vec<String> = ops.iter().map(|op| format!("{op:?}")).collect();
    panic!("seed {seed}, {} steps left:\n{}\n{error}", ops.len(), listed.join("\n"));
}

#[test]
fn histories_over_stores_in_memory() {
    run(Kind::Memory, 1, steps().div_ceil(STEPS as u64));
}

#[test]
fn histories_over_the_embedded_stores() {
    run(Kind::Local, 900_000, steps().div_ceil(STEPS as u64 * 50).max(1));
}
