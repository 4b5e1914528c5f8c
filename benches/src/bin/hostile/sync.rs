//! Against sessions and presence.

use crdt_causal::sync::{Config, Session};
use crdt_document::{Document, Presence, PresenceLimits};

use crate::Attack;
use crate::documents::id;

/// A document of so many writers.
fn crowd(writers: std::ops::Range<usize>) -> Document {
    let mut doc = Document::reader();
    doc.record_events(false);
    for writer in writers {
        doc.set_replica(id(writer)).expect("no transaction is open");
        doc.transact(|tx| tx.text("body").push("x").map(drop)).expect("there is room");
    }
    doc
}

pub(crate) fn many_names(count: usize) -> Attack {
    let common = crowd(0..count / 2);
    let mut docs = [0, 1].map(|_| Document::decode(&common.encode()).expect("it is one"));
    for (doc, first) in docs.iter_mut().zip([count, 2 * count]) {
        doc.record_events(false);
        for writer in first..first + count / 2 {
            doc.set_replica(id(writer)).expect("no transaction is open");
            doc.transact(|tx| tx.text("body").push("y").map(drop)).expect("there is room");
        }
    }
    Box::new(move || {
        let mut sessions = [1, 2].map(|nonce| Session::new(Config::new(), nonce, 0));
        let mut silent = 0;
        while silent < 2 {
            silent += 1;
            for side in 0..2 {
                sessions[side].set_durable(docs[side].version());
                while let Some(said) = sessions[side].poll_transmit(&docs[side], 0) {
                    silent = 0;
                    sessions[1 - side].handle(&said, &mut docs[1 - side], 0).expect("it is honest");
                }
            }
        }
        assert_eq!(docs[0].version(), docs[1].version());
        docs[0].version().len()
    })
}

pub(crate) fn presence(count: usize) -> Attack {
    let limits = || {
        let mut limits = PresenceLimits::default();
        limits.clients_max = count;
        limits
    };
    let mut updates = Vec::new();
    for now in 0..3 {
        for client in 0..count as u64 {
            let mut there = Presence::new(limits());
            updates.push(there.set(client, b"here", now).expect("there is room"));
        }
    }
    let limits = limits();
    Box::new(move || {
        let mut here = Presence::new(limits);
        for (now, update) in (3..).zip(updates) {
            let _ = here.apply(&update, now).expect("it is one");
        }
        here.iter().count()
    })
}
