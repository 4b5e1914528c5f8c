//! How a message comes to wait in a delivery buffer, and how that ends.

use alloc::vec::Vec;

use crdt_core::Dot;
use crdt_core::canary::is_planted;

use super::buffer::{CausalBuffer, ORIGIN_BYTES};
use super::equivocation::Payload;
use super::message::{InsertError, Message};
use super::pending::LocalDot;
use super::slots::{NONE, Slots};

impl<P: Payload> CausalBuffer<P> {
    /// Makes a message a pending one, in no list yet.
    pub(super) fn hold(
        &mut self,
        message: Message<P>,
        bytes: usize,
        now: u64,
    ) -> Result<u32, InsertError> {
        let Message { dot: Dot { replica, seq }, parents, payload } = message;
        let origin = self.intern(replica)?;
        // Nothing that is done for the message may forget its replica, or those of its parents.
        self.origins[origin].references += 1;
        let named = self.name(&parents);
        self.origins[origin].references -= 1;
        let parents = named?;
        let count = parents.len();
        for dot in parents.iter().chain([&LocalDot { origin, seq }]) {
            let origin = &mut self.origins[dot.origin];
            if dot.seq > origin.delivered() {
                origin.horizon = origin.horizon.max(dot.seq);
                origin.request.noticed(origin.wanted(), &self.retry, now);
                self.gapped.insert(dot.origin);
            }
        }
        debug_assert_eq!(bytes, Self::cost(count, &payload));
        let handle = self.arena.insert(LocalDot { origin, seq }, parents, payload);
        self.origins.with_slots(origin, |slots| slots.set_message(seq, handle));
        let origin = &mut self.origins[origin];
        origin.pending += 1;
        origin.pending_bytes += bytes;
        self.bytes += bytes;
        Ok(handle)
    }

    /// The parents of a message that comes to wait, by the indices of their replicas.
    fn name(&mut self, parents: &[Dot]) -> Result<Vec<LocalDot>, InsertError> {
        let mut named = Vec::with_capacity(parents.len());
        for dot in parents {
            match self.intern(dot.replica) {
                Ok(origin) => {
                    self.origins[origin].references += 1;
                    named.push(LocalDot { origin, seq: dot.seq });
                }
                Err(error) => {
                    for LocalDot { origin, .. } in named {
                        self.origins[origin].references -= 1;
                        self.dropped_count += 1;
                    }
                    return Err(error);
                }
            }
        }
        Ok(named)
    }

    /// The counterpart of [`hold`](Self::hold), for a message that is in no list.
    fn release(&mut self, handle: u32) -> (LocalDot, Vec<LocalDot>, P) {
        let (dot, parents, payload) = self.arena.remove(handle);
        let bytes = Self::cost(parents.len(), &payload);
        for dot in &parents {
            self.origins[dot.origin].references -= 1;
        }
        let origin = &mut self.origins[dot.origin];
        origin.pending -= 1;
        origin.pending_bytes -= bytes;
        self.bytes -= bytes;
        (dot, parents, payload)
    }

    /// Drops a pending message.
    pub(super) fn discard(&mut self, handle: u32) -> LocalDot {
        let awaited = self.awaited(handle);
        if let Some(first) = self.arena.unlink(handle) {
            self.origins.with_slots(awaited.origin, |slots| slots.set_waiters(awaited.seq, first));
        }
        let (dot, ..) = self.release(handle);
        self.origins.with_slots(dot.origin, |slots| slots.set_message(dot.seq, NONE));
        self.dropped_count += 1;
        dot
    }

    /// The dot in whose list a pending message stands.
    pub(super) fn awaited(&self, handle: u32) -> LocalDot {
        let awaited = self.arena.get(handle).awaited;
        self.arena.dependency(handle, awaited).expect("what waits waits for something")
    }

    /// Looks at a message that is in no list: it comes into one, or is delivered.
    pub(super) fn settle_one(&mut self, handle: u32) {
        self.examined += 1;
        let Self { arena, origins, .. } = self;
        let mut awaited = arena.get(handle).awaited;
        while let Some(dot) = arena.dependency(handle, awaited) {
            if origins[dot.origin].delivered() < dot.seq {
                arena.get_mut(handle).awaited = awaited;
                let set = |slots: &mut Slots| slots.set_waiters(dot.seq, handle);
                let first = origins.with_slots(dot.origin, set);
                arena.link(handle, first);
                return;
            }
            awaited += 1;
        }
        let (dot, parents, payload) = self.release(handle);
        let parents = parents.iter().map(|dot| self.origins.dot(*dot)).collect();
        let message = Message { dot: self.origins.dot(dot), parents, payload };
        self.deliver(dot.origin, message);
    }

    pub(super) fn settle(&mut self) {
        while let Some(handle) = self.woken.pop() {
            self.settle_one(handle);
        }
    }

    /// Delivers the next message of a replica, and wakes what waits for it.
    pub(super) fn deliver(&mut self, index: u32, message: Message<P>) {
        let origin = &mut self.origins[index];
        debug_assert_eq!(origin.slots.first(), message.dot.seq, "delivery is in order");
        if message.dot.seq == 1 {
            // It is known by more than its name now, for good.
            self.bytes -= ORIGIN_BYTES;
        }
        if self.limits.digests_max > 0 {
            let digest = message.payload.digest(message.dot, &message.parents);
            origin.remember(digest, self.limits.digests_max);
        }
        origin.horizon = origin.horizon.max(message.dot.seq);
        let slot = self.origins.with_slots(index, Slots::advance);
        self.ready.push_back(message);
        self.arena.dissolve(slot.waiters, &mut self.woken);
        // A planted bug: what waited for this message goes on waiting.
        if is_planted("wake-nobody") {
            self.woken.clear();
        }
    }
}
