//! A buffer as bytes, and back.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use crdt_core::codec::{Decode, DecodeError, DecodeErrorKind, Encode, Reader, Writer, open, seal};
use crdt_core::{Dot, DotRange, ReplicaId, SEQ_MAX};

use super::buffer::{CausalBuffer, Turn};
use super::equivocation::{Digest, Equivocation, Payload};
use super::limits::{Limits, Retry};
use super::message::{InsertError, Message};
use super::pending::LocalDot;
use super::wire::{BatchDecoder, BatchEncoder, OpenBatch};

/// "CRDq", for queue.
const MAGIC: [u8; 4] = *b"CRDq";
const VERSION: u8 = 1;
/// Where digests were computed in another way.
const VERSION_OF_OTHER_DIGESTS: u8 = 0;

/// The fewest bytes of a replica: its name, and five numbers.
const ORIGIN_BYTES_MIN: usize = 16 + 5;

impl<P: Payload + Encode> CausalBuffer<P> {
    /// All that has to outlive the process, with a checksum: what was delivered, what waits, what
    /// was given up, who is quarantined, and the digests and events that were not forgotten or polled.
    ///
    /// Delivered is what was *polled*. What can be polled and was not is saved as a message, and
    /// can be polled after [`load`](Self::load). So whoever stores in one transaction what they made of the
    /// polled messages and these bytes gets each message once, whenever the process dies. (Events about
    /// what was [passed over](Self::forsake) behind a message that was not polled come again.)
    ///
    /// Bounds and times are not in it. Equal buffers have equal bytes. O(all that is held).
    #[must_use]
    pub fn save(&self) -> Vec<u8> {
        let mut out = Writer::new();
        out.u8(VERSION);
        let unpolled = self.unpolled();
        let polled = |index: u32| {
            let first = unpolled.get(&index).copied();
            first.map_or(self.origins[index].delivered(), |first| first - 1)
        };
        self.write_origins(polled, &mut out);
        out.count(self.equivocations.len());
        for Equivocation { dot, held, offered } in &self.equivocations {
            dot.encode(&mut out);
            out.raw(&held.0);
            out.raw(&offered.0);
        }
        // What comes after a message that was not polled is passed over again.
        let passed = self.passed.iter().filter(|range| {
            let index = self.origins.find(range.replica);
            index.is_some_and(|index| range.first <= polled(index))
        });
        let passed: Vec<DotRange> = passed.copied().collect();
        let dropped = self.dropped.iter();
        let dropped: Vec<DotRange> =
            dropped.map(|(replica, range)| DotRange::new(*replica, range.0, range.1)).collect();
        for ranges in [passed, dropped] {
            out.count(ranges.len());
            for DotRange { replica, first, last } in ranges {
                Dot::new(replica, first).encode(&mut out);
                out.varint(last - first);
            }
        }
        self.write_messages(&mut out);
        seal(MAGIC, out.as_bytes())
    }

    fn write_origins(&self, polled: impl Fn(u32) -> u64, out: &mut Writer) {
        let known: Vec<u32> = self
            .origins
            .iter()
            .filter(|(_, origin)| {
                origin.horizon > 0 || origin.quarantined_from.is_some() || !origin.holes.is_empty()
            })
            .map(|(index, _)| index)
            .collect();
        out.count(known.len());
        for index in known {
            let origin = &self.origins[index];
            let delivered = polled(index);
            out.raw(&origin.id.to_bytes());
            out.varint(delivered);
            out.varint(origin.horizon - delivered);
            out.varint(origin.quarantined_from.map_or(0, |from| from - delivered));
            out.count(origin.holes.len());
            let mut after = 0;
            for (first, last) in origin.holes.iter() {
                out.varint(first - after);
                out.varint(last - first);
                after = last;
            }
            // Of what was polled.
            let later = origin.delivered() - delivered;
            let later = usize::try_from(later).unwrap_or(usize::MAX);
            let kept = origin.digests().len().saturating_sub(later);
            out.count(kept);
            origin.digests().iter().take(kept).for_each(|digest| out.raw(&digest.0));
        }
    }

    /// The first message of each replica that can be polled.
    fn unpolled(&self) -> BTreeMap<u32, u64> {
        let mut first = BTreeMap::new();
        let mut ripe = self.arena.ripe();
        for turn in &self.ready {
            match turn {
                Turn::Message(message) => {
                    let index = self.origins.find(message.dot.replica).expect("it was delivered");
                    first.entry(index).or_insert(message.dot.seq);
                }
                Turn::Ripe(count) => {
                    for handle in ripe.by_ref().take(*count) {
                        let LocalDot { origin, seq } = self.arena.get(handle).dot();
                        first.entry(origin).or_insert(seq);
                    }
                }
            }
        }
        first
    }

    /// What was not polled, in its order, and what waits, in the order of replicas and numbers.
    fn write_messages(&self, out: &mut Writer) {
        let mut encoder = BatchEncoder::new();
        let mut batches = Batches { open: OpenBatch::new(&mut encoder), out };
        let mut ripe = self.arena.ripe();
        let held = |handle: u32| {
            let pending = self.arena.get(handle);
            let parents: Vec<Dot> =
                self.arena.parents(handle).map(|dot| self.origins.dot(dot)).collect();
            (self.origins.dot(pending.dot()), parents, pending.payload())
        };
        for turn in &self.ready {
            match turn {
                Turn::Message(Message { dot, parents, payload }) => {
                    batches.push(*dot, parents, payload);
                }
                Turn::Ripe(count) => {
                    for handle in ripe.by_ref().take(*count) {
                        let (dot, parents, payload) = held(handle);
                        batches.push(dot, &parents, payload);
                    }
                }
            }
        }
        for (_, origin) in self.origins.iter() {
            for handle in origin.slots.messages() {
                let (dot, parents, payload) = held(handle);
                batches.push(dot, &parents, payload);
            }
        }
        batches.finish();
    }
}

/// Batches one behind another, each after its length; an empty one ends them.
struct Batches<'a, 'b> {
    open: OpenBatch<'a>,
    out: &'b mut Writer,
}

impl Batches<'_, '_> {
    fn push<P: Encode>(&mut self, dot: Dot, parents: &[Dot], payload: &P) {
        if self.open.is_full() {
            self.out.bytes(&self.open.take());
        }
        self.open.push(dot, parents, payload);
    }

    fn finish(mut self) {
        if !self.open.is_empty() {
            self.out.bytes(&self.open.take());
        }
        self.out.bytes(&[]);
    }
}

impl<P: Payload + Decode> CausalBuffer<P> {
    /// A buffer that goes on where [`save`](Self::save) was called. What was missing is asked for
    /// as if it were noticed `now`.
    ///
    /// The bounds hold while loading, too, of what waits and of what can be polled: what has no room is
    /// [dropped](super::Event::Dropped) and asked for again. So memory is bounded by the limits and 32 × the
    /// bytes, whatever the bytes are.
    ///
    /// # Errors
    ///
    /// The bytes were damaged ([`ChecksumMismatch`](DecodeErrorKind::ChecksumMismatch) for nearly all
    /// of what can happen to a file), are of a later version, name more replicas than the limit, or are not
    /// what a buffer can have written. The error says what, and where.
    pub fn load(bytes: &[u8], limits: Limits, retry: Retry, now: u64) -> Result<Self, DecodeError> {
        let mut buffer = Self::with_limits(limits, retry);
        let mut input = open(MAGIC, Reader::new(bytes))?;
        let at = input.position();
        let version = input.u8()?;
        if version > VERSION {
            return Err(DecodeErrorKind::UnknownVersion.at(at));
        }
        buffer.read_origins(&mut input, now)?;
        if version == VERSION_OF_OTHER_DIGESTS {
            // What was delivered and comes again is a duplicate, and no equivocation.
            buffer.origins.forget_digests();
        }
        for _ in 0..input.count(16 + 1 + 32)? {
            let dot = Dot::decode(&mut input)?;
            let (held, offered) = (Digest(input.array()?), Digest(input.array()?));
            buffer.equivocations.push_back(Equivocation { dot, held, offered });
        }
        for _ in 0..input.count(16 + 2)? {
            let range = read_range(&mut input)?;
            buffer.passed.push_back(range);
        }
        let mut before = None;
        for _ in 0..input.count(16 + 2)? {
            let at = input.position();
            let DotRange { replica, first, last } = read_range(&mut input)?;
            if before.replace(replica).is_some_and(|before| before >= replica) {
                return Err(DecodeErrorKind::NotAscending.at(at));
            }
            buffer.dropped.insert(replica, (first, last));
        }
        buffer.read_messages(&mut input, now)?;
        input.finish()?;
        buffer.examined = 0;
        Ok(buffer)
    }

    fn read_origins(&mut self, input: &mut Reader<'_>, now: u64) -> Result<(), DecodeError> {
        let at = input.position();
        let count = input.count(ORIGIN_BYTES_MIN)?;
        if count > self.limits.replicas_max {
            return Err(DecodeErrorKind::OutOfRange.at(at));
        }
        self.origins.reserve(count);
        let mut before = None;
        for _ in 0..count {
            let at = input.position();
            let id = ReplicaId::from_bytes(input.array()?);
            if before.replace(id).is_some_and(|before| before >= id) {
                return Err(DecodeErrorKind::NotAscending.at(at));
            }
            let delivered = input.varint_max(SEQ_MAX)?;
            let index = if delivered == 0 {
                self.intern(id).map_err(|_| DecodeErrorKind::OutOfRange.at(at))?
            } else {
                self.origins.find_or_insert(id, delivered)
            };
            let at = input.position();
            let ahead = input.varint_max((SEQ_MAX - delivered).min(self.limits.gap_max))?;
            let horizon = delivered + ahead;
            let origin = &mut self.origins[index];
            origin.horizon = horizon;
            let from = input.varint_max(SEQ_MAX + 1 - delivered)?;
            origin.quarantined_from = (from > 0).then_some(delivered + from);
            if horizon == 0 && from == 0 {
                return Err(DecodeErrorKind::NotCanonical.at(at));
            }
            let mut after = 0;
            for number in 0..input.count(2)? {
                let at = input.position();
                // Those that touch are one.
                let gap = input.varint_max(SEQ_MAX)?;
                let first = after + gap;
                let last = first.saturating_add(input.varint_max(SEQ_MAX)?);
                let is_next = first <= delivered + 1 && last > delivered && from != 1;
                if gap < 1 + u64::from(number > 0) || last > horizon || is_next {
                    return Err(DecodeErrorKind::OutOfRange.at(at));
                }
                origin.holes.add(first, last);
                after = last;
            }
            let at = input.position();
            let digests = input.count(16)?;
            if digests as u64 > delivered {
                return Err(DecodeErrorKind::OutOfRange.at(at));
            }
            for _ in 0..digests {
                let digest = Digest(input.array()?);
                if self.limits.digests_max > 0 {
                    origin.remember(digest, self.limits.digests_max);
                }
            }
            self.notice(LocalDot { origin: index, seq: horizon }, now);
        }
        Ok(())
    }

    fn read_messages(&mut self, input: &mut Reader<'_>, now: u64) -> Result<(), DecodeError> {
        let mut decoder = BatchDecoder::new(&self.limits);
        let mut ready_bytes = 0;
        loop {
            let batch = input.section()?;
            if batch.is_empty() {
                return Ok(());
            }
            for message in decoder.read(batch)? {
                let message: Message<P> = message?;
                let dot = message.dot;
                let bytes = Self::cost(message.parents.len(), &message.payload)
                    .saturating_add(size_of::<Message<P>>());
                let has_room = self.has_room(ready_bytes + bytes);
                let count = self.ready.len();
                if has_room && self.insert_saved(message, now).is_ok() {
                    if self.ready.len() > count {
                        ready_bytes += bytes;
                    }
                } else {
                    self.drop_unheld(dot, now);
                }
            }
        }
    }

    fn has_room(&self, ready_bytes: usize) -> bool {
        ready_bytes <= self.limits.pending_bytes_max && self.ready.len() < self.limits.pending_max
    }

    fn insert_saved(&mut self, message: Message<P>, now: u64) -> Result<(), InsertError> {
        self.insert(message, now).map(drop)
    }

    /// Says that there was no room for a message, and asks for it.
    fn drop_unheld(&mut self, dot: Dot, now: u64) {
        self.note_dropped(dot);
        if let Some(origin) = self.origins.find(dot.replica) {
            let ahead = dot.seq.saturating_sub(self.origins[origin].delivered());
            if (1..=self.limits.gap_max).contains(&ahead) {
                self.notice(LocalDot { origin, seq: dot.seq }, now);
            }
        }
    }
}

fn read_range(input: &mut Reader<'_>) -> Result<DotRange, DecodeError> {
    let Dot { replica, seq } = Dot::decode(input)?;
    let last = seq + input.varint_max(SEQ_MAX - seq)?;
    Ok(DotRange::new(replica, seq, last))
}
