//! Which sets of replicas are enough.

use alloc::vec;
use alloc::vec::Vec;

use super::topology::{Topology, TopologyError, majority};

/// The sets of replicas that are enough for an operation: those with at least so many replicas in each
/// data centre, and so many in all.
///
/// Every preset is one, and so is every rule that counts. Whether two families of sets always
/// [intersect](Self::intersects), and in how many replicas at least, is computed exactly.
///
/// Gifford, *Weighted voting for replicated data* (1979).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Quorum {
    topology: Topology,
    /// In all; at least the sum of `each`.
    total: usize,
    /// In each data centre.
    each: Vec<usize>,
}

/// The rules with names that Cassandra has made known. What they come to depends on the topology.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Preset {
    /// Any replica.
    One,
    /// A majority of all replicas.
    Quorum,
    /// All replicas.
    All,
    /// Any replica of one's own data centre.
    LocalOne,
    /// A majority of the replicas of one's own data centre.
    LocalQuorum,
    /// A majority in every data centre.
    EachQuorum,
}

impl Preset {
    /// All presets.
    pub const ALL: [Self; 6] =
        [Self::One, Self::Quorum, Self::All, Self::LocalOne, Self::LocalQuorum, Self::EachQuorum];

    /// What it comes to for somebody in the data centre `local`.
    ///
    /// # Errors
    ///
    /// If there is no such data centre.
    pub fn quorum(self, topology: &Topology, local: usize) -> Result<Quorum, TopologyError> {
        let own = topology.replicas_in(local)?;
        let mut each = vec![0; topology.data_centres()];
        let total = match self {
            Self::One => 1,
            Self::Quorum => majority(topology.replicas()),
            Self::All => topology.replicas(),
            Self::LocalOne => {
                each[local] = 1;
                1
            }
            Self::LocalQuorum => {
                each[local] = majority(own);
                majority(own)
            }
            Self::EachQuorum => {
                each = topology.sizes().map(majority).collect();
                each.iter().sum()
            }
        };
        Ok(Quorum { topology: topology.clone(), total, each })
    }
}

impl Quorum {
    /// The sets of at least `total` replicas, wherever they are.
    ///
    /// # Errors
    ///
    /// If there are not so many, or it is 0.
    pub fn of(topology: &Topology, total: usize) -> Result<Self, TopologyError> {
        let replicas = topology.replicas();
        if total == 0 {
            return Err(TopologyError::EmptyQuorum);
        }
        if total > replicas {
            return Err(TopologyError::Unsatisfiable { asked: total, replicas });
        }
        Ok(Self { topology: topology.clone(), total, each: vec![0; topology.data_centres()] })
    }

    /// The sets of this family that have at least `replicas` in `data_centre`.
    ///
    /// # Errors
    ///
    /// If there is no such data centre, or it has not so many.
    pub fn with_local(
        mut self,
        data_centre: usize,
        replicas: usize,
    ) -> Result<Self, TopologyError> {
        let there = self.topology.replicas_in(data_centre)?;
        if replicas > there {
            return Err(TopologyError::Unsatisfiable { asked: replicas, replicas: there });
        }
        self.each[data_centre] = self.each[data_centre].max(replicas);
        self.total = self.total.max(self.each.iter().sum());
        Ok(self)
    }

    /// Where the replicas are.
    #[must_use]
    pub const fn topology(&self) -> &Topology {
        &self.topology
    }

    /// How many replicas a set needs at least.
    #[must_use]
    pub const fn total(&self) -> usize {
        self.total
    }

    /// How many replicas of a data centre a set needs at least. 0 for one that there is not.
    #[must_use]
    pub fn in_data_centre(&self, data_centre: usize) -> usize {
        self.each.get(data_centre).copied().unwrap_or(0)
    }

    /// Whether these replicas are enough. A replica counts once, however often it is named.
    #[must_use]
    pub fn is_met_by(&self, replicas: impl IntoIterator<Item = usize>) -> bool {
        let counts = self.topology.count(replicas);
        counts.iter().sum::<usize>() >= self.total
            && counts.iter().zip(&self.each).all(|(count, least)| count >= least)
    }

    /// Whether every set of one family has a replica in common with every set of the other. O(data
    /// centres). Never for quorums of two topologies: their numbers name other replicas.
    #[must_use]
    pub fn intersects(&self, other: &Self) -> bool {
        self.overlap_min(other) > 0
    }

    /// How many replicas a set of one family and a set of the other have in common at least. O(data
    /// centres), and exact: some pair of sets has no more.
    #[must_use]
    pub fn overlap_min(&self, other: &Self) -> usize {
        if self.topology != other.topology {
            return 0;
        }
        // Within a data centre two sets overlap by what does not fit beside each other. What they
        // need beyond that in all goes first where there still is room beside each other, wherever
        // that is; after that each replica of one is one of the other.
        let (mut forced, mut room) = (0, 0);
        for ((size, here), there) in self.topology.sizes().zip(&self.each).zip(&other.each) {
            forced += (here + there).saturating_sub(size);
            room += size.saturating_sub(here + there);
        }
        let free = |quorum: &Self| quorum.total - quorum.each.iter().sum::<usize>();
        forced + (free(self) + free(other)).saturating_sub(room)
    }

    /// How many replicas may fail, whichever they are, with enough of them left.
    #[must_use]
    pub fn failures_max(&self) -> usize {
        let anywhere = self.topology.replicas() - self.total;
        let local = self.topology.sizes().zip(&self.each);
        let local = local.filter(|(_, least)| **least > 0).map(|(size, least)| size - least).min();
        local.map_or(anywhere, |local| local.min(anywhere))
    }
}
