//! Which changes have seen a floor, against the plain definition of the past.

use std::collections::{BTreeMap, BTreeSet};

use crdt_causal::sync::{ChangeLog, ReceiveTables, SendTables};
use crdt_core::codec::{Reader, Writer};
use crdt_core::laws::trials;
use crdt_document::{Document, Dot, ImportError, ReplicaId, VersionVector};

/// What each event of a document has in its past, itself included, from the parents alone.
fn pasts(document: &Document) -> BTreeMap<Dot, BTreeSet<Dot>> {
    let mut pasts: BTreeMap<Dot, BTreeSet<Dot>> = BTreeMap::new();
    for change in document.changes() {
        let first = Dot::new(change.dots.replica, change.dots.first);
        let before = change.parents.iter().chain(first.previous());
        let mut past: BTreeSet<Dot> =
            before.flat_map(|dot| pasts[&dot].iter().copied().collect::<Vec<_>>()).collect();
        for seq in change.dots.first..=change.dots.last {
            let dot = Dot::new(change.dots.replica, seq);
            past.insert(dot);
            pasts.insert(dot, past.clone());
        }
    }
    pasts
}

fn events(version: &VersionVector) -> impl Iterator<Item = Dot> + '_ {
    version.iter().flat_map(|(replica, last)| (1..=last).map(move |seq| Dot::new(replica, seq)))
}

/// Three replicas write and merge; the server holds what one of them had at some time.
fn histories(steps: &[(u8, u8)]) -> (Document, Document, VersionVector) {
    let mut all: Vec<Document> = (1..=3).map(|n| Document::new(ReplicaId::from_u128(n))).collect();
    let mut server = Document::new(ReplicaId::from_u128(9));
    let mut floor = VersionVector::new();
    for &(who, what) in steps {
        let (who, other) = (usize::from(who % 3), usize::from(what / 8 % 3));
        match what % 8 {
            0..=3 => {
                let edited = all[who].transact(|tx| {
                    let at = usize::from(what / 8) % (tx.text("body").view().len() + 1);
                    tx.text("body").insert(at, "x").map(drop)
                });
                edited.expect("in bounds");
            }
            4 | 5 => {
                let changes = all[other].changes_since(all[who].version());
                all[who].import(&changes).expect("the same document");
            }
            6 => drop(server.import(&all[who].encode()).expect("the same document")),
            // Closed, as floors are: what the server had at some time.
            _ => floor = server.version().clone(),
        }
    }
    let last = all.swap_remove(0);
    (server, last, floor)
}

#[test]
fn changes_are_taken_exactly_if_all_of_them_have_seen_the_floor() {
    fn law(steps: Vec<(u8, u8)>, trims: bool) -> bool {
        let (mut server, other, floor) = histories(&steps);
        let pasts = pasts(&other);
        let new: Vec<Dot> =
            events(other.version()).filter(|dot| !server.version().contains(*dot)).collect();
        let seen = new.iter().all(|dot| events(&floor).all(|old| pasts[dot].contains(&old)));
        let heads = server.heads_within(&floor);
        if trims {
            // What is trimmed below the floor changes no answer.
            let trimmed = server.trim(&floor, |_| true);
            trimmed.expect("no transaction is open");
        }
        let (mut out, mut tables) = (Writer::new(), SendTables::new());
        let known = server.closed(server.version().clone());
        other.encode_changes(&known, other.version(), usize::MAX, &mut tables, &mut out);
        let before = server.encode();
        let mut input = Reader::new(out.as_bytes());
        if out.as_bytes().is_empty() {
            return new.is_empty();
        }
        let taken =
            server
                .import_changes_after(&heads, &mut input, &mut ReceiveTables::new(), &mut |_| true);
        server.check_invariants();
        match taken {
            Ok(_) => seen && new.iter().all(|dot| server.version().contains(*dot)),
            Err(ImportError::BeforeTrim(dot)) => {
                !seen && new.contains(&dot) && server.encode() == before
            }
            Err(_) => false,
        }
    }
    trials().quickcheck(law as fn(_, _) -> _);
}

/// A newcomer, and one that has only what is remembered, begin with the base, over a session.
#[test]
fn what_follows_a_base_names_only_what_is_held() {
    let mut document = Document::new(ReplicaId::from_u128(1));
    document.transact(|tx| tx.text("body").insert(0, "old").map(drop)).expect("in bounds");
    let author = document.version().clone();
    let mut other = Document::new(ReplicaId::from_u128(2));
    other.import(&document.encode()).expect("the same document");
    other.transact(|tx| tx.text("body").push("er").map(drop)).expect("in bounds");
    document.import(&other.encode()).expect("the same document");
    let stable = document.version().clone();
    document.transact(|tx| tx.text("body").push("!").map(drop)).expect("in bounds");
    document.trim(&stable, |replica| author.get(replica) > 0).expect("no transaction");
    assert!(document.serves(&VersionVector::new()) && document.serves(&author));
    let unknown = VersionVector::from_iter([(ReplicaId::from_u128(7), 1)]);
    assert!(!document.serves(&unknown));
    for known in [VersionVector::new(), author] {
        let (mut out, mut tables) = (Writer::new(), SendTables::new());
        let upto = document.version().clone();
        let ranges = document.encode_changes(&known, &upto, usize::MAX, &mut tables, &mut out);
        for dot in document.follows(&ranges) {
            assert!(document.version().contains(dot), "{dot:?}");
        }
    }
}
