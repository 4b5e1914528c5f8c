//! Cuts as bytes.

use alloc::vec::Vec;

use crdt_core::codec::{Decode, DecodeError, DecodeErrorKind, Encode, Reader, Writer};

use super::positions::Cut;
use super::slot::{Epoch, Slot};

impl Encode for Cut {
    /// The count, then for each server how many slots are left out before its own, and its
    /// position. So eight servers in a row, each with up to 2^35 admissions, are 49 bytes at most.
    fn encode(&self, out: &mut Writer) {
        out.count(self.len());
        let mut expected = 0;
        for (slot, position) in self.iter() {
            out.varint(u64::from(slot.0) - expected);
            out.varint(position);
            expected = u64::from(slot.0) + 1;
        }
    }
}

impl Decode for Cut {
    const BYTES_MIN: usize = 1;

    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let count = input.count(2)?;
        let mut last: Vec<(Slot, u64)> =
            Vec::with_capacity(input.capacity(count, size_of::<(Slot, u64)>()));
        let mut expected = 0;
        for _ in 0..count {
            let at = input.position();
            let slot = input.varint()?.saturating_add(expected);
            let slot16 = u16::try_from(slot).map_err(|_| DecodeErrorKind::OutOfRange.at(at))?;
            // A position is bounded as a sequence number is.
            last.push((Slot(slot16), input.seq()?));
            expected = slot + 1;
        }
        Ok(Self::from_ascending(last))
    }
}

impl Encode for Epoch {
    fn encode(&self, out: &mut Writer) {
        out.varint(u64::from(self.0));
    }
}

impl Decode for Epoch {
    const BYTES_MIN: usize = 1;

    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        input.varint_u32().map(Self)
    }
}

impl Encode for Slot {
    fn encode(&self, out: &mut Writer) {
        out.varint(u64::from(self.0));
    }
}

impl Decode for Slot {
    const BYTES_MIN: usize = 1;

    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let at = input.position();
        let slot = input.varint()?;
        u16::try_from(slot).map(Self).map_err(|_| DecodeErrorKind::IntegerTooLarge.at(at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crdt_core::laws::trials;

    fn encoded(cut: &Cut) -> Vec<u8> {
        let mut out = Writer::new();
        cut.encode(&mut out);
        out.into_bytes()
    }

    fn decoded(bytes: &[u8]) -> Result<Cut, DecodeError> {
        let mut input = Reader::new(bytes);
        let cut = Cut::decode(&mut input)?;
        input.finish().map(|()| cut)
    }

    #[test]
    fn what_is_read_is_what_was_written() {
        fn law(cut: Cut) -> bool {
            decoded(&encoded(&cut)) == Ok(cut)
        }
        trials().quickcheck(law as fn(_) -> _);
    }

    /// Whatever is accepted is the one way to write it.
    #[test]
    fn bytes_are_canonical() {
        fn law(bytes: Vec<u8>) -> bool {
            let bytes: Vec<u8> = bytes.into_iter().map(|byte| byte % 7).collect();
            decoded(&bytes).is_ok_and(|cut| {
                cut.check_invariants();
                encoded(&cut) == bytes
            }) || decoded(&bytes).is_err()
        }
        trials().quickcheck(law as fn(_) -> _);
        assert!(decoded(&[1, 4, 2]).is_ok(), "the law is not met by refusing everything");
    }

    #[test]
    fn golden_bytes() {
        let cut = Cut::from_iter([(Slot(0), 5), (Slot(1), 300), (Slot(4), 1)]);
        assert_eq!(encoded(&cut), [3, 0, 5, 0, 0xac, 2, 2, 1]);
        assert_eq!(encoded(&Cut::new()), [0]);
    }

    #[test]
    fn what_is_wrong_is_named_with_its_place() {
        let error = |bytes: &[u8]| decoded(bytes).unwrap_err();
        assert_eq!(error(&[]), DecodeErrorKind::UnexpectedEnd.at(0));
        assert_eq!(error(&[2, 0, 1]), DecodeErrorKind::CountTooLarge.at(0));
        assert_eq!(error(&[1, 0, 0]), DecodeErrorKind::OutOfRange.at(2));
        // The slot behind the last one.
        assert_eq!(error(&[2, 0xff, 0xff, 3, 1, 0, 1]), DecodeErrorKind::OutOfRange.at(5),);
        let mut far = Writer::new();
        far.varint(1);
        far.varint(u64::MAX);
        far.varint(1);
        assert_eq!(error(far.as_bytes()), DecodeErrorKind::OutOfRange.at(1));
    }

    #[test]
    fn eight_servers_take_few_bytes() {
        let cut: Cut = (0..8).map(|slot| (Slot(slot), (1 << 35) - 1)).collect();
        assert_eq!(encoded(&cut).len(), 49);
    }
}
