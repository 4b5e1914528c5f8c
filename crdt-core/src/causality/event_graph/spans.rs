//! Reading the graph a change at a time.

use core::ops::Range;

use smallvec::SmallVec;

use super::{ChangeBlock, EventGraph, Lv};
use crate::ReplicaId;

/// Consecutive changes of one replica and one length, each following the one before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeSpan {
    /// The local versions of the events.
    pub lvs: Range<Lv>,
    /// Who issued them.
    pub replica: ReplicaId,
    /// The first event's sequence number.
    pub seq: u64,
    /// How many events each change has.
    pub change_len: u32,
    /// How many changes there are.
    pub count: u32,
    /// The parents of the first change, in ascending local order.
    pub parents: SmallVec<[Lv; 2]>,
}

impl EventGraph {
    /// The changes in `range`, in local order, in spans as long as they can be.
    ///
    /// # Panics
    ///
    /// If the range is not held, or cuts a change.
    pub fn changes(&self, range: Range<Lv>) -> impl Iterator<Item = ChangeSpan> + '_ {
        assert!(range.end <= self.len, "the events are held");
        let Range { start: mut next, end } = range;
        let (mut index, mut block) =
            if next < end { (self.run_index(next), self.block_index(next)) } else { (0, 0) };
        core::iter::from_fn(move || {
            if next >= end {
                return None;
            }
            index += usize::from(next == self.run_end(index));
            block += usize::from(next == self.block_end(block));
            let (run, ChangeBlock { start, change_len }) = (&self.runs[index], self.blocks[block]);
            let end = end.min(self.run_end(index)).min(self.block_end(block));
            assert!(
                (next - start).is_multiple_of(change_len)
                    && (end - next).is_multiple_of(change_len),
                "a range of changes begins and ends with one"
            );
            let span = ChangeSpan {
                lvs: next..end,
                replica: self.issuers[run.replica as usize].id,
                seq: run.seq_of(next),
                change_len,
                count: (end - next) / change_len,
                parents: self.parents_in(index, next),
            };
            next = end;
            Some(span)
        })
    }

    /// The events in `range` as chains, in local order: in each, every event but the first has
    /// the one before as its only parent. With each chain come the first event's parents.
    ///
    /// # Panics
    ///
    /// If the range is not held.
    pub fn chains(
        &self,
        range: Range<Lv>,
    ) -> impl Iterator<Item = (Range<Lv>, SmallVec<[Lv; 2]>)> + '_ {
        assert!(range.end <= self.len, "the events are held");
        let Range { start: mut next, end } = range;
        let mut index = if next < end { self.run_index(next) } else { 0 };
        core::iter::from_fn(move || {
            if next >= end {
                return None;
            }
            index += usize::from(next == self.run_end(index));
            let parents = self.parents_in(index, next);
            let start = core::mem::replace(&mut next, end.min(self.run_end(index)));
            Some((start..next, parents))
        })
    }

    /// Whether a change begins at `lv`; the end of the graph counts as one.
    pub fn is_change_start(&self, lv: Lv) -> bool {
        if lv >= self.len {
            return lv == self.len;
        }
        let block = self.blocks[self.block_index(lv)];
        (lv - block.start).is_multiple_of(block.change_len)
    }

    /// The local versions of the change that holds `lv`.
    pub fn change_of(&self, lv: Lv) -> Range<Lv> {
        assert!(lv < self.len, "the event is held");
        let block = self.blocks[self.block_index(lv)];
        let start = lv - (lv - block.start) % block.change_len;
        start..start + block.change_len
    }

    pub(super) fn push_block(&mut self, start: Lv, change_len: u32) {
        if self.blocks.last().is_none_or(|block| block.change_len != change_len) {
            self.blocks.push(ChangeBlock { start, change_len });
        }
    }

    fn block_index(&self, lv: Lv) -> usize {
        // Most that is asked about is new.
        match self.blocks.last() {
            Some(last) if last.start <= lv => self.blocks.len() - 1,
            _ => self.blocks.partition_point(|block| block.start <= lv) - 1,
        }
    }

    fn block_end(&self, index: usize) -> Lv {
        self.blocks.get(index + 1).map_or(self.len, |next| next.start)
    }
}
