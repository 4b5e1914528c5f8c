//! Saved documents, from a disk that somebody else may have written to. What is checked by a checksum
//! gets a valid one, so that mutations reach behind it.

use std::sync::LazyLock;

use crdt_core::codec::{Lengths, Packing, Reader, Writer, seal};
use crdt_document::{Document, ReplicaId};

use super::replicas;
use crate::memory::bounded_building;

const MAGIC: [u8; 4] = *b"CRDs";

/// The version and the genesis, which are alike for all.
static FRAME: LazyLock<Vec<u8>> =
    LazyLock::new(|| Document::reader().save()[MAGIC.len()..][..17].to_vec());

/// An id and the number of its last event.
const WRITER_LEN: usize = 20;

/// A part that is compressed comes to so many times its length at most.
const INFLATED_MAX: usize = 16;

/// The first byte chooses whether the rest is a file without its checksum, or its parts as they are
/// before they are compressed; and what is done with the document first.
pub fn run(bytes: &[u8]) {
    let Some((&choice, body)) = bytes.split_first() else { return };
    let (file, times) = match choice & 1 {
        0 => (seal(MAGIC, body), 1 + INFLATED_MAX),
        _ => (put_together(body).unwrap_or_default(), 1),
    };
    let paid = times * file.len();
    let Ok(mut document) = bounded_building(paid, || Document::open(&file[..])) else { return };
    document.check_invariants();
    let shown = document.to_value();
    assert_eq!(document.save(), file, "opening and saving is the identity");
    if choice & 2 != 0 {
        document.set_replica(writer(choice)).expect("no transaction is open");
        // It may be full.
        let _ = document.transact(|tx| tx.text("body").push("x").map(drop));
    }
    let written = document.to_value();
    let lost = bounded_building(2 * paid, || document.history().is_err());
    document.check_invariants();
    assert_eq!(document.to_value(), written, "the history changes what is shown");
    let saved = document.save();
    let again = Document::open(&saved[..]).expect("a saved document opens");
    assert_eq!(again.to_value(), written, "a saved document shows something else");
    if !lost || choice & 2 != 0 {
        assert_eq!(again.history(), Ok(()), "a saved document has lost its history");
        assert_eq!(again.encode(), document.encode(), "a saved document has another history");
    } else {
        assert_eq!(again.to_value(), shown);
    }
}

/// Documents of two writers in all kinds of container, trimmed and not, as files and as parts.
pub fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for document in &documents() {
        let file = document.save();
        let body = &file[MAGIC.len()..file.len() - 4];
        let parts = take_apart(body).expect("own bytes");
        for choice in [0u8, 2] {
            seeds.push([&[choice], body].concat());
            seeds.push([&[choice | 1], &parts[..]].concat());
        }
    }
    seeds
}

/// Who goes on writing: somebody new, or one of those who have written.
fn writer(choice: u8) -> ReplicaId {
    replicas()[usize::from(choice >> 2) % 3]
}

/// From sections of writers and snapshot, and the history behind them, to what is under the checksum.
fn put_together(body: &[u8]) -> Option<Vec<u8>> {
    let mut input = Reader::new(body);
    let writers = input.bytes().ok()?;
    let snapshot = input.bytes().ok()?;
    let mut out = Writer::new();
    out.raw(&FRAME);
    out.count(writers.len() / WRITER_LEN);
    out.raw(&writers[..writers.len() / WRITER_LEN * WRITER_LEN]);
    for raw in [snapshot, input.rest()] {
        out.count(raw.len());
        out.count(0);
        out.raw(raw);
    }
    Some(seal(MAGIC, out.as_bytes()))
}

/// The other way round.
fn take_apart(body: &[u8]) -> Option<Vec<u8>> {
    let mut input = Reader::new(body.get(FRAME.len()..)?);
    let writers = input.count(WRITER_LEN).ok()? * WRITER_LEN;
    let mut out = Writer::new();
    out.bytes(input.take(writers).ok()?);
    let mut unpack = |kind| {
        let lengths = Lengths::read(kind, &mut input).ok()?;
        lengths.unpack(kind, input.take(lengths.stored()).ok()?).ok()
    };
    out.bytes(&unpack(Packing::Shown)?);
    out.raw(&unpack(Packing::Columns)?);
    Some(out.into_bytes())
}

fn documents() -> [Document; 4] {
    let [a, b, _] = replicas();
    let mut one = Document::new(a);
    one.transact(|tx| {
        tx.text("body").push("ab")?.delete(0..1)?;
        tx.map("m").text("gone").push("x")?.clear();
        tx.set("tags").add(1);
        tx.map("m").set("k", true);
        Ok(())
    })
    .expect("the edits are valid");
    let early = load(&one);
    let mut two = load(&one);
    two.set_replica(b).expect("no transaction is open");
    two.transact(|tx| tx.text("body").push("c").map(drop)).expect("at the end");
    one.transact(|tx| {
        tx.counter("views").increment(3);
        tx.set("tags").remove(1).add(2);
        Ok(())
    })
    .expect("the edits are valid");
    one.import(&two.encode()).expect("nothing is missing");
    let merged = load(&one);
    let stable = one.version().clone();
    one.transact(|tx| tx.text("body").push("d").map(drop)).expect("at the end");
    one.trim(&stable, |_| true).expect("no transaction is open");
    [Document::reader(), early, merged, one]
}

fn load(document: &Document) -> Document {
    Document::decode(&document.encode()).expect("own bytes")
}
