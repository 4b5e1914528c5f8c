//! From edits at their own versions to patches of the text at the tip.
//!
//! An edit that has all others of its text in its past is already a patch. For the rest
//! there is a [`Window`], or where that would be too wide a [`Walker`]. Both are kept from one
//! merge to the next: they begin at the newest critical edit, are fed what they missed, and go
//! when they have been idle long enough that a new one would cost no more than what was saved.

use alloc::boxed::Box;
use core::ops::Range;

use super::critical::CriticalEdits;
use super::error::InvalidTextOp;
use super::log::{OpLog, Piece};
use super::patch::{PatchRun, PatchSink};
use super::run::{Run, RunKind};
use super::steps::step;
use super::walker::{TipEdit, Walker};
use super::window::{Refusal, Window};
use crate::EventGraph;
use crate::causality::{Chain, ChainCursor, Lv};

/// A walker is made anew when it has grown by this many edits and to twice its size.
const GROWN: usize = if cfg!(test) { 3 } else { 64 };

/// So many edits after the last concurrent one, edits go past the window.
const QUIET: u32 = if cfg!(test) { 4 } else { 64 };

/// The window goes when this many edits went past it.
const IDLE_MAX: u32 = if cfg!(test) { 8 } else { 1024 };

/// The state of merging: what was applied last, and what is concurrent to it.
#[derive(Clone, Default, Debug)]
pub(super) struct Merge {
    last: Last,
    critical: CriticalEdits,
    concurrent: Concurrent,
    /// What [`roll_back`](Self::roll_back) goes back to.
    before: Option<Last>,
}

/// The part of the state that is small enough to copy.
#[derive(Clone, Copy, Default, Debug)]
struct Last {
    /// The edit applied last.
    lv: Option<Lv>,
    /// Whether edits are concurrent to it; else it has all others in its past.
    is_concurrent: bool,
    /// The text's length at the tip.
    length: u32,
}

/// What is kept for edits that are concurrent to others.
#[derive(Clone, Default, Debug)]
enum Concurrent {
    #[default]
    Nothing,
    Window {
        window: Box<Window>,
        /// How many edits went past it since it was fed.
        idle: u32,
    },
    Walker(Kept),
}

/// A walker with what it covers.
#[derive(Clone, Debug)]
struct Kept {
    walker: Box<Walker>,
    /// It was made for edits from here on.
    start: Lv,
    /// How much it was fed when it was made.
    fed_at_first: usize,
}

/// The parts of a history that has everything.
pub(super) const EVERYTHING: &[Range<Lv>] = core::slice::from_ref(&(0..Lv::MAX));

/// The events that are merged: a causally closed part of a graph, and a text's log.
#[derive(Clone, Copy)]
pub(super) struct History<'a> {
    pub(super) graph: &'a EventGraph,
    pub(super) log: &'a OpLog,
    /// Which local versions belong to it, ascending.
    pub(super) parts: &'a [Range<Lv>],
}

impl Merge {
    /// After edits that are not known here, of which `lv` is the last and has all others in its
    /// past as far as those are concerned that follow.
    pub(super) fn resumed(lv: Option<Lv>, length: u32) -> Self {
        Self { last: Last { lv, is_concurrent: false, length }, ..Self::default() }
    }

    /// After a text of that length, which all edits have in their past; `lv` stands for it.
    pub(super) fn of_base(lv: Lv, length: u32) -> Self {
        let last = Last { lv: Some(lv), is_concurrent: false, length };
        Self { last, critical: CriticalEdits::of_base(lv, length), ..Self::default() }
    }

    /// The text's length at the tip.
    pub(super) fn length(&self) -> u32 {
        self.last.length
    }

    /// Applies the edits of `range`, which come after all that were applied before.
    ///
    /// # Errors
    ///
    /// The first edit that cannot be applied at its own version, by its event.
    pub(super) fn advance(
        &mut self,
        history: &History<'_>,
        range: Range<Lv>,
        patches: &mut PatchSink<'_>,
    ) -> Result<(), (Lv, InvalidTextOp)> {
        let mut cursor = ChainCursor::new(history.graph);
        for piece in history.log.pieces(range) {
            let (end, mut rest) = (lvs_of(&piece).end, piece);
            while rest.lv < end {
                let chain = cursor.chain(rest.lv, end);
                let len = chain.lvs.end - rest.lv;
                let is_last = chain.lvs.end == end;
                let now = rest.split_off_first(history.log, len);
                patches.chain(&chain);
                self.apply(history, &now, &chain, patches).map_err(|error| (now.lv, error))?;
                if is_last {
                    break;
                }
            }
        }
        Ok(())
    }

    fn apply(
        &mut self,
        history: &History<'_>,
        piece: &Piece,
        chain: &Chain<'_>,
        patches: &mut PatchSink<'_>,
    ) -> Result<(), InvalidTextOp> {
        step();
        if self.goes_on(history, chain) {
            return self.apply_linear(history, piece, patches);
        }
        match &self.concurrent {
            Concurrent::Walker(_) => return self.apply_by_walker(history, piece, chain, patches),
            Concurrent::Window { .. } => {}
            Concurrent::Nothing => {
                self.depart(history, chain.parents());
                self.make_window(piece.lv);
            }
        }
        self.apply_by_window(history, piece, chain, patches)
    }

    /// Whether an edit at the beginning of `chain` is best applied to the tip, which it has in its
    /// past.
    fn goes_on(&self, history: &History<'_>, chain: &Chain<'_>) -> bool {
        let Some(last) = self.last.lv else { return true };
        if self.last.is_concurrent {
            return false;
        }
        match &self.concurrent {
            Concurrent::Nothing | Concurrent::Walker(_) => {
                chain.goes_on_from(last) || history.graph.contains(chain.parents(), last)
            }
            // Before long there will be something concurrent again.
            Concurrent::Window { idle, .. } => *idle > QUIET && chain.goes_on_from(last),
        }
    }

    /// Applies an edit that has all others in its past.
    fn apply_linear(
        &mut self,
        history: &History<'_>,
        piece: &Piece,
        patches: &mut PatchSink<'_>,
    ) -> Result<(), InvalidTextOp> {
        let patch = linear_patch(piece, self.last.length)?;
        patches.push(patch);
        self.arrive_linear(history.log, lvs_of(piece), piece.run, patch.deleted);
        Ok(())
    }

    /// Applies an edit by the window that there is.
    fn apply_by_window(
        &mut self,
        history: &History<'_>,
        piece: &Piece,
        chain: &Chain<'_>,
        patches: &mut PatchSink<'_>,
    ) -> Result<(), InvalidTextOp> {
        let Concurrent::Window { window, idle } = &mut self.concurrent else {
            unreachable!("there is a window")
        };
        let mut length = self.last.length;
        let applied = window.apply(history, piece.run, chain, &mut |edit| {
            push_patch(piece, edit, &mut length, patches);
        });
        let unseen = match applied {
            Ok(unseen) => unseen,
            Err(Refusal::Invalid(error)) => return Err(error),
            Err(Refusal::TooWide) => {
                self.make_walker(history, piece.lv, chain.parents());
                return self.feed_walker(history, piece, chain, patches);
            }
        };
        if let Some(first) = unseen {
            *idle = 0;
            self.critical.forget_from(first);
        } else {
            *idle += piece.run.len;
            self.critical.push(lvs_of(piece), piece.run.kind, self.last.length);
        }
        let lv = Some(piece.lv + piece.run.len - 1);
        self.last = Last { lv, is_concurrent: unseen.is_some(), length };
        Ok(())
    }

    /// Applies an edit by the walker that there is, or by a window where that is the less work.
    fn apply_by_walker(
        &mut self,
        history: &History<'_>,
        piece: &Piece,
        chain: &Chain<'_>,
        patches: &mut PatchSink<'_>,
    ) -> Result<(), InvalidTextOp> {
        let Concurrent::Walker(kept) = &mut self.concurrent else {
            unreachable!("there is a walker")
        };
        kept.walker.feed_again(history, kept.walker.end()..piece.lv);
        let way = kept.walker.way_to(history, chain.parents());
        if kept.walker.unseen_after(history.log, &way) == 0 {
            return self.apply_linear(history, piece, patches);
        }
        if let Some(first) = first_edit(history.log, &way.retreat) {
            self.critical.forget_from(first);
        }
        // What has all others in its past, and was fed while the walker stood elsewhere.
        let unknown = kept.walker.unknown_from(&way);
        if let Some((newest, _)) = self.critical.last_before(piece.lv)
            && newest >= unknown
            && (way.advance.is_empty() || !history.graph.contains(chain.parents(), newest))
        {
            self.critical.forget_from(unknown);
        }
        let base = self.critical.last_before(piece.lv);
        let start = base.map_or(0, |(critical, _)| critical + 1);
        let all = kept.walker.fed();
        let fresh = edits_between(history.log, start, piece.lv);
        // What is much smaller is worth its price once this one has doubled.
        let shrinks = fresh < all / 4 && all > 2 * kept.fed_at_first + GROWN;
        if kept.start > start || shrinks {
            self.make_window(piece.lv);
            return self.apply_by_window(history, piece, chain, patches);
        }
        kept.walker.go(history, &way, chain.parents());
        self.feed_walker(history, piece, chain, patches)
    }

    /// Feeds an edit to the walker, which has been fed all before.
    fn feed_walker(
        &mut self,
        history: &History<'_>,
        piece: &Piece,
        chain: &Chain<'_>,
        patches: &mut PatchSink<'_>,
    ) -> Result<(), InvalidTextOp> {
        let Concurrent::Walker(kept) = &mut self.concurrent else {
            unreachable!("there is a walker")
        };
        let mut length = self.last.length;
        kept.walker.feed(history, (piece.lv, piece.run), chain.parents(), &mut |edit| {
            push_patch(piece, edit, &mut length, patches);
        })?;
        let lvs = lvs_of(piece);
        let unseen = kept.walker.unseen();
        if unseen == 0 {
            self.critical.push(lvs.clone(), piece.run.kind, self.last.length);
        }
        self.last = Last { lv: Some(lvs.end - 1), is_concurrent: unseen > 0, length };
        debug_assert_eq!(kept.walker.tip_length(), length);
        Ok(())
    }

    /// Forgets the critical edits that are not in the past of `parents`.
    fn depart(&mut self, history: &History<'_>, parents: &[Lv]) {
        let (retreat, _) = history.graph.diff(self.last.lv.as_slice(), parents);
        // The newest edit has every critical one in its past, so one that is not in the past
        // of `parents` is among those that lie between the two.
        if let Some(first) = first_edit(history.log, &retreat) {
            self.critical.forget_from(first);
        }
    }

    /// The newest critical edit before `lv`, and the text's length after it.
    fn base_for(&self, lv: Lv) -> (Option<Lv>, u32) {
        match self.critical.last_before(lv) {
            Some((critical, length)) => (Some(critical), length),
            None => (None, 0),
        }
    }

    /// Makes a window for edits from `lv` on.
    fn make_window(&mut self, lv: Lv) {
        let (critical, length) = self.base_for(lv);
        let window = Box::new(Window::new(critical, length));
        self.concurrent = Concurrent::Window { window, idle: 0 };
    }

    /// Makes a walker that has been fed all edits before `lv` and stands at `parents`.
    fn make_walker(&mut self, history: &History<'_>, lv: Lv, parents: &[Lv]) {
        self.depart(history, parents);
        let (critical, length) = self.base_for(lv);
        let start = critical.map_or(0, |critical| critical + 1);
        let mut walker = Box::new(Walker::new(critical, length));
        walker.feed_again(history, start..lv);
        walker.go_to(history, parents);
        let fed_at_first = walker.fed();
        self.concurrent = Concurrent::Walker(Kept { walker, start, fed_at_first });
    }

    /// An edit with all others in its past was applied.
    fn arrive_linear(&mut self, log: &OpLog, lvs: Range<Lv>, run: Run, deleted: u32) {
        let (before, end) = (self.last.length, lvs.end);
        let length = match run.kind {
            RunKind::Insert => before + run.len,
            _ => before - deleted,
        };
        self.last = Last { lv: Some(end - 1), is_concurrent: false, length };
        self.critical.push(lvs, run.kind, before);
        let is_idle = match &mut self.concurrent {
            Concurrent::Nothing => false,
            Concurrent::Window { idle, .. } => {
                *idle += run.len;
                *idle > IDLE_MAX
            }
            Concurrent::Walker(kept) => {
                edits_between(log, kept.walker.end(), end) > 2 * kept.walker.fed() + GROWN
            }
        };
        if is_idle {
            self.concurrent = Concurrent::Nothing;
        }
    }

    /// Applies a local edit, which has everything in its past and was found to be in bounds.
    pub(super) fn arrive_local(&mut self, log: &OpLog, lv: Lv, run: Run) {
        let deleted = match run.kind {
            RunKind::Insert => 0,
            RunKind::Clear => self.last.length,
            _ => run.len,
        };
        self.arrive_linear(log, lv..lv + run.len, run, deleted);
    }

    /// From here on, [`roll_back`](Self::roll_back) is possible.
    pub(super) fn begin(&mut self) {
        self.before = Some(self.last);
        self.critical.open_journal();
    }

    /// What was applied stays.
    pub(super) fn keep(&mut self) {
        self.before = None;
        self.critical.close_journal();
    }

    /// Forgets what was applied since [`begin`](Self::begin), and the window or walker.
    pub(super) fn roll_back(&mut self) {
        if let Some(before) = self.before.take() {
            self.last = before;
            self.critical.roll_back();
            self.concurrent = Concurrent::Nothing;
        }
    }

    /// The newest critical edit before `lv`, and the text's length after it.
    pub(super) fn critical_before(&self, lv: Lv) -> Option<(Lv, u32)> {
        self.critical.last_before(lv)
    }

    /// Panics when the structure is broken.
    pub(super) fn check_invariants(&self) {
        match &self.concurrent {
            Concurrent::Nothing => {}
            Concurrent::Window { window, .. } => {
                window.check_invariants();
                if window.end() == self.last.lv.map_or(0, |last| last + 1) {
                    assert_eq!(window.tip_length(), self.last.length);
                }
            }
            Concurrent::Walker(kept) => kept.walker.check_invariants(),
        }
    }
}

fn lvs_of(piece: &Piece) -> Range<Lv> {
    piece.lv..piece.lv + piece.run.len
}

/// What an edit does at the tip, as a patch.
fn push_patch(piece: &Piece, edit: TipEdit, length: &mut u32, patches: &mut PatchSink<'_>) {
    match edit {
        TipEdit::Insert { at } => {
            *length += piece.run.len;
            patches.push(PatchRun::insert(piece, at));
        }
        TipEdit::Delete { at, len } => {
            *length -= len;
            patches.push(PatchRun::delete(piece.lv, at, len));
        }
    }
}

/// The first edit in ascending ranges.
pub(super) fn first_edit(log: &OpLog, ranges: &[Range<Lv>]) -> Option<Lv> {
    ranges.iter().find_map(|range| log.runs_in(range.clone()).next()).map(|(lv, _)| lv)
}

/// How many runs of edits lie from `from` to `to`.
fn edits_between(log: &OpLog, from: Lv, to: Lv) -> usize {
    log.run_at(to).saturating_sub(log.run_at(from))
}

/// The patch of an edit whose version is the tip.
fn linear_patch(piece: &Piece, length: u32) -> Result<PatchRun, InvalidTextOp> {
    let Run { kind, at, len } = piece.run;
    let end = match kind {
        RunKind::Insert => at,
        RunKind::DeleteForward | RunKind::DeleteBackward => at + len,
        RunKind::Clear => 0,
    };
    if end > length {
        return Err(InvalidTextOp::BeyondEnd { end, length });
    }
    Ok(match kind {
        RunKind::Insert => PatchRun::insert(piece, at),
        RunKind::Clear => PatchRun::delete(piece.lv, 0, length),
        RunKind::DeleteForward | RunKind::DeleteBackward => PatchRun::delete(piece.lv, at, len),
    })
}
