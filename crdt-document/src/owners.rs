use alloc::vec::Vec;
use core::ops::Range;

use crdt_core::causality::Lv;

/// Which container each event belongs to, run-length encoded.
#[derive(Clone, Debug, Default)]
pub(crate) struct Owners {
    /// From this event on, the container. Neighbours differ.
    runs: Vec<(Lv, u32)>,
    len: Lv,
}

impl Owners {
    /// The next `events` events belong to `container`.
    pub(crate) fn push(&mut self, container: u32, events: u32) {
        if events > 0 && self.runs.last().is_none_or(|&(_, last)| last != container) {
            self.runs.push((self.len, container));
        }
        self.len += events;
    }

    /// Forgets the events from `len` on.
    pub(crate) fn truncate(&mut self, len: Lv) {
        while self.runs.last().is_some_and(|&(start, _)| start >= len) {
            self.runs.pop();
        }
        self.len = self.len.min(len);
    }

    /// The containers of the events in `range`, in order.
    pub(crate) fn runs(&self, range: Range<Lv>) -> impl Iterator<Item = (u32, Range<Lv>)> + '_ {
        let first = self.runs.partition_point(|&(start, _)| start <= range.start).saturating_sub(1);
        let (end, mut next) = (range.end, range.start);
        (first..self.runs.len()).map_while(move |index| {
            if next >= end {
                return None;
            }
            let until = self.runs.get(index + 1).map_or(self.len, |&(start, _)| start).min(end);
            let piece = (self.runs[index].1, next..until);
            next = until;
            Some(piece)
        })
    }

    /// How many events there are.
    pub(crate) const fn len(&self) -> Lv {
        self.len
    }
}
