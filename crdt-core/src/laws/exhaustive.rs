//! Every history of a few operations.

use alloc::vec;
use alloc::vec::Vec;

use super::{Event, Subject, Version, bytes, replica};
use crate::Lattice;

/// How many replicas take part.
const REPLICAS: usize = 3;

/// Tries every history of at most `events_max` of the operations `ops` on at most three
/// replicas, each made at every version that its replica can have had then, so with every
/// causally possible delivery. Returns how many there are.
///
/// The number grows fast: a few operations, and four events, are what is worth waiting for.
///
/// # Panics
///
/// If the value anywhere is not the specified one, or ways to join lead to different states.
pub fn exhaustive<S: Subject>(ops: &[S::Op], events_max: usize) -> u64 {
    let mut tree = Tree::<S> { ops, events_max, events: Vec::new(), deltas: Vec::new() };
    tree.extend()
}

struct Tree<'a, S: Subject> {
    ops: &'a [S::Op],
    events_max: usize,
    events: Vec<Event<S::Op>>,
    deltas: Vec<S::Delta>,
}

impl<S: Subject> Tree<'_, S> {
    /// Tries every history that begins with the present one.
    fn extend(&mut self) -> u64 {
        if self.events.len() == self.events_max {
            return 0;
        }
        let mut tried = 0;
        for at in 0..REPLICAS {
            for past in self.pasts(at) {
                let met = self.join(past.iter());
                assert_eq!(S::value(&met), S::specified(&self.events, past), "at {past:?}");
                for op in self.ops.iter().cloned() {
                    let mut root = met.clone();
                    let mut writer = S::writer(&root, replica(at));
                    let delta = S::apply(&mut root, &op, &mut writer);
                    self.events.push(Event { replica: at, op, past });
                    self.deltas.push(delta);
                    self.check(&root);
                    tried += 1 + self.extend();
                    self.events.pop();
                    self.deltas.pop();
                }
            }
        }
        tried
    }

    /// What a replica can have seen: every closed set of events that holds its own.
    fn pasts(&self, at: usize) -> Vec<Version> {
        let mut pasts = vec![Version::default()];
        for (index, event) in self.events.iter().enumerate() {
            let follow = pasts.iter().filter(|past| event.past.0 & !past.0 == 0).copied();
            let with: Vec<Version> = follow.map(|past| Version(past.0 | 1 << index)).collect();
            if event.replica == at {
                // Its own it has seen, with what they had seen.
                pasts = with;
            } else {
                pasts.extend(with);
            }
        }
        pasts
    }

    fn join(&self, events: impl Iterator<Item = usize>) -> S::Root {
        let mut root = S::Root::default();
        for event in events {
            root.join(self.deltas[event].clone());
        }
        root
    }

    /// What the last event left behind, and what all events lead to together.
    fn check(&self, left: &S::Root) {
        let last = self.events.len() - 1;
        let mut version = self.events[last].past;
        version.insert(last);
        S::check(left);
        assert_eq!(S::value(left), S::specified(&self.events, version), "{:?}", self.events);

        let everything = Version((1 << self.events.len()) - 1);
        let forwards = self.join(everything.iter());
        let backwards = self.join(everything.iter().rev());
        let specified = S::specified(&self.events, everything);
        S::check(&backwards);
        assert_eq!(S::value(&forwards), specified, "{:?}", self.events);
        assert_eq!(forwards, backwards, "{:?}", self.events);
        assert_eq!(bytes(&forwards), bytes(&backwards), "{:?}", self.events);
        let mut joined = self.join(everything.iter().filter(|&event| event % 2 == 1));
        joined.join(left.clone());
        joined.join(forwards.clone());
        assert_eq!(joined, forwards, "{:?}", self.events);
    }
}
