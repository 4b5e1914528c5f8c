//! The multi-value register.

use alloc::vec::Vec;
use core::fmt;

use crate::causality::CausalContext;
use crate::codec::{self, Decode, DecodeError, Encode, Reader};
use crate::dot_store::{Causal, Delta, Digest, DotFun, DotStore, Edit};
use crate::lattice::Decompose;
use crate::{Dot, Lattice, ReplicaId, WriteError, Writer};

/// A register that keeps every value that no other write has seen.
///
/// Nothing is decided: what was written concurrently stands side by side, as *siblings*,
/// until someone who has seen them writes again.
///
/// | one replica | concurrently, another | after the join |
/// |---|---|---|
/// | `set(v)` | `set(w)` | v and w |
/// | `set(v)` | `set(v)` | v twice, with two authors |
/// | `set(v)` | `clear()` | v: the clearing has not seen it |
/// | `set(v)`, then `set(w)` | `set(x)` | w and x |
/// | `set(v)` by a client that has read a and b | `set(w)` at the same replica, by one that has read a | v and w: see [`set_after`](Self::set_after) |
///
/// There are never more siblings than there were concurrent writers, however they interleave.
///
/// **State.** The siblings with the dots of their writes, and the causal context: O(siblings +
/// replicas) memory and bytes. **Cost.** A write and a join take O(siblings + log replicas).
///
/// Preguiça, Baquero, Almeida, Fonte, Gonçalves, *Dotted version vectors* (2010); Almeida,
/// Shoker, Baquero, *Delta state replicated data types* (2018).
///
/// ```
/// use crdt_core::{MultiValueRegister, ReplicaId};
///
/// let (mut left, mut right) = (MultiValueRegister::new(), MultiValueRegister::new());
/// let mut on_left = left.writer(ReplicaId::from_u128(1));
/// let mut on_right = right.writer(ReplicaId::from_u128(2));
///
/// let mumbai = left.set("Mumbai", &mut on_left)?;
/// let delhi = right.set("Delhi", &mut on_right)?;
/// left.join(delhi);
/// right.join(mumbai);
/// assert!(left.values().eq(&["Mumbai", "Delhi"]));
///
/// // Whoever has seen both decides.
/// let decided = right.set("Delhi", &mut on_right)?;
/// left.join(decided);
/// assert_eq!(left.single(), Some(&"Delhi"));
/// assert_eq!(left, right);
/// # Ok::<(), crdt_core::WriteError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct MultiValueRegister<V>(pub(crate) Causal<MultiValueStore<V>>);

/// The content of a [`MultiValueRegister`], without a context of its own: the siblings, each
/// under the dot of its write.
pub type MultiValueStore<V> = DotFun<V>;

/// A part of a [`MultiValueRegister`]: what a mutator returns, or several of those joined.
pub type MultiValueRegisterDelta<V> = Delta<MultiValueStore<V>>;

impl<V: Clone> MultiValueRegister<V> {
    /// The register that was never written.
    pub fn new() -> Self {
        Self::default()
    }

    /// A writer for `replica`; see [`Writer`].
    pub fn writer(&self, replica: ReplicaId) -> Writer {
        self.0.writer(replica)
    }

    /// Writes the register: the value replaces all siblings.
    ///
    /// # Errors
    ///
    /// [`WriteError::SequenceExhausted`]: a peer has used up the replica's name.
    ///
    /// # Panics
    ///
    /// If the writer was made by another root.
    #[track_caller]
    pub fn set(
        &mut self,
        value: V,
        writer: &mut Writer,
    ) -> Result<MultiValueRegisterDelta<V>, WriteError> {
        self.0.edit(writer, |register| register.set(value))
    }

    /// Writes the register for a client that has read it, here or at another replica, when its
    /// [`context`](Self::context) was `seen`: the value replaces what that covers, and stands
    /// beside what was written since.
    ///
    /// So a server writes under its own name for any number of clients, and tells their
    /// concurrent writes apart. `seen` has to be a context of this register: all that it covers
    /// is gone afterwards.
    ///
    /// # Errors
    ///
    /// [`WriteError::SequenceExhausted`]: a peer has used up the replica's name.
    ///
    /// # Panics
    ///
    /// If the writer was made by another root.
    #[track_caller]
    pub fn set_after(
        &mut self,
        value: V,
        seen: &CausalContext,
        writer: &mut Writer,
    ) -> Result<MultiValueRegisterDelta<V>, WriteError> {
        self.0.edit_after(seen, writer, |register| register.put_beside(value))
    }

    /// Takes every sibling away that was seen here.
    ///
    /// # Panics
    ///
    /// If the writer was made by another root.
    #[track_caller]
    pub fn clear(&mut self, writer: &mut Writer) -> MultiValueRegisterDelta<V> {
        self.0.edit_out(writer, |register| register.clear())
    }
}

impl<V> MultiValueRegister<V> {
    /// Takes in a delta or another register; whether it brought news.
    pub fn join(&mut self, other: impl Into<MultiValueRegisterDelta<V>>) -> bool {
        self.0.join(other)
    }

    /// The siblings, in ascending order of their dots.
    pub fn values(&self) -> impl ExactSizeIterator<Item = &V> + DoubleEndedIterator {
        self.siblings().iter().map(|(_, value)| value)
    }

    /// The siblings, each under the event that wrote it, in ascending order of those.
    pub fn siblings(&self) -> &[(Dot, V)] {
        self.0.store().entries()
    }

    /// The value, if there is one and no other beside it.
    pub fn single(&self) -> Option<&V> {
        match self.siblings() {
            [(_, value)] => Some(value),
            _ => None,
        }
    }

    /// How many siblings there are.
    pub fn len(&self) -> usize {
        self.siblings().len()
    }

    /// Whether there is no value: the register was never written, or is cleared.
    pub fn is_empty(&self) -> bool {
        self.0.store().is_empty()
    }

    /// All events that the register has seen. A client keeps a copy of it with what it read,
    /// for [`set_after`](Self::set_after).
    pub fn context(&self) -> &CausalContext {
        self.0.context()
    }

    /// The siblings with their dots.
    pub fn store(&self) -> &MultiValueStore<V> {
        self.0.store()
    }

    /// What the register holds and has seen, for a peer that is to send what is lacking.
    pub fn digest(&self) -> Digest {
        self.0.digest()
    }

    /// The smallest delta that tells all that is known here to the register of that digest. Costs
    /// O(n).
    pub fn missing_from(&self, other: &Digest) -> MultiValueRegisterDelta<V>
    where
        V: Clone,
    {
        self.0.missing_from(other)
    }

    /// Panics if an internal invariant does not hold.
    pub fn check_invariants(&self) {
        self.0.check_invariants();
    }
}

/// Multi-value registers inside a root.
impl<V: Clone> Edit<'_, DotFun<V>> {
    /// Writes the register: the value replaces all siblings.
    pub fn set(&mut self, value: V) {
        self.put(value);
    }

    /// Takes every value away that was seen here.
    pub fn clear(&mut self) {
        self.take_out();
    }
}

impl<V> Default for MultiValueRegister<V> {
    fn default() -> Self {
        Self(Causal::default())
    }
}

impl<V: fmt::Debug> fmt::Debug for MultiValueRegister<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.values()).finish()
    }
}

impl<V> From<MultiValueRegister<V>> for MultiValueRegisterDelta<V> {
    fn from(register: MultiValueRegister<V>) -> Self {
        register.0.into()
    }
}

impl<V: Clone> From<&MultiValueRegister<V>> for MultiValueRegisterDelta<V> {
    fn from(register: &MultiValueRegister<V>) -> Self {
        (&register.0).into()
    }
}

impl<V> Lattice for MultiValueRegister<V> {
    type Delta = MultiValueRegisterDelta<V>;

    fn join(&mut self, other: impl Into<Self::Delta>) -> bool {
        self.0.join(other)
    }
}

impl<V: Clone> Decompose for MultiValueRegister<V> {
    fn decompose(&self) -> Vec<MultiValueRegisterDelta<V>> {
        self.0.decompose()
    }

    fn difference(&self, other: &Self) -> MultiValueRegisterDelta<V> {
        self.0.difference(&other.0)
    }
}

impl<V: Encode> Encode for MultiValueRegister<V> {
    fn encode(&self, out: &mut codec::Writer) {
        self.0.encode(out);
    }
}

impl<V: Decode> Decode for MultiValueRegister<V> {
    const BYTES_MIN: usize = Causal::<MultiValueStore<V>>::BYTES_MIN;

    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Causal::decode(input).map(Self)
    }
}
