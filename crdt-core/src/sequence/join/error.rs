//! Why a delta is not taken in.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use crate::causality::{GraphError, ParentsError};
use crate::sequence::{HistoryError, InvalidTextOp};
use crate::{Dot, DotRange, ReplicaId};

/// Why a delta was not taken in. Nothing was changed.
#[non_exhaustive]
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum JoinError {
    /// Changes that the delta's follow are not known here: offer it again when they are.
    Missing(Vec<DotRange>),
    /// A dot of this replica arrived with another content than the one held: two writers use
    /// one id (a restored backup, a cloned profile), or someone forges.
    Equivocation {
        /// The replica.
        replica: ReplicaId,
    },
    /// A change follows itself by a detour.
    Cycle {
        /// The change's first event.
        change: Dot,
    },
    /// A change names parents that cannot be its own.
    Parents {
        /// The change's first event.
        change: Dot,
        /// What is wrong with them.
        error: ParentsError,
    },
    /// A change follows what was trimmed here, without having seen all of it: it was made before
    /// the cut, or beside it. Nobody who has trimmed that far can take it in; its writer begins
    /// again from a copy of the text, and makes its edits there.
    BeforeTrim {
        /// The change's first event.
        change: Dot,
        /// An event that was trimmed, which it has not seen or directly follows.
        trimmed: Dot,
    },
    /// An edit cannot be applied at its own version.
    Edit {
        /// The edit's first event.
        event: Dot,
        /// What is wrong with it.
        error: InvalidTextOp,
    },
    /// There is no room for so many events.
    Full(GraphError),
    /// The history of a text that was loaded is damaged.
    History(Box<HistoryError>),
}

impl JoinError {
    /// Why the parents that a change names cannot be its own.
    pub(in crate::sequence) fn of_parents(change: Dot, error: ParentsError) -> Self {
        match error {
            ParentsError::BeforeTrim(trimmed) => Self::BeforeTrim { change, trimmed },
            error => Self::Parents { change, error },
        }
    }
}

impl fmt::Display for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(ranges) => {
                f.write_str("changes are missing:")?;
                ranges.iter().try_for_each(|range| write!(f, " {range}"))
            }
            Self::Equivocation { replica } => {
                write!(f, "replica {replica} has used one dot for two events")
            }
            Self::Cycle { change } => write!(f, "change {change} follows itself"),
            Self::Parents { change, error } => write!(f, "change {change}: {error}"),
            Self::BeforeTrim { change, trimmed } => {
                write!(f, "change {change} is from before {trimmed} was trimmed here")
            }
            Self::Edit { event, error } => write!(f, "event {event}: {error}"),
            Self::Full(error) => error.fmt(f),
            Self::History(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for JoinError {}

impl From<HistoryError> for JoinError {
    fn from(error: HistoryError) -> Self {
        Self::History(Box::new(error))
    }
}
