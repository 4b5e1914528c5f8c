//! Many messages at once.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use crdt_core::{Dot, ReplicaId};

use super::buffer::CausalBuffer;
use super::equivocation::Payload;
use super::message::{Batch, Inserted, Message};

impl<P: Payload> CausalBuffer<P> {
    /// Takes in many messages: those that are next in turn as they stand, and the others sorted by
    /// replica and number, so that what lies together in memory is used together.
    ///
    /// O(n log n) for the n that are out of turn. A batch of some ten thousand has nearly all of the
    /// gain.
    pub fn insert_batch(&mut self, messages: Vec<Message<P>>, now: u64) -> Batch {
        let mut batch = Batch::default();
        let mut later = Vec::new();
        for message in messages {
            let Dot { replica, seq } = message.dot;
            if seq == self.origins.delivered(replica) + 1 {
                self.insert_into(&mut batch, message, now);
            } else {
                later.push(message);
            }
        }
        let order = self.order(&later);
        let mut later: Vec<Option<Message<P>>> = later.into_iter().map(Some).collect();
        for at in order {
            let message = later[at as u32 as usize].take().expect("each has one place");
            self.insert_into(&mut batch, message, now);
        }
        batch
    }

    /// Where messages stand, in the lowest 32 bits, in the order of their replicas and numbers.
    fn order(&self, messages: &[Message<P>]) -> Vec<u128> {
        let mut others: BTreeMap<ReplicaId, usize> = BTreeMap::new();
        let mut order: Vec<u128> = messages
            .iter()
            .zip(0u32..)
            .map(|(message, at)| {
                let Dot { replica, seq } = message.dot;
                // One comparison of a number instead of one of names.
                let number = self.origins.find(replica).map_or_else(
                    || {
                        let next = self.origins.places() + others.len();
                        *others.entry(replica).or_insert(next)
                    },
                    |index| index as usize,
                );
                (number as u128) << 96 | u128::from(seq) << 32 | u128::from(at)
            })
            .collect();
        order.sort_unstable();
        order
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
