//! One pass over the spans: where an edit goes at its own version, and at the tip.

use super::integrate::Inserted;
use super::span::{ALIVE, Remover, Seen, Span, Way};
use super::versions::Version;
use super::{Id, NOWHERE, Refusal, TooWide, UNNAMED, Window};
use crate::causality::Lv;
use crate::sequence::error::InvalidTextOp;
use crate::sequence::merge::History;
use crate::sequence::run::Run;
use crate::sequence::steps::step;
use crate::sequence::walker::TipEdit;

/// Between two spans.
struct Place {
    /// The index of the span after it.
    at: usize,
    /// How many elements before it are in the tip's text.
    tip: u32,
}

impl Window {
    /// Whether a version sees the span `at`, which is cut until it sees all of it alike.
    #[inline]
    pub(super) fn sees(&mut self, at: usize, version: &Version) -> bool {
        loop {
            step();
            match self.spans[at].seen_by(version) {
                Seen::All => return true,
                Seen::Nothing => return false,
                Seen::Cut(count) => self.split(at, count),
            }
        }
    }

    fn split(&mut self, at: usize, count: u32) {
        let rest = self.spans[at].split_off(count);
        self.spans.insert(at + 1, rest);
    }

    /// The place behind the `position`-th visible element of a version, for an edit that goes
    /// on to `end`.
    fn find(&mut self, position: u32, end: u32, version: &Version) -> Result<Place, InvalidTextOp> {
        let (mut rest, mut place) = (position, Place { at: 0, tip: 0 });
        while rest > 0 {
            if place.at == self.spans.len() {
                let length = position - rest;
                return Err(InvalidTextOp::BeyondEnd { end, length });
            }
            if self.sees(place.at, version) {
                if rest < self.spans[place.at].len {
                    self.split(place.at, rest);
                }
                rest -= self.spans[place.at].len;
            }
            let Span { len, gone, .. } = self.spans[place.at];
            place.tip += if gone { 0 } else { len };
            place.at += 1;
        }
        Ok(place)
    }

    /// Inserts `run` and returns its position at the tip.
    pub(super) fn insert(
        &mut self,
        history: &History<'_>,
        (lv, run): (Lv, Run),
        writer: u8,
        version: &Version,
    ) -> Result<u32, InvalidTextOp> {
        let Place { mut at, mut tip } = self.find(run.at, run.at, version)?;
        let unseen = self.spans[at..].iter().take_while(|span| !span.exists_in(version)).count();
        let gap = at..at + unseen;
        let left = match at.checked_sub(1) {
            Some(before) => name(&mut self.spans[before].last, &mut self.next_name),
            None => NOWHERE,
        };
        let right = match self.spans.get_mut(gap.end) {
            Some(after) => name(&mut after.first, &mut self.next_name),
            None => NOWHERE,
        };
        if unseen > 0 {
            at = self.integrate(history.graph, gap.clone(), Inserted { lv, left, right });
            let passed = &self.spans[gap.start..at];
            tip += passed.iter().filter(|span| !span.gone).map(|span| span.len).sum::<u32>();
        }
        let last = lv + run.len - 1;
        if let Some(before) = at.checked_sub(1)
            && let before = &mut self.spans[before]
            && before.writer == writer
            && (before.last, before.right) == (left, right)
            && before.last + 1 == lv
            && before.removers == ALIVE
        {
            before.last = last;
            before.len += run.len;
        } else {
            let span = Span { first: lv, last, left, right, writer, ..Span::settled(run.len) };
            self.spans.insert(at, span);
        }
        Ok(tip)
    }

    /// Deletes the elements from `at` on up to `end`, as the version counts them, or all that it
    /// sees; with the first event that does so, its slot, and the order.
    pub(super) fn delete(
        &mut self,
        (at, end): (u32, u32),
        first: Remover,
        version: &Version,
        found: &mut dyn FnMut(TipEdit),
    ) -> Result<(), Refusal> {
        let mut place = self.find(at, end, version)?;
        let start = place.at;
        // First see that all of it can be done.
        let (mut seen, mut stop) = (at, start);
        while seen < end && stop < self.spans.len() {
            if self.sees(stop, version) {
                if end - seen < self.spans[stop].len {
                    self.split(stop, end - seen);
                }
                seen += self.spans[stop].len;
                self.spans[stop].room().ok_or(TooWide)?;
            }
            stop += 1;
        }
        if seen < end && first.way != Way::AtOnce {
            return Err(InvalidTextOp::BeyondEnd { end, length: seen }.into());
        }
        let mut done = 0;
        for span in &mut self.spans[start..stop] {
            if let Seen::All = span.seen_by(version) {
                let later = match first.way {
                    Way::Forward => done,
                    Way::Backward => end - at - done - span.len,
                    Way::AtOnce => 0,
                };
                done += span.len;
                let remover = Remover { lv: first.lv + later, ..first };
                *span.room().expect("there was room") = remover;
                if !span.gone {
                    span.gone = true;
                    found(TipEdit::Delete { at: place.tip, len: span.len });
                }
            } else if !span.gone {
                place.tip += span.len;
            }
        }
        Ok(())
    }
}

/// The name of an element, which gets one if it has none.
fn name(of: &mut Id, next: &mut Id) -> Id {
    if *of == UNNAMED {
        *of = *next;
        *next += 1;
    }
    *of
}
