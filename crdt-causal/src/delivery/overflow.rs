//! What a delivery buffer lets go when it is full.

use alloc::vec::Vec;

use super::buffer::CausalBuffer;
use super::equivocation::Payload;
use super::pending::LocalDot;
use super::slots::NONE;
use crdt_core::canary::is_planted;

/// The part of a bound that is made free when it is exceeded, so that looking for what to drop
/// costs little for each message.
const SLACK: usize = 16;

fn after_overflow(max: usize) -> usize {
    max - max / SLACK
}

impl<P: Payload> CausalBuffer<P> {
    /// Drops what is farthest from delivery if a bound is exceeded, of the one replica first.
    pub(super) fn enforce_limits(&mut self, index: u32) {
        // A planted bug: everything that has to wait is held.
        if is_planted("boundless-buffer") {
            return;
        }
        let limits = self.limits();
        let (count_max, bytes_max) = (limits.replica_pending_max, limits.replica_pending_bytes_max);
        let origin = &self.origins[index];
        if origin.pending > count_max || origin.held_bytes() > bytes_max {
            self.shrink_replica(index, after_overflow(count_max), after_overflow(bytes_max));
        }
        let limits = self.limits();
        let (count_max, bytes_max) = (limits.pending_max, limits.pending_bytes_max);
        if self.arena.len() > count_max || self.pending_bytes() > bytes_max {
            self.shrink(after_overflow(count_max), after_overflow(bytes_max));
        }
    }

    fn shrink_replica(&mut self, index: u32, count: usize, bytes: usize) {
        let slots = &self.origins[index].slots;
        let farthest: Vec<u32> = slots
            .iter()
            .rev()
            .map(|(_, slot)| slot.message)
            .filter(|handle| *handle != NONE)
            .collect();
        for handle in farthest {
            let origin = &self.origins[index];
            if origin.pending <= count && origin.held_bytes() <= bytes {
                break;
            }
            self.drop_for_room(handle);
        }
    }

    fn shrink(&mut self, count: usize, bytes: usize) {
        let mut farthest: Vec<_> = self
            .arena
            .iter()
            .map(|(handle, pending)| {
                let gap = |dot: LocalDot| dot.seq - self.origins[dot.origin].delivered();
                let distance = gap(pending.dot()).max(gap(self.awaited(handle)));
                // By id, not by index or handle: the choice depends on the messages alone.
                (distance, self.origins.dot(pending.dot()), handle)
            })
            .collect();
        farthest.sort_unstable();
        while self.arena.len() > count || self.pending_bytes() > bytes {
            let Some((_, _, handle)) = farthest.pop() else { break };
            self.drop_for_room(handle);
        }
    }

    fn drop_for_room(&mut self, handle: u32) {
        let dot = self.discard(handle);
        let id = self.origins[dot.origin].id;
        let (first, last) = self.dropped.entry(id).or_insert((dot.seq, dot.seq));
        *first = (*first).min(dot.seq);
        *last = (*last).max(dot.seq);
    }
}
