//! What it costs that a document was written by many short-lived writers.

use benches::timed;
use crdt_document::{Document, ReplicaId};

const EVENTS: u32 = 1_000_000;

/// A text that so many writers typed, one after the other, each with all before in sight.
fn written(writers: u32) -> Vec<u8> {
    let mut document = Document::new(ReplicaId::from_u128(1));
    document.record_events(false);
    let each = EVENTS / writers;
    // Short ids in a row would be what no browser has.
    let mut id = 0x0123_4567_89ab_cdef_u128;
    for _ in 0..writers {
        id = id.wrapping_mul(0x2360_ed05_1fc6_5da4_4385_df64_9fcc_f645).wrapping_add(1);
        document.set_replica(ReplicaId::from_u128(id)).expect("no transaction is open");
        for _ in 0..each {
            let typed = document.transact(|tx| tx.text("body").push("x").map(drop));
            typed.expect("there is room");
        }
    }
    document.encode()
}

/// Prints how long it takes to open what 10 and what 100,000 have written.
pub(crate) fn print() {
    println!("\n{EVENTS} typed characters, opened");
    let mut first = None;
    for writers in [10, 1_000, 100_000] {
        let bytes = written(writers);
        let ms = (0..3)
            .map(|_| timed(|| Document::decode(&bytes).expect("own bytes")).0)
            .min_by(f64::total_cmp)
            .expect("three runs");
        let ten = *first.get_or_insert(ms);
        println!(
            "{writers:>8} writers {:>10} bytes {ms:>10.1} ms {:>6.2} x",
            bytes.len(),
            ms / ten
        );
    }
}
