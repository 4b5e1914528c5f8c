use core::cmp::Ordering;

use crdt_core::{Dot, VersionVector};

/// The clock of one write: its own dot, and what it has seen.
///
/// The dot is apart from the past, and need not follow it. That is what a server needs that names
/// writes for many clients: a client that has read an older version writes beside what others wrote
/// since, at the same server, and both are kept. A plain vector would have to count the newest of the
/// server's writes as seen, and one of the two would be lost; a vector with an entry for each client
/// would grow with the clients.
///
/// `partial_cmp` is *happened before*: `a < b` if `b`'s past holds `a`'s dot. It takes one look-up,
/// O(log S) for S servers, where vectors take a pass. A write is equal to itself alone.
///
/// Values beside each other under such clocks are a
/// [`MultiValueRegister`](crdt_core::MultiValueRegister), whose `set_after` takes the past that a
/// client has read: the set of dotted version vectors in one, with the past kept once.
///
/// Preguiça, Baquero, Almeida, Fonte and Gonçalves, *Dotted version vectors: logical clocks for
/// optimistic replication* (2010).
///
/// ```
/// use crdt_causal::clock::{DottedVersionVector, VersionVector};
/// use crdt_core::{Dot, ReplicaId};
///
/// // Two clients have read nothing and write at one server.
/// let server = ReplicaId::from_u128(1);
/// let one = DottedVersionVector::new(Dot::new(server, 1), VersionVector::new());
/// let two = DottedVersionVector::new(Dot::new(server, 2), VersionVector::new());
/// assert!(one.concurrent_with(&two), "the second has not seen the first");
///
/// // A third has read both.
/// let mut past = one.version();
/// past.join(&two.version());
/// let three = DottedVersionVector::new(Dot::new(server, 3), past);
/// assert!(one < three && two < three);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DottedVersionVector {
    dot: Dot,
    past: VersionVector,
}

impl DottedVersionVector {
    /// The clock of the write with this dot, which has seen `past`.
    ///
    /// # Panics
    ///
    /// If the write has seen itself.
    pub fn new(dot: Dot, past: VersionVector) -> Self {
        assert!(!past.contains(dot), "{dot} is in its own past");
        Self { dot, past }
    }

    /// The name of the write.
    pub const fn dot(&self) -> Dot {
        self.dot
    }

    /// What it has seen.
    pub const fn past(&self) -> &VersionVector {
        &self.past
    }

    /// The smallest vector that holds the write and what it has seen: what a client hands back that
    /// has read this and everything beside it.
    pub fn version(&self) -> VersionVector {
        let mut version = self.past.clone();
        version.observe(self.dot.replica, self.dot.seq);
        version
    }

    /// Whether neither has seen the other.
    pub fn concurrent_with(&self, other: &Self) -> bool {
        self.partial_cmp(other).is_none()
    }
}

/// Happened before.
impl PartialOrd for DottedVersionVector {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        if self.dot == other.dot {
            return (self.past == other.past).then_some(Ordering::Equal);
        }
        match (other.past.contains(self.dot), self.past.contains(other.dot)) {
            (true, false) => Some(Ordering::Less),
            (false, true) => Some(Ordering::Greater),
            // Both ways would be two histories under one name: not comparable.
            (false, false) | (true, true) => None,
        }
    }
}
