//! Where an insertion goes among concurrent ones: FugueMax.

use core::cmp::Ordering;

use super::spans::Span;
use super::{Id, NOWHERE, Run, Walker};
use crate::EventGraph;
use crate::canary::is_planted;
use crate::causality::Lv;
use crate::sequence::tree::Cursor;

impl Walker {
    /// Inserts `run` at the walker's version and returns its position at the tip.
    pub(super) fn insert(&mut self, graph: &EventGraph, lv: Lv, run: Run) -> u32 {
        let (mut after, left) = if run.at == 0 {
            (None, NOWHERE)
        } else {
            let (at, offset) = self.spans.find_visible(run.at - 1);
            let id = self.spans.get(at).id + offset;
            if offset + 1 < self.spans.get(at).len {
                // Within a span: the element after the left origin is the right origin.
                self.spans.split_before(at, offset + 1);
                let at = self.spans.locate(id).0;
                return self.place(
                    Some(at),
                    Span { id: lv, len: run.len, left: id, right: id + 1, state: 1, gone: false },
                );
            }
            (Some(at), id)
        };
        let right = self.right_origin(after);
        let span = Span { id: lv, len: run.len, left, right, state: 1, gone: false };
        if self.next(after).is_some_and(|next| self.spans.get(next).state == 0) {
            after = self.integrate(graph, after, &span);
        }
        self.place(after, span)
    }

    fn next(&self, after: Option<Cursor>) -> Option<Cursor> {
        after.map_or_else(|| self.spans.first(), |at| self.spans.next(at))
    }

    /// The next element that exists at the walker's version, deleted or not.
    fn right_origin(&self, after: Option<Cursor>) -> Id {
        let mut next = self.next(after);
        while let Some(at) = next {
            let span = self.spans.get(at);
            if span.state > 0 {
                return span.id;
            }
            next = self.spans.next(at);
        }
        NOWHERE
    }

    /// The span after which `new` goes. Between its origins lie only insertions that are
    /// concurrent to it; a pass from left to right compares it with each.
    fn integrate(&self, graph: &EventGraph, after: Option<Cursor>, new: &Span) -> Option<Cursor> {
        let mut here = after;
        // Where to go back to, while all seen since belong behind the new element.
        let mut held: Option<Option<Cursor>> = None;
        while let Some(at) = self.next(here) {
            let other = *self.spans.get(at);
            if other.id == new.right {
                break;
            }
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
        held.unwrap_or(here)
    }

    /// Puts the span behind `after`, into the span there if it continues it.
    fn place(&mut self, after: Option<Cursor>, new: Span) -> u32 {
        if let Some(at) = after {
            let before = *self.spans.get(at);
            let last = before.id + before.len - 1;
            if last + 1 == new.id
                && new.left == last
                && before.right == new.right
                && before.state == 1
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
