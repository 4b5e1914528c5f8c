//! What an edit changes in the text at the tip.

use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;

use super::log::Piece;
use crate::causality::{Chain, Lv};

/// One change of the text, for an editor: patches apply one after the other.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TextPatch {
    /// Where, in code points.
    pub at: u32,
    /// How many code points go.
    pub deleted: u32,
    /// What comes in their place.
    pub inserted: String,
    /// Where, in UTF-16 units.
    pub at_utf16: u32,
    /// How many UTF-16 units go.
    pub deleted_utf16: u32,
}

/// A change of the text that was staged: a patch whose text is still in the log.
///
/// [`TextStore::commit`](super::TextStore::commit) makes it a [`TextPatch`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PatchRun {
    /// Where, in code points.
    pub at: u32,
    /// How many code points go.
    pub deleted: u32,
    /// How many code points come.
    pub inserted: u32,
    /// The first event whose effect this is.
    pub lv: Lv,
    /// Where the text is in the log.
    text: (u32, u32),
}

impl PatchRun {
    pub(super) fn insert(piece: &Piece, at: u32) -> Self {
        let Range { start, end } = piece.text;
        Self { at, deleted: 0, inserted: piece.run.len, lv: piece.lv, text: (start, end) }
    }

    pub(super) fn delete(lv: Lv, at: u32, len: u32) -> Self {
        Self { at, deleted: len, inserted: 0, lv, text: (0, 0) }
    }

    /// The bytes of the inserted text in the log.
    pub(super) fn text(&self) -> Range<u32> {
        self.text.0..self.text.1
    }

    /// Takes in `next`, which follows, if the two are one change.
    fn absorb(&mut self, next: &Self) -> bool {
        if next.deleted == 0 && self.deleted == 0 {
            let typed_on = next.at == self.at + self.inserted && next.text.0 == self.text.1;
            if typed_on {
                self.inserted += next.inserted;
                self.text.1 = next.text.1;
            }
            return typed_on;
        }
        if next.inserted > 0 || self.inserted > 0 {
            return false;
        }
        let forward = next.at == self.at;
        if forward || next.at + next.deleted == self.at {
            self.deleted += next.deleted;
            self.at = next.at;
            return true;
        }
        false
    }
}

/// Gathers patches, those of one chain of events that belong together as one.
pub(super) struct PatchSink<'a> {
    patches: &'a mut Vec<PatchRun>,
    /// Whether the next patch may join the last.
    open: bool,
    /// The last event, and the number of its replica.
    last: Option<(Lv, u32)>,
}

impl<'a> PatchSink<'a> {
    pub(super) fn new(patches: &'a mut Vec<PatchRun>) -> Self {
        Self { patches, open: false, last: None }
    }

    /// A chain of events begins: its patches join those before only where the same replica
    /// goes straight on.
    pub(super) fn chain(&mut self, chain: &Chain<'_>) {
        let goes_on = |(lv, replica)| chain.replica == replica && chain.goes_on_from(lv);
        self.open = self.last.is_some_and(goes_on);
        self.last = Some((chain.lvs.end - 1, chain.replica));
    }

    pub(super) fn push(&mut self, patch: PatchRun) {
        if patch.deleted == 0 && patch.inserted == 0 {
            return;
        }
        if self.open && self.patches.last_mut().is_some_and(|last| last.absorb(&patch)) {
            return;
        }
        self.patches.push(patch);
        self.open = true;
    }
}
