//! Counters.

use core::fmt;

use crate::ReplicaId;

mod grow_only;
mod pn;

pub use grow_only::{GCounter, GCounterDelta};
pub use pn::{PnCounter, PnCounterDelta};

/// Why a counter cannot be moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CounterError {
    /// What the replica has counted so far, and the amount, exceed 2⁶⁴ − 1 together.
    Overflow {
        /// The replica whose part of the counter is full.
        replica: ReplicaId,
    },
}

impl fmt::Display for CounterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Overflow { replica } => {
                write!(f, "replica {replica} cannot count past 2^64 - 1")
            }
        }
    }
}

impl core::error::Error for CounterError {}
