//! Going from version to version: retreat and advance.

use core::ops::Range;

use super::{Id, Run, RunKind, Walker};
use crate::causality::Lv;
use crate::sequence::log::OpLog;
use crate::sequence::steps::step;

/// Elements that consecutive deletions deleted, in document order or against it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Deleted {
    pub(super) id: Id,
    pub(super) len: u32,
    pub(super) forward: bool,
}

impl Walker {
    /// Changes what is there in the view that the walker stands in.
    pub(super) fn travel(&mut self, log: &OpLog, retreat: &[Range<Lv>], advance: &[Range<Lv>]) {
        // Last first, so that a deletion goes before what it deleted.
        for range in retreat.iter().rev() {
            for (lv, run) in log.runs_backwards(range.clone()) {
                self.toggle(lv, run, |state| state - 1);
            }
        }
        for range in advance {
            for (lv, run) in log.runs_in(range.clone()) {
                self.toggle(lv, run, |state| state + 1);
            }
        }
    }

    pub(super) fn note_deleted(&mut self, lv: Lv, deleted: Deleted) {
        // Nearly always at the end: what is fed ascends, and one edit goes last to first.
        let index = self.deleted.partition_point(|&(first, _)| first < lv);
        if let Some((first, last)) = index.checked_sub(1).map(|before| &mut self.deleted[before])
            && *first + last.len == lv
        {
            let onwards = deleted.forward && (last.forward || last.len == 1);
            if onwards && last.id + last.len == deleted.id {
                *last = Deleted { len: last.len + deleted.len, forward: true, ..*last };
                return;
            }
            let back = (!deleted.forward || deleted.len == 1) && (!last.forward || last.len == 1);
            if back && deleted.id + deleted.len == last.id {
                let len = last.len + deleted.len;
                *last = Deleted { id: deleted.id, len, forward: false };
                return;
            }
        }
        self.deleted.insert(index, (lv, deleted));
    }

    /// Applies `change` to the state of what the events of `run` inserted or deleted.
    fn toggle(&mut self, lv: Lv, run: Run, change: impl Fn(u32) -> u32 + Copy) {
        let end = lv + run.len;
        match run.kind {
            RunKind::Insert => self.change_states(lv, run.len, change),
            RunKind::DeleteForward | RunKind::DeleteBackward => {
                let mut next = lv;
                while next < end {
                    let after = self.deleted.partition_point(|&(first, _)| first <= next);
                    let (first, deleted) = self.deleted[after - 1];
                    let stop = end.min(first + deleted.len);
                    let id = if deleted.forward {
                        deleted.id + (next - first)
                    } else {
                        deleted.id + (first + deleted.len - stop)
                    };
                    self.change_states(id, stop - next, change);
                    next = stop;
                }
            }
            RunKind::Clear => {
                // A run of clearings deletes with its first; one that is cut deletes again
                // with the next, which met nothing.
                let first = self.cleared.partition_point(|&(by, _)| by < lv);
                for index in first..self.cleared.partition_point(|&(by, _)| by < end) {
                    let Range { start, end } = self.cleared[index].1.clone();
                    self.change_states(start, end - start, change);
                }
            }
        }
    }

    fn change_states(&mut self, mut id: Id, mut len: u32, change: impl Fn(u32) -> u32) {
        while len > 0 {
            step();
            let (at, offset) = self.spans.locate(id);
            let at = self.spans.split_before(at, offset);
            let at = self.spans.split_after(at, len);
            let here = self.here;
            self.spans.update(at, |span| span.states[here] = change(span.states[here]));
            let done = self.spans.get(at).len;
            id += done;
            len -= done;
        }
    }
}
