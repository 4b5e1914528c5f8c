//! What changes a membership.

use crdt_core::codec::{Decode, DecodeError, DecodeErrorKind, Encode, Reader, Writer};

use super::member::MemberId;
use crate::cut::{POSITION_MAX, Slot};

/// One change of a membership. It makes the epoch that it is numbered with.
///
/// Changes are totally ordered: one authority makes them, a person with a configuration or an engine
/// for strong operations. Two that were made for one epoch are an error at whoever sees both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Change {
    /// A server joins, under a slot that nobody has or has any claim to.
    Join {
        /// Its name.
        id: MemberId,
        /// Its slot.
        slot: Slot,
    },
    /// A server leaves. What it admitted up to `last` counts; anything after has never happened.
    Retire {
        /// Its slot.
        slot: Slot,
        /// The last position that counts: its own last one, if it says goodbye. If it does not, the last
        /// that some live member holds, since what nobody holds could never become stable.
        last: u64,
    },
}

impl Encode for MemberId {
    /// Sixteen bytes, the most significant first.
    fn encode(&self, out: &mut Writer) {
        out.raw(&self.0.to_be_bytes());
    }
}

impl Decode for MemberId {
    const BYTES_MIN: usize = 16;

    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        input.array().map(|bytes| Self(u128::from_be_bytes(bytes)))
    }
}

impl Encode for Change {
    /// 0, the slot and the name; or 1, the slot and the position.
    fn encode(&self, out: &mut Writer) {
        match self {
            Self::Join { id, slot } => {
                out.u8(0);
                slot.encode(out);
                id.encode(out);
            }
            Self::Retire { slot, last } => {
                out.u8(1);
                slot.encode(out);
                out.varint(*last);
            }
        }
    }
}

impl Decode for Change {
    const BYTES_MIN: usize = 3;

    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let at = input.position();
        let tag = input.u8()?;
        let slot = Slot::decode(input)?;
        match tag {
            0 => Ok(Self::Join { id: MemberId::decode(input)?, slot }),
            1 => Ok(Self::Retire { slot, last: input.varint_max(POSITION_MAX)? }),
            _ => Err(DecodeErrorKind::UnknownTag.at(at)),
        }
    }
}
