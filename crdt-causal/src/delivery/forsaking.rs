//! Giving up on messages that will not come.

use alloc::vec::Vec;

use crdt_core::{Dot, DotRange};

use super::buffer::{CausalBuffer, ORIGIN_BYTES};
use super::equivocation::Payload;

impl<P: Payload> CausalBuffer<P> {
    /// Gives up on the messages of a range that are missing: their only copy is gone. Returns what
    /// was given up, which is what is known to exist ([`missing`](Self::missing) would name it in
    /// time) and not here; of a quarantined replica, only what is before the fork.
    ///
    /// A forsaken message is not asked for any more. It is *passed over* when it is its turn, that
    /// is when everything before it of its replica was delivered or passed over, and what
    /// waited for it is delivered as if it had come. So what is delivered is no longer a causally
    /// closed set, but one that is closed but for the forsaken messages: an answer may be seen
    /// without its question. Everything else holds: of two delivered messages the cause comes
    /// first, also where it is a cause by way of a forsaken one *and was named*; what a forsaken
    /// message alone knew to come before it is lost with it.
    ///
    /// The application sees [`Event::Forsaken`](super::Event::Forsaken) when a range is passed
    /// over, and may ask [`is_forsaken`](Self::is_forsaken) of a delivered message's predecessor
    /// and parents. A message that turns up before it is passed over is taken after all. One that
    /// comes later is refused ([`InsertError::Forsaken`](super::InsertError::Forsaken)): it cannot
    /// be delivered before what was.
    ///
    /// **It is a decision of this replica alone.** Replicas that decide otherwise deliver different
    /// sets of messages for ever, and do not converge by delivery. Where they must, let one decide, and let
    /// the decision be a message, which all obey when it is delivered.
    ///
    /// O(what the buffer holds of the replica + messages that become ready).
    ///
    /// ```
    /// use crdt_causal::delivery::{CausalBuffer, Event, Inserted, Message, Parents};
    /// use crdt_core::{Dot, DotRange, ReplicaId};
    ///
    /// let ann = ReplicaId::from_u128(1);
    /// let mut buffer = CausalBuffer::new();
    /// let late =
    ///     Message { dot: Dot::new(ann, 3), parents: Parents::NONE, payload: "third".to_string() };
    /// assert!(matches!(buffer.insert(late, 0)?, Inserted::Pending { .. }));
    ///
    /// // The phone with the first two is at the bottom of a lake.
    /// let lost = DotRange::new(ann, 1, 2);
    /// assert_eq!(buffer.forsake(lost), [lost]);
    /// assert_eq!(buffer.poll_event(), Some(Event::Forsaken(lost)));
    /// assert_eq!(buffer.poll_deliver().unwrap().payload, "third");
    /// assert!(buffer.is_forsaken(Dot::new(ann, 2)));
    /// # Ok::<(), crdt_causal::delivery::InsertError>(())
    /// ```
    pub fn forsake(&mut self, range: DotRange) -> Vec<DotRange> {
        let DotRange { replica, first, last } = range;
        let Some(index) = self.origins.find(replica) else { return Vec::new() };
        let origin = &mut self.origins[index];
        let after = origin.delivered().max(first - 1);
        let last = last.min(origin.wanted());
        if after >= last {
            return Vec::new();
        }
        let missing: Vec<(u64, u64)> = origin
            .slots
            .gaps((after, last))
            .flat_map(|(from, to)| origin.holes.outside(from, to))
            .collect();
        for (from, to) in &missing {
            origin.holes.add(*from, *to);
        }
        self.pass_over(index);
        self.settle();
        self.enforce_limits(index);
        missing.into_iter().map(|(from, to)| DotRange::new(replica, from, to)).collect()
    }

    /// What was forsaken: passed over, or to be passed over. [`version`](Self::version) counts
    /// what was passed over as delivered; whoever says what is *known* here leaves these out.
    pub fn forsaken(&self) -> impl Iterator<Item = DotRange> + '_ {
        self.origins.iter().flat_map(|(_, origin)| {
            let range = |(first, last)| DotRange::new(origin.id, first, last);
            origin.holes.iter().map(range)
        })
    }

    /// Whether a message was given up and did not come.
    #[must_use]
    pub fn is_forsaken(&self, dot: Dot) -> bool {
        let origin = self.origins.find(dot.replica);
        origin.is_some_and(|index| self.origins[index].holes.contains(dot.seq))
    }

    /// Passes over what was forsaken and is next, and wakes what waits for it.
    pub(super) fn pass_over(&mut self, index: u32) {
        loop {
            let origin = &mut self.origins[index];
            let next = origin.delivered() + 1;
            let Some(last) = origin.holes.last_from(next) else { return };
            // Not beyond a fork: that is decided by `adopt`.
            let last = origin.quarantined_from.map_or(last, |from| last.min(from - 1));
            if last < next {
                return;
            }
            if next == 1 {
                self.bytes -= ORIGIN_BYTES;
            }
            // Digests are those of the last messages without a gap.
            origin.forget_digests();
            let id = origin.id;
            while let Some(waiters) =
                self.origins.with_slots(index, |slots| slots.clear_first(last))
            {
                self.arena.dissolve(waiters, &mut self.woken);
            }
            self.origins.with_slots(index, |slots| slots.jump(last + 1));
            self.passed.push_back(DotRange::new(id, next, last));
        }
    }
}
