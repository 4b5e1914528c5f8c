//! What the events of one container do: a stream of its own, in the order of the events.

use core::ops::Range;

use crdt_core::codec::{DecodeError, Reader, Writer};

use super::rows::{RowWriter, Rows};
use super::sums::{SumWriter, Sums};
use super::text::{TextRuns, TextWriter};
use crate::Kind;
use crate::op::Piece;

/// Gathers a container's operations and writes them. However they were cut into pieces, the
/// same operations give the same bytes.
#[derive(Debug)]
pub(crate) struct StreamWriter {
    kind: Kind,
    content: Content,
}

#[derive(Debug)]
enum Content {
    Rows(RowWriter),
    Sums(SumWriter),
    Text(TextWriter),
}

impl StreamWriter {
    pub(crate) fn new(kind: Kind) -> Self {
        let content = match kind {
            Kind::Counter => Content::Sums(SumWriter::default()),
            Kind::Text => Content::Text(TextWriter::default()),
            _ => Content::Rows(RowWriter::default()),
        };
        Self { kind, content }
    }

    pub(crate) fn push(&mut self, piece: &Piece<'_>) {
        match (&mut self.content, piece) {
            (Content::Rows(rows), Piece::Op { op, .. }) => rows.push(self.kind, op),
            (Content::Sums(sums), Piece::Op { op, len }) => sums.push(op, *len),
            (Content::Text(text), piece) => text.push(piece),
            (_, Piece::Text(_)) => unreachable!("only a text has edits"),
        }
    }

    /// Whether a text has operations besides its edits.
    pub(crate) fn is_extended(&self) -> bool {
        matches!(&self.content, Content::Text(text) if text.is_extended())
    }

    pub(crate) fn finish(self, out: &mut Writer) {
        match self.content {
            Content::Rows(rows) => rows.finish(out),
            Content::Sums(sums) => sums.finish(out),
            Content::Text(text) => text.finish(out),
        }
    }
}

/// A stream that was read: well formed, its operations not yet taken out.
#[derive(Debug)]
pub(super) struct Stream {
    kind: Kind,
    content: Read,
}

#[derive(Debug)]
enum Read {
    Rows(Rows),
    Sums(Sums),
    Text(TextRuns),
}

impl Stream {
    /// Reads the stream of `events` events from the front of `input`, whose bytes are kept
    /// from position 0 on.
    pub(super) fn read(
        kind: Kind,
        events: u32,
        extended: bool,
        input: &mut Reader<'_>,
    ) -> Result<Self, DecodeError> {
        let content = match kind {
            Kind::Counter => Read::Sums(Sums::read(events, input)?),
            Kind::Text => Read::Text(TextRuns::read(events, extended, input)?),
            _ => Read::Rows(Rows::read(kind, events, input)?),
        };
        Ok(Self { kind, content })
    }

    pub(super) const fn kind(&self) -> Kind {
        self.kind
    }

    /// Calls `found` with what the stream's events in `range` do, each piece with the index
    /// of its first event.
    pub(super) fn pieces<'a>(
        &'a self,
        range: Range<u32>,
        bytes: &[u8],
        found: &mut dyn FnMut(u32, Piece<'a>),
    ) {
        match &self.content {
            Read::Rows(rows) => {
                for index in range {
                    found(index, Piece::Op { op: rows.op(self.kind, index, bytes), len: 1 });
                }
            }
            Read::Sums(sums) => sums.pieces(range, bytes, found),
            Read::Text(text) => text.pieces(range, bytes, found),
        }
    }
}
