//! How a message comes to wait in a delivery buffer, and how that ends.

use crdt_core::canary::is_planted;
use crdt_core::{Dot, ReplicaId};

use super::buffer::{CausalBuffer, ORIGIN_BYTES, Turn};
use super::equivocation::{Digest, Payload};
use super::message::{InsertError, Message};
use super::near::IS_FAR;
use super::origin::Origins;
use super::pending::LocalDot;
use super::slots::{NONE, Slots};

impl<P: Payload> CausalBuffer<P> {
    /// Looks up the replicas of a message that has to wait: the parents come into `named`, with
    /// [`NONE`] for a replica that is not known.
    ///
    /// # Errors
    ///
    /// [`InsertError::TooFar`], if the message or a parent is.
    pub(super) fn look_up(
        &mut self,
        known: Option<u32>,
        message: &Message<P>,
    ) -> Result<(), InsertError> {
        let Self { origins, named, limits, .. } = self;
        let is_far = |origins: &Origins, index: Option<u32>, seq: u64| {
            let delivered = index.map_or(0, |index| origins[index].delivered());
            seq.saturating_sub(delivered) > limits.gap_max
        };
        if is_far(origins, known, message.dot.seq) {
            return Err(InsertError::TooFar(message.dot));
        }
        named.clear();
        for dot in &message.parents {
            let index = origins.find(dot.replica);
            if is_far(origins, index, dot.seq) {
                return Err(InsertError::TooFar(*dot));
            }
            named.push(LocalDot { origin: index.unwrap_or(NONE), seq: dot.seq });
        }
        Ok(())
    }

    /// Makes a message whose parents were [looked up](Self::look_up) a pending one. Returns its handle, the index
    /// of its replica, and what it waits for.
    pub(super) fn hold(
        &mut self,
        known: Option<u32>,
        message: Message<P>,
        bytes: usize,
        now: u64,
    ) -> Result<(u32, u32, LocalDot), InsertError> {
        let Message { dot: Dot { replica, seq }, parents, payload } = message;
        debug_assert_eq!(bytes, Self::cost(parents.len(), &payload));
        let origin = match known {
            Some(origin) if self.named.iter().all(|dot| dot.origin != NONE) => origin,
            _ => self.name(known, replica, &parents)?,
        };
        for at in 0..self.named.len() {
            let dot = self.named[at];
            self.origins[dot.origin].references += 1;
            self.notice(dot, now);
        }
        let dot = LocalDot { origin, seq };
        self.notice(dot, now);
        let handle = self.arena.insert(dot, &self.named, payload);
        let entry = &mut self.origins[origin];
        if !entry.holes.is_empty() {
            // It was given up, and comes in time after all.
            entry.holes.remove(seq);
        }
        entry.pending += 1;
        entry.pending_bytes += bytes;
        self.bytes += bytes;
        if seq > entry.delivered() + 1 {
            // The first thing that it waits for is its predecessor, which is next to it.
            self.examined += 1;
            let hold = |slots: &mut Slots| slots.set_message_and_waiter(seq, handle);
            let first = self.origins.with_slots(origin, hold);
            self.arena.link(handle, 0, first);
            return Ok((handle, origin, LocalDot { origin, seq: seq - 1 }));
        }
        self.origins.with_slots(origin, |slots| slots.set_message(seq, handle));
        let missing = self.settle_one(handle).expect("it has to wait");
        Ok((handle, origin, missing))
    }

    /// A dot turned out to exist.
    #[inline]
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

    /// Makes the replicas known of a message that comes to wait and of its parents in `named`: all of them, or
    /// none if there is no room for all. Returns the index of the message's own.
    #[cold]
    fn name(
        &mut self,
        known: Option<u32>,
        replica: ReplicaId,
        parents: &[Dot],
    ) -> Result<u32, InsertError> {
        // Who is referred to is not forgotten for want of room for the others: so those come first
        // that are known.
        self.refer_while_naming(known, 1);
        // One that is named twice counts twice: there is rarely so little room that this matters.
        let unknown = self.named.iter().filter(|dot| dot.origin == NONE).count();
        let has_room = self.make_room_for_names(unknown + usize::from(known.is_none()));
        self.refer_while_naming(known, -1);
        has_room?;
        let origin = known.map_or_else(|| self.intern(replica), Ok)?;
        for (at, dot) in parents.iter().enumerate() {
            if self.named[at].origin == NONE {
                self.named[at].origin = self.intern(dot.replica)?;
            }
        }
        Ok(origin)
    }

    /// Counts the replicas that are known, among them the message's own, as referred to by so many more.
    fn refer_while_naming(&mut self, own: Option<u32>, more: isize) {
        let Self { origins, named, .. } = self;
        let known = named.iter().map(|dot| dot.origin).filter(|origin| *origin != NONE);
        for origin in known.chain(own) {
            let references = &mut origins[origin].references;
            *references = references.checked_add_signed(more).expect("they were counted");
        }
    }

    /// A message that is in no list waits no longer: it does not count any more. Its parents come into
    /// `dots`.
    #[inline]
    fn uncount(&mut self, handle: u32) {
        let Self { arena, origins, dots, .. } = self;
        let pending = arena.get(handle);
        dots.clear();
        for LocalDot { origin, seq } in arena.parents_of(pending) {
            let origin = &mut origins[origin];
            origin.references -= 1;
            dots.push(Dot::new(origin.id, seq));
        }
        let bytes = Self::cost(dots.len(), pending.payload());
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
        let pending = self.arena.get(handle);
        let awaited = self.arena.dependency(pending, pending.awaited);
        awaited.expect("what waits waits for something")
    }

    /// Looks at a message that is in no list: it comes into one, that of the dot that is returned, or
    /// is delivered.
    pub(super) fn settle_one(&mut self, handle: u32) -> Option<LocalDot> {
        self.examined += 1;
        let Self { arena, origins, .. } = self;
        let pending = arena.get(handle);
        let local = pending.dot();
        let mut awaited = pending.awaited;
        while let Some(dot) = arena.dependency(pending, awaited) {
            if origins[dot.origin].delivered() < dot.seq {
                let set = |slots: &mut Slots| slots.set_waiters(dot.seq, handle);
                let first = origins.with_slots(dot.origin, set);
                arena.link(handle, awaited, first);
                return Some(dot);
            }
            awaited += 1;
        }
        self.uncount(handle);
        let Self { arena, origins, dots, .. } = self;
        let digest = (self.limits.digests_max > 0)
            .then(|| arena.get(handle).payload().digest(origins.dot(local), dots));
        arena.ripen(handle);
        match self.ready.back_mut() {
            Some(Turn::Ripe(count)) => *count += 1,
            _ => self.ready.push_back(Turn::Ripe(1)),
        }
        self.step(local, digest);
        None
    }

    pub(super) fn settle(&mut self) {
        while let Some(handle) = self.arena.pop(&mut self.woken) {
            self.settle_one(handle);
        }
    }

    /// The index of the message's replica, which may be known, if the message can be delivered with nothing
    /// else to look at.
    #[cfg_attr(not(target_arch = "wasm32"), inline)]
    #[cfg_attr(target_arch = "wasm32", inline(never))]
    pub(super) fn in_turn(&self, known: Option<u32>, message: &Message<P>) -> Option<u32> {
        let Message { dot, parents, .. } = message;
        let is_in_turn = |index: &u32| {
            self.origins.is_in_turn(*index, dot.seq, parents)
                && parents.len() <= self.limits.parents_max
        };
        known.filter(is_in_turn)
    }

    /// Delivers a message that is [in turn](Self::in_turn).
    #[cfg_attr(not(target_arch = "wasm32"), inline)]
    #[cfg_attr(target_arch = "wasm32", inline(never))]
    pub(super) fn deliver_in_turn(&mut self, origin: u32, message: Message<P>) {
        self.examined += 1;
        let digests_max = self.limits.digests_max;
        let digest =
            (digests_max > 0).then(|| message.payload.digest(message.dot, &message.parents));
        self.ready.push_back(Turn::Message(message));
        self.origins.step_in_turn(origin, digest, digests_max);
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
        let slot = self.origins.with_slots(dot.origin, |slots| {
            let slot = slots.advance();
            if IS_FAR && let Some(ahead) = slots.page_ahead() {
                ahead.for_each(|handle| self.arena.bring_near(handle));
            }
            slot
        });
        // A planted bug: what waited for this message goes on waiting.
        if !is_planted("wake-nobody") {
            self.arena.dissolve(slot.waiters, &mut self.woken);
        }
        if may_pass {
            self.pass_over(dot.origin);
        }
    }
}
