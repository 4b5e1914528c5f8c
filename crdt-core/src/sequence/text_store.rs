//! A text without a causal context: what a document keeps for each of its texts.

use alloc::boxed::Box;
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
use super::run::{EVENTS_MAX, Run, RunKind, TextOp};
use crate::EventGraph;
use crate::causality::Lv;
use crate::codec::{DecodeError, Reader};

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
    /// The text that all edits have in their past, where older ones were trimmed.
    base: Option<Box<Base>>,
}

/// A text that a history begins with.
#[derive(Clone, Debug)]
struct Base {
    text: Box<str>,
    /// The event that stands for it.
    lv: Lv,
}

/// The inverse of a local edit of the rope.
#[derive(Clone, Debug)]
struct Undo {
    at: u32,
    remove: u32,
    /// Where the text to put back begins; it goes on to where that of the next edit begins.
    text: usize,
}

/// So many events of a history that is merged into an empty text are staged at a time.
const STAGED_AT_ONCE: u32 = if cfg!(test) { 5 } else { 1024 };

/// So much room for deleted text stays for the next edit.
const UNDO_TEXT_KEPT: usize = 4096;

impl TextStore {
    /// An empty text.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A text whose older edits were trimmed from the graph: it is `text` at its
    /// [`Base`](crate::causality::Base).
    ///
    /// # Panics
    ///
    /// If the graph has no base, or there is no room for the text.
    #[must_use]
    pub fn with_base(graph: &EventGraph, text: &str) -> Self {
        let lv = graph.first().checked_sub(1).expect("the graph begins with a base");
        assert!(text.len() <= EVENTS_MAX as usize, "a text has an event for each code point");
        if text.is_empty() {
            return Self::new();
        }
        let base = Base { text: text.into(), lv };
        let (rope, merge) = base.begin();
        Self { rope, merge, base: Some(Box::new(base)), ..Self::default() }
    }

    /// The text that all edits have in their past: nothing, where none were trimmed.
    #[must_use]
    pub fn base_text(&self) -> &str {
        self.base.as_ref().map_or("", |base| &base.text)
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
        self.edit(lv, &TextOp::Insert { at, content })
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
        let (at, gone) = match *op {
            TextOp::Insert { at, .. } => (at, 0),
            TextOp::Delete { at, len, .. } => (at, len),
            TextOp::Clear { len } => (0, if len == 0 { 0 } else { self.rope.len_chars() }),
        };
        self.check_bounds(at, gone)?;
        let run = match Run::of(op) {
            Ok(run) => run,
            Err(InvalidTextOp::Empty) => return Ok(0),
            Err(_) => return Err(TextError::TooLong),
        };
        let content = op.content();
        if !self.has_room(lv, run.len, content.len()) {
            return Err(TextError::TooLong);
        }
        self.begin(lv);
        let come = if run.kind == RunKind::Insert { run.len } else { 0 };
        self.undo.push(Undo { at, remove: come, text: self.undo_text.len() });
        self.rope.slice_into(at, gone, &mut self.undo_text);
        self.write(lv, run, content);
        Ok(come + gone)
    }

    /// Deletes code points, then inserts a text there with its number of them, for good: what
    /// an edit does that has everything known in its past, is in bounds, and has room.
    pub(super) fn splice(&mut self, lv: Lv, at: u32, deleted: u32, (content, chars): (&str, u32)) {
        debug_assert!(self.revocable.is_none(), "what was done before is lasting");
        if deleted > 0 {
            let kind = RunKind::DeleteForward;
            self.write(lv, Run { kind, at, len: deleted }, "");
        }
        if chars > 0 {
            let kind = RunKind::Insert;
            self.write(lv + deleted, Run { kind, at, len: chars }, content);
        }
    }

    /// Applies an edit with everything known in its past, which is in bounds and has room.
    pub(super) fn write(&mut self, lv: Lv, run: Run, content: &str) {
        debug_assert_eq!(self.merge.length(), self.rope.len_chars(), "what is staged is settled");
        self.log.push_run(lv, run, content);
        self.merge.arrive_local(&self.log, lv, run);
        change(&mut self.rope, run, content);
    }

    pub(super) fn check_bounds(&self, at: u32, len: u32) -> Result<(), TextError> {
        let length = self.rope.len_chars();
        let end = at.saturating_add(len);
        if end > length {
            return Err(TextError::OutOfBounds { position: end, length });
        }
        Ok(())
    }

    /// Whether there is room for so many events from `lv` on, with so many bytes of text.
    pub(super) fn has_room(&self, lv: Lv, events: u32, bytes: usize) -> bool {
        self.log.has_room(lv.checked_add(events), bytes)
    }

    fn begin(&mut self, lv: Lv) {
        if self.revocable.is_none() {
            self.revocable = Some(lv);
            self.merge.begin();
        }
    }

    /// Makes room for edits that are about to be logged.
    pub(super) fn reserve(&mut self, ops: &OpRuns) {
        self.log.reserve(ops.runs(), ops.text_bytes());
    }

    /// Logs an edit of others, and no more: the next is [`stage_logged`](Self::stage_logged) or
    /// [`apply_in_line`](Self::apply_in_line), or it is rolled back. Returns its events' number.
    pub(super) fn log_other(&mut self, lv: Lv, op: &TextOp<'_>) -> Result<u32, InvalidTextOp> {
        self.begin(lv);
        self.log.push(lv, op)
    }

    /// Logs events of a stream of edits of others, and no more; see
    /// [`log_other`](Self::log_other).
    pub(super) fn log_others(
        &mut self,
        ops: &OpRuns,
        events: Range<u32>,
        lv: Lv,
    ) -> Result<(), InvalidTextOp> {
        self.begin(lv);
        ops.copy_to(&mut self.log, events, lv)
    }

    /// Logs an encoded stream of so many events of others, the first of which is `lv`, and no
    /// more; see [`log_other`](Self::log_other).
    ///
    /// # Errors
    ///
    /// Whatever is wrong with the bytes, or that there is no room; then it has to be rolled back.
    pub(super) fn log_encoded(
        &mut self,
        events: u32,
        lv: Lv,
        input: &mut Reader<'_>,
    ) -> Result<(), DecodeError> {
        self.begin(lv);
        self.log.read(events, lv, input)
    }

    /// Applies edits that were logged, each of which has everything before it in its past, for
    /// good; or none of them, if one does not fit the text.
    pub(super) fn apply_in_line(&mut self, range: Range<Lv>) -> bool {
        let mut length = self.rope.len_chars();
        let fit = self.log.runs_in(range.clone()).all(|(_, run)| {
            let Some(after) = run.length_after(length) else { return false };
            length = after;
            true
        });
        if fit {
            let Self { log, rope, merge, .. } = self;
            for piece in log.pieces(range) {
                merge.arrive_local(log, piece.lv, piece.run);
                change(rope, piece.run, log.text(piece.text));
            }
            self.keep();
        }
        fit
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
        let mut range: Option<Range<Lv>> = None;
        for (lv, op) in ops {
            match self.log_other(lv, &op) {
                Ok(len) => range = Some(range.map_or(lv, |range| range.start)..lv + len),
                Err(error) => {
                    self.roll_back();
                    return Err((lv, error));
                }
            }
        }
        self.stage_logged(graph, range.unwrap_or(0..0))
    }

    /// Finds what edits change that were logged; see [`stage`](Self::stage).
    pub(super) fn stage_logged(
        &mut self,
        graph: &EventGraph,
        range: Range<Lv>,
    ) -> Result<Vec<PatchRun>, (Lv, InvalidTextOp)> {
        // Nearly always a patch for each run of edits, or fewer.
        let mut patches = Vec::with_capacity(self.log.positioned_runs(range.clone()));
        let history = History { graph, log: &self.log, parts: EVERYTHING };
        let advanced = self.merge.advance(&history, range, &mut PatchSink::new(&mut patches));
        if let Err(refused) = advanced {
            self.roll_back();
            return Err(refused);
        }
        Ok(patches)
    }

    /// Merges edits that were logged into an empty text, for good. No more than a few are staged at
    /// a time, as all of them would take more memory than the history.
    ///
    /// # Errors
    ///
    /// The first edit that cannot be applied at its own version. The text is still empty; what was
    /// logged has to be rolled back.
    pub(super) fn fill(
        &mut self,
        graph: &EventGraph,
        range: Range<Lv>,
    ) -> Result<(), (Lv, InvalidTextOp)> {
        debug_assert!(self.rope.is_empty(), "what comes is all that there is");
        let mut patches = Vec::new();
        let mut from = range.start;
        while from < range.end {
            let to = range.end.min(from.saturating_add(STAGED_AT_ONCE));
            let history = History { graph, log: &self.log, parts: EVERYTHING };
            let mut sink = PatchSink::new(&mut patches);
            if let Err(refused) = self.merge.advance(&history, from..to, &mut sink) {
                self.rope = Rope::new();
                return Err(refused);
            }
            patches.iter().for_each(|patch| self.apply(patch));
            patches.clear();
            from = to;
        }
        self.keep();
        Ok(())
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

    /// The text as it was at a version, by a replay of the edits in it.
    pub(super) fn replay(&self, graph: &EventGraph, version: &[Lv]) -> Rope {
        let (_, parts) = graph.diff(&[], version);
        let (mut rope, mut merge) = self.base.as_ref().map(|base| base.begin()).unwrap_or_default();
        let mut patches = Vec::new();
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

    /// A text whose history is elsewhere: the next event has local version `lv`.
    pub(super) fn loaded(rope: Rope, lv: Lv) -> Self {
        let merge = Merge::resumed(lv.checked_sub(1), rope.len_chars());
        Self { rope, merge, ..Self::default() }
    }

    /// Takes over the edits that led to the text, all of them, and the text that they begin with.
    pub(super) fn set_history(
        &mut self,
        graph: &EventGraph,
        (base, log, merge): (&str, OpLog, Merge),
    ) {
        debug_assert_eq!(merge.length(), self.rope.len_chars());
        (self.log, self.merge) = (log, merge);
        self.base = if base.is_empty() { None } else { Self::with_base(graph, base).base };
    }

    pub(super) fn log(&self) -> &OpLog {
        &self.log
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

impl Base {
    /// The text, and the state in which its edits can be merged.
    fn begin(&self) -> (Rope, Merge) {
        let rope = Rope::from(&*self.text);
        let merge = Merge::of_base(self.lv, rope.len_chars());
        (rope, merge)
    }
}

/// Does to a text what a run does whose version is the text's.
fn change(rope: &mut Rope, run: Run, content: &str) {
    match run.kind {
        RunKind::Insert => rope.insert(run.at, content),
        RunKind::DeleteForward | RunKind::DeleteBackward => rope.remove(run.at, run.len),
        RunKind::Clear => rope.remove(0, rope.len_chars()),
    }
}

impl fmt::Display for TextStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.rope.fmt(f)
    }
}
