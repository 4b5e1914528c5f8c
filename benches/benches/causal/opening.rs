//! What it costs that a document was written by many short-lived writers: decoded, which plays its whole
//! history, and opened, which shows what is visible.

use benches::timed;
use crdt_document::{Document, ReplicaId};

const EVENTS: u32 = 1_000_000;

/// A text that so many writers typed, one after the other, each with all before in sight.
fn written(writers: u32) -> Document {
    let mut document = Document::new(ReplicaId::from_u128(1));
    document.record_events(false);
    let each = EVENTS / writers;
    // Short ids in a row would be what no browser has.
    let mut id = 0x0123_4567_89ab_cdef_u128;
    let mut letter = 1_u64;
    for _ in 0..writers {
        id = id.wrapping_mul(0x2360_ed05_1fc6_5da4_4385_df64_9fcc_f645).wrapping_add(1);
        document.set_replica(ReplicaId::from_u128(id)).expect("no transaction is open");
        for _ in 0..each {
            // The same text by whomever, and one that does not compress to nothing.
            letter = letter.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
            let letter = LETTERS[(letter >> 33) as usize % LETTERS.len()];
            let typed = document.transact(|tx| tx.text("body").push(letter).map(drop));
            typed.expect("there is room");
        }
    }
    document
}

const LETTERS: [&str; 11] = ["t", "h", "e", " ", "m", "o", "n", "s", "u", "r", "a"];

/// The shortest of some runs, in milliseconds. The bytes are there when the clock starts, as those of
/// a file are that was read, and the document goes when it has stopped.
fn shortest(bytes: &[u8], run: impl Fn(Vec<u8>) -> Document) -> f64 {
    let times = (0..RUNS).map(|_| {
        let bytes = bytes.to_vec();
        timed(|| run(bytes)).0
    });
    times.min_by(f64::total_cmp).expect("some runs")
}

const RUNS: u32 = 9;

/// Prints how long it takes to decode and to open what 10, 1,000 and 100,000 have written.
pub(crate) fn print() {
    println!("\n{EVENTS} typed characters, decoded and opened");
    let mut first = None;
    for writers in [10, 1_000, 100_000] {
        let document = written(writers);
        let (encoded, saved) = (document.encode(), document.save());
        let decode = |bytes: Vec<u8>| Document::decode(&bytes).expect("own bytes");
        let open = |bytes: Vec<u8>| Document::open(bytes).expect("own bytes");
        let (decoding, opening) = (shortest(&encoded, decode), shortest(&saved, open));
        let (decoded, opened) = (decode(encoded.clone()), open(saved.clone()));
        assert!(!opened.has_history());
        assert!(opened.text("body").chars().eq(decoded.text("body").chars()));
        assert!(opened.version() == decoded.version() && opened.history() == Ok(()));
        let ten = *first.get_or_insert((decoding, opening));
        println!(
            "{writers:>8} writers: decoded {:>9} bytes {decoding:>8.2} ms {:>6.2} x, \
             opened {:>9} bytes {opening:>7.2} ms {:>5.2} x",
            encoded.len(),
            decoding / ten.0,
            saved.len(),
            opening / ten.1,
        );
    }
}
