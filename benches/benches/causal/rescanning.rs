//! The plain buffer: what waits stands in one list, which is looked through after each delivery.

use std::collections::BTreeMap;

use crdt_causal::delivery::Message;
use crdt_core::ReplicaId;

#[derive(Default)]
pub(crate) struct Rescanning<P> {
    delivered: BTreeMap<ReplicaId, u64>,
    waiting: Vec<Message<P>>,
    pub(crate) examined: u64,
}

impl<P> Rescanning<P> {
    pub(crate) fn insert(&mut self, message: Message<P>, deliver: &mut impl FnMut(Message<P>)) {
        self.waiting.push(message);
        while let Some(at) = (0..self.waiting.len()).rev().find(|at| self.is_ready(*at)) {
            let message = self.waiting.swap_remove(at);
            self.delivered.insert(message.dot.replica, message.dot.seq);
            deliver(message);
        }
    }

    fn is_ready(&mut self, at: usize) -> bool {
        self.examined += 1;
        let Message { dot, parents, .. } = &self.waiting[at];
        let delivered = |replica| self.delivered.get(&replica).copied().unwrap_or(0);
        delivered(dot.replica) + 1 == dot.seq
            && parents.iter().all(|parent| delivered(parent.replica) >= parent.seq)
    }
}
