//! The operations of counters: runs of equal amounts.
//!
//! The column's values are 0 for a reset, 1 for an extension, and otherwise the amount,
//! zigzag, plus 1 (an amount is never 0). The codes and payloads of extensions follow the
//! column.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::Range;

use crdt_core::codec::{DecodeError, Reader, RunReader, RunWriter, Writer, unzigzag, zigzag};

use crate::op::{Extension, Op, Piece};

const RESET: u64 = 0;
const EXTENSION: u64 = 1;

/// Gathers the operations of a counter's events.
#[derive(Debug, Default)]
pub(super) struct SumWriter {
    ops: Vec<(Op, u32)>,
    events: u64,
}

impl SumWriter {
    pub(super) fn push(&mut self, op: &Op, len: u32) {
        self.events += u64::from(len);
        match self.ops.last_mut() {
            Some((last, held)) if last == op && !matches!(op, Op::Extension(_)) => *held += len,
            _ => self.ops.push((op.clone(), len)),
        }
    }

    pub(super) fn finish(self, out: &mut Writer) {
        let mut column = RunWriter::new(self.events);
        for (op, len) in &self.ops {
            let value = match op {
                Op::Clear => RESET,
                Op::Increment { amount } => zigzag(*amount) + 1,
                Op::Extension(_) => EXTENSION,
                _ => unreachable!("not an operation of a counter"),
            };
            column.push(value, u64::from(*len), out);
        }
        column.finish(out);
        for (op, _) in &self.ops {
            if let Op::Extension(extension) = op {
                out.varint(u64::from(extension.code));
                out.bytes(&extension.payload);
            }
        }
    }
}

/// The runs of a counter's events.
#[derive(Debug, Default)]
pub(super) struct Sums {
    /// (the run's first event, its column value)
    runs: Vec<(u32, u64)>,
    /// (the event, where its code and payload are)
    extensions: Vec<(u32, u32)>,
}

impl Sums {
    pub(super) fn read(count: u32, input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut sums = Self::default();
        let mut column = RunReader::new(u64::from(count));
        let mut event = 0u32;
        while let Some((value, len)) = column.next_run(input)? {
            sums.runs.push((event, value));
            event += len as u32;
        }
        sums.runs.shrink_to_fit();
        for index in 0..sums.runs.len() {
            let (start, value) = sums.runs[index];
            let end = sums.runs.get(index + 1).map_or(count, |&(next, _)| next);
            for event in if value == EXTENSION { start..end } else { 0..0 } {
                sums.extensions.push((event, input.position() as u32));
                input.varint_u32()?;
                input.bytes()?;
            }
        }
        Ok(sums)
    }

    /// Calls `found` with the pieces of the events in `range`.
    pub(super) fn pieces<'a>(
        &'a self,
        range: Range<u32>,
        bytes: &[u8],
        found: &mut dyn FnMut(u32, Piece<'a>),
    ) {
        let Range { start: mut event, end } = range;
        let mut index = self.runs.partition_point(|&(start, _)| start <= event) - 1;
        while event < end {
            let value = self.runs[index].1;
            let run_end = self.runs.get(index + 1).map_or(end, |&(start, _)| start.min(end));
            if value == EXTENSION {
                for event in event..run_end {
                    found(event, Piece::Op { op: self.extension(event, bytes), len: 1 });
                }
            } else {
                let op = match value {
                    RESET => Op::Clear,
                    _ => Op::Increment { amount: unzigzag(value - 1) },
                };
                found(event, Piece::Op { op, len: run_end - event });
            }
            event = run_end;
            index += 1;
        }
    }

    fn extension(&self, event: u32, bytes: &[u8]) -> Op {
        let index = self.extensions.partition_point(|&(held, _)| held < event);
        let mut input = Reader::new(&bytes[self.extensions[index].1 as usize..]);
        let read = input
            .varint_u32()
            .and_then(|code| Ok(Extension { code, payload: input.bytes()?.into() }));
        Op::Extension(Arc::new(read.expect("the extension was read before")))
    }
}
