//! Folding: forgetting what no later edit can tell apart.
//!
//! Once every later edit has the base in its past, and edits come in an order that causality
//! allows:
//!
//! * Visible elements become settled text, a length, when the base has their insertion and
//!   nothing has removed them.
//! * Elements that the base has removed go, when neither neighbour of their stretch is an
//!   unsettled insertion. (An insertion between the two would have the removed for its right
//!   origin; without them another, by which it compares otherwise.)
//!
//! Names may be lost with that, but none that is asked for: an origin is compared with those of
//! an insertion beside it, and what stands beside an unsettled insertion keeps its name.

use super::Window;
use super::span::{ALIVE, DEAD, Span};
use super::versions::{SETTLED, Version};
use crate::canary::is_planted;
use crate::sequence::steps;

impl Window {
    /// Folds what is settled at the base.
    pub(super) fn fold(&mut self) {
        let base = *self.versions.base();
        self.settle(&base);
        let (mut kept, mut next) = (0_usize, 0);
        while next < self.spans.len() {
            let dead = self.spans[next..].iter().take_while(|span| span.is_dead()).count();
            let end = next + dead.max(1);
            if dead > 0 {
                let unsettled = |span: &Span| !span.is_settled();
                let beside =
                    kept.checked_sub(1).is_some_and(|before| unsettled(&self.spans[before]))
                        || self.spans.get(end).is_some_and(unsettled);
                if !beside || is_planted("fold_neighbour") {
                    next = end;
                    continue;
                }
            }
            for at in next..end {
                kept = self.keep(kept, at);
            }
            next = end;
        }
        steps::fold(self.spans.len() - kept);
        self.spans.truncate(kept);
    }

    /// Cuts the spans where the base ends, and forgets who inserted and removed what it has.
    fn settle(&mut self, base: &Version) {
        let mut at = 0;
        while at < self.spans.len() {
            let is_seen = self.sees(at, base);
            let span = &mut self.spans[at];
            if span.exists_in(base) || is_planted("fold_insertion") {
                span.writer = SETTLED;
                if !is_seen {
                    span.removers = DEAD;
                }
            }
            at += 1;
        }
    }

    /// Makes the span `at` the next of those that are kept, as a part of the last where they
    /// are alike.
    fn keep(&mut self, kept: usize, at: usize) -> usize {
        if let Some(before) = kept.checked_sub(1) {
            let [last, span] = [&self.spans[before], &self.spans[at]];
            let of_one_kind = |span: &Span| {
                span.is_dead() || span.removers == ALIVE || is_planted("fold_remover")
            };
            let alike = last.is_settled()
                && span.is_settled()
                && last.is_dead() == span.is_dead()
                && of_one_kind(last)
                && of_one_kind(span);
            if alike {
                let (len, end) = (span.len, span.last);
                let last = &mut self.spans[before];
                (last.len, last.last) = (last.len + len, end);
                return kept;
            }
        }
        self.spans.swap(kept, at);
        kept + 1
    }
}
