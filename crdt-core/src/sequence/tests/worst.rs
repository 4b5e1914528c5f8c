//! Histories that are bad for a merge: twice as much of them takes no more than 2.6 times as
//! many steps.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::random::Random;
use crate::causality::Lv;
use crate::sequence::steps::steps;
use crate::sequence::{TextOp, TextStore};
use crate::{EventGraph, ReplicaId};

/// A history of single characters that come and go.
#[derive(Default)]
struct Played {
    graph: EventGraph,
    ops: Vec<(Lv, TextOp<'static>)>,
}

impl Played {
    /// Adds edits of one replica, each a change that follows the one before.
    fn edit(&mut self, writer: u128, parents: &[Lv], edits: &[TextOp<'static>]) -> Lv {
        let replica = ReplicaId::from_u128(writer);
        let mut parents = self.graph.maximal(parents);
        for &edit in edits {
            let events = edit.events() as u32;
            let lvs = self.graph.push(replica, events, 1, &parents).expect("there is room");
            self.ops.push((lvs.start, edit));
            parents.clear();
            parents.push(lvs.end - 1);
        }
        parents[0]
    }

    /// How many steps a merge takes, in batches of so many edits; and the text.
    fn merge(&self, batch: usize) -> (u64, String) {
        let mut store = TextStore::new();
        let before = steps();
        for ops in self.ops.chunks(batch) {
            let patches = store.stage(&self.graph, ops.iter().copied()).expect("it is valid");
            store.commit(&patches);
        }
        (steps() - before, store.to_string())
    }
}

fn insert(at: u32) -> TextOp<'static> {
    TextOp::Insert { at, content: "x" }
}

/// `make(n)` for one n and its double, in one batch and edit by edit.
fn assert_linear(n: usize, make: impl Fn(usize) -> Played) {
    let (once, twice) = (make(n), make(2 * n));
    for batch in [usize::MAX, 1] {
        let (one, text) = once.merge(batch);
        let (two, _) = twice.merge(batch);
        assert_eq!(text, once.merge(7).1);
        assert!(two * 10 <= one * 26, "{one} steps for {n}, {two} for the double");
        assert!(one >= n as u64 / 2, "something was counted: {one} steps");
    }
}

const WRITERS: [[u128; 2]; 2] = [[1, 2], [2, 1]];

/// Two insert `n` characters each at one place, without seeing each other.
fn two_at_one_place(n: usize, [a, b]: [u128; 2], place: u32) -> Played {
    let mut played = Played::default();
    let base = played.edit(3, &[], &[TextOp::Insert { at: 0, content: "ab" }]);
    played.edit(a, &[base], &alloc::vec![insert(place); n]);
    played.edit(b, &[base], &alloc::vec![insert(place); n]);
    played
}

/// What two do who do not see each other, as it comes from both at once.
fn two_in_turns(n: usize, writers: [u128; 2], place: u32, erased_percent: usize) -> Played {
    let mut random = Random::new(3);
    let mut played = Played::default();
    let base = played.edit(3, &[], &[TextOp::Insert { at: 0, content: "ab" }]);
    let mut sides = writers.map(|writer| (writer, base, 2));
    for _ in 0..n {
        for (writer, tip, len) in &mut sides {
            let edit = if *len > place && random.chance(erased_percent) {
                *len -= 1;
                TextOp::Delete { at: place, len: 1, forward: true }
            } else {
                *len += 1;
                insert(place)
            };
            *tip = played.edit(*writer, &[*tip], &[edit]);
        }
    }
    played
}

/// Two write one character after the other; each sees all but the other's last `lag` ones.
fn alternating(n: usize, [a, b]: [u128; 2], lag: usize) -> Played {
    let mut played = Played::default();
    let mut lvs: Vec<Lv> = Vec::new();
    for turn in 0..n {
        let writer = if turn % 2 == 0 { a } else { b };
        let others = turn.checked_sub(1 + 2 * lag).map(|seen| lvs[seen]);
        let own = turn.checked_sub(2).map(|seen| lvs[seen]);
        let parents: Vec<Lv> = others.into_iter().chain(own).collect();
        lvs.push(played.edit(writer, &parents, &[insert(turn as u32 / 3)]));
    }
    played
}

/// `n` times two write a character each and then see each other's.
fn forks(n: usize) -> Played {
    let mut random = Random::new(1);
    let mut played = Played::default();
    let mut tips: Vec<Lv> = Vec::new();
    let mut len = 0;
    for _ in 0..n {
        let edits = [0, 1].map(|_| insert(random.below(len + 1) as u32));
        let left = played.edit(1, &tips, &edits[..1]);
        let right = played.edit(2, &tips, &edits[1..]);
        tips = alloc::vec![left, right];
        len += 2;
    }
    played
}

/// `n` writers have a character each at one place of a text, in an order of their dots.
fn many_at_one_place(n: usize, text: &'static str, (factor, sign): (i128, i128)) -> Played {
    let mut played = Played::default();
    let mut base = Vec::new();
    let mut at = 0;
    if !text.is_empty() {
        base.push(played.edit(1, &[], &[TextOp::Insert { at: 0, content: text }]));
        at = 1;
    }
    for writer in 0..n as i128 {
        let id = 1 << 20 | (sign * writer * factor).rem_euclid(1 << 17);
        played.edit(id as u128, &base, &[insert(at)]);
    }
    played
}

/// Two write and erase `n` times each, anywhere, without seeing each other.
fn branches(n: usize) -> Played {
    let mut random = Random::new(2);
    let mut played = Played::default();
    for writer in [1, 2] {
        let mut len = 0;
        let edits: Vec<_> = (0..n)
            .map(|_| {
                if len > 1 && random.chance(30) {
                    len -= 1;
                    let at = random.below(len) as u32;
                    TextOp::Delete { at, len: 1, forward: true }
                } else {
                    len += 1;
                    insert(random.below(len) as u32)
                }
            })
            .collect();
        played.edit(writer, &[], &edits);
    }
    played
}

#[test]
fn two_who_insert_at_one_place_all_day() {
    for writers in WRITERS {
        for place in [0, 1] {
            assert_linear(2_000, |n| two_at_one_place(n, writers, place));
        }
    }
    assert_linear(50_000, |n| two_at_one_place(n, [1, 2], 1));
}

#[test]
fn two_all_day_in_turns() {
    for writers in WRITERS {
        for (place, erased_percent) in [(0, 0), (1, 0), (0, 50), (1, 30)] {
            assert_linear(2_000, |n| two_in_turns(n, writers, place, erased_percent));
        }
    }
    assert_linear(50_000, |n| two_in_turns(n, [1, 2], 1, 30));
}

#[test]
fn two_who_take_turns() {
    for writers in WRITERS {
        for lag in [0, 1] {
            assert_linear(2_000, |n| alternating(n, writers, lag));
        }
    }
    assert_linear(1_000_000, |n| alternating(n, [1, 2], 1));
}

#[test]
fn many_forks_and_merges() {
    assert_linear(1_000, forks);
    assert_linear(100_000, forks);
}

#[test]
fn many_who_insert_at_one_place() {
    for text in ["", "ab"] {
        // By ascending dots, by descending ones, and in no order.
        for order in [(1, 1), (1, -1), (7_919, 1)] {
            assert_linear(1_000, |n| many_at_one_place(n, text, order));
            assert_linear(1_540, |n| many_at_one_place(n, text, order));
        }
    }
}

#[test]
fn long_branches() {
    assert_linear(2_000, branches);
    assert_linear(100_000, branches);
}
