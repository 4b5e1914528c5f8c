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

/// Elements that one deletion took, and that no deletion before it had taken. Those of the base's
/// text are numbered from 0, and those of events by their local versions from its length on.
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
    /// What a deletion took, in document order.
    taken: Vec<Stretch>,
    /// How long the base's text is.
    base: u32,
}

impl Replay {
    /// Before all edits of a text that begins with so many code points; the first event that is
    /// not the base's has local version `first`.
    pub(super) fn of_base(length: u32, first: Lv) -> Self {
        let Some(lv) = first.checked_sub(1).filter(|_| length > 0) else { return Self::default() };
        let mut elements = Elements::default();
        elements.insert(0, Stretch { lv: 0, len: length });
        Self { merge: Merge::of_base(lv, length), elements, base: length, ..Self::default() }
    }

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
        let mut from = 0;
        for patch in self.patches.drain(..) {
            if patch.inserted > 0 {
                let new = Stretch { lv: self.base + patch.lv, len: patch.inserted };
                self.elements.insert(patch.at, new);
                continue;
            }
            debug_assert!(from <= patch.at, "the patches of one edit come from left to right");
            from = patch.at;
            self.elements.remove(patch.at, patch.deleted, |stretch| self.taken.push(stretch));
        }
        let backward = run.kind == RunKind::DeleteBackward;
        if backward {
            self.taken.reverse();
        }
        self.taken.iter().for_each(|&stretch| taken(Taken { stretch, backward }));
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
