use core::fmt;
use core::ops::Deref;

use crdt_core::Dot;

use super::lattice::{Bound, Level};
use super::progress::Staleness;
use crate::cut::{Admission, Cut, Epoch, Slot};
use crate::session::LogTag;

/// What to do with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum Decision<'n> {
    /// Answer from the state at hand, or admit the write. The answer says what was achieved.
    Serve(Achieved<'n>),
    /// Decide again when this has come, or anything has; at this time at the latest.
    WaitFor {
        /// The first thing that is lacking.
        lacking: Lacking,
        /// The deadline of the request.
        until: u64,
    },
    /// These servers know enough, by what they last told.
    Redirect(Candidates),
    /// Ask the engine: everything that the session depends on is durable in it.
    Engine {
        /// The position that the engine's answer must not be before.
        at_least: u64,
    },
    /// Neither here nor now.
    Refuse(Refusal),
}

/// What an answer has kept, whatever was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Achieved<'n> {
    /// The greatest level that holds of the answer.
    pub level: Level,
    /// The cut of the state that is shown.
    pub at: &'n Cut,
    /// How far behind that is.
    pub staleness: Staleness,
}

/// The first thing that a node lacks for an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Lacking {
    /// A server's events up to this one.
    Admission(Admission),
    /// Strong operations up to this position.
    Strong {
        /// The position.
        position: u64,
    },
    /// The client's own writes to a log up to this one: the client has them, and should send them.
    Offline {
        /// The log.
        log: LogTag,
        /// The last write.
        write: Dot,
    },
    /// News from servers that are behind, or not heard of.
    Fresher {
        /// What was asked for.
        bound: Bound,
        /// What is known.
        staleness: Staleness,
    },
    /// Something that the session depends on is not durable in the engine yet.
    Durable(Admission),
    /// An engine for strong operations that answers.
    Engine,
}

/// Why a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// Something is lacking, the request waits no longer, and nobody is known to have it.
    Lacking(Lacking),
    /// The token is of a membership that has ended: its carrier begins a new session.
    EpochExpired {
        /// When it was attested.
        token: Epoch,
        /// The membership here.
        node: Epoch,
    },
    /// The token is of a membership that this node has not heard of.
    EpochUnknown {
        /// When it was attested.
        token: Epoch,
        /// The membership here.
        node: Epoch,
    },
}

impl fmt::Display for Lacking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Admission(admission) => write!(f, "the event {admission} is not here"),
            Self::Strong { position } => {
                write!(f, "strong operations up to {position} are not here")
            }
            Self::Offline { write, .. } => write!(f, "the client's own write {write} is not here"),
            Self::Fresher { staleness: Staleness::Unknown, .. } => {
                f.write_str("it is not known how far behind this server is")
            }
            Self::Fresher { bound, .. } => write!(
                f,
                "this server is more than {} events or {} ms behind",
                bound.ops, bound.age_ms
            ),
            Self::Durable(admission) => write!(f, "the event {admission} is not durable yet"),
            Self::Engine => f.write_str("no engine for strong operations answers"),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lacking(lacking) => lacking.fmt(f),
            Self::EpochExpired { token, node } => {
                write!(f, "the session is of epoch {token}, which ended before {node}")
            }
            Self::EpochUnknown { token, node } => {
                write!(f, "the session is of epoch {token}, which is later than {node}")
            }
        }
    }
}

impl core::error::Error for Refusal {}

/// Up to three servers to ask instead, the nearest first.
#[derive(Clone, Copy, Debug, Default)]
pub struct Candidates {
    slots: [Slot; 3],
    len: u8,
}

impl Candidates {
    pub(super) fn nearest(slots: impl Iterator<Item = Slot>) -> Self {
        let mut candidates = Self::default();
        for (place, slot) in candidates.slots.iter_mut().zip(slots) {
            *place = slot;
            candidates.len += 1;
        }
        candidates
    }
}

impl Deref for Candidates {
    type Target = [Slot];

    fn deref(&self) -> &[Slot] {
        &self.slots[..usize::from(self.len)]
    }
}

impl PartialEq for Candidates {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Candidates {}
