//! Counters.

use core::fmt;

use crate::ReplicaId;

mod bounded;
mod grow_only;
mod pn;
mod store;

pub use bounded::{BoundedCounter, BoundedCounterDelta};
pub use grow_only::{GCounter, GCounterDelta};
pub use pn::{PnCounter, PnCounterDelta};
pub use store::{CounterStore, Movement};

/// Why a counter cannot be moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CounterError {
    /// What the replica has counted so far, and the amount, exceed 2⁶⁴ − 1 together.
    Overflow {
        /// The replica whose part of the counter is full.
        replica: ReplicaId,
    },
    /// The replica may not take so much: the rest belongs to others, or to nobody.
    NotEnoughRights {
        /// The replica that was to take it.
        replica: ReplicaId,
        /// How much it may take.
        available: u128,
    },
}

impl fmt::Display for CounterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Overflow { replica } => {
                write!(f, "replica {replica} cannot count past 2^64 - 1")
            }
            Self::NotEnoughRights { replica, available } => {
                write!(f, "replica {replica} has rights to no more than {available}")
            }
        }
    }
}

impl core::error::Error for CounterError {}
