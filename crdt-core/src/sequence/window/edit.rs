//! One pass over the spans: where an edit goes at its own version, and at the tip.

use super::integrate::Inserted;
use super::span::{Remover, Seen, Span, Way};
use super::versions::Version;
use super::{Id, NOWHERE, UNNAMED, Window};
use crate::causality::Lv;
use crate::sequence::error::InvalidTextOp;
use crate::sequence::merge::History;
use crate::sequence::run::Run;
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
            && before.removers.is_empty()
        {
            before.last = last;
            before.len += run.len;
        } else {
            let span = Span { first: lv, last, left, right, writer, ..Span::settled(run.len) };
            self.spans.insert(at, span);
        }
        Ok(tip)
    }

    /// Deletes what `run` does, by events of a slot that go one way.
    pub(super) fn delete(
        &mut self,
        lv: Lv,
        run: Run,
        (writer, way): (u8, Way),
        version: &Version,
        found: &mut dyn FnMut(TipEdit),
    ) -> Result<(), InvalidTextOp> {
        let end = run.at + run.len;
        let Place { mut at, mut tip } = self.find(run.at, end, version)?;
        let mut done = 0;
        while done < run.len {
            if at == self.spans.len() {
                return Err(InvalidTextOp::BeyondEnd { end, length: run.at + done });
            }
            if self.sees(at, version) {
                if run.len - done < self.spans[at].len {
                    self.split(at, run.len - done);
                }
                let len = self.spans[at].len;
                let later = if way == Way::Forward { done } else { run.len - done - len };
                self.remove(at, tip, Remover { lv: lv + later, writer, way }, found);
                done += len;
            } else if !self.spans[at].gone {
                tip += self.spans[at].len;
            }
            at += 1;
        }
        Ok(())
    }

    /// Deletes all that the version sees.
    pub(super) fn clear(
        &mut self,
        lv: Lv,
        writer: u8,
        version: &Version,
        found: &mut dyn FnMut(TipEdit),
    ) {
        let (mut at, mut tip) = (0, 0);
        while at < self.spans.len() {
            if self.sees(at, version) {
                self.remove(at, tip, Remover { lv, writer, way: Way::AtOnce }, found);
            } else if !self.spans[at].gone {
                tip += self.spans[at].len;
            }
            at += 1;
        }
    }

    fn remove(&mut self, at: usize, tip: u32, remover: Remover, found: &mut dyn FnMut(TipEdit)) {
        let span = &mut self.spans[at];
        span.removers.push(remover);
        if !span.gone {
            span.gone = true;
            found(TipEdit::Delete { at: tip, len: span.len });
        }
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
