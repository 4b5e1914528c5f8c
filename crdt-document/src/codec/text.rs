//! The operations of texts: core's edit stream, as it is, unless the text holds operations
//! that the sender does not know. Then the stream is *extended*: it begins with the number of
//! those operations and, for each, how many edits stand before it since the last one, its
//! code and its payload.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::Range;

use crdt_core::codec::{DecodeError, DecodeErrorKind, Reader, Writer};
use crdt_core::sequence::{OpRuns, OpWriter};

use crate::op::{Extension, Op, Piece};

/// Gathers the operations of a text's events.
#[derive(Debug, Default)]
pub(super) struct TextWriter {
    edits: OpWriter,
    /// Each extension with the number of edits before it.
    extensions: Vec<(u32, Arc<Extension>)>,
}

impl TextWriter {
    pub(super) fn push(&mut self, piece: &Piece<'_>) {
        match piece {
            Piece::Text(op) => self.edits.push(*op),
            Piece::Op { op: Op::Extension(extension), .. } => {
                self.extensions.push((self.edits.events(), extension.clone()));
            }
            Piece::Op { .. } => unreachable!("not an operation of a text"),
        }
    }

    pub(super) fn is_extended(&self) -> bool {
        !self.extensions.is_empty()
    }

    pub(super) fn finish(self, out: &mut Writer) {
        if self.is_extended() {
            out.count(self.extensions.len());
            let mut last = 0;
            for (edits, extension) in self.extensions {
                out.varint(u64::from(edits - last));
                out.varint(u64::from(extension.code));
                out.bytes(&extension.payload);
                last = edits;
            }
        }
        self.edits.finish(out);
    }
}

/// The operations of a text's events.
#[derive(Debug)]
pub(super) struct TextRuns {
    edits: OpRuns,
    /// Each extension's place among the text's events, and where its code and payload are.
    extensions: Vec<(u32, u32)>,
}

impl TextRuns {
    pub(super) fn read(
        events: u32,
        extended: bool,
        input: &mut Reader<'_>,
    ) -> Result<Self, DecodeError> {
        let mut extensions: Vec<(u32, u32)> = Vec::new();
        if extended {
            let at = input.position();
            let count = input.count(3)?;
            if count == 0 || count as u64 > u64::from(events) {
                return Err(DecodeErrorKind::OutOfRange.at(at));
            }
            let (mut next, mut edits_left) = (0, events - count as u32);
            for _ in 0..count {
                let before = input.varint_max(u64::from(edits_left))? as u32;
                edits_left -= before;
                extensions.push((next + before, input.position() as u32));
                next += before + 1;
                input.varint_u32()?;
                input.bytes()?;
            }
        }
        let edits = OpRuns::read(events - extensions.len() as u32, input)?;
        Ok(Self { edits, extensions })
    }

    /// Calls `found` with the pieces of the events in `range`.
    pub(super) fn pieces<'a>(
        &'a self,
        range: Range<u32>,
        bytes: &[u8],
        found: &mut dyn FnMut(u32, Piece<'a>),
    ) {
        let mut index = self.extensions.partition_point(|&(event, _)| event < range.start);
        let mut event = range.start;
        while event < range.end {
            let extension = self.extensions.get(index).filter(|&&(event, _)| event < range.end);
            let end = extension.map_or(range.end, |&(event, _)| event);
            // So many of the events before are no edits.
            let others = index as u32;
            for (index, op) in self.edits.pieces(event - others..end - others) {
                found(index + others, Piece::Text(op));
            }
            event = end;
            if let Some(&(_, at)) = extension {
                found(event, Piece::Op { op: read_extension(at, bytes), len: 1 });
                event += 1;
                index += 1;
            }
        }
    }
}

fn read_extension(at: u32, bytes: &[u8]) -> Op {
    let mut input = Reader::new(&bytes[at as usize..]);
    let read =
        input.varint_u32().and_then(|code| Ok(Extension { code, payload: input.bytes()?.into() }));
    Op::Extension(Arc::new(read.expect("the extension was read before")))
}
