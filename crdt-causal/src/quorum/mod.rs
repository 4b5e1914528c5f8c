//! Quorums: how many replicas have to take part for reads to see writes.
//!
//! Each number follows from the [`Topology`]: a constant that was right for five replicas in one data
//! centre is wrong for nine in three. [`Preset`]s are the rules with names; [`Quorum`] is what a rule
//! comes to; [`QuorumSpec`] tells what a pair of them promises. [`Write`] and [`ReadRepair`] follow one
//! operation.

mod repair;
mod spec;
mod threshold;
mod topology;
mod write;

pub use repair::ReadRepair;
pub use spec::{Promise, QuorumSpec};
pub use threshold::{Preset, Quorum};
pub use topology::{Topology, TopologyError, majority};
pub use write::{Write, WriteOutcome};
