//! Servers as small numbers, and what they number.

use core::fmt;

/// The greatest position: no server gets there, at a million admissions a second, in 100,000 years.
///
/// A position above it is refused where foreign bytes are read, so that a peer cannot bring a
/// counter near its end.
pub const POSITION_MAX: u64 = crdt_core::SEQ_MAX;

/// The place of a server among those of its realm, for a membership epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot(pub u16);

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s{}", self.0)
    }
}

/// The how-many-th membership of a realm. It grows whenever a slot gets another meaning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Epoch(pub u32);

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "e{}", self.0)
    }
}

/// One event as a server admitted it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Admission {
    /// The server.
    pub slot: Slot,
    /// The how-many-th event it was of all that the server admitted, from 1.
    pub position: u64,
}

impl Admission {
    /// The event that the server admitted as this one.
    pub const fn new(slot: Slot, position: u64) -> Self {
        Self { slot, position }
    }
}

impl fmt::Display for Admission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.slot, self.position)
    }
}

/// What a server admitted from one position to another, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Admissions {
    /// The server.
    pub slot: Slot,
    /// The first position.
    pub first: u64,
    /// The last position.
    pub last: u64,
}
