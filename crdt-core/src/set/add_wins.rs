//! The add-wins (observed-remove) set.

use alloc::vec::Vec;
use core::borrow::Borrow;
use core::fmt;

use crate::causality::CausalContext;
use crate::codec::{self, Decode, DecodeError, Encode, Reader};
use crate::collections;
use crate::dot_store::{Causal, Delta, Digest, DotMap, DotSet, DotStore, Edit};
use crate::lattice::Decompose;
use crate::{Dot, Lattice, ReplicaId, WriteError, Writer};

/// A set in which a removal takes away the additions it has seen, and no others.
///
/// | one replica | concurrently, another | after the join |
/// |---|---|---|
/// | `add(x)` | `add(x)` | x is in |
/// | `add(x)` | `remove(x)` or `clear()` | x is **in**: the removal has not seen this addition |
/// | `remove(x)` | `remove(x)` | x is out |
/// | `add(x)` | `add(y)`, `remove(y)` | both take effect |
///
/// An addition that happened before a removal is taken away by it, whatever arrives first.
///
/// **State.** The dots of each element's additions, and the causal context: O(elements +
/// replicas) memory and bytes, however often elements came and went. There are no
/// tombstones, and no clock per element.
///
/// **Cost.** `contains`, `add` and `remove` take O(log n), as does joining one of their
/// deltas; joining two whole sets takes O(n + m).
///
/// Bieniusa, Zawirski, Preguiça, Shapiro, Baquero, Balegas, Duarte, *An optimized
/// conflict-free replicated set* (2012); Almeida, Shoker, Baquero, *Delta state replicated
/// data types* (2018).
///
/// ```
/// use crdt_core::{AddWinsSet, ReplicaId};
///
/// let (mut mumbai, mut delhi) = (AddWinsSet::new(), AddWinsSet::new());
/// let mut in_mumbai = mumbai.writer(ReplicaId::from_u128(1));
/// let mut in_delhi = delhi.writer(ReplicaId::from_u128(2));
///
/// let delta = mumbai.add("phone", &mut in_mumbai)?;
/// delhi.join(delta);
///
/// // Concurrently, one side removes the element and the other adds it again.
/// let removed = mumbai.remove("phone", &mut in_mumbai);
/// let added = delhi.add("phone", &mut in_delhi)?;
/// mumbai.join(added);
/// delhi.join(removed);
///
/// assert!(mumbai.contains("phone"));
/// assert_eq!(mumbai, delhi);
/// # Ok::<(), crdt_core::WriteError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct AddWinsSet<E: Ord>(pub(crate) Causal<AddWinsStore<E>>);

/// The content of an [`AddWinsSet`], without a context of its own: each element with the
/// dots of the additions that no removal has seen.
///
/// It stands inside larger values, such as documents, which apply single events to it.
pub type AddWinsStore<E> = DotMap<E, DotSet>;

/// A part of an [`AddWinsSet`]: what a mutator returns, or several of those joined.
pub type AddWinsSetDelta<E> = Delta<AddWinsStore<E>>;

impl<E: Ord + Clone> AddWinsSet<E> {
    /// The empty set.
    pub fn new() -> Self {
        Self::default()
    }

    /// A writer for `replica`; see [`Writer`].
    pub fn writer(&self, replica: ReplicaId) -> Writer {
        self.0.writer(replica)
    }

    /// Adds an element. To add one that is there protects it from concurrent removals.
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
    ) -> Result<AddWinsSetDelta<E>, WriteError> {
        self.0.put(element, writer, |dot, _| Some([dot.into(), dot.into()]))
    }

    /// Removes an element: every addition of it that was seen here. The delta is empty if
    /// the element is not there.
    ///
    /// # Panics
    ///
    /// If the writer was made by another root.
    #[track_caller]
    pub fn remove<Q: Ord + ?Sized>(
        &mut self,
        element: &Q,
        writer: &mut Writer,
    ) -> AddWinsSetDelta<E>
    where
        E: Borrow<Q>,
    {
        self.0.take_out(element, writer)
    }

    /// Removes every element: every addition that was seen here. Costs O(n).
    ///
    /// # Panics
    ///
    /// If the writer was made by another root.
    #[track_caller]
    pub fn clear(&mut self, writer: &mut Writer) -> AddWinsSetDelta<E> {
        self.0.meet(writer);
        self.0.take_out_all()
    }
}

impl<E: Ord> AddWinsSet<E> {
    /// Takes in a delta or another set; whether it brought news.
    pub fn join(&mut self, other: impl Into<AddWinsSetDelta<E>>) -> bool {
        self.0.join(other)
    }

    /// Whether an element is in the set.
    pub fn contains<Q: Ord + ?Sized>(&self, element: &Q) -> bool
    where
        E: Borrow<Q>,
    {
        self.0.store().contains_key(element)
    }

    /// How many elements are in the set.
    pub fn len(&self) -> usize {
        self.0.store().len()
    }

    /// Whether the set is empty.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The elements, in ascending order.
    pub fn iter(&self) -> Iter<'_, E> {
        Iter(self.0.store().keys())
    }

    /// The dots of an element's additions: which events put it there, and whose.
    pub fn dots<Q: Ord + ?Sized>(&self, element: &Q) -> &[Dot]
    where
        E: Borrow<Q>,
    {
        self.0.store().get(element).map_or(&[], DotSet::dots)
    }

    /// All events that the set has seen.
    pub fn context(&self) -> &CausalContext {
        self.0.context()
    }

    /// The elements with their dots.
    pub fn store(&self) -> &AddWinsStore<E> {
        self.0.store()
    }

    /// What the set holds and has seen, for a peer that is to send what is lacking.
    pub fn digest(&self) -> Digest {
        self.0.digest()
    }

    /// The smallest delta that tells all that is known here to the set of that digest. Costs
    /// O(n).
    pub fn missing_from(&self, other: &Digest) -> AddWinsSetDelta<E>
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

/// Applying single events: each once, after all that it has seen, and concurrent ones in
/// whatever order. `seen(d)` tells whether the event `d` happened before the one applied.
impl<E: Ord> DotMap<E, DotSet> {
    /// The event `dot` adds an element; whether it was absent.
    ///
    /// Costs O(log n), and one question for each dot of the element.
    pub fn apply_add(&mut self, element: E, dot: Dot, seen: impl Fn(Dot) -> bool) -> bool {
        self.update(element, |dots| {
            let absent = dots.is_empty();
            dots.retain(&mut |held| !seen(held));
            dots.insert(dot);
            absent
        })
    }

    /// An event removes an element; whether the element is gone by it.
    ///
    /// Costs O(log n), and one question for each dot of the element.
    pub fn apply_remove<Q: Ord + ?Sized>(&mut self, element: &Q, seen: impl Fn(Dot) -> bool) -> bool
    where
        E: Borrow<Q>,
    {
        let left = self.update_present(element, |dots| {
            dots.retain(&mut |held| !seen(held));
            dots.dots().len()
        });
        left == Some(0)
    }

    /// An event removes every element; returns those that are gone by it, in ascending
    /// order. Costs O(n).
    pub fn apply_clear(&mut self, seen: impl Fn(Dot) -> bool) -> Vec<E> {
        self.empty_out(|dots| dots.retain(&mut |held| !seen(held)))
    }
}

/// Add-wins sets inside a root. To remove an element is to `remove` it as a key.
impl<E: Ord + Clone> Edit<'_, DotMap<E, DotSet>> {
    /// Adds an element.
    pub fn add(&mut self, element: E) {
        self.update(element, |dots| dots.put());
    }
}

impl<E: Ord> Default for AddWinsSet<E> {
    fn default() -> Self {
        Self(Causal::default())
    }
}

impl<E: Ord + fmt::Debug> fmt::Debug for AddWinsSet<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self).finish()
    }
}

impl<E: Ord> From<AddWinsSet<E>> for AddWinsSetDelta<E> {
    fn from(set: AddWinsSet<E>) -> Self {
        set.0.into()
    }
}

impl<E: Ord + Clone> From<&AddWinsSet<E>> for AddWinsSetDelta<E> {
    fn from(set: &AddWinsSet<E>) -> Self {
        (&set.0).into()
    }
}

impl<E: Ord> From<AddWinsSet<E>> for alloc::collections::BTreeSet<E> {
    fn from(set: AddWinsSet<E>) -> Self {
        set.into_iter().collect()
    }
}

impl<E: Ord> Lattice for AddWinsSet<E> {
    type Delta = AddWinsSetDelta<E>;

    fn join(&mut self, other: impl Into<Self::Delta>) -> bool {
        self.0.join(other)
    }
}

impl<E: Ord + Clone> Decompose for AddWinsSet<E> {
    fn decompose(&self) -> Vec<AddWinsSetDelta<E>> {
        self.0.decompose()
    }

    fn difference(&self, other: &Self) -> AddWinsSetDelta<E> {
        self.0.difference(&other.0)
    }
}

impl<E: Ord + Encode> Encode for AddWinsSet<E> {
    fn encode(&self, out: &mut codec::Writer) {
        self.0.encode(out);
    }
}

impl<E: Ord + Decode> Decode for AddWinsSet<E> {
    const BYTES_MIN: usize = Causal::<AddWinsStore<E>>::BYTES_MIN;

    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Causal::decode(input).map(Self)
    }
}

/// The elements of an [`AddWinsSet`], in ascending order.
#[derive(Clone, Debug)]
pub struct Iter<'a, E>(collections::Keys<'a, E, DotSet>);

impl<'a, E> Iterator for Iter<'a, E> {
    type Item = &'a E;

    fn next(&mut self) -> Option<&'a E> {
        self.0.next()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl<E> DoubleEndedIterator for Iter<'_, E> {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.0.next_back()
    }
}

impl<E> ExactSizeIterator for Iter<'_, E> {}

impl<'a, E: Ord> IntoIterator for &'a AddWinsSet<E> {
    type Item = &'a E;
    type IntoIter = Iter<'a, E>;

    fn into_iter(self) -> Iter<'a, E> {
        self.iter()
    }
}

/// The elements of an [`AddWinsSet`] that is given up for them, in ascending order.
#[derive(Debug)]
pub struct IntoIter<E>(collections::IntoKeys<E, DotSet>);

impl<E> Iterator for IntoIter<E> {
    type Item = E;

    fn next(&mut self) -> Option<E> {
        self.0.next()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl<E> DoubleEndedIterator for IntoIter<E> {
    fn next_back(&mut self) -> Option<E> {
        self.0.next_back()
    }
}

impl<E> ExactSizeIterator for IntoIter<E> {}

impl<E: Ord> IntoIterator for AddWinsSet<E> {
    type Item = E;
    type IntoIter = IntoIter<E>;

    fn into_iter(self) -> IntoIter<E> {
        IntoIter(self.0.into_store().into_keys())
    }
}
