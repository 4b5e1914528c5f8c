//! Festival: five times as many requests, in three zones of one city.
//!
//! Tracking is strong when it can be, and causal when that is too slow; payments are strong or they are not
//! made. Levels go down when it takes too long, and come back when it is over.

use std::sync::LazyLock;

use crdt_causal::level::Level;
use crdt_causal::policy::{DegradeConfig, LevelRange, Policy, Rule};
use crdt_causal::session::Guarantees;

use super::profile::METRO;
use super::world::{Client, Does, Habit, Setup, World};
use super::{Bound, Options, Report, Verdict, Without};
use crate::history::Criterion;

static RULES: LazyLock<[Rule<'static>; 3]> = LazyLock::new(|| {
    let session = Level::session(Guarantees::ALL);
    let tracking = LevelRange::new(Level::STRONG, session).expect("strong promises all");
    [
        Rule::class("payment", LevelRange::exactly(Level::STRONG)),
        Rule::class("position", LevelRange::exactly(Level::CAUSAL)),
        Rule::class("tracking", tracking),
    ]
});

const ORDERS: u64 = 1_000_000;

/// The most changes of level of one server within a dwell.
pub(super) fn changes_within_dwell(world: &World, dwell_ms: u64) -> u64 {
    let within = |(at, server, _): &(u64, usize, _)| {
        let same = world.transitions.iter().filter(|other| {
            other.1 == *server && other.0 >= *at && other.0 < at.saturating_add(dwell_ms)
        });
        same.count() as u64
    };
    world.transitions.iter().map(within).max().unwrap_or(0)
}

pub(super) fn degrade(options: &Options) -> DegradeConfig {
    let mut config = DegradeConfig::default();
    if options.lacks(Without::Hysteresis) {
        (config.dwell_ms, config.strengthen_below_ms) = (0, config.weaken_above_ms);
    }
    if options.lacks(Without::Degradation) {
        config.weaken_above_ms = u64::MAX;
    }
    config
}

pub(super) fn play(options: &Options) -> Report {
    let links = [(0, 1, METRO), (0, 2, METRO), (1, 2, METRO)];
    let zones = ["Island City", "Western", "Eastern"];
    let mut setup = Setup::new(options.seed, &zones, &links);
    setup.policy = Policy::new(&*RULES, &[], LevelRange::exactly(Level::EVENTUAL));
    setup.degrade = degrade(options);
    setup.cost_us = (3_000, 30_000);
    setup.beat_ms = 250;
    let habit = |class, does, weight, within_ms| Habit { class, does, weight, within_ms };
    let habits = vec![
        habit("tracking", Does::Look { first: ORDERS }, 16, 3_000),
        habit("position", Does::Advance { first: ORDERS }, 3, 10_000),
        habit("payment", Does::Pay, 1, 20_000),
    ];
    let client = |n: usize| Client::new(n % 3, 2_300, habits.clone());
    setup.clients =
        (0..60).map(|n| if n % 4 == 0 { client(n).roaming() } else { client(n) }).collect();
    let mut world = World::new(setup);
    let dwell = DegradeConfig::default().dwell_ms;

    world.phase("before", "an ordinary evening");
    world.run_until(options.brief_or(20_000, 60_000));
    world.phase("surge", "the festival begins: five times as many requests");
    world.haste = 5;
    world.run_for(options.brief_or(70_000, 420_000));
    world.phase("after", "it is over");
    world.haste = 1;
    world.run_for(options.brief_or(3, 4) * dwell + 30_000);
    world.set_open(false);
    world.run_for(25_000);
    let converged = world.converge(60_000).is_some();

    let levels = ["strong", "causal", "session"];
    let broken = world.broken(
        &levels,
        &[
            Criterion::Session(Guarantees::MONOTONIC_READS),
            Criterion::Session(Guarantees::READ_YOUR_WRITES),
        ],
    );
    let tracking = world.meters.total(Some("surge"), "strong");
    let weakened = world.meters.total(Some("surge"), "causal").latency.len() as u64;
    let verdicts = vec![
        Verdict::new(
            "T15",
            "changes of level during the whole evening",
            world.transitions.len() as u64,
            Bound::AtLeast(2),
        ),
        Verdict::new(
            "T15",
            "changes of one server within a minute",
            changes_within_dwell(&world, dwell),
            Bound::AtMost(1),
        ),
        Verdict::new(
            "T15",
            "servers that are not back at strong in the end",
            world.not_strong(),
            Bound::Exactly(0),
        ),
        Verdict::new(
            "T15",
            "answers below the floor of their rule",
            world.below_floor,
            Bound::Exactly(0),
        ),
        Verdict::new(
            "T15",
            "payments at any other level than strong",
            world.weak_payments,
            Bound::Exactly(0),
        ),
        Verdict::new(
            "T15",
            "clients that saw time go back, at any of the levels",
            broken.len() as u64 + world.steps_backwards(&levels, ORDERS),
            Bound::Exactly(0),
        ),
        Verdict::new(
            "T15",
            "permille of tracking and payments answered during the surge",
            tracking.availability_permille(),
            Bound::AtLeast(950),
        ),
        Verdict::new(
            "T15",
            "milliseconds that 95 of 100 strong and causal answers took at most during the surge",
            {
                let mut all = tracking.latency.clone();
                all.extend(&world.meters.total(Some("surge"), "causal").latency);
                all.permille(950)
            },
            Bound::AtMost(1_500),
        ),
        Verdict::new("T15", "answers at causal during the surge", weakened, Bound::AtLeast(1)),
        Verdict::new(
            "T15",
            "whether all have everything in the end",
            u64::from(converged),
            Bound::Exactly(1),
        ),
    ];
    world.report(verdicts)
}
