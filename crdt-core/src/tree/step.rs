//! A move of a tree.

use super::key::Key;
use super::node::{NONE, TOP};
use crate::{Dot, ReplicaId};

/// What stands above the topmost nodes.
pub(crate) const ROOT: Dot = Dot::new(ReplicaId::from_u128(0), 0);

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
    /// ... the move of the same node that was in force before it, ...
    pub(super) before: u32,
    /// ... and which its node and its parent are there.
    pub(super) of: u32,
    pub(super) below: u32,
}

impl Step {
    pub(crate) const fn new(stamp: u64, dot: Dot, node: Dot, parent: Dot, key: Key) -> Self {
        let (skipped, before, of, below) = (false, NONE, TOP, TOP);
        Self { stamp, dot, node, parent, key, spent: false, skipped, before, of, below }
    }

    pub(super) fn is_creation(&self) -> bool {
        self.dot == self.node
    }

    /// What a replica is told of it.
    pub(super) fn told(&self) -> (u64, Dot, Dot, Dot, &Key, bool) {
        (self.stamp, self.dot, self.node, self.parent, &self.key, self.spent)
    }
}
