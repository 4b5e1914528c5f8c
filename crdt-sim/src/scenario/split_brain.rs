//! Split brain: one data centre of three is cut off, and both sides write the same key.
//!
//! What is strong goes on where a majority is and is refused elsewhere; what is not goes on
//! everywhere, and both writes are there in the end.

use crdt_causal::level::Level;
use crdt_causal::policy::{LevelRange, Policy, Rule};

use super::profile::DATA_CENTRES;
use super::world::{Client, Does, Habit, Setup, What, World};
use super::{Bound, Options, Report, Verdict, Without};

const RULES: [Rule<'static>; 3] = [
    Rule::class("account", LevelRange::exactly(Level::STRONG)),
    Rule::class("profile", LevelRange::exactly(Level::CAUSAL)),
    Rule::class("page", LevelRange::exactly(Level::EVENTUAL)),
];

/// The register that both sides write.
const CITY: u64 = 1_000_000;
const CUT: [usize; 3] = [0, 1, 1];

fn habits() -> Vec<Habit> {
    let habit = |class, does, weight| Habit { class, does, weight, within_ms: 10_000 };
    vec![
        habit("profile", Does::Read { first: 0, count: 40 }, 5),
        habit("profile", Does::Write { first: 0, count: 40 }, 2),
        habit("page", Does::Read { first: 0, count: 40 }, 5),
        habit("account", Does::Read { first: 0, count: 40 }, 2),
        habit("account", Does::Write { first: 0, count: 40 }, 1),
    ]
}

pub(super) fn play(options: &Options) -> Report {
    let mut setup = Setup::new(options.seed, &["Mumbai", "Delhi", "Bengaluru"], &DATA_CENTRES);
    setup.policy = Policy::new(&RULES, &[], LevelRange::exactly(Level::EVENTUAL));
    setup.needs_majority = !options.lacks(Without::Majority);
    // The first three do what the story says, the others what people do all day.
    setup.clients = (0..3).map(|home| Client::new(home, 1_000, Vec::new())).collect();
    setup.clients.extend((0..12).map(|n| Client::new(n % 3, 400, habits())));
    let mut world = World::new(setup);
    world.phase("whole", "three data centres, all connected");
    world.run_until(10_000);

    world.phase("cut", "Mumbai is cut off from Delhi and Bengaluru");
    world.cut(&CUT);
    world.run_for(2_000);
    world.say("a strong write of one account in Mumbai, and one in Delhi");
    let values: Vec<u64> = (0..4).map(|_| world.fresh_value(0)).collect();
    world.ask(0, "account", What::Write(CITY, values[0]), 8_000);
    world.ask(1, "account", What::Write(CITY, values[1]), 8_000);
    world.run_for(9_000);
    let is_accepted = |world: &World, client: usize| {
        u64::from(world.clients[client].deeds.last().is_some_and(|deed| deed.level.is_some()))
    };
    let strong = [is_accepted(&world, 0), is_accepted(&world, 1)];

    world.say("a write of one profile in Mumbai, and one in Delhi");
    world.ask(0, "profile", What::Write(CITY, values[2]), 8_000);
    world.ask(1, "profile", What::Write(CITY, values[3]), 8_000);
    world.run_for(9_000);
    let weak = [is_accepted(&world, 0), is_accepted(&world, 1)];

    world.say("Mumbai reads that profile and that account, having heard nothing of Delhi");
    world.ask(0, "page", What::Read(CITY), 8_000);
    world.run_for(9_000);
    let stale = world.clients[0].deeds.last().and_then(|deed| deed.value) == Some(values[2]);
    world.ask(0, "account", What::Read(CITY), 8_000);
    world.run_for(9_000);
    let strong_read = is_accepted(&world, 0);

    world.phase("healed", "Mumbai is back");
    if !options.lacks(Without::Synchronisation) {
        world.heal();
    }
    let reconciled = world.converge(120_000);
    let took =
        reconciled.map_or("did not come to an end".to_string(), |ms| format!("took {ms} ms"));
    world.say(format!("reconciliation {took}"));
    world.run_for(10_000);
    world.set_open(false);
    world.run_for(30_000);
    world.converge(60_000);

    let key = CITY.to_string();
    let both =
        (0..3).filter(|server| world.doc(*server).map("registers").conflicts(&key).len() == 2);
    let both = both.count() as u64;
    let winners = (0..3).map(|server| world.doc(server).map("registers").get(&key).cloned());
    let mut winners: Vec<_> = winners.map(|value| format!("{value:?}")).collect();
    winners.dedup();
    let weak_cut = ["causal", "eventual"]
        .map(|level| world.meters.total(Some("cut"), level).availability_permille());
    let verdicts = vec![
        Verdict::new(
            "T1",
            "strong reads served by the side without a majority",
            strong_read,
            Bound::Exactly(0),
        ),
        Verdict::new(
            "T1",
            "the eventual read there was served, and stale",
            u64::from(stale),
            Bound::Exactly(1),
        ),
        Verdict::new(
            "T2",
            "CP: strong writes accepted where there is no majority",
            strong[0],
            Bound::Exactly(0),
        ),
        Verdict::new(
            "T2",
            "CP: strong writes accepted where there is one",
            strong[1],
            Bound::Exactly(1),
        ),
        Verdict::new(
            "T2",
            "AP: sides that accepted the causal write",
            weak[0] + weak[1],
            Bound::Exactly(2),
        ),
        Verdict::new("T2", "AP: regions that hold both writes afterwards", both, Bound::Exactly(3)),
        Verdict::new(
            "T2",
            "AP: different values that regions show for it",
            winners.len() as u64,
            Bound::Exactly(1),
        ),
        Verdict::new(
            "T2",
            "events that were accepted and are nowhere",
            world.lost_writes(0),
            Bound::Exactly(0),
        ),
        Verdict::new(
            "T2",
            "different documents in the end",
            world.different_documents(),
            Bound::Exactly(1),
        ),
        Verdict::new(
            "T2",
            "milliseconds of reconciliation",
            reconciled.unwrap_or(Verdict::NEVER),
            Bound::AtMost(10_000),
        ),
        Verdict::new(
            "T2",
            "permille of weak requests answered during the cut",
            weak_cut[0].min(weak_cut[1]),
            Bound::Exactly(1_000),
        ),
    ];
    world.report(verdicts)
}
