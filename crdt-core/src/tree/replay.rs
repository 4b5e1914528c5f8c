//! The moves in their order, and the tree that they make.

use alloc::vec::Vec;

use super::node::{NONE, Name, Node, TOP};
use super::step::{ROOT, Step};
use crate::Dot;
use crate::canary::is_planted;
use crate::collections::OrderedMap;

/// All moves, replayed in ascending order of (stamp, dot): one that would put a node below
/// itself is skipped.
///
/// Moves and nodes refer to each other by their numbers, so that to go up from a node is to go
/// through an array. Names are looked up where they come in.
#[derive(Clone, Debug, Default)]
pub(super) struct Replay {
    pub(super) steps: Vec<Step>,
    /// The numbers of the moves, in their order.
    pub(super) order: Vec<u32>,
    /// What stands above all, and the nodes that are moved or moved to; none, if there are no moves.
    pub(super) nodes: Vec<Node>,
    /// The moves and the nodes, by their names.
    pub(super) names: OrderedMap<Dot, Name>,
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
        self.names.iter().filter(|(_, name)| name.step != NONE).map(|(&dot, _)| dot)
    }

    /// The dots of moves in a range.
    pub(super) fn dots_in(&self, range: crate::DotRange) -> impl Iterator<Item = Dot> {
        let [first, last] = [range.first, range.last].map(|seq| Dot::new(range.replica, seq));
        let names = self.names.range(first..=last);
        names.filter(|(_, name)| name.step != NONE).map(|(&dot, _)| dot)
    }

    pub(super) fn get(&self, dot: Dot) -> Option<&Step> {
        let at = self.names.get(&dot)?.step;
        (at != NONE).then(|| self.step(at))
    }

    /// A stamp that is greater than all, as far as there is one.
    pub(super) fn next_stamp(&self) -> u64 {
        let last = self.order.last().map_or(0, |&at| self.step(at).stamp);
        (last + 1).min(crate::SEQ_MAX)
    }

    /// Takes in moves that are not here.
    ///
    /// One that comes late is put among the others by undoing those after it and doing them again, as in the paper, but
    /// for all those of *leaves*: nodes that no move has ever led below. These are above nothing at any time, so no
    /// other move turns out otherwise by where they are, nor theirs by where others are. A leaf's move costs the later
    /// ones of that leaf; any other, the later ones of all that are no leaves.
    pub(super) fn add(&mut self, steps: impl IntoIterator<Item = Step>) {
        let begun = self.steps.len();
        if begun == 0 {
            // What was decoded is taken as it is, without a copy.
            self.steps = steps.into_iter().collect();
        } else {
            self.steps.extend(steps);
        }
        let (mut apart, mut late): (Vec<u32>, Vec<u32>) = Default::default();
        let mut last = self.order.last().copied();
        // To go through one leaf's moves for each of as many is no cheaper than to do all again, once.
        let mut patience = self.steps.len();
        for at in begun as u32..self.steps.len() as u32 {
            self.enter(at);
            let is_last = last.is_none_or(|last| self.when(last) < self.when(at));
            if is_last {
                last = Some(at);
            }
            if (is_last || is_planted("replay-by-arrival")) && late.is_empty() {
                self.redo(at);
                self.order.push(at);
            } else if self.is_leaf(at) && self.add_apart(at, &mut patience) {
                apart.push(at);
            } else {
                late.push(at);
            }
        }
        self.put_in_order(apart);
        self.add_late(late);
    }

    /// Takes in a move of a leaf, and says so; unless more of that one's moves come after it than there is patience for.
    fn add_apart(&mut self, at: u32, patience: &mut usize) -> bool {
        let place = self.nodes[self.step(at).of as usize].place;
        let (mut before, mut behind) = (place, NONE);
        while before != NONE && self.when(before) > self.when(at) {
            let Some(left) = patience.checked_sub(1) else { return false };
            *patience = left;
            (before, behind) = (self.step(before).before, before);
        }
        self.steps[at as usize].before = before;
        if behind != NONE {
            self.steps[behind as usize].before = at;
            return true;
        }
        if before != NONE {
            self.unlink(before);
        }
        self.link(at);
        true
    }

    /// Takes in moves between others.
    fn add_late(&mut self, mut late: Vec<u32>) {
        crate::collections::sort_with(&mut late, |&a, &b| self.when(a) < self.when(b));
        let Some(&first) = late.first() else { return };
        // None of them is a leaf's, unless patience came to an end.
        let is_whole = late.iter().any(|&at| self.is_leaf(at));
        let is_done_again = |replay: &Self, at| is_whole || !replay.is_leaf(at);
        let from = self.order.partition_point(|&at| self.when(at) < self.when(first));
        for at in (from..self.order.len()).rev() {
            let at = self.order[at];
            if is_done_again(self, at) {
                self.undo(at);
            }
        }
        self.put_in_order(late);
        for at in from..self.order.len() {
            let at = self.order[at];
            if is_done_again(self, at) {
                self.redo(at);
            }
        }
    }

    /// Puts moves among those in order.
    fn put_in_order(&mut self, mut fresh: Vec<u32>) {
        crate::collections::sort_with(&mut fresh, |&a, &b| self.when(a) < self.when(b));
        let Some(&first) = fresh.first() else { return };
        let from = self.order.partition_point(|&at| self.when(at) < self.when(first));
        if fresh.len() == 1 {
            return self.order.insert(from, first);
        }
        let mut later = self.order.split_off(from).into_iter().peekable();
        for at in fresh {
            while let Some(earlier) = later.next_if(|&other| self.when(other) < self.when(at)) {
                self.order.push(earlier);
            }
            self.order.push(at);
        }
        self.order.extend(later);
    }

    /// Whether a move is one of a leaf.
    fn is_leaf(&self, at: u32) -> bool {
        self.nodes[self.step(at).of as usize].named == 0
    }

    /// Gives a move, its node and its parent their numbers.
    fn enter(&mut self, at: u32) {
        if self.nodes.is_empty() {
            self.nodes.push(Node::UNSEEN);
        }
        let Step { dot, node, parent, spent, .. } = self.steps[at as usize];
        let (of, below) = (self.number(node), self.number(parent));
        self.names.entry(dot).or_insert(Name::UNKNOWN).step = at;
        self.nodes[below as usize].named += 1;
        let step = &mut self.steps[at as usize];
        (step.skipped, step.before, step.of, step.below) = (false, NONE, of, below);
        if dot == node {
            self.set_alive(of, !spent);
        }
    }

    /// Which of the nodes has a name; another one, if none has.
    fn number(&mut self, name: Dot) -> u32 {
        if name == ROOT {
            return TOP;
        }
        let name = self.names.entry(name).or_insert(Name::UNKNOWN);
        if name.node == NONE {
            name.node = self.nodes.len() as u32;
            self.nodes.push(Node::UNSEEN);
        }
        name.node
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
        let Some(at) = self.names.get(&node).map(|name| name.step) else { return false };
        let Some(step) = self.steps.get_mut(at as usize) else { return false };
        if !step.is_creation() || core::mem::replace(&mut step.spent, true) {
            return false;
        }
        let of = step.of;
        self.set_alive(of, false);
        true
    }

    pub(super) fn step(&self, at: u32) -> &Step {
        &self.steps[at as usize]
    }

    pub(super) fn when(&self, at: u32) -> (u64, Dot) {
        let step = self.step(at);
        (step.stamp, step.dot)
    }

    fn undo(&mut self, at: u32) {
        let Step { skipped, before, .. } = self.steps[at as usize];
        if skipped {
            return;
        }
        self.unlink(at);
        if before != NONE {
            self.link(before);
        }
    }

    fn redo(&mut self, at: u32) {
        let Step { of, below, .. } = self.steps[at as usize];
        let skipped = self.leads_to(of, below);
        let mut before = NONE;
        if !skipped {
            before = self.nodes[of as usize].place;
            if before != NONE {
                self.unlink(before);
            }
            self.link(at);
        }
        let step = &mut self.steps[at as usize];
        (step.skipped, step.before) = (skipped, before);
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
}
