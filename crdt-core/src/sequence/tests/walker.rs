//! The engine against the paper's tree, and that nobody's typing is mixed with another's.
//!
//! With `RUSTFLAGS="--cfg canary"` ties are broken by the order of arrival, and the first
//! test panics.

use alloc::string::ToString;

use super::history::{self, Engine, Shape};
use super::interleaving;
use super::random::Random;

/// How many histories: 20,000, or what `CRDT_CASES` says.
fn histories() -> u64 {
    std::env::var("CRDT_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(20_000)
}

#[test]
#[cfg_attr(canary, should_panic)]
fn equals_the_papers_tree_on_random_histories() {
    for seed in 0..histories() {
        let mut random = Random::new(seed);
        let deletes_percent = *random.pick(&[0, 10, 30, 45]);
        let clears = seed % 3 == 0;
        let history =
            history::random(&mut random, Shape { events_max: 40, clears, deletes_percent });
        let mut engine = Engine::new(&history);
        engine.receive_all(&history, &mut random);
        let text = engine.store.to_string();
        assert_eq!(text, history.text, "seed {seed}: {history:#?}");
        assert_eq!(interleaving::check(&history, &text), Ok(()), "seed {seed}: {history:#?}");
    }
}

/// Every version of a history can be read, and is what its writer saw.
#[test]
fn reads_every_version() {
    for seed in 0..histories().div_ceil(10) {
        let mut random = Random::new(seed);
        let shape = Shape { events_max: 40, clears: true, deletes_percent: 25 };
        let history = history::random(&mut random, shape);
        let mut engine = Engine::new(&history);
        engine.receive_all(&history, &mut random);
        for (event, lv) in history.events.iter().zip(&engine.lvs) {
            let lv = lv.expect("all were received");
            let text = engine.store.text_at(&engine.graph, &[lv]);
            text.check_invariants();
            assert_eq!(text.to_string(), event.text_after, "seed {seed}, event {}", event.dot);
        }
    }
}

/// What was staged or edited and rolled back leaves no trace, neither in the text nor in
/// what later merges do.
#[test]
fn rolling_back_is_never_having_begun() {
    for seed in 0..histories().div_ceil(4) {
        let mut random = Random::new(seed);
        let shape = Shape { events_max: 40, clears: seed % 3 == 0, deletes_percent: 25 };
        let history = history::random(&mut random, shape);
        let mut engine = Engine::new(&history);
        while !engine.ready(&history).is_empty() {
            if random.chance(40) {
                let mut tried = engine.clone();
                let count = 1 + random.below(10);
                tried.receive_and_roll_back(&history, count, &mut random);
                tried.store.check_invariants();
                assert_eq!(tried.store.to_string(), engine.store.to_string(), "seed {seed}");
                engine = tried;
            }
            if random.chance(40) {
                let before = engine.store.to_string();
                let end = engine.graph.len();
                let len = engine.store.len_chars();
                let typed = engine.store.insert(end, random.below(len as usize + 1) as u32, "xyz");
                assert_eq!(typed, Ok(3));
                if random.chance(50) {
                    let _text = engine.store.delete(end + 3, 1, len.min(2)).expect("in bounds");
                }
                if random.chance(20) {
                    let _text = engine.store.clear(end + 9).expect("in bounds");
                }
                engine.store.roll_back();
                engine.store.check_invariants();
                assert_eq!(engine.store.to_string(), before, "seed {seed}");
            }
            let count = 1 + random.below(6);
            engine.receive(&history, count, &mut random);
        }
        assert_eq!(engine.store.to_string(), history.text, "seed {seed}");
    }
}
