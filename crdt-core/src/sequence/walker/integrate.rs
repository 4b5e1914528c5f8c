//! Where an insertion goes among concurrent ones: FugueMax.

use alloc::vec::Vec;
use core::cmp::Ordering;

use super::spans::Span;
use super::views::VIEWS;
use super::{Id, NOWHERE, Run, Walker};
use crate::EventGraph;
use crate::canary::is_planted;
use crate::causality::Lv;
use crate::collections::sort_by_key;
use crate::sequence::steps::step;
use crate::sequence::tree::Cursor;

/// Insertions whose origins are the same two elements, by their dots.
#[derive(Clone, Debug)]
pub(super) struct Siblings {
    origins: (Id, Id),
    ids: Vec<Id>,
}

/// More candidates than this are worth an index.
const FEW: usize = if cfg!(test) { 2 } else { 16 };

impl Walker {
    /// Inserts `run` at the walker's version and returns its position at the tip.
    pub(super) fn insert(&mut self, graph: &EventGraph, lv: Lv, run: Run) -> u32 {
        let (mut after, left) = if run.at == 0 {
            (None, NOWHERE)
        } else {
            let (at, offset) = self.spans.find_visible(self.here, run.at - 1);
            let id = self.spans.get(at).id + offset;
            let at = self.spans.split_after(at, offset + 1);
            (Some(at), id)
        };
        let next = self.next(after);
        let concurrent = next.is_some_and(|next| self.spans.get(next).states[self.here] == 0);
        let right_at = if concurrent { self.spans.next_there(self.here, after) } else { next };
        let right = right_at.map_or(NOWHERE, |at| self.spans.get(at).id);
        let mut states = [0; VIEWS];
        states[self.here] = 1;
        let span = Span { id: lv, len: run.len, left, right, states, gone: false, has_left: false };
        if let Some(at) = right_at
            && self.spans.get(at).left == left
        {
            // The new element is a left child of its right origin. Its siblings have the same
            // origins; without them it goes right before its parent.
            let is_first = !self.spans.get(at).has_left;
            self.spans.update(at, |span| span.has_left = true);
            if concurrent && is_first {
                let at = self.spans.insert_at(at, span);
                return self.spans.tip_position(at);
            }
        }
        if concurrent {
            after = self.integrate(graph, after, &span);
        }
        self.place(after, span)
    }

    fn next(&self, after: Option<Cursor>) -> Option<Cursor> {
        after.map_or_else(|| self.spans.first(), |at| self.spans.next(at))
    }

    /// The span after which `new` goes. Between its origins lie only insertions that are
    /// concurrent to it; a pass from left to right compares it with each, from the last
    /// sibling on that is known to stand before it.
    fn integrate(
        &mut self,
        graph: &EventGraph,
        after: Option<Cursor>,
        new: &Span,
    ) -> Option<Cursor> {
        let mut here = after;
        let mut count = 0;
        let origins = (new.left, new.right);
        let index = self.siblings.binary_search_by_key(&origins, |siblings| siblings.origins);
        if let Ok(index) = index {
            let ids = &mut self.siblings[index].ids;
            let dot = graph.dot_of(new.id);
            let place = ids.partition_point(|&id| graph.dot_of(id) < dot);
            ids.insert(place, new.id);
            if let Some(before) = place.checked_sub(1) {
                here = Some(self.spans.locate(ids[before]).0);
            }
        }
        // Where to go back to, while all seen since belong behind the new element.
        let mut held: Option<Option<Cursor>> = None;
        while let Some(at) = self.next(here) {
            let other = *self.spans.get(at);
            if other.id == new.right {
                break;
            }
            step();
            count += 1;
            match self.spans.compare_left(other.left, new.left) {
                // It hangs on something before our left origin: so does all that follows.
                Ordering::Less => break,
                // It hangs on a sibling already judged.
                Ordering::Greater => {}
                Ordering::Equal => match self.spans.compare_right(other.right, new.right) {
                    Ordering::Equal => {
                        let ours_is_first = if cfg!(canary) || is_planted("ties-by-arrival") {
                            new.id < other.id
                        } else {
                            graph.dot_of(new.id) < graph.dot_of(other.id)
                        };
                        if ours_is_first {
                            break;
                        }
                        held = None;
                    }
                    // Siblings stand in reverse order of their right origins; ours goes
                    // before this one, unless one that goes before ours is still to come.
                    Ordering::Less => {
                        held.get_or_insert(here);
                    }
                    Ordering::Greater => held = None,
                },
            }
            here = Some(at);
        }
        if let Err(index) = index
            && count > FEW
        {
            let ids = self.siblings_after(graph, after, new);
            self.siblings.insert(index, Siblings { origins, ids });
        }
        held.unwrap_or(here)
    }

    /// `new` and those that have the same origins, by their dots: all stand between these.
    fn siblings_after(&self, graph: &EventGraph, after: Option<Cursor>, new: &Span) -> Vec<Id> {
        let mut ids = alloc::vec![new.id];
        let mut here = after;
        while let Some(at) = self.next(here) {
            let other = self.spans.get(at);
            if other.id == new.right {
                break;
            }
            step();
            if (other.left, other.right) == (new.left, new.right) {
                ids.push(other.id);
            }
            here = Some(at);
        }
        sort_by_key(&mut ids, |&id| graph.dot_of(id));
        ids
    }

    /// Puts the span behind `after`, into the span there if it continues it.
    fn place(&mut self, after: Option<Cursor>, new: Span) -> u32 {
        if let Some(at) = after {
            let before = *self.spans.get(at);
            let last = before.id + before.len - 1;
            if last + 1 == new.id
                && new.left == last
                && before.right == new.right
                && before.states == new.states
                && !before.gone
            {
                self.spans.update(at, |span| span.len += new.len);
                return self.spans.tip_position(at) + before.len;
            }
        }
        let at = self.spans.insert_after(after, new);
        self.spans.tip_position(at)
    }
}
