//! What must hold in a delivery buffer between two calls.

use super::buffer::{CausalBuffer, Turn};
use super::equivocation::Payload;
use super::slots::NONE;

impl<P: Payload> CausalBuffer<P> {
    /// Panics if the parts of the buffer contradict each other. For tests: O(replicas + pending
    /// messages and their parents).
    pub fn check_invariants(&self) {
        self.origins.check_invariants();
        let mut listed = 0;
        let mut held = 0;
        for (index, origin) in self.origins.iter() {
            origin.slots.check_invariants();
            origin.holes.check_invariants();
            assert!(origin.horizon >= origin.delivered(), "what was delivered exists");
            let mut pending = 0;
            for (seq, slot) in origin.slots.iter() {
                assert!(seq <= origin.horizon, "what is held or awaited exists");
                if slot.message != NONE {
                    assert!(!origin.holes.contains(seq), "what is here was not given up");
                    let dot = self.arena.get(slot.message).dot();
                    assert_eq!((dot.origin, dot.seq), (index, seq), "a slot holds its message");
                    assert!(origin.quarantined_from.is_none_or(|from| seq < from));
                    pending += 1;
                }
                for handle in self.arena.list(slot.waiters) {
                    let awaited = self.awaited(handle);
                    assert_eq!((awaited.origin, awaited.seq), (index, seq), "it waits here");
                    listed += 1;
                }
            }
            assert_eq!(pending, origin.pending);
            let next = origin.delivered() + 1;
            let is_forked = origin.quarantined_from.is_some_and(|from| next >= from);
            assert!(is_forked || !origin.holes.contains(next), "it was to be passed over");
            assert!(origin.holes.iter().all(|(_, last)| last <= origin.horizon));
            assert_eq!(self.gapped.contains(&index), origin.is_gapped);
            held += pending;
        }
        assert_eq!(held, self.arena.len(), "each pending message has its slot");
        assert_eq!(listed, self.arena.len(), "each pending message is in exactly one list");
        assert_eq!(self.woken, NONE, "nothing is left to be looked at");
        let ripe = self.ready.iter().map(|turn| match turn {
            Turn::Message(_) => 0,
            Turn::Ripe(count) => *count,
        });
        assert_eq!(self.arena.ripe_len(), ripe.sum(), "what is ripe is polled in its turn");
        assert_eq!(self.arena.ripe().count(), self.arena.ripe_len());
        let mut bytes = 0;
        for (handle, pending) in self.arena.iter() {
            bytes += Self::cost(self.arena.parents_of(pending).len(), pending.payload());
            for number in 0..pending.awaited {
                let dot = self.arena.dependency(pending, number).expect("it was looked at");
                assert!(dot.seq <= self.origins[dot.origin].delivered(), "no look was wrong");
            }
            let missing = self.awaited(handle);
            assert!(missing.seq > self.origins[missing.origin].delivered(), "it has to wait");
        }
        let slots: usize = self.origins.iter().map(|(_, origin)| origin.slots.bytes()).sum();
        assert_eq!(self.origins.slot_bytes(), slots);
        let unseen = self.origins.iter().filter(|(_, origin)| origin.delivered() == 0).count();
        assert_eq!(self.bytes, bytes + unseen * super::buffer::ORIGIN_BYTES);
        let limits = self.limits();
        assert!(self.arena.len() <= limits.pending_max);
        assert!(self.origins.len() <= limits.replicas_max);
    }
}
