//! A node of a replay.

use alloc::vec::Vec;

/// No move, or no node.
pub(super) const NONE: u32 = u32::MAX;

/// The first of the nodes: what stands above the topmost ones.
pub(super) const TOP: u32 = 0;

/// How a node stands, by the moves that are in force. Also one that was not created here yet,
/// if a move is about it or leads below it.
#[derive(Clone, Debug)]
pub(super) struct Node {
    /// The move that is in force for it.
    pub(super) place: u32,
    /// Where that leads; the top, if none is.
    pub(super) parent: u32,
    /// How many nodes stand right below it, whether they are alive or not.
    pub(super) below: u32,
    /// How many moves there are that lead right below it, in force or not: a leaf has none.
    pub(super) named: u32,
    /// Whether it was created and not removed, wherever it stands.
    pub(super) is_alive: bool,
    /// The moves in force for those below it that are alive, in the order of (key, node).
    pub(super) kids: Vec<u32>,
}

impl Node {
    /// One of which nothing is known but its name.
    pub(super) const UNSEEN: Self =
        Self { place: NONE, parent: TOP, below: 0, named: 0, is_alive: false, kids: Vec::new() };
}

/// What a name is the name of: a move, a node, or both.
#[derive(Clone, Copy, Debug)]
pub(super) struct Name {
    /// None, if moves refer to it only.
    pub(super) step: u32,
    /// None, if no move is about it or leads below it.
    pub(super) node: u32,
}

impl Name {
    pub(super) const UNKNOWN: Self = Self { step: NONE, node: NONE };
}
