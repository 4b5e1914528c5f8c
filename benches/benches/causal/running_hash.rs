//! What the running hash of a replica's events costs.

use std::hint::black_box;

use benches::timed;
use crdt_causal::sync::{ChainHash, ChangeLog};
use crdt_document::{Document, ReplicaId};

/// So many events are hashed when somebody asks for the last one: no hash in between is kept.
const EVENTS: u64 = 255;
const QUESTIONS: u32 = 2_000;
/// The one in the middle is printed.
const RUNS: usize = 9;

/// A text of so many letters, each a change of its own or all of them one.
fn written(apart: bool) -> Document {
    let mut document = Document::new(ReplicaId::from_u128(7));
    let changes = if apart { EVENTS } else { 1 };
    for _ in 0..changes {
        let typed = "x".repeat((EVENTS / changes) as usize);
        let pushed = document.transact(|tx| tx.text("body").push(&typed).map(drop));
        pushed.expect("there is room");
    }
    document
}

/// The nanoseconds that one event takes, by asking a document for the hash at its last one.
fn of_document(document: &Document) -> f64 {
    let last = document.frontier().iter().next().expect("it was written to");
    assert_eq!(last.seq, EVENTS, "one event a letter");
    per_event(|| {
        let hash = document.chain(black_box(last)).expect("it is held");
        black_box(hash);
    })
}

/// The same without a document: a word of eight bytes for each event.
fn of_words() -> f64 {
    per_event(|| {
        let hash = (0..EVENTS).fold(ChainHash::START, |hash, event| hash.word(black_box(event)));
        black_box(hash);
    })
}

fn per_event(ask: impl Fn()) -> f64 {
    let mut ms: Vec<f64> =
        (0..RUNS).map(|_| timed(|| (0..QUESTIONS).for_each(|_| ask())).0).collect();
    ms.sort_by(f64::total_cmp);
    ms[RUNS / 2] * 1e6 / f64::from(QUESTIONS) / EVENTS as f64
}

/// Prints what an event costs, in nanoseconds.
pub(crate) fn print() {
    println!("\nrunning hash, nanoseconds an event");
    for (name, ns) in [
        ("a word, without a document", of_words()),
        ("a letter of a long change", of_document(&written(false))),
        ("a letter that is a change", of_document(&written(true))),
    ] {
        println!("{name:<28} {ns:>6.1}");
    }
}
