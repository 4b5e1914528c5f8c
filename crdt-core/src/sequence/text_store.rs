//! A text without a causal context: what a document keeps for each of its texts.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::ops::Range;

use super::error::{InvalidTextOp, TextError};
use super::log::OpLog;
use super::merge::{EVERYTHING, History, Merge};
use super::ops::OpRuns;
use super::patch::{PatchRun, PatchSink, TextPatch};
use super::rope::{Misplaced, Rope};
use super::run::{Run, TextOp};
use crate::EventGraph;
use crate::causality::Lv;

/// The edits of one text and its value at the tip, over an event graph that is someone
/// else's: a [`Text`](super::Text)'s, or a document's, in which many texts have their events.
///
/// Edits are known by local versions of that graph. Local edits change the text at once and
/// stay revocable until [`keep`](Self::keep); edits of others are staged, which changes
/// nothing that can be read, and then committed or rolled back.
///
/// Costs: a local edit O(log n); an edit of others O(log n) where it is concurrent to
/// nothing in this text, else O(log n) for each run between its version and the one
/// before, and now and then the edits since the newest critical version at once.
#[derive(Clone, Default, Debug)]
pub struct TextStore {
    log: OpLog,
    rope: Rope,
    merge: Merge,
    /// The first local version of what may still be rolled back.
    revocable: Option<Lv>,
    /// How to take local edits back, in the order they were made.
    undo: Vec<Undo>,
    /// The text that they deleted.
    undo_text: String,
}

/// The inverse of a local edit of the rope.
#[derive(Clone, Debug)]
struct Undo {
    at: u32,
    remove: u32,
    /// Where the text to put back begins; it goes on to where that of the next edit begins.
    text: usize,
}

/// So much room for deleted text stays for the next edit.
const UNDO_TEXT_KEPT: usize = 4096;

impl TextStore {
    /// An empty text.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The text at the tip.
    #[must_use]
    pub fn rope(&self) -> &Rope {
        &self.rope
    }

    /// How many code points the text has.
    #[must_use]
    pub fn len_chars(&self) -> u32 {
        self.rope.len_chars()
    }

    /// Whether the text has no code point.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rope.is_empty()
    }

    /// The code point that begins at a UTF-16 offset.
    ///
    /// # Errors
    ///
    /// [`TextError`] beyond the end or between the halves of a surrogate pair.
    pub fn utf16_to_char(&self, at: u32) -> Result<u32, TextError> {
        self.rope.utf16_to_char(at).map_err(|misplaced| match misplaced {
            Misplaced::BeyondEnd => {
                TextError::OutOfBounds { position: at, length: self.rope.len_utf16() }
            }
            Misplaced::InsideCodePoint => TextError::InsideCodePoint { position: at },
        })
    }

    /// The code point that begins at a UTF-8 offset.
    ///
    /// # Errors
    ///
    /// [`TextError`] beyond the end or inside of a code point.
    pub fn byte_to_char(&self, at: u32) -> Result<u32, TextError> {
        self.rope.byte_to_char(at).map_err(|misplaced| match misplaced {
            Misplaced::BeyondEnd => {
                TextError::OutOfBounds { position: at, length: self.rope.len_bytes() }
            }
            Misplaced::InsideCodePoint => TextError::InsideCodePoint { position: at },
        })
    }

    /// Inserts `content` at code point `at`. Its events, one for each code point, have the
    /// local versions from `lv` on and everything known in their past. Returns how many.
    ///
    /// # Errors
    ///
    /// [`TextError`]; nothing is changed.
    pub fn insert(&mut self, lv: Lv, at: u32, content: &str) -> Result<u32, TextError> {
        self.check_bounds(at, 0)?;
        if content.is_empty() {
            return Ok(0);
        }
        let run = self.log_local(lv, &TextOp::Insert { at, content })?;
        self.rope.insert(at, content);
        self.undo.push(Undo { at, remove: run.len, text: self.undo_text.len() });
        Ok(run.len)
    }

    /// Deletes `len` code points from `at` on, with as many events from `lv` on that have
    /// everything known in their past. Returns how many.
    ///
    /// # Errors
    ///
    /// [`TextError`]; nothing is changed.
    pub fn delete(&mut self, lv: Lv, at: u32, len: u32) -> Result<u32, TextError> {
        self.edit(lv, &TextOp::Delete { at, len, forward: true })
    }

    /// Deletes all that is visible, by the one event `lv`, which has everything known in
    /// its past. Returns how many code points that were.
    ///
    /// # Errors
    ///
    /// [`TextError::TooLong`]; nothing is changed.
    pub fn clear(&mut self, lv: Lv) -> Result<u32, TextError> {
        self.edit(lv, &TextOp::Clear { len: 1 })
    }

    /// Applies a local edit, whose events have the local versions from `lv` on and everything
    /// known in their past. Returns how many code points it inserts or deletes.
    ///
    /// # Errors
    ///
    /// [`TextError`]; nothing is changed.
    pub fn edit(&mut self, lv: Lv, op: &TextOp<'_>) -> Result<u32, TextError> {
        let (at, len) = match *op {
            TextOp::Insert { at, content } => {
                return self.insert(lv, at, content);
            }
            TextOp::Delete { at, len, .. } => (at, len),
            TextOp::Clear { len } => (0, if len == 0 { 0 } else { self.rope.len_chars() }),
        };
        self.check_bounds(at, len)?;
        if op.events() == 0 {
            return Ok(0);
        }
        self.log_local(lv, op)?;
        self.cut(at, len);
        Ok(len)
    }

    fn cut(&mut self, at: u32, len: u32) {
        self.undo.push(Undo { at, remove: 0, text: self.undo_text.len() });
        self.rope.slice_into(at, len, &mut self.undo_text);
        self.rope.remove(at, len);
    }

    pub(super) fn check_bounds(&self, at: u32, len: u32) -> Result<(), TextError> {
        let length = self.rope.len_chars();
        let end = at.saturating_add(len);
        if end > length {
            return Err(TextError::OutOfBounds { position: end, length });
        }
        Ok(())
    }

    fn log_local(&mut self, lv: Lv, op: &TextOp<'_>) -> Result<Run, TextError> {
        debug_assert_eq!(self.merge.length(), self.rope.len_chars(), "what is staged is settled");
        let run = Run::of(op).map_err(|_| TextError::TooLong)?;
        self.begin(lv);
        self.log.push(lv, op).map_err(|_| TextError::TooLong)?;
        self.merge.arrive_local(&self.log, lv, run);
        Ok(run)
    }

    fn begin(&mut self, lv: Lv) {
        if self.revocable.is_none() {
            self.revocable = Some(lv);
            self.merge.begin();
        }
    }

    /// Makes room for edits that are about to be staged.
    pub(super) fn reserve(&mut self, ops: &OpRuns) {
        self.log.reserve(ops.runs(), ops.text_bytes());
    }

    /// Logs edits of others and finds what they change, without changing the text yet.
    ///
    /// Each operation comes with the local version of its first event; they come in
    /// ascending order, and all are in `graph` already. Finish with
    /// [`commit`](Self::commit) or [`roll_back`](Self::roll_back).
    ///
    /// # Errors
    ///
    /// The first edit that cannot be applied at its own version. Everything that was
    /// revocable is rolled back.
    pub fn stage<'a>(
        &mut self,
        graph: &EventGraph,
        ops: impl IntoIterator<Item = (Lv, TextOp<'a>)>,
    ) -> Result<Vec<PatchRun>, (Lv, InvalidTextOp)> {
        let mut patches = Vec::new();
        let mut range: Option<Range<Lv>> = None;
        let mut refused = None;
        for (lv, op) in ops {
            self.begin(lv);
            match self.log.push(lv, &op) {
                Ok(len) => range = Some(range.map_or(lv, |range| range.start)..lv + len),
                Err(error) => {
                    refused = Some((lv, error));
                    break;
                }
            }
        }
        if let (None, Some(range)) = (refused, range) {
            let history = History { graph, log: &self.log, parts: EVERYTHING };
            // Nearly always a patch for each run of edits, or fewer.
            patches.reserve_exact(self.log.positioned_runs(range.clone()));
            let mut sink = PatchSink::new(&mut patches);
            refused = self.merge.advance(&history, range, &mut sink).err();
        }
        if let Some(refused) = refused {
            self.roll_back();
            return Err(refused);
        }
        Ok(patches)
    }

    /// Applies what was staged to the text. Patches may be committed a few at a time, in
    /// their order; the next edit comes after the last of them.
    ///
    /// # Panics
    ///
    /// If a patch does not fit the text, and so was not staged for it.
    pub fn commit(&mut self, patches: &[PatchRun]) {
        for patch in patches {
            self.apply(patch);
        }
        self.keep();
    }

    /// As [`commit`](Self::commit), and returns the patches with their text and with UTF-16
    /// positions, in the order they apply.
    pub fn commit_patches(&mut self, patches: &[PatchRun]) -> Vec<TextPatch> {
        let applied = patches.iter().map(|patch| {
            let utf16 = |at| self.rope.char_to_utf16(at).expect("a staged patch fits the text");
            let at_utf16 = utf16(patch.at);
            let full = TextPatch {
                at: patch.at,
                deleted: patch.deleted,
                inserted: self.log.text(patch.text()).into(),
                at_utf16,
                deleted_utf16: utf16(patch.at + patch.deleted) - at_utf16,
            };
            self.apply(patch);
            full
        });
        let applied = applied.collect();
        self.keep();
        applied
    }

    fn apply(&mut self, patch: &PatchRun) {
        if patch.deleted > 0 {
            self.rope.remove(patch.at, patch.deleted);
        }
        if patch.inserted > 0 {
            self.rope.insert(patch.at, self.log.text(patch.text()));
        }
    }

    /// Makes local edits lasting: what was done so far is no longer revocable.
    pub fn keep(&mut self) {
        self.revocable = None;
        self.undo.clear();
        self.undo_text.clear();
        self.undo_text.shrink_to(UNDO_TEXT_KEPT);
        self.merge.keep();
    }

    /// Forgets everything since the last [`keep`](Self::keep) or commit, staged or local.
    /// Does nothing if there is nothing to forget.
    pub fn roll_back(&mut self) {
        let Some(lv) = self.revocable.take() else { return };
        self.log.truncate(lv);
        self.merge.roll_back();
        for undo in self.undo.drain(..).rev() {
            self.rope.remove(undo.at, undo.remove);
            self.rope.insert(undo.at, &self.undo_text[undo.text..]);
            self.undo_text.truncate(undo.text);
        }
    }

    /// The edits in a range of local versions, cut at its bounds, each with the local
    /// version of its first event.
    pub fn ops(&self, range: Range<Lv>) -> impl Iterator<Item = (Lv, TextOp<'_>)> + '_ {
        self.log.pieces(range).map(|piece| (piece.lv, self.log.op(&piece)))
    }

    /// The text as it was at a version: a replay of the edits in it, O(their number).
    #[must_use]
    pub fn text_at(&self, graph: &EventGraph, version: &[Lv]) -> Rope {
        let (_, parts) = graph.diff(&[], version);
        let (mut rope, mut merge, mut patches) = (Rope::new(), Merge::default(), Vec::new());
        let history = History { graph, log: &self.log, parts: &parts };
        for part in &parts {
            let mut sink = PatchSink::new(&mut patches);
            let advanced = merge.advance(&history, part.clone(), &mut sink);
            advanced.expect("an edit that was applied once is valid");
            for patch in patches.drain(..) {
                if patch.deleted > 0 {
                    rope.remove(patch.at, patch.deleted);
                }
                rope.insert(patch.at, self.log.text(patch.text()));
            }
        }
        rope
    }

    pub(super) fn history<'a>(
        &'a self,
        graph: &'a EventGraph,
        parts: &'a [Range<Lv>],
    ) -> History<'a> {
        History { graph, log: &self.log, parts }
    }

    pub(super) fn merge_state(&self) -> &Merge {
        &self.merge
    }

    /// Panics when the structure is broken.
    pub fn check_invariants(&self) {
        self.log.check_invariants();
        self.rope.check_invariants();
        self.merge.check_invariants();
        if self.revocable.is_none() {
            assert_eq!(self.merge.length(), self.rope.len_chars());
        }
    }
}

impl fmt::Display for TextStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.rope.fmt(f)
    }
}
