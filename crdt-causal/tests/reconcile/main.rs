//! How two collections differ, as sketches tell it and as a model does.

use std::collections::{BTreeMap, BTreeSet};

use crdt_causal::reconcile::{
    Answer, Collection, Entry, Exchange, Limits, Offer, Salt, Sketch, answer,
};
use crdt_core::codec::{Decode, Encode, Reader, Writer};

/// Chance from a seed (Steele, Lea and Flood's SplitMix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn salt(&mut self) -> Salt {
        let (a, b) = (self.next().to_le_bytes(), self.next().to_le_bytes());
        Salt(std::array::from_fn(|at| if at < 8 { a[at] } else { b[at - 8] }))
    }
}

type Model = BTreeMap<Vec<u8>, u64>;

/// Runs an exchange to its end; returns how it ended, with the bytes and the round trips.
fn run(here: &Model, there: &Model, salt: Salt, limits: Limits) -> (Exchange, usize, usize) {
    let there: Collection = there.clone().into_iter().collect();
    let mut exchange = Exchange::new(here.clone().into_iter().collect(), salt, limits);
    let (mut bytes, mut rounds) = (0, 0);
    while let Some(offer) = exchange.poll_transmit() {
        assert!(offer.len() <= limits.message_bytes_max);
        let answered = answer(&there, &offer, &limits).unwrap();
        assert!(answered.len() <= limits.message_bytes_max);
        exchange.handle(&answered).unwrap();
        bytes += offer.len() + answered.len();
        rounds += 1;
    }
    (exchange, bytes, rounds)
}

/// Fails unless the exchange told what a comparison of the two maps tells.
fn agrees(here: &Model, there: &Model, exchange: &Exchange) {
    let found = exchange.difference().expect("it ended");
    assert!(found.is_complete);
    let keys = |map: &Model| map.keys().cloned().collect::<BTreeSet<_>>();
    let only_here: Vec<_> = keys(here).difference(&keys(there)).cloned().collect();
    let only_there: Vec<_> = keys(there).difference(&keys(here)).cloned().collect();
    let different =
        here.iter().filter(|(k, v)| there.get(*k).is_some_and(|o| o != *v)).map(|(k, _)| k.clone());
    assert_eq!(found.only_here, only_here);
    assert_eq!(found.only_there, only_there);
    assert_eq!(found.different, different.collect::<Vec<_>>());
}

/// Two maps that have `common` names in common, and `apart` in which they differ.
fn maps(random: &mut Random, common: u64, apart: u64) -> (Model, Model) {
    let (mut here, mut there) = (Model::new(), Model::new());
    for number in 0..common + apart {
        let name = format!("document {number} {}", random.below(1 << 30)).into_bytes();
        let value = random.next() >> random.below(60);
        if number < common || random.below(3) > 0 {
            here.insert(name.clone(), value);
            if number < common {
                there.insert(name, value);
            } else if random.below(2) > 0 {
                there.insert(name, value + 1);
            }
        } else {
            there.insert(name, value);
        }
    }
    (here, there)
}

#[test]
fn an_exchange_finds_every_difference() {
    let cases = std::env::var("CRDT_CASES").ok().and_then(|cases| cases.parse().ok());
    for seed in 0..cases.unwrap_or(4_096u64) {
        let mut random = Random(seed);
        let (bits, sparse) = (random.below(8), random.below(6));
        let (common, apart) = (random.below(1 << bits), random.below(1 << sparse));
        let (here, there) = maps(&mut random, common, apart);
        let limits = Limits::default().with_first_symbols(1 + random.below(40) as usize);
        let (exchange, ..) = run(&here, &there, random.salt(), limits);
        agrees(&here, &there, &exchange);
    }
}

#[test]
fn collections_of_any_size_cost_what_their_difference_costs() {
    let mut random = Random(17);
    for (common, apart, bytes_max, rounds_max) in [
        (10_000, 0, 1_400, 1),
        (10_000, 10, 2_000, 2),
        (100_000, 10, 2_000, 2),
        (100_000, 1_000, 100_000, 3),
        (100, 5_000, 350_000, 3),
        (0, 1_000, 60_000, 2),
    ] {
        let (here, there) = maps(&mut random, common, apart);
        let (exchange, bytes, rounds) = run(&here, &there, random.salt(), Limits::default());
        agrees(&here, &there, &exchange);
        println!("{common} in common, {apart} apart: {bytes} bytes, {rounds} round trips");
        assert!(bytes <= bytes_max && rounds <= rounds_max, "{bytes} bytes, {rounds} rounds");
    }
}

#[test]
fn a_sketch_of_64_symbols_tells_24_entries_nearly_always() {
    for (apart, failures_max) in [(10, 0), (20, 5), (24, 20)] {
        let mut failures = 0;
        for seed in 0..1_000 {
            let mut random = Random(seed << 20 | apart);
            let salt = random.salt();
            let mut set = |count: u64| -> Vec<Entry> {
                let entry = |_| Entry { key: random.next(), value: random.next() };
                (0..count).map(entry).collect()
            };
            let (common, ours, theirs) = (set(50), set(apart / 2), set(apart - apart / 2));
            let with = |extra: &[Entry]| [&common[..], extra].concat();
            match Sketch::of(salt, with(&theirs), 64).peel(salt, with(&ours)) {
                Ok(peeled) => {
                    let sorted = |mut entries: Vec<Entry>| {
                        entries.sort();
                        entries
                    };
                    assert_eq!(peeled.ours, sorted(ours));
                    assert_eq!(peeled.theirs, sorted(theirs));
                }
                Err(_) => failures += 1,
            }
        }
        println!("{apart} entries apart: {failures} of 1000 sketches were too short");
        assert!(failures <= failures_max);
    }
}

#[test]
fn what_does_not_fit_is_said_to_be_missing() {
    let mut random = Random(3);
    let (here, there) = maps(&mut random, 10, 4_000);
    let limits = Limits::default().with_message_bytes_max(16 << 10);
    let (exchange, ..) = run(&here, &there, random.salt(), limits);
    let found = exchange.difference().unwrap();
    assert!(!found.is_complete);
    let told = found.only_here.len() + found.only_there.len() + found.different.len();
    assert!(told > 100);
    // What is told is dealt with, and the rest comes with the exchanges after that.
    let (mut here, mut there) = (here, there);
    for round in 0.. {
        assert!(round < 100, "every exchange brings the two nearer to each other");
        let (exchange, ..) = run(&here, &there, random.salt(), limits);
        let found = exchange.difference().unwrap();
        for name in found.only_here.iter().chain(&found.different) {
            there.insert(name.clone(), here[name]);
        }
        for name in &found.only_there {
            here.insert(name.clone(), there[name]);
        }
        if found.is_complete {
            break;
        }
    }
    assert_eq!(here, there);
}

#[test]
fn a_peer_that_makes_symbols_up_gets_an_answer() {
    // Whatever stands in a sketch, peeling ends.
    for seed in 0..2_000u64 {
        let mut random = Random(seed);
        let salt = random.salt();
        let set = |from: u64, count: u64| (from..from + count).map(|n| salt.entry(b"n", n));
        let sketch = Sketch::of(salt, set(0, 20), 32);
        let mut out = Writer::new();
        sketch.encode(&mut out);
        let mut bytes = out.into_bytes();
        for _ in 0..1 + random.below(4) {
            let at = 2 + random.below(bytes.len() as u64 - 2) as usize;
            bytes[at] ^= 1 << random.below(8);
        }
        if let Ok(sketch) = Sketch::decode(&mut Reader::new(&bytes)) {
            let _ = sketch.peel(salt, set(5, 20));
        }
    }
}

#[test]
fn the_bytes_are_as_they_always_were() {
    let salt = Salt(*b"0123456789abcdef");
    let sketch = Sketch::of(salt, (1..=3).map(|n| salt.entry(&[n], u64::from(n) << 9)), 3);
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let offer = Offer::Sketch(salt, sketch);
    assert_eq!(hex(&offer.to_bytes()), GOLDEN_OFFER);
    assert_eq!(Offer::decode(&offer.to_bytes()), Ok(offer));
    let difference = Answer::Difference {
        names: vec![b"a".to_vec(), b"bc".to_vec()],
        unknown: vec![1, 0x1122_3344_5566_7788],
        complete: true,
    };
    assert_eq!(hex(&difference.to_bytes()), GOLDEN_ANSWER);
    assert_eq!(Answer::decode(&difference.to_bytes()), Ok(difference));
}

const GOLDEN_OFFER: &str = "000030313233343536373839616263646566\
    030219d5f4f88c19194100008f41923c0621d0c508ec7f042b0006eb25f7b400908d4314db0537860004308cd31802";
const GOLDEN_ANSWER: &str = "00010201610262630201000000000000008877665544332211";
