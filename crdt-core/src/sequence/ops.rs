//! The encoded form of a stream of edits.
//!
//! Three columns, without counts, since the reader knows from the changes' headers how many
//! events there are:
//!
//! 1. a varint for each run: its kind in the lowest two bits (0 insert, 1 delete forwards,
//!    2 delete backwards, 3 clear), above them its length, or 0 where it takes all the
//!    events that are left;
//! 2. for each run but clearings, the distance from where the run before left its cursor to
//!    the gap at which this run's first event happens, signed;
//! 3. the inserted text. Its length follows from the first column, as code points.
//!
//! Runs are as long as the rule in `run.rs` makes them, looking at single events, so that
//! equal streams have equal bytes however they were cut; any other division is refused. One
//! typed character near the beginning takes three bytes.

use core::ops::Range;

use super::error::InvalidTextOp;
use super::log::OpLog;
use super::rope::byte_of_char;
use super::run::{EVENTS_MAX, Run, RunKind, TextOp};
use crate::causality::Lv;
use crate::codec::{DecodeError, DecodeErrorKind, Reader, Writer};

/// Gathers edits, one after the other, and writes them.
#[derive(Clone, Debug, Default)]
pub struct OpWriter {
    runs: OpRuns,
}

impl OpWriter {
    /// For an empty stream.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends an edit.
    ///
    /// # Panics
    ///
    /// If it has no event, or the stream would have more than [`EVENTS_MAX`] events or as
    /// many bytes of text: a log that edits come from is no longer.
    pub fn push(&mut self, op: TextOp<'_>) {
        self.runs.push(op);
    }

    /// How many events were appended.
    #[must_use]
    pub fn events(&self) -> u32 {
        self.runs.events()
    }

    /// Writes the stream.
    pub fn finish(self, out: &mut Writer) {
        self.runs.encode(out);
    }
}

/// A stream of edits: sixteen bytes a run, and the text. Events are known by their index.
#[derive(Clone, Debug, Default)]
pub struct OpRuns {
    log: OpLog,
}

impl OpRuns {
    /// An empty stream.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends an edit; see [`OpWriter::push`].
    pub fn push(&mut self, op: TextOp<'_>) {
        let end = self.log.end();
        self.log.push(end, &op).expect("a stream is no longer than the log it comes from");
    }

    /// How many events there are.
    #[must_use]
    pub fn events(&self) -> u32 {
        self.log.end()
    }

    /// Appends events of another stream.
    ///
    /// # Errors
    ///
    /// [`InvalidTextOp::TooLong`] if both are too long for one; nothing is changed.
    pub(super) fn extend(&mut self, other: &Self, events: Range<u32>) -> Result<(), InvalidTextOp> {
        let end = self.events();
        other.copy_to(&mut self.log, events, end)
    }

    /// Panics when the stream is broken.
    #[cfg(test)]
    pub(super) fn check_invariants(&self) {
        self.log.check_invariants();
    }

    /// Appends events of the stream to a log.
    ///
    /// # Errors
    ///
    /// [`InvalidTextOp::TooLong`] if there is no room for them; nothing is changed.
    pub(super) fn copy_to(
        &self,
        log: &mut OpLog,
        events: Range<u32>,
        lv: Lv,
    ) -> Result<(), InvalidTextOp> {
        let end = lv.checked_add(events.end - events.start);
        if !log.has_room(end, self.log.text_bytes()) {
            return Err(InvalidTextOp::TooLong);
        }
        log.extend(&self.log, events, lv);
        Ok(())
    }

    pub(super) fn log(&self) -> &OpLog {
        &self.log
    }

    pub(super) fn runs(&self) -> usize {
        self.log.run_at(self.events())
    }

    pub(super) fn text_bytes(&self) -> usize {
        self.log.text_bytes()
    }

    /// The edits whose events are in `range`, cut at its bounds, each with the index of its
    /// first event.
    pub fn pieces(&self, range: Range<u32>) -> impl Iterator<Item = (u32, TextOp<'_>)> + '_ {
        self.log.pieces(range).map(|piece| (piece.lv, self.log.op(&piece)))
    }

    /// Writes the stream, without the number of its events.
    pub fn encode(&self, out: &mut Writer) {
        let mut left = self.events();
        self.canonical_runs(|run| {
            write_kind(run, &mut left, out);
        });
        let mut cursor = 0;
        self.canonical_runs(|run| {
            if run.kind != RunKind::Clear {
                out.signed(i64::from(first_gap(run)) - i64::from(cursor));
            }
            cursor = cursor_after(run);
        });
        for piece in self.log.pieces(0..self.events()) {
            out.raw(self.log.text(piece.text).as_bytes());
        }
    }

    /// The runs as the rule alone makes them; the log holds some in shorter pieces.
    fn canonical_runs(&self, mut found: impl FnMut(Run)) {
        let mut last: Option<Run> = None;
        for (_, mut run) in self.log.runs_in(0..self.events()) {
            if let Some(before) = &mut last {
                let taken = before.absorb(run);
                if taken == run.len {
                    continue;
                }
                if taken > 0 {
                    run = run.split(taken).1;
                }
                found(*before);
            }
            last = Some(run);
        }
        last.into_iter().for_each(found);
    }

    /// Reads a stream of `events` events.
    ///
    /// # Errors
    ///
    /// Whatever is wrong with the bytes. That positions fit the text is not known here.
    pub fn read(events: u32, input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut this = Self::new();
        this.log.read(events, 0, input)?;
        Ok(this)
    }
}

impl OpLog {
    /// Reads a stream of `events` events, the first of which is `lv`, and appends them.
    ///
    /// # Errors
    ///
    /// Whatever is wrong with the bytes, or that there is no room; then some of the events may
    /// have been appended.
    pub(super) fn read(
        &mut self,
        events: u32,
        lv: Lv,
        input: &mut Reader<'_>,
    ) -> Result<(), DecodeError> {
        let Some(end) = lv.checked_add(events).filter(|&end| end <= EVENTS_MAX) else {
            return Err(input.error(DecodeErrorKind::OutOfRange));
        };
        // The columns are read side by side; the first tells where the others begin.
        let mut kinds = input.clone();
        let (runs, positioned, mut chars) = measure(events, input)?;
        let mut positions = input.clone();
        for _ in 0..positioned {
            input.varint()?;
        }
        let mut text = input.utf8(bytes_of_chars(input, chars)?)?;
        if !self.has_room(Some(end), text.len()) {
            return Err(input.error(DecodeErrorKind::OutOfRange));
        }
        self.reserve(runs, text.len());
        let (mut left, mut cursor, mut last) = (events, 0, None::<Run>);
        while left > 0 {
            let (kind, len) = read_kind(&mut kinds, left)?;
            let at = positions.position();
            let run = read_position(kind, len, cursor, &mut positions)?;
            if last.is_some_and(|mut last| last.absorb(run) > 0) {
                return Err(DecodeErrorKind::NotCanonical.at(at));
            }
            cursor = cursor_after(run);
            let mut content = "";
            if kind == RunKind::Insert {
                (content, text) = text.split_at(byte_of_char(text, chars, len));
                chars -= len;
            }
            self.push_run(end - left, run, content);
            left -= len;
            last = Some(run);
        }
        Ok(())
    }
}

/// Writes a run's entry in the first column, where `left` events are left.
pub(super) fn write_kind(run: Run, left: &mut u32, out: &mut Writer) {
    let rest = run.len == *left;
    *left -= run.len;
    let kind = match run.kind {
        RunKind::Insert => 0,
        RunKind::DeleteForward => 1,
        RunKind::DeleteBackward => 2,
        RunKind::Clear => 3,
    };
    out.varint(u64::from(if rest { 0 } else { run.len }) << 2 | kind);
}

/// The gap at which a run's first event happens: before what it inserts or deletes
/// forwards, behind what it deletes backwards.
pub(super) fn first_gap(run: Run) -> u32 {
    if run.kind == RunKind::DeleteBackward { run.at + run.len } else { run.at }
}

/// Where a run leaves the cursor.
pub(super) fn cursor_after(run: Run) -> u32 {
    if run.kind == RunKind::Insert { run.at + run.len } else { run.at }
}

/// Reads the first column: how many runs there are, how many of them have a position, and
/// how many code points they insert.
fn measure(events: u32, input: &mut Reader<'_>) -> Result<(usize, usize, u32), DecodeError> {
    let (mut runs, mut positioned, mut chars, mut left) = (0, 0, 0, events);
    while left > 0 {
        let (kind, len) = read_kind(input, left)?;
        runs += 1;
        positioned += usize::from(kind != RunKind::Clear);
        chars += if kind == RunKind::Insert { len } else { 0 };
        left -= len;
    }
    Ok((runs, positioned, chars))
}

pub(super) fn read_kind(input: &mut Reader<'_>, left: u32) -> Result<(RunKind, u32), DecodeError> {
    let at = input.position();
    let word = input.varint()?;
    let kind = match word & 3 {
        0 => RunKind::Insert,
        1 => RunKind::DeleteForward,
        2 => RunKind::DeleteBackward,
        _ => RunKind::Clear,
    };
    let len = match word >> 2 {
        0 => left,
        len if len > u64::from(left) => return Err(DecodeErrorKind::OutOfRange.at(at)),
        len if len == u64::from(left) => return Err(DecodeErrorKind::NotCanonical.at(at)),
        len => len as u32,
    };
    if len == 1 && kind == RunKind::DeleteBackward {
        return Err(DecodeErrorKind::NotCanonical.at(at));
    }
    Ok((kind, len))
}

pub(super) fn read_position(
    kind: RunKind,
    len: u32,
    cursor: u32,
    input: &mut Reader<'_>,
) -> Result<Run, DecodeError> {
    if kind == RunKind::Clear {
        return Ok(Run { kind, at: 0, len });
    }
    let at = input.position();
    let gap = i64::from(cursor).checked_add(input.signed()?);
    let start = match kind {
        RunKind::DeleteBackward => gap.and_then(|gap| gap.checked_sub(i64::from(len))),
        _ => gap,
    };
    match start.map(u32::try_from) {
        Some(Ok(start)) if start <= EVENTS_MAX => Ok(Run { kind, at: start, len }),
        _ => Err(DecodeErrorKind::OutOfRange.at(at)),
    }
}

/// How many of the next bytes are the next `chars` code points, if they are UTF-8.
fn bytes_of_chars(input: &Reader<'_>, chars: u32) -> Result<usize, DecodeError> {
    // So many are counted at a time, and one by one where the last of them begins.
    const BLOCK: usize = if cfg!(test) { 4 } else { 64 };
    let begins = |&byte: &u8| byte & 0xC0 != 0x80;
    let (rest, mut left, mut at) = (input.rest(), chars as usize, 0);
    while let Some(block) = rest.get(at..at + BLOCK).filter(|_| left > BLOCK) {
        left -= block.iter().copied().filter(begins).count();
        at += BLOCK;
    }
    if left == 0 {
        return Ok(0);
    }
    let found = rest[at..].iter().enumerate().filter(|(_, byte)| begins(byte)).nth(left - 1);
    let (index, byte) = found.ok_or(input.error(DecodeErrorKind::UnexpectedEnd))?;
    let width = match byte {
        ..0xC0 => 1,
        0xC0..0xE0 => 2,
        0xE0..0xF0 => 3,
        0xF0.. => 4,
    };
    Ok(at + index + width)
}
