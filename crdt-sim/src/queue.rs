//! Virtual time: what is going to happen, in order.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

/// Events by time; those of one time in the order in which they were put there.
#[derive(Debug)]
pub(crate) struct Queue<E> {
    order: BinaryHeap<Reverse<(u64, u64)>>,
    events: BTreeMap<u64, E>,
    pushed: u64,
}

impl<E> Default for Queue<E> {
    fn default() -> Self {
        Self { order: BinaryHeap::new(), events: BTreeMap::new(), pushed: 0 }
    }
}

impl<E> Queue<E> {
    pub(crate) fn push(&mut self, at: u64, event: E) {
        self.order.push(Reverse((at, self.pushed)));
        self.events.insert(self.pushed, event);
        self.pushed += 1;
    }

    pub(crate) fn pop(&mut self) -> Option<(u64, E)> {
        let Reverse((at, number)) = self.order.pop()?;
        Some((at, self.events.remove(&number).expect("it was pushed")))
    }

    /// When the next event is.
    pub(crate) fn next_at(&self) -> Option<u64> {
        self.order.peek().map(|Reverse((at, _))| *at)
    }
}
