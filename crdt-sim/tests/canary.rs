//! The laboratory with a planted bug, which it has to find.
//!
//! `cargo xtask canaries` builds this with `--cfg canary="chosen"` and runs it for each bug that
//! there is: `CRDT_CANARY` names the bug, `CRDT_CASES` says within how many seeds it has to be
//! found. An ordinary build has no bugs to plant, and so there is nothing in here then.

//! Bugs of the checker of histories are looked for in its table of known anomalies, before any seed is
//! played; that of who tells incidents from traces in its hundred incidents.

#![cfg(canary = "chosen")]
#![allow(dead_code, reason = "the tests of `history` are not run in here")]

#[path = "history/anomalies.rs"]
mod anomalies;
#[path = "history/axioms.rs"]
mod axioms;
#[path = "incident.rs"]
mod incident;
#[path = "history/notation.rs"]
mod notation;

use std::env;
use std::time::Instant;

use crdt_sim::campaign;
use crdt_sim::plan::Plan;
use crdt_sim::shrink;

/// One of those seeds in which histories are trimmed.
fn draw_trimming(seed: u64) -> Plan {
    let mut plans = (seed * 1_000..).map(Plan::draw);
    plans.find(|plan| plan.trimming.is_some()).expect("one of ten is")
}

#[test]
fn the_planted_bug_is_found() {
    let Ok(name) = env::var("CRDT_CANARY") else { return };
    let seeds = env::var("CRDT_CASES").ok().and_then(|cases| cases.parse().ok());
    assert_eq!(anomalies::judge().1, None, "without a bug");
    crdt_core::canary::plant(&name);
    let since = Instant::now();
    if let (right, Some(wrong)) = anomalies::judge() {
        let (runs, seconds) = (right + 1, since.elapsed().as_secs_f64());
        println!("FOUND after={runs} seconds={seconds:.2} seed=0 checker={wrong}");
        return;
    }
    // What only who explains a run could get wrong.
    if name == "take-loss-for-a-cut" && incident::misjudged().next().is_some() {
        let seconds = since.elapsed().as_secs_f64();
        println!("FOUND after=1 seconds={seconds:.2} seed=0 checker=incident");
        return;
    }
    campaign::silence_panics();
    // Forks, and trimmed histories, are rare where everything may happen.
    let draw: fn(u64) -> Plan = match &*name {
        "trust-the-numbers" => Plan::draw_twins,
        "trim-beyond-the-stable-cut"
        | "forget-the-horizon"
        | "admit-below-the-floor"
        | "rebase-from-nothing" => draw_trimming,
        _ => Plan::draw,
    };
    let summary = campaign::run(&draw, 0, seeds.unwrap_or(20_000), 1, &|_| {});
    let (seed, violation) = summary.failures.first().expect("no seed has failed");
    let seconds = since.elapsed().as_secs_f64();
    let runs = summary.runs;
    println!("FOUND after={runs} seconds={seconds:.2} seed={seed} checker={}", violation.checker);
    // What is found can be made small.
    let (plan, found) = shrink::shrink(&draw(*seed), violation, 500);
    assert_eq!(found.checker, violation.checker);
    println!(
        "SHRUNK steps={} packets={} machines={} {}",
        plan.steps.len(),
        plan.packets.as_ref().map_or(0, Vec::len),
        plan.nodes.len(),
        found.what
    );
}
