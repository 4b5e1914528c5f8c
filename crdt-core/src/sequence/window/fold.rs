//! Folding: forgetting what no later edit can tell apart.
//!
//! What follows may be done once every later edit has the base in its past, edits come in an
//! order that causality allows, and `s` is the version of none that is still to come:
//!
//! * Visible elements become settled text when the base has their insertion and nothing has
//!   removed them, and the ends that meet are no origin of an unsettled insertion.
//! * Elements that the base has removed go when neither neighbour is an unsettled insertion
//!   and none of them is the origin of one. (A later insertion there would take another
//!   element for its right origin, and compare otherwise with those that took the removed.)

use super::span::{ALIVE, DEAD, Span};
use super::versions::{SETTLED, Version};
use super::{Id, Window};

impl Window {
    /// Folds what is settled at the base.
    pub(super) fn fold(&mut self) {
        let base = *self.versions.base();
        self.settle(&base);
        // What unsettled insertions name.
        let mut origins = core::mem::take(&mut self.origins);
        origins.clear();
        for span in self.spans.iter().filter(|span| !span.is_settled()) {
            origins.extend([span.left, span.right]);
        }
        let (mut kept, mut next) = (0_usize, 0);
        while next < self.spans.len() {
            let dead = self.spans[next..].iter().take_while(|span| span.is_dead()).count();
            let end = next + dead.max(1);
            if dead > 0 {
                let unsettled = |span: &Span| !span.is_settled();
                let beside =
                    kept.checked_sub(1).is_some_and(|before| unsettled(&self.spans[before]))
                        || self.spans.get(end).is_some_and(unsettled);
                let named =
                    |span: &Span| origins.contains(&span.first) || origins.contains(&span.last);
                if !beside && !self.spans[next..end].iter().any(named) {
                    next = end;
                    continue;
                }
            }
            for at in next..end {
                kept = self.keep(kept, at, &origins);
            }
            next = end;
        }
        self.spans.truncate(kept);
        self.origins = origins;
    }

    /// Cuts the spans where the base ends, and forgets who inserted and removed what it has.
    fn settle(&mut self, base: &Version) {
        let mut at = 0;
        while at < self.spans.len() {
            let is_seen = self.sees(at, base);
            let span = &mut self.spans[at];
            if span.exists_in(base) {
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
    fn keep(&mut self, kept: usize, at: usize, origins: &[Id]) -> usize {
        if let Some(before) = kept.checked_sub(1) {
            let [last, span] = [&self.spans[before], &self.spans[at]];
            let alike = last.is_settled()
                && span.is_settled()
                && last.removers == span.removers
                && (last.is_dead() || last.removers == ALIVE);
            if alike && !origins.contains(&last.last) && !origins.contains(&span.first) {
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
