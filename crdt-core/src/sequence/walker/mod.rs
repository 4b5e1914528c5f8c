//! The Eg-walker: finds where concurrent edits go, and forgets how it knew.
//!
//! The walker holds what a text CRDT holds for ever, spans of elements with their origins
//! and tombstones, but only from a critical version on, and only while there is something
//! concurrent to merge. Everything older is settled text: a length.
//!
//! It knows what is visible at a *version*. To apply an edit it first goes to that edit's own
//! version by *retreating* what the edit had not seen and *advancing* what it had; the edit's
//! position is then a position among the elements visible there, and where that place lies among
//! the elements visible at the *tip* (everything applied so far) is what the rope needs. It keeps
//! more than one such version ([`views`]), so that it need not go back and forth between two
//! writers who do not see each other.
//!
//! Gentle and Kleppmann, *Collaborative Text Editing with Eg-walker: Better, Faster,
//! Smaller* (EuroSys 2025). The order is FugueMax: Weidner and Kleppmann, *The Art of the
//! Fugue* (2023).

mod integrate;
mod spans;
mod travel;
mod views;

use alloc::vec::Vec;
use core::ops::Range;

use super::error::InvalidTextOp;
use super::merge::History;
use super::run::{Run, RunKind};
use super::steps::step;
use crate::causality::Lv;
use integrate::Siblings;
use spans::{Span, Spans};
use travel::Deleted;
use views::{VIEWS, View};

/// An element by the event that inserted it, or, from [`SETTLED`] on, by its place in the
/// settled text.
pub(super) type Id = u32;

/// The first name of settled elements; events stay below.
const SETTLED: Id = 1 << 31;

/// No element: before the first, or after the last.
const NOWHERE: Id = u32::MAX;

/// What an edit does to the text at the tip.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum TipEdit {
    /// All code points of the edit go to this position.
    Insert { at: u32 },
    /// These are still there, and go.
    Delete { at: u32, len: u32 },
}

/// Elements that were inserted one after the other, and whether they are visible.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Fate {
    pub(super) id: Id,
    pub(super) len: u32,
    pub(super) visible: bool,
}

impl Fate {
    /// Where they are in the settled text, if they are part of it.
    pub(super) fn settled(&self) -> Option<u32> {
        self.id.checked_sub(SETTLED)
    }
}

/// See the module's documentation.
#[derive(Clone, Debug)]
pub(super) struct Walker {
    spans: Spans,
    /// What each deletion deleted, by its first event, in order.
    deleted: Vec<(Lv, Deleted)>,
    /// What each clearing deleted, in order.
    cleared: Vec<(Lv, Range<Id>)>,
    /// Insertions with the same two origins, by their dots, where these are many.
    siblings: Vec<Siblings>,
    views: [View; VIEWS],
    /// The view that the walker stands in.
    here: usize,
    end: Lv,
    /// How many edits were fed; what a new walker would cost.
    fed: usize,
}

impl Walker {
    /// A walker for the edits after `base` (all of them, if there is none), where the text
    /// was `length` long.
    pub(super) fn new(base: Option<Lv>, length: u32) -> Self {
        let mut spans = Spans::default();
        if length > 0 {
            spans.push(Span::settled(length));
        }
        Self {
            spans,
            deleted: Vec::new(),
            cleared: Vec::new(),
            siblings: Vec::new(),
            views: core::array::from_fn(|_| View::at(base)),
            here: 0,
            end: base.map_or(0, |base| base + 1),
            fed: 0,
        }
    }

    /// How many edits it was fed.
    pub(super) fn fed(&self) -> usize {
        self.fed
    }

    /// All that it was fed comes before this.
    pub(super) fn end(&self) -> Lv {
        self.end
    }

    /// Applies `run`, whose first event is `lv` and follows `parents`, and whose other events
    /// form a chain. Calls `found` with what that does at the tip, in order.
    ///
    /// Edits come in an order that causality allows. One that is refused leaves the walker at
    /// the edit's version, and otherwise as it was.
    pub(super) fn feed(
        &mut self,
        history: &History<'_>,
        (lv, run): (Lv, Run),
        parents: &[Lv],
        found: &mut dyn FnMut(TipEdit),
    ) -> Result<(), InvalidTextOp> {
        step();
        self.go_to(history, parents);
        let length = self.length();
        match run.kind {
            RunKind::Insert => {
                if run.at > length {
                    return Err(InvalidTextOp::BeyondEnd { end: run.at, length });
                }
                found(TipEdit::Insert { at: self.insert(history.graph, lv, run) });
            }
            RunKind::DeleteForward | RunKind::DeleteBackward => {
                let end = run.at + run.len;
                if end > length {
                    return Err(InvalidTextOp::BeyondEnd { end, length });
                }
                self.delete(lv, run, found);
            }
            RunKind::Clear => self.clear(lv, found),
        }
        self.arrive(lv..lv + run.len);
        self.fed += 1;
        Ok(())
    }

    /// Feeds the edits of `range` that the history holds, all of which were applied before:
    /// what they do at the tip is known.
    pub(super) fn feed_again(&mut self, history: &History<'_>, range: Range<Lv>) {
        for part in history.parts {
            let (start, end) = (part.start.max(range.start), part.end.min(range.end));
            for (lv, run) in history.log.runs_in(start..end.max(start)) {
                let mut rest = run;
                for (chain, parents) in history.graph.chains(lv..lv + run.len) {
                    let len = chain.end - chain.start;
                    let mut now = rest;
                    if len < rest.len {
                        (now, rest) = rest.split(len);
                    }
                    self.feed(history, (chain.start, now), &parents, &mut |_| {})
                        .expect("an edit that was applied once is valid");
                }
            }
        }
    }

    fn delete(&mut self, lv: Lv, run: Run, found: &mut dyn FnMut(TipEdit)) {
        let mut done = 0;
        while done < run.len {
            let (at, offset) = self.spans.find_visible(self.here, run.at);
            let at = self.spans.split_before(at, offset);
            let at = self.spans.split_after(at, run.len - done);
            let Span { id, len, gone, .. } = *self.spans.get(at);
            if !gone {
                found(TipEdit::Delete { at: self.spans.tip_position(at), len });
            }
            self.spans.update(at, |span| {
                span.states[self.here] += 1;
                span.gone = true;
            });
            let forward = run.kind == RunKind::DeleteForward;
            let first = if forward { lv + done } else { lv + run.len - done - len };
            self.note_deleted(first, Deleted { id, len, forward });
            done += len;
        }
    }

    fn clear(&mut self, lv: Lv, found: &mut dyn FnMut(TipEdit)) {
        let mut tip = 0;
        let mut next = self.spans.first();
        while let Some(at) = next {
            let Span { id, len, states, gone, .. } = *self.spans.get(at);
            if states[self.here] == 1 {
                if !gone {
                    found(TipEdit::Delete { at: tip, len });
                }
                self.spans.update(at, |span| {
                    span.states[self.here] += 1;
                    span.gone = true;
                });
                let place = self.cleared.partition_point(|&(by, _)| by <= lv);
                let last = place.checked_sub(1).map(|last| &mut self.cleared[last]);
                match last.filter(|(by, ids)| *by == lv && ids.end == id) {
                    Some((_, ids)) => ids.end += len,
                    None => self.cleared.insert(place, (lv, id..id + len)),
                }
            } else if !gone {
                tip += len;
            }
            next = self.spans.next(at);
        }
    }

    /// The element visible at `gap` (right of the gap) or before it, at this version.
    pub(super) fn element(&self, gap: u32, right: bool) -> Option<Id> {
        let position = if right { gap } else { gap.checked_sub(1)? };
        if position >= self.length() {
            return None;
        }
        let (at, offset) = self.spans.find_visible(self.here, position);
        Some(self.spans.get(at).id + offset)
    }

    /// How many code points lie before the element at the tip, and whether it is there.
    pub(super) fn at_tip(&self, element: Id) -> (u32, bool) {
        let (at, offset) = self.spans.locate(element);
        let visible = !self.spans.get(at).gone;
        (self.spans.tip_position(at) + if visible { offset } else { 0 }, visible)
    }

    /// The elements in document order, and whether they are visible at the walker's version.
    pub(super) fn fates(&self) -> impl Iterator<Item = Fate> + '_ {
        let here = self.here;
        let fate =
            move |span: &Span| Fate { id: span.id, len: span.len, visible: span.states[here] == 1 };
        self.spans.iter().map(fate)
    }

    /// How long the text is at the walker's version.
    pub(super) fn length(&self) -> u32 {
        self.spans.total().views[self.here].visible
    }

    /// How long the text is at the tip.
    pub(super) fn tip_length(&self) -> u32 {
        self.spans.total().tip
    }

    /// Panics when the structure is broken.
    pub(super) fn check_invariants(&self) {
        self.spans.check_invariants();
    }
}
