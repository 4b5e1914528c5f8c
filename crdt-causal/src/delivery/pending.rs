//! The messages that wait, and the links of their wait lists.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crdt_core::Dot;

use super::near::{IS_FAR, TOGETHER, ask_for};
use super::origin::Origins;
use super::parents::Parents;
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
///
/// When none is missing the message is *ripe*: it stays where it is until it is polled, so that a
/// gap that fills moves nothing and takes no room. It is in no list then but that of the ripe ones.
///
/// There may be millions, so it takes 36 bytes beside the payload, with one parent in them.
#[derive(Debug)]
pub(super) struct Pending<P> {
    dot: Packed,
    parents: Named,
    next: u32,
    previous: u32,
    pub(super) awaited: u16,
    payload: Option<P>,
}

/// A dot in twelve bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Packed {
    origin: u32,
    seq: [u32; 2],
}

/// The parent; or [`NONE`] for an origin; or [`MANY`], and in place of the number where they are.
type Named = Packed;

const MANY: u32 = NONE - 1;

/// What a ripe message awaits. No message has so many dependencies.
const RIPE: u16 = u16::MAX;

impl Packed {
    const NOTHING: Self = Self { origin: NONE, seq: [0; 2] };

    fn new(dot: LocalDot) -> Self {
        Self { origin: dot.origin, seq: [dot.seq as u32, (dot.seq >> 32) as u32] }
    }

    fn dot(self) -> LocalDot {
        let [low, high] = self.seq;
        LocalDot { origin: self.origin, seq: u64::from(high) << 32 | u64::from(low) }
    }
}

impl<P> Pending<P> {
    pub(super) fn dot(&self) -> LocalDot {
        self.dot.dot()
    }

    pub(super) fn payload(&self) -> &P {
        self.payload.as_ref().expect("it waits")
    }
}

/// The pending messages, each under a handle that stays while it waits.
///
/// They stand in chunks, so that there is no room for twice as many as there are.
#[derive(Debug)]
pub(super) struct Arena<P> {
    chunks: Vec<Vec<Pending<P>>>,
    /// How many places there are, in use or free.
    places: u32,
    /// The last place that became free; each leads to the one before it.
    free: u32,
    /// Messages that wait.
    len: usize,
    /// Messages that are ripe, the first and the last of them.
    ripe: usize,
    ripe_first: u32,
    ripe_last: u32,
    /// The last that ripened, each at its number.
    ripened: [u32; TOGETHER],
    ripened_count: usize,
    /// How many ripe ones were asked for and not picked.
    ripe_near: usize,
    /// The parents of messages with more than one.
    many: Vec<Box<[LocalDot]>>,
    /// Which of these are no longer in use.
    many_free: Vec<u32>,
}

const CHUNK_BITS: u32 = 10;
const CHUNK: usize = 1 << CHUNK_BITS;

impl<P> Arena<P> {
    pub(super) fn new() -> Self {
        Self {
            chunks: Vec::new(),
            places: 0,
            free: NONE,
            len: 0,
            ripe: 0,
            ripe_first: NONE,
            ripe_last: NONE,
            ripened: [NONE; TOGETHER],
            ripened_count: 0,
            ripe_near: 0,
            many: Vec::new(),
            many_free: Vec::new(),
        }
    }

    /// How many messages wait; ripe ones do not.
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    /// What a message takes here beside what its payload holds elsewhere.
    pub(super) const fn cost(parents: usize) -> usize {
        let beyond = if parents > 1 { parents * size_of::<LocalDot>() + 20 } else { 0 };
        size_of::<Pending<P>>() + beyond
    }

    pub(super) fn insert(&mut self, dot: LocalDot, parents: &[LocalDot], payload: P) -> u32 {
        let parents = match parents {
            [] => Packed::NOTHING,
            [parent] => Packed::new(*parent),
            _ => Packed { origin: MANY, seq: [self.keep_many(parents), 0] },
        };
        let pending = Pending {
            dot: Packed::new(dot),
            parents,
            next: NONE,
            previous: NONE,
            awaited: 0,
            payload: Some(payload),
        };
        self.len += 1;
        if self.free != NONE {
            let handle = self.free;
            let place = self.get_mut(handle);
            let before = place.next;
            *place = pending;
            self.free = before;
            return handle;
        }
        let handle = self.places;
        assert!(handle < MANY, "bounded by `pending_max`");
        self.places += 1;
        match self.chunks.last_mut() {
            Some(chunk) if chunk.len() < CHUNK => chunk.push(pending),
            // The first grows as it needs to; the others are sure to be filled.
            last => {
                let mut chunk = Vec::with_capacity(if last.is_some() { CHUNK } else { 4 });
                chunk.push(pending);
                self.chunks.push(chunk);
            }
        }
        handle
    }

    /// Keeps the parents of a message that has more than one. There are no more of them than of
    /// messages.
    fn keep_many(&mut self, parents: &[LocalDot]) -> u32 {
        let parents = Box::from(parents);
        if let Some(at) = self.many_free.pop() {
            self.many[at as usize] = parents;
            return at;
        }
        if self.many.len() == self.many.capacity() {
            // By an eighth, and so that giving them back takes no room either.
            let more = (self.many.len() / 8).max(4);
            self.many.reserve_exact(more);
            self.many_free.reserve_exact(self.many.capacity());
        }
        self.many.push(parents);
        self.many.len() as u32 - 1
    }

    /// Takes out a message that waits, and is in no list.
    pub(super) fn remove(&mut self, handle: u32) -> (LocalDot, P) {
        self.len -= 1;
        let dot = self.get(handle).dot();
        (dot, self.vacate(handle))
    }

    fn vacate(&mut self, handle: u32) -> P {
        let free = self.free;
        let place = self.get_mut(handle);
        let payload = place.payload.take().expect("a handle names a pending message");
        let parents = place.parents;
        place.next = free;
        self.free = handle;
        if parents.origin == MANY {
            let at = parents.seq[0];
            self.many_free.push(at);
            self.many[at as usize] = Box::default();
        }
        if self.len == 0 && self.ripe == 0 {
            // A burst is over: its memory goes back.
            *self = Self::new();
        }
        payload
    }

    /// Makes a message that is in no list the last of the ripe ones.
    pub(super) fn ripen(&mut self, handle: u32) {
        let pending = self.get_mut(handle);
        debug_assert!(pending.next == NONE && pending.previous == NONE);
        pending.awaited = RIPE;
        match self.ripe_last {
            NONE => self.ripe_first = handle,
            last => self.get_mut(last).next = handle,
        }
        self.ripe_last = handle;
        if IS_FAR {
            self.note_ripe(handle);
        }
        self.len -= 1;
        self.ripe += 1;
    }

    /// One ripe message leads to another that is picked some time later.
    fn note_ripe(&mut self, handle: u32) {
        let place = self.ripened_count % TOGETHER;
        let before = core::mem::replace(&mut self.ripened[place], handle);
        self.ripened_count += 1;
        if self.ripe >= TOGETHER {
            self.get_mut(before).previous = handle;
        }
    }

    /// Takes out the first of the ripe messages.
    pub(super) fn pick(&mut self, origins: &Origins) -> Option<(Dot, Parents, P)> {
        let handle = self.ripe_first;
        if handle == NONE {
            return None;
        }
        if IS_FAR {
            if self.ripe_near == 0 {
                self.bring_ripe_near();
            }
            self.ripe_near -= 1;
        }
        let dot = origins.dot(self.get(handle).dot());
        let parents = self.parents(handle).map(|dot| origins.dot(dot)).collect();
        self.ripe_first = self.get(handle).next;
        if self.ripe_first == NONE {
            self.ripe_last = NONE;
        }
        self.ripe -= 1;
        Some((dot, parents, self.vacate(handle)))
    }

    /// Asks for those ripe messages that come after the ones that are near.
    fn bring_ripe_near(&mut self) {
        for handle in self.list(self.ripe_first).take(TOGETHER) {
            let ahead = self.get(handle).previous;
            if ahead != NONE {
                self.bring_near(ahead);
            }
        }
        self.ripe_near = self.ripe.min(TOGETHER);
    }

    /// The ripe messages, in order.
    pub(super) fn ripe(&self) -> impl Iterator<Item = u32> + '_ {
        self.list(self.ripe_first)
    }

    pub(super) const fn ripe_len(&self) -> usize {
        self.ripe
    }

    #[inline]
    pub(super) fn get(&self, handle: u32) -> &Pending<P> {
        &self.chunks[(handle >> CHUNK_BITS) as usize][handle as usize % CHUNK]
    }

    #[inline]
    pub(super) fn get_mut(&mut self, handle: u32) -> &mut Pending<P> {
        &mut self.chunks[(handle >> CHUNK_BITS) as usize][handle as usize % CHUNK]
    }

    /// Asks for a message, and for both its ends, which are often not in one line of the cache.
    #[inline]
    pub(super) fn bring_near(&self, handle: u32) {
        ask_for(|| {
            let pending = self.get(handle);
            Some((pending.dot.origin, pending.payload.is_some()))
        });
    }

    /// The parents that a message names.
    #[inline]
    pub(super) fn parents(&self, handle: u32) -> impl ExactSizeIterator<Item = LocalDot> + '_ {
        self.parents_of(self.get(handle))
    }

    /// The same of a message that is at hand.
    #[inline]
    pub(super) fn parents_of(
        &self,
        pending: &Pending<P>,
    ) -> impl ExactSizeIterator<Item = LocalDot> + '_ {
        let Named { origin, seq } = pending.parents;
        let (one, many): (Option<LocalDot>, &[LocalDot]) = match origin {
            NONE => (None, &[]),
            MANY => (None, &self.many[seq[0] as usize]),
            _ => (Some(Packed { origin, seq }.dot()), &[]),
        };
        let count = usize::from(one.is_some()) + many.len();
        (0..count).map(move |at| one.unwrap_or_else(|| many[at]))
    }

    /// The dependency of a message with the given number; `None` past the last one.
    ///
    /// The predecessor of a replica's first message is number 0, which counts as delivered.
    #[inline]
    pub(super) fn dependency(&self, pending: &Pending<P>, number: u16) -> Option<LocalDot> {
        let Some(parent) = number.checked_sub(1) else {
            let LocalDot { origin, seq } = pending.dot();
            return Some(LocalDot { origin, seq: seq - 1 });
        };
        match pending.parents.origin {
            NONE => None,
            MANY => {
                let at = pending.parents.seq[0] as usize;
                self.many[at].get(usize::from(parent)).copied()
            }
            _ => (parent == 0).then(|| pending.parents.dot()),
        }
    }

    /// The messages that wait.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &Pending<P>)> + '_ {
        let all = (0..self.places).map(|handle| (handle, self.get(handle)));
        all.filter(|(_, pending)| pending.payload.is_some() && pending.awaited != RIPE)
    }

    /// Puts a message that is in no list before the one that is `first` of those that wait for its
    /// dependency of this number; it is the first now.
    pub(super) fn link(&mut self, handle: u32, awaited: u16, first: u32) {
        if first != NONE {
            self.get_mut(first).previous = handle;
        }
        let pending = self.get_mut(handle);
        debug_assert!(pending.next == NONE && pending.previous == NONE);
        pending.next = first;
        pending.awaited = awaited;
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

    /// Dissolves the list that begins with `first`: its messages come before those of the list
    /// that begins with `woken`, the last one first.
    pub(super) fn dissolve(&mut self, first: u32, woken: &mut u32) {
        let mut handle = first;
        while handle != NONE {
            let pending = self.get_mut(handle);
            let next = core::mem::replace(&mut pending.next, *woken);
            pending.previous = NONE;
            *woken = handle;
            handle = next;
        }
    }

    /// Takes the first message from a list that [`dissolve`](Self::dissolve) made.
    pub(super) fn pop(&mut self, woken: &mut u32) -> Option<u32> {
        let handle = *woken;
        if handle == NONE {
            return None;
        }
        *woken = core::mem::replace(&mut self.get_mut(handle).next, NONE);
        Some(handle)
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
        assert_eq!(size_of::<Pending<()>>(), 36);
    }
}
