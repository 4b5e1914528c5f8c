//! Runs as a whole: they are sound, they are functions of their seeds, and a plan is one of its
//! text.

use crdt_sim::campaign::{self, Keep};
use crdt_sim::faults::Fault;
use crdt_sim::plan::{Action, Plan, Step};

/// How many seeds are played: 400, or what `CRDT_CASES` says.
fn seeds() -> u64 {
    std::env::var("CRDT_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(400)
}

#[test]
fn seeds_converge_whatever_happens() {
    let summary = campaign::run(&Plan::draw, 1_000_000, seeds(), 1, &|_| {});
    assert!(summary.failures.is_empty(), "{:?}", summary.failures);
    assert!(summary.applied > summary.events, "events went round");
    assert!(summary.compared > 10 * summary.runs, "values were compared");
}

/// A disk that was copied, or put back, and went on writing under its old id. At least 100 forks,
/// each noticed in the first round in which two that are in it meet; and where only one of the two
/// wrote, nobody is accused (a refusal without a fork is a failure of the run).
#[test]
fn forks_are_noticed_in_one_round_and_nobody_else_is_accused() {
    let summary = campaign::run(&Plan::draw_twins, 0, 200, 1, &|_| {});
    assert!(summary.failures.is_empty(), "{:?}", summary.failures);
    assert!(summary.forks_met >= 100, "{} forks met", summary.forks_met);
    assert!(summary.runs - summary.forked >= 20, "{} of {}", summary.forked, summary.runs);
}

#[test]
fn a_seed_is_one_run() {
    for seed in 0..40 {
        let plan = Plan::draw(seed);
        let [first, second] = [(); 2].map(|()| campaign::play(&plan, Keep::default()));
        assert_eq!(first.hash, second.hash, "seed {seed}");
        // Whoever looks changes nothing.
        let watched = campaign::play(&plan, Keep { lines: true });
        assert_eq!(watched.hash, first.hash, "seed {seed}");
        assert!(watched.lines.len() > 10);
    }
}

#[test]
fn a_plan_is_what_its_text_says() {
    for seed in 0..100 {
        let plan = Plan::draw(seed);
        let read = Plan::from_json(&plan.to_json());
        assert_eq!(read.as_ref(), Ok(&plan));
    }
    assert!(Plan::from_json("{}").is_err());
}

/// With what befell packets written out, and no rates, a run is the same one.
#[test]
fn written_out_faults_are_those_that_happened() {
    for seed in 0..40 {
        let plan = Plan::draw(seed);
        let drawn = campaign::play(&plan, Keep::default());
        let written = Plan { packets: Some(drawn.packets.clone()), ..plan };
        assert_eq!(campaign::play(&written, Keep::default()).hash, drawn.hash, "seed {seed}");
    }
}

/// Histories of thousands of operations at each replica, in place of dozens.
#[test]
fn long_histories_converge() {
    let summary = campaign::run(&|seed| Plan::draw_long(seed, 1000), 2_000_000, 12, 1, &|_| {});
    assert!(summary.failures.is_empty(), "{:?}", summary.failures);
    let (events, applied) = (summary.events / summary.runs, summary.applied / summary.runs);
    assert!(events > 1_000 && applied > 4_000, "{events} events, {applied} applied, for each seed");
}

/// Servers that forget, and clients that come back too late and do again what they had done.
#[test]
fn who_comes_back_after_trimming_converges_with_the_others() {
    let seeds: Vec<u64> =
        (3_000_000..).filter(|seed| Plan::draw(*seed).trimming.is_some()).take(60).collect();
    let draw = |index: u64| Plan::draw(seeds[index as usize]);
    let summary = campaign::run(&draw, 0, 60, 1, &|_| {});
    assert!(summary.failures.is_empty(), "{:?}", summary.failures);
    assert!(summary.faults.get(Fault::ReturnAfterTrimming) >= 20, "{:?}", summary.faults);
    let [trimmed, again] = summary.trimmed;
    assert!(trimmed > 1_000 && again > 50, "{trimmed} trimmed, {again} made anew");
}

/// How many seeds are long changes nothing else about them.
#[test]
fn a_long_seed_is_the_short_one_and_more() {
    let is_burst = |step: &Step| matches!(step.action, Action::Burst { .. });
    for seed in 0..200 {
        let [short, usual, long] = [0, 30, 1000].map(|long| Plan::draw_long(seed, long));
        assert!(long.steps.iter().any(is_burst) && !short.steps.iter().any(is_burst));
        assert!(usual == short || usual == long);
        let without = long.steps.iter().filter(|step| !is_burst(step));
        assert!(without.eq(&short.steps), "seed {seed}");
        let rest = Plan { steps: short.steps.clone(), limits: short.limits, ..long };
        assert_eq!(rest, short);
    }
}
