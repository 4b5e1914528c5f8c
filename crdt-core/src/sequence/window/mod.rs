//! The windowed walker: merges what a few people type at once, from a handful of spans.
//!
//! The [`Walker`](super::walker::Walker) goes from version to version by toggling elements. The
//! window does not go anywhere: a version is a vector of a few numbers, and whether it sees a
//! span follows from the span's own events. One pass over the spans finds the place of an edit
//! at its version and at the tip together. What all later edits have in their past is *folded*
//! into settled text, a length, so that the pass stays short however long the braid is.
//!
//! Where more replicas are active, or more is unsettled, than a pass is good for, or an event
//! has not seen what was settled, the window says so and [`Merge`](super::merge::Merge) takes a
//! walker.
//!
//! Bugs that can be planted (see [`crate::canary`]): `fold_order` (a version lacks one of its
//! parents), `fold_base` (an event need not have seen the base), `fold_insertion`,
//! `fold_remover`, `fold_neighbour` (the conditions of folding).

mod edit;
mod fold;
mod integrate;
mod span;
mod versions;

use alloc::vec::Vec;
use core::ops::Range;

use super::error::InvalidTextOp;
use super::merge::History;
use super::run::{EVENTS_MAX, Run, RunKind};
use super::walker::TipEdit;
use crate::canary::is_planted;
use crate::causality::{Chain, ChainCursor, Lv};
use span::{ALIVE, Remover, Span, Way};
use versions::{SLOTS, Version, Versions, covers};

/// An element by the event that inserted it, or by the name that settled text has for it.
type Id = u32;

/// No element: before the first, or after the last.
const NOWHERE: Id = u32::MAX;

/// An element that needs no name.
const UNNAMED: Id = u32::MAX - 1;

/// A pass over more spans than this costs more than going through an index.
const SPANS_MAX: usize = if cfg!(test) { 12 } else { 64 };

/// From so many spans on, replicas that have long been silent are not waited for.
const CROWDED: usize = if cfg!(test) { 6 } else { 24 };

/// Fewer spans than this are not worth folding.
const FEW: usize = if cfg!(test) { 1 } else { 6 };

/// The window would be too wide: nothing was applied, but it is of no further use.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct TooWide;

/// Why an edit was not applied.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Refusal {
    TooWide,
    /// No version can have the edit. The window is of no further use.
    Invalid(InvalidTextOp),
}

impl From<TooWide> for Refusal {
    fn from(_: TooWide) -> Self {
        Self::TooWide
    }
}

impl From<InvalidTextOp> for Refusal {
    fn from(error: InvalidTextOp) -> Self {
        Self::Invalid(error)
    }
}

/// See the module's documentation.
#[derive(Clone, Debug)]
pub(super) struct Window {
    /// In document order.
    spans: Vec<Span>,
    versions: Versions,
    /// All edits before this event were fed.
    end: Lv,
    /// With so many spans, it is time to fold.
    fold_at: usize,
    /// With so many chains, as well.
    fold_at_chains: usize,
    next_name: Id,
}

impl Window {
    /// A window for the edits after `critical` (all of them, if there is none), where the text
    /// was `length` long.
    pub(super) fn new(critical: Option<Lv>, length: u32) -> Self {
        let mut spans = Vec::new();
        if length > 0 {
            spans.push(Span::settled(length));
        }
        Self {
            spans,
            versions: Versions::new(critical),
            end: critical.map_or(0, |critical| critical + 1),
            fold_at: FEW,
            fold_at_chains: 16,
            next_name: EVENTS_MAX + 1,
        }
    }

    /// Feeds the edits before `to` that it was not fed, all of which were applied before: what
    /// they do at the tip is known.
    ///
    /// # Errors
    ///
    /// [`Refusal::TooWide`].
    fn catch_up(&mut self, history: &History<'_>, to: Lv) -> Result<(), Refusal> {
        if self.end >= to {
            return Ok(());
        }
        let mut cursor = ChainCursor::new(history.graph);
        let mut version = [0; SLOTS];
        for part in history.parts {
            let (mut next, end) = (part.start.max(self.end), part.end.min(to));
            let mut edits = history.log.runs_in(next..end);
            let mut edit = edits.next();
            while next < end {
                // The log joins what several replicas typed in a row.
                let chain = cursor.chain(next, edit.map_or(end, |(lv, run)| lv + run.len));
                next = chain.lvs.end;
                let Some((lv, run)) = edit.filter(|&(lv, _)| lv < next) else {
                    self.versions.arrive(&chain, false, &mut version)?;
                    continue;
                };
                let mut now = run;
                if next - lv < run.len {
                    let (first, rest) = run.split(next - lv);
                    (now, edit) = (first, Some((next, rest)));
                } else {
                    edit = edits.next();
                }
                let writer = self.versions.arrive(&chain, true, &mut version)?;
                let fed = self.feed(history, (lv, now), writer, &version, &mut |_| {});
                debug_assert!(
                    !matches!(fed, Err(Refusal::Invalid(_))),
                    "what was applied once is valid"
                );
                fed?;
            }
        }
        self.end = to;
        Ok(())
    }

    /// Applies `run`, the events of `chain`; all edits before were applied. Calls `found` with
    /// what that does at the tip, in order. Returns the first event that the run has not in its
    /// past, unless it has all other edits there.
    ///
    /// # Errors
    ///
    /// [`Refusal`]; the window is of no further use.
    pub(super) fn apply(
        &mut self,
        history: &History<'_>,
        run: Run,
        chain: &Chain<'_>,
        found: &mut dyn FnMut(TipEdit),
    ) -> Result<Option<Lv>, Refusal> {
        let Range { start, end } = chain.lvs;
        self.catch_up(history, start)?;
        let mut version = [0; SLOTS];
        let writer = self.versions.arrive(chain, true, &mut version)?;
        self.feed(history, (start, run), writer, &version, found)?;
        self.end = end;
        version[usize::from(writer)] = end;
        Ok(self.versions.first_unseen(&version))
    }

    fn feed(
        &mut self,
        history: &History<'_>,
        (lv, run): (Lv, Run),
        writer: u8,
        version: &Version,
        found: &mut dyn FnMut(TipEdit),
    ) -> Result<(), Refusal> {
        if !covers(version, self.versions.base()) && !is_planted("fold_base") {
            return Err(Refusal::TooWide);
        }
        if self.spans.len() > self.fold_at || self.versions.chains() >= self.fold_at_chains {
            self.make_room()?;
        }
        let way = match run.kind {
            RunKind::Insert => {
                let at = self.insert(history, (lv, run), writer, version)?;
                found(TipEdit::Insert { at });
                return Ok(());
            }
            RunKind::DeleteForward => Way::Forward,
            RunKind::DeleteBackward => Way::Backward,
            RunKind::Clear => Way::AtOnce,
        };
        let end = if way == Way::AtOnce { u32::MAX } else { run.at + run.len };
        self.delete((run.at, end), Remover { lv, writer, way }, version, found)
    }

    /// Folds what can be folded, waiting for fewer replicas if that is too little.
    fn make_room(&mut self) -> Result<(), TooWide> {
        loop {
            self.versions.raise_base();
            self.fold();
            let crowded = self.spans.len() > CROWDED || self.versions.is_crowded();
            if !(crowded && self.versions.wait_for_one_less()) {
                break;
            }
        }
        if self.spans.len() > SPANS_MAX || self.versions.is_crowded() {
            return Err(TooWide);
        }
        self.fold_at = (2 * self.spans.len()).max(FEW);
        self.fold_at_chains = (2 * self.versions.chains()).max(16);
        Ok(())
    }

    /// All edits before this event were fed.
    pub(super) fn end(&self) -> Lv {
        self.end
    }

    /// How long the text is at the tip of what was fed.
    pub(super) fn tip_length(&self) -> u32 {
        self.spans.iter().filter(|span| !span.gone).map(|span| span.len).sum()
    }

    /// Panics when the structure is broken.
    pub(super) fn check_invariants(&self) {
        self.versions.check_invariants();
        let slots = self.versions.writers();
        for span in &self.spans {
            assert!(span.len > 0);
            assert!(span.is_settled() || usize::from(span.writer) < slots);
            assert!(span.is_settled() || span.last - span.first + 1 == span.len);
            assert_eq!(span.gone, span.removers != ALIVE, "what is removed is gone at the tip");
            let [one, other] = span.removers;
            assert!(one.writer != other.writer || other == ALIVE[1], "nobody removes twice");
            let is_known = |by: Remover| by == ALIVE[0] || usize::from(by.writer) < slots;
            assert!(span.is_dead() || span.removers.into_iter().all(is_known));
        }
    }
}
