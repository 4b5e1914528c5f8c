//! Reading batches.

use alloc::vec::Vec;
use core::iter::FusedIterator;
use core::marker::PhantomData;

use crdt_core::codec::{Decode, DecodeError, DecodeErrorKind, Reader, ReceiveTable};
use crdt_core::{Dot, ReplicaId, SEQ_MAX};

use super::super::limits::Limits;
use super::super::message::Message;
use super::super::parents::Parents;
use super::known::{Known, at_distance};
use super::{BATCH_MAX, VERSION, flag};

/// Reads batches of messages that a stranger may have written; its counterpart is
/// [`BatchEncoder`](super::BatchEncoder).
///
/// It holds the names of replicas, about fifty bytes for each sixteen that came, and
/// [`Limits::replicas_max`] of them at most.
#[derive(Clone, Debug)]
pub struct BatchDecoder {
    replicas: ReceiveTable<ReplicaId>,
    known: Vec<Known>,
    parents_max: usize,
}

impl BatchDecoder {
    /// A decoder that knows no replica yet, with the bounds of the buffer for numbers of
    /// replicas and parents.
    #[must_use]
    pub fn new(limits: &Limits) -> Self {
        Self {
            replicas: ReceiveTable::with_keys_max(limits.replicas_max),
            known: Vec::new(),
            parents_max: limits.parents_max,
        }
    }

    /// The messages of a batch, read one at a time, so that memory is for those to bound that keep
    /// them. Exactly what an encoder writes is accepted.
    ///
    /// What comes before an error is sound in itself, and may be used. After an error, or if
    /// not everything was read, the decoder does not know what its encoder knows: it is of no
    /// use any more, and neither is the connection.
    ///
    /// # Errors
    ///
    /// The head is wrong: [`UnknownVersion`](DecodeErrorKind::UnknownVersion),
    /// [`OutOfRange`](DecodeErrorKind::OutOfRange) for more than
    /// [`BATCH_MAX`](super::BATCH_MAX) messages, or counts of what is not there.
    pub fn decode<'a, P: Decode>(
        &'a mut self,
        bytes: &'a [u8],
    ) -> Result<Messages<'a, P>, DecodeError> {
        self.read(Reader::new(bytes))
    }

    pub(in super::super) fn read<'a, P: Decode>(
        &'a mut self,
        mut input: Reader<'a>,
    ) -> Result<Messages<'a, P>, DecodeError> {
        if input.u8()? != VERSION {
            return Err(DecodeErrorKind::UnknownVersion.at(input.position() - 1));
        }
        let at = input.position();
        let left = input.varint_max(BATCH_MAX as u64)?;
        let rows = input.section()?;
        if left.saturating_mul(P::BYTES_MIN as u64) > input.remaining() as u64 {
            return Err(DecodeErrorKind::CountTooLarge.at(at));
        }
        let payload = PhantomData;
        Ok(Messages {
            decoder: self,
            rows,
            payloads: input,
            left,
            row: None,
            is_over: false,
            payload,
        })
    }

    /// Reads a row, of `left` messages at most, after one of `previous`. The parents of its first
    /// message come into `parents`.
    fn row(
        &mut self,
        rows: &mut Reader<'_>,
        left: u64,
        previous: Option<u32>,
        parents: &mut Parents,
    ) -> Result<Row, DecodeError> {
        let start = rows.position();
        let (number, flags) = self.replica(flag::BITS, rows)?;
        let expected = self.known[number as usize].expected();
        let has = |flag| flags & flag != 0;
        let is_next = !has(flag::ELSEWHERE);
        let at = rows.position();
        let first = if is_next {
            at_distance(0, expected).map_err(|kind| kind.at(start))?
        } else {
            let distance = rows.signed()?;
            if distance == 0 {
                return Err(DecodeErrorKind::NotCanonical.at(at));
            }
            at_distance(distance, expected).map_err(|kind| kind.at(at))?
        };
        if is_next && !has(flag::PARENTS) && previous == Some(number) {
            // It belongs to the row before.
            return Err(DecodeErrorKind::NotCanonical.at(start));
        }
        self.known[number as usize].author(first);
        if has(flag::PARENTS) {
            self.parents(rows, parents)?;
        }
        let at = rows.position();
        let more = if has(flag::COUNT) { 1 + rows.varint_max(left)? } else { 0 };
        let last = first.saturating_add(more);
        if more >= left || last > SEQ_MAX {
            return Err(DecodeErrorKind::OutOfRange.at(at));
        }
        if more > 0 {
            self.known[number as usize].author(last);
        }
        Ok(Row { number, next: first, last })
    }

    fn parents(&mut self, rows: &mut Reader<'_>, parents: &mut Parents) -> Result<(), DecodeError> {
        loop {
            let at = rows.position();
            if parents.len() >= self.parents_max {
                return Err(DecodeErrorKind::OutOfRange.at(at));
            }
            let (number, has_next) = self.replica(flag::PARENT_BITS, rows)?;
            let at = rows.position();
            let known = &mut self.known[number as usize];
            let seq = at_distance(rows.signed()?, known.mentioned()).map_err(|kind| kind.at(at))?;
            known.mention(seq);
            parents.push(Dot::new(self.name(number), seq));
            if has_next == 0 {
                return Ok(());
            }
        }
    }

    fn replica(
        &mut self,
        flag_bits: u32,
        rows: &mut Reader<'_>,
    ) -> Result<(u32, u64), DecodeError> {
        let read = self.replicas.read(flag_bits, rows)?;
        if self.known.len() < self.replicas.len() {
            self.known.push(Known::default());
        }
        Ok(read)
    }

    fn name(&self, number: u32) -> ReplicaId {
        *self.replicas.get(number).expect("it was read")
    }
}

/// The messages of one row that were not given out yet.
#[derive(Debug)]
struct Row {
    number: u32,
    next: u64,
    last: u64,
}

/// The messages of a batch, in its order; see [`BatchDecoder::decode`].
///
/// An error is the last thing that comes. What is left over at the end is one, too.
#[derive(Debug)]
pub struct Messages<'a, P> {
    decoder: &'a mut BatchDecoder,
    rows: Reader<'a>,
    payloads: Reader<'a>,
    left: u64,
    row: Option<Row>,
    is_over: bool,
    payload: PhantomData<fn() -> P>,
}

impl<P: Decode> Messages<'_, P> {
    fn message(&mut self) -> Result<Option<Message<P>>, DecodeError> {
        if self.left == 0 {
            self.is_over = true;
            self.rows.finish()?;
            self.payloads.finish()?;
            return Ok(None);
        }
        let mut parents = Parents::NONE;
        let row = match &mut self.row {
            Some(row) if row.next <= row.last => row,
            row => {
                let previous = row.take().map(|row| row.number);
                let read = self.decoder.row(&mut self.rows, self.left, previous, &mut parents)?;
                row.insert(read)
            }
        };
        let dot = Dot::new(self.decoder.name(row.number), row.next);
        row.next += 1;
        self.left -= 1;
        let payload = P::decode(&mut self.payloads)?;
        Ok(Some(Message { dot, parents, payload }))
    }
}

impl<P: Decode> Iterator for Messages<'_, P> {
    type Item = Result<Message<P>, DecodeError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        let message = self.message().transpose();
        self.is_over |= !matches!(message, Some(Ok(_)));
        message
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        // An error may come in place of any.
        (0, Some(self.left as usize + 1))
    }
}

impl<P: Decode> FusedIterator for Messages<'_, P> {}
