//! What it takes to find out in what two collections differ, without a common past: by sketches, as
//! `crdt_causal::reconcile` does, and by ranges, halved (or rather, cut into sixteen) until few entries are left.
//!
//! Bytes and round trips are counted, and are the same on every machine; the time is that of the processor for both
//! sides together, the middle one of five runs. What was found is checked. Ranges are counted without the names of what differs, which
//! would have to follow; sketches with them.

mod ranges;

use std::collections::BTreeMap;

use benches::timed;
use crdt_causal::reconcile::{Collection, Exchange, Limits, Salt, answer};
use delivery_loads::Random;

use ranges::Ranges;

/// Names of 16 bytes, as replica ids are, with numbers.
type Entries = BTreeMap<Vec<u8>, u64>;

/// What an exchange took.
#[derive(Clone, Copy, Debug, Default)]
struct Cost {
    bytes: usize,
    rounds: usize,
    ms: f64,
}

const RUNS: usize = 5;

/// Two collections with `common` entries in common, and `apart` that have another number at the other side.
fn collections(common: usize, apart: usize) -> [Entries; 2] {
    let mut random = Random((common + apart) as u64);
    let (mut here, mut there) = (Entries::new(), Entries::new());
    for number in 0..common + apart {
        let name = [random.draw(), random.draw()].map(u64::to_be_bytes).concat();
        let value = random.draw() >> 44;
        there.insert(name.clone(), if number < common { value } else { value + 1 });
        here.insert(name, value);
    }
    [here, there]
}

fn by_sketches(here: &Entries, there: &Entries, apart: usize) -> Cost {
    let there: Collection = there.clone().into_iter().collect();
    let limits = Limits::default();
    let mut exchange = Exchange::new(here.clone().into_iter().collect(), Salt([7; 16]), limits);
    let mut cost = Cost::default();
    let (ms, ()) = timed(|| {
        while let Some(offer) = exchange.poll_transmit() {
            let answered = answer(&there, &offer, &limits).expect("an honest offer");
            exchange.handle(&answered).expect("an honest answer");
            cost.bytes += offer.len() + answered.len();
            cost.rounds += 1;
        }
    });
    let found = exchange.difference().expect("it ended");
    assert!(found.is_complete && found.different.len() == apart, "everything is found");
    Cost { ms, ..cost }
}

fn by_ranges(here: &Entries, there: &Entries, parts: usize, apart: usize) -> Cost {
    let mut cost = Cost::default();
    let (ms, found) = timed(|| {
        let (mut asks, answers) = (Ranges::of(here, parts), Ranges::of(there, parts));
        let mut asked = asks.begin();
        while !asked.is_empty() {
            let answered = answers.answer(&asked);
            cost.bytes += ranges::bytes(&asked) + ranges::bytes(&answered);
            cost.rounds += 1;
            asked = asks.learn(&answered);
        }
        asks.found()
    });
    assert_eq!(found, [apart; 2], "everything is found");
    Cost { ms, ..cost }
}

/// The run that took neither the longest nor the shortest.
fn middle(run: impl Fn() -> Cost) -> Cost {
    let mut costs: Vec<Cost> = (0..RUNS).map(|_| run()).collect();
    costs.sort_by(|a, b| a.ms.total_cmp(&b.ms));
    costs[RUNS / 2]
}

fn main() {
    println!(
        "{:>9} {:>7} {:>28} {:>28} {:>28}",
        "entries", "differ", "sketches", "ranges, cut in 16", "ranges, cut in 64"
    );
    for (entries, apart) in [
        (1_000, 0),
        (1_000, 1),
        (1_000, 10),
        (1_000, 100),
        (1_000, 1_000),
        (100_000, 1),
        (100_000, 10),
        (100_000, 100),
        (100_000, 1_000),
        (100_000, 10_000),
    ] {
        let [here, there] = collections(entries - apart, apart);
        print!("{entries:>9} {apart:>7}");
        for cost in [
            middle(|| by_sketches(&here, &there, apart)),
            middle(|| by_ranges(&here, &there, 16, apart)),
            middle(|| by_ranges(&here, &there, 64, apart)),
        ] {
            let Cost { bytes, rounds, ms } = cost;
            print!(" {bytes:>10} B {rounds:>3} RT {ms:>6.2} ms");
        }
        println!();
    }
}
