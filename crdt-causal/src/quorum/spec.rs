//! What a pair of quorums promises.

use super::threshold::{Preset, Quorum};
use super::topology::{Topology, TopologyError};

/// With which quorums a value is written and read.
///
/// ```
/// use crdt_causal::quorum::{Preset, QuorumSpec, Topology};
///
/// // Three data centres of three replicas. QUORUM is 5 of 9, LOCAL_QUORUM 2 of 3.
/// let topology = Topology::new([3, 3, 3])?;
/// let quorum = QuorumSpec::of_presets(Preset::Quorum, Preset::Quorum, &topology, 0)?;
/// assert_eq!(quorum.read.total(), 5);
/// assert!(quorum.intersects() && quorum.write_conflict_free());
///
/// // A local majority is read by those next door alone.
/// let local = QuorumSpec::of_presets(Preset::LocalQuorum, Preset::LocalQuorum, &topology, 0)?;
/// assert_eq!(local.read.total(), 2);
/// assert!(local.intersects());
/// let elsewhere = Preset::LocalQuorum.quorum(&topology, 1)?;
/// assert!(!local.write.intersects(&elsewhere));
/// # Ok::<(), crdt_causal::quorum::TopologyError>(())
/// ```
///
/// # What it does not promise
///
/// Quorums that intersect let a read see every write that was over before it began. That alone is a
/// *regular* register: two reads during a write may see first the new value and then the old one. For
/// *linearizable* reads what was read has to be on a write quorum before it is returned (Attiya,
/// Bar-Noy, Dolev, *Sharing memory robustly in message-passing systems*, 1995): see
/// [`ReadRepair`](super::ReadRepair). Neither makes *read, then write* atomic: two such pairs can both read
/// before either writes, and one update is lost unless values are joined. That needs a
/// compare-and-set, a transaction or escrow.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct QuorumSpec {
    /// Which sets of replicas are enough to read from.
    pub read: Quorum,
    /// Which sets of replicas are enough to write to.
    pub write: Quorum,
}

/// What a read returns beside concurrent writes and after finished ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Promise {
    /// It may miss a write that was over before it began.
    Eventual,
    /// It sees every write that was over before it began. Reads during a write may go back and forth.
    Regular,
    /// As if all operations had taken place one after the other, where versions are totally ordered and
    /// a writer that chooses one has asked a read quorum before. Where values are joined instead, no
    /// read sees less than one that was over before it began, but two at once may see parts of which
    /// neither contains the other.
    Linearizable,
}

impl QuorumSpec {
    /// The pair that two presets come to, for somebody in the data centre `local`.
    ///
    /// # Errors
    ///
    /// If there is no such data centre.
    pub fn of_presets(
        read: Preset,
        write: Preset,
        topology: &Topology,
        local: usize,
    ) -> Result<Self, TopologyError> {
        Ok(Self { read: read.quorum(topology, local)?, write: write.quorum(topology, local)? })
    }

    /// Whether each read has a replica in common with each write, *R + W > N*: it sees what was
    /// written before.
    #[must_use]
    pub fn intersects(&self) -> bool {
        self.read.intersects(&self.write)
    }

    /// Whether each write has a replica in common with each other, *2 W > N*: of two versions made at once,
    /// one replica has seen both.
    #[must_use]
    pub fn write_conflict_free(&self) -> bool {
        self.write.intersects(&self.write)
    }

    /// From how many replicas at least that have taken part in a write a later read hears of it.
    #[must_use]
    pub fn overlap_min(&self) -> usize {
        self.read.overlap_min(&self.write)
    }

    /// What reads promise, with or without [writing back](super::ReadRepair::is_written_back) what was
    /// read before it is returned.
    #[must_use]
    pub fn promise(&self, write_back: bool) -> Promise {
        match (self.intersects(), write_back) {
            (false, _) => Promise::Eventual,
            (true, false) => Promise::Regular,
            (true, true) => Promise::Linearizable,
        }
    }
}
