//! Bytes of lists and of trees that break one rule of the format each, and nothing else.

use crdt_core::codec::DecodeErrorKind::{self, *};
use crdt_core::{List, Tree};

use crate::support::{bytes, parse};

/// The greatest number of an event.
const LAST: [u8; 9] = [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x40];

/// Two replicas have been seen, nine events of each. A dot is the number of its replica in that
/// table, 0 or 1, and its own number.
fn value(dots: &[u8], keys: &[u8]) -> Vec<u8> {
    let seen: [&[u8]; 5] = [&[0, 2, 0], &[1; 16], &[9, 0, 1], &[2; 16], &[9, 0]];
    [&seen.concat(), &[dots.len() as u8][..], dots, &[0], keys].concat()
}

type Columns<'a> = (&'a [u8], &'a [u8]);

#[test]
fn lists() {
    let list = |dots: &[u8], keys: &[u8]| parse::<List<u8>>(&value(dots, keys));
    // One run, of one node: its dot, its parent and what was behind it; its length doubled, and
    // that it holds 7.
    let valid: [Columns<'_>; 6] = [
        (&[0, 2, 0, 0, 0, 0], &[1, 2, 1, 7]),
        (&[0, 2, 1, 9, 0, 1], &[1, 2, 1, 7]),
        (&[0, 2, 1, 9, 0, 0], &[1, 3, 1, 7]),
        (&[0, 2, 0, 0, 0, 0, 0, 1], &[1, 2, 2]),
        (&[0, 2, 0, 0, 0, 0], &[1, 2, 0]),
        (&[0, 2, 0, 0, 0, 0, 0, 3, 0, 1, 0, 0], &[2, 2, 1, 7, 2, 1, 8]),
    ];
    for (dots, keys) in valid {
        let read = list(dots, keys).unwrap_or_else(|error| panic!("{dots:?} {keys:?}: {error}"));
        read.check_invariants();
        assert_eq!(bytes(&read), value(dots, keys));
    }
    let one: &[u8] = &[1, 2, 1, 7];
    let beyond = [&[0][..], &LAST, &[0, 0, 0, 0]].concat();
    let broken: [(Columns<'_>, DecodeErrorKind); 27] = [
        // Of dots.
        ((&[0, 0, 0, 0, 0, 0], one), OutOfRange), // no event has number 0
        ((&[0, 10, 0, 0, 0, 0], one), OutOfRange), // not in the context
        ((&[3, 2, 0, 0, 0, 0], one), UnknownTableEntry),
        ((&[0, 2, 1, 0, 0, 0], one), NotCanonical), // nothing has one name
        ((&[0, 2, 0, 0, 1, 0], one), NotCanonical),
        ((&[0, 2, 0, 2, 0, 0], one), OutOfRange), // a node below itself
        ((&[0, 2, 0, 3, 0, 0], one), OutOfRange), // below one that came later
        ((&[0, 2, 0, 0, 0, 2], one), OutOfRange), // before itself
        ((&[0, 2, 0, 0, 0, 5], one), OutOfRange),
        ((&[0, 2, 0, 0, 0, 0, 0, 0], &[1, 2, 2]), OutOfRange), // a move of nothing
        ((&[0, 2, 0, 0, 0, 0, 1, 0], &[1, 2, 2]), NotCanonical),
        ((&[0, 2, 0, 0, 0, 0, 0, 2], &[1, 2, 2]), OutOfRange), // of itself
        ((&[0, 2, 0, 0, 0, 0, 0, 4], &[1, 2, 2]), OutOfRange), // of what came later
        // Of places.
        ((&[0, 2, 0, 0, 0, 0], &[1, 3, 1, 7]), NotCanonical), // left of nothing
        ((&[0, 2, 0, 1, 0, 1], &[1, 3, 1, 7]), NotCanonical), // left, and before something
        // Of runs.
        ((&[0, 2, 0, 0, 0, 0], &[1, 0, 1, 7]), OutOfRange), // of no node
        ((&beyond, &[1, 4, 1, 7, 1, 7]), OutOfRange),       // of more than there can be
        ((&[0, 2, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0], &[2, 2, 1, 7, 2, 1, 7]), NotAscending),
        ((&[0, 3, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0], &[2, 2, 1, 7, 2, 1, 7]), NotAscending),
        ((&[1, 3, 1, 0, 1, 0, 0, 4, 0, 0, 0, 0], &[2, 2, 1, 7, 2, 1, 7]), NotAscending),
        ((&[0, 2, 0, 0, 0, 0, 0, 3, 0, 2, 0, 0], &[2, 2, 1, 7, 2, 1, 7]), NotCanonical), // one run
        ((&[0, 2, 0, 0, 0, 0], &[9, 2, 1, 7]), CountTooLarge),
        ((&[0, 2, 0, 0, 0, 0], &[1, 4, 1, 7]), UnexpectedEnd),
        // Of nodes, and of what is left over.
        ((&[0, 2, 0, 0, 0, 0], &[1, 2, 3]), UnknownTag),
        ((&[0, 2, 0, 0, 0, 0, 0, 1], one), TrailingBytes),
        ((&[0, 2, 0, 0, 0, 0], &[1, 2, 1, 7, 0]), TrailingBytes),
        ((&[0, 2, 0, 0, 0, 0], &[1, 0x82, 0, 1, 7]), VarintNotCanonical), // a number has one form
    ];
    for ((dots, keys), kind) in broken {
        let found = list(dots, keys).map_err(|error| error.kind).err();
        assert_eq!(found, Some(kind), "{dots:?} {keys:?}");
    }
}

#[test]
fn trees() {
    let tree = |dots: &[u8], keys: &[u8]| parse::<Tree<u8>>(&value(dots, keys));
    // One move: its dot, its node and the parent; its stamp doubled, and its key. One value: its
    // dot and its node; and that.
    let valid: [Columns<'_>; 5] = [
        (&[0, 2, 0, 2, 0, 0, 0, 3, 0, 2], &[1, 2, 1, 0x80, 1, 7]),
        (&[0, 2, 0, 2, 0, 0], &[1, 3, 1, 0x80, 0]),
        (&[0, 2, 1, 9, 0, 1], &[1, 2, 2, 0, 1, 0]),
        (&[0, 2, 1, 9], &[0, 1, 7]),
        (&[0, 2, 0, 2, 0, 0, 0, 3, 0, 2, 0, 0], &[2, 4, 1, 0x80, 0, 1, 0x81, 0]),
    ];
    for (dots, keys) in valid {
        let read = tree(dots, keys).unwrap_or_else(|error| panic!("{dots:?} {keys:?}: {error}"));
        read.check_invariants();
        assert_eq!(bytes(&read), value(dots, keys));
    }
    let one: &[u8] = &[1, 2, 1, 0x80, 0];
    let two: &[u8] = &[2, 2, 1, 0x80, 2, 1, 0x80, 0];
    let beyond =
        [&[1][..], &[0x82, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1], &[1, 0x80, 0]];
    let beyond = beyond.concat();
    let broken: [(Columns<'_>, DecodeErrorKind); 30] = [
        // Of dots.
        ((&[0, 0, 0, 0, 0, 0], one), OutOfRange),
        ((&[0, 10, 0, 10, 0, 0], one), OutOfRange),
        ((&[3, 2, 0, 2, 0, 0], one), UnknownTableEntry),
        ((&[0, 2, 0, 0, 0, 0], one), OutOfRange), // a move of nothing
        ((&[0, 2, 1, 0, 0, 0], one), OutOfRange),
        ((&[0, 2, 0, 3, 0, 0], one), OutOfRange), // of what came later
        ((&[0, 2, 0, 2, 1, 0], one), NotCanonical), // the top has one name
        ((&[0, 2, 0, 2, 0, 2], one), OutOfRange), // below itself
        ((&[0, 2, 0, 2, 0, 3], one), OutOfRange), // below what came later
        // Of stamps.
        ((&[0, 2, 0, 2, 0, 0], &[1, 0, 1, 0x80, 0]), OutOfRange),
        ((&[0, 2, 0, 2, 0, 0], &beyond), OutOfRange),
        ((&[0, 2, 0, 1, 0, 0], &[1, 3, 1, 0x80, 0]), OutOfRange), // a move is not removed
        ((&[0, 3, 0, 3, 0, 0, 0, 2, 0, 2, 0, 0], &[2, 2, 1, 0x80, 0, 1, 0x80, 0]), NotAscending),
        ((&[0, 2, 0, 2, 0, 0, 0, 2, 0, 2, 0, 0], &[2, 2, 1, 0x80, 0, 1, 0x80, 0]), NotAscending),
        ((&[0, 2, 0, 2, 0, 0, 0, 2, 0, 2, 0, 0], two), OutOfRange), // one event twice
        // Of keys.
        ((&[0, 2, 0, 2, 0, 0], &[1, 2, 0, 0, 0]), NotCanonical),
        ((&[0, 2, 0, 2, 0, 0], &[1, 2, 2, 0x80, 0, 0]), NotCanonical),
        ((&[0, 2, 0, 2, 0, 0], &[9, 2, 1, 0x80, 0]), CountTooLarge),
        // Of values.
        ((&[0, 0, 0, 0], &[0, 1, 7]), OutOfRange),
        ((&[0, 2, 0, 0], &[0, 1, 7]), OutOfRange), // of the top
        ((&[0, 2, 1, 0], &[0, 1, 7]), NotCanonical),
        ((&[0, 2, 0, 2], &[0, 1, 7]), OutOfRange), // of what came later
        ((&[0, 10, 0, 1], &[0, 1, 7]), OutOfRange), // not in the context
        ((&[0, 2, 0, 1, 0, 2, 0, 1], &[0, 2, 7, 7]), NotAscending),
        ((&[0, 3, 0, 1, 0, 2, 0, 1], &[0, 2, 7, 7]), NotAscending),
        ((&[0, 2, 0, 2, 0, 0, 0, 2, 0, 1], &[1, 2, 1, 0x80, 1, 7]), OutOfRange), // a move, too
        ((&[0, 2, 0, 1], &[0, 2, 7, 7]), UnexpectedEnd),
        // Of what is left over.
        ((&[0, 2, 0, 2, 0, 0, 0, 1], one), TrailingBytes),
        ((&[0, 2, 0, 2, 0, 0], &[1, 2, 1, 0x80, 0, 0]), TrailingBytes),
        ((&[0, 2, 0, 2, 0, 0], &[1, 0x82, 0, 1, 0x80, 0]), VarintNotCanonical),
    ];
    for ((dots, keys), kind) in broken {
        let found = tree(dots, keys).map_err(|error| error.kind).err();
        assert_eq!(found, Some(kind), "{dots:?} {keys:?}");
    }
}
