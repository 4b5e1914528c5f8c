use core::fmt;

use crdt_core::ReplicaId;

use super::progress::Progress;
use crate::cut::{Cut, Epoch, Slot};
use crate::session::LogTag;

/// Another server, as it last told of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Which one.
    pub slot: Slot,
    /// What it has applied.
    pub applied: Cut,
}

/// How far the writes of a replica to a log are held without gaps: the sequence number of the last.
pub type Held<'a> = &'a dyn Fn(ReplicaId, LogTag) -> u64;

/// What is known of the engine for strong operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EngineView<'a> {
    /// What is durable in the engine, or wherever the engine's operations may look.
    pub durable: &'a Cut,
}

/// A server at the moment of a decision. What is decided refers to its progress alone.
#[derive(Clone, Copy)]
pub struct NodeView<'n, 'a> {
    /// The membership that the cuts are of.
    pub epoch: Epoch,
    /// What the node has applied, and knows of the others' heads.
    pub progress: &'n Progress,
    /// Up to which position of the engine the node shows strong operations; 0 without an engine.
    pub strong: u64,
    /// Who else could be asked, the nearest first.
    pub peers: &'a [Peer],
    /// Which of the client's own writes are here.
    pub held: Held<'a>,
    /// The engine, if there is one and it answers.
    pub engine: Option<EngineView<'a>>,
}

impl<'n> NodeView<'n, '_> {
    /// A node by itself: it knows no peers, no engine, and none of the client's offline writes.
    pub fn new(epoch: Epoch, progress: &'n Progress) -> Self {
        Self { epoch, progress, strong: 0, peers: &[], held: &|_, _| 0, engine: None }
    }
}

impl fmt::Debug for NodeView<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NodeView")
            .field("epoch", &self.epoch)
            .field("progress", &self.progress)
            .field("strong", &self.strong)
            .field("peers", &self.peers)
            .field("engine", &self.engine)
            .finish_non_exhaustive()
    }
}
