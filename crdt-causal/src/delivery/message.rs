//! What is delivered, and what became of what was inserted.

use alloc::vec::Vec;
use core::fmt;

use crdt_core::{Dot, DotRange};

use super::equivocation::Equivocation;
use super::parents::Parents;

/// A message with its place in the causal order.
///
/// Its dot and its direct parents say it all: what the parents depend on follows from them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message<P> {
    /// The name of the message: who sent it, and the how-many-th of theirs it is.
    pub dot: Dot,
    /// The messages of other replicas that it directly follows. The predecessor of the same
    /// replica is a parent without being named.
    pub parents: Parents,
    /// The message itself.
    pub payload: P,
}

/// What became of a message that was inserted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Inserted {
    /// It can be polled, and so can what waited for it.
    Ready,
    /// It waits, for this message first of all.
    Pending {
        /// The first dot that is missing.
        missing: Dot,
    },
    /// It was here before.
    Duplicate,
    /// There is no room for it now: among all that wait it is too far from delivery. It will be
    /// asked for again.
    Dropped,
}

/// Why a message was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InsertError {
    /// Its sequence number is 0 or above [`SEQ_MAX`](crdt_core::SEQ_MAX), or so is a parent's.
    InvalidDot(Dot),
    /// It follows itself, or a later message of its own replica.
    Cyclic(Dot),
    /// It has more parents than the limit.
    TooManyParents {
        /// How many it has.
        parents: usize,
    },
    /// It, or a parent of it, is farther from delivery than the limit. It may be offered again
    /// when more was delivered.
    TooFar(Dot),
    /// It is larger than what one replica may have pending.
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// As many replicas are known as the limit allows.
    TooManyReplicas,
    /// Its replica used a dot twice, and this message comes after that.
    Quarantined(Dot),
    /// It was given up, and what follows it may have been delivered without it: see
    /// [`forsake`](super::CausalBuffer::forsake).
    Forsaken(Dot),
    /// Another message with this dot is here or was delivered.
    Equivocation(Equivocation),
}

impl fmt::Display for InsertError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidDot(dot) => write!(f, "{dot} names no message"),
            Self::Cyclic(dot) => write!(f, "the message {dot} follows itself"),
            Self::TooManyParents { parents } => write!(f, "{parents} parents are too many"),
            Self::TooFar(dot) => write!(f, "{dot} is too far from delivery"),
            Self::TooLarge { bytes } => write!(f, "a message of {bytes} bytes is too large"),
            Self::TooManyReplicas => f.write_str("no more replicas can be told apart"),
            Self::Quarantined(dot) => write!(f, "{dot} comes after an equivocation"),
            Self::Forsaken(dot) => write!(f, "{dot} was given up"),
            Self::Equivocation(equivocation) => equivocation.fmt(f),
        }
    }
}

impl core::error::Error for InsertError {}

/// What became of a batch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Batch {
    /// Messages that could be delivered on arrival.
    pub ready: usize,
    /// Messages that had to wait. They may have become ready through later ones of the batch.
    pub pending: usize,
    /// Messages that were here before.
    pub duplicates: usize,
    /// Messages for which there was no room.
    pub dropped: usize,
    /// Messages that were not taken, and why.
    pub refused: Vec<(Dot, InsertError)>,
}

/// What a buffer tells its user beside the messages.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A replica used a dot twice. From that dot on nothing of it is delivered any more, until
    /// [`adopt`](super::CausalBuffer::adopt) says that its branch here is the one to follow.
    Equivocation(Equivocation),
    /// There was no room. Messages in this range were dropped, others may have stayed; they are
    /// asked for again when it is their turn.
    Dropped(DotRange),
    /// These messages were given up, and now passed over: what comes after them is delivered
    /// without them. See [`forsake`](super::CausalBuffer::forsake).
    Forsaken(DotRange),
}
