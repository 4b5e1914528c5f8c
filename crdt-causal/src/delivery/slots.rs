//! What is known of the dots of one replica that were not delivered yet.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, VecDeque};

use super::near::ask_for;

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

/// One of the two.
#[derive(Clone, Copy)]
enum Part {
    Message,
    Waiters,
}

/// The slots of one replica, by sequence number, from the first undelivered one on.
///
/// They stand in pages of 16, made when one of their slots comes into use. Near delivery the
/// pages stand in a window, which costs no search; farther away, in an ordered map, so that a
/// message from the far end of the number range reserves a page and nothing else.
#[derive(Debug)]
pub(super) struct Slots {
    first: u64,
    /// The pages from that of `first` on.
    near: VecDeque<Option<Box<Page>>>,
    far: BTreeMap<u64, Box<Page>>,
    pages: usize,
}

#[derive(Clone, Debug)]
struct Page {
    slots: [Slot; PAGE],
    used: u32,
}

const PAGE: usize = 1 << PAGE_BITS;
const PAGE_BITS: u32 = 4;
/// Pages that the window may span for each page in use. It has to be copied where it grows, and
/// must not be much beside what it is for.
const SPREAD: usize = 4;
/// Pages that the window may always span.
const SPAN_MIN: usize = 16;
/// Room that an empty window keeps.
const IDLE_CAPACITY: usize = 64;
/// What a page takes, with its place.
const PAGE_BYTES: usize = size_of::<Page>() + 2 * size_of::<usize>();

const fn place(seq: u64) -> (u64, usize) {
    (seq >> PAGE_BITS, (seq % PAGE as u64) as usize)
}

impl Slots {
    /// No slots, where everything up to `delivered` was delivered.
    pub(super) fn starting_after(delivered: u64) -> Self {
        let (near, far) = (VecDeque::new(), BTreeMap::new());
        Self { first: delivered + 1, near, far, pages: 0 }
    }

    /// The sequence number that is next to be delivered.
    pub(super) const fn first(&self) -> u64 {
        self.first
    }

    /// Whether no slot is in use.
    pub(super) const fn is_empty(&self) -> bool {
        self.pages == 0
    }

    /// What the slots take. A small window that is kept while nothing is in it is part of what a
    /// replica takes anyway.
    pub(super) fn bytes(&self) -> usize {
        if self.pages == 0 {
            return 0;
        }
        self.pages * PAGE_BYTES + self.near.capacity() * size_of::<usize>()
    }

    fn page(&self, number: u64) -> Option<&Page> {
        let offset = number - (self.first >> PAGE_BITS);
        match usize::try_from(offset).ok().and_then(|offset| self.near.get(offset)) {
            Some(page) => page.as_deref(),
            None if self.far.is_empty() => None,
            None => self.far.get(&number).map(|page| &**page),
        }
    }

    /// Asks for the slot of a number, if it may be in the window.
    #[inline]
    pub(super) fn bring_near(&self, seq: u64) {
        ask_for(|| {
            let (number, index) = place(seq);
            let offset = number.saturating_sub(self.first >> PAGE_BITS);
            let page = self.near.get(usize::try_from(offset).unwrap_or(usize::MAX))?.as_ref()?;
            Some(page.slots[index].message)
        });
    }

    /// The messages in the page that comes next, where the first sequence number is the first of one.
    #[inline]
    pub(super) fn page_ahead(&self) -> Option<impl Iterator<Item = u32> + '_> {
        if place(self.first).1 != 0 {
            return None;
        }
        let page = self.near.front()?.as_deref()?;
        Some(page.slots.iter().map(|slot| slot.message).filter(|message| *message != NONE))
    }

    pub(super) fn get(&self, seq: u64) -> Slot {
        debug_assert!(seq >= self.first, "delivered dots have no slot");
        let (page, index) = place(seq);
        self.page(page).map_or(Slot::EMPTY, |page| page.slots[index])
    }

    pub(super) fn set_message(&mut self, seq: u64, message: u32) {
        self.replace(seq, Part::Message, message);
    }

    /// Lets a list begin with another message. Returns the one that it began with.
    pub(super) fn set_waiters(&mut self, seq: u64, waiters: u32) -> u32 {
        self.replace(seq, Part::Waiters, waiters)
    }

    /// Puts a message in its slot, and before those that wait for its predecessor. Returns which one of
    /// them was the first.
    #[inline]
    pub(super) fn set_message_and_waiter(&mut self, seq: u64, message: u32) -> u32 {
        let (offset, index) = self.place(seq);
        let near = self.near.get_mut(offset);
        let (Some(Some(page)), Some(before)) = (near, index.checked_sub(1)) else {
            self.set_message(seq, message);
            return self.set_waiters(seq - 1, message);
        };
        page.replace(index, Part::Message, message);
        page.replace(before, Part::Waiters, message)
    }

    /// The page of a number, counted from the first one, and the place in it.
    #[inline]
    fn place(&self, seq: u64) -> (usize, usize) {
        debug_assert!(seq >= self.first, "delivered dots have no slot");
        let (number, index) = place(seq);
        let offset = number - (self.first >> PAGE_BITS);
        (usize::try_from(offset).unwrap_or(usize::MAX), index)
    }

    fn replace(&mut self, seq: u64, part: Part, value: u32) -> u32 {
        let (offset, index) = self.place(seq);
        let Some(Some(page)) = self.near.get_mut(offset) else {
            return self.replace_far(seq, offset, part, value);
        };
        let before = page.replace(index, part, value);
        if page.used == 0 {
            self.near[offset] = None;
            self.lose_page();
        }
        before
    }

    /// The same in a page that is not in the window, or not made yet.
    #[cold]
    fn replace_far(&mut self, seq: u64, offset: usize, part: Part, value: u32) -> u32 {
        if offset >= self.near.len() && offset < SPREAD * self.pages + SPAN_MIN {
            self.widen(offset + 1);
        }
        let Self { near, far, pages, .. } = self;
        let make = || {
            *pages += 1;
            Page::new()
        };
        let (number, index) = place(seq);
        let is_near = offset < near.len();
        let page = if is_near {
            near[offset].get_or_insert_with(make)
        } else {
            far.entry(number).or_insert_with(make)
        };
        let before = page.replace(index, part, value);
        if page.used == 0 {
            if is_near {
                near[offset] = None;
            } else {
                far.remove(&number);
            }
            self.lose_page();
        }
        before
    }

    fn lose_page(&mut self) {
        self.pages -= 1;
        self.settle();
    }

    /// Lets the window span `len` pages, and moves in what the map held of them.
    fn widen(&mut self, len: usize) {
        if len > self.near.capacity() {
            // By an eighth: there may be millions.
            let more = (len - self.near.len()).max(self.near.len() / 8).max(SPAN_MIN);
            self.near.reserve_exact(more);
        }
        self.near.resize(len, None);
        let first = self.first >> PAGE_BITS;
        while let Some(entry) = self.far.first_entry() {
            let offset = entry.key() - first;
            if offset >= len as u64 {
                break;
            }
            self.near[offset as usize] = Some(entry.remove());
        }
    }

    /// Gives the window back when nothing is in it.
    fn settle(&mut self) {
        if self.pages == 0 {
            self.near.clear();
            if self.near.capacity() > IDLE_CAPACITY {
                self.near = VecDeque::new();
            }
        }
    }

    /// Steps over the first sequence number, which is delivered, and returns its slot.
    pub(super) fn advance(&mut self) -> Slot {
        let seq = self.first;
        if self.pages == 0 {
            self.step_over_nothing();
            return Slot::EMPTY;
        }
        let slot = self.take_first();
        self.first += 1;
        if place(seq + 1).1 == 0 && !self.near.is_empty() {
            let page = self.near.pop_front();
            debug_assert!(page.is_some_and(|page| page.is_none()), "all of it was delivered");
        }
        slot
    }

    /// Steps over the first sequence number where no slot is in use.
    #[inline]
    pub(super) fn step_over_nothing(&mut self) {
        debug_assert!(self.is_empty() && self.near.is_empty());
        self.first += 1;
    }

    /// Empties the slot of the first sequence number.
    fn take_first(&mut self) -> Slot {
        let seq = self.first;
        let Some(front) = self.near.front_mut() else {
            // It may be in the map still, where nothing came since it was far away.
            let slot = self.get(seq);
            if !slot.is_empty() {
                self.set_message(seq, NONE);
                self.set_waiters(seq, NONE);
            }
            return slot;
        };
        let Some(page) = front else { return Slot::EMPTY };
        let slot = core::mem::replace(&mut page.slots[place(seq).1], Slot::EMPTY);
        if !slot.is_empty() {
            page.used -= 1;
            if page.used == 0 {
                *front = None;
                self.lose_page();
            }
        }
        slot
    }

    /// Empties the first slot in use up to the number `last`, which holds no message. Returns the
    /// first of those that wait there, if there is such a slot.
    pub(super) fn clear_first(&mut self, last: u64) -> Option<u32> {
        let (seq, slot) = self.iter().next().filter(|(seq, _)| *seq <= last)?;
        debug_assert_eq!(slot.message, NONE, "what is held is not passed over");
        Some(self.set_waiters(seq, NONE))
    }

    /// Steps over all numbers before `to`, none of which has a slot in use.
    pub(super) fn jump(&mut self, to: u64) {
        let pages = (to >> PAGE_BITS) - (self.first >> PAGE_BITS);
        let pages = usize::try_from(pages).unwrap_or(usize::MAX).min(self.near.len());
        let passed = self.near.drain(..pages);
        passed.for_each(|page| debug_assert!(page.is_none(), "nothing is in use there"));
        self.first = to;
    }

    /// The slots in use, in order.
    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = (u64, Slot)> + '_ {
        let first = self.first >> PAGE_BITS;
        let near = self.near.iter().enumerate();
        let near = near.filter_map(move |(at, page)| Some((first + at as u64, page.as_deref()?)));
        let far = self.far.iter().map(|(number, page)| (*number, &**page));
        near.chain(far).flat_map(|(number, page)| {
            let slots = page.slots.iter().enumerate();
            slots
                .map(move |(index, slot)| (number << PAGE_BITS | index as u64, *slot))
                .filter(|(_, slot)| !slot.is_empty())
        })
    }

    /// The messages that are held, in order.
    pub(super) fn messages(&self) -> impl DoubleEndedIterator<Item = u32> + '_ {
        self.iter().map(|(_, slot)| slot.message).filter(|handle| *handle != NONE)
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
        let beyond = (self.first >> PAGE_BITS) + self.near.len() as u64;
        assert!(self.far.keys().all(|number| *number >= beyond));
        let pages = self.near.iter().flatten().chain(self.far.values());
        let used = |page: &Page| page.slots.iter().filter(|slot| !slot.is_empty()).count();
        assert!(pages.clone().all(|page| page.used > 0 && page.used as usize == used(page)));
        assert_eq!(pages.count(), self.pages);
        assert!(self.iter().all(|(seq, _)| seq >= self.first));
        assert!(self.pages > 0 || self.near.is_empty());
    }
}

impl Page {
    fn new() -> Box<Self> {
        Box::new(Self { slots: [Slot::EMPTY; PAGE], used: 0 })
    }

    /// Changes a part of a slot. Returns what it was.
    #[inline]
    fn replace(&mut self, index: usize, part: Part, value: u32) -> u32 {
        let slot = &mut self.slots[index];
        let was_used = !slot.is_empty();
        let place = match part {
            Part::Message => &mut slot.message,
            Part::Waiters => &mut slot.waiters,
        };
        let before = core::mem::replace(place, value);
        let is_used = !slot.is_empty();
        self.used = self.used + u32::from(is_used) - u32::from(was_used);
        before
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
        assert_eq!((slots.near.capacity(), slots.pages), (0, 1));
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
        assert!(slots.near.len() > 50 && slots.far.len() < 15);
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
