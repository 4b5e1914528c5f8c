//! The moves in their order, and the tree that they make.

use alloc::vec::Vec;

use super::key::Key;
use crate::Dot;
use crate::canary::is_planted;
use crate::collections::OrderedMap;

/// What stands above the topmost nodes.
pub(crate) const ROOT: Dot = Dot::new(crate::ReplicaId::from_u128(0), 0);

/// No move.
const NONE: u32 = u32::MAX;

/// A move of a node; its first is its creation, which has the node's name.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    /// Greater than those of all moves that its writer had seen.
    pub(crate) stamp: u64,
    pub(crate) dot: Dot,
    pub(crate) node: Dot,
    pub(crate) parent: Dot,
    pub(crate) key: Key,
    /// Of a creation: whether the node was removed.
    pub(crate) spent: bool,
    /// In the replay: whether it would have made a circle, ...
    pub(super) skipped: bool,
    /// ... and the move of the same node that was in force before it.
    before: u32,
}

impl Step {
    pub(crate) const fn new(stamp: u64, dot: Dot, node: Dot, parent: Dot, key: Key) -> Self {
        Self { stamp, dot, node, parent, key, spent: false, skipped: false, before: NONE }
    }

    pub(super) fn is_creation(&self) -> bool {
        self.dot == self.node
    }

    /// What a replica is told of it.
    pub(super) fn told(&self) -> (u64, Dot, Dot, Dot, &Key, bool) {
        (self.stamp, self.dot, self.node, self.parent, &self.key, self.spent)
    }
}

/// All moves, replayed in ascending order of (stamp, dot): one that would put a node below
/// itself is skipped.
#[derive(Clone, Debug, Default)]
pub(super) struct Replay {
    steps: Vec<Step>,
    /// The indices of the moves, in their order.
    order: Vec<u32>,
    by_dot: OrderedMap<Dot, u32>,
    /// The move that is in force for each node.
    place: OrderedMap<Dot, u32>,
    /// Those for the children of each node, in the order of (key, node).
    kids: OrderedMap<Dot, Vec<u32>>,
    /// Nodes that moves are about, or lead below, whose creation is not here. None where what is
    /// taken in follows what its writer had seen.
    awaited: OrderedMap<Dot, ()>,
}

impl Replay {
    pub(super) fn of(steps: impl IntoIterator<Item = Step>) -> Self {
        let mut replay = Self::default();
        replay.add(steps);
        replay
    }

    pub(super) fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// The moves, in their order.
    pub(super) fn steps(&self) -> impl DoubleEndedIterator<Item = &Step> + Clone {
        self.order.iter().map(|&at| self.step(at))
    }

    pub(super) fn dots(&self) -> impl Iterator<Item = Dot> {
        self.by_dot.keys().copied()
    }

    /// The dots of moves in a range.
    pub(super) fn dots_in(&self, range: crate::DotRange) -> impl Iterator<Item = Dot> {
        let [first, last] = [range.first, range.last].map(|seq| Dot::new(range.replica, seq));
        self.by_dot.range(first..=last).map(|(&dot, _)| dot)
    }

    pub(super) fn get(&self, dot: Dot) -> Option<&Step> {
        self.by_dot.get(&dot).map(|&at| self.step(at))
    }

    /// A stamp that is greater than all, as far as there is one.
    pub(super) fn next_stamp(&self) -> u64 {
        let last = self.order.last().map_or(0, |&at| self.step(at).stamp);
        (last + 1).min(crate::SEQ_MAX)
    }

    /// Whether a node was created and not removed, wherever it is.
    pub(super) fn is_alive(&self, node: Dot) -> bool {
        self.get(node).is_some_and(|step| step.is_creation() && !step.spent)
    }

    /// The move that is in force for a node.
    pub(super) fn place(&self, node: Dot) -> Option<&Step> {
        self.place.get(&node).map(|&at| self.step(at))
    }

    /// The children of a node, or of [`ROOT`], in order, whether they are alive or not.
    pub(super) fn kids(&self, node: Dot) -> impl DoubleEndedIterator<Item = &Step> + Clone {
        self.kids.get(&node).into_iter().flatten().map(|&at| self.step(at))
    }

    /// Takes in moves that are not here. What comes late costs as many moves as come after it, but for a node that is
    /// created beside others.
    pub(super) fn add(&mut self, steps: impl IntoIterator<Item = Step>) {
        let begun = self.steps.len();
        if begun == 0 {
            // What was decoded is taken as it is, without a copy.
            self.steps = steps.into_iter().collect();
        } else {
            self.steps.extend(steps);
        }
        for (at, step) in (begun as u32..).zip(&mut self.steps[begun..]) {
            (step.skipped, step.before) = (false, NONE);
            self.by_dot.insert(step.dot, at);
        }
        let mut fresh: Vec<u32> = (begun as u32..self.steps.len() as u32).collect();
        crate::collections::sort_with(&mut fresh, |&a, &b| self.when(a) < self.when(b));
        let Some(&first) = fresh.first() else { return };
        let is_apart = fresh.iter().all(|&at| self.is_apart(at));
        fresh.iter().for_each(|&at| self.await_nodes(at));
        if is_apart {
            return fresh.into_iter().for_each(|at| self.add_apart(at));
        }
        let from = if is_planted("replay-by-arrival") {
            self.order.len()
        } else {
            self.order.partition_point(|&at| self.when(at) < self.when(first))
        };
        let mut later = self.order.split_off(from);
        later.iter().rev().for_each(|&at| self.undo(at));
        later.extend(fresh);
        crate::collections::sort_with(&mut later, |&a, &b| self.when(a) < self.when(b));
        later.iter().for_each(|&at| self.redo(at));
        self.order.extend(later);
    }

    /// Whether a move creates a node that no other one names: nothing that comes after it in the order turns out
    /// otherwise. It is not enough that nothing stands there now: what stood there between may have been in the way of others.
    fn is_apart(&self, at: u32) -> bool {
        let step = self.step(at);
        step.is_creation() && !self.awaited.contains_key(&step.node)
    }

    /// Notes the nodes that a move names before they are here, and that one is here now.
    fn await_nodes(&mut self, at: u32) {
        let Step { dot, node, parent, .. } = self.steps[at as usize];
        if !self.awaited.is_empty() {
            self.awaited.remove(&dot);
        }
        for name in [node, parent] {
            if name != ROOT && name != dot && !self.by_dot.contains_key(&name) {
                self.awaited.insert(name, ());
            }
        }
    }

    /// Takes in such a move.
    fn add_apart(&mut self, at: u32) {
        let place = self.order.partition_point(|&other| self.when(other) < self.when(at));
        self.redo(at);
        self.order.insert(place, at);
    }

    /// Drops the moves that `keep` refuses.
    pub(super) fn retain(&mut self, keep: &mut dyn FnMut(Dot) -> bool) {
        let held = self.steps.len();
        let mut steps = core::mem::take(&mut self.steps);
        steps.retain(|step| keep(step.dot));
        if steps.len() == held {
            self.steps = steps;
        } else {
            *self = Self::of(steps);
        }
    }

    /// Notes that a node was removed; whether it was not yet. What two peers told of one event may
    /// differ: a move that somebody else takes for a creation stays what it is.
    pub(super) fn spend(&mut self, node: Dot) -> bool {
        let Some(&at) = self.by_dot.get(&node) else { return false };
        let step = &mut self.steps[at as usize];
        step.is_creation() && !core::mem::replace(&mut step.spent, true)
    }

    /// Whether `node` is `other`, or above it.
    pub(super) fn is_above(&self, node: Dot, other: Dot) -> bool {
        // Nothing stands below a node without children, as a new one is: a deep tree would else
        // cost the square of its depth to read.
        if node != other && !self.kids.contains_key(&node) {
            return false;
        }
        let mut above = Some(other);
        while let Some(here) = above {
            if here == node {
                return true;
            }
            above = self.place(here).map(|step| step.parent);
        }
        false
    }

    fn step(&self, at: u32) -> &Step {
        &self.steps[at as usize]
    }

    fn when(&self, at: u32) -> (u64, Dot) {
        let step = self.step(at);
        (step.stamp, step.dot)
    }

    fn undo(&mut self, at: u32) {
        let Step { node, skipped, before, .. } = self.steps[at as usize];
        if skipped {
            return;
        }
        self.take_from_kids(at);
        if before == NONE {
            self.place.remove(&node);
        } else {
            self.place.insert(node, before);
            self.put_to_kids(before);
        }
    }

    fn redo(&mut self, at: u32) {
        let Step { node, parent, .. } = self.steps[at as usize];
        let skipped = self.is_above(node, parent);
        let before = if skipped { None } else { self.place.insert(node, at) };
        if let Some(before) = before {
            self.take_from_kids(before);
        }
        let step = &mut self.steps[at as usize];
        (step.skipped, step.before) = (skipped, before.unwrap_or(NONE));
        if !skipped {
            self.put_to_kids(at);
        }
    }

    /// Where a move stands, or belongs, among those of its siblings.
    fn slot(&self, kids: &[u32], at: u32) -> usize {
        let name = |at: u32| {
            let Step { key, node, .. } = self.step(at);
            (key, *node)
        };
        kids.partition_point(|&kid| name(kid) < name(at))
    }

    fn take_from_kids(&mut self, at: u32) {
        let parent = self.step(at).parent;
        let kids = self.kids.get(&parent).expect("a move in force is noted above");
        let slot = self.slot(kids, at);
        let kids = self.kids.get_mut(&parent).expect("it was found");
        assert_eq!(kids.remove(slot), at, "siblings are in order");
        if kids.is_empty() {
            self.kids.remove(&parent);
        }
    }

    fn put_to_kids(&mut self, at: u32) {
        let parent = self.step(at).parent;
        let slot = self.kids.get(&parent).map_or(0, |kids| self.slot(kids, at));
        self.kids.entry(parent).or_default().insert(slot, at);
    }

    /// The moves up to the last of which all are in `is_stable` that can be forgotten: those that
    /// were skipped, and, where that leaves the tree as it is, those that others replaced.
    pub(super) fn forgettable(&self, is_stable: impl Fn(Dot) -> bool) -> Vec<Dot> {
        let settled: Vec<&Step> = self.steps().take_while(|step| is_stable(step.dot)).collect();
        let mut last: OrderedMap<Dot, Dot> = OrderedMap::new();
        for step in settled.iter().filter(|step| !step.skipped) {
            last.insert(step.node, step.dot);
        }
        let stays = |step: &Step| step.is_creation() || last.get(&step.node) == Some(&step.dot);
        let shorter = Self::of(settled.iter().filter(|step| stays(step)).map(|&step| step.clone()));
        let is_same = last
            .iter()
            .all(|(&node, &dot)| shorter.place(node).is_some_and(|step| step.dot == dot));
        let forgotten = settled
            .into_iter()
            .filter(|step| !step.is_creation() && (step.skipped || is_same && !stays(step)));
        forgotten.map(|step| step.dot).collect()
    }

    /// Panics if the tree is not what the moves make.
    pub(super) fn check_invariants(&self) {
        assert!(self.order.is_sorted_by(|&a, &b| self.when(a) < self.when(b)));
        assert_eq!((self.order.len(), self.by_dot.len()), (self.steps.len(), self.steps.len()));
        for (&dot, &at) in &self.by_dot {
            assert_eq!(self.step(at).dot, dot);
            assert!(self.step(at).is_creation() || !self.step(at).spent, "nodes are removed");
        }
        for (&node, &at) in &self.place {
            let step = self.step(at);
            assert!(step.node == node && !step.skipped);
            assert!(!self.is_above(node, step.parent), "no node is below itself");
            assert!(self.kids.get(&step.parent).is_some_and(|kids| kids.contains(&at)));
        }
        let kids: usize = self.kids.values().map(Vec::len).sum();
        assert_eq!(kids, self.place.len(), "every node is noted once");
        for kids in self.kids.values() {
            let name = |at: u32| (&self.step(at).key, self.step(at).node);
            assert!(kids.is_sorted_by(|&a, &b| name(a) < name(b)));
        }
        let names = self.steps.iter().flat_map(|step| [step.node, step.parent]);
        let mut awaited: Vec<Dot> =
            names.filter(|name| *name != ROOT && !self.by_dot.contains_key(name)).collect();
        awaited.sort_unstable();
        awaited.dedup();
        assert!(awaited.iter().eq(self.awaited.keys()), "nodes that are not here are awaited");
        let anew = Self::of(self.steps().cloned());
        assert!(anew.steps().map(|step| step.skipped).eq(self.steps().map(|step| step.skipped)));
        assert!(
            self.place.iter().all(|(&node, _)| anew.place(node).map(|step| step.dot)
                == self.place(node).map(|step| step.dot)),
            "the tree is that of a replay from the beginning"
        );
    }
}
