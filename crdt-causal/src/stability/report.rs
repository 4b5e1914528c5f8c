//! What a member tells the others.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use crdt_core::codec::{Decode, DecodeError, DecodeErrorKind, Encode, Reader, Writer};

use crate::cut::{Cut, Epoch, Slot};

/// How far a member has got, as it tells the others again and again: a statement about one moment.
///
/// Its bytes are the epoch, three cuts and a few slots: for eight servers some 150.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Of which membership its slots are.
    pub epoch: Epoch,
    /// What it holds, durably.
    pub applied: Cut,
    /// Beyond that it takes in nothing that has not seen all of this, unless from one whom it trusts.
    pub floor: Cut,
    /// Whom it trusts to have floors of their own; itself included.
    pub trusted: BTreeSet<Slot>,
}

impl Encode for Report {
    fn encode(&self, out: &mut Writer) {
        self.epoch.encode(out);
        self.applied.encode(out);
        self.floor.encode(out);
        encode_slots(&self.trusted, out);
    }
}

impl Decode for Report {
    const BYTES_MIN: usize = 4;

    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            epoch: Epoch::decode(input)?,
            applied: Cut::decode(input)?,
            floor: Cut::decode(input)?,
            trusted: decode_slots(input)?,
        })
    }
}

/// The count, then for each slot how many are left out before it.
pub(super) fn encode_slots(slots: &BTreeSet<Slot>, out: &mut Writer) {
    out.count(slots.len());
    let mut expected = 0;
    for slot in slots {
        out.varint(u64::from(slot.0) - expected);
        expected = u64::from(slot.0) + 1;
    }
}

pub(super) fn decode_slots(input: &mut Reader<'_>) -> Result<BTreeSet<Slot>, DecodeError> {
    let count = input.count(1)?;
    let mut slots = Vec::with_capacity(input.capacity(count, size_of::<Slot>()));
    let mut expected = 0;
    for _ in 0..count {
        let at = input.position();
        let slot = input.varint()?.saturating_add(expected);
        let slot16 = u16::try_from(slot).map_err(|_| DecodeErrorKind::OutOfRange.at(at))?;
        slots.push(Slot(slot16));
        expected = slot + 1;
    }
    Ok(slots.into_iter().collect())
}
