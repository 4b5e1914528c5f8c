//! Running hashes: equal for equal events, however they came, and for no others.

use std::collections::BTreeMap;

use crdt_causal::sync::{ChainHash, ChangeLog, Config, Session, SessionError};
use crdt_core::laws::trials;
use crdt_document::{Document, Dot, EditError, ReplicaId, Transaction, Value};

use crate::script::{Script, World};

/// The hash at the end of every change that is held.
fn chains(doc: &Document) -> BTreeMap<Dot, ChainHash> {
    let last = doc.changes().map(|change| change.last());
    last.map(|dot| (dot, doc.chain(dot).expect("a change that is held has one"))).collect()
}

#[test]
fn equal_events_have_equal_hashes() {
    fn law(script: Script) -> bool {
        let world = World::play(&script);
        let mut all: BTreeMap<Dot, ChainHash> = BTreeMap::new();
        for doc in &world.docs {
            let loaded = Document::decode(&doc.encode()).unwrap();
            let hashes = chains(doc);
            assert_eq!(chains(&loaded), hashes);
            for (dot, chain) in hashes {
                assert_eq!(*all.entry(dot).or_insert(chain), chain, "{dot}");
            }
        }
        true
    }
    trials().quickcheck(law as fn(_) -> _);
}

#[test]
fn long_histories_are_hashed_alike_however_they_came() {
    let id = ReplicaId::from_u128(7);
    let mut doc = Document::new(id);
    let mut live = Document::reader();
    for number in 0..2_000usize {
        doc.transact(|tx| match number % 7 {
            0 => tx.text("body").insert(number / 9, "some words").map(drop),
            1 => tx.text("body").delete(number / 9..number / 9 + 3).map(drop),
            2 => {
                tx.map("m").set(&format!("k{}", number % 31), number as i64);
                Ok(())
            }
            3 if number % 5 == 0 => tx.text("body").insert(0, &"long ".repeat(60)).map(drop),
            _ => {
                tx.counter("n").increment(1 + (number % 3) as i64);
                Ok(())
            }
        })
        .unwrap();
        if number % 11 == 0 {
            live.import(&doc.changes_since(live.version())).unwrap();
        }
    }
    live.import(&doc.changes_since(live.version())).unwrap();
    assert!(doc.len() > 10_000);
    let expected = chains(&doc);
    assert_eq!(chains(&live), expected);
    assert_eq!(chains(&Document::decode(&doc.encode()).unwrap()), expected);
    // Whoever says that a change ends inside of one has another change.
    let inside = doc.chain(Dot::new(id, 2)).expect("it is held");
    assert!(!expected.iter().any(|(_, chain)| *chain == inside));
    // Beyond the end there is none.
    assert_eq!(doc.chain(Dot::new(id, doc.len() as u64 + 1)), None);
    assert_eq!(doc.chain(Dot::new(ReplicaId::from_u128(8), 1)), None);
}

type Edit = fn(&mut Transaction<'_>) -> Result<(), EditError>;

/// Whatever a change is, another one has another hash.
#[test]
fn every_difference_shows() {
    let edits: &[Edit] = &[
        |tx| tx.text("body").insert(0, "ab").map(drop),
        |tx| tx.text("body").insert(1, "ab").map(drop),
        |tx| tx.text("body").insert(0, "ba").map(drop),
        |tx| tx.text("other").insert(0, "ab").map(drop),
        |tx| tx.text("body").insert(0, "a")?.insert(0, "b").map(drop),
        |tx| tx.text("body").delete(0..2).map(drop),
        |tx| tx.text("body").delete(1..3).map(drop),
        |tx| tx.text("body").delete(1..2)?.delete(0..1).map(drop),
        |tx| {
            tx.counter("n").increment(1).increment(2);
            Ok(())
        },
        |tx| {
            tx.counter("n").increment(2).increment(1);
            Ok(())
        },
        |tx| {
            tx.map("m").set("a", 1).set("b", 1);
            Ok(())
        },
        |tx| {
            tx.map("m").set("a", 1).set("b", "1");
            Ok(())
        },
        |tx| {
            tx.map("m").set("a", 1).remove("b");
            Ok(())
        },
        |tx| {
            tx.set("s").add("a").add("b");
            Ok(())
        },
        |tx| {
            tx.set("s").add("a").remove("b");
            Ok(())
        },
        |tx| {
            tx.set("s").add(Value::from(1)).add(Value::Null);
            Ok(())
        },
    ];
    let id = ReplicaId::from_u128(9);
    let mut start = Document::new(id);
    start.transact(|tx| tx.text("body").insert(0, "common").map(drop)).unwrap();
    let common = start.encode();
    let reopen = || {
        let mut doc = Document::decode(&common).unwrap();
        doc.set_replica(id).unwrap();
        doc
    };
    let mut seen: BTreeMap<ChainHash, usize> = BTreeMap::new();
    for (number, edit) in edits.iter().enumerate() {
        let mut doc = reopen();
        doc.transact(edit).unwrap();
        // The events of one change, and the same by two.
        let chain = doc.chain(Dot::new(id, doc.len() as u64)).unwrap();
        assert_eq!(seen.insert(chain, number), None, "edit {number}");
    }
    let twice = |apart: bool| {
        let mut doc = reopen();
        doc.begin().unwrap();
        doc.transaction().unwrap().counter("n").increment(1);
        if apart {
            doc.commit().unwrap();
            doc.begin().unwrap();
        }
        doc.transaction().unwrap().counter("n").increment(1);
        doc.commit().unwrap();
        doc.chain(Dot::new(id, 8)).unwrap()
    };
    assert_ne!(twice(true), twice(false), "where changes begin");
    // The same edit at another version.
    let mut after = reopen();
    let mut other = Document::new(ReplicaId::from_u128(4));
    other.transact(|tx| tx.text("elsewhere").insert(0, "x").map(drop)).unwrap();
    after.import(&other.encode()).unwrap();
    after.transact(edits[0]).unwrap();
    assert_eq!(seen.get(&after.chain(Dot::new(id, 8)).unwrap()), None);
}

/// A profile is cloned, and both go on: whoever meets the other knows.
#[test]
fn a_clone_is_found_by_the_greeting() {
    fork_is_found(|_| ());
}

/// The same when nothing is left of what they have in common.
#[test]
fn a_clone_is_found_behind_a_trim_cut() {
    fork_is_found(|doc| {
        let stable = doc.version().clone();
        doc.trim(&stable, |_| true).unwrap().expect("there is history");
    });
    // One of them went on as if nothing had been, and is trimmed later.
    let mut trims = 0;
    fork_is_found(|doc| {
        trims += 1;
        if trims == 2 {
            let stable = doc.version().clone();
            doc.trim(&stable, |_| true).unwrap().expect("there is history");
        }
    });
}

/// Two go on as one writer, after `prepare` was done to each of them.
fn fork_is_found(mut prepare: impl FnMut(&mut Document)) {
    let id = ReplicaId::from_u128(1);
    let mut one = Document::new(id);
    for _ in 0..100 {
        one.transact(|tx| tx.text("body").insert(0, "common").map(drop)).unwrap();
    }
    let mut clone = Document::decode(&one.encode()).unwrap();
    clone.set_replica(id).unwrap();
    for (doc, word) in [(&mut one, "one"), (&mut clone, "two")] {
        prepare(doc);
        doc.transact(|tx| tx.text("body").insert(0, word).map(drop)).unwrap();
        // As it is after a restart.
        *doc = Document::decode(&doc.encode()).unwrap();
    }
    assert_eq!(one.version(), clone.version(), "no dot shows it");
    let mut sessions = [1, 2].map(|nonce| Session::new(Config::new(), nonce, 0));
    sessions[0].set_durable(one.version());
    sessions[1].set_durable(clone.version());
    let greeting = sessions[0].poll_transmit(&one, 0).unwrap();
    let error = sessions[1].handle(&greeting, &mut clone, 0).unwrap_err();
    assert_eq!(error, SessionError::Fork(Dot::new(id, 603)));
}
