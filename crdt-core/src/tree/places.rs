//! Where nodes stand, as the moves in force have it.

use super::key::Key;
use super::node::{NONE, Node, TOP};
use super::replay::Replay;
use super::step::{ROOT, Step};
use crate::Dot;

impl Replay {
    /// Whether a node was created and not removed, wherever it is.
    pub(super) fn is_alive(&self, node: Dot) -> bool {
        self.index(node).is_some_and(|node| self.node(node).is_alive)
    }

    /// Whether a node is in the tree: it and all above it are alive. Costs its depth.
    pub(super) fn contains(&self, node: Dot) -> bool {
        let Some(mut here) = self.index(node).filter(|&node| node != TOP) else { return false };
        while here != TOP {
            let node = self.node(here);
            if !node.is_alive || node.place == NONE {
                return false;
            }
            here = node.parent;
        }
        true
    }

    /// The move that is in force for a node.
    pub(super) fn place(&self, node: Dot) -> Option<&Step> {
        let at = self.node(self.index(node)?).place;
        (at != NONE).then(|| self.step(at))
    }

    /// The moves in force for what stands above a node, the parent's first.
    pub(super) fn above(&self, node: Dot) -> impl Iterator<Item = &Step> {
        let up = |&here: &u32| Some(self.node(here).parent);
        let nodes = core::iter::successors(self.index(node), up).skip(1);
        nodes.take_while(|&here| here != TOP).map(|here| self.step(self.node(here).place))
    }

    /// The children of a node, or of [`ROOT`], that are alive, in order.
    pub(super) fn kids(
        &self,
        node: Dot,
    ) -> impl DoubleEndedIterator<Item = &Step> + ExactSizeIterator + Clone {
        self.kids_of(node).iter().map(|&at| self.step(at))
    }

    /// One of them.
    pub(super) fn kid(&self, node: Dot, index: usize) -> Option<&Step> {
        self.kids_of(node).get(index).map(|&at| self.step(at))
    }

    /// Which one a node is of the children of its parent. O(log n).
    pub(super) fn position(&self, node: Dot) -> Option<usize> {
        let node = self.node(self.index(node)?);
        (node.is_alive && node.place != NONE).then(|| self.slot(node.parent, node.place))
    }

    /// Whether `node` is `other`, or above it. Costs the depth of that.
    pub(super) fn is_above(&self, node: Dot, other: Dot) -> bool {
        match (self.index(node), self.index(other)) {
            (Some(node), Some(other)) => self.leads_to(node, other),
            _ => node == other,
        }
    }

    /// As [`is_above`](Self::is_above).
    pub(super) fn leads_to(&self, node: u32, other: u32) -> bool {
        // Nothing stands below a node without children, as a new one is: a deep tree would else
        // cost the square of its depth to read.
        if node != other && self.node(node).below == 0 {
            return false;
        }
        let mut here = other;
        while here != TOP && here != node {
            here = self.node(here).parent;
        }
        here == node
    }

    /// Puts a move in force, where none is for its node.
    pub(super) fn link(&mut self, at: u32) {
        let Step { of, below, .. } = self.steps[at as usize];
        let node = &mut self.nodes[of as usize];
        (node.place, node.parent) = (at, below);
        self.nodes[below as usize].below += 1;
        if self.node(of).is_alive {
            self.show(at);
        }
    }

    /// Takes a move out of force.
    pub(super) fn unlink(&mut self, at: u32) {
        let Step { of, below, .. } = self.steps[at as usize];
        if self.node(of).is_alive {
            self.hide(at);
        }
        self.nodes[below as usize].below -= 1;
        let node = &mut self.nodes[of as usize];
        (node.place, node.parent) = (NONE, TOP);
    }

    /// Notes that a node is alive, or is not any more.
    pub(super) fn set_alive(&mut self, node: u32, is_alive: bool) {
        let Node { place, is_alive: was_alive, .. } = self.nodes[node as usize];
        match (was_alive, is_alive) {
            (false, true) if place != NONE => self.show(place),
            (true, false) if place != NONE => self.hide(place),
            _ => {}
        }
        self.nodes[node as usize].is_alive = is_alive;
    }

    fn show(&mut self, at: u32) {
        let parent = self.step(at).below;
        let slot = self.slot(parent, at);
        self.nodes[parent as usize].kids.insert(slot, at);
    }

    fn hide(&mut self, at: u32) {
        let parent = self.step(at).below;
        let slot = self.slot(parent, at);
        let kids = &mut self.nodes[parent as usize].kids;
        assert_eq!(kids.remove(slot), at, "siblings are in order");
    }

    /// Where a move stands, or belongs, among those of its siblings.
    fn slot(&self, parent: u32, at: u32) -> usize {
        let name = |at: u32| -> (&Key, Dot) {
            let step = self.step(at);
            (&step.key, step.node)
        };
        self.node(parent).kids.partition_point(|&kid| name(kid) < name(at))
    }

    fn kids_of(&self, node: Dot) -> &[u32] {
        self.index(node).map_or(&[], |node| &self.node(node).kids)
    }

    /// Which of the nodes has a name, if one has.
    fn index(&self, name: Dot) -> Option<u32> {
        if name == ROOT {
            return (!self.nodes.is_empty()).then_some(TOP);
        }
        self.names.get(&name).map(|name| name.node).filter(|&node| node != NONE)
    }

    fn node(&self, node: u32) -> &Node {
        &self.nodes[node as usize]
    }
}
