//! A tree that is put together from what is read, and what must hold of that.

use alloc::vec::Vec;

use super::key::is_key;
use super::replay::Replay;
use super::step::{ROOT, Step};
use super::store::TreeStore;
use crate::codec::DecodeErrorKind;
use crate::{Dot, SEQ_MAX};

/// The moves of a tree, in the order of replay.
pub(crate) struct Moves {
    steps: Vec<Step>,
}

impl Moves {
    pub(crate) fn with_capacity(capacity: usize) -> Self {
        let mut steps = Vec::new();
        steps.reserve_exact(capacity);
        Self { steps }
    }

    /// The next move.
    ///
    /// # Errors
    ///
    /// It does not come behind the last one, is no event, refers to what its replica cannot have
    /// seen, or has no stamp or no key; or it is spent, and creates nothing.
    pub(crate) fn push(&mut self, step: Step) -> Result<(), DecodeErrorKind> {
        let Step { stamp, dot, node, parent, spent, .. } = step;
        let is_move_of_later = node.replica == dot.replica && node.seq > dot.seq;
        if dot.seq == 0 || node.seq == 0 || is_move_of_later || is_unseen(dot, parent) {
            return Err(DecodeErrorKind::OutOfRange);
        }
        if stamp == 0 || stamp > SEQ_MAX || spent && node != dot {
            return Err(DecodeErrorKind::OutOfRange);
        }
        if self.steps.last().is_some_and(|last| (stamp, dot) <= (last.stamp, last.dot)) {
            return Err(DecodeErrorKind::NotAscending);
        }
        if !is_key(&step.key) {
            return Err(DecodeErrorKind::NotCanonical);
        }
        self.steps.push(step);
        Ok(())
    }

    /// The tree that they make, without values.
    ///
    /// # Errors
    ///
    /// Two moves are one event.
    pub(crate) fn replay<V>(self) -> Result<Assembly<V>, DecodeErrorKind> {
        let count = self.steps.len();
        let replay = Replay::of(self.steps);
        if replay.dots().count() == count {
            Ok(Assembly { store: TreeStore::of(replay), last: ROOT })
        } else {
            Err(DecodeErrorKind::OutOfRange)
        }
    }
}

/// A tree that is given its values.
pub(crate) struct Assembly<V> {
    store: TreeStore<V>,
    last: Dot,
}

impl<V> Assembly<V> {
    /// The next value: by which event, and of which node.
    ///
    /// # Errors
    ///
    /// They are not in ascending order, or one is of a node that its replica cannot have seen.
    pub(crate) fn push(&mut self, dot: Dot, node: Dot, value: V) -> Result<(), DecodeErrorKind> {
        if dot.seq == 0 || node == ROOT || is_unseen(dot, node) {
            return Err(DecodeErrorKind::OutOfRange);
        }
        if self.last >= dot {
            return Err(DecodeErrorKind::NotAscending);
        }
        self.last = dot;
        self.store.put_value(dot, node, value);
        Ok(())
    }

    pub(crate) fn finish(self) -> TreeStore<V> {
        self.store
    }
}

/// Whether a replica cannot have seen an event of its own when it made another one.
fn is_unseen(by: Dot, origin: Dot) -> bool {
    origin != ROOT && origin.replica == by.replica && origin.seq >= by.seq
}
