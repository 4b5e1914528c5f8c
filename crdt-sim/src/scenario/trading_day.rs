//! War story one: fourteen hours of a trading day, at the hours of the talk.
//!
//! Replication lags, the centres are cut apart, strong operations are refused, after an hour the rules say
//! that less will do, and at noon it has to be put together again. The talk needed five and a quarter hours
//! for that, by hand.

use crdt_causal::level::Level;
use crdt_causal::policy::{LevelRange, Policy, Rule};

use super::profile::DATA_CENTRES;
use super::world::{Client, Does, Habit, Setup, World};
use super::{Bound, Options, Report, Verdict, Without};

/// Consistency first: trades are strong, or they are not made.
const CONSISTENT: [Rule<'static>; 1] = [Rule::class("trade", LevelRange::exactly(Level::STRONG))];
/// Availability first: whatever can be had.
const AVAILABLE: [Rule<'static>; 1] = [Rule::class("trade", LevelRange::exactly(Level::CAUSAL))];

const ACCOUNTS: u64 = 20;
const MINUTE: u64 = 60_000;
/// The day begins at a quarter past three.
const fn at(hour: u64, minute: u64) -> u64 {
    (hour * 60 + minute - 195) * MINUTE
}

/// Postings go on in all centres until then. What was posted to each account is added to `truth`.
fn post_until(world: &mut World, until: u64, truth: &mut [i64], has_counters: bool) {
    while world.now < until {
        for centre in 0..3 {
            let (account, amount) =
                (world.random.below(ACCOUNTS), world.random.between(1, 900) as i64);
            let amount = if world.random.permille(500) { amount } else { -amount };
            truth[account as usize] += amount;
            let key = format!("account {account}");
            world.edit(centre, |tx| {
                if has_counters {
                    tx.counter(&key).increment(amount);
                } else {
                    // As one does with a register: read, add, write.
                    let mut balances = tx.map("balances");
                    let before = match balances.get(&key) {
                        Some(crdt_document::Value::Int(value)) => *value,
                        _ => 0,
                    };
                    balances.set(&key, before + amount);
                }
                Ok(())
            });
        }
        let step = 30_000.min(until - world.now);
        world.run_for(step);
    }
}

pub(super) fn play(options: &Options) -> Report {
    let mut setup = Setup::new(options.seed, &["Mumbai", "Delhi", "Bengaluru"], &DATA_CENTRES);
    setup.policy = Policy::new(&CONSISTENT, &[], LevelRange::exactly(Level::EVENTUAL));
    setup.needs_majority = !options.lacks(Without::Majority);
    setup.beat_ms = 5_000;
    let habits = vec![Habit {
        class: "trade",
        does: Does::Write { first: 0, count: 100 },
        weight: 1,
        within_ms: 20_000,
    }];
    setup.clients = (0..6).map(|n| Client::new(n % 3, 60_000, habits.clone())).collect();
    let mut world = World::new(setup);
    let mut truth = vec![0; ACCOUNTS as usize];
    let has_counters = !options.lacks(Without::Counters);
    world.phase("whole", "03:15: an ordinary night");
    post_until(&mut world, at(3, 45), &mut truth, has_counters);

    world.phase("lag", "03:45: replication takes 30 s");
    for &(a, b, mut profile) in &DATA_CENTRES {
        profile.round_trip_ms = (58_000, 62_000);
        world.wires.set_profile(a, b, profile);
    }
    post_until(&mut world, at(4, 0), &mut truth, has_counters);

    world.phase("CP", "04:00: the centres are apart; trades are strong or refused");
    for &(a, b, profile) in &DATA_CENTRES {
        world.wires.set_profile(a, b, profile);
    }
    world.cut(&[0, 1, 2]);
    post_until(&mut world, at(5, 0), &mut truth, has_counters);

    world.phase("AP", "05:00: the rules say that causal will do");
    world.set_policy(Policy::new(&AVAILABLE, &[], LevelRange::exactly(Level::EVENTUAL)));
    let hours = options.brief_or(1, 7);
    post_until(&mut world, at(5 + hours, 45), &mut truth, has_counters);

    world.phase("healed", format!("{:02}:45: the network is back", 5 + hours));
    let mut reconciled = None;
    if !options.lacks(Without::Synchronisation) {
        world.heal();
        for &(a, b, _) in &DATA_CENTRES {
            world.reconnect(a, b);
        }
        reconciled = world.converge(6 * 60 * MINUTE);
    }
    let took = reconciled.map_or("never".to_string(), |ms| format!("{ms} ms"));
    world.say(format!("reconciled: {took}; the talk's took 5 h 15 min"));
    world.set_policy(Policy::new(&CONSISTENT, &[], LevelRange::exactly(Level::EVENTUAL)));
    // The rest of the fourteen hours is an ordinary day.
    let until = if options.is_brief { world.now + 15 * MINUTE } else { at(17, 15) };
    post_until(&mut world, until, &mut truth, has_counters);
    world.set_open(false);
    world.run_for(MINUTE);
    world.converge(MINUTE);

    let mut wrong = 0;
    for centre in 0..3 {
        for (account, sum) in truth.iter().enumerate() {
            let key = format!("account {account}");
            let doc = world.doc(centre);
            let shown = if has_counters {
                doc.counter(&key).value()
            } else {
                match doc.map("balances").get(&key) {
                    Some(crdt_document::Value::Int(value)) => i128::from(*value),
                    _ => 0,
                }
            };
            wrong += u64::from(shown != i128::from(*sum));
        }
    }
    let cp = world.meters.total(Some("CP"), "strong");
    let ap = world.meters.total(Some("AP"), "causal");
    let verdicts = vec![
        Verdict::new(
            "T9",
            "CP, 04:00 to 05:00: trades accepted without a majority",
            world.without_majority,
            Bound::Exactly(0),
        ),
        Verdict::new("T9", "CP, 04:00 to 05:00: trades refused", cp.refused, Bound::AtLeast(1)),
        Verdict::new(
            "T9",
            "AP, from 05:00: permille of trades accepted",
            ap.availability_permille(),
            Bound::Exactly(1_000),
        ),
        Verdict::new(
            "T9",
            "milliseconds of reconciliation (5 h 15 min are 18900000)",
            reconciled.unwrap_or(Verdict::NEVER),
            Bound::AtMost(30_000),
        ),
        // What a person would have to look into: balances that are not what was posted.
        Verdict::new(
            "T9",
            "balances that somebody has to put right by hand",
            wrong,
            Bound::Exactly(0),
        ),
        Verdict::new(
            "T9",
            "events that were made and are nowhere",
            world.lost_writes(0),
            Bound::Exactly(0),
        ),
        Verdict::new(
            "T9",
            "different documents, byte by byte",
            world.different_documents(),
            Bound::Exactly(1),
        ),
    ];
    world.report(verdicts)
}
