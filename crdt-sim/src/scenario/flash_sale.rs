//! War story two: twenty-five times as many requests where ten times was provided for, and a network that
//! comes and goes.
//!
//! The talk's shop went from consistency to availability and back with every change, sold 15,000 pieces
//! that there were not, and charged twice. Here what may be sold is split into rights, who hears nothing of a
//! payment asks again under the same number, and levels change once in a while.

use crdt_causal::level::Level;
use crdt_causal::policy::{DegradeConfig, LevelRange, Policy, Rule};

use super::festival_surge::{changes_within_dwell, degrade};
use super::ledger::Ledger;
use super::profile::METRO;
use super::world::{Client, Does, Habit, Setup, World};
use super::{Bound, Options, Report, Verdict, Without};

const RULES: [Rule<'static>; 3] = [
    Rule::class("payment", LevelRange::exactly(Level::STRONG)),
    Rule::class("stock", LevelRange::exactly(Level::EVENTUAL)),
    Rule::class("offers", LevelRange::at_best(Level::STRONG)),
];

pub(super) fn play(options: &Options) -> Report {
    let stock = options.brief_or(600, 3_000);
    let links = [(0, 1, METRO), (0, 2, METRO), (1, 2, METRO)];
    let mut setup = Setup::new(options.seed, &["west", "north", "south"], &links);
    setup.policy = Policy::new(&RULES, &[], LevelRange::exactly(Level::EVENTUAL));
    setup.degrade = degrade(options);
    setup.ledger = Ledger::new(!options.lacks(Without::Idempotency));
    // Ten times the usual load is what there is room for.
    setup.cost_us = (6_000, 30_000);
    setup.beat_ms = 250;
    let habit = |class, does, weight, within_ms| Habit { class, does, weight, within_ms };
    let habits = vec![
        habit("stock", Does::Buy, 2, 3_000),
        habit("offers", Does::Read { first: 0, count: 50 }, 8, 3_000),
    ];
    setup.clients = (0..60).map(|n| Client::new(n % 3, 5_000, habits.clone())).collect();
    let mut world = World::new(setup);
    world.stock(stock, !options.lacks(Without::Escrow));
    world.phase("before", format!("{stock} pieces in three regions"));
    world.run_until(30_000);
    world.haste = 25;
    for round in 0..options.brief_or(2, 6) {
        world.phase("surge", "the sale: 25 times as many requests");
        world.run_for(20_000);
        let mut groups = [0; 3];
        groups[(round % 3) as usize] = 1;
        let lost = world.wires.name((round % 3) as usize).to_string();
        world.phase("cut", format!("{lost} is cut off"));
        world.cut(&groups);
        world.run_for(12_000);
        world.say("it is back");
        world.heal();
    }
    world.phase("after", "the sale is over");
    world.haste = 1;
    world.run_for(150_000);
    world.set_open(false);
    world.run_for(30_000);
    // Whoever has bought and was not charged yet is charged now, however often that takes.
    world.settle_payments();

    let sold: u64 = world.stocks().map(|part| part.sold).sum();
    let refused: u64 = world.stocks().map(|part| part.refused).sum();
    let though_left: u64 = world.stocks().map(|part| part.refused_though_left).sum();
    let (bought, unpaid) = world.bought();
    let books = world.books();
    let verdicts = vec![
        Verdict::new(
            "T10",
            "pieces sold that there were not",
            sold.saturating_sub(stock),
            Bound::Exactly(0),
        ),
        Verdict::new("T10", "pieces sold", sold, Bound::AtLeast(1)),
        Verdict::new("T10", "orders charged twice", books.double_charges(), Bound::Exactly(0)),
        Verdict::new("T10", "buyers who were told so and not charged", unpaid, Bound::Exactly(0)),
        Verdict::new(
            "T10",
            "charges of what nobody was sold",
            books.charged().saturating_sub(bought),
            Bound::Exactly(0),
        ),
        Verdict::new(
            "T10",
            "changes of level of one server within a minute",
            changes_within_dwell(&world, DegradeConfig::default().dwell_ms),
            Bound::AtMost(1),
        ),
        Verdict::new(
            "T10",
            "changes of level in all",
            world.transitions.len() as u64,
            Bound::AtLeast(1),
        ),
        Verdict::new(
            "T10",
            "payments at any other level than strong",
            world.weak_payments,
            Bound::Exactly(0),
        ),
    ];
    let table = format!(
        "sold {sold} of {stock}; refused {refused} times, {though_left} of them while others had rights (the price of \
         asking nobody); {bought} buyers were told so, {} orders were charged",
        books.charged()
    );
    let mut report = world.report(verdicts);
    report.tables.push(table);
    report
}
