//! Writing batches.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use crdt_core::codec::{Encode, Writer};
use crdt_core::{Dot, ReplicaId, SEQ_MAX};

use super::super::message::Message;
use super::known::{Known, distance};
use super::{BATCH_MAX, VERSION, flag};

/// Writes batches of messages; its counterpart is [`BatchDecoder`](super::BatchDecoder).
///
/// ```
/// use crdt_causal::delivery::{BatchDecoder, BatchEncoder, Limits, Message, Parents};
/// use crdt_core::{Dot, ReplicaId};
///
/// let ann = ReplicaId::from_u128(1);
/// let message = |seq, text: &str| Message {
///     dot: Dot::new(ann, seq),
///     parents: Parents::NONE,
///     payload: text.to_string(),
/// };
/// let typed: Vec<_> = (1..=26).map(|seq| message(seq, "x")).collect();
/// let bytes = BatchEncoder::new().encode(&typed);
/// let (name, letters) = (16, 2 * 26);
/// assert_eq!(bytes.len(), name + letters + 5, "one row");
///
/// let mut decoder = BatchDecoder::new(&Limits::default());
/// let messages: Result<Vec<Message<String>>, _> = decoder.decode(&bytes)?.collect();
/// assert_eq!(messages?, typed);
/// # Ok::<(), crdt_core::codec::DecodeError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct BatchEncoder {
    numbers: BTreeMap<ReplicaId, u32>,
    known: Vec<Known>,
}

impl BatchEncoder {
    /// An encoder that has named no replica yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The bytes of a batch. The order is kept; a list of messages has one encoding by an encoder
    /// that has written the same before.
    ///
    /// O(bytes + messages and parents × log replicas).
    ///
    /// # Panics
    ///
    /// If there are more than [`BATCH_MAX`](super::BATCH_MAX) messages, or a number is not one of a
    /// message (1 to [`SEQ_MAX`]).
    #[must_use]
    pub fn encode<P: Encode>(&mut self, messages: &[Message<P>]) -> Vec<u8> {
        let mut batch = OpenBatch::new(self);
        for Message { dot, parents, payload } in messages {
            batch.push(*dot, parents, payload);
        }
        batch.finish()
    }

    /// The number of a replica, and whether it has just got it.
    fn number(&mut self, replica: ReplicaId) -> (u32, bool) {
        let next = u32::try_from(self.known.len()).expect("a name takes more room than a number");
        let number = *self.numbers.entry(replica).or_insert(next);
        let is_new = number == next;
        if is_new {
            self.known.push(Known::default());
        }
        (number, is_new)
    }
}

/// A batch that is being written, message by message.
#[derive(Debug)]
pub(in super::super) struct OpenBatch<'a> {
    encoder: &'a mut BatchEncoder,
    rows: Writer,
    payloads: Writer,
    count: usize,
    row: Option<Row>,
    /// The parents of the row's first message.
    parents: Writer,
}

/// Messages of one replica, each after the one before.
#[derive(Debug)]
struct Row {
    replica: ReplicaId,
    number: u32,
    is_new: bool,
    /// Of the first number.
    distance: u64,
    last: u64,
    count: u64,
}

impl<'a> OpenBatch<'a> {
    pub(in super::super) fn new(encoder: &'a mut BatchEncoder) -> Self {
        let (rows, payloads, parents) = (Writer::new(), Writer::new(), Writer::new());
        Self { encoder, rows, payloads, count: 0, row: None, parents }
    }

    pub(in super::super) const fn is_full(&self) -> bool {
        self.count == BATCH_MAX
    }

    pub(in super::super) const fn is_empty(&self) -> bool {
        self.count == 0
    }

    pub(in super::super) fn push<P: Encode>(&mut self, dot: Dot, parents: &[Dot], payload: &P) {
        assert!(!self.is_full(), "a batch has {BATCH_MAX} messages at most");
        for dot in parents.iter().chain([&dot]) {
            assert!((1..=SEQ_MAX).contains(&dot.seq), "{dot} names no message");
        }
        self.count += 1;
        payload.encode(&mut self.payloads);
        if let Some(row) = &mut self.row
            && parents.is_empty()
            && row.replica == dot.replica
            && row.last + 1 == dot.seq
        {
            row.last = dot.seq;
            row.count += 1;
            self.encoder.known[row.number as usize].author(dot.seq);
            return;
        }
        self.end_row();
        let Dot { replica, seq } = dot;
        let (number, is_new) = self.encoder.number(replica);
        let known = &mut self.encoder.known[number as usize];
        let distance = distance(seq, known.expected());
        known.author(seq);
        for (at, parent) in parents.iter().enumerate() {
            self.write_parent(*parent, at + 1 < parents.len());
        }
        self.row = Some(Row { replica, number, is_new, distance, last: seq, count: 1 });
    }

    fn write_parent(&mut self, parent: Dot, has_next: bool) {
        let (number, is_new) = self.encoder.number(parent.replica);
        let known = &mut self.encoder.known[number as usize];
        self.parents.varint(u64::from(number) << flag::PARENT_BITS | u64::from(has_next));
        if is_new {
            self.parents.raw(&parent.replica.to_bytes());
        }
        self.parents.varint(distance(parent.seq, known.mentioned()));
        known.mention(parent.seq);
    }

    fn end_row(&mut self) {
        let Some(Row { replica, number, is_new, distance, count, .. }) = self.row.take() else {
            return;
        };
        let flag = |is_set: bool, flag: u64| if is_set { flag } else { 0 };
        let flags = flag(distance != 0, flag::ELSEWHERE)
            | flag(!self.parents.is_empty(), flag::PARENTS)
            | flag(count > 1, flag::COUNT);
        self.rows.varint(u64::from(number) << flag::BITS | flags);
        if is_new {
            self.rows.raw(&replica.to_bytes());
        }
        if distance != 0 {
            self.rows.varint(distance);
        }
        self.rows.raw(self.parents.as_bytes());
        self.parents.truncate(0);
        if count > 1 {
            self.rows.varint(count - 2);
        }
    }

    pub(in super::super) fn finish(mut self) -> Vec<u8> {
        self.take()
    }

    /// The bytes of the batch; the next one is empty.
    pub(in super::super) fn take(&mut self) -> Vec<u8> {
        self.end_row();
        let mut out = Writer::new();
        out.u8(VERSION);
        out.count(self.count);
        out.bytes(self.rows.as_bytes());
        out.raw(self.payloads.as_bytes());
        self.count = 0;
        self.rows.truncate(0);
        self.payloads.truncate(0);
        out.into_bytes()
    }
}
