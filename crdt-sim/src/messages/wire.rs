//! What replicas of values say to each other, as bytes.

use crdt_causal::delivery::{Message, Parents};
use crdt_core::codec::{Decode, DecodeError, DecodeErrorKind, Encode, Reader, Writer};
use crdt_core::{Dot, DotRange, ReplicaId, VersionVector};

/// A packet between two replicas.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Packet {
    /// A change of somebody.
    Message(Message<Vec<u8>>),
    /// Asks for changes.
    Request(Vec<DotRange>),
    /// What is durable at the sender.
    Summary {
        /// All of it.
        version: VersionVector,
        /// Whether the sender wants to hear the same of the receiver.
        asks: bool,
    },
    /// All that the sender has, as values.
    State {
        /// What is in it.
        version: VersionVector,
        /// The values.
        values: Vec<u8>,
    },
}

impl Packet {
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut out = Writer::new();
        match self {
            Self::Message(message) => {
                out.u8(0);
                write_message(message, &mut out);
            }
            Self::Request(ranges) => {
                out.u8(1);
                out.count(ranges.len());
                for range in ranges {
                    range.replica.encode(&mut out);
                    out.varint(range.first);
                    out.varint(range.last);
                }
            }
            Self::Summary { version, asks } => {
                out.u8(2 + u8::from(*asks));
                version.encode(&mut out);
            }
            Self::State { version, values } => {
                out.u8(4);
                version.encode(&mut out);
                out.bytes(values);
            }
        }
        out.into_bytes()
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut input = Reader::new(bytes);
        let packet = match input.u8()? {
            0 => Self::Message(read_message(&mut input)?),
            1 => {
                let count = input.count(18)?;
                let mut ranges = Vec::new();
                for _ in 0..count {
                    let replica = ReplicaId::decode(&mut input)?;
                    let (first, last) = (input.varint()?, input.varint()?);
                    if first == 0 || last < first {
                        return Err(input.error(DecodeErrorKind::OutOfRange));
                    }
                    ranges.push(DotRange::new(replica, first, last));
                }
                Self::Request(ranges)
            }
            kind @ (2 | 3) => {
                Self::Summary { version: VersionVector::decode(&mut input)?, asks: kind == 3 }
            }
            4 => {
                let version = VersionVector::decode(&mut input)?;
                Self::State { version, values: input.bytes()?.to_vec() }
            }
            _ => return Err(DecodeErrorKind::UnknownTag.at(0)),
        };
        input.finish()?;
        Ok(packet)
    }
}

pub(super) fn write_message(message: &Message<Vec<u8>>, out: &mut Writer) {
    write_dot(message.dot, out);
    out.count(message.parents.len());
    message.parents.iter().for_each(|dot| write_dot(*dot, out));
    out.bytes(&message.payload);
}

pub(super) fn read_message(input: &mut Reader<'_>) -> Result<Message<Vec<u8>>, DecodeError> {
    let dot = read_dot(input)?;
    let count = input.count(17)?;
    let mut parents = Parents::NONE;
    for _ in 0..count {
        parents.push(read_dot(input)?);
    }
    Ok(Message { dot, parents, payload: input.bytes()?.to_vec() })
}

fn write_dot(dot: Dot, out: &mut Writer) {
    dot.replica.encode(out);
    out.varint(dot.seq);
}

fn read_dot(input: &mut Reader<'_>) -> Result<Dot, DecodeError> {
    Ok(Dot::new(ReplicaId::decode(input)?, input.varint()?))
}
