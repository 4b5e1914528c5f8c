//! The names of servers.

use core::fmt;

use crate::cut::Slot;

/// The name of a server: 128 random bits, minted when it joins, and never used by another.
///
/// One that has retired comes back under a new name, with a copy of what the others hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MemberId(pub u128);

impl fmt::Display for MemberId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// What a server is to the realm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Standing {
    /// A member, with this slot.
    Member(Slot),
    /// It has retired. What it admitted up to this position counts, and nothing after.
    Retired {
        /// The slot that it had.
        slot: Slot,
        /// The last position that counts.
        last: u64,
    },
    /// It has never been a member, or so long ago that nobody remembers.
    Unknown,
}
