//! What one side of a session tells the other when it will not go on.

use core::fmt;

use crdt_core::ReplicaId;
use crdt_core::codec::{Decode, DecodeError, Encode, Reader, Writer};

/// Why a side of a session refuses the other.
///
/// It is what a person, or a provider, has to know to do something about it; what exactly was
/// wrong with some bytes is for the logs of the side that found it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// The side that refuses speaks no protocol version but this one.
    ProtocolVersion {
        /// The version it speaks.
        supported: u64,
    },
    /// The logs have no common beginning.
    UnrelatedGenesis,
    /// The peer may not read this log.
    NotAuthorisedToRead,
    /// The peer may not write to this log.
    NotAuthorisedToWrite,
    /// The peer sent events in the name of a replica that is not its own.
    ForeignReplica {
        /// In whose name.
        replica: ReplicaId,
    },
    /// A replica issued two events under one dot.
    Equivocation {
        /// Which replica.
        replica: ReplicaId,
    },
    /// A message was longer than announced as acceptable.
    MessageTooLarge {
        /// The longest message that is accepted.
        bytes_max: u64,
    },
    /// Changes that cannot be split were longer than announced as acceptable.
    BodyTooLarge {
        /// The longest body that is accepted.
        bytes_max: u64,
    },
    /// More was sent without an acknowledgement than announced as acceptable.
    WindowExceeded,
    /// What the peer needs, or builds on, was trimmed: it has to begin with a snapshot.
    Trimmed,
    /// A message could not be read, or came where it has no place.
    InvalidMessage,
    /// Changes could not be read, or are not valid after their causes.
    InvalidChanges,
    /// The side that refuses has no room now. Later it may have.
    Overloaded,
    /// A reason that this release does not know.
    Unknown {
        /// Its number.
        code: u64,
    },
}

impl Refusal {
    /// Whether trying again later, unchanged, may succeed.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        matches!(self, Self::Overloaded)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ProtocolVersion { supported } => {
                write!(f, "only version {supported} of the protocol is spoken")
            }
            Self::UnrelatedGenesis => f.write_str("the documents have no common beginning"),
            Self::NotAuthorisedToRead => f.write_str("reading is not allowed"),
            Self::NotAuthorisedToWrite => f.write_str("writing is not allowed"),
            Self::ForeignReplica { replica } => {
                write!(f, "events of replica {replica} may not come over this connection")
            }
            Self::Equivocation { replica } => {
                write!(f, "replica {replica} issued two events under one sequence number")
            }
            Self::MessageTooLarge { bytes_max } => {
                write!(f, "a message is longer than {bytes_max} bytes")
            }
            Self::BodyTooLarge { bytes_max } => {
                write!(f, "a transaction is longer than {bytes_max} bytes")
            }
            Self::WindowExceeded => f.write_str("too much was sent without an acknowledgement"),
            Self::Trimmed => f.write_str("the history that is needed was trimmed"),
            Self::InvalidMessage => f.write_str("a message is not valid"),
            Self::InvalidChanges => f.write_str("changes are not valid"),
            Self::Overloaded => f.write_str("there is no room now"),
            Self::Unknown { code } => write!(f, "reason {code}, which this release does not know"),
        }
    }
}

impl core::error::Error for Refusal {}

impl Encode for Refusal {
    fn encode(&self, out: &mut Writer) {
        let code = match self {
            Self::ProtocolVersion { .. } => 0,
            Self::UnrelatedGenesis => 1,
            Self::NotAuthorisedToRead => 2,
            Self::NotAuthorisedToWrite => 3,
            Self::ForeignReplica { .. } => 4,
            Self::Equivocation { .. } => 5,
            Self::MessageTooLarge { .. } => 6,
            Self::BodyTooLarge { .. } => 7,
            Self::WindowExceeded => 8,
            Self::Trimmed => 9,
            Self::InvalidMessage => 10,
            Self::InvalidChanges => 11,
            Self::Overloaded => 12,
            Self::Unknown { code } => *code,
        };
        out.varint(code);
        match self {
            Self::ProtocolVersion { supported: value }
            | Self::MessageTooLarge { bytes_max: value }
            | Self::BodyTooLarge { bytes_max: value } => out.varint(*value),
            Self::ForeignReplica { replica } | Self::Equivocation { replica } => {
                replica.encode(out);
            }
            _ => {}
        }
    }
}

impl Decode for Refusal {
    const BYTES_MIN: usize = 1;

    /// Reads to the end: the arguments of a reason that is not known are stepped over.
    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let refusal = match input.varint()? {
            0 => Self::ProtocolVersion { supported: input.varint()? },
            1 => Self::UnrelatedGenesis,
            2 => Self::NotAuthorisedToRead,
            3 => Self::NotAuthorisedToWrite,
            4 => Self::ForeignReplica { replica: ReplicaId::decode(input)? },
            5 => Self::Equivocation { replica: ReplicaId::decode(input)? },
            6 => Self::MessageTooLarge { bytes_max: input.varint()? },
            7 => Self::BodyTooLarge { bytes_max: input.varint()? },
            8 => Self::WindowExceeded,
            9 => Self::Trimmed,
            10 => Self::InvalidMessage,
            11 => Self::InvalidChanges,
            12 => Self::Overloaded,
            code => {
                input.take(input.remaining())?;
                Self::Unknown { code }
            }
        };
        input.finish()?;
        Ok(refusal)
    }
}
