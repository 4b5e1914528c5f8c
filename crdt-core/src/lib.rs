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
//!
//! # What happened there
//!
//! **Two replicas, no leader.** `here` and `there` are plain values that know nothing of each
//! other, of a network or of a clock. Each was changed by its own *writer*, whose [`ReplicaId`] must
//! be nobody else's (a random UUID does). Every change is an *event*, and its name, a [`Dot`], is the
//! writer's id and a number.
//!
//! **A change returns a delta.** It is the change alone, as small as what was changed, and it must
//! reach the other replica: how is up to you. It can be sent as an operation, gathered with others
//! (`delta.join(later)`), or left out, if the whole value is sent instead, which is a delta too. What
//! arrives is joined, and the joins commute, associate and repeat without harm. So nothing has to be
//! ordered, deduplicated or confirmed, and a lost delta is made good by any later exchange:
//!
//! ```
//! use crdt_core::{AddWinsSet, ReplicaId};
//!
//! let (mut phone, mut laptop) = (AddWinsSet::new(), AddWinsSet::new());
//! let mut on_phone = phone.writer(ReplicaId::from_u128(1));
//! let mut on_laptop = laptop.writer(ReplicaId::from_u128(2));
//!
//! laptop.join(phone.add("milk", &mut on_phone)?);
//! let _lost = phone.add("tea", &mut on_phone)?;
//!
//! // Apart: one side takes milk from the list, the other has run out of it again.
//! let removed = phone.remove("milk", &mut on_phone);
//! let added = laptop.add("milk", &mut on_laptop)?;
//! phone.join(added);
//! laptop.join(removed);
//! assert!(phone.contains("milk") && laptop.contains("milk"), "who adds wins");
//!
//! // What the one lacks, the other finds by a digest, and no more than that is sent.
//! let lacking = phone.missing_from(&laptop.digest());
//! laptop.join(lacking);
//! assert_eq!(phone, laptop);
//! # Ok::<(), crdt_core::WriteError>(())
//! ```
//!
//! **Who wins is in the type.** An addition has not been seen by the removal beside it, so it stays,
//! in an add-wins set. In a [`RemoveWinsSet`] it would go. Each type's page has a table of what two
//! sides did at once and what comes of it; `docs/choosing.md` of the repository goes from
//! needs to types.
//!
//! **Nothing piles up.** What was removed leaves no tombstone, but for the types that say so on
//! their page. A value holds its content and one *causal context* for all of it, which is as large as
//! there are replicas.
//!
//! **Equal values have equal bytes.** [`codec::Encode`] writes one form of each value, and
//! [`codec::Decode`] takes nothing else. Whatever the bytes are, decoding and joining them neither
//! panics nor takes memory out of proportion: they may be a stranger's.
//!
//! # What there is
//!
//! | | types |
//! |---|---|
//! | counters | [`GCounter`], [`PnCounter`], [`BoundedCounter`], [`counter::CounterStore`] |
//! | registers | [`LwwRegister`], [`MultiValueRegister`], [`MaxRegister`], [`MinRegister`], [`RedactableRegister`] |
//! | flags | [`EnableWinsFlag`], [`DisableWinsFlag`] |
//! | sets | [`AddWinsSet`], [`RemoveWinsSet`], [`GrowOnlySet`], [`TwoPhaseSet`] |
//! | maps | [`LwwMap`], [`ObservedRemoveMap`] of any store, to any depth |
//! | sequences | [`Text`], [`List`] of any elements, which can be moved |
//! | trees | [`Tree`], whose nodes can be moved |
//! | of your own | `#[derive(Replicated)]`, `#[derive(Lattice)]`, or [`Lattice`](trait@Lattice) by hand |
//!
//! A *root*, such as [`AddWinsSet`], has a context of its own and makes its writers. A *store*,
//! such as [`set::AddWinsStore`], is the same content without a context: it stands inside a root, under
//! a key of a map or in a field of a struct, and is changed by way of it.
//!
//! Changes can be taken back while what others did stays: [`undo`].
//!
//! # Features
//!
//! * `std` (default): nothing here needs it; it turns it on in dependencies, one of which has the processor
//!   compute checksums where it can.
//! * `derive`: the derive macros.
//! * `serde`: values, deltas and contexts in other formats, as text for people.
//! * `arbitrary`: valid values out of any bytes, for fuzzers.
//! * `laws`: the laws of every type as tests for types of your own.
//! * `uuid`: `ReplicaId` from and into `Uuid`.
//!
#![no_std]
#![forbid(unsafe_code)]
#![deny(missing_docs)]

extern crate alloc;
#[cfg(any(test, feature = "laws"))]
extern crate std;

#[cfg(feature = "arbitrary")]
mod arbitrary_form;
#[doc(hidden)]
pub mod canary;
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
#[cfg(feature = "serde")]
mod serde_form;
pub mod set;
pub mod tree;
pub mod undo;
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
pub use tree::{Tree, TreeDelta};
pub use writer::{WriteError, Writer};

#[cfg(feature = "arbitrary")]
pub use arbitrary;
#[cfg(feature = "arbitrary")]
pub use arbitrary_form::ArbitraryStore;
#[cfg(feature = "derive")]
pub use crdt_derive::{Lattice, Replicated};

/// What `#[derive(Replicated)]` makes only if this crate has the feature `arbitrary`.
#[cfg(feature = "arbitrary")]
#[doc(hidden)]
#[macro_export]
macro_rules! if_arbitrary {
    ($($item:item)*) => { $($item)* };
}

/// What `#[derive(Replicated)]` makes only if this crate has the feature `arbitrary`.
#[cfg(not(feature = "arbitrary"))]
#[doc(hidden)]
#[macro_export]
macro_rules! if_arbitrary {
    ($($item:item)*) => {};
}
