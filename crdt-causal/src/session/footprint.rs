use alloc::vec::Vec;
use core::cmp::Ordering;

use crdt_core::codec::{Decode, DecodeError, DecodeErrorKind, Encode, Reader, Writer};

use crate::cut::{Cut, Slot};

/// What a session has read and what it has written, as cuts.
///
/// Where a session has written at a server, and read more than that of it, the cut of writes goes as
/// far as that of reads: to ask for a little too much costs nobody a guarantee, and it saves a
/// number for each server. So of each server the cut of writes is nothing, or at least that of reads.
/// Joins keep to that, and stay commutative, associative and idempotent: it is a closure.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Footprint {
    read: Cut,
    written: Cut,
}

impl Footprint {
    pub(super) const fn read(&self) -> &Cut {
        &self.read
    }

    pub(super) const fn written(&self) -> &Cut {
        &self.written
    }

    pub(super) fn is_empty(&self) -> bool {
        self.read.is_empty() && self.written.is_empty()
    }

    pub(super) fn observe_read(&mut self, cut: &Cut) {
        self.read.join(cut);
        self.written.join_where_present(cut);
    }

    pub(super) fn observe_write(&mut self, slot: Slot, position: u64) {
        if position > 0 {
            self.written.observe(slot, position.max(self.read.get(slot)));
        }
    }

    /// The same in other slots, if both cuts can be said in them.
    pub(super) fn translated(&self, translate: impl Fn(&Cut) -> Option<Cut>) -> Option<Self> {
        let mut translated = Self { read: Cut::new(), written: translate(&self.written)? };
        translated.observe_read(&translate(&self.read)?);
        Some(translated)
    }

    pub(super) fn join(&mut self, other: &Self) {
        self.read.join(&other.read);
        self.written.join(&other.written);
        self.written.join_where_present(&self.read);
    }
}

/// Both cuts are at least those of the other.
impl PartialOrd for Footprint {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        let (read, written) =
            (self.read.partial_cmp(&other.read)?, self.written.partial_cmp(&other.written)?);
        match (read, written) {
            (Ordering::Equal, order) | (order, Ordering::Equal) => Some(order),
            _ if read == written => Some(read),
            _ => None,
        }
    }
}

/// What is known of one server, as the low two bits beside its slot say.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A position up to which it was read.
    Read = 0,
    /// A position up to which it was read, and which covers what was written.
    Both = 1,
    /// A position up to which it was read, and how far beyond it something was written.
    WrittenBeyond = 2,
    /// A position up to which it was written, without having been read.
    Written = 3,
}

impl Kind {
    const fn from_bits(bits: u64) -> Self {
        match bits & 3 {
            0 => Self::Read,
            1 => Self::Both,
            2 => Self::WrittenBeyond,
            _ => Self::Written,
        }
    }
}

impl Encode for Footprint {
    /// The count of servers, then of each how many slots are left out before its own, times four
    /// and with its kind, and one position, or two.
    fn encode(&self, out: &mut Writer) {
        let mut slots = self.read.clone();
        slots.join(&self.written);
        out.count(slots.len());
        let mut expected = 0;
        for (slot, _) in &slots {
            let (read, written) = (self.read.get(slot), self.written.get(slot));
            let kind = match (read, written) {
                (_, 0) => Kind::Read,
                (0, _) => Kind::Written,
                (read, written) if read == written => Kind::Both,
                _ => Kind::WrittenBeyond,
            };
            out.varint((u64::from(slot.0) - expected) << 2 | kind as u64);
            out.varint(if kind == Kind::Written { written } else { read });
            if kind == Kind::WrittenBeyond {
                out.varint(written - read);
            }
            expected = u64::from(slot.0) + 1;
        }
    }
}

impl Decode for Footprint {
    const BYTES_MIN: usize = 1;

    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let count = input.count(2)?;
        let reserved = input.capacity(count, size_of::<(Slot, u64)>());
        let (mut read, mut written) = (Vec::with_capacity(reserved), Vec::new());
        let mut expected = 0;
        for _ in 0..count {
            let at = input.position();
            let head = input.varint()?;
            let number = (head >> 2) + expected;
            let slot = u16::try_from(number).map_err(|_| DecodeErrorKind::OutOfRange.at(at))?;
            let (slot, kind) = (Slot(slot), Kind::from_bits(head));
            // A position is bounded as a sequence number is.
            let position = input.seq()?;
            if kind != Kind::Written {
                read.push((slot, position));
            }
            if kind == Kind::Both || kind == Kind::Written {
                written.push((slot, position));
            }
            if kind == Kind::WrittenBeyond {
                let at = input.position();
                let sum = position.checked_add(input.seq()?);
                let sum = sum.filter(|&sum| sum <= crate::cut::POSITION_MAX);
                written.push((slot, sum.ok_or(DecodeErrorKind::OutOfRange.at(at))?));
            }
            expected = number + 1;
        }
        Ok(Self { read: Cut::from_ascending(read), written: Cut::from_ascending(written) })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crdt_core::laws::trials;
    use quickcheck::{Arbitrary, Gen};

    impl Arbitrary for Footprint {
        fn arbitrary(g: &mut Gen) -> Self {
            let mut footprint = Self::default();
            footprint.observe_read(&Cut::arbitrary(g));
            for (slot, position) in &Cut::arbitrary(g) {
                footprint.observe_write(slot, position);
            }
            footprint
        }
    }

    fn joined(a: &Footprint, b: &Footprint) -> Footprint {
        let mut joined = a.clone();
        joined.join(b);
        joined
    }

    fn encoded(footprint: &Footprint) -> Vec<u8> {
        let mut out = Writer::new();
        footprint.encode(&mut out);
        out.into_bytes()
    }

    #[test]
    fn joins_are_least_upper_bounds() {
        fn law(a: Footprint, b: Footprint, c: Footprint) -> bool {
            let ab = joined(&a, &b);
            ab == joined(&b, &a)
                && joined(&a, &a) == a
                && joined(&ab, &c) == joined(&a, &joined(&b, &c))
                && ab >= a
                && ab >= b
                && (!(c >= a && c >= b) || c >= ab)
                && (a <= b) == (joined(&a, &b) == b)
        }
        trials().quickcheck(law as fn(_, _, _) -> _);
    }

    /// In whatever order reads and writes are told, nothing is asked for less than they say.
    #[test]
    fn nothing_is_forgotten() {
        fn law(script: Vec<(bool, u8, u8)>) -> bool {
            let mut footprint = Footprint::default();
            let (mut read, mut written) = (Cut::new(), Cut::new());
            for (is_write, slot, position) in script {
                let (slot, position) = (Slot(u16::from(slot % 4)), u64::from(position));
                if is_write {
                    footprint.observe_write(slot, position);
                    written.observe(slot, position);
                } else {
                    footprint.observe_read(&Cut::from_iter([(slot, position)]));
                    read.observe(slot, position);
                }
            }
            let closed = footprint
                .written()
                .iter()
                .all(|(slot, position)| position >= footprint.read().get(slot));
            // And no more: beyond what was written only to where reads went at the same server.
            let exact = footprint.written().iter().all(|(slot, position)| {
                written.get(slot) > 0 && position == written.get(slot).max(read.get(slot))
            });
            *footprint.read() == read && *footprint.written() >= written && closed && exact
        }
        trials().quickcheck(law as fn(_) -> _);
    }

    #[test]
    fn what_is_read_is_what_was_written() {
        fn law(footprint: Footprint) -> bool {
            let bytes = encoded(&footprint);
            let mut input = Reader::new(&bytes);
            Footprint::decode(&mut input) == Ok(footprint) && input.is_empty()
        }
        trials().quickcheck(law as fn(_) -> _);
    }

    #[test]
    fn bytes_are_canonical() {
        fn law(bytes: Vec<u8>) -> bool {
            let bytes: Vec<u8> = bytes.into_iter().map(|byte| byte % 9).collect();
            let mut input = Reader::new(&bytes);
            Footprint::decode(&mut input).is_err()
                || !input.is_empty()
                || encoded(&Footprint::decode(&mut Reader::new(&bytes)).unwrap()) == bytes
        }
        trials().quickcheck(law as fn(_) -> _);
    }

    #[test]
    fn the_four_kinds() {
        let mut footprint = Footprint::default();
        footprint.observe_read(&Cut::from_iter([(Slot(0), 5), (Slot(1), 5), (Slot(2), 5)]));
        footprint.observe_write(Slot(1), 3);
        footprint.observe_write(Slot(2), 9);
        footprint.observe_write(Slot(5), 2);
        assert_eq!(encoded(&footprint), [4, 0, 5, 1, 5, 2, 5, 4, 2 << 2 | 3, 2]);
        let far = [1, 2, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x40, 1];
        let error = Footprint::decode(&mut Reader::new(&far)).unwrap_err();
        assert_eq!(error, DecodeErrorKind::OutOfRange.at(11), "positions end somewhere");
    }
}
