//! Sessions and levels with a planted bug, which the tests of `levels` have to find.
//!
//! `cargo xtask canaries` builds this with `--cfg canary="chosen"` and runs it for each bug that
//! there is: `CRDT_CANARY` names the bug, `CRDT_CASES` says within how many seeds it has to be
//! found. An ordinary build has no bugs to plant, and so there is nothing in here then.

#![cfg(canary = "chosen")]
#![allow(dead_code, reason = "the tests of `levels` are not run in here")]

#[path = "levels/bounded.rs"]
mod bounded;
#[path = "levels/client.rs"]
mod client;
#[path = "levels/guarantees.rs"]
mod guarantees;
#[path = "levels/hostile.rs"]
mod hostile;
#[path = "levels/random.rs"]
mod random;
#[path = "levels/register.rs"]
mod register;
#[path = "levels/strong.rs"]
mod strong;
#[path = "levels/world.rs"]
mod world;

use std::env;
use std::time::Instant;

use crdt_causal::session::Guarantees;

fn histories() -> u64 {
    0
}

/// What the checkers say of one seed.
fn violation(seed: u64) -> Option<String> {
    let broken = guarantees::history(seed, Guarantees::ALL).violations.kinds();
    if !broken.is_empty() {
        return Some(broken.to_string());
    }
    let checkers: [fn(u64) -> Option<&'static str>; 4] = [
        hostile::what_is_believed,
        bounded::in_silence,
        strong::outlived,
        strong::not_linearizable,
    ];
    checkers.iter().find_map(|check| check(seed)).map(str::to_owned)
}

#[test]
fn the_planted_bug_is_found() {
    let Ok(name) = env::var("CRDT_CANARY") else { return };
    let seeds: Option<u64> = env::var("CRDT_CASES").ok().and_then(|cases| cases.parse().ok());
    for seed in 0..100 {
        assert_eq!(violation(seed), None, "without a bug, seed {seed}");
    }
    crdt_core::canary::plant(&name);
    let since = Instant::now();
    let found = (0..seeds.unwrap_or(20_000)).find_map(|seed| Some((seed, violation(seed)?)));
    let (seed, checker) = found.expect("no seed has failed");
    let (runs, seconds) = (seed + 1, since.elapsed().as_secs_f64());
    println!("FOUND after={runs} seconds={seconds:.2} seed={seed} checker={checker}");
}
