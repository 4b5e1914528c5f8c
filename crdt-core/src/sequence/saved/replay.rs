//! Which events inserted what a deletion takes, and what is left at the end.
//!
//! Deleted text is saved with its deletion and what is left with the state, so that a chunk
//! of history never changes when something in it is deleted later. To put the two together
//! again, and to take them apart, a history is replayed for positions alone.

use alloc::vec::Vec;
use core::ops::Range;

use super::elements::{Elements, Stretch};
use crate::causality::Lv;
use crate::sequence::error::InvalidTextOp;
use crate::sequence::merge::{History, Merge};
use crate::sequence::patch::{PatchRun, PatchSink};
use crate::sequence::run::{Run, RunKind};

/// Elements that one deletion took, and that no deletion before it had taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Taken {
    pub(super) stretch: Stretch,
    /// Whether the last of them was deleted first.
    pub(super) backward: bool,
}

/// A replay under way. The history's local versions are in canonical order, so that of two
/// concurrent deletions the same is the first wherever the history is replayed.
#[derive(Default)]
pub(super) struct Replay {
    merge: Merge,
    elements: Elements,
    patches: Vec<PatchRun>,
    /// What a deletion took: the position it had before, and the elements.
    taken: Vec<(u32, Stretch)>,
}

impl Replay {
    /// Replays the events of `range`, part of one run of edits, which come after all that were
    /// replayed before; tells what they take, in the order of the events that take it.
    ///
    /// # Errors
    ///
    /// The first edit that cannot be applied at its own version.
    pub(super) fn advance(
        &mut self,
        history: &History<'_>,
        range: Range<Lv>,
        run: Run,
        mut taken: impl FnMut(Taken),
    ) -> Result<(), (Lv, InvalidTextOp)> {
        self.merge.advance(history, range, &mut PatchSink::new(&mut self.patches))?;
        self.taken.clear();
        for patch in self.patches.drain(..) {
            if patch.inserted > 0 {
                let new = Stretch { lv: patch.lv, len: patch.inserted };
                self.elements.insert(patch.at, new);
                continue;
            }
            // Where it was before the edit: what the edit took to the left of it was there too.
            let mut at = patch.at;
            for &(before, stretch) in &self.taken {
                if before <= at {
                    at += stretch.len;
                }
            }
            let list = &mut self.taken;
            self.elements.remove(patch.at, patch.deleted, |stretch| {
                let place = list.partition_point(|&(before, _)| before < at);
                list.insert(place, (at, stretch));
                at += stretch.len;
                // And what was taken before in the middle of this patch.
                for &(before, gone) in &list[place + 1..] {
                    if before != at {
                        break;
                    }
                    at += gone.len;
                }
            });
        }
        if run.kind == RunKind::DeleteBackward {
            self.taken
                .iter()
                .rev()
                .for_each(|&(_, stretch)| taken(Taken { stretch, backward: true }));
        } else {
            self.taken.iter().for_each(|&(_, stretch)| taken(Taken { stretch, backward: false }));
        }
        Ok(())
    }

    /// What is left, in document order.
    pub(super) fn survivors(&self) -> impl Iterator<Item = Stretch> + '_ {
        self.elements.iter()
    }

    /// The state of merging, for what comes after.
    pub(super) fn into_merge(self) -> Merge {
        self.merge
    }
}
