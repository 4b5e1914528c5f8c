//! A write under way.

use alloc::collections::BTreeSet;
use core::ops::Range;

use super::threshold::Quorum;

/// Counts what becomes of a write at its replicas.
///
/// It is sent to *all* replicas at once, so that it takes as long as the slowest of the fastest enough, and
/// those that are not waited for get it too. What did not reach its quorum may yet be there, and seen
/// by later reads: its outcome is [`Indeterminate`](WriteOutcome::Indeterminate) and never "failed".
/// A [hint](crate::handoff) that somebody keeps for a replica is no acknowledgement of that replica: a
/// read quorum would not meet it.
///
/// ```
/// use crdt_causal::quorum::{Quorum, Topology, Write, WriteOutcome};
///
/// let quorum = Quorum::of(&Topology::new([3])?, 2)?;
/// let mut write = Write::new(quorum, 2_000);
/// assert_eq!(write.send_to(), 0..3);
/// write.acknowledged(0);
/// write.hinted(1);
/// assert_eq!(write.outcome(1_999), WriteOutcome::Pending);
/// assert_eq!(write.outcome(2_000), WriteOutcome::Indeterminate { acknowledged: 1, hinted: 1 });
/// write.acknowledged(2);
/// assert_eq!(write.outcome(2_001), WriteOutcome::Met);
/// # Ok::<(), crdt_causal::quorum::TopologyError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Write {
    quorum: Quorum,
    deadline: u64,
    acknowledged: BTreeSet<usize>,
    refused: BTreeSet<usize>,
    hinted: BTreeSet<usize>,
}

/// What is known of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WriteOutcome {
    /// It is not decided yet.
    Pending,
    /// Enough replicas have it.
    Met,
    /// Not enough replicas are known to have it. Some do, or may: it can become visible at any time.
    /// Writing it again does no harm, for a value that is joined.
    Indeterminate {
        /// How many replicas have it.
        acknowledged: usize,
        /// How many will be told of it when they are back.
        hinted: usize,
    },
    /// No replica has it or will have it: all have refused.
    NotWritten,
}

impl Write {
    /// Nothing was heard of any replica yet.
    #[must_use]
    pub const fn new(quorum: Quorum, deadline: u64) -> Self {
        Self {
            quorum,
            deadline,
            acknowledged: BTreeSet::new(),
            refused: BTreeSet::new(),
            hinted: BTreeSet::new(),
        }
    }

    /// The replicas that it goes to: all of them, at once.
    #[must_use]
    pub fn send_to(&self) -> Range<usize> {
        0..self.quorum.topology().replicas()
    }

    /// A replica has it, durably.
    pub fn acknowledged(&mut self, replica: usize) {
        self.acknowledged.insert(replica);
    }

    /// A replica has not taken it, and will not.
    pub fn refused(&mut self, replica: usize) {
        self.refused.insert(replica);
    }

    /// Somebody keeps it for a replica that cannot be reached.
    pub fn hinted(&mut self, replica: usize) {
        self.hinted.insert(replica);
    }

    /// What is known of it now. O(replicas).
    #[must_use]
    pub fn outcome(&self, now: u64) -> WriteOutcome {
        if self.quorum.is_met_by(self.acknowledged.iter().copied()) {
            return WriteOutcome::Met;
        }
        let may_follow = self.send_to().filter(|replica| !self.refused.contains(replica));
        let can_be_met = self.quorum.is_met_by(may_follow.clone());
        if may_follow.count() == 0 && self.hinted.is_empty() {
            return WriteOutcome::NotWritten;
        }
        if now < self.deadline && can_be_met {
            return WriteOutcome::Pending;
        }
        WriteOutcome::Indeterminate {
            acknowledged: self.acknowledged.len(),
            hinted: self.hinted.difference(&self.acknowledged).count(),
        }
    }
}
