//! The edits of one text, run-length encoded in the order they became known here.

use alloc::string::String;
use core::ops::Range;

use smallvec::SmallVec;

use super::error::InvalidTextOp;
use super::rope::byte_of_char;
use super::run::{EVENTS_MAX, Run, RunKind, TextOp};
use crate::causality::Lv;

/// A run in the log: sixteen bytes, whatever its length.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Entry {
    lv: Lv,
    at: u32,
    /// The kind in the lowest two bits, the length in the rest.
    packed: u32,
    /// Where the run's text begins in the arena. Runs without text hold the arena's length
    /// at that time, so that a run's text always ends where the next begins.
    text: u32,
}

/// A run with text of more than one byte a code point is no longer than this, so that an
/// offset in it is found by looking at a few bytes.
const SCAN_MAX: u32 = if cfg!(test) { 5 } else { 256 };

impl Entry {
    fn new(lv: Lv, run: Run, text: u32) -> Self {
        let kind = match run.kind {
            RunKind::Insert => 0,
            RunKind::DeleteForward => 1,
            RunKind::DeleteBackward => 2,
            RunKind::Clear => 3,
        };
        Self { lv, at: run.at, packed: run.len << 2 | kind, text }
    }

    fn len(self) -> u32 {
        self.packed >> 2
    }

    fn end(self) -> Lv {
        self.lv + self.len()
    }

    fn run(self) -> Run {
        let kind = match self.packed & 3 {
            0 => RunKind::Insert,
            1 => RunKind::DeleteForward,
            2 => RunKind::DeleteBackward,
            _ => RunKind::Clear,
        };
        Run { kind, at: self.at, len: self.len() }
    }
}

/// Part of a run: its first event, its shape, and the bytes of its text in the arena.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Piece {
    pub(super) lv: Lv,
    pub(super) run: Run,
    pub(super) text: Range<u32>,
}

impl Piece {
    /// Takes the first `len` events off (all of them, if there are no more), and leaves the
    /// rest. To cut a piece up from the front costs linear time in all.
    pub(super) fn split_off_first(&mut self, log: &OpLog, len: u32) -> Self {
        if len >= self.run.len {
            return self.clone();
        }
        let mut first = self.clone();
        (first.run, self.run) = self.run.split(len);
        if first.run.kind == RunKind::Insert {
            let text = log.text(self.text.clone());
            let cut =
                self.text.start + byte_of_char(text, first.run.len + self.run.len, len) as u32;
            first.text.end = cut;
            self.text.start = cut;
        }
        self.lv += len;
        first
    }
}

/// All edits of one text, by local version.
#[derive(Clone, Default, Debug)]
pub(super) struct OpLog {
    /// Two lie in place: a deletion and an insertion, which is all that most deltas have.
    entries: SmallVec<[Entry; 2]>,
    /// All text ever inserted, in the order of the log.
    arena: String,
}

impl OpLog {
    /// The local version after the last event; zero for an empty log.
    pub(super) fn end(&self) -> Lv {
        self.entries.last().map_or(0, |last| last.end())
    }

    /// The index of the run that holds event `lv`, or of the first after it.
    pub(super) fn run_at(&self, lv: Lv) -> usize {
        self.entries.partition_point(|entry| entry.end() <= lv)
    }

    /// How many runs in `range` are no clearings.
    pub(super) fn positioned_runs(&self, range: Range<Lv>) -> usize {
        self.runs_in(range).filter(|(_, run)| run.kind != RunKind::Clear).count()
    }

    /// How many bytes of text were ever inserted.
    pub(super) fn text_bytes(&self) -> usize {
        self.arena.len()
    }

    /// Makes room for `runs` more runs with `text` bytes of text.
    pub(super) fn reserve(&mut self, runs: usize, text: usize) {
        let (entries, arena) = (&mut self.entries, &mut self.arena);
        if let Some(more) = growth(entries.len(), entries.capacity(), runs) {
            entries.reserve_exact(more);
        }
        if let Some(more) = growth(arena.len(), arena.capacity(), text) {
            arena.reserve_exact(more);
        }
    }

    /// Whether there is room for events up to local version `end`, with `text` bytes of text.
    pub(super) fn has_room(&self, end: Option<Lv>, text: usize) -> bool {
        end.is_some_and(|end| end <= EVENTS_MAX)
            && text <= (EVENTS_MAX as usize).saturating_sub(self.arena.len())
    }

    /// Appends the events of `op`, the first of which is `lv`, and returns their number.
    pub(super) fn push(&mut self, lv: Lv, op: &TextOp<'_>) -> Result<u32, InvalidTextOp> {
        let run = Run::of(op)?;
        let content = op.content();
        if !self.has_room(lv.checked_add(run.len), content.len()) {
            return Err(InvalidTextOp::TooLong);
        }
        self.push_run(lv, run, content);
        Ok(run.len)
    }

    /// Appends a run with its text, for which there is room.
    pub(super) fn push_run(&mut self, lv: Lv, run: Run, content: &str) {
        assert!(lv >= self.end(), "events are logged in the order of their local versions");
        // In a browser doubling has to do, which is there anyway.
        if !cfg!(target_arch = "wasm32") {
            self.reserve(1, content.len());
        }
        let mut text = self.arena.len() as u32;
        self.arena.push_str(content);
        let (mut lv, mut rest, mut content) = (lv, run, content);
        let is_ascii = |rest: Run, content: &str| {
            run.kind != RunKind::Insert || rest.len as usize == content.len()
        };
        while rest.len > SCAN_MAX && !is_ascii(rest, content) {
            let (piece, later) = rest.split(SCAN_MAX);
            let bytes = byte_of_char(content, rest.len, SCAN_MAX);
            self.append(lv, piece, text, bytes == SCAN_MAX as usize);
            (lv, rest, content) = (lv + SCAN_MAX, later, &content[bytes..]);
            text += bytes as u32;
        }
        self.append(lv, rest, text, is_ascii(rest, content));
    }

    /// Appends the events of `range` of another log as those from `lv` on; there is room.
    pub(super) fn extend(&mut self, other: &Self, range: Range<Lv>, lv: Lv) {
        if range.is_empty() {
            return;
        }
        let (mut index, whole) = (other.run_at(range.start), other.run_at(range.end));
        if let Some(first) = other.entries.get(index).filter(|_| index < whole) {
            let text = other.text_end(whole - 1) - first.text;
            self.reserve(whole - index, text as usize);
        }
        let mut begun = false;
        while other.entries.get(index).is_some_and(|entry| entry.lv < range.end) {
            if begun && index < whole {
                self.extend_whole(other, index..whole, lv, range.start);
                index = whole;
                continue;
            }
            let (runs, piece) = (self.entries.len(), other.piece(index, range.clone()));
            self.push_run(lv + (piece.lv - range.start), piece.run, other.text(piece.text));
            // Where a run begins here as it does there, those after it do so too.
            begun = self.entries.len() > runs;
            index += 1;
        }
    }

    /// Appends whole runs of another log, whose event `first` becomes `lv`.
    fn extend_whole(&mut self, other: &Self, range: Range<usize>, lv: Lv, first: Lv) {
        let base = self.arena.len() as u32;
        let text = other.entries[range.start].text..other.text_end(range.end - 1);
        let moved = other.entries[range].iter().map(|entry| Entry {
            lv: lv + (entry.lv - first),
            text: base + (entry.text - text.start),
            ..*entry
        });
        self.entries.extend(moved);
        self.arena.push_str(other.text(text));
    }

    /// Appends a run whose text is in the arena already.
    fn append(&mut self, mut lv: Lv, mut run: Run, text: u32, ascii: bool) {
        if let Some(last) = self.entries.last_mut().filter(|last| last.end() == lv) {
            let mut grown = last.run();
            let one_byte_each = ascii && (text - last.text) == last.len();
            let quick =
                run.kind != RunKind::Insert || one_byte_each || grown.len + run.len <= SCAN_MAX;
            let taken = if quick { grown.absorb(run) } else { 0 };
            if taken > 0 {
                *last = Entry::new(last.lv, grown, last.text);
                if taken == run.len {
                    return;
                }
                // Only deletions are taken in by parts, and they have no text.
                lv += taken;
                run = run.split(taken).1;
            }
        }
        self.entries.push(Entry::new(lv, run, text));
    }

    /// Forgets the events from `lv` on.
    pub(super) fn truncate(&mut self, lv: Lv) {
        let index = self.run_at(lv);
        let Some(&entry) = self.entries.get(index) else { return };
        let text = if entry.lv < lv {
            let (kept, _) = entry.run().split(lv - entry.lv);
            let text = self.piece(index, entry.lv..lv).text.end;
            self.entries[index] = Entry::new(entry.lv, kept, entry.text);
            self.entries.truncate(index + 1);
            text
        } else {
            self.entries.truncate(index);
            entry.text
        };
        self.arena.truncate(text as usize);
    }

    /// Where the text of run `index` ends in the arena.
    fn text_end(&self, index: usize) -> u32 {
        self.entries.get(index + 1).map_or(self.arena.len() as u32, |next| next.text)
    }

    /// The part of run `index` whose events are in `range`, which meets it.
    fn piece(&self, index: usize, range: Range<Lv>) -> Piece {
        let (entry, text_end) = (self.entries[index], self.text_end(index));
        let (start, end) = (range.start.max(entry.lv), range.end.min(entry.end()));
        let mut run = entry.run();
        let mut text = entry.text..text_end;
        if start > entry.lv {
            run = run.split(start - entry.lv).1;
        }
        if end < entry.end() {
            run = run.split(end - start).0;
        }
        if run.kind == RunKind::Insert && run.len < entry.len() {
            let whole = &self.arena[text.start as usize..text.end as usize];
            let from = byte_of_char(whole, entry.len(), start - entry.lv);
            let len = byte_of_char(&whole[from..], entry.end() - start, run.len);
            let from = text.start + from as u32;
            text = from..from + len as u32;
        }
        Piece { lv: start, run, text }
    }

    /// The runs whose events are in `range`, cut at its bounds.
    pub(super) fn pieces(&self, range: Range<Lv>) -> impl Iterator<Item = Piece> + '_ {
        let first =
            if range.start >= range.end { self.entries.len() } else { self.run_at(range.start) };
        (first..self.entries.len())
            .take_while({
                let end = range.end;
                move |&index| self.entries[index].lv < end
            })
            .map(move |index| self.piece(index, range.clone()))
    }

    /// The shapes of the runs whose events are in `range`, last first, without their text.
    pub(super) fn runs_backwards(&self, range: Range<Lv>) -> impl Iterator<Item = (Lv, Run)> + '_ {
        let end = if range.start >= range.end {
            0
        } else {
            self.entries.partition_point(|e| e.lv < range.end)
        };
        (0..end)
            .rev()
            .map(|index| self.entries[index])
            .take_while({
                let start = range.start;
                move |entry| entry.end() > start
            })
            .map(move |entry| cut(entry, &range))
    }

    /// The shapes of the runs whose events are in `range`, without their text.
    pub(super) fn runs_in(&self, range: Range<Lv>) -> impl Iterator<Item = (Lv, Run)> + '_ {
        let first =
            if range.start >= range.end { self.entries.len() } else { self.run_at(range.start) };
        self.entries[first..]
            .iter()
            .take_while({
                let end = range.end;
                move |entry| entry.lv < end
            })
            .map(move |&entry| cut(entry, &range))
    }

    /// The text of a piece.
    pub(super) fn text(&self, text: Range<u32>) -> &str {
        &self.arena[text.start as usize..text.end as usize]
    }

    /// The operation of a piece.
    pub(super) fn op(&self, piece: &Piece) -> TextOp<'_> {
        let Run { kind, at, len } = piece.run;
        match kind {
            RunKind::Insert => TextOp::Insert { at, content: self.text(piece.text.clone()) },
            RunKind::DeleteForward => TextOp::Delete { at, len, forward: true },
            RunKind::DeleteBackward => TextOp::Delete { at, len, forward: false },
            RunKind::Clear => TextOp::Clear { len },
        }
    }

    /// Panics when runs overlap or texts do not fit.
    pub(super) fn check_invariants(&self) {
        for (index, pair) in self.entries.windows(2).enumerate() {
            assert!(pair[0].end() <= pair[1].lv, "runs are in order");
            assert!(pair[0].text <= pair[1].text);
            let text = self.piece(index, pair[0].lv..pair[0].end()).text;
            let chars = self.text(text).chars().count() as u32;
            let inserts = pair[0].run().kind == RunKind::Insert;
            assert_eq!(chars, if inserts { pair[0].len() } else { 0 });
        }
    }
}

/// How much room to make for `more` beyond `len`, if there is not enough: no more than is needed
/// the first time, and a quarter of what there is from then on. That is amortised, and leaves
/// less unused than doubling does.
fn growth(len: usize, capacity: usize, more: usize) -> Option<usize> {
    let needed = len + more;
    (needed > capacity).then(|| needed.max(capacity + capacity / 4) - len)
}

fn cut(entry: Entry, range: &Range<Lv>) -> (Lv, Run) {
    let (start, end) = (range.start.max(entry.lv), range.end.min(entry.end()));
    let mut run = entry.run();
    if start > entry.lv {
        run = run.split(start - entry.lv).1;
    }
    if end < entry.end() {
        run = run.split(end - start).0;
    }
    (start, run)
}
