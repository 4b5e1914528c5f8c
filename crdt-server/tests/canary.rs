//! The server with a planted bug, which the crash test and the histories of strong operations have to
//! find.
//!
//! `cargo xtask canaries` builds this with `--cfg canary="chosen"` and runs it for each bug that
//! there is: `CRDT_CANARY` names the bug, `CRDT_CASES` says within how many seeds it has to be
//! found. An ordinary build has no bugs to plant, and so there is nothing in here then.

#![cfg(canary = "chosen")]
#![allow(dead_code, reason = "the tests themselves are not run in here")]

#[path = "store_crash.rs"]
mod store_crash;
#[path = "strong/main.rs"]
mod strong;

use std::env;
use std::time::Instant;

use strong::linearizable::World;
use tokio::runtime::Runtime;

/// What the checkers say of one seed: the quick one first.
fn violation(runtime: &Runtime, world: &World, seed: u64) -> Option<&'static str> {
    let told = store_crash::told(seed).err();
    told.or_else(|| runtime.block_on(world.violation(seed)))
}

#[test]
fn the_planted_bug_is_found() {
    let Ok(name) = env::var("CRDT_CANARY") else { return };
    let seeds: Option<u64> = env::var("CRDT_CASES").ok().and_then(|cases| cases.parse().ok());
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    let world = runtime.block_on(World::start());
    for seed in 0..10 {
        assert_eq!(violation(&runtime, &world, seed), None, "without a bug, seed {seed}");
    }
    crdt_core::canary::plant(&name);
    let since = Instant::now();
    let found = (0..seeds.unwrap_or(200).min(200))
        .find_map(|seed| Some((seed, violation(&runtime, &world, 1_000 + seed)?)));
    let (seed, checker) = found.expect("no seed has failed");
    let (runs, seconds) = (seed + 1, since.elapsed().as_secs_f64());
    println!("FOUND after={runs} seconds={seconds:.2} seed={seed} checker={checker}");
    runtime.block_on(world.stop());
}
