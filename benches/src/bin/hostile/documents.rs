//! Against a document, which takes in one change after the other.

use crdt_document::{Document, EditError, ReplicaId, Transaction};

use crate::Attack;

/// Ids as browsers have them.
pub(crate) fn id(number: usize) -> ReplicaId {
    ReplicaId::from_u128(
        (number as u128 + 1).wrapping_mul(0x2360_ed05_1fc6_5da4_4385_df64_9fcc_f645),
    )
}

/// Makes a change, and returns it as bytes.
fn change(
    doc: &mut Document,
    edit: impl FnOnce(&mut Transaction<'_>) -> Result<(), EditError>,
) -> Vec<u8> {
    let before = doc.version().clone();
    doc.transact(edit).expect("it is possible");
    doc.changes_since(&before)
}

/// A change of somebody who has seen nothing.
fn alone(
    number: usize,
    edit: impl FnOnce(&mut Transaction<'_>) -> Result<(), EditError>,
) -> Vec<u8> {
    change(&mut Document::new(id(number)), edit)
}

fn letter(tx: &mut Transaction<'_>, at: usize) -> Result<(), EditError> {
    tx.text("body").insert(at, "x").map(drop)
}

/// They come one by one.
fn coming(changes: Vec<Vec<u8>>) -> Attack {
    Box::new(move || {
        let mut here = Document::reader();
        for change in changes {
            here.import(&change).expect("it is valid");
        }
        here.len()
    })
}

fn letters_at_one_place(count: usize) -> Vec<Vec<u8>> {
    (0..count).map(|number| alone(number, |tx| letter(tx, 0))).collect()
}

pub(crate) fn at_one_place(count: usize) -> Attack {
    coming(letters_at_one_place(count))
}

pub(crate) fn at_one_place_at_once(count: usize) -> Attack {
    let mut there = Document::reader();
    for change in letters_at_one_place(count) {
        there.import(&change).expect("it is valid");
    }
    coming(vec![there.encode()])
}

pub(crate) fn two_all_day(count: usize) -> Attack {
    let day = |number| {
        let mut doc = Document::new(id(number));
        (0..count / 2).map(|_| change(&mut doc, |tx| letter(tx, 0))).collect::<Vec<_>>()
    };
    // In turns, so that neither is ever done with the other.
    coming(day(0).into_iter().zip(day(1)).flat_map(<[Vec<u8>; 2]>::from).collect())
}

/// Two who see each other after each change, or after one of each.
fn two(count: usize, at_once: usize) -> Attack {
    let mut docs = [0, 1].map(|number| Document::new(id(number)));
    let mut changes = Vec::with_capacity(count);
    while changes.len() < count {
        let new: Vec<Vec<u8>> = (0..at_once)
            .map(|more| {
                let doc = &mut docs[(changes.len() + more) % 2];
                let end = doc.text("body").len();
                change(doc, |tx| letter(tx, end))
            })
            .collect();
        for bytes in &new {
            docs.iter_mut().for_each(|doc| drop(doc.import(bytes).expect("it is valid")));
        }
        changes.extend(new);
    }
    coming(changes)
}

pub(crate) fn taking_turns(count: usize) -> Attack {
    two(count, 1)
}

pub(crate) fn forks_and_merges(count: usize) -> Attack {
    two(count, 2)
}

pub(crate) fn typed_and_erased(count: usize) -> Attack {
    let [mut one, mut other] = [0, 1].map(|number| Document::new(id(number)));
    let mut changes = Vec::new();
    while changes.len() < count {
        changes.push(change(&mut one, |tx| letter(tx, 0)));
        changes.push(change(&mut other, |tx| letter(tx, 0)));
        changes.push(change(&mut one, |tx| tx.text("body").delete(0..1).map(drop)));
    }
    coming(changes)
}

pub(crate) fn one_key(count: usize) -> Attack {
    let write = |number| {
        alone(number, |tx| {
            tx.map("settings").set("theme", number as i64);
            Ok(())
        })
    };
    coming((0..count).map(write).collect())
}

pub(crate) fn many_containers(count: usize) -> Attack {
    let mut doc = Document::new(id(0));
    let make = |number: usize| {
        change(&mut doc, |tx| {
            tx.map(&format!("m{number}")).map("inner").set("key", 1);
            Ok(())
        })
    };
    coming((0..count).map(make).collect())
}
