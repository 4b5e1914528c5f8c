//! The content of a tree, as a store of the kernel.

use alloc::vec::Vec;
use core::fmt;
use core::hash::{Hash, Hasher};

use smallvec::SmallVec;

use super::replay::Replay;
use super::step::{ROOT, Step};
use crate::causality::CausalContext;
use crate::collections::OrderedMap;
use crate::dot_store::{DotChange, DotStore, Split};
use crate::{Dot, DotRange};

/// The content of a [`Tree`](super::Tree), without a context of its own: every move and every
/// value of a node under the dot of its event.
///
/// It is nested in an [`ObservedRemoveMap`](crate::ObservedRemoveMap): to remove its key takes
/// away what was seen of the tree, and what was created at its top concurrently stays.
#[derive(Clone)]
pub struct TreeStore<V> {
    pub(super) replay: Replay,
    /// Each value with its node, by the event that wrote it.
    values: OrderedMap<Dot, (Dot, V)>,
    /// The writes of each node, in ascending order.
    written: OrderedMap<Dot, SmallVec<[Dot; 1]>>,
}

impl<V> Default for TreeStore<V> {
    fn default() -> Self {
        Self { replay: Replay::default(), values: OrderedMap::new(), written: OrderedMap::new() }
    }
}

/// A move that would have put a node below itself, and so has no effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SkippedMove {
    /// The event: who moved it.
    pub dot: Dot,
    /// What was moved.
    pub node: Dot,
    /// Below which node.
    pub parent: Dot,
}

/// The name of what a parent is in the moves.
pub(super) fn name(parent: Option<Dot>) -> Dot {
    parent.unwrap_or(ROOT)
}

impl<V> TreeStore<V> {
    /// The tree of no nodes.
    pub fn new() -> Self {
        Self::default()
    }

    pub(super) fn of(replay: Replay) -> Self {
        Self { replay, ..Self::default() }
    }

    /// Whether a node is in the tree: it was created and not removed, and so was all that
    /// stands above it. Costs its depth.
    pub fn contains(&self, node: Dot) -> bool {
        self.replay.contains(node)
    }

    /// The value of a node: of concurrent ones, that of the greatest dot.
    pub fn get(&self, node: Dot) -> Option<&V> {
        let last = self.written.get(&node)?.last()?;
        self.contains(node).then(|| &self.values.get(last).expect("a write has a value").1)
    }

    /// The values of a node that lost against concurrent ones, each with the event that wrote
    /// it, the greatest first.
    pub fn conflicts(&self, node: Dot) -> impl Iterator<Item = (Dot, &V)> {
        let is_here = self.contains(node);
        let writes = self.written.get(&node).filter(|_| is_here);
        let lost = writes.into_iter().flatten().rev().skip(1);
        lost.map(|dot| (*dot, &self.values.get(dot).expect("a write has a value").1))
    }

    /// The parent of a node, if it has one: not if it stands at the top, or is not in the
    /// tree.
    pub fn parent(&self, node: Dot) -> Option<Dot> {
        let step = self.replay.place(node).filter(|step| step.parent != ROOT)?;
        self.contains(node).then_some(step.parent)
    }

    /// The nodes above a node, from its parent up. Costs its depth.
    pub fn ancestors(&self, node: Dot) -> impl Iterator<Item = Dot> {
        let above = self.contains(node).then(|| self.replay.above(node));
        above.into_iter().flatten().map(|step| step.node)
    }

    /// The children of a node, or what stands at the top, in order. Costs the depth.
    pub fn children(
        &self,
        parent: Option<Dot>,
    ) -> impl DoubleEndedIterator<Item = Dot> + ExactSizeIterator + Clone {
        let is_here = parent.is_none_or(|parent| self.contains(parent));
        let count = if is_here { usize::MAX } else { 0 };
        self.replay.kids(name(parent)).take(count).map(|step| step.node)
    }

    /// The position of a node among its siblings, if it is in the tree. Costs its depth and
    /// O(log siblings).
    pub fn position(&self, node: Dot) -> Option<usize> {
        self.replay.position(node).filter(|_| self.contains(node))
    }

    /// All nodes, each before its children, with how many stand above it.
    pub fn iter(&self) -> impl Iterator<Item = (usize, Dot)> {
        let mut rest: Vec<(usize, Dot)> = self.children(None).rev().map(|node| (0, node)).collect();
        core::iter::from_fn(move || {
            let (depth, node) = rest.pop()?;
            rest.extend(self.replay.kids(node).rev().map(|step| (depth + 1, step.node)));
            Some((depth, node))
        })
    }

    /// The moves that have no effect, because they would have put a node below itself: those of
    /// nodes that were not removed, in the order in which all moves are replayed.
    pub fn skipped(&self) -> impl Iterator<Item = SkippedMove> {
        let skipped = self.replay.steps().filter(|step| step.skipped);
        skipped
            .filter(|step| self.replay.is_alive(step.node))
            .map(|&Step { dot, node, parent, .. }| SkippedMove { dot, node, parent })
    }

    /// Whether no node is in the tree. It may hold moves of nodes that were.
    pub fn is_empty(&self) -> bool {
        self.children(None).next().is_none()
    }

    /// The moves, in the order in which they are replayed.
    #[cfg(feature = "serde")]
    pub(crate) fn steps(&self) -> impl Iterator<Item = &Step> {
        self.replay.steps()
    }

    /// The values with their nodes, by the events that wrote them.
    pub(crate) fn values(&self) -> impl ExactSizeIterator<Item = (&Dot, &(Dot, V))> {
        self.values.iter()
    }

    /// The writes of a node.
    pub(super) fn writes(&self, node: Dot) -> SmallVec<[Dot; 1]> {
        self.written.get(&node).cloned().unwrap_or_default()
    }

    /// The value that an event wrote, with its node.
    pub(super) fn written_by(&self, dot: Dot) -> Option<&(Dot, V)> {
        self.values.get(&dot)
    }

    pub(super) fn put_value(&mut self, dot: Dot, node: Dot, value: V) -> bool {
        let is_new = self.values.insert(dot, (node, value)).is_none();
        let writes = self.written.entry(node).or_default();
        if let Err(slot) = writes.binary_search(&dot) {
            writes.insert(slot, dot);
        }
        is_new
    }

    pub(super) fn take_value(&mut self, dot: Dot) {
        let Some((node, _)) = self.values.remove(&dot) else { return };
        let writes = self.written.get_mut(&node).expect("a value is noted");
        writes.retain(|write| *write != dot);
        if writes.is_empty() {
            self.written.remove(&node);
        }
    }

    /// The events in a range that are held, moves and writes apart.
    pub(super) fn dots_in(
        &self,
        range: DotRange,
    ) -> (impl Iterator<Item = Dot>, impl Iterator<Item = Dot>) {
        let [first, last] = [range.first, range.last].map(|seq| Dot::new(range.replica, seq));
        (self.replay.dots_in(range), self.values.range(first..=last).map(|(&dot, _)| dot))
    }
}

impl<V> DotStore for TreeStore<V> {
    type Places = ();

    const REDACTABLE: bool = true;

    fn is_empty(&self) -> bool {
        self.replay.is_empty() && self.values.is_empty()
    }

    fn for_each_dot(&self, visit: &mut dyn FnMut(Dot)) {
        self.replay.dots().chain(self.values.keys().copied()).for_each(visit);
    }

    /// The creations of nodes that were removed.
    fn for_each_redacted(&self, visit: &mut dyn FnMut(Dot)) {
        self.replay.steps().filter(|step| step.spent).for_each(|step| visit(step.dot));
    }

    fn retain(&mut self, keep: &mut dyn FnMut(Dot) -> bool) {
        self.replay.retain(keep);
        let gone: Vec<Dot> = self.values.keys().copied().filter(|&dot| !keep(dot)).collect();
        gone.into_iter().for_each(|dot| self.take_value(dot));
    }

    fn join(
        &mut self,
        own: &CausalContext,
        other: Self,
        others: &CausalContext,
        report: &mut dyn FnMut(DotChange),
    ) {
        let (mut moves, mut writes) = (Vec::new(), Vec::new());
        for range in others.ranges() {
            let (held_moves, held_writes) = self.dots_in(range);
            moves.extend(held_moves.filter(|&dot| other.replay.get(dot).is_none()));
            writes.extend(held_writes.filter(|dot| !other.values.contains_key(dot)));
        }
        if !moves.is_empty() {
            crate::collections::sort(&mut moves);
            self.replay.retain(&mut |dot| moves.binary_search(&dot).is_err());
        }
        for &dot in &writes {
            self.take_value(dot);
        }
        moves.into_iter().chain(writes).for_each(|dot| report(DotChange::Removed(dot)));

        let mut fresh: Vec<Step> = Vec::new();
        for step in other.replay.steps() {
            if self.replay.get(step.dot).is_some() {
                if step.spent && self.replay.spend(step.dot) {
                    report(DotChange::Redacted(step.dot));
                }
            } else if !own.contains(step.dot) {
                report(DotChange::Added(step.dot));
                fresh.push(step.clone());
            }
        }
        self.replay.add(fresh);
        for (dot, (node, value)) in other.values {
            if !own.contains(dot) && !self.values.contains_key(&dot) {
                report(DotChange::Added(dot));
                self.put_value(dot, node, value);
            }
        }
    }

    fn join_at(
        &mut self,
        own: &CausalContext,
        other: Self,
        others: &CausalContext,
        (): &(),
        report: &mut dyn FnMut(DotChange),
    ) {
        self.join(own, other, others, report);
    }

    fn count_at(&self, _: &Self, others: &CausalContext, (): &()) -> u64 {
        let in_range = |range| {
            let (moves, writes) = self.dots_in(range);
            (moves.count() + writes.count()) as u64
        };
        others.ranges().map(in_range).sum()
    }

    fn check_invariants(&self) {
        self.replay.check_invariants();
        let writes: usize = self.written.values().map(|writes| writes.len()).sum();
        assert_eq!(writes, self.values.len(), "every value is noted once");
        for (node, writes) in &self.written {
            assert!(!writes.is_empty() && writes.is_sorted_by(|a, b| a < b));
            assert!(
                writes.iter().all(|dot| self.values.get(dot).is_some_and(|(of, _)| of == node))
            );
        }
    }
}

impl<V> Split for TreeStore<V> {
    fn split(self, visit: &mut dyn FnMut(Dot, Self)) {
        for step in self.replay.steps() {
            let replay = Replay::of([step.clone()]);
            visit(step.dot, Self::of(replay));
        }
        for (dot, (node, value)) in self.values {
            let mut alone = Self::default();
            alone.put_value(dot, node, value);
            visit(dot, alone);
        }
    }
}

impl<V: PartialEq> PartialEq for TreeStore<V> {
    fn eq(&self, other: &Self) -> bool {
        self.replay.steps().map(Step::told).eq(other.replay.steps().map(Step::told))
            && self.values == other.values
    }
}

impl<V: Eq> Eq for TreeStore<V> {}

impl<V: Hash> Hash for TreeStore<V> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.replay.steps().for_each(|step| step.told().hash(state));
        self.values.hash(state);
    }
}

/// The nodes with their values, each with its children.
impl<V: fmt::Debug> fmt::Debug for TreeStore<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut list = f.debug_list();
        for (depth, node) in self.iter() {
            list.entry(&(depth, node, self.get(node)));
        }
        list.finish()
    }
}
