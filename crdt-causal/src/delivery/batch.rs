//! Many messages at once.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use crdt_core::{Dot, ReplicaId};

use super::buffer::CausalBuffer;
use super::equivocation::Payload;
use super::message::{Batch, Inserted, Message};
use super::near::{IS_FAR, TOGETHER, ask_for};

impl<P: Payload> CausalBuffer<P> {
    /// Takes in many messages: those that are next in turn as they stand, and the others sorted by
    /// replica and number, so that what lies together in memory is used together.
    ///
    /// O(n log n) for the n that are out of turn. A batch of some ten thousand has nearly all of the
    /// gain.
    pub fn insert_batch(&mut self, messages: Vec<Message<P>>, now: u64) -> Batch {
        let mut batch = Batch::default();
        let mut messages = messages.into_iter();
        let in_turn = |buffer: &Self, messages: &[Message<P>]| {
            let first = messages.first()?;
            buffer.in_turn(buffer.origins.find(first.dot.replica), first)
        };
        // Where all are, they are not moved.
        while let Some(origin) = in_turn(self, messages.as_slice()) {
            self.deliver_in_turn(origin, messages.next().expect("it is the first"));
            batch.ready += 1;
        }
        let mut messages: Vec<Option<Message<P>>> = messages.map(Some).collect();
        let mut order = Vec::new();
        // The numbers of replicas that are new here come after the indices of those that are known.
        let mut unknown: BTreeMap<ReplicaId, u32> = BTreeMap::new();
        let places = self.origins.places() as u32;
        for (at, place) in messages.iter_mut().enumerate() {
            let Some(Message { dot: Dot { replica, seq }, .. }) = *place else { continue };
            let known = self.origins.find(replica);
            if seq == known.map_or(1, |index| self.origins[index].delivered() + 1) {
                self.insert_into(&mut batch, place.take().expect("it is there"), now);
                continue;
            }
            let number = match known.or_else(|| unknown.get(&replica).copied()) {
                Some(number) => number,
                None => {
                    let next = places + unknown.len() as u32;
                    unknown.insert(replica, next);
                    next
                }
            };
            // One comparison of a number instead of one of names. The lowest bits say where it stands.
            order.push(u128::from(number) << 96 | u128::from(seq) << 32 | at as u128);
        }
        order.sort_unstable();
        for some in order.chunks(TOGETHER) {
            for at in some.iter().filter(|_| IS_FAR) {
                let known = Some((at >> 96) as u32).filter(|number| *number < places);
                let at = *at as u32 as usize;
                self.bring_near(known, messages[at].as_ref());
                // Where one message ends the next one begins.
                ask_for(|| messages.get(at + 1).map(Option::is_some));
            }
            for at in some {
                let message = messages[*at as u32 as usize].take().expect("each has one place");
                self.insert_into(&mut batch, message, now);
            }
        }
        batch
    }

    /// Asks for what is needed to insert a message, whose replica may be known.
    fn bring_near(&self, known: Option<u32>, message: Option<&Message<P>>) {
        let Some(Message { dot, parents, .. }) = message else { return };
        ask_for(|| Some(parents.len()));
        if let Some(index) = known {
            self.origins[index].slots.bring_near(dot.seq);
        }
    }

    fn insert_into(&mut self, batch: &mut Batch, message: Message<P>, now: u64) {
        let dot = message.dot;
        match self.insert(message, now) {
            Ok(Inserted::Ready) => batch.ready += 1,
            Ok(Inserted::Pending { .. }) => batch.pending += 1,
            Ok(Inserted::Duplicate) => batch.duplicates += 1,
            Ok(Inserted::Dropped) => batch.dropped += 1,
            Err(error) => batch.refused.push((dot, error)),
        }
    }
}
