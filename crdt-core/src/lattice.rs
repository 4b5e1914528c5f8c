//! Join semilattices and their deltas, and the laws that make replicas converge.
//!
//! # Products by derive
//!
//! A struct of lattices is a lattice. With the feature `derive`, `#[derive(Lattice)]` says so, field
//! by field:
//!
//! ```
//! use crdt_core::counter::CounterError;
//! use crdt_core::{GCounter, Lattice, MaxRegister, ReplicaId, Writer};
//!
//! #[derive(Clone, Debug, Default, PartialEq, Lattice)]
//! struct Video {
//!     views: GCounter,
//!     longest_watched: MaxRegister<u32>,
//! }
//!
//! impl Video {
//!     fn watch(&mut self, seconds: u32, views: &mut Writer) -> Result<VideoDelta, CounterError> {
//!         Ok(VideoDelta {
//!             views: self.views.increment(1, views)?,
//!             longest_watched: self.longest_watched.raise(seconds),
//!         })
//!     }
//! }
//!
//! let (mut here, mut there) = (Video::default(), Video::default());
//! let mut on_here = here.views.writer(ReplicaId::from_u128(1));
//! let mut on_there = there.views.writer(ReplicaId::from_u128(2));
//! there.join(here.watch(70, &mut on_here)?);
//! here.join(there.watch(40, &mut on_there)?);
//!
//! assert_eq!(here, there);
//! assert_eq!((here.views.value(), here.longest_watched.get()), (2, Some(&70)));
//! # Ok::<(), CounterError>(())
//! ```
//!
//! The derive makes the type of the deltas, called as the struct with `Delta` behind it: for each field
//! that field's delta, which has to be [`Default`], empty. It makes [`Lattice`] for both, and as far
//! as the fields have them [`Decompose`], [`Encode`] and [`Decode`]. Numbers of fields, what may change
//! while old bytes are about, and `#[crdt(crate = path)]` are as for
//! [`Replicated`](type@crate::Replicated); a field is left out of the bytes if it is the default.
//!
//! A field that is no lattice is an error at that field:
//!
//! ```compile_fail,E0277
//! # use crdt_core::Lattice;
//! #[derive(Default, Lattice)]
//! struct Video {
//!     title: String, // `String` is no lattice
//! }
//! ```
//!
//! Each field has its own events, and there is no moment in which both change: peers may see one
//! field's part of a delta through another path before the rest. Fields that have to stay together,
//! or can be removed, are stores of a [`Replicated`](type@crate::Replicated) struct.

use alloc::vec::Vec;

use crate::codec::{Decode, DecodeError, Encode, Reader, Writer};

/// A replicated value: a state in a join semilattice.
///
/// # Laws
///
/// For all states and deltas `a`, `b`, `c` of one lattice, where `⊔` is [`join`](Self::join)
/// and `⊑` the order it induces (`a ⊑ b` if `a ⊔ b = b`):
///
/// * **commutative**: `a ⊔ b = b ⊔ a`;
/// * **associative**: `(a ⊔ b) ⊔ c = a ⊔ (b ⊔ c)`;
/// * **idempotent**: `a ⊔ a = a`;
/// * **inflationary**: `a ⊑ a ⊔ b`, and a mutator that turns `a` into `a′` returns a delta
///   `d` with `a′ = a ⊔ d`.
///
/// So it matters neither in which order deltas arrive, nor how often, nor in which groups:
/// replicas that have joined the same deltas, or states that contain them, are equal, and so
/// are their encoded bytes. No delta has to wait for another.
///
/// The laws hold as long as no two writers use one [`ReplicaId`](crate::ReplicaId) (see
/// there). They are tested for every type of this crate.
///
/// Shapiro, Preguiça, Baquero, Zawirski, *Conflict-free replicated data types* (2011);
/// Almeida, Shoker, Baquero, *Delta state replicated data types* (2018).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no lattice",
    label = "this has to be a lattice, such as an `LwwRegister` or a `GCounter`"
)]
pub trait Lattice: Sized {
    /// A part of a state: what a mutator returns, and what several of them amount to.
    ///
    /// Deltas form the same lattice, so that they can be gathered before they are sent. A
    /// whole state is a delta too.
    type Delta: Lattice<Delta = Self::Delta> + From<Self>;

    /// Takes in a delta, or another state; whether it brought news.
    fn join(&mut self, other: impl Into<Self::Delta>) -> bool;
}

/// The parts of a value.
pub type Parts<L> = Vec<<L as Lattice>::Delta>;

/// A lattice whose values fall apart into parts that cannot be divided.
///
/// So a peer can be sent exactly what it lacks, whatever else happened in between.
///
/// # Laws
///
/// The parts joined are the value; no part is below the join of the others; and each part, as a
/// value, has itself for its only part.
///
/// Enes, Almeida, Baquero, Leitão, *Efficient synchronization of state-based CRDTs* (2019).
pub trait Decompose: Lattice<Delta: Default + Clone> + Clone {
    /// The parts, in no particular order. As many as there were events, for types that know
    /// those.
    fn decompose(&self) -> Parts<Self>;

    /// The smallest delta that makes `other` the join of both: what is known here and lacking
    /// there. Empty if `other` lacks nothing.
    fn difference(&self, other: &Self) -> Self::Delta {
        let (mut met, mut lacking) = (other.clone(), Self::Delta::default());
        for part in self.decompose() {
            if met.join(part.clone()) {
                lacking.join(part);
            }
        }
        lacking
    }
}

/// A part of a value whose parts are values of the same kind: what a mutator returns, or
/// several of those joined.
///
/// It is the delta of types that need no more than that, such as a
/// [`GrowOnlySet`](crate::GrowOnlySet), of which a part is a smaller set.
#[must_use = "a delta has to reach the other replicas"]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Part<L>(pub(crate) L);

impl<L> Part<L> {
    /// The part, as a value.
    pub const fn get(&self) -> &L {
        &self.0
    }

    /// The part, as a value.
    pub fn into_inner(self) -> L {
        self.0
    }
}

impl<L: Default + PartialEq> Part<L> {
    /// Whether the delta tells nothing, so that it need not be sent.
    pub fn is_empty(&self) -> bool {
        self.0 == L::default()
    }
}

impl<L: Lattice<Delta = Self>> Part<L> {
    /// Takes in another delta; whether it brought news.
    pub fn join(&mut self, other: impl Into<Self>) -> bool {
        self.0.join(other)
    }
}

impl<L> From<L> for Part<L> {
    fn from(value: L) -> Self {
        Self(value)
    }
}

impl<L: Clone> From<&L> for Part<L> {
    fn from(value: &L) -> Self {
        Self(value.clone())
    }
}

impl<L: Clone> From<&Self> for Part<L> {
    fn from(part: &Self) -> Self {
        part.clone()
    }
}

impl<L: Lattice<Delta = Self>> Lattice for Part<L> {
    type Delta = Self;

    fn join(&mut self, other: impl Into<Self>) -> bool {
        self.0.join(other)
    }
}

impl<L: Encode> Encode for Part<L> {
    fn encode(&self, out: &mut Writer) {
        self.0.encode(out);
    }
}

impl<L: Decode> Decode for Part<L> {
    const BYTES_MIN: usize = L::BYTES_MIN;

    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        L::decode(input).map(Self)
    }
}
