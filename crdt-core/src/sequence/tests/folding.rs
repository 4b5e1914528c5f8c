//! What the window forgets makes no difference: against a walker that forgets nothing.
//!
//! Each condition of folding has a bug that can be planted. With `RUSTFLAGS='--cfg
//! canary="chosen"'` there is one test more, which plants them one after the other; run it
//! alone: `cargo test -p crdt-core --lib -- each_condition_of_folding_is_needed`.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::history::{self, Edit, Engine, History, Shape};
use super::random::Random;
use crate::sequence::run::{Run, RunKind};
use crate::sequence::walker::{TipEdit, Walker};

/// How many histories, each in three orders: 20,000, or a tenth of what `CRDT_CASES` says.
fn histories() -> u64 {
    let said = std::env::var("CRDT_CASES").ok().and_then(|n| n.parse::<u64>().ok());
    said.map_or(20_000, |cases| cases.div_ceil(10))
}

/// The text by a walker that is fed everything from the beginning.
fn unfolded(history: &History, engine: &Engine) -> String {
    let mut walker = Walker::new(None, 0);
    let mut events: Vec<_> = history.events.iter().zip(&engine.lvs).collect();
    events.sort_by_key(|(_, lv)| **lv);
    let mut text: Vec<char> = Vec::new();
    for (event, lv) in events {
        let lv = lv.expect("it is known");
        let (kind, at, value) = match event.edit {
            Edit::Insert(at, value) => (RunKind::Insert, at as u32, value),
            Edit::Delete(at) => (RunKind::DeleteForward, at as u32, ' '),
            Edit::Clear => (RunKind::Clear, 0, ' '),
        };
        let parents = engine.graph.parents_of(lv);
        let store = engine.store.history(&engine.graph, crate::sequence::merge::EVERYTHING);
        walker
            .feed(&store, (lv, Run { kind, at, len: 1 }), &parents, &mut |edit| match edit {
                TipEdit::Insert { at } => text.insert(at as usize, value),
                TipEdit::Delete { at, len } => {
                    text.drain(at as usize..(at + len) as usize);
                }
            })
            .expect("it is valid");
    }
    text.into_iter().collect()
}

/// Whether three orders of a history give what a walker gives that forgets nothing.
fn is_equal(seed: u64) -> bool {
    let mut random = Random::new(seed ^ 0xf01d);
    let shape = Shape {
        events_max: 40,
        clears: seed.is_multiple_of(8),
        deletes_percent: *random.pick(&[10, 30, 45]),
    };
    let history = history::random(&mut random, shape);
    (0..3).all(|_| {
        let mut engine = Engine::new(&history);
        engine.receive_all(&history, &mut random);
        engine.store.to_string() == unfolded(&history, &engine)
    })
}

#[test]
fn folding_equals_an_unfolded_walker() {
    for seed in 0..histories() {
        assert!(is_equal(seed), "seed {seed}");
    }
}

#[test]
#[cfg(canary = "chosen")]
fn each_condition_of_folding_is_needed() {
    for name in ["fold_order", "fold_base", "fold_insertion", "fold_remover", "fold_neighbour"] {
        crate::canary::plant(name);
        let found = (0..histories())
            .find(|&seed| std::panic::catch_unwind(|| is_equal(seed)).map_or(true, |equal| !equal));
        crate::canary::plant("");
        let seed = found.unwrap_or_else(|| panic!("{name} goes unseen"));
        std::println!("{name}: seed {seed}");
    }
}

/// The test above is one of folding: most edits that see the window are applied by it, and
/// elements are forgotten in most histories.
#[test]
fn windows_are_used_and_folded() {
    let (mut folded, mut count) = (0, 0);
    for seed in 0..500 {
        let mut random = Random::new(seed ^ 0xf01d);
        let shape = Shape { events_max: 40, clears: false, deletes_percent: 30 };
        let history = history::random(&mut random, shape);
        let before = crate::sequence::steps::folded();
        Engine::new(&history).receive_all(&history, &mut random);
        count += u32::from(history.events.len() > 20);
        folded += u32::from(crate::sequence::steps::folded() > before);
    }
    assert!(folded > count / 2, "{folded} of {count}");
}
