//! What reading changes holds at its peak: at most 64 KiB + 32 × the bytes, over documents
//! made to be as dense as they can be; and what the document holds that is built of them. One test, since the allocator counts for the whole
//! process.

use crdt_document::{Document, ReplicaId, Value};
use peak_alloc::PeakAlloc;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

const MANY: usize = 20_000;

fn doc(id: u128) -> Document {
    let mut doc = Document::new(ReplicaId::from_u128(id));
    doc.record_events(false);
    doc
}

fn one(edit: impl FnOnce(&mut crdt_document::Transaction<'_>)) -> Document {
    let mut doc = doc(1);
    doc.transact(|tx| {
        edit(tx);
        Ok(())
    })
    .unwrap();
    doc
}

fn short_key(number: usize) -> String {
    let digit = |n: usize| char::from(b'!' + (n % 90) as u8);
    [digit(number), digit(number / 90), digit(number / 8100)].iter().collect()
}

fn dense() -> Vec<(&'static str, Document)> {
    let mut all = Vec::new();
    all.push((
        "one key written again and again",
        one(|tx| {
            for _ in 0..MANY {
                tx.root().set("k", Value::Null);
            }
        }),
    ));
    all.push((
        "many short keys",
        one(|tx| {
            for number in 0..MANY {
                tx.root().set(&short_key(number), Value::Null);
            }
        }),
    ));
    all.push((
        "keys written and removed",
        one(|tx| {
            for _ in 0..MANY {
                tx.root().set("k", Value::Null).remove("k");
            }
        }),
    ));
    all.push((
        "many containers of one event",
        one(|tx| {
            for number in 0..MANY {
                tx.counter(&short_key(number)).increment(1);
            }
        }),
    ));
    all.push((
        "a deep path",
        one(|tx| {
            let path = (0..30).fold(crdt_document::Path::root(), |path, _| path.map(""));
            tx.at_map(path).set("", Value::Null);
        }),
    ));
    all.push((
        "many elements",
        one(|tx| {
            for number in 0..MANY as i64 {
                tx.set("s").add(number);
            }
        }),
    ));
    all.push((
        "sums that differ",
        one(|tx| {
            for number in 0..MANY as i64 {
                tx.counter("c").increment(1 + number % 2);
            }
        }),
    ));
    all.push((
        "many created containers",
        one(|tx| {
            for number in 0..MANY {
                tx.map(&short_key(number)).create();
            }
        }),
    ));
    all.push((
        "a long list",
        one(|tx| {
            tx.root().set("k", vec![Value::Null; MANY * 10]);
        }),
    ));
    all.push((
        "short lists in a list",
        one(|tx| {
            tx.root().set("k", vec![Value::from(Vec::<Value>::new()); MANY]);
        }),
    ));
    all.push((
        "short maps in a list",
        one(|tx| {
            let map: crdt_document::ValueMap = [("a", Value::Null)].into_iter().collect();
            tx.root().set("k", vec![Value::from(map); MANY]);
        }),
    ));
    all.push((
        "text typed here and there",
        one(|tx| {
            for number in 0..MANY {
                let at = (number * 7) % (tx.text("t").len() + 1);
                tx.text("t").insert(at, "a").unwrap();
            }
        }),
    ));
    all.push((
        "characters deleted here and there",
        one(|tx| {
            tx.text("t").insert(0, &"a".repeat(MANY)).unwrap();
            for number in 0..MANY / 2 {
                let at = (number * 7919) % tx.text("t").len();
                tx.text("t").delete(at..at + 1).unwrap();
            }
        }),
    ));
    let mut lengths = doc(1);
    for number in 0..MANY {
        lengths
            .transact(|tx| {
                tx.counter("c").increment(1);
                if number % 2 == 0 {
                    tx.counter("c").increment(1);
                }
                Ok(())
            })
            .unwrap();
    }
    all.push(("changes of one and two events", lengths));
    let (mut left, mut right) = (doc(1), doc(2));
    for _ in 0..MANY / 20 {
        left.transact(|tx| tx.text("t").push("a").map(drop)).unwrap();
        right.transact(|tx| tx.text("t").push("b").map(drop)).unwrap();
        left.import(&right.changes_since(left.version())).unwrap();
        right.import(&left.changes_since(right.version())).unwrap();
    }
    all.push(("two who merge after each character", left));
    let mut crowd = doc(1);
    for writer in 2..1000 {
        let mut other = doc(writer);
        other.transact(|tx| tx.text("t").push("a").map(drop)).unwrap();
        crowd.import(&other.encode()).unwrap();
    }
    crowd.transact(|tx| tx.text("t").push("a").map(drop)).unwrap();
    all.push(("a thousand writers of one character", crowd));
    all
}

#[test]
fn reading_stays_within_its_bound() {
    let mut table = String::new();
    for (name, doc) in dense() {
        let bytes = doc.encode();
        drop(doc);
        let reader = Document::reader();
        let peak = peak(|| drop(reader.decode_changes(&bytes).unwrap()));
        let bound = (64 << 10) + 32 * bytes.len();
        let applied = peak_of_document(&bytes);
        table += &format!(
            "{name}: {} bytes, read with {:.1} and held as a document with {:.1} bytes each\n",
            bytes.len(),
            peak as f64 / bytes.len() as f64,
            applied as f64 / bytes.len() as f64,
        );
        assert!(peak <= bound, "{name}: {peak} bytes held for {}", bytes.len());
        // A container that a few bytes create is an entry in a tree of containers; nothing
        // else takes more than reading does.
        let times = if name.contains("containers") { 128 } else { 32 };
        let bound = (64 << 10) + times * bytes.len();
        assert!(applied <= bound, "{name}: {applied} bytes for a document of {}", bytes.len());
        // Pieces of it, most of which lie about what follows.
        for part in 1..8 {
            let cut = &bytes[..bytes.len() * part / 8];
            let mut repaired = cut[..cut.len().saturating_sub(4)].to_vec();
            repaired.extend(crdt_core::codec::checksum(&repaired).to_le_bytes());
            let peak = self::peak(|| drop(reader.decode_changes(&repaired)));
            assert!(peak <= (64 << 10) + 32 * repaired.len(), "{name}, {part} eighths: {peak}");
        }
    }
    println!("{table}");
}

fn peak_of_document(bytes: &[u8]) -> usize {
    peak(|| drop(Document::decode(bytes).unwrap()))
}

fn peak(run: impl FnOnce()) -> usize {
    MEMORY.reset_peak_usage();
    let before = MEMORY.current_usage();
    run();
    MEMORY.peak_usage() - before
}
