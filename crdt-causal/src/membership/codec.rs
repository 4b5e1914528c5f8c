//! A membership as bytes: to be stored, and given to a server that joins or comes back.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use crdt_core::codec::{Decode, DecodeError, DecodeErrorKind, Encode, Reader, Writer};

use super::member::MemberId;
use super::tenure::{Retirement, Tenure};
use super::view::{FORMER_MAX, Membership};
use crate::cut::{Epoch, POSITION_MAX, Slot};

impl Encode for Membership {
    /// The epoch; 0, or the epoch in which something was forgotten plus one; the slots in ascending order,
    /// each with its tenures in theirs.
    fn encode(&self, out: &mut Writer) {
        self.epoch.encode(out);
        out.varint(self.forgot_at.map_or(0, |epoch| u64::from(epoch.0) + 1));
        out.count(self.slots.len());
        let mut expected = 0;
        for (slot, tenures) in &self.slots {
            out.varint(u64::from(slot.0) - expected);
            expected = u64::from(slot.0) + 1;
            out.count(tenures.len());
            for tenure in tenures {
                encode_tenure(tenure, out);
            }
        }
    }
}

/// The name, since when, and how it ended: 0 if it has not, 1 if it has and 2 if it is settled too, then
/// the epoch and the last position.
fn encode_tenure(tenure: &Tenure, out: &mut Writer) {
    tenure.id.encode(out);
    tenure.since.encode(out);
    match &tenure.retired {
        None => out.u8(0),
        Some(Retirement { epoch, last, is_settled }) => {
            out.u8(1 + u8::from(*is_settled));
            epoch.encode(out);
            out.varint(*last);
        }
    }
}

impl Decode for Membership {
    const BYTES_MIN: usize = 3;

    /// # Errors
    ///
    /// If it is no membership that could have come about.
    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let epoch = Epoch::decode(input)?;
        let at = input.position();
        let forgot_at = match input.varint()? {
            0 => None,
            next if next - 1 <= u64::from(epoch.0) => Some(Epoch((next - 1) as u32)),
            _ => return Err(DecodeErrorKind::OutOfRange.at(at)),
        };
        let mut slots = BTreeMap::new();
        let mut names = BTreeSet::new();
        let mut former = 0;
        let mut expected = 0;
        // A slot has a tenure at least: a name and two bytes.
        for _ in 0..input.count(2 + TENURE_BYTES_MIN)? {
            let at = input.position();
            let slot = input.varint()?.saturating_add(expected);
            let slot16 = u16::try_from(slot).map_err(|_| DecodeErrorKind::OutOfRange.at(at))?;
            expected = slot + 1;
            let at = input.position();
            let count = input.count(TENURE_BYTES_MIN)?;
            if count == 0 {
                return Err(DecodeErrorKind::OutOfRange.at(at));
            }
            let mut tenures: Vec<Tenure> =
                Vec::with_capacity(input.capacity(count, size_of::<Tenure>()));
            for _ in 0..count {
                let at = input.position();
                let tenure = decode_tenure(input)?;
                let is_after = tenures.last().is_none_or(|last| {
                    let ended = last.retired.as_ref().filter(|_| last.is_settled());
                    ended.is_some_and(|ended| ended.epoch < tenure.since)
                });
                let last = tenure.retired.as_ref().map_or(tenure.since, |retired| retired.epoch);
                let is_sound = is_after && tenure.since <= last && last <= epoch;
                if !is_sound || !names.insert(tenure.id) {
                    return Err(DecodeErrorKind::OutOfRange.at(at));
                }
                former += usize::from(tenure.is_settled());
                tenures.push(tenure);
            }
            slots.insert(Slot(slot16), tenures);
        }
        let former_max = former.max(FORMER_MAX);
        Ok(Self { epoch, slots, forgot_at, former_max, suspended: BTreeSet::new() })
    }
}

const TENURE_BYTES_MIN: usize = MemberId::BYTES_MIN + 2;

fn decode_tenure(input: &mut Reader<'_>) -> Result<Tenure, DecodeError> {
    let id = MemberId::decode(input)?;
    let since = Epoch::decode(input)?;
    let at = input.position();
    let retired = match input.u8()? {
        0 => None,
        tag @ (1 | 2) => {
            let at = input.position();
            let epoch = Epoch::decode(input)?;
            if epoch <= since {
                return Err(DecodeErrorKind::OutOfRange.at(at));
            }
            Some(Retirement { epoch, last: input.varint_max(POSITION_MAX)?, is_settled: tag == 2 })
        }
        _ => return Err(DecodeErrorKind::UnknownTag.at(at)),
    };
    Ok(Tenure { id, since, retired })
}
