//! Join semilattices and their deltas, and the laws that make replicas converge.

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
