//! Where the replicas are.

use alloc::vec::Vec;
use core::fmt;

/// How many replicas each data centre has.
///
/// Data centres are numbered from 0 as they were given, replicas through all of them: those of the first
/// data centre come first. Everything else in this module is computed from it, so that a change of the
/// topology changes every quorum with it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Topology {
    replicas: Vec<u16>,
}

/// Why there is no such topology, or no such quorum in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TopologyError {
    /// There is no data centre.
    Empty,
    /// A data centre has no replicas.
    EmptyDataCentre {
        /// Its number.
        data_centre: usize,
    },
    /// There are more replicas than 65,535.
    TooManyReplicas,
    /// There is no data centre of this number.
    NoDataCentre {
        /// The number.
        data_centre: usize,
    },
    /// No set of replicas has so many.
    Unsatisfiable {
        /// How many are asked for.
        asked: usize,
        /// How many there are.
        replicas: usize,
    },
    /// A quorum needs at least one replica: none could tell nothing, and be told nothing.
    EmptyQuorum,
}

impl fmt::Display for TopologyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("a topology has at least one data centre"),
            Self::EmptyDataCentre { data_centre } => {
                write!(f, "data centre {data_centre} has no replicas")
            }
            Self::TooManyReplicas => f.write_str("there are more replicas than 65,535"),
            Self::NoDataCentre { data_centre } => {
                write!(f, "there is no data centre {data_centre}")
            }
            Self::Unsatisfiable { asked, replicas } => {
                write!(f, "{asked} replicas are asked for where there are {replicas}")
            }
            Self::EmptyQuorum => f.write_str("a quorum needs at least one replica"),
        }
    }
}

impl core::error::Error for TopologyError {}

impl Topology {
    /// Data centres with so many replicas each.
    ///
    /// # Errors
    ///
    /// If there is no data centre, or one has no replicas, or all together have more than 65,535.
    pub fn new(replicas: impl IntoIterator<Item = u16>) -> Result<Self, TopologyError> {
        let replicas: Vec<u16> = replicas.into_iter().collect();
        if replicas.is_empty() {
            return Err(TopologyError::Empty);
        }
        if let Some(data_centre) = replicas.iter().position(|replicas| *replicas == 0) {
            return Err(TopologyError::EmptyDataCentre { data_centre });
        }
        if replicas.iter().map(|replicas| usize::from(*replicas)).sum::<usize>() > 0xffff {
            return Err(TopologyError::TooManyReplicas);
        }
        Ok(Self { replicas })
    }

    /// How many replicas there are in all.
    #[must_use]
    pub fn replicas(&self) -> usize {
        self.replicas.iter().map(|replicas| usize::from(*replicas)).sum()
    }

    /// How many data centres there are.
    #[must_use]
    pub fn data_centres(&self) -> usize {
        self.replicas.len()
    }

    /// How many replicas a data centre has.
    ///
    /// # Errors
    ///
    /// If there is no such data centre.
    pub fn replicas_in(&self, data_centre: usize) -> Result<usize, TopologyError> {
        let replicas = self.replicas.get(data_centre);
        replicas
            .map(|replicas| usize::from(*replicas))
            .ok_or(TopologyError::NoDataCentre { data_centre })
    }

    /// In which data centre a replica is, or `None` if there is no such replica. O(data centres).
    #[must_use]
    pub fn data_centre_of(&self, replica: usize) -> Option<usize> {
        let mut first = 0;
        self.replicas.iter().position(|replicas| {
            first += usize::from(*replicas);
            replica < first
        })
    }

    /// How many replicas of each data centre are among these; each counts once. Those that do not exist
    /// count nothing.
    pub(super) fn count(&self, chosen: impl IntoIterator<Item = usize>) -> Vec<usize> {
        let chosen: alloc::collections::BTreeSet<usize> = chosen.into_iter().collect();
        let mut counts = alloc::vec![0; self.data_centres()];
        for data_centre in chosen.into_iter().filter_map(|replica| self.data_centre_of(replica)) {
            counts[data_centre] += 1;
        }
        counts
    }

    /// The sizes of the data centres.
    pub(super) fn sizes(&self) -> impl Iterator<Item = usize> + '_ {
        self.replicas.iter().map(|replicas| usize::from(*replicas))
    }
}

/// More than half of `members`: two such groups always have a member in common.
#[must_use]
pub const fn majority(members: usize) -> usize {
    members / 2 + 1
}
