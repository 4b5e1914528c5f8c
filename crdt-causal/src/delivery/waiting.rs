//! How a message comes to wait in a delivery buffer, and how that ends.

use crdt_core::Dot;
use crdt_core::canary::is_planted;

use super::buffer::{CausalBuffer, ORIGIN_BYTES, Turn};
use super::equivocation::{Digest, Payload};
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
        named?;
        debug_assert_eq!(bytes, Self::cost(parents.len(), &payload));
        let dot = LocalDot { origin, seq };
        for at in 0..self.named.len() {
            self.notice(self.named[at], now);
        }
        self.notice(dot, now);
        let handle = self.arena.insert(dot, &self.named, payload);
        self.origins.with_slots(origin, |slots| slots.set_message(seq, handle));
        let origin = &mut self.origins[origin];
        // It was given up, and comes in time after all.
        origin.holes.remove(seq);
        origin.pending += 1;
        origin.pending_bytes += bytes;
        self.bytes += bytes;
        Ok(handle)
    }

    /// A dot turned out to exist.
    pub(super) fn notice(&mut self, dot: LocalDot, now: u64) {
        let origin = &mut self.origins[dot.origin];
        if dot.seq > origin.delivered() {
            origin.horizon = origin.horizon.max(dot.seq);
            origin.request.noticed(origin.wanted(), &self.retry, now);
            if !origin.is_gapped {
                origin.is_gapped = true;
                self.gapped.insert(dot.origin);
            }
        }
    }

    /// Puts the parents of a message that comes to wait into `named`, by the indices of their
    /// replicas.
    fn name(&mut self, parents: &[Dot]) -> Result<(), InsertError> {
        self.named.clear();
        for dot in parents {
            match self.intern(dot.replica) {
                Ok(origin) => {
                    self.origins[origin].references += 1;
                    self.named.push(LocalDot { origin, seq: dot.seq });
                }
                Err(error) => {
                    for LocalDot { origin, .. } in &self.named {
                        self.origins[*origin].references -= 1;
                        self.dropped_count += 1;
                    }
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    /// A message that is in no list waits no longer: it does not count any more.
    fn uncount(&mut self, handle: u32) {
        let Self { arena, origins, .. } = self;
        let pending = arena.get(handle);
        let parents = arena.parents(handle);
        let bytes = Self::cost(parents.len(), pending.payload());
        for dot in parents {
            origins[dot.origin].references -= 1;
        }
        let origin = &mut origins[pending.dot().origin];
        origin.pending -= 1;
        origin.pending_bytes -= bytes;
        self.bytes -= bytes;
    }

    /// Drops a pending message.
    pub(super) fn discard(&mut self, handle: u32) -> LocalDot {
        let awaited = self.awaited(handle);
        if let Some(first) = self.arena.unlink(handle) {
            self.origins.with_slots(awaited.origin, |slots| slots.set_waiters(awaited.seq, first));
        }
        self.uncount(handle);
        let (dot, _payload) = self.arena.remove(handle);
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
        self.uncount(handle);
        let Self { arena, origins, dots, .. } = self;
        let local = arena.get(handle).dot();
        let digest = (self.limits.digests_max > 0).then(|| {
            dots.clear();
            dots.extend(arena.parents(handle).map(|dot| origins.dot(dot)));
            arena.get(handle).payload().digest(origins.dot(local), dots)
        });
        arena.ripen(handle);
        match self.ready.back_mut() {
            Some(Turn::Ripe(count)) => *count += 1,
            _ => self.ready.push_back(Turn::Ripe(1)),
        }
        self.step(local, digest);
    }

    pub(super) fn settle(&mut self) {
        while let Some(handle) = self.arena.pop(&mut self.woken) {
            self.settle_one(handle);
        }
    }

    /// Delivers a message that never had to wait.
    pub(super) fn deliver(&mut self, origin: u32, message: Message<P>) {
        let digest = (self.limits.digests_max > 0)
            .then(|| message.payload.digest(message.dot, &message.parents));
        let dot = LocalDot { origin, seq: message.dot.seq };
        self.ready.push_back(Turn::Message(message));
        self.step(dot, digest);
    }

    /// The next message of a replica is delivered: wakes what waits for it.
    fn step(&mut self, dot: LocalDot, digest: Option<Digest>) {
        let origin = &mut self.origins[dot.origin];
        debug_assert_eq!(origin.slots.first(), dot.seq, "delivery is in order");
        if dot.seq == 1 {
            // It is known by more than its name now, for good.
            self.bytes -= ORIGIN_BYTES;
        }
        if let Some(digest) = digest {
            origin.remember(digest, self.limits.digests_max);
        }
        origin.horizon = origin.horizon.max(dot.seq);
        let may_pass = !origin.holes.is_empty();
        let slot = self.origins.with_slots(dot.origin, Slots::advance);
        // A planted bug: what waited for this message goes on waiting.
        if !is_planted("wake-nobody") {
            self.arena.dissolve(slot.waiters, &mut self.woken);
        }
        if may_pass {
            self.pass_over(dot.origin);
        }
    }
}
