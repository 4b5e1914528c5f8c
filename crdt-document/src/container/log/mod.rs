//! The history of a container, which is never forgotten.

mod names;
mod row;
#[cfg(test)]
mod tests;

use alloc::vec::Vec;
use core::ops::Range;

use crdt_core::causality::Lv;
use crdt_core::codec::{Reader, Writer};

use self::names::Names;
use self::row::held;
use crate::op::Op;

/// What a container's events did, in local order.
///
/// Histories are long and seldom looked at, so an operation is held as bytes, much as on the
/// wire: a few for each event, however long the key that it names. A row is the distance from
/// the events of the row before, then the operation; see [`row`].
#[derive(Clone, Debug, Default)]
pub(crate) struct OpLog {
    bytes: Writer,
    names: Names,
    /// Where every [`MARK_ROWS`]-th row begins, but for the first.
    marks: Vec<Mark>,
    rows: u32,
    /// After the events of the last row.
    end: Lv,
    /// Where the last row begins; the end of the bytes if that is not known.
    last: usize,
}

/// So many rows are read over, at most, to find one.
const MARK_ROWS: u32 = 32;

/// Where a row begins, and after which events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Mark {
    at: usize,
    end: Lv,
}

impl OpLog {
    /// The events `lv..lv + len` each did `op`, or did it together if it is an edit of a
    /// text. They come after all others.
    pub(crate) fn push(&mut self, lv: Lv, len: u32, op: &Op) {
        if lv == self.end && self.prolong(len, op) {
            return;
        }
        if self.rows > 0 && self.rows.is_multiple_of(MARK_ROWS) {
            self.marks.push(Mark { at: self.bytes.len(), end: self.end });
        }
        self.last = self.bytes.len();
        self.bytes.varint(u64::from(lv - self.end));
        row::write(op, len, &mut self.names, &mut self.bytes);
        self.rows += 1;
        self.end = lv + len;
    }

    /// Lets the last row be of `len` more events, if it is of increments by the same amount.
    fn prolong(&mut self, len: u32, op: &Op) -> bool {
        let mut input = Reader::new(&self.bytes.as_bytes()[self.last..]);
        if !matches!(op, Op::Increment { .. }) || input.is_empty() {
            return false;
        }
        let gap = held(input.varint());
        let (before, last) = row::read(&mut input, &self.names);
        if last != *op {
            return false;
        }
        self.bytes.truncate(self.last);
        self.bytes.varint(gap);
        row::write(op, before + len, &mut self.names, &mut self.bytes);
        self.end += len;
        true
    }

    /// Forgets the events from `lv` on.
    pub(crate) fn truncate(&mut self, lv: Lv) {
        if self.end <= lv {
            return;
        }
        let marked = self.marks.partition_point(|mark| mark.end < lv);
        let mut kept = marked as u32 * MARK_ROWS;
        let mut rows = self.rows_from(marked);
        let mut cut = rows.place();
        let mut last = None;
        let mut shortened = None;
        let mut forgotten = 0;
        while let Some(start) = rows.start() {
            let operation = rows.input.clone();
            let outline = rows.skip(start);
            if rows.end <= lv {
                (last, kept) = (Some(cut.at), kept + 1);
                cut = rows.place();
            } else if start < lv {
                let (_, op) = row::read(&mut operation.clone(), &self.names);
                shortened = Some((start, op));
            } else {
                forgotten += usize::from(outline.introduces);
            }
        }
        self.bytes.truncate(cut.at);
        self.names.forget(forgotten);
        self.marks.truncate((kept.saturating_sub(1) / MARK_ROWS) as usize);
        (self.rows, self.end, self.last) = (kept, cut.end, last.unwrap_or(cut.at));
        if let Some((start, op)) = shortened {
            self.push(start, lv - start, &op);
        }
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// What the events in `range` did, cut at its bounds.
    pub(crate) fn pieces(&self, range: Range<Lv>) -> impl Iterator<Item = (Lv, u32, Op)> + '_ {
        let mut rows = self.rows_from(self.marks.partition_point(|mark| mark.end <= range.start));
        core::iter::from_fn(move || {
            loop {
                let start = rows.start().filter(|&start| start < range.end)?;
                let mut operation = rows.input.clone();
                rows.skip(start);
                if rows.end > range.start {
                    let (_, op) = row::read(&mut operation, &self.names);
                    let first = start.max(range.start);
                    return Some((first, rows.end.min(range.end) - first, op));
                }
            }
        })
    }

    /// The rows after so many marks.
    fn rows_from(&self, marks: usize) -> Rows<'_> {
        let mark = marks.checked_sub(1).map_or_else(Mark::default, |mark| self.marks[mark]);
        Rows { base: mark.at, end: mark.end, input: Reader::new(&self.bytes.as_bytes()[mark.at..]) }
    }

    /// Panics if the log contradicts itself. For tests.
    pub(crate) fn check_invariants(&self) {
        let mut rows = self.rows_from(0);
        let (mut count, mut last, mut introduced) = (0, rows.place(), 0);
        loop {
            let here = rows.place();
            let Some(start) = rows.start() else { break };
            if count > 0 && count % MARK_ROWS == 0 {
                assert_eq!(self.marks[(count / MARK_ROWS) as usize - 1], here);
            }
            let operation = rows.input.clone();
            let outline = rows.skip(start);
            let (len, _) = row::read(&mut operation.clone(), &self.names);
            assert_eq!(len, outline.len, "an operation is read as it is read over");
            assert!(len > 0, "a row has events");
            (count, last) = (count + 1, here);
            introduced += usize::from(outline.introduces);
        }
        assert_eq!(rows.place(), Mark { at: self.bytes.len(), end: self.end });
        assert_eq!(count, self.rows);
        assert_eq!(self.marks.len() as u32, count.saturating_sub(1) / MARK_ROWS);
        assert_eq!(introduced, self.names.len(), "each name is introduced by one row");
        assert!(self.last == last.at || self.last == self.bytes.len());
    }
}

/// Rows, one after the other.
struct Rows<'a> {
    /// Where the input begins in the bytes.
    base: usize,
    /// After the events of the last row that was read.
    end: Lv,
    input: Reader<'a>,
}

impl Rows<'_> {
    fn place(&self) -> Mark {
        Mark { at: self.base + self.input.position(), end: self.end }
    }

    /// The first event of the next row, if there is one. Its operation is read next.
    fn start(&mut self) -> Option<Lv> {
        if self.input.is_empty() {
            return None;
        }
        Some(self.end + held(self.input.varint()) as Lv)
    }

    /// Reads over the operation of the row that begins with event `start`.
    fn skip(&mut self, start: Lv) -> row::Outline {
        let outline = row::skip(&mut self.input);
        self.end = start + outline.len;
        outline
    }
}
