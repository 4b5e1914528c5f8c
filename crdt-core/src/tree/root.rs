//! The movable tree.

use alloc::vec::Vec;
use core::fmt;

use super::edit::TreeError;
use super::store::{SkippedMove, TreeStore};
use crate::causality::{CausalContext, VersionVector};
use crate::codec::{self, Decode, DecodeError, Encode, Reader};
use crate::dot_store::{Causal, Delta, Digest, Edit};
use crate::lattice::Decompose;
use crate::{Dot, Lattice, ReplicaId, WriteError, Writer};

/// A tree of nodes with values, in which a node can be moved with all below it, and siblings are
/// in order.
///
/// A node is named by the event that created it, and keeps its name wherever it is moved.
///
/// | one replica | concurrently, another | after the join |
/// |---|---|---|
/// | `move_to` of n below a | `move_to` of n below b | n once, where the later move put it: the one of the greater (stamp, [`Dot`]) |
/// | `move_to` of a below b | `move_to` of b below a | the earlier of the two; the other is [`skipped`](Self::skipped), for it would make a **circle** |
/// | `move_to` of n | `remove` of n | n is **gone** |
/// | `move_to` of n out of p | `remove` of p | n stays |
/// | `create` or `move_to` below p | `remove` of p | gone with p |
/// | `create` at one position | `create` at that position | both, in the order of their names |
/// | `set_value(n, v)` | `set_value(n, w)` | the one of the greater dot; [`conflicts`](Self::conflicts) shows the other |
/// | `set_value(n, v)` | `remove` of n | n is gone |
/// | `clear()` | `create` at the top | that alone |
///
/// All replicas replay all moves in one order, by Lamport stamps, and skip those that would put a
/// node below itself, as seen in that order. So a move that arrives late can undo others, and what
/// results is a tree everywhere, and the same one.
///
/// A node whose parent has not come yet is not in the tree until it has.
///
/// **State.** Every move, until [`compact`](Self::compact) forgets those that can no longer
/// matter; each node that was removed; the values. **Cost.** A change takes O(log n + depth), as do
/// look-ups. To join one takes the same for each move that is done again. If something was ever put below its
/// node, these are the moves that come after it in the order and of which that is true, too; else those
/// of the node itself. So what comes late together is better joined into one delta first. To put a node
/// between n siblings moves four bytes for each behind it.
///
/// **Trust.** A peer can claim the greatest stamp there is. Its moves are then the last ones, and
/// whoever moves the same node afterwards wins or loses by the replica's id, until the node is
/// removed; other nodes are not concerned.
///
/// **Undo.** [`undo`](crate::undo) moves a node back that nobody has moved since, and creates a removed one anew,
/// with what still stands below it.
///
/// Kleppmann, Mulligan, Gomes, Beresford, *A highly-available move operation for replicated trees*
/// (2021).
///
/// ```
/// use crdt_core::{ReplicaId, Tree};
///
/// let (mut left, mut right) = (Tree::new(), Tree::new());
/// let mut on_left = left.writer(ReplicaId::from_u128(1));
/// let mut on_right = right.writer(ReplicaId::from_u128(2));
/// let (docs, created) = left.create(None, 0, "docs", &mut on_left)?;
/// right.join(created);
/// let (old, created) = left.create(None, 1, "old", &mut on_left)?;
/// right.join(created);
///
/// // Each moves one folder into the other.
/// let one = left.move_to(docs, Some(old), 0, &mut on_left)?;
/// let other = right.move_to(old, Some(docs), 0, &mut on_right)?;
/// left.join(other);
/// right.join(one);
///
/// assert_eq!(left.parent(docs), Some(old));
/// assert!(left.children(None).eq([old]));
/// assert_eq!(left.skipped().map(|lost| lost.node).next(), Some(old));
/// assert_eq!(left, right);
/// # Ok::<(), crdt_core::tree::TreeError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Tree<V>(pub(crate) Causal<TreeStore<V>>);

/// A part of a [`Tree`]: what a mutator returns, or several of those joined.
pub type TreeDelta<V> = Delta<TreeStore<V>>;

/// # Panics of the mutators
///
/// If the writer was made by another root.
impl<V: Clone> Tree<V> {
    /// The tree of no nodes.
    pub fn new() -> Self {
        Self::default()
    }

    /// A writer for `replica`; see [`Writer`].
    pub fn writer(&self, replica: ReplicaId) -> Writer {
        self.0.writer(replica)
    }

    /// Creates a node with a value, as the child of `parent`, or at the top, that stands at
    /// position `index`; returns its name.
    ///
    /// # Errors
    ///
    /// [`TreeError`]; nothing has changed then. So with the other mutators.
    #[track_caller]
    pub fn create(
        &mut self,
        parent: Option<Dot>,
        index: usize,
        value: V,
        writer: &mut Writer,
    ) -> Result<(Dot, TreeDelta<V>), TreeError> {
        self.change(writer, |tree| tree.create(parent, index, value))
    }

    /// Moves a node, with all below it, so that it is the child of `parent`, or at the top, and
    /// stands at position `index`.
    ///
    /// # Errors
    ///
    /// [`TreeError`].
    #[track_caller]
    pub fn move_to(
        &mut self,
        node: Dot,
        parent: Option<Dot>,
        index: usize,
        writer: &mut Writer,
    ) -> Result<TreeDelta<V>, TreeError> {
        self.change(writer, |tree| tree.move_to(node, parent, index)).map(|((), delta)| delta)
    }

    /// Removes a node, and with it all that stands below it, as long as that stays there.
    ///
    /// # Errors
    ///
    /// [`TreeError`].
    #[track_caller]
    pub fn remove(&mut self, node: Dot, writer: &mut Writer) -> Result<TreeDelta<V>, TreeError> {
        let mut result = Ok(());
        let delta = self.0.edit_out(writer, |tree| result = tree.remove(node));
        result.map(|()| delta)
    }

    /// Gives a node another value.
    ///
    /// # Errors
    ///
    /// [`TreeError`].
    #[track_caller]
    pub fn set_value(
        &mut self,
        node: Dot,
        value: V,
        writer: &mut Writer,
    ) -> Result<TreeDelta<V>, TreeError> {
        self.change(writer, |tree| tree.set_value(node, value)).map(|((), delta)| delta)
    }

    /// Forgets the moves that can no longer matter; see [`Edit::compact`]. The delta does the same
    /// elsewhere.
    #[track_caller]
    pub fn compact(&mut self, stable: &VersionVector, writer: &mut Writer) -> TreeDelta<V> {
        self.0.edit_out(writer, |tree| tree.compact(stable))
    }

    /// Takes away all that was seen here, and forgets it. Costs O(n); the delta is small.
    #[track_caller]
    pub fn clear(&mut self, writer: &mut Writer) -> TreeDelta<V> {
        self.0.edit_out(writer, |tree| tree.clear())
    }

    /// Changes the tree: several things at once, for one delta.
    ///
    /// # Errors
    ///
    /// [`WriteError::SequenceExhausted`]: a peer has used up the replica's name. Nothing has
    /// changed then, and `change` was not called.
    #[track_caller]
    pub fn edit(
        &mut self,
        writer: &mut Writer,
        change: impl FnOnce(&mut Edit<'_, TreeStore<V>>),
    ) -> Result<TreeDelta<V>, WriteError> {
        self.0.edit(writer, change)
    }

    #[track_caller]
    fn change<T>(
        &mut self,
        writer: &mut Writer,
        change: impl FnOnce(&mut Edit<'_, TreeStore<V>>) -> Result<T, TreeError>,
    ) -> Result<(T, TreeDelta<V>), TreeError> {
        let mut result = None;
        let delta = self.0.edit(writer, |tree| result = Some(change(tree)))?;
        result.expect("the change was called").map(|result| (result, delta))
    }
}

impl<V> Tree<V> {
    /// Takes in a delta or another tree; whether it brought news.
    pub fn join(&mut self, other: impl Into<TreeDelta<V>>) -> bool {
        self.0.join(other)
    }

    /// Whether a node is in the tree. Costs its depth.
    pub fn contains(&self, node: Dot) -> bool {
        self.0.store().contains(node)
    }

    /// The value of a node: of concurrent ones, that of the greatest dot.
    pub fn get(&self, node: Dot) -> Option<&V> {
        self.0.store().get(node)
    }

    /// The values of a node that lost against concurrent ones, each with the event that wrote
    /// it, the greatest first.
    pub fn conflicts(&self, node: Dot) -> impl Iterator<Item = (Dot, &V)> {
        self.0.store().conflicts(node)
    }

    /// The parent of a node, if it has one: not if it stands at the top, or is not in the
    /// tree.
    pub fn parent(&self, node: Dot) -> Option<Dot> {
        self.0.store().parent(node)
    }

    /// The nodes above a node, from its parent up. Costs its depth.
    pub fn ancestors(&self, node: Dot) -> impl Iterator<Item = Dot> {
        self.0.store().ancestors(node)
    }

    /// The children of a node, or what stands at the top, in order. Costs the depth.
    pub fn children(
        &self,
        parent: Option<Dot>,
    ) -> impl DoubleEndedIterator<Item = Dot> + ExactSizeIterator + Clone {
        self.0.store().children(parent)
    }

    /// The position of a node among its siblings, if it is in the tree: where
    /// [`move_to`](Self::move_to) of this index would leave it. Costs its depth and O(log siblings).
    pub fn position(&self, node: Dot) -> Option<usize> {
        self.0.store().position(node)
    }

    /// All nodes, each before its children, with how many stand above it.
    pub fn iter(&self) -> impl Iterator<Item = (usize, Dot)> {
        self.0.store().iter()
    }

    /// Whether there is no node.
    pub fn is_empty(&self) -> bool {
        self.0.store().is_empty()
    }

    /// The moves that have no effect, because they would have put a node below itself.
    pub fn skipped(&self) -> impl Iterator<Item = SkippedMove> {
        self.0.store().skipped()
    }

    /// All events that the tree has seen.
    pub fn context(&self) -> &CausalContext {
        self.0.context()
    }

    /// The content.
    pub fn store(&self) -> &TreeStore<V> {
        self.0.store()
    }

    /// What the tree holds and has seen, for a peer that is to send what is lacking.
    pub fn digest(&self) -> Digest {
        self.0.digest()
    }

    /// The smallest delta that tells all that is known here to the tree of that digest. Costs
    /// O(n).
    pub fn missing_from(&self, other: &Digest) -> TreeDelta<V>
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

impl<V> Default for Tree<V> {
    fn default() -> Self {
        Self(Causal::default())
    }
}

impl<V: fmt::Debug> fmt::Debug for Tree<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.store().fmt(f)
    }
}

impl<V> From<Tree<V>> for TreeDelta<V> {
    fn from(tree: Tree<V>) -> Self {
        tree.0.into()
    }
}

impl<V: Clone> From<&Tree<V>> for TreeDelta<V> {
    fn from(tree: &Tree<V>) -> Self {
        (&tree.0).into()
    }
}

impl<V> Lattice for Tree<V> {
    type Delta = TreeDelta<V>;

    fn join(&mut self, other: impl Into<Self::Delta>) -> bool {
        self.0.join(other)
    }
}

impl<V: Clone> Decompose for Tree<V> {
    fn decompose(&self) -> Vec<TreeDelta<V>> {
        self.0.decompose()
    }

    fn difference(&self, other: &Self) -> TreeDelta<V> {
        self.0.difference(&other.0)
    }
}

impl<V: Encode> Encode for Tree<V> {
    fn encode(&self, out: &mut codec::Writer) {
        self.0.encode(out);
    }
}

impl<V: Decode> Decode for Tree<V> {
    const BYTES_MIN: usize = Causal::<TreeStore<V>>::BYTES_MIN;

    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Causal::decode(input).map(Self)
    }
}
