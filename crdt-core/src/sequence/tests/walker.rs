//! The engine against the paper's tree.

use alloc::string::ToString;

use super::history::{self, Engine, Shape};
use super::random::Random;

/// How many histories: 20,000, or what `CRDT_HISTORIES` says.
fn histories() -> u64 {
    std::env::var("CRDT_HISTORIES").ok().and_then(|n| n.parse().ok()).unwrap_or(20_000)
}

#[test]
fn equals_the_papers_tree_on_random_histories() {
    for seed in 0..histories() {
        let mut random = Random::new(seed);
        let deletes_percent = *random.pick(&[0, 10, 30, 45]);
        let clears = seed % 3 == 0;
        let history =
            history::random(&mut random, Shape { events_max: 40, clears, deletes_percent });
        let mut engine = Engine::new(&history);
        engine.receive_all(&history, &mut random);
        assert_eq!(engine.store.to_string(), history.text, "seed {seed}: {history:#?}");
    }
}

/// Every version of a history can be read, and is what its writer saw.
#[test]
fn reads_every_version() {
    for seed in 0..histories() / 10 {
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
