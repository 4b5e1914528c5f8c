//! Where a merge may begin: edits of this text that all later ones have in their past, and
//! that have all earlier ones in theirs.
//!
//! What lies at or below such a *critical* edit is settled. The list counts edits of this
//! text alone, so that concurrency elsewhere in a document does not matter here, and knows
//! how long the text was after each. Any part of the critical edits is a correct list: one
//! that is left out only makes a merge begin a little earlier, so that close ones are.

use alloc::vec::Vec;
use core::ops::Range;

use super::run::RunKind;
use crate::causality::Lv;

/// A critical edit less than this many events after the last one noted is left out.
const SPACING: u32 = if cfg!(test) { 3 } else { 64 };

/// Critical edits in a row, all growing or all shrinking the text by one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Stretch {
    start: Lv,
    end: Lv,
    /// The text's length before the first.
    length: u32,
    effect: Effect,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Effect {
    Grows,
    Shrinks,
    Clears,
    /// No edit, but a version with which the history begins.
    Rests,
}

impl Stretch {
    fn length_after(&self, lv: Lv) -> u32 {
        let count = lv + 1 - self.start;
        match self.effect {
            Effect::Grows => self.length + count,
            Effect::Shrinks => self.length - count,
            Effect::Clears => 0,
            Effect::Rests => self.length,
        }
    }
}

/// The known critical edits.
#[derive(Clone, Default, Debug)]
pub(super) struct CriticalEdits {
    stretches: Vec<Stretch>,
    /// What is needed to go back to where the journal was opened, if it is: how many stretches
    /// are as they were then.
    unchanged: Option<usize>,
    /// The other stretches of that time, last first.
    saved: Vec<Stretch>,
}

impl CriticalEdits {
    /// Before all edits there was a text, which each of them has in its past: `lv` stands for it.
    pub(super) fn of_base(lv: Lv, length: u32) -> Self {
        let base = Stretch { start: lv, end: lv + 1, length, effect: Effect::Rests };
        Self { stretches: alloc::vec![base], ..Self::default() }
    }

    /// Notes edits that had all others in their past when the text was `length` long.
    pub(super) fn push(&mut self, lvs: Range<Lv>, kind: RunKind, length: u32) {
        let effect = match kind {
            RunKind::Insert => Effect::Grows,
            RunKind::DeleteForward | RunKind::DeleteBackward => Effect::Shrinks,
            RunKind::Clear => Effect::Clears,
        };
        if let Some(last) = self.stretches.last() {
            if last.end == lvs.start && last.effect == effect {
                debug_assert_eq!(last.length_after(last.end - 1), length);
                self.save_from(self.stretches.len() - 1);
                self.stretches.last_mut().expect("just seen").end = lvs.end;
                return;
            }
            if lvs.start < last.end.saturating_add(SPACING) {
                return;
            }
        }
        self.stretches.push(Stretch { start: lvs.start, end: lvs.end, length, effect });
    }

    /// Edits from `lv` on are no longer in the past of all later ones.
    pub(super) fn forget_from(&mut self, lv: Lv) {
        while let Some(&last) = self.stretches.last() {
            if last.end <= lv {
                return;
            }
            self.save_from(self.stretches.len() - 1);
            if last.start < lv {
                self.stretches.last_mut().expect("just seen").end = lv;
                return;
            }
            self.stretches.pop();
        }
    }

    /// The newest critical edit before `lv`, and the text's length after it.
    pub(super) fn last_before(&self, lv: Lv) -> Option<(Lv, u32)> {
        let index = self.stretches.partition_point(|stretch| stretch.start < lv).checked_sub(1)?;
        let stretch = &self.stretches[index];
        let newest = stretch.end.min(lv) - 1;
        Some((newest, stretch.length_after(newest)))
    }

    /// From here on, [`roll_back`](Self::roll_back) is possible.
    pub(super) fn open_journal(&mut self) {
        self.unchanged = Some(self.stretches.len());
        self.saved.clear();
    }

    /// Forgets how to go back.
    pub(super) fn close_journal(&mut self) {
        self.unchanged = None;
    }

    /// Goes back to where the journal was opened.
    pub(super) fn roll_back(&mut self) {
        if let Some(unchanged) = self.unchanged.take() {
            self.stretches.truncate(unchanged);
            self.stretches.extend(self.saved.drain(..).rev());
        }
    }

    fn save_from(&mut self, index: usize) {
        if let Some(unchanged) = &mut self.unchanged {
            while *unchanged > index {
                *unchanged -= 1;
                self.saved.push(self.stretches[*unchanged]);
            }
        }
    }
}
