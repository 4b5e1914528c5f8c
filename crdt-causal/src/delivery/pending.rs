//! The messages that wait, and the links of their wait lists.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::slots::NONE;

/// A dot, with the replica as its index in the buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LocalDot {
    pub(super) origin: u32,
    pub(super) seq: u64,
}

/// A message whose causes were not all delivered.
///
/// It stands in exactly one wait list, that of its first missing dot, through `next` and
/// `previous`. Its dependencies are numbered: 0 is its own predecessor, and then come the
/// parents. Those before `awaited` were delivered, and delivery is for ever: nothing is
/// looked at twice.
#[derive(Debug)]
pub(super) struct Pending<P> {
    seq: u64,
    pub(super) parents: Box<[LocalDot]>,
    pub(super) payload: P,
    origin: u32,
    pub(super) awaited: u32,
    next: u32,
    previous: u32,
}

impl<P> Pending<P> {
    pub(super) fn new(dot: LocalDot, parents: Box<[LocalDot]>, payload: P) -> Self {
        let LocalDot { origin, seq } = dot;
        Self { seq, parents, payload, origin, awaited: 0, next: NONE, previous: NONE }
    }

    pub(super) fn dot(&self) -> LocalDot {
        LocalDot { origin: self.origin, seq: self.seq }
    }

    /// The dependency with the given number; `None` past the last one.
    ///
    /// The predecessor of a replica's first message is number 0, which counts as delivered.
    pub(super) fn dependency(&self, number: u32) -> Option<LocalDot> {
        match number.checked_sub(1) {
            None => Some(LocalDot { origin: self.origin, seq: self.seq - 1 }),
            Some(parent) => self.parents.get(parent as usize).copied(),
        }
    }
}

/// The pending messages, each under a handle that stays while it waits.
#[derive(Debug)]
pub(super) struct Arena<P> {
    entries: Vec<Option<Pending<P>>>,
    free: Vec<u32>,
}

impl<P> Arena<P> {
    pub(super) fn new() -> Self {
        Self { entries: Vec::new(), free: Vec::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len() - self.free.len()
    }

    pub(super) fn insert(&mut self, pending: Pending<P>) -> u32 {
        if let Some(handle) = self.free.pop() {
            self.entries[handle as usize] = Some(pending);
            handle
        } else {
            let handle = u32::try_from(self.entries.len()).expect("bounded by `pending_max`");
            assert!(handle != NONE, "bounded by `pending_max`");
            self.entries.push(Some(pending));
            handle
        }
    }

    pub(super) fn remove(&mut self, handle: u32) -> Pending<P> {
        let pending = self.entries[handle as usize].take();
        self.free.push(handle);
        if self.len() == 0 {
            // A burst is over: its memory goes back.
            self.entries = Vec::new();
            self.free = Vec::new();
        }
        pending.expect("a handle names a pending message")
    }

    pub(super) fn get(&self, handle: u32) -> &Pending<P> {
        self.entries[handle as usize].as_ref().expect("a handle names a pending message")
    }

    pub(super) fn get_mut(&mut self, handle: u32) -> &mut Pending<P> {
        self.entries[handle as usize].as_mut().expect("a handle names a pending message")
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &Pending<P>)> + '_ {
        self.entries
            .iter()
            .enumerate()
            .filter_map(|(handle, entry)| Some((handle as u32, entry.as_ref()?)))
    }

    /// Puts a message that is in no list before the one that is `first`; it is the first now.
    pub(super) fn link(&mut self, handle: u32, first: u32) {
        if first != NONE {
            self.get_mut(first).previous = handle;
        }
        let pending = self.get_mut(handle);
        debug_assert!(pending.next == NONE && pending.previous == NONE);
        pending.next = first;
    }

    /// Takes a message out of its list. Returns the new first one if it was the first.
    pub(super) fn unlink(&mut self, handle: u32) -> Option<u32> {
        let pending = self.get_mut(handle);
        let (next, previous) = (pending.next, pending.previous);
        (pending.next, pending.previous) = (NONE, NONE);
        if next != NONE {
            self.get_mut(next).previous = previous;
        }
        if previous == NONE {
            Some(next)
        } else {
            self.get_mut(previous).next = next;
            None
        }
    }

    /// Dissolves the list that begins with `first`, and appends its messages to `to`.
    pub(super) fn dissolve(&mut self, first: u32, to: &mut Vec<u32>) {
        let mut handle = first;
        while handle != NONE {
            to.push(handle);
            let pending = self.get_mut(handle);
            handle = core::mem::replace(&mut pending.next, NONE);
            pending.previous = NONE;
        }
    }

    /// The messages of the list that begins with `first`.
    pub(super) fn list(&self, first: u32) -> impl Iterator<Item = u32> + '_ {
        let some = |handle: u32| (handle != NONE).then_some(handle);
        core::iter::successors(some(first), move |handle| some(self.get(*handle).next))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pending_message_is_small() {
        assert_eq!(size_of::<Pending<()>>(), 40);
    }
}
