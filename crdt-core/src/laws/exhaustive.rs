//! Every history of a few operations.

use alloc::vec;
use alloc::vec::Vec;

use super::{Event, REPLICAS, Subject, Version, bytes, reload, replica};
use crate::Lattice;

/// Tries every history of at most `events_max` of the operations `ops` in all, on three
/// replicas: each made at every version that its replica can have had then, and delivered in
/// every way there is. Returns how many histories there are.
///
/// A history is who did what, and what each had seen of the others: a labelled partial order.
/// Of the orders in which it can have come about one is tried, since the others are the same
/// history. What is delivered follows from the sets of events that someone can have received.
/// Each set's state is kept, and each is reached by way of every delta that may come last: so
/// by induction every order of delivery leads to it, orders that violate causality included.
/// Where a set is causally closed, so that a replica can stand there, its state shows the
/// specified value and is what the writer of the last event had; and wherever two replicas
/// know everything between them, the one's state joined to the other's is that of all events.
///
/// There are 3, 12, 58 and 321 ways for one to four events to have followed each other. Each
/// takes every choice of operations, so the number grows as 321 · `ops`⁴: a few operations, and
/// four events, are what is worth waiting for.
///
/// # Panics
///
/// If the value anywhere is not the specified one, or ways to deliver lead to different states.
pub fn exhaustive<S: Subject>(ops: &[S::Op], events_max: usize) -> u64 {
    let states = vec![S::Root::default()];
    let none = Version::default();
    assert_eq!(S::value(&states[0]), S::specified(&[], none), "before the first event");
    let mut tree = Tree::<S> { ops, events_max, events: Vec::new(), deltas: Vec::new(), states };
    tree.extend()
}

struct Tree<'a, S: Subject> {
    ops: &'a [S::Op],
    events_max: usize,
    events: Vec<Event<S::Op>>,
    deltas: Vec<S::Delta>,
    // What the deltas of each set of events lead to; the set is the index, bit by bit.
    states: Vec<S::Root>,
}

impl<S: Subject> Tree<'_, S> {
    /// Tries every history that begins with the present one.
    fn extend(&mut self) -> u64 {
        if self.events.len() == self.events_max {
            return 0;
        }
        let mut tried = 0;
        for (at, past) in next(&self.events) {
            for op in self.ops {
                let mut left = self.states[past.0 as usize].clone();
                let mut writer = S::writer(&left, replica(at));
                self.deltas.push(S::apply(&mut left, op, &mut writer));
                self.events.push(Event { replica: at, op: op.clone(), past });
                self.check(&left);
                tried += 1 + self.extend();
                self.states.truncate(self.states.len() / 2);
                self.events.pop();
                self.deltas.pop();
            }
        }
        tried
    }

    /// What the last event's writer had, and what every set with that event leads to.
    fn check(&mut self, left: &S::Root) {
        let last = self.events.len() - 1;
        let everything = (2 << last) - 1;
        for others in 0..1 << last {
            let set = others | 1 << last;
            let mut state = self.states[others].clone();
            state.join(self.deltas[last].clone());
            for event in (0..last).filter(|event| others >> event & 1 == 1) {
                let mut otherwise = self.states[set ^ 1 << event].clone();
                otherwise.join(self.deltas[event].clone());
                assert_eq!(otherwise, state, "{event} last of {set:b} in {:?}", self.events);
            }
            self.states.push(state);
        }
        let mut writers = self.events[last].past;
        writers.insert(last);
        assert_eq!(*left, self.states[writers.0 as usize], "{:?}", self.events);

        let closed: Vec<usize> = (0..=everything).filter(|&set| self.is_closed(set)).collect();
        for &set in closed.iter().filter(|set| *set >> last == 1) {
            let state = &self.states[set];
            S::check(state);
            let specified = S::specified(&self.events, Version(set as u128));
            assert_eq!(S::value(state), specified, "{set:b} of {:?}", self.events);
            for &other in closed.iter().filter(|&&other| other != set && other | set == everything)
            {
                for (to, from) in [(set, other), (other, set)] {
                    let mut joined = self.states[to].clone();
                    joined.join(self.states[from].clone());
                    let all = &self.states[everything];
                    assert_eq!(joined, *all, "{from:b} to {to:b} of {:?}", self.events);
                }
            }
        }
        let all = &self.states[everything];
        assert_eq!(bytes(&reload(all)), bytes(all), "{:?}", self.events);
    }

    /// Whether the set holds the past of each of its events.
    fn is_closed(&self, set: usize) -> bool {
        let set = Version(set as u128);
        set.seen_by(&self.events, |_| true).0 & !set.0 == 0
    }
}

/// Who can do what comes next, and what they can have seen: one of the orders in which the same
/// history can come about, that in which the lowest replica that can go on does.
fn next<Op>(events: &[Event<Op>]) -> Vec<(usize, Version)> {
    let mut next = Vec::new();
    for at in 0..REPLICAS {
        for past in pasts(events, at) {
            // It could have come before all that it has not seen at the end.
            let unseen = (0..events.len()).rev().take_while(|&event| !past.contains(event));
            if unseen.map(|event| events[event].replica).all(|before| before < at) {
                next.push((at, past));
            }
        }
    }
    next
}

/// What a replica can have seen: every closed set of events that holds its own.
fn pasts<Op>(events: &[Event<Op>], at: usize) -> Vec<Version> {
    let mut pasts = vec![Version::default()];
    for (index, event) in events.iter().enumerate() {
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

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeSet;

    use super::*;

    /// An event by its name, with the names of those that it has seen.
    type Named = ((usize, usize), BTreeSet<(usize, usize)>);

    type Next = fn(&[Event<()>]) -> Vec<(usize, Version)>;

    /// The history, in whatever order it came about.
    fn names(events: &[Event<()>]) -> BTreeSet<Named> {
        let name = |event: usize| {
            let own = |other: &&Event<()>| other.replica == events[event].replica;
            (events[event].replica, events[..event].iter().filter(own).count())
        };
        (0..events.len())
            .map(|event| (name(event), events[event].past.iter().map(name).collect()))
            .collect()
    }

    fn every(events: &mut Vec<Event<()>>, of: usize, next: Next, found: &mut Vec<BTreeSet<Named>>) {
        if events.len() == of {
            found.push(names(events));
            return;
        }
        for (replica, past) in next(events) {
            events.push(Event { replica, op: (), past });
            every(events, of, next, found);
            events.pop();
        }
    }

    /// What comes next in any order at all.
    fn any(events: &[Event<()>]) -> Vec<(usize, Version)> {
        (0..REPLICAS).flat_map(|at| pasts(events, at).into_iter().map(move |p| (at, p))).collect()
    }

    /// Each history is found once, and none is left out, as a count of them in every order that
    /// they can have come about in says.
    #[test]
    fn each_history_is_tried_once() {
        for (of, count) in [(1, 3), (2, 12), (3, 58), (4, 321)] {
            let (mut once, mut often) = (Vec::new(), Vec::new());
            every(&mut Vec::new(), of, next, &mut once);
            every(&mut Vec::new(), of, any, &mut often);
            assert_eq!(once.len(), count, "histories of {of} events");
            let distinct: BTreeSet<_> = once.iter().cloned().collect();
            assert_eq!(distinct.len(), once.len(), "no history twice");
            assert_eq!(distinct, often.into_iter().collect(), "and all of them");
        }
    }
}
