use core::fmt;

use super::ReplicaId;

/// The greatest sequence number a replica may reach: 2⁶².
///
/// At a million events a second that is 146,000 years; the distance to `u64::MAX` is what
/// makes every `+ 1` below it safe.
pub const SEQ_MAX: u64 = 1 << 62;

/// The name of one event: the replica that issued it, and its number among that replica's
/// events, counted from 1 without gaps.
///
/// ```
/// use crdt_core::{Dot, ReplicaId};
///
/// let first = Dot::new(ReplicaId::from_u128(7), 1);
/// assert_eq!(first.next().map(|dot| dot.seq), Some(2));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Dot {
    /// Who issued the event.
    pub replica: ReplicaId,
    /// Its number among the replica's events, from 1.
    pub seq: u64,
}

impl Dot {
    /// The `seq`-th event of `replica`.
    pub const fn new(replica: ReplicaId, seq: u64) -> Self {
        Self { replica, seq }
    }

    /// The replica's next event, or `None` past [`SEQ_MAX`].
    #[must_use]
    pub const fn next(self) -> Option<Self> {
        if self.seq >= SEQ_MAX {
            return None;
        }
        Some(Self::new(self.replica, self.seq + 1))
    }

    /// The replica's event before this one, or `None` for its first.
    #[must_use]
    pub const fn previous(self) -> Option<Self> {
        if self.seq <= 1 {
            return None;
        }
        Some(Self::new(self.replica, self.seq - 1))
    }
}

impl fmt::Display for Dot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.replica, self.seq)
    }
}

impl fmt::Debug for Dot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Dot({self})")
    }
}

/// A non-empty run of one replica's events, both ends included.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DotRange {
    /// Who issued the events.
    pub replica: ReplicaId,
    /// The first event's number.
    pub first: u64,
    /// The last event's number, at least `first`.
    pub last: u64,
}

impl DotRange {
    /// The events `first..=last` of `replica`.
    ///
    /// # Panics
    ///
    /// If the range is empty or starts at 0.
    pub const fn new(replica: ReplicaId, first: u64, last: u64) -> Self {
        assert!(first >= 1 && first <= last, "a dot range holds at least one event");
        Self { replica, first, last }
    }

    /// How many events there are.
    #[expect(clippy::len_without_is_empty, reason = "a range is never empty")]
    pub const fn len(&self) -> u64 {
        self.last - self.first + 1
    }

    /// Whether `dot` is one of them.
    pub fn contains(&self, dot: Dot) -> bool {
        dot.replica == self.replica && (self.first..=self.last).contains(&dot.seq)
    }
}

impl fmt::Display for DotRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}-{}", self.replica, self.first, self.last)
    }
}

impl fmt::Debug for DotRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DotRange({self})")
    }
}
