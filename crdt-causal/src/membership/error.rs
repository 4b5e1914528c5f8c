//! Why something is not taken.

use core::fmt;

use super::member::MemberId;
use crate::cut::{Epoch, Slot};

/// Why a change was not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChangeError {
    /// Changes before it are not known here yet.
    Gap {
        /// The epoch that comes next here.
        expected: Epoch,
    },
    /// Another change made this epoch: there was more than one authority.
    Conflict {
        /// Which epoch.
        epoch: Epoch,
    },
    /// It is so old that nobody remembers what made that epoch.
    Forgotten {
        /// Which epoch.
        epoch: Epoch,
    },
    /// The slot is that of a member, or not everything of its last one is stable here. In the second
    /// case the change may be made later.
    SlotTaken {
        /// Which slot.
        slot: Slot,
    },
    /// Nobody has this slot who could retire.
    NoMember {
        /// Which slot.
        slot: Slot,
    },
    /// There is a member with this name, or was one: a server that comes back mints another.
    NameTaken {
        /// Which name.
        id: MemberId,
    },
    /// There are as many slots or epochs as there can be.
    Exhausted,
}

impl fmt::Display for ChangeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gap { expected } => write!(f, "the next change makes epoch {expected}"),
            Self::Conflict { epoch } => write!(f, "another change has made epoch {epoch}"),
            Self::Forgotten { epoch } => write!(f, "what made epoch {epoch} was forgotten"),
            Self::SlotTaken { slot } => write!(f, "slot {slot} is not free"),
            Self::NoMember { slot } => write!(f, "slot {slot} has no member"),
            Self::NameTaken { id } => write!(f, "the name {id} is or was that of a member"),
            Self::Exhausted => f.write_str("there are no more slots or epochs"),
        }
    }
}

impl core::error::Error for ChangeError {}

/// Why something that names slots was not read. Nothing of it was merged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refused {
    /// It is of an epoch that is too old to be read exactly. Whoever says it has to begin anew from what
    /// the realm holds now.
    Rebase,
    /// It is of an epoch that is not known here yet. Later it may be.
    Ahead {
        /// The epoch here.
        here: Epoch,
    },
    /// It names something that a server admitted after it had retired, a copy that was restored for
    /// instance. That has never happened.
    Retired {
        /// The slot that it had.
        slot: Slot,
        /// The last position that counts.
        last: u64,
    },
    /// Its member is about to be retired, and it is not decided what counts. Later it may.
    Suspended {
        /// Its slot.
        slot: Slot,
    },
    /// It names a slot that nobody had then.
    UnknownSlot {
        /// Which slot.
        slot: Slot,
    },
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rebase => f.write_str("it is of an epoch that is too old to be read"),
            Self::Ahead { here } => write!(f, "only epochs up to {here} are known here"),
            Self::Retired { slot, last } => {
                write!(f, "the server of slot {slot} has retired, and nothing after {last} counts")
            }
            Self::Suspended { slot } => write!(f, "nothing is taken from slot {slot} for now"),
            Self::UnknownSlot { slot } => write!(f, "nobody had slot {slot} then"),
        }
    }
}

impl core::error::Error for Refused {}
