//! From edits at their own versions to patches of the text at the tip.
//!
//! An edit that has all others of its text in its past is already a patch. For the rest
//! there is a [`Walker`], which is kept from one merge to the next: it begins at the newest
//! critical edit, is fed what it missed, and goes when it has been idle long enough that a
//! new one would cost no more than what was saved.

use alloc::boxed::Box;
use core::ops::Range;

use smallvec::SmallVec;

use super::critical::CriticalEdits;
use super::error::InvalidTextOp;
use super::log::{OpLog, Piece};
use super::patch::{PatchRun, PatchSink};
use super::run::{Run, RunKind};
use super::walker::{TipEdit, Walker, Way};
use crate::EventGraph;
use crate::causality::Lv;

/// A walker is made anew when it has grown by this many edits and to twice its size.
const GROWN: usize = if cfg!(test) { 3 } else { 64 };

/// The state of merging: what was applied last, and what is concurrent to it.
#[derive(Clone, Default, Debug)]
pub(super) struct Merge {
    last: Last,
    critical: CriticalEdits,
    walker: Option<Kept>,
    /// What [`roll_back`](Self::roll_back) goes back to.
    before: Option<Last>,
}

/// The part of the state that is small enough to copy.
#[derive(Clone, Copy, Default, Debug)]
struct Last {
    /// The edit applied last.
    lv: Option<Lv>,
    /// How many edits are concurrent to it. At zero it has all others in its past.
    unseen: u32,
    /// The text's length at the tip.
    length: u32,
}

/// A walker with what it covers.
#[derive(Clone, Debug)]
struct Kept {
    walker: Box<Walker>,
    /// It was made for edits from here on.
    start: Lv,
    /// It has been fed all edits before this one.
    end: Lv,
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
        for piece in history.log.pieces(range) {
            let mut rest = piece;
            let lvs = rest.lv..rest.lv + rest.run.len;
            for (chain, parents) in history.graph.chains(lvs) {
                let now = rest.split_off_first(history.log, chain.end - chain.start);
                patches.chain(history.graph, &chain, &parents);
                self.apply(history, &now, &parents, patches).map_err(|error| (now.lv, error))?;
            }
        }
        Ok(())
    }

    fn apply(
        &mut self,
        history: &History<'_>,
        piece: &Piece,
        parents: &[Lv],
        patches: &mut PatchSink<'_>,
    ) -> Result<(), InvalidTextOp> {
        let way = self.depart_to(history, parents);
        let lvs = piece.lv..piece.lv + piece.run.len;
        if self.last.unseen == 0 {
            let patch = linear_patch(piece, self.last.length)?;
            patches.push(patch);
            let end = lvs.end;
            self.arrive_linear(lvs, piece.run, patch.deleted);
            self.drop_idle_walker(history.log, end);
            return Ok(());
        }
        self.ready_walker(history, piece.lv);
        let kept = self.walker.as_mut().expect("made ready");
        // It stands at the edit applied last, as this text's state does.
        kept.walker.go_by(history, &way, parents);
        let mut length = self.last.length;
        kept.walker.feed(history, (piece.lv, piece.run), parents, &mut |edit| match edit {
            TipEdit::Insert { at } => {
                length += piece.run.len;
                patches.push(PatchRun::insert(piece, at));
            }
            TipEdit::Delete { at, len } => {
                length -= len;
                patches.push(PatchRun::delete(piece.lv, at, len));
            }
        })?;
        kept.end = lvs.end;
        self.last.length = length;
        self.last.lv = Some(lvs.end - 1);
        debug_assert_eq!(kept.walker.tip_length(), length);
        Ok(())
    }

    /// Counts what of the text's edits is not in the past of `parents`, and returns the way
    /// there from the edit applied last.
    fn depart_to(&mut self, history: &History<'_>, parents: &[Lv]) -> Way {
        let last: SmallVec<[Lv; 1]> = self.last.lv.into_iter().collect();
        if last[..] == *parents {
            return Way::default();
        }
        let (retreat, advance) = history.graph.diff(&last, parents);
        let edits = |range: &Range<Lv>| history.log.runs_in(range.clone());
        for range in &advance {
            self.last.unseen -= edits(range).map(|(_, run)| run.len).sum::<u32>();
        }
        // The newest edit had every critical one in its past, so one that is not in the
        // past of `parents` is among those that lie between the two.
        let mut first = None;
        for range in &retreat {
            for (lv, run) in edits(range) {
                self.last.unseen += run.len;
                first.get_or_insert(lv);
            }
        }
        if let Some(first) = first {
            self.critical.forget_from(first);
        }
        Way { retreat, advance }
    }

    /// An edit with all others in its past was applied.
    fn arrive_linear(&mut self, lvs: Range<Lv>, run: Run, deleted: u32) {
        let length = self.last.length;
        self.last.lv = Some(lvs.end - 1);
        self.last.length = match run.kind {
            RunKind::Insert => length + run.len,
            _ => length - deleted,
        };
        self.critical.push(lvs, run.kind, length);
    }

    /// Applies a local edit, which has everything in its past and was found to be in bounds.
    pub(super) fn arrive_local(&mut self, log: &OpLog, lv: Lv, run: Run) {
        let deleted = match run.kind {
            RunKind::Insert => 0,
            RunKind::Clear => self.last.length,
            _ => run.len,
        };
        self.last.unseen = 0;
        self.arrive_linear(lv..lv + run.len, run, deleted);
        self.drop_idle_walker(log, lv + run.len);
    }

    /// See that there is a walker that has been fed all edits before `lv`, and none that the
    /// edit at `lv` would have to go back behind.
    fn ready_walker(&mut self, history: &History<'_>, lv: Lv) {
        let base = self.critical.last_before(lv);
        let start = base.map_or(0, |(critical, _)| critical + 1);
        let usable = self.walker.take().filter(|kept| {
            let all = kept.walker.fed() + edits_between(history.log, kept.end, lv);
            let fresh = edits_between(history.log, start, lv);
            // A much smaller walker is worth its price once this one has doubled.
            let shrinks = fresh < all / 4 && all > 2 * kept.fed_at_first + GROWN;
            kept.start <= start && !shrinks
        });
        let mut kept = usable.unwrap_or_else(|| {
            let (critical, length) = base.map_or((None, 0), |(lv, length)| (Some(lv), length));
            let walker = Box::new(Walker::new(critical, length));
            Kept { walker, start, end: start, fed_at_first: 0 }
        });
        let from = kept.end;
        kept.walker.feed_again(history, from..lv);
        kept.end = lv;
        if from == start && kept.fed_at_first == 0 {
            kept.fed_at_first = kept.walker.fed();
        }
        self.walker = Some(kept);
    }

    /// Everything before `end` was applied; is it long since the walker was needed?
    fn drop_idle_walker(&mut self, log: &OpLog, end: Lv) {
        let idle = self
            .walker
            .as_ref()
            .is_some_and(|kept| edits_between(log, kept.end, end) > 2 * kept.walker.fed() + GROWN);
        if idle {
            self.walker = None;
        }
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

    /// Forgets what was applied since [`begin`](Self::begin), and the walker.
    pub(super) fn roll_back(&mut self) {
        if let Some(before) = self.before.take() {
            self.last = before;
            self.critical.roll_back();
            self.walker = None;
        }
    }

    /// The newest critical edit before `lv`, and the text's length after it.
    pub(super) fn critical_before(&self, lv: Lv) -> Option<(Lv, u32)> {
        self.critical.last_before(lv)
    }

    /// Panics when the structure is broken.
    pub(super) fn check_invariants(&self) {
        if let Some(kept) = &self.walker {
            kept.walker.check_invariants();
        }
    }
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
