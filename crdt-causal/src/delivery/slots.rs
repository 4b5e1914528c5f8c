//! What is known of the dots of one replica that were not delivered yet.

use alloc::collections::{BTreeMap, VecDeque};

/// Stands for "no message" in a [`Slot`] and in the links of a wait list.
pub(super) const NONE: u32 = u32::MAX;

/// One dot that was not delivered: who holds it, and who waits for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slot {
    /// The pending message with this dot.
    pub(super) message: u32,
    /// The first of the pending messages whose first missing dot this is.
    pub(super) waiters: u32,
}

impl Slot {
    const EMPTY: Self = Self { message: NONE, waiters: NONE };

    pub(super) fn is_empty(self) -> bool {
        self == Self::EMPTY
    }
}

/// The slots of one replica, by sequence number, from the first undelivered one on.
///
/// Near delivery they stand in a dense window, which costs no search; what lies farther than
/// six times the number of slots in use stands in an ordered map, so that a message from the
/// far end of the number range reserves nothing.
#[derive(Debug)]
pub(super) struct Slots {
    first: u64,
    dense: VecDeque<Slot>,
    sparse: BTreeMap<u64, Slot>,
    used: usize,
}

/// Slots that the dense window may span for each slot in use.
const SPREAD: u64 = 6;
/// Slots that the dense window may always span.
const SPAN_MIN: u64 = 16;
/// Room that an empty dense window keeps.
const IDLE_CAPACITY: usize = 64;

impl Slots {
    /// No slots, where everything up to `delivered` was delivered.
    pub(super) fn starting_after(delivered: u64) -> Self {
        Self { first: delivered + 1, dense: VecDeque::new(), sparse: BTreeMap::new(), used: 0 }
    }

    /// The sequence number that is next to be delivered.
    pub(super) fn first(&self) -> u64 {
        self.first
    }

    /// Whether no slot is in use.
    pub(super) fn is_empty(&self) -> bool {
        self.used == 0
    }

    pub(super) fn get(&self, seq: u64) -> Slot {
        debug_assert!(seq >= self.first, "delivered dots have no slot");
        let offset = seq - self.first;
        if offset < self.dense.len() as u64 {
            self.dense[offset as usize]
        } else {
            self.sparse.get(&seq).copied().unwrap_or(Slot::EMPTY)
        }
    }

    pub(super) fn set_message(&mut self, seq: u64, message: u32) {
        self.update(seq, |slot| slot.message = message);
    }

    pub(super) fn set_waiters(&mut self, seq: u64, waiters: u32) {
        self.update(seq, |slot| slot.waiters = waiters);
    }

    fn update(&mut self, seq: u64, change: impl FnOnce(&mut Slot)) {
        let before = self.get(seq);
        let mut after = before;
        change(&mut after);
        match (before.is_empty(), after.is_empty()) {
            (true, false) => self.used += 1,
            (false, true) => self.used -= 1,
            _ => {}
        }
        self.put(seq, after);
    }

    fn put(&mut self, seq: u64, slot: Slot) {
        let offset = seq - self.first;
        if offset < self.dense.len() as u64 {
            self.dense[offset as usize] = slot;
            while self.dense.back().is_some_and(|last| last.is_empty()) {
                self.dense.pop_back();
            }
        } else if slot.is_empty() {
            self.sparse.remove(&seq);
        } else if offset < SPREAD * self.used as u64 + SPAN_MIN {
            self.widen(offset as usize + 1);
            self.dense[offset as usize] = slot;
        } else {
            self.sparse.insert(seq, slot);
        }
    }

    /// Lets the dense window span `len` slots, and moves in what the map held of them.
    fn widen(&mut self, len: usize) {
        self.dense.resize(len, Slot::EMPTY);
        let beyond = self.first + len as u64;
        while let Some(entry) = self.sparse.first_entry() {
            if *entry.key() >= beyond {
                break;
            }
            let (seq, slot) = entry.remove_entry();
            self.dense[(seq - self.first) as usize] = slot;
        }
    }

    /// Steps over the first sequence number, which is delivered, and returns its slot.
    pub(super) fn advance(&mut self) -> Slot {
        let slot = if let Some(slot) = self.dense.pop_front() {
            slot
        } else if self.used == 0 {
            Slot::EMPTY
        } else {
            self.sparse.remove(&self.first).unwrap_or(Slot::EMPTY)
        };
        self.first += 1;
        if !slot.is_empty() {
            self.used -= 1;
            if self.dense.is_empty() && self.dense.capacity() > IDLE_CAPACITY {
                self.dense = VecDeque::new();
            }
        }
        slot
    }

    /// The slots in use, in order.
    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = (u64, Slot)> + '_ {
        let first = self.first;
        let dense = self.dense.iter().enumerate();
        dense
            .map(move |(offset, slot)| (first + offset as u64, *slot))
            .filter(|(_, slot)| !slot.is_empty())
            .chain(self.sparse.iter().map(|(seq, slot)| (*seq, *slot)))
    }

    /// The runs of numbers after the first of `span`, up to the second, that no message holds.
    pub(super) fn gaps(&self, span: (u64, u64)) -> impl Iterator<Item = (u64, u64)> + '_ {
        let (after, to) = span;
        let held = self
            .iter()
            .filter(move |(seq, slot)| slot.message != NONE && *seq > after && *seq <= to)
            .map(|(seq, _)| seq);
        let mut next = after + 1;
        held.chain(core::iter::once(to + 1)).filter_map(move |seq| {
            let gap = (next < seq).then(|| (next, seq - 1));
            next = seq + 1;
            gap
        })
    }

    /// Panics unless the slots are where they belong and counted.
    pub(super) fn check_invariants(&self) {
        let beyond = self.first + self.dense.len() as u64;
        assert!(self.sparse.keys().all(|seq| *seq >= beyond));
        assert!(self.sparse.values().all(|slot| !slot.is_empty()));
        assert_eq!(self.used, self.iter().count());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    #[test]
    fn a_far_slot_reserves_nothing() {
        let mut slots = Slots::starting_after(0);
        slots.set_message(1 << 60, 7);
        assert_eq!(slots.dense.capacity(), 0);
        assert_eq!(slots.get(1 << 60).message, 7);
        slots.check_invariants();
    }

    #[test]
    fn slots_near_delivery_move_into_the_window() {
        let mut slots = Slots::starting_after(0);
        for seq in (2..=1000).rev() {
            slots.set_message(seq, seq as u32);
            slots.check_invariants();
        }
        assert!(slots.dense.len() > 100);
        assert!(slots.advance().is_empty());
        for seq in 2..=1000 {
            assert_eq!(slots.first(), seq);
            assert_eq!(slots.advance().message, seq as u32);
            slots.check_invariants();
        }
        assert!(slots.is_empty());
    }

    #[test]
    fn an_emptied_slot_leaves() {
        let mut slots = Slots::starting_after(0);
        slots.set_waiters(3, 1);
        slots.set_waiters(900, 2);
        slots.set_waiters(3, NONE);
        slots.set_waiters(900, NONE);
        slots.check_invariants();
        assert!(slots.is_empty());
        assert_eq!(slots.iter().collect::<Vec<_>>(), []);
    }
}
