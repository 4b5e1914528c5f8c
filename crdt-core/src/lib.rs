//! Conflict-free replicated data types as plain values.
#![no_std]
#![forbid(unsafe_code)]
#![deny(missing_docs)]

extern crate alloc;
#[cfg(any(test, feature = "laws"))]
extern crate std;

pub mod causality;
pub mod codec;
pub mod collections;
pub mod counter;
pub mod dot_store;
pub mod flag;
mod id;
pub mod lattice;
#[cfg(feature = "laws")]
pub mod laws;
pub mod map;
pub mod register;
pub mod sequence;
pub mod set;
mod writer;

pub use causality::{EventGraph, Frontier, VersionVector};
pub use counter::{BoundedCounter, GCounter, PnCounter};
pub use flag::{DisableWinsFlag, EnableWinsFlag};
pub use id::{Dot, DotRange, ReplicaId, SEQ_MAX};
pub use lattice::Lattice;
pub use map::{LwwMap, ObservedRemoveMap};
pub use register::{LwwRegister, MaxRegister, MinRegister, MultiValueRegister};
pub use sequence::{Text, TextDelta};
pub use set::{AddWinsSet, GrowOnlySet, RemoveWinsSet, TwoPhaseSet};
pub use writer::{WriteError, Writer};

#[cfg(test)]
mod test_support {
    /// How many cases a law is tried on: 4,096, or what `CRDT_CASES` says.
    pub(crate) fn cases() -> u64 {
        std::env::var("CRDT_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(4096)
    }
}
