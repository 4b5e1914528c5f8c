//! Island: five zones of one city, and every way in which they were cut off from each other.

use crdt_causal::level::Level;
use crdt_causal::policy::{LevelRange, Policy, Rule};
use crdt_causal::session::Guarantees;

use super::profile::{PROFILES, Profile, ZONE_CUTS, ZONE_MATRIX, ZONES};
use super::wires::Wires;
use super::world::{Client, Does, Habit, Setup, World};
use super::{Bound, Distribution, Options, Report, Verdict, Without};
use crate::history::Criterion;

const RULES: [Rule<'static>; 2] = [
    Rule::class("order", LevelRange::exactly(Level::CAUSAL)),
    Rule::class("payment", LevelRange::exactly(Level::STRONG)),
];

/// The medians of round trips over links of some profiles, measured, and how many lie outside their bands.
fn measure(seed: u64, profiles: &[Profile]) -> (String, u64) {
    let (mut table, mut outside) = (String::new(), 0);
    for profile in profiles {
        let names = vec!["here".to_string(), "there".to_string()];
        let mut wires = Wires::new(seed, names, 0, &[(0, 1, *profile)]);
        let (mut trips, mut now) = (Distribution::default(), 0);
        for _ in 0..2_000 {
            now += 1_000;
            // Whoever hears nothing measures nothing.
            let there = wires.send(0, 1, 64, now).first().copied();
            let back = there.and_then(|at| wires.send(1, 0, 64, at).first().copied());
            back.into_iter().for_each(|at| trips.add(at - now));
        }
        let (least, most) = profile.round_trip_ms;
        let median = trips.permille(500);
        outside += u64::from(!(least..=most).contains(&median));
        table += &format!(
            "{:<20} band {least:>3} to {most:>3} ms, cuts a month {:>2} | round trip p50 {median:>4} p99 {:>5} ms\n",
            profile.name,
            profile.cuts_per_month,
            trips.permille(990),
        );
    }
    (table, outside)
}

/// A cut and what follows, and what it came to: whether all had everything again.
fn episode(
    world: &mut World,
    name: &'static str,
    options: &Options,
    cut: impl FnOnce(&mut World),
) -> bool {
    world.phase("cut", name);
    cut(world);
    world.run_for(options.brief_or(8_000, 30_000));
    world.phase("healed", "whole again");
    if options.lacks(Without::Synchronisation) {
        return world.is_converged();
    }
    world.heal();
    for &(a, b, profile) in &ZONE_MATRIX {
        world.wires.set_profile(a, b, profile);
    }
    world.run_for(10_000);
    world.set_open(false);
    world.run_for(11_000);
    let is_whole = world.is_converged();
    world.set_open(true);
    is_whole
}

pub(super) fn play(options: &Options) -> Report {
    let mut setup = Setup::new(options.seed, &ZONES, &ZONE_MATRIX);
    setup.policy = Policy::new(&RULES, &[], LevelRange::exactly(Level::EVENTUAL));
    setup.has_tokens = !options.lacks(Without::Tokens);
    setup.needs_majority = !options.lacks(Without::Majority);
    let habit = |class, does, weight, within_ms| Habit { class, does, weight, within_ms };
    let habits = vec![
        habit("order", Does::Read { first: 0, count: 50 }, 5, 9_000),
        habit("order", Does::Write { first: 0, count: 50 }, 2, 9_000),
        habit("menu", Does::Read { first: 0, count: 50 }, 3, 2_000),
        habit("payment", Does::Pay, 1, 6_000),
    ];
    // Twenty stay in their zone, five are on the road.
    let client = |n: usize| Client::new(n % 5, 700, habits.clone());
    setup.clients = (0..25).map(|n| if n < 20 { client(n) } else { client(n).roaming() }).collect();
    let mut world = World::new(setup);
    world.phase("whole", "five zones of one city");
    world.run_until(10_000);

    let (mut whole, mut episodes) = (0, 0);
    let mut count = |is_whole: bool| {
        (whole, episodes) = (whole + u64::from(is_whole), episodes + 1);
    };
    for (name, groups) in ZONE_CUTS {
        count(episode(&mut world, name, options, |world| world.cut(&groups)));
    }
    count(episode(
        &mut world,
        "the island is heard and hears nobody (one way)",
        options,
        |world| {
            (1..5).for_each(|zone| world.wires.cut_one_way(zone, 0));
        },
    ));
    count(episode(
        &mut world,
        "the island and Navi Mumbai do not hear each other, all others hear both",
        options,
        |world| {
            world.wires.cut_one_way(0, 3);
            world.wires.cut_one_way(3, 0);
        },
    ));
    count(episode(&mut world, "round trips take ten times as long", options, |world| {
        for &(a, b, mut profile) in &ZONE_MATRIX {
            profile.round_trip_ms = (profile.round_trip_ms.0 * 10, profile.round_trip_ms.1 * 10);
            world.wires.set_profile(a, b, profile);
        }
    }));
    count(episode(&mut world, "one zone after the other fails", options, |world| {
        for (lost, groups) in [[1, 0, 0, 0, 0], [1, 2, 0, 0, 0], [1, 2, 3, 0, 0]].iter().enumerate()
        {
            world.say(format!("{} is gone too", ZONES[lost]));
            world.cut(groups);
            world.run_for(3_000);
        }
    }));
    world.set_open(false);
    world.run_for(15_000);
    let converged = world.converge(60_000).is_some();

    let broken = world
        .broken(&["causal"], &[Criterion::Session(Guarantees::ALL), Criterion::CausalConvergence]);
    let (table, outside) = measure(options.seed, &PROFILES);
    let (zones, zones_outside) = measure(options.seed, &ZONE_MATRIX.map(|(_, _, profile)| profile));
    let at_home = world.failed_at_home;
    let verdicts = vec![
        Verdict::new(
            "T6",
            "profiles whose median round trip is outside its band",
            outside,
            Bound::Exactly(0),
        ),
        Verdict::new(
            "T6",
            "links of the zones of which that is so",
            zones_outside,
            Bound::Exactly(0),
        ),
        Verdict::new(
            "T6",
            "causal requests of people in their own zone that were not answered",
            at_home,
            Bound::Exactly(0),
        ),
        Verdict::new(
            "T4",
            "strong requests refused where there was no majority",
            world.meters.total(Some("cut"), "strong").refused,
            Bound::AtLeast(1),
        ),
        Verdict::new(
            "T4",
            "strong requests that were done where there was no majority",
            world.without_majority,
            Bound::Exactly(0),
        ),
        Verdict::new(
            "T4",
            "strong requests answered where there was one",
            world.meters.total(Some("cut"), "strong").answered,
            Bound::AtLeast(1),
        ),
        Verdict::new(
            "T4",
            format!("episodes of {episodes} after which all had everything"),
            whole,
            Bound::Exactly(episodes),
        ),
        Verdict::new(
            "T4",
            "violations that the checker of histories finds",
            broken.len() as u64,
            Bound::Exactly(0),
        ),
        Verdict::new(
            "T4",
            "events that were made and are nowhere",
            world.lost_writes(0),
            Bound::Exactly(0),
        ),
        Verdict::new(
            "T4",
            "whether all have everything in the end",
            u64::from(converged),
            Bound::Exactly(1),
        ),
        Verdict::new(
            "T4",
            "different documents, byte by byte",
            world.different_documents(),
            Bound::Exactly(1),
        ),
    ];
    let mut report = world.report(verdicts);
    report.tables.extend([table, zones]);
    report
}
