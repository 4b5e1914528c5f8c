//! The last-writer-wins map.

use alloc::vec::Vec;
use core::borrow::Borrow;
use core::fmt;

use crate::canary::is_planted;
use crate::causality::CausalContext;
use crate::codec::{self, Decode, DecodeError, Encode, Reader};
use crate::collections::{self, sort_with};
use crate::dot_store::{Causal, Delta, Digest, DotFun, DotMap, DotStore, Edit};
use crate::lattice::Decompose;
use crate::{Dot, Lattice, ReplicaId, WriteError, Writer};

/// A map whose keys are last-writer-wins registers, removed as in an observed-remove map.
///
/// The greatest (stamp, [`Dot`]) wins, so that equal stamps are decided by the replica id,
/// everywhere alike. A stamp is any ordered value: a Lamport time, a hybrid logical clock, a
/// version number.
///
/// | one replica | concurrently, another | after the join |
/// |---|---|---|
/// | `set(k, v)` at 5 | `set(k, w)` at 7 | w; [`conflicts`](Self::conflicts) shows v until the next write or removal |
/// | `set(k, v)` at 5 | `set(k, w)` at 5 | the one of the greater replica id, and the other as a conflict |
/// | `set(k, v)` | `remove(k)` or `clear()` | v: **update wins**, whatever the stamps, for the removal has not seen it |
/// | `remove(k)` | `remove(k)` | absent |
///
/// A write that follows another with a smaller stamp replaces it; one that follows another
/// with a greater stamp has lost before it was made: nothing changes, and its delta is empty.
///
/// **State.** The latest concurrent writes of each key (one, or as many as there were
/// concurrent writers), and the causal context: O(keys + replicas). No tombstones.
///
/// **Cost.** `get`, `set` and `remove` take O(log n), as does joining one of their deltas;
/// joining two whole maps takes O(n + m).
///
/// Johnson, Thomas, *Maintenance of duplicate databases* (1975), for last-writer-wins;
/// Almeida, Shoker, Baquero, *Delta state replicated data types* (2018), for the map.
///
/// ```
/// use crdt_core::{LwwMap, ReplicaId};
///
/// let (mut left, mut right) = (LwwMap::new(), LwwMap::new());
/// let mut on_left = left.writer(ReplicaId::from_u128(1));
/// let mut on_right = right.writer(ReplicaId::from_u128(2));
///
/// let dark = left.set("theme", "dark", 10, &mut on_left)?;
/// let light = right.set("theme", "light", 12, &mut on_right)?;
/// left.join(light);
/// right.join(dark);
///
/// assert_eq!(left.get("theme"), Some(&"light"));
/// assert_eq!(left.conflicts("theme").next().map(|lost| *lost.value), Some("dark"));
/// assert_eq!(left, right);
/// # Ok::<(), crdt_core::WriteError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct LwwMap<K: Ord, V, S = u64>(pub(crate) Causal<LwwStore<K, V, S>>);

/// The content of an [`LwwMap`], without a context of its own: for each key the writes that
/// no later write and no removal has seen, each with its stamp.
///
/// It stands inside larger values, such as documents, which apply single events to it.
pub type LwwStore<K, V, S = u64> = DotMap<K, DotFun<(S, V)>>;

/// A part of an [`LwwMap`]: what a mutator returns, or several of those joined.
pub type LwwMapDelta<K, V, S = u64> = Delta<LwwStore<K, V, S>>;

/// One write of a key.
#[derive(Debug, PartialEq, Eq)]
pub struct Write<'a, V, S> {
    /// What was written.
    pub value: &'a V,
    /// The stamp that it was written with.
    pub stamp: &'a S,
    /// The event: who wrote it.
    pub dot: Dot,
}

impl<V, S> Clone for Write<'_, V, S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<V, S> Copy for Write<'_, V, S> {}

impl<K: Ord + Clone, V: Clone, S: Ord + Clone> LwwMap<K, V, S> {
    /// The empty map.
    pub fn new() -> Self {
        Self::default()
    }

    /// A writer for `replica`; see [`Writer`].
    pub fn writer(&self, replica: ReplicaId) -> Writer {
        self.0.writer(replica)
    }

    /// Writes a key. The delta is empty, and nothing has changed, if the present value has a
    /// greater stamp, or an equal one and a greater replica id.
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
        key: K,
        value: V,
        stamp: S,
        writer: &mut Writer,
    ) -> Result<LwwMapDelta<K, V, S>, WriteError> {
        self.0.put(key, writer, |dot, held| {
            let winner = held.map(greatest);
            let holds_later = winner.is_some_and(|held| (held.stamp, held.dot) > (&stamp, dot));
            let write = (stamp, value);
            (!holds_later).then(|| [DotFun::of(dot, write.clone()), DotFun::of(dot, write)])
        })
    }

    /// Removes a key: every write of it that was seen here. The delta is empty if the key is
    /// not there.
    ///
    /// # Panics
    ///
    /// If the writer was made by another root.
    #[track_caller]
    pub fn remove<Q: Ord + ?Sized>(&mut self, key: &Q, writer: &mut Writer) -> LwwMapDelta<K, V, S>
    where
        K: Borrow<Q>,
    {
        self.0.take_out(key, writer)
    }

    /// Removes every key: every write that was seen here. Costs O(n).
    ///
    /// # Panics
    ///
    /// If the writer was made by another root.
    #[track_caller]
    pub fn clear(&mut self, writer: &mut Writer) -> LwwMapDelta<K, V, S> {
        self.0.meet(writer);
        self.0.take_out_all()
    }
}

impl<K: Ord, V, S: Ord> LwwMap<K, V, S> {
    /// Takes in a delta or another map; whether it brought news.
    pub fn join(&mut self, other: impl Into<LwwMapDelta<K, V, S>>) -> bool {
        self.0.join(other)
    }

    /// The value of a key.
    pub fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.entry(key).map(|write| write.value)
    }

    /// The value of a key, with its stamp and who wrote it.
    pub fn entry<Q: Ord + ?Sized>(&self, key: &Q) -> Option<Write<'_, V, S>>
    where
        K: Borrow<Q>,
    {
        self.0.store().winner(key)
    }

    /// The concurrent writes of a key that lost against [`get`](Self::get), the greatest
    /// first.
    pub fn conflicts<Q: Ord + ?Sized>(
        &self,
        key: &Q,
    ) -> impl Iterator<Item = Write<'_, V, S>> + use<'_, K, V, S, Q>
    where
        K: Borrow<Q>,
    {
        self.0.store().losers(key)
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

    /// The keys with their values, in ascending order of keys.
    pub fn iter(&self) -> Iter<'_, K, V, S> {
        Iter(self.0.store().iter())
    }

    /// The keys, in ascending order.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &K> + DoubleEndedIterator {
        self.0.store().keys()
    }

    /// The values, in ascending order of their keys.
    pub fn values(&self) -> impl ExactSizeIterator<Item = &V> + DoubleEndedIterator {
        self.iter().map(|(_, value)| value)
    }

    /// All events that the map has seen.
    pub fn context(&self) -> &CausalContext {
        self.0.context()
    }

    /// The keys with their writes.
    pub fn store(&self) -> &LwwStore<K, V, S> {
        self.0.store()
    }

    /// What the map holds and has seen, for a peer that is to send what is lacking.
    pub fn digest(&self) -> Digest {
        self.0.digest()
    }

    /// The smallest delta that tells all that is known here to the map of that digest. Costs
    /// O(n).
    pub fn missing_from(&self, other: &Digest) -> LwwMapDelta<K, V, S>
    where
        K: Clone,
        V: Clone,
        S: Clone,
    {
        self.0.missing_from(other)
    }

    /// Panics if an internal invariant does not hold.
    pub fn check_invariants(&self) {
        self.0.check_invariants();
    }
}

/// Reading, and applying single events: each once, after all that it has seen, and concurrent
/// ones in whatever order. `seen(d)` tells whether the event `d` happened before the one
/// applied.
impl<K: Ord, V, S: Ord> DotMap<K, DotFun<(S, V)>> {
    /// The value of a key: the write with the greatest (stamp, dot).
    pub fn winner<Q: Ord + ?Sized>(&self, key: &Q) -> Option<Write<'_, V, S>>
    where
        K: Borrow<Q>,
    {
        self.get(key).map(greatest)
    }

    /// The other writes of a key, the greatest first.
    pub fn losers<Q: Ord + ?Sized>(
        &self,
        key: &Q,
    ) -> impl Iterator<Item = Write<'_, V, S>> + use<'_, K, V, S, Q>
    where
        K: Borrow<Q>,
    {
        let mut writes: Vec<Write<'_, V, S>> = Vec::new();
        // One write, the ordinary case, has no loser and costs no allocation.
        if let Some(held) = self.get(key).filter(|held| held.entries().len() > 1) {
            writes.extend(held.entries().iter().map(write));
            sort_with(&mut writes, |a, b| (b.stamp, b.dot) < (a.stamp, a.dot));
        }
        writes.into_iter().skip(1)
    }

    /// The event `dot` writes a key; whether the value of the key is another by it.
    ///
    /// It replaces the writes that it has seen. One of those with a greater (stamp, dot),
    /// which a stamp that grows along causality, such as a Lamport time, never meets, stays
    /// and wins. Costs O(log n), and one question for each write of the key.
    pub fn apply_set(
        &mut self,
        key: K,
        dot: Dot,
        stamp: S,
        value: V,
        seen: impl Fn(Dot) -> bool,
    ) -> bool {
        self.update(key, |writes| {
            let before = winning_dot(writes);
            writes.retain_entries(|held, (held_stamp, _)| {
                // A planted bug: the last one to arrive wins, and the others are gone.
                !(seen(held) || is_planted("last-arrival-wins"))
                    || (held_stamp, held) > (&stamp, dot)
            });
            writes.insert(dot, (stamp, value));
            winning_dot(writes) != before
        })
    }

    /// An event removes a key; whether the value of the key is another, or none, by it.
    ///
    /// Costs O(log n), and one question for each write of the key.
    pub fn apply_remove<Q: Ord + ?Sized>(&mut self, key: &Q, seen: impl Fn(Dot) -> bool) -> bool
    where
        K: Borrow<Q>,
    {
        self.update_present(key, |writes| unwrite(writes, &seen)).unwrap_or(false)
    }

    /// An event removes every key; returns the keys whose value is another, or none, by it,
    /// in ascending order. Costs O(n).
    pub fn apply_clear(&mut self, seen: impl Fn(Dot) -> bool) -> Vec<K>
    where
        K: Clone,
    {
        let mut changed = Vec::new();
        self.update_all(|key, writes| {
            if unwrite(writes, &seen) {
                changed.push(key.clone());
            }
        });
        changed
    }
}

/// Maps of last-writer-wins registers inside a root.
impl<K: Ord + Clone, V: Clone, S: Ord + Clone> Edit<'_, DotMap<K, DotFun<(S, V)>>> {
    /// Writes a key; whether that took effect: it does not if the present value has a greater
    /// stamp, or an equal one and a greater replica id.
    pub fn set(&mut self, key: K, value: V, stamp: S) -> bool {
        let dot = self.next_dot();
        let holds_later =
            self.get().winner(&key).is_some_and(|held| (held.stamp, held.dot) > (&stamp, dot));
        if !holds_later {
            self.update(key, |register| register.put((stamp, value)));
        }
        !holds_later
    }
}

/// Takes out the writes that were seen; whether another one wins now, or none.
fn unwrite<S: Ord, V>(writes: &mut DotFun<(S, V)>, seen: &impl Fn(Dot) -> bool) -> bool {
    let before = winning_dot(writes);
    writes.retain(&mut |held| !seen(held));
    winning_dot(writes) != before
}

fn winning_dot<S: Ord, V>(writes: &DotFun<(S, V)>) -> Option<Dot> {
    (!writes.is_empty()).then(|| greatest(writes).dot)
}

fn greatest<S: Ord, V>(writes: &DotFun<(S, V)>) -> Write<'_, V, S> {
    writes
        .entries()
        .iter()
        .map(write)
        .max_by(|a, b| (a.stamp, a.dot).cmp(&(b.stamp, b.dot)))
        .expect("a key that is present has a write")
}

const fn write<S, V>((dot, (stamp, value)): &(Dot, (S, V))) -> Write<'_, V, S> {
    Write { value, stamp, dot: *dot }
}

impl<K: Ord, V, S> Default for LwwMap<K, V, S> {
    fn default() -> Self {
        Self(Causal::default())
    }
}

impl<K: Ord + fmt::Debug, V: fmt::Debug, S: Ord> fmt::Debug for LwwMap<K, V, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self).finish()
    }
}

impl<K: Ord, V, S> From<LwwMap<K, V, S>> for LwwMapDelta<K, V, S> {
    fn from(map: LwwMap<K, V, S>) -> Self {
        map.0.into()
    }
}

impl<K: Ord + Clone, V: Clone, S: Clone> From<&LwwMap<K, V, S>> for LwwMapDelta<K, V, S> {
    fn from(map: &LwwMap<K, V, S>) -> Self {
        (&map.0).into()
    }
}

impl<K: Ord, V, S: Ord> Lattice for LwwMap<K, V, S> {
    type Delta = LwwMapDelta<K, V, S>;

    fn join(&mut self, other: impl Into<Self::Delta>) -> bool {
        self.0.join(other)
    }
}

impl<K: Ord + Clone, V: Clone, S: Ord + Clone> Decompose for LwwMap<K, V, S> {
    fn decompose(&self) -> Vec<LwwMapDelta<K, V, S>> {
        self.0.decompose()
    }

    fn difference(&self, other: &Self) -> LwwMapDelta<K, V, S> {
        self.0.difference(&other.0)
    }
}

impl<K: Ord + Encode, V: Encode, S: Encode> Encode for LwwMap<K, V, S> {
    fn encode(&self, out: &mut codec::Writer) {
        self.0.encode(out);
    }
}

impl<K: Ord + Decode, V: Decode, S: Decode> Decode for LwwMap<K, V, S> {
    const BYTES_MIN: usize = Causal::<LwwStore<K, V, S>>::BYTES_MIN;

    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Causal::decode(input).map(Self)
    }
}

/// The keys of an [`LwwMap`] with their values, in ascending order of keys.
#[derive(Clone, Debug)]
pub struct Iter<'a, K, V, S>(collections::Iter<'a, K, DotFun<(S, V)>>);

impl<'a, K, V, S: Ord> Iterator for Iter<'a, K, V, S> {
    type Item = (&'a K, &'a V);

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next().map(|(key, writes)| (key, greatest(writes).value))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl<K, V, S: Ord> DoubleEndedIterator for Iter<'_, K, V, S> {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.0.next_back().map(|(key, writes)| (key, greatest(writes).value))
    }
}

impl<K, V, S: Ord> ExactSizeIterator for Iter<'_, K, V, S> {}

impl<'a, K: Ord, V, S: Ord> IntoIterator for &'a LwwMap<K, V, S> {
    type Item = (&'a K, &'a V);
    type IntoIter = Iter<'a, K, V, S>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
