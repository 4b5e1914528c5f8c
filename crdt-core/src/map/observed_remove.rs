//! The observed-remove map, of whatever can be nested.

use alloc::vec::Vec;
use core::borrow::Borrow;
use core::fmt;

use crate::causality::CausalContext;
use crate::codec::{self, Decode, DecodeError, Encode, Reader};
use crate::collections;
use crate::dot_store::{
    Causal, DecodeStore, Delta, Digest, DotMap, DotStore, Edit, EncodeStore, Split,
};
use crate::lattice::Decompose;
use crate::{Lattice, ReplicaId, WriteError, Writer};

/// A map from keys to stores of any kind, other maps included, in which a removal takes away
/// what it has seen below a key, and nothing else.
///
/// | one replica | concurrently, another | after the join |
/// |---|---|---|
/// | changes what is under k | changes what is under k | both take effect, as what is under k defines |
/// | changes what is under k | `remove(k)` or `clear()` | the change alone: **update wins**, and the rest is **reset** |
/// | `remove(k)`, then changes what is under k | changes what is under k | both changes; what was there before the removal is gone |
/// | `remove(k)` | `remove(k)` | k is absent |
/// | removes an inner key | changes what is under another one | both take effect |
///
/// A key is present while something stands under it. There is no creation of an empty key: two
/// replicas that use a key for the first time share what is under it and lose nothing.
///
/// What can stand under a key:
///
/// | store | is |
/// |---|---|
/// | [`AddWinsStore`](crate::set::AddWinsStore), [`RemoveWinsStore`](crate::set::RemoveWinsStore) | a set |
/// | [`MultiValueStore`](crate::register::MultiValueStore) | a register |
/// | [`LwwStore`](super::LwwStore) | a map of last-writer-wins registers |
/// | [`EnableWinsStore`](crate::flag::EnableWinsStore), [`DisableWinsStore`](crate::flag::DisableWinsStore) | a flag |
/// | [`CounterStore`](crate::counter::CounterStore) | a counter that a removal resets |
/// | [`ListStore`](crate::sequence::ListStore) | a list, with moves |
/// | [`TreeStore`](crate::tree::TreeStore) | a tree, with moves |
/// | [`LatticeStore`](super::LatticeStore) | any other lattice, of which a removal drops what it saw and a concurrent writer's whole value survives |
/// | [`DotMap`] of any of these, or of itself | a map, to any depth |
///
/// **State.** What stands under the keys, and one causal context for all of it: O(content +
/// replicas) memory and bytes, however often keys came and went. No tombstones, and no clock
/// per key: what was removed cannot come back with a neighbour's clock.
///
/// **Cost.** A change costs what it costs in the nested store, and O(log n) for each key on the
/// way; its delta holds the change and not what is under the key, and so does joining the delta.
/// Joining two whole maps takes O(n + m).
///
/// Almeida, Shoker, Baquero, *Delta state replicated data types* (2018), section 7; Brown,
/// Cribbs, Meiklejohn, Elliott, *Riak DT map* (2014), for reset-remove.
///
/// ```
/// use crdt_core::set::AddWinsStore;
/// use crdt_core::{ObservedRemoveMap, ReplicaId};
///
/// type Carts = ObservedRemoveMap<&'static str, AddWinsStore<&'static str>>;
/// let (mut phone, mut laptop) = (Carts::new(), Carts::new());
/// let mut on_phone = phone.writer(ReplicaId::from_u128(1));
/// let mut on_laptop = laptop.writer(ReplicaId::from_u128(2));
/// laptop.join(phone.update("asha", &mut on_phone, |cart| {
///     cart.add("tea");
///     cart.add("milk");
/// })?);
///
/// // One side empties the cart, the other puts something into it.
/// let emptied = phone.remove("asha", &mut on_phone);
/// let added = laptop.update("asha", &mut on_laptop, |cart| cart.add("rice"))?;
/// phone.join(added);
/// laptop.join(emptied);
///
/// assert!(phone.get("asha").is_some_and(|cart| cart.keys().eq(&["rice"])));
/// assert_eq!(phone, laptop);
/// # Ok::<(), crdt_core::WriteError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ObservedRemoveMap<K: Ord, S: DotStore>(pub(crate) Causal<DotMap<K, S>>);

/// A part of an [`ObservedRemoveMap`]: what a mutator returns, or several of those joined.
pub type ObservedRemoveMapDelta<K, S> = Delta<DotMap<K, S>>;

impl<K: Ord + Clone, S: DotStore> ObservedRemoveMap<K, S> {
    /// The empty map.
    pub fn new() -> Self {
        Self::default()
    }

    /// A writer for `replica`; see [`Writer`].
    pub fn writer(&self, replica: ReplicaId) -> Writer {
        self.0.writer(replica)
    }

    /// Changes what stands under a key, which `change` finds empty if the key is absent.
    ///
    /// Everything that `change` does, to whatever depth, is one delta.
    ///
    /// # Errors
    ///
    /// [`WriteError::SequenceExhausted`]: a peer has used up the replica's name. Nothing has
    /// changed then, and `change` was not called.
    ///
    /// # Panics
    ///
    /// If the writer was made by another root.
    #[track_caller]
    pub fn update(
        &mut self,
        key: K,
        writer: &mut Writer,
        change: impl FnOnce(&mut Edit<'_, S>),
    ) -> Result<ObservedRemoveMapDelta<K, S>, WriteError> {
        self.0.edit(writer, |map| map.update(key, change))
    }

    /// Changes the map: several keys at once, for one delta.
    ///
    /// # Errors
    ///
    /// [`WriteError::SequenceExhausted`]: a peer has used up the replica's name. Nothing has
    /// changed then, and `change` was not called.
    ///
    /// # Panics
    ///
    /// If the writer was made by another root.
    #[track_caller]
    pub fn edit(
        &mut self,
        writer: &mut Writer,
        change: impl FnOnce(&mut Edit<'_, DotMap<K, S>>),
    ) -> Result<ObservedRemoveMapDelta<K, S>, WriteError> {
        self.0.edit(writer, change)
    }

    /// Removes a key, with all that stands under it and was seen here. The delta is empty if
    /// the key is not there.
    ///
    /// # Panics
    ///
    /// If the writer was made by another root.
    #[track_caller]
    pub fn remove<Q: Ord + ?Sized>(
        &mut self,
        key: &Q,
        writer: &mut Writer,
    ) -> ObservedRemoveMapDelta<K, S>
    where
        K: Borrow<Q>,
    {
        self.0.edit_out(writer, |map| {
            map.remove(key);
        })
    }

    /// Removes every key, with all that was seen here. Costs O(n).
    ///
    /// # Panics
    ///
    /// If the writer was made by another root.
    #[track_caller]
    pub fn clear(&mut self, writer: &mut Writer) -> ObservedRemoveMapDelta<K, S> {
        self.0.edit_out(writer, |map| map.clear())
    }
}

impl<K: Ord, S: DotStore> ObservedRemoveMap<K, S> {
    /// Takes in a delta or another map; whether it brought news.
    pub fn join(&mut self, other: impl Into<ObservedRemoveMapDelta<K, S>>) -> bool {
        self.0.join(other)
    }

    /// What stands under a key.
    pub fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&S>
    where
        K: Borrow<Q>,
    {
        self.0.store().get(key)
    }

    /// Whether a key is present.
    pub fn contains_key<Q: Ord + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.0.store().contains_key(key)
    }

    /// How many keys are present.
    pub fn len(&self) -> usize {
        self.0.store().len()
    }

    /// Whether no key is present.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The keys with what stands under them, in ascending order of keys.
    pub fn iter(&self) -> collections::Iter<'_, K, S> {
        self.0.store().iter()
    }

    /// The keys, in ascending order.
    pub fn keys(&self) -> collections::Keys<'_, K, S> {
        self.0.store().keys()
    }

    /// What stands under the keys, in ascending order of those.
    pub fn values(&self) -> collections::Values<'_, K, S> {
        self.0.store().values()
    }

    /// All events that the map has seen.
    pub fn context(&self) -> &CausalContext {
        self.0.context()
    }

    /// The content.
    pub fn store(&self) -> &DotMap<K, S> {
        self.0.store()
    }

    /// What the map holds and has seen, for a peer that is to send what is lacking.
    pub fn digest(&self) -> Digest {
        self.0.digest()
    }

    /// The smallest delta that tells all that is known here to the map of that digest. Costs
    /// O(n).
    pub fn missing_from(&self, other: &Digest) -> ObservedRemoveMapDelta<K, S>
    where
        K: Clone,
        S: Clone,
    {
        self.0.missing_from(other)
    }

    /// Panics if an internal invariant does not hold.
    pub fn check_invariants(&self) {
        self.0.check_invariants();
    }
}

impl<K: Ord, S: DotStore> Default for ObservedRemoveMap<K, S> {
    fn default() -> Self {
        Self(Causal::default())
    }
}

impl<K: Ord + fmt::Debug, S: DotStore + fmt::Debug> fmt::Debug for ObservedRemoveMap<K, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self).finish()
    }
}

impl<K: Ord, S: DotStore> From<ObservedRemoveMap<K, S>> for ObservedRemoveMapDelta<K, S> {
    fn from(map: ObservedRemoveMap<K, S>) -> Self {
        map.0.into()
    }
}

impl<K: Ord + Clone, S: DotStore + Clone> From<&ObservedRemoveMap<K, S>>
    for ObservedRemoveMapDelta<K, S>
{
    fn from(map: &ObservedRemoveMap<K, S>) -> Self {
        (&map.0).into()
    }
}

impl<K: Ord, S: DotStore> Lattice for ObservedRemoveMap<K, S> {
    type Delta = ObservedRemoveMapDelta<K, S>;

    fn join(&mut self, other: impl Into<Self::Delta>) -> bool {
        self.0.join(other)
    }
}

impl<K: Ord + Clone, S: Split<Places: Clone> + Clone> Decompose for ObservedRemoveMap<K, S> {
    fn decompose(&self) -> Vec<ObservedRemoveMapDelta<K, S>> {
        self.0.decompose()
    }

    fn difference(&self, other: &Self) -> ObservedRemoveMapDelta<K, S> {
        self.0.difference(&other.0)
    }
}

impl<K: Ord + Encode, S: DotStore + EncodeStore> Encode for ObservedRemoveMap<K, S> {
    fn encode(&self, out: &mut codec::Writer) {
        self.0.encode(out);
    }
}

impl<K: Ord + Decode, S: DotStore + DecodeStore> Decode for ObservedRemoveMap<K, S> {
    const BYTES_MIN: usize = Causal::<DotMap<K, S>>::BYTES_MIN;

    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Causal::decode(input).map(Self)
    }
}

impl<'a, K: Ord, S: DotStore> IntoIterator for &'a ObservedRemoveMap<K, S> {
    type Item = (&'a K, &'a S);
    type IntoIter = collections::Iter<'a, K, S>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<K: Ord, S: DotStore> IntoIterator for ObservedRemoveMap<K, S> {
    type Item = (K, S);
    type IntoIter = collections::IntoIter<K, S>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_store().into_iter()
    }
}
