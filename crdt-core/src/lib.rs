//! Conflict-free replicated data types as plain values.
//!
//! A replicated struct of your own (`cargo add crdt-core --features derive`):
//!
//! ```
//! use crdt_core::{Replicated, ReplicaId, counter::CounterStore, set::AddWinsStore};
//!
//! #[derive(Debug, Default, PartialEq, Replicated)]
//! struct Video {
//!     tags: AddWinsStore<&'static str>,
//!     views: CounterStore,
//! }
//!
//! let (mut here, mut there) = (Replicated::<Video>::new(), Replicated::<Video>::new());
//! let (mut me, mut you) = (here.writer(ReplicaId::from_u128(1)), there.writer(ReplicaId::from_u128(2)));
//! let mine = here.edit(&mut me, |video| video.views().increment(1))?; // to be sent to the others
//! let yours = there.edit(&mut you, |video| video.tags().add("crdt"))?;
//! here.join(yours); // whatever arrives, in any order, once or twice
//! there.join(mine);
//! assert_eq!(here, there);
//! # Ok::<(), crdt_core::WriteError>(())
//! ```
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
pub use dot_store::Replicated;
pub use flag::{DisableWinsFlag, EnableWinsFlag};
pub use id::{Dot, DotRange, ReplicaId, SEQ_MAX};
pub use lattice::Lattice;
pub use map::{LwwMap, ObservedRemoveMap};
pub use register::{LwwRegister, MaxRegister, MinRegister, MultiValueRegister, RedactableRegister};
pub use sequence::{List, Text, TextDelta};
pub use set::{AddWinsSet, GrowOnlySet, RemoveWinsSet, TwoPhaseSet};
pub use writer::{WriteError, Writer};

#[cfg(feature = "derive")]
pub use crdt_derive::{Lattice, Replicated};

#[cfg(test)]
mod test_support {
    /// How many cases a law is tried on: 4,096, or what `CRDT_CASES` says.
    pub(crate) fn cases() -> u64 {
        std::env::var("CRDT_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(4096)
    }
}
