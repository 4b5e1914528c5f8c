//! The list.

use alloc::vec::Vec;
use core::fmt;
use core::ops::{Index, RangeBounds};

use super::store::{Iter, ListStore, LostMove};
use crate::causality::CausalContext;
use crate::codec::{self, Decode, DecodeError, Encode, Reader};
use crate::dot_store::{Causal, Delta, Digest, Edit};
use crate::lattice::Decompose;
use crate::{Dot, Lattice, ReplicaId, WriteError, Writer};

/// A list of any elements, in which an element can be moved and stays one.
///
/// | one replica | concurrently, another | after the join |
/// |---|---|---|
/// | `insert(i, x)` | `insert(i, y)` | both, in the order of the writers' ids; what each wrote in one go, forwards or backwards, **stays together** |
/// | `insert(i, x)` | `remove(j)` | both take effect |
/// | `remove` of x | `remove` of x | x is gone |
/// | `move_to` of x | `move_to` of x | x once, where the **greater dot** put it; [`conflicts`](Self::conflicts) shows the other |
/// | `move_to` of x | `remove` of x | x is **gone** |
/// | `move_to` of x | `insert` beside x | both; what was inserted stays where x was |
/// | `clear()` | `insert(i, x)` | x alone |
/// | `clear()` | `move_to` or `remove` of x | nothing: the clearing has seen x |
///
/// A move that follows another one of the same element replaces it, whoever made them. To
/// replace an element is to remove it and to insert another; two replicas that do so at once
/// leave both. What is to be changed in place stands in a map, under the element's name.
///
/// **State.** Each element and each move with its place, and the places of those that were
/// removed, since others may refer to them: only [`clear`](Self::clear), or the removal of a key
/// above the list, forgets them. Runs are stored as one.
///
/// **Cost.** `get`, `insert`, `remove` and `move_to` take O(log n), as does joining one of
/// their deltas; joining two whole lists takes O((n + m) log n). A node that comes before one
/// that it refers to stands at the beginning until that has come, and then all is put in order
/// anew: O(n log n). So does a clearing that others have inserted beside.
///
/// **Undo.** [`undo`](crate::undo) puts a removed element back as a new one, behind the place where it stood, and moves a
/// moved one back.
///
/// The order is that of [`Text`](crate::Text): FugueMax, of Weidner and Kleppmann, *The Art of
/// the Fugue: Minimizing Interleaving in Collaborative Text Editing* (2023). Moves: Kleppmann,
/// *Moving elements in list CRDTs* (2020).
///
/// ```
/// use crdt_core::{List, ReplicaId};
///
/// let (mut left, mut right) = (List::new(), List::new());
/// let mut on_left = left.writer(ReplicaId::from_u128(1));
/// let mut on_right = right.writer(ReplicaId::from_u128(2));
/// right.join(left.extend(["eggs", "tea", "milk"], &mut on_left)?);
///
/// // Both move the milk to the top, and one inserts something at the end.
/// let moved = left.move_to(2, 0, &mut on_left)?;
/// let also = right.move_to(2, 0, &mut on_right)?;
/// let added = right.push("rice", &mut on_right)?;
/// left.join(also);
/// left.join(added);
/// right.join(moved);
///
/// assert!(left.iter().eq(&["milk", "eggs", "tea", "rice"]));
/// assert_eq!(left, right);
/// # Ok::<(), crdt_core::WriteError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct List<E: Clone>(pub(crate) Causal<ListStore<E>>);

/// A part of a [`List`]: what a mutator returns, or several of those joined.
pub type ListDelta<E> = Delta<ListStore<E>>;

/// # Errors of the mutators
///
/// [`WriteError::SequenceExhausted`]: a peer has used up the replica's name. Nothing has
/// changed then.
///
/// # Panics of the mutators
///
/// If the writer was made by another root, or a position lies beyond the end.
impl<E: Clone> List<E> {
    /// The empty list.
    pub fn new() -> Self {
        Self::default()
    }

    /// A writer for `replica`; see [`Writer`].
    pub fn writer(&self, replica: ReplicaId) -> Writer {
        self.0.writer(replica)
    }

    /// Inserts an element, so that it stands at position `at`.
    #[track_caller]
    pub fn insert(
        &mut self,
        at: usize,
        element: E,
        writer: &mut Writer,
    ) -> Result<ListDelta<E>, WriteError> {
        self.0.edit(writer, |list| list.insert(at, element))
    }

    /// Inserts an element at the end.
    #[track_caller]
    pub fn push(&mut self, element: E, writer: &mut Writer) -> Result<ListDelta<E>, WriteError> {
        self.0.edit(writer, |list| list.push(element))
    }

    /// Inserts elements, so that the first of them stands at position `at`. No concurrent
    /// insertion comes between them.
    #[track_caller]
    pub fn insert_many(
        &mut self,
        at: usize,
        elements: impl IntoIterator<Item = E>,
        writer: &mut Writer,
    ) -> Result<ListDelta<E>, WriteError> {
        self.0.edit(writer, |list| list.insert_many(at, elements))
    }

    /// Inserts elements at the end.
    #[track_caller]
    pub fn extend(
        &mut self,
        elements: impl IntoIterator<Item = E>,
        writer: &mut Writer,
    ) -> Result<ListDelta<E>, WriteError> {
        self.0.edit(writer, |list| list.extend(elements))
    }

    /// Removes the element at a position.
    #[track_caller]
    pub fn remove(&mut self, at: usize, writer: &mut Writer) -> ListDelta<E> {
        self.0.edit_out(writer, |list| list.remove(at))
    }

    /// Removes the elements at some positions.
    #[track_caller]
    pub fn remove_range(
        &mut self,
        range: impl RangeBounds<usize>,
        writer: &mut Writer,
    ) -> ListDelta<E> {
        self.0.edit_out(writer, |list| list.remove_range(range))
    }

    /// Moves the element at position `from`, so that it stands at position `to`.
    #[track_caller]
    pub fn move_to(
        &mut self,
        from: usize,
        to: usize,
        writer: &mut Writer,
    ) -> Result<ListDelta<E>, WriteError> {
        self.0.edit(writer, |list| list.move_to(from, to))
    }

    /// Takes away all that was seen here, and forgets it. Costs O(n); the delta is small.
    #[track_caller]
    pub fn clear(&mut self, writer: &mut Writer) -> ListDelta<E> {
        self.0.edit_out(writer, |list| list.clear())
    }

    /// Changes the list: several things at once, for one delta.
    #[track_caller]
    pub fn edit(
        &mut self,
        writer: &mut Writer,
        change: impl FnOnce(&mut Edit<'_, ListStore<E>>),
    ) -> Result<ListDelta<E>, WriteError> {
        self.0.edit(writer, change)
    }
}

impl<E: Clone> List<E> {
    /// Takes in a delta or another list; whether it brought news.
    pub fn join(&mut self, other: impl Into<ListDelta<E>>) -> bool {
        self.0.join(other)
    }

    /// The element at a position.
    pub fn get(&self, index: usize) -> Option<&E> {
        self.0.store().get(index)
    }

    /// How many elements there are.
    pub fn len(&self) -> usize {
        self.0.store().len()
    }

    /// Whether there is no element.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether an element is in the list. O(n).
    pub fn contains(&self, element: &E) -> bool
    where
        E: PartialEq,
    {
        self.iter().any(|held| held == element)
    }

    /// The elements, in order.
    pub fn iter(&self) -> Iter<'_, E> {
        self.0.store().iter()
    }

    /// The name of the element at a position, which it keeps wherever it is moved: the event
    /// that inserted it.
    pub fn dot_of(&self, index: usize) -> Option<Dot> {
        self.0.store().dot_of(index)
    }

    /// The position of the element of that name, if it is in the list.
    pub fn index_of(&self, element: Dot) -> Option<usize> {
        self.0.store().index_of(element)
    }

    /// The concurrent moves of the element at a position that lost against the one that put
    /// it there, the greatest first.
    pub fn conflicts(&self, index: usize) -> impl Iterator<Item = LostMove> + use<'_, E> {
        self.0.store().conflicts(index)
    }

    /// All events that the list has seen.
    pub fn context(&self) -> &CausalContext {
        self.0.context()
    }

    /// The content.
    pub fn store(&self) -> &ListStore<E> {
        self.0.store()
    }

    /// What the list holds and has seen, for a peer that is to send what is lacking.
    pub fn digest(&self) -> Digest {
        self.0.digest()
    }

    /// The smallest delta that tells all that is known here to the list of that digest. Costs
    /// O(n).
    pub fn missing_from(&self, other: &Digest) -> ListDelta<E> {
        self.0.missing_from(other)
    }

    /// Panics if an internal invariant does not hold.
    pub fn check_invariants(&self) {
        self.0.check_invariants();
    }
}

impl<E: Clone> Default for List<E> {
    fn default() -> Self {
        Self(Causal::default())
    }
}

impl<E: Clone + fmt::Debug> fmt::Debug for List<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self).finish()
    }
}

impl<E: Clone> Index<usize> for List<E> {
    type Output = E;

    /// # Panics
    ///
    /// If there is no element at the position.
    fn index(&self, index: usize) -> &E {
        self.get(index).expect("the position is that of an element")
    }
}

impl<E: Clone> From<List<E>> for ListDelta<E> {
    fn from(list: List<E>) -> Self {
        list.0.into()
    }
}

impl<E: Clone> From<&List<E>> for ListDelta<E> {
    fn from(list: &List<E>) -> Self {
        (&list.0).into()
    }
}

impl<E: Clone> From<&List<E>> for Vec<E> {
    fn from(list: &List<E>) -> Self {
        list.iter().cloned().collect()
    }
}

impl<'a, E: Clone> IntoIterator for &'a List<E> {
    type Item = &'a E;
    type IntoIter = Iter<'a, E>;

    fn into_iter(self) -> Iter<'a, E> {
        self.iter()
    }
}

impl<E: Clone> Lattice for List<E> {
    type Delta = ListDelta<E>;

    fn join(&mut self, other: impl Into<Self::Delta>) -> bool {
        self.0.join(other)
    }
}

impl<E: Clone> Decompose for List<E> {
    fn decompose(&self) -> Vec<ListDelta<E>> {
        self.0.decompose()
    }

    fn difference(&self, other: &Self) -> ListDelta<E> {
        self.0.difference(&other.0)
    }
}

impl<E: Clone + Encode> Encode for List<E> {
    fn encode(&self, out: &mut codec::Writer) {
        self.0.encode(out);
    }
}

impl<E: Clone + Decode> Decode for List<E> {
    const BYTES_MIN: usize = Causal::<ListStore<E>>::BYTES_MIN;

    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Causal::decode(input).map(Self)
    }
}
