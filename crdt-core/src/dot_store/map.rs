use alloc::vec::Vec;
use core::borrow::Borrow;

use super::{DotChange, DotStore, count_covered};
use crate::causality::CausalContext;
use crate::codec::{
    Decode, DecodeError, DecodeErrorKind, Encode, InternedDecode, InternedEncode, Reader,
    ReceiveTable, SendTable, Writer,
};
use crate::collections::{self, Entry, OrderedMap, OrderedSet};
use crate::{Dot, ReplicaId};

/// A store of one non-empty store for each key.
///
/// A key is present while its store holds a dot. Look-ups and changes of one key cost
/// O(log n) for n keys.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DotMap<K, S> {
    // Holds no empty store, so that equal contents are equal maps.
    entries: OrderedMap<K, S>,
}

impl<K, S> Default for DotMap<K, S> {
    fn default() -> Self {
        Self { entries: OrderedMap::new() }
    }
}

impl<K: Ord, S: DotStore> DotMap<K, S> {
    /// The map of no keys.
    pub const fn new() -> Self {
        Self { entries: OrderedMap::new() }
    }

    /// How many keys are present.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether no key is present.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The store of a key, if it is present.
    pub fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&S>
    where
        K: Borrow<Q>,
    {
        self.entries.get(key)
    }

    /// Whether a key is present.
    pub fn contains_key<Q: Ord + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.entries.contains_key(key)
    }

    /// The keys with their stores, in ascending order of keys.
    pub fn iter(&self) -> collections::Iter<'_, K, S> {
        self.entries.iter()
    }

    /// The keys, in ascending order.
    pub fn keys(&self) -> collections::Keys<'_, K, S> {
        self.entries.keys()
    }

    /// Puts back what [`get`](Self::get) said of a key before a transaction changed it.
    pub fn restore(&mut self, key: K, store: Option<S>) {
        match store {
            Some(store) => drop(self.replace(key, store)),
            None => drop(self.entries.remove(&key)),
        }
    }

    /// Replaces the store of a key and returns what was there. An empty store takes the key
    /// out.
    pub(super) fn replace(&mut self, key: K, store: S) -> Option<S> {
        if store.is_empty() { self.entries.remove(&key) } else { self.entries.insert(key, store) }
    }

    pub(super) fn remove_entry<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<(K, S)>
    where
        K: Borrow<Q>,
    {
        self.entries.remove_entry(key)
    }

    pub(crate) fn into_keys(self) -> collections::IntoKeys<K, S> {
        self.entries.into_keys()
    }

    /// Changes the store of one key, which `change` finds empty if the key is absent.
    pub(crate) fn update<T>(&mut self, key: K, change: impl FnOnce(&mut S) -> T) -> T {
        match self.entries.entry(key) {
            Entry::Vacant(entry) => {
                let mut store = S::default();
                let result = change(&mut store);
                if !store.is_empty() {
                    entry.insert(store);
                }
                result
            }
            Entry::Occupied(mut entry) => {
                let result = change(entry.get_mut());
                if entry.get().is_empty() {
                    entry.remove();
                }
                result
            }
        }
    }

    /// As [`update`](Self::update) for a key that may be absent, in which case nothing is
    /// done.
    pub(crate) fn update_present<Q: Ord + ?Sized, T>(
        &mut self,
        key: &Q,
        change: impl FnOnce(&mut S) -> T,
    ) -> Option<T>
    where
        K: Borrow<Q>,
    {
        let store = self.entries.get_mut(key)?;
        let result = change(store);
        if store.is_empty() {
            self.entries.remove(key);
        }
        Some(result)
    }

    /// Changes every store.
    pub(crate) fn update_all(&mut self, mut change: impl FnMut(&K, &mut S)) {
        self.entries.retain(|key, store| {
            change(key, store);
            !store.is_empty()
        });
    }

    /// Changes every store and takes out the keys whose stores are empty then; returns those.
    pub(crate) fn empty_out(&mut self, mut change: impl FnMut(&mut S)) -> Vec<K> {
        let emptied = self.entries.take_if(|_, store| {
            change(store);
            store.is_empty()
        });
        emptied.into_iter().map(|(key, _)| key).collect()
    }
}

impl<K: Ord, S: DotStore> DotStore for DotMap<K, S> {
    type Key = K;

    fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn for_each_dot(&self, visit: &mut dyn FnMut(Dot)) {
        for store in self.entries.values() {
            store.for_each_dot(visit);
        }
    }

    fn retain(&mut self, keep: &mut dyn FnMut(Dot) -> bool) {
        self.update_all(|_, store| store.retain(keep));
    }

    fn join(
        &mut self,
        own: &CausalContext,
        other: Self,
        others: &CausalContext,
        report: &mut dyn FnMut(DotChange),
    ) {
        self.update_all(|key, store| {
            if !other.entries.contains_key(key) {
                store.join(own, S::default(), others, report);
            }
        });
        self.join_at(own, other, others, &OrderedSet::new(), report);
    }

    fn join_at(
        &mut self,
        own: &CausalContext,
        other: Self,
        others: &CausalContext,
        touched: &OrderedSet<K>,
        report: &mut dyn FnMut(DotChange),
    ) {
        for key in touched {
            if !other.entries.contains_key(key) {
                self.update_present(key, |store| store.join(own, S::default(), others, report));
            }
        }
        for (key, theirs) in other.entries {
            self.update(key, |store| store.join(own, theirs, others, report));
        }
    }

    fn count_at(&self, other: &Self, others: &CausalContext, touched: &OrderedSet<K>) -> u64 {
        let untold = touched.iter().filter(|key| !other.entries.contains_key(key));
        other
            .entries
            .keys()
            .chain(untold)
            .filter_map(|key| self.entries.get(key))
            .map(|store| count_covered(store, others))
            .sum()
    }

    fn check_invariants(&self) {
        for store in self.entries.values() {
            assert!(!store.is_empty(), "a key without dots is not in the map");
            store.check_invariants();
        }
    }
}

impl<'a, K, S> IntoIterator for &'a DotMap<K, S> {
    type Item = (&'a K, &'a S);
    type IntoIter = collections::Iter<'a, K, S>;

    fn into_iter(self) -> Self::IntoIter {
        self.entries.iter()
    }
}

impl<K, S> IntoIterator for DotMap<K, S> {
    type Item = (K, S);
    type IntoIter = collections::IntoIter<K, S>;

    fn into_iter(self) -> Self::IntoIter {
        self.entries.into_iter()
    }
}

impl<K: Encode, S: InternedEncode> InternedEncode for DotMap<K, S> {
    /// The count, then in ascending order each key with its store.
    fn encode_interned(&self, replicas: &mut SendTable<ReplicaId>, out: &mut Writer) {
        out.count(self.entries.len());
        for (key, store) in &self.entries {
            key.encode(out);
            store.encode_interned(replicas, out);
        }
    }
}

impl<K: Ord + Decode, S: DotStore + InternedDecode> InternedDecode for DotMap<K, S> {
    const INTERNED_BYTES_MIN: usize = 1;

    fn decode_interned(
        replicas: &mut ReceiveTable<ReplicaId>,
        input: &mut Reader<'_>,
    ) -> Result<Self, DecodeError> {
        let mut entries: OrderedMap<K, S> = OrderedMap::new();
        for _ in 0..input.count(K::BYTES_MIN + S::INTERNED_BYTES_MIN)? {
            let at = input.position();
            let key = K::decode(input)?;
            if entries.last_key_value().is_some_and(|(last, _)| *last >= key) {
                return Err(DecodeErrorKind::NotAscending.at(at));
            }
            let store = S::decode_interned(replicas, input)?;
            if store.is_empty() {
                return Err(DecodeErrorKind::NotCanonical.at(at));
            }
            entries.insert(key, store);
        }
        Ok(Self { entries })
    }
}
