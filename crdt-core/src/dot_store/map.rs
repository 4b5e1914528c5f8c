use alloc::vec::Vec;
use core::borrow::Borrow;

use super::{
    DecodeStore, DotChange, DotStore, EncodeStore, Places, Split, StoreReader, StoreWriter,
    Touched, count_covered,
};
use crate::Dot;
use crate::causality::CausalContext;
use crate::codec::{Decode, DecodeError, DecodeErrorKind, Encode, decode_beside, encode_beside};
use crate::collections::{self, Entry, OneOrMany, OrderedMap, Place, are_few};

/// A store of one non-empty store for each key.
///
/// A key is present while its store holds a dot. Look-ups and changes of one key cost
/// O(log n) for n keys.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DotMap<K, S> {
    // Holds no empty store, so that equal contents are equal maps.
    entries: OneOrMany<K, S>,
}

impl<K, S> Default for DotMap<K, S> {
    fn default() -> Self {
        Self { entries: OneOrMany::new() }
    }
}

impl<K: Ord, S: DotStore> DotMap<K, S> {
    /// The map of no keys.
    pub const fn new() -> Self {
        Self { entries: OneOrMany::new() }
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
        self.entries.get(key).is_some()
    }

    /// The keys with their stores, in ascending order of keys.
    pub fn iter(&self) -> collections::Iter<'_, K, S> {
        self.entries.iter()
    }

    /// The keys, in ascending order.
    pub fn keys(&self) -> collections::Keys<'_, K, S> {
        self.entries.keys()
    }

    /// The stores, in ascending order of their keys.
    pub fn values(&self) -> collections::Values<'_, K, S> {
        self.entries.values()
    }

    /// Puts back what [`get`](Self::get) said of a key before a transaction changed it.
    pub fn restore(&mut self, key: K, store: Option<S>) {
        match store {
            Some(store) => drop(self.replace(key, store)),
            None => drop(self.entries.many().remove(&key)),
        }
    }

    /// Replaces the store of a key and returns what was there. An empty store takes the key
    /// out.
    pub(super) fn replace(&mut self, key: K, store: S) -> Option<S> {
        let entries = self.entries.many();
        if store.is_empty() { entries.remove(&key) } else { entries.insert(key, store) }
    }

    /// One key; its store may not be empty.
    pub(super) fn of(key: K, store: S) -> Self {
        Self { entries: OneOrMany::of(key, store) }
    }

    /// Where a key is or would be. What is put there may not be empty.
    pub(super) fn entry(&mut self, key: K) -> Entry<'_, K, S> {
        self.entries.many().entry(key)
    }

    pub(super) fn get_mut<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<&mut S>
    where
        K: Borrow<Q>,
    {
        self.entries.get_mut(key)
    }

    pub(super) fn remove_entry<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<(K, S)>
    where
        K: Borrow<Q>,
    {
        self.entries.many().remove_entry(key)
    }

    /// As [`remove_entry`](Self::remove_entry); `near` tells where the last one was that was taken out.
    pub(super) fn remove_near<Q: Ord + ?Sized>(
        &mut self,
        key: &Q,
        near: &mut Place,
    ) -> Option<(K, S)>
    where
        K: Borrow<Q>,
    {
        self.entries.many().remove_near(key, near)
    }

    pub(crate) fn into_keys(self) -> collections::IntoKeys<K, S> {
        self.entries.into_many().into_keys()
    }

    /// Changes the store of one key, which `change` finds empty if the key is absent.
    pub(crate) fn update<T>(&mut self, key: K, change: impl FnOnce(&mut S) -> T) -> T {
        match self.entries.many().entry(key) {
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
            self.entries.many().remove(key);
        }
        Some(result)
    }

    /// Changes every store.
    pub(crate) fn update_all(&mut self, mut change: impl FnMut(&K, &mut S)) {
        self.entries.many().retain(|key, store| {
            change(key, store);
            !store.is_empty()
        });
    }

    /// Changes every store and takes out the keys whose stores are empty then; returns those.
    pub(crate) fn empty_out(&mut self, mut change: impl FnMut(&mut S)) -> Vec<K> {
        let emptied = self.entries.many().take_if(|_, store| {
            change(store);
            store.is_empty()
        });
        emptied.into_iter().map(|(key, _)| key).collect()
    }
}

impl<K, S> DotMap<K, S> {
    fn first_entry(&self) -> Option<(&K, &S)> {
        self.entries.iter().next()
    }
}

impl<K: Ord, S: DotStore> DotStore for DotMap<K, S> {
    type Places = Touched<K, S::Places>;

    const REDACTABLE: bool = S::REDACTABLE;

    fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn for_each_dot(&self, visit: &mut dyn FnMut(Dot)) {
        for store in self.entries.values() {
            store.for_each_dot(visit);
        }
    }

    fn for_each_redacted(&self, visit: &mut dyn FnMut(Dot)) {
        if Self::REDACTABLE {
            self.entries.values().for_each(|store| store.for_each_redacted(visit));
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
        // Of what one side holds alone, the other may have seen the removal.
        self.entries.many().merge(other.entries.into_many(), |store, theirs| {
            store.join(own, theirs, others, report);
            !store.is_empty()
        });
    }

    fn join_at(
        &mut self,
        own: &CausalContext,
        other: Self,
        others: &CausalContext,
        touched: &Self::Places,
        report: &mut dyn FnMut(DotChange),
    ) {
        if self.is_passed_through(&other) {
            return self.join(own, other, others, report);
        }
        for (key, places) in touched.keys.iter() {
            if other.entries.get(key).is_none() {
                let theirs = S::default();
                self.update_present(key, |store| {
                    join_below(store, own, theirs, others, Some(places), report);
                });
            }
        }
        other.entries.give(|key, theirs| {
            let places = touched.keys.get(&key);
            self.update(key, |store| join_below(store, own, theirs, others, places, report));
        });
    }

    fn count_at(&self, other: &Self, others: &CausalContext, touched: &Self::Places) -> u64 {
        let none = S::default();
        let untold = touched
            .keys
            .iter()
            .filter(|(key, _)| other.entries.get(*key).is_none())
            .map(|(key, places)| (key, &none, Some(places)));
        let told = other.entries.iter().map(|(key, store)| (key, store, touched.keys.get(key)));
        let count = |(key, theirs, places)| {
            let store: &S = self.entries.get(key)?;
            Some(count_below(store, theirs, others, places))
        };
        told.chain(untold).filter_map(count).sum()
    }

    fn is_passed_through(&self, other: &Self) -> bool {
        !are_few(other.entries.len(), self.entries.len())
    }

    fn check_invariants(&self) {
        for store in self.entries.values() {
            assert!(!store.is_empty(), "a key without dots is not in the map");
            store.check_invariants();
        }
    }
}

impl<K: Ord + Clone, S: Split> Split for DotMap<K, S> {
    fn split(self, visit: &mut dyn FnMut(Dot, Self)) {
        for (key, store) in self.entries.into_many() {
            store.split(&mut |dot, store| {
                let mut alone = Self::default();
                alone.replace(key.clone(), store);
                visit(dot, alone);
            });
        }
    }
}

/// Joins what stands under one key; `places` are those that the delta names below it.
fn join_below<S: DotStore>(
    store: &mut S,
    own: &CausalContext,
    other: S,
    others: &CausalContext,
    places: Option<&S::Places>,
    report: &mut dyn FnMut(DotChange),
) {
    match places {
        Some(places) if places.is_whole() => store.join(own, other, others, report),
        Some(places) => store.join_at(own, other, others, places, report),
        None => store.join_at(own, other, others, &Default::default(), report),
    }
}

/// As [`join_below`], of which it tells how many dots it may remove.
fn count_below<S: DotStore>(
    store: &S,
    other: &S,
    others: &CausalContext,
    places: Option<&S::Places>,
) -> u64 {
    match places {
        Some(places) if places.is_whole() => count_covered(store, others),
        Some(places) => store.count_at(other, others, places),
        None => store.count_at(other, others, &Default::default()),
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
        self.entries.into_many().into_iter()
    }
}

impl<K: Encode, S: EncodeStore> EncodeStore for DotMap<K, S> {
    /// The count, then in ascending order each key with its store.
    fn encode_store(&self, near: Option<&Self>, out: &mut StoreWriter) {
        out.body().count(self.entries.len());
        let mut near = near.and_then(Self::first_entry);
        for (key, store) in self.entries.iter() {
            encode_beside(key, near.map(|(key, _)| key), out.body());
            store.encode_store(near.map(|(_, store)| store), out);
            near = Some((key, store));
        }
    }
}

impl<K: Ord + Decode, S: DotStore + DecodeStore> DecodeStore for DotMap<K, S> {
    const STORE_BYTES_MIN: usize = 1;

    fn decode_store(near: Option<&Self>, input: &mut StoreReader<'_>) -> Result<Self, DecodeError> {
        let mut entries: OrderedMap<K, S> = OrderedMap::new();
        let count = input.body().count(K::BYTES_MIN + S::STORE_BYTES_MIN)?;
        for left in (1..=count).rev() {
            let at = input.body().position();
            let last = entries.last_key_value();
            let near = last.or_else(|| near.and_then(Self::first_entry));
            let key = decode_beside(near.map(|(key, _)| key), input.body())?;
            if last.is_some_and(|(last, _)| *last >= key) {
                return Err(DecodeErrorKind::NotAscending.at(at));
            }
            let store = S::decode_store(near.map(|(_, store)| store), input)?;
            if store.is_empty() {
                return Err(DecodeErrorKind::NotCanonical.at(at));
            }
            entries.append(key, store, left);
        }
        Ok(Self { entries: entries.into() })
    }
}
