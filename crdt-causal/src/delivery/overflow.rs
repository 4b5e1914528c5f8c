//! What a delivery buffer lets go when it is full.

use alloc::collections::BinaryHeap;
use alloc::vec::Vec;
use core::cmp::Reverse;

use crdt_core::Dot;
use crdt_core::canary::is_planted;

use super::buffer::CausalBuffer;
use super::equivocation::Payload;
use super::pending::LocalDot;

/// The part of a bound that is made free when it is exceeded, so that looking for what to drop
/// costs little for each message.
const SLACK: usize = 16;

/// What is to be dropped is looked for in parts of what is held, so that the list of it takes
/// little room when there is least of it.
const REPLICA_PARTS: usize = 64;
/// The same, where an entry of the list is larger.
const PARTS: usize = 32;
const PART_MIN: usize = 64;

fn after_overflow(max: usize) -> usize {
    max - max / SLACK
}

impl<P: Payload> CausalBuffer<P> {
    /// Drops what is farthest from delivery if a bound is exceeded, of the one replica first.
    /// Returns whether one was.
    #[inline]
    pub(super) fn enforce_limits(&mut self, index: u32) -> bool {
        // A planted bug: everything that has to wait is held.
        if is_planted("boundless-buffer") {
            return false;
        }
        let limits = self.limits();
        let origin = &self.origins[index];
        let fills_its_share = origin.pending > limits.replica_pending_max
            || origin.held_bytes() > limits.replica_pending_bytes_max;
        let fills_all = self.arena.len() > limits.pending_max
            || self.pending_bytes() > limits.pending_bytes_max;
        if !fills_its_share && !fills_all {
            return false;
        }
        self.make_room(index, fills_its_share);
        true
    }

    #[cold]
    fn make_room(&mut self, index: u32, fills_its_share: bool) {
        let limits = self.limits();
        let (count_max, bytes_max) = (limits.replica_pending_max, limits.replica_pending_bytes_max);
        let (all_max, all_bytes_max) = (limits.pending_max, limits.pending_bytes_max);
        if fills_its_share {
            self.shrink_replica(index, after_overflow(count_max), after_overflow(bytes_max));
        }
        if self.arena.len() > all_max || self.pending_bytes() > all_bytes_max {
            self.shrink(after_overflow(all_max), after_overflow(all_bytes_max));
        }
    }

    fn shrink_replica(&mut self, index: u32, count: usize, bytes: usize) {
        let is_over = |buffer: &Self| {
            let origin = &buffer.origins[index];
            origin.pending > count || origin.held_bytes() > bytes
        };
        while is_over(self) {
            let origin = &self.origins[index];
            let some = PART_MIN + origin.pending / REPLICA_PARTS;
            let farthest: Vec<u32> = origin.slots.messages().rev().take(some).collect();
            if farthest.is_empty() {
                break;
            }
            for handle in farthest {
                if !is_over(self) {
                    break;
                }
                self.drop_for_room(handle);
            }
        }
    }

    fn shrink(&mut self, count: usize, bytes: usize) {
        let is_over = |buffer: &Self| buffer.arena.len() > count || buffer.pending_bytes() > bytes;
        while is_over(self) {
            let some = PART_MIN + self.arena.len() / PARTS;
            // The nearest of the farthest is on top, and makes way.
            let mut farthest = BinaryHeap::with_capacity(some + 1);
            for (handle, pending) in self.arena.iter() {
                let gap = |dot: LocalDot| dot.seq - self.origins[dot.origin].delivered();
                let distance = gap(pending.dot()).max(gap(self.awaited(handle)));
                // By id, not by index or handle: the choice depends on the messages alone.
                farthest.push(Reverse((distance, self.origins.dot(pending.dot()), handle)));
                if farthest.len() > some {
                    farthest.pop();
                }
            }
            if farthest.is_empty() {
                break;
            }
            for Reverse((_, _, handle)) in farthest.into_sorted_vec() {
                if !is_over(self) {
                    break;
                }
                self.drop_for_room(handle);
            }
        }
    }

    fn drop_for_room(&mut self, handle: u32) {
        let dot = self.discard(handle);
        self.note_dropped(self.origins.dot(dot));
    }

    pub(super) fn note_dropped(&mut self, dot: Dot) {
        let (first, last) = self.dropped.entry(dot.replica).or_insert((dot.seq, dot.seq));
        *first = (*first).min(dot.seq);
        *last = (*last).max(dot.seq);
    }
}
