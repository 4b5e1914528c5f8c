//! Documents and bundles of changes, with a valid checksum, so that mutations reach behind it.

use std::sync::LazyLock;

use crdt_core::codec::seal;
use crdt_document::{Document, Genesis, Value};

use super::replicas;
use crate::memory::{bounded, bounded_building};

const MAGIC: [u8; 4] = *b"CRDd";

/// Every document here begins alike, so that mutations need not guess the genesis.
static STATES: LazyLock<[Vec<u8>; 4]> = LazyLock::new(states);

/// The first byte chooses whether the rest is a whole document or changes to import, whether
/// a checksum is added, and the document that imports.
pub fn run(bytes: &[u8]) {
    let Some((&choice, body)) = bytes.split_first() else { return };
    let sealed;
    let bytes = if choice & 2 == 0 {
        sealed = seal(MAGIC, body);
        &sealed
    } else {
        body
    };
    if choice & 1 == 0 {
        whole(bytes)
    } else {
        changes(&STATES[usize::from(choice >> 2) % 4], bytes)
    }
}

/// Documents along the way, and the changes from each to each.
pub fn seeds() -> Vec<Vec<u8>> {
    let body = |sealed: &[u8]| sealed[4..sealed.len() - 4].to_vec();
    let mut seeds =
        vec![[vec![2], STATES[0].clone()].concat(), [vec![3], STATES[1].clone()].concat()];
    let [early, merged, late, trimmed] = &*STATES;
    for state in &*STATES {
        seeds.push([vec![0], body(state)].concat());
        seeds.push([vec![1], body(state)].concat());
    }
    for (index, known, of) in [
        (0u8, early, merged),
        (0, early, late),
        (1, merged, late),
        (2, late, early),
        (0, early, trimmed),
        (3, trimmed, early),
    ] {
        let changes = load(of).changes_since(load(known).version());
        seeds.push([vec![1 | index << 2], body(&changes)].concat());
    }
    seeds
}

/// A document that loads can be read, saved and loaded again.
fn whole(bytes: &[u8]) {
    let built = bounded_building(bytes.len(), || Document::decode(bytes));
    let Ok(document) = built else { return };
    document.check_invariants();
    document.to_value();
    let saved = document.encode();
    let again = load(&saved);
    assert_eq!(again.encode(), saved, "a loaded document saves otherwise");
    assert_eq!(again.to_value(), document.to_value(), "a saved document reads otherwise");
}

/// Changes are taken in whole, once, or change nothing.
fn changes(state: &[u8], bytes: &[u8]) {
    let mut document = load(state);
    let Ok(set) = bounded(bytes.len(), || document.decode_changes(bytes)) else { return };
    set.headers().for_each(drop);
    let before = document.version().clone();
    match document.apply(set) {
        Ok(_) => {
            assert!(document.version().dominates(&before), "an import forgets nothing");
            document.drain_events();
            let (saved, value) = (document.encode(), document.to_value());
            assert!(document.import(bytes).is_ok(), "changes are refused the second time");
            assert!(document.drain_events().is_empty(), "changes told of news twice");
            assert_eq!(document.encode(), saved, "changes changed something twice");
            assert_eq!(load(&saved).to_value(), value, "a saved document reads otherwise");
        }
        Err(_) => {
            assert!(document.drain_events().is_empty(), "a refused import told of news");
            assert_eq!(document.encode(), *state, "a refused import changed the document");
        }
    }
    document.check_invariants();
}

fn load(bytes: &[u8]) -> Document {
    Document::decode(bytes).expect("a saved document loads")
}

/// A document in four states: written by one, edited by another at the same time in every
/// kind of container, merged and partly removed, trimmed and edited again.
fn states() -> [Vec<u8>; 4] {
    let [a, b, _] = replicas();
    let mut one = Document::with_genesis(Genesis::default());
    one.set_replica(a).expect("no transaction is open");
    write(&mut one, "one");
    let mut two = load(&one.encode());
    two.set_replica(b).expect("no transaction is open");
    let early = one.encode();
    write(&mut two, "two");
    write(&mut one, "three");
    one.import(&two.encode()).expect("nothing is missing");
    let merged = one.encode();
    one.transact(|tx| {
        tx.map("settings").remove("theme").remove("inner");
        tx.set("tags").clear();
        tx.counter("views").reset();
        tx.text("body").clear();
        tx.root().remove("unused");
        Ok(())
    })
    .expect("the edits are valid");
    let late = one.encode();
    let mut trimmed = load(&merged);
    trimmed.set_replica(a).expect("no transaction is open");
    let stable = trimmed.version().clone();
    trimmed.trim(&stable, |_| false).expect("no transaction is open");
    write(&mut trimmed, "four");
    [early, merged, late, trimmed.encode()]
}

fn write(document: &mut Document, word: &str) {
    document
        .transact(|tx| {
            tx.text("body").insert(0, word)?;
            tx.counter("views").increment(3);
            tx.map("settings")
                .set("theme", word)
                .set("list", Value::from(vec![Value::Null, Value::from(1.5)]));
            tx.map("settings").map("inner").set("deep", true);
            tx.set("tags").add(word).add("crdt").remove("one");
            tx.map("settings").text("notes").create();
            Ok(())
        })
        .expect("the edits are valid");
    document.transact(|tx| tx.text("body").delete(0..1).map(drop)).expect("within the text");
}
