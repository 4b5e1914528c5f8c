//! Join semilattices and their deltas, and the laws that make replicas converge.

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
pub trait Lattice: Sized {
    /// A part of a state: what a mutator returns, and what several of them amount to.
    ///
    /// Deltas form the same lattice, so that they can be gathered before they are sent. A
    /// whole state is a delta too.
    type Delta: Lattice<Delta = Self::Delta> + From<Self>;

    /// Takes in a delta, or another state; whether it brought news.
    fn join(&mut self, other: impl Into<Self::Delta>) -> bool;
}

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
    fn decompose(&self) -> Vec<Self::Delta>;

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
