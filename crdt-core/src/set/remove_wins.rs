//! The remove-wins set.

use alloc::vec::Vec;
use core::borrow::Borrow;
use core::fmt;

use crate::causality::CausalContext;
use crate::codec::{self, Decode, DecodeError, Encode, Reader};
use crate::dot_store::{Causal, Delta, Digest, DotFun, DotMap, Edit};
use crate::flag::{DisableWinsStore, Toggle};
use crate::lattice::Decompose;
use crate::{Dot, Lattice, ReplicaId, WriteError, Writer};

/// A set in which a removal wins over the additions that are concurrent to it.
///
/// | one replica | concurrently, another | after the join |
/// |---|---|---|
/// | `add(x)` | `remove(x)` | x is **out**; [`conflicts`](Self::conflicts) shows the addition |
/// | `remove(x)`, then `add(x)` | `remove(x)` | x is out: the addition has not seen the other removal |
/// | `remove(x)`, then `add(x)` | `remove(x)`, then `add(x)` | x is in: each side has overruled its own removal |
/// | `add(x)` | `clear()` | x is in, unless the clearing side had it: it removes what it sees |
/// | `add(x)` | `add(x)` | x is in |
///
/// For what must not come back by accident: revoked rights, blocked accounts, recalled goods.
///
/// **State.** For each element the additions and removals that no later one has seen, and the
/// causal context. A removed element is kept with one dot, until it is added again: O(elements
/// that ever were + replicas).
///
/// **Cost.** `contains`, changes and joining their deltas take O(log n); `len`, iterating and
/// joining two whole sets pass over removed elements too.
///
/// Almeida, Shoker, Baquero, *Delta state replicated data types* (2018), section 7.
///
/// ```
/// use crdt_core::{RemoveWinsSet, ReplicaId};
///
/// let (mut left, mut right) = (RemoveWinsSet::new(), RemoveWinsSet::new());
/// let mut on_left = left.writer(ReplicaId::from_u128(1));
/// let mut on_right = right.writer(ReplicaId::from_u128(2));
/// right.join(left.add("editor", &mut on_left)?);
///
/// let removed = left.remove("editor", &mut on_left)?;
/// let added = right.add("editor", &mut on_right)?;
/// left.join(added);
/// right.join(removed);
///
/// assert!(!right.contains("editor"));
/// assert_eq!(right.conflicts("editor").next().map(|lost| lost.replica), Some(on_right.replica()));
/// assert_eq!(left, right);
/// # Ok::<(), crdt_core::WriteError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct RemoveWinsSet<E: Ord>(pub(crate) Causal<RemoveWinsStore<E>>);

/// The content of a [`RemoveWinsSet`], without a context of its own: for each element the
/// additions and removals that no later one has seen.
pub type RemoveWinsStore<E> = DotMap<E, DisableWinsStore>;

/// A part of a [`RemoveWinsSet`]: what a mutator returns, or several of those joined.
pub type RemoveWinsSetDelta<E> = Delta<RemoveWinsStore<E>>;

impl<E: Ord + Clone> RemoveWinsSet<E> {
    /// The empty set.
    pub fn new() -> Self {
        Self::default()
    }

    /// A writer for `replica`; see [`Writer`].
    pub fn writer(&self, replica: ReplicaId) -> Writer {
        self.0.writer(replica)
    }

    /// Adds an element: overrules every removal of it that was seen here.
    ///
    /// # Errors
    ///
    /// [`WriteError::SequenceExhausted`]: a peer has used up the replica's name.
    ///
    /// # Panics
    ///
    /// If the writer was made by another root.
    #[track_caller]
    pub fn add(
        &mut self,
        element: E,
        writer: &mut Writer,
    ) -> Result<RemoveWinsSetDelta<E>, WriteError> {
        self.0.edit(writer, |set| set.add(element))
    }

    /// Removes an element. To remove one that is not there protects from concurrent additions.
    ///
    /// # Errors
    ///
    /// [`WriteError::SequenceExhausted`]: a peer has used up the replica's name.
    ///
    /// # Panics
    ///
    /// If the writer was made by another root.
    #[track_caller]
    pub fn remove(
        &mut self,
        element: E,
        writer: &mut Writer,
    ) -> Result<RemoveWinsSetDelta<E>, WriteError> {
        self.0.edit(writer, |set| set.discard(element))
    }

    /// Removes every element that is in. Costs O(n), and so does its delta.
    ///
    /// # Errors
    ///
    /// [`WriteError::SequenceExhausted`]: a peer has used up the replica's name.
    ///
    /// # Panics
    ///
    /// If the writer was made by another root.
    #[track_caller]
    pub fn clear(&mut self, writer: &mut Writer) -> Result<RemoveWinsSetDelta<E>, WriteError> {
        self.0.edit(writer, |set| {
            let present: alloc::vec::Vec<E> = set.get().present().cloned().collect();
            for element in present {
                set.discard(element);
            }
        })
    }
}

impl<E: Ord> RemoveWinsSet<E> {
    /// Takes in a delta or another set; whether it brought news.
    pub fn join(&mut self, other: impl Into<RemoveWinsSetDelta<E>>) -> bool {
        self.0.join(other)
    }

    /// Whether an element is in the set.
    pub fn contains<Q: Ord + ?Sized>(&self, element: &Q) -> bool
    where
        E: Borrow<Q>,
    {
        self.0.store().get(element).is_some_and(DotFun::<Toggle>::is_enabled)
    }

    /// How many elements are in the set. Costs O(n).
    pub fn len(&self) -> usize {
        self.iter().count()
    }

    /// Whether the set is empty. Costs O(n) if it is.
    pub fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }

    /// The elements, in ascending order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &E> {
        self.0.store().present()
    }

    /// The elements that are kept because they were removed, in ascending order.
    pub fn removed(&self) -> impl DoubleEndedIterator<Item = &E> {
        self.0.store().iter().filter(|(_, flag)| !flag.is_enabled()).map(|(element, _)| element)
    }

    /// The additions of an element that lost against a concurrent removal: which events, and
    /// whose.
    pub fn conflicts<Q: Ord + ?Sized>(
        &self,
        element: &Q,
    ) -> impl Iterator<Item = Dot> + use<'_, E, Q>
    where
        E: Borrow<Q>,
    {
        self.0.store().get(element).into_iter().flat_map(DotFun::<Toggle>::overruled)
    }

    /// All events that the set has seen.
    pub fn context(&self) -> &CausalContext {
        self.0.context()
    }

    /// The elements, removed ones too, with the additions and removals that stand.
    pub fn store(&self) -> &RemoveWinsStore<E> {
        self.0.store()
    }

    /// What the set holds and has seen, for a peer that is to send what is lacking.
    pub fn digest(&self) -> Digest {
        self.0.digest()
    }

    /// The smallest delta that tells all that is known here to the set of that digest. Costs
    /// O(n).
    pub fn missing_from(&self, other: &Digest) -> RemoveWinsSetDelta<E>
    where
        E: Clone,
    {
        self.0.missing_from(other)
    }

    /// Panics if an internal invariant does not hold.
    pub fn check_invariants(&self) {
        self.0.check_invariants();
    }
}

/// Remove-wins sets inside a root.
impl<E: Ord> DotMap<E, DotFun<Toggle>> {
    /// The elements that are in, in ascending order.
    pub fn present(&self) -> impl DoubleEndedIterator<Item = &E> {
        self.iter().filter(|(_, flag)| flag.is_enabled()).map(|(element, _)| element)
    }
}

/// Remove-wins sets inside a root.
impl<E: Ord + Clone> Edit<'_, DotMap<E, DotFun<Toggle>>> {
    /// Adds an element: overrules every removal of it that was seen here.
    pub fn add(&mut self, element: E) {
        self.update(element, |flag| flag.enable());
    }

    /// Removes an element, also from what is concurrent. (To [`remove`](Self::remove) it as a
    /// key forgets what is known of it, so that a concurrent addition stays.)
    pub fn discard(&mut self, element: E) {
        self.update(element, |flag| flag.disable());
    }
}

impl<E: Ord> Default for RemoveWinsSet<E> {
    fn default() -> Self {
        Self(Causal::default())
    }
}

impl<E: Ord + fmt::Debug> fmt::Debug for RemoveWinsSet<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

impl<E: Ord> From<RemoveWinsSet<E>> for RemoveWinsSetDelta<E> {
    fn from(set: RemoveWinsSet<E>) -> Self {
        set.0.into()
    }
}

impl<E: Ord + Clone> From<&RemoveWinsSet<E>> for RemoveWinsSetDelta<E> {
    fn from(set: &RemoveWinsSet<E>) -> Self {
        (&set.0).into()
    }
}

impl<E: Ord> Lattice for RemoveWinsSet<E> {
    type Delta = RemoveWinsSetDelta<E>;

    fn join(&mut self, other: impl Into<Self::Delta>) -> bool {
        self.0.join(other)
    }
}

impl<E: Ord + Clone> Decompose for RemoveWinsSet<E> {
    fn decompose(&self) -> Vec<RemoveWinsSetDelta<E>> {
        self.0.decompose()
    }

    fn difference(&self, other: &Self) -> RemoveWinsSetDelta<E> {
        self.0.difference(&other.0)
    }
}

impl<E: Ord + Encode> Encode for RemoveWinsSet<E> {
    fn encode(&self, out: &mut codec::Writer) {
        self.0.encode(out);
    }
}

impl<E: Ord + Decode> Decode for RemoveWinsSet<E> {
    const BYTES_MIN: usize = Causal::<RemoveWinsStore<E>>::BYTES_MIN;

    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Causal::decode(input).map(Self)
    }
}
