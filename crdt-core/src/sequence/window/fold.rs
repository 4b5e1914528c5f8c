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

use smallvec::SmallVec;

use super::span::Span;
use super::versions::Version;
use super::{Id, Window};

/// What unsettled insertions name.
#[derive(Default)]
struct Origins {
    left: SmallVec<[Id; 16]>,
    right: SmallVec<[Id; 16]>,
}

impl Origins {
    fn of(spans: &[Span]) -> Self {
        let mut origins = Self::default();
        for span in spans.iter().filter(|span| !span.is_settled()) {
            origins.left.push(span.left);
            origins.right.push(span.right);
        }
        origins
    }

    fn has(&self, span: &Span) -> bool {
        self.left.contains(&span.last) || self.right.contains(&span.first)
    }

    fn lie_between(&self, before: &Span, after: &Span) -> bool {
        self.left.contains(&before.last) || self.right.contains(&after.first)
    }
}

impl Window {
    /// Folds what is settled at the base.
    pub(super) fn fold(&mut self) {
        let base = *self.versions.base();
        self.settle(&base);
        let origins = Origins::of(&self.spans);
        let (mut kept, mut next) = (0_usize, 0);
        while next < self.spans.len() {
            let dead = self.spans[next..].iter().take_while(|span| span.is_dead()).count();
            if dead > 0 {
                let stretch = next..next + dead;
                let unsettled = |span: Option<&Span>| span.is_some_and(|span| !span.is_settled());
                let beside = unsettled(kept.checked_sub(1).map(|before| &self.spans[before]))
                    || unsettled(self.spans.get(stretch.end));
                if !beside && !self.spans[stretch.clone()].iter().any(|span| origins.has(span)) {
                    next = stretch.end;
                    continue;
                }
            }
            for at in next..next + dead.max(1) {
                kept = self.keep(kept, at, &origins);
            }
            next += dead.max(1);
        }
        self.spans.truncate(kept);
    }

    /// Cuts the spans where the base ends, and settles what it has.
    fn settle(&mut self, base: &Version) {
        let mut at = 0;
        while at < self.spans.len() {
            self.cut_at(at, base);
            self.spans[at].settle(base);
            at += 1;
        }
    }

    /// Makes the span `at` the next of `kept`, as a part of the last where they are alike.
    fn keep(&mut self, kept: usize, at: usize, origins: &Origins) -> usize {
        if let Some(before) = kept.checked_sub(1) {
            let [last, span] = [&self.spans[before], &self.spans[at]];
            let alike = last.is_settled()
                && span.is_settled()
                && (last.is_dead() == span.is_dead())
                && (last.is_dead() || (last.removers.is_empty() && span.removers.is_empty()));
            if alike && !origins.lie_between(last, span) {
                let (len, end) = (span.len, span.last);
                let last = &mut self.spans[before];
                last.len += len;
                last.last = end;
                return kept;
            }
        }
        self.spans.swap(kept, at);
        kept + 1
    }
}
