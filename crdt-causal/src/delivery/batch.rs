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
        for part in messages.chunks_mut(Place::PART_MAX) {
            self.insert_sorted(&mut batch, part, now);
        }
        batch
    }

    /// Takes in what is next in turn as it stands, and then the others in the order of their places.
    fn insert_sorted(&mut self, batch: &mut Batch, messages: &mut [Option<Message<P>>], now: u64) {
        let mut order = Vec::new();
        // The numbers of replicas that are new here come after the indices of those that are known.
        let mut unknown: BTreeMap<ReplicaId, u32> = BTreeMap::new();
        let places = self.origins.places() as u32;
        for (at, slot) in messages.iter_mut().enumerate() {
            let Some(Message { dot: Dot { replica, seq }, .. }) = *slot else { continue };
            let known = self.origins.find(replica);
            if seq == known.map_or(1, |index| self.origins[index].delivered() + 1) {
                self.insert_into(batch, slot.take().expect("it is there"), now);
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
            order.push(Place::new(number, seq, at));
        }
        order.sort_unstable();
        for some in order.chunks(TOGETHER) {
            for place in some.iter().filter(|_| IS_FAR) {
                let known = place.number().filter(|number| *number < places);
                self.bring_near(known, messages[place.at()].as_ref());
                // Where one message ends the next one begins.
                ask_for(|| messages.get(place.at() + 1).map(Option::is_some));
            }
            for place in some {
                let message = messages[place.at()].take().expect("each has one place");
                self.insert_into(batch, message, now);
            }
        }
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

/// Where a message is inserted: after those of replicas with smaller numbers, and after those of its own
/// replica with smaller sequence numbers; and where it stands in the batch until then.
///
/// One small number, for what is sorted is moved often. So the upper bits of sequence numbers are left
/// out, and replicas beyond some thousands are not told apart: where that matters, the order is another one,
/// and any order is right.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place(u64);

impl Place {
    const AT_BITS: u32 = 20;
    const SEQ_BITS: u32 = 30;
    const NUMBER_MAX: u32 = (1 << (u64::BITS - Self::SEQ_BITS - Self::AT_BITS)) - 1;
    /// Of so many messages each has a place.
    const PART_MAX: usize = 1 << Self::AT_BITS;

    fn new(number: u32, seq: u64, at: usize) -> Self {
        debug_assert!(at < Self::PART_MAX);
        let number = u64::from(number.min(Self::NUMBER_MAX));
        let seq = seq % (1 << Self::SEQ_BITS);
        Self((number << Self::SEQ_BITS | seq) << Self::AT_BITS | at as u64)
    }

    /// The number of the replica, if it is one of those that are told apart.
    fn number(self) -> Option<u32> {
        let number = (self.0 >> (Self::SEQ_BITS + Self::AT_BITS)) as u32;
        (number < Self::NUMBER_MAX).then_some(number)
    }

    fn at(self) -> usize {
        self.0 as usize % Self::PART_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_what_it_was_made_of() {
        let last = Place::PART_MAX - 1;
        for (number, seq, at) in [(0, 1, 0), (7, 1 << 29, last), (Place::NUMBER_MAX - 1, 3, 9)] {
            let place = Place::new(number, seq, at);
            assert_eq!((place.number(), place.at()), (Some(number), at));
        }
        for number in [Place::NUMBER_MAX, Place::NUMBER_MAX + 1, u32::MAX] {
            assert_eq!(Place::new(number, u64::MAX, last).number(), None);
            assert_eq!(Place::new(number, u64::MAX, last).at(), last);
        }
    }

    #[test]
    fn replicas_come_first_and_then_numbers() {
        let order = [(0, 5, 9), (0, 6, 2), (1, 1, 3), (1, 1, 4), (2, 1 << 29, 0), (u32::MAX, 0, 0)];
        let places = order.map(|(number, seq, at)| Place::new(number, seq, at));
        assert!(places.is_sorted());
    }
}
