use alloc::vec;
use alloc::vec::Vec;
use core::borrow::Borrow;
use core::ops::{Bound, RangeBounds};

use super::entry::{Entry, OccupiedEntry, VacantEntry};
use super::iter::{IntoIter, IntoKeys, Iter, Keys, Range, Values};

mod merge;
#[cfg(test)]
mod tests;
mod traits;

/// The most entries in one piece of memory. Small in tests, so that these reach many pieces.
const CHUNK_MAX: usize = if cfg!(test) { 8 } else { 64 };

/// A map in ascending order of its keys.
///
/// It is used like the standard library's `BTreeMap`. The entries lie in sorted chunks of at
/// most 64, and the chunks in a list: a look-up is a binary search over chunks and another
/// within one, O(log n). An insertion or removal moves at most 64 entries, and every 32nd or so
/// the list's tail, n / 64 pointers: below a microsecond for a million entries.
///
/// ```
/// use crdt_core::collections::OrderedMap;
///
/// let mut map = OrderedMap::from([(3, "c"), (1, "a")]);
/// map.insert(2, "b");
/// assert_eq!(map.get(&2), Some(&"b"));
/// assert!(map.iter().eq([(&1, &"a"), (&2, &"b"), (&3, &"c")]));
/// assert!(map.range(2..).eq([(&2, &"b"), (&3, &"c")]));
/// ```
#[derive(Clone)]
pub struct OrderedMap<K, V> {
    /// Ascending within each and from one to the next. None is empty or longer than `CHUNK_MAX`.
    chunks: Vec<Vec<(K, V)>>,
    len: usize,
}

/// Where an entry is, or would be put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    chunk: usize,
    index: usize,
}

impl Place {
    pub(crate) const START: Self = Self { chunk: 0, index: 0 };
}

impl<K, V> OrderedMap<K, V> {
    /// The map of no keys. Allocates nothing.
    pub const fn new() -> Self {
        Self { chunks: Vec::new(), len: 0 }
    }

    /// The map of one entry.
    pub(crate) fn of(key: K, value: V) -> Self {
        Self { chunks: vec![vec![(key, value)]], len: 1 }
    }

    /// How many keys there are.
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether there are no keys.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Forgets all entries.
    pub fn clear(&mut self) {
        *self = Self::new();
    }

    /// The entries, in ascending order of keys.
    pub fn iter(&self) -> Iter<'_, K, V> {
        Iter::new(&[], &self.chunks, self.len)
    }

    /// The entries, in ascending order of keys, with values to change.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&K, &mut V)> {
        self.chunks.iter_mut().flatten().map(|(key, value)| (&*key, value))
    }

    /// The keys, in ascending order.
    pub fn keys(&self) -> Keys<'_, K, V> {
        Keys(self.iter())
    }

    /// The values, in ascending order of their keys.
    pub fn values(&self) -> Values<'_, K, V> {
        Values(self.iter())
    }

    /// The values, in ascending order of their keys, to be changed.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.iter_mut().map(|(_, value)| value)
    }

    /// The keys, taken out of the map, in ascending order.
    pub fn into_keys(self) -> IntoKeys<K, V> {
        IntoKeys(self.into_iter())
    }

    /// The values, taken out of the map, in ascending order of their keys.
    pub fn into_values(self) -> impl Iterator<Item = V> {
        self.into_iter().map(|(_, value)| value)
    }

    /// The least key and its value.
    pub fn first_key_value(&self) -> Option<(&K, &V)> {
        self.iter().next()
    }

    /// The greatest key and its value.
    pub fn last_key_value(&self) -> Option<(&K, &V)> {
        self.iter().next_back()
    }

    /// The entry of the least key, to be changed or taken out.
    pub fn first_entry(&mut self) -> Option<OccupiedEntry<'_, K, V>> {
        (self.len > 0).then(|| OccupiedEntry::new(self, Place { chunk: 0, index: 0 }))
    }

    /// Takes the entry of the least key out.
    pub fn pop_first(&mut self) -> Option<(K, V)> {
        self.first_entry().map(OccupiedEntry::remove_entry)
    }

    /// Keeps the entries that `keep` says yes to.
    pub fn retain(&mut self, mut keep: impl FnMut(&K, &mut V) -> bool) {
        for chunk in &mut self.chunks {
            chunk.retain_mut(|(key, value)| keep(key, value));
        }
        self.tidy();
    }

    /// Takes out, in ascending order of keys, the entries that `take` says yes to.
    pub fn take_if(&mut self, mut take: impl FnMut(&K, &mut V) -> bool) -> Vec<(K, V)> {
        let mut taken = Vec::new();
        for chunk in &mut self.chunks {
            taken.extend(chunk.extract_if(.., |(key, value)| take(key, value)));
        }
        self.tidy();
        taken
    }

    /// Puts chunks that have become small together, and forgets the empty ones.
    fn tidy(&mut self) {
        self.len = self.chunks.iter().map(Vec::len).sum();
        let mut chunks: Vec<Vec<(K, V)>> = Vec::with_capacity(self.chunks.len());
        for chunk in self.chunks.drain(..).filter(|chunk| !chunk.is_empty()) {
            match chunks.last_mut() {
                Some(last) if last.len() + chunk.len() <= CHUNK_MAX / 2 => last.extend(chunk),
                _ => chunks.push(chunk),
            }
        }
        self.chunks = chunks;
    }

    /// The place after that of an entry, whether or not there is one.
    pub(crate) fn after(&self, place: Place) -> Place {
        let next = Place { index: place.index + 1, ..place };
        if self.try_at(next).is_some() { next } else { Place { chunk: place.chunk + 1, index: 0 } }
    }

    /// The entry at a place where there was one once, if there is one now.
    pub(crate) fn try_at(&self, place: Place) -> Option<&(K, V)> {
        self.chunks.get(place.chunk)?.get(place.index)
    }

    pub(crate) fn at(&self, place: Place) -> &(K, V) {
        &self.chunks[place.chunk][place.index]
    }

    /// An entry, to be changed; its key has to stay between its neighbours'.
    pub(crate) fn at_mut(&mut self, place: Place) -> &mut (K, V) {
        &mut self.chunks[place.chunk][place.index]
    }

    /// Puts an entry in where its key belongs, and says where it is then.
    pub(super) fn insert_at(&mut self, place: Place, key: K, value: V) -> Place {
        let Place { mut chunk, mut index } = place;
        if self.chunks.is_empty() {
            // One piece is all that most maps ever need, and one entry all that many have.
            self.chunks.reserve_exact(1);
            self.chunks.push(Vec::with_capacity(1));
        }
        if self.chunks[chunk].len() == CHUNK_MAX {
            // What comes in order leaves full chunks behind.
            let is_end = chunk + 1 == self.chunks.len() && index == CHUNK_MAX;
            let keep = if is_end { CHUNK_MAX } else { CHUNK_MAX / 2 };
            let rest = self.chunks[chunk].split_off(keep);
            self.chunks.insert(chunk + 1, rest);
            if is_end || index > keep {
                chunk += 1;
                index -= keep;
            }
        }
        self.chunks[chunk].insert(index, (key, value));
        self.len += 1;
        Place { chunk, index }
    }

    pub(crate) fn remove_at(&mut self, place: Place) -> (K, V) {
        let removed = self.chunks[place.chunk].remove(place.index);
        self.len -= 1;
        if self.chunks[place.chunk].is_empty() {
            self.chunks.remove(place.chunk);
        } else if self.chunks[place.chunk].len() < CHUNK_MAX / 4 {
            // Whoever removes in order leaves small ones on one side, and finds full ones on the other.
            self.unite(place.chunk);
            self.unite(place.chunk.wrapping_sub(1));
        }
        removed
    }

    /// Makes one chunk of two neighbours, if they are there and small enough.
    fn unite(&mut self, first: usize) {
        let second = first.wrapping_add(1);
        let lengths = [first, second].map(|chunk| self.chunks.get(chunk).map(Vec::len));
        if let [Some(one), Some(other)] = lengths
            && one + other <= CHUNK_MAX / 2
        {
            let second = self.chunks.remove(second);
            self.chunks[first].extend(second);
        }
    }
}

impl<K: Ord, V> OrderedMap<K, V> {
    /// The value of a key. O(log n).
    pub fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.find(key).ok().map(|place| &self.at(place).1)
    }

    /// The value of a key, to be changed. O(log n).
    pub fn get_mut<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        self.find(key).ok().map(|place| &mut self.at_mut(place).1)
    }

    /// Whether there is an entry for a key. O(log n).
    pub fn contains_key<Q: Ord + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.find(key).is_ok()
    }

    /// Gives a key a value, and returns the one that it had.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        match self.find(&key) {
            Ok(place) => Some(core::mem::replace(&mut self.at_mut(place).1, value)),
            Err(place) => {
                self.insert_at(place, key, value);
                None
            }
        }
    }

    /// Where the first entry is whose key is not below this one.
    pub(crate) fn seek(&self, key: &K) -> Option<Place> {
        self.find(key).or_else(|place| self.settle(place)).ok()
    }

    /// Where a key is; `near`, where it was found before, is looked at first.
    pub(crate) fn find_near<Q: Ord + ?Sized>(&self, key: &Q, near: &mut Place) -> Option<Place>
    where
        K: Borrow<Q>,
    {
        if self.try_at(*near).is_some_and(|(held, _)| held.borrow() == key) {
            return Some(*near);
        }
        let place = self.find(key).ok()?;
        *near = place;
        Some(place)
    }

    /// Passes each entry of `other` with the value here of the same key, if there is one. A
    /// single pass through both.
    pub(crate) fn meet<W>(
        &mut self,
        other: &OrderedMap<K, W>,
        mut visit: impl FnMut(&K, Option<&mut V>, &W),
    ) {
        let mut own = self.chunks.iter_mut().flatten();
        let mut held = own.next();
        for (key, theirs) in other.chunks.iter().flatten() {
            while held.as_ref().is_some_and(|(held, _)| held < key) {
                held = own.next();
            }
            match &mut held {
                Some((held, value)) if held == key => visit(key, Some(value), theirs),
                _ => visit(key, None, theirs),
            }
        }
    }

    /// Where the entry before a place is, or before the end.
    pub(crate) fn before(&self, place: Option<Place>) -> Option<Place> {
        match place {
            Some(Place { chunk: 0, index: 0 }) => None,
            Some(Place { chunk, index: 0 }) => {
                Some(Place { chunk: chunk - 1, index: self.chunks[chunk - 1].len() - 1 })
            }
            Some(Place { chunk, index }) => Some(Place { chunk, index: index - 1 }),
            None => {
                let chunk = self.chunks.len().checked_sub(1)?;
                Some(Place { chunk, index: self.chunks[chunk].len() - 1 })
            }
        }
    }

    /// A place between entries as that of the next one, unless it is the end.
    fn settle(&self, place: Place) -> Result<Place, Place> {
        match self.chunks.get(place.chunk) {
            Some(chunk) if place.index < chunk.len() => Ok(place),
            Some(_) if place.chunk + 1 < self.chunks.len() => {
                Ok(Place { chunk: place.chunk + 1, index: 0 })
            }
            _ => Err(place),
        }
    }

    /// Puts an entry behind all others; `left` of them, this one included, are still to come,
    /// so that no more memory is taken than they need.
    pub(crate) fn append(&mut self, key: K, value: V, left: usize) {
        debug_assert!(self.last_key_value().is_none_or(|(last, _)| *last < key), "keys ascend");
        match self.chunks.last_mut() {
            Some(chunk) if chunk.len() < CHUNK_MAX => chunk.push((key, value)),
            _ => {
                if self.chunks.is_empty() {
                    self.chunks.reserve_exact(left.div_ceil(CHUNK_MAX).min(1 + CHUNK_MAX));
                }
                let mut chunk = Vec::with_capacity(left.min(CHUNK_MAX));
                chunk.push((key, value));
                self.chunks.push(chunk);
            }
        }
        self.len += 1;
    }

    /// Takes a key out, and returns its value.
    pub fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        self.remove_entry(key).map(|(_, value)| value)
    }

    /// Takes a key out, and returns it with its value.
    pub fn remove_entry<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<(K, V)>
    where
        K: Borrow<Q>,
    {
        self.find(key).ok().map(|place| self.remove_at(place))
    }

    /// As [`remove_entry`](Self::remove_entry), of keys that mostly follow each other; `near` tells where the last of
    /// them was, and so where the next one is now.
    pub(crate) fn remove_near<Q: Ord + ?Sized>(
        &mut self,
        key: &Q,
        near: &mut Place,
    ) -> Option<(K, V)>
    where
        K: Borrow<Q>,
    {
        self.find_near(key, near).map(|place| self.remove_at(place))
    }

    /// The entry of a key, to be looked at, changed, put in or taken out.
    pub fn entry(&mut self, key: K) -> Entry<'_, K, V> {
        match self.find(&key) {
            Ok(place) => Entry::Occupied(OccupiedEntry::new(self, place)),
            Err(place) => Entry::Vacant(VacantEntry::new(self, place, key)),
        }
    }

    /// The entries whose keys are in a range, in ascending order.
    ///
    /// # Panics
    ///
    /// If the range ends before it begins.
    pub fn range(&self, range: impl RangeBounds<K>) -> Range<'_, K, V> {
        let after = |place: Place| Place { index: place.index + 1, ..place };
        let start = match range.start_bound() {
            Bound::Included(key) => self.find(key).unwrap_or_else(|place| place),
            Bound::Excluded(key) => self.find(key).map_or_else(|place| place, after),
            Bound::Unbounded => Place { chunk: 0, index: 0 },
        };
        let end = match range.end_bound() {
            Bound::Included(key) => self.find(key).map_or_else(|place| place, after),
            Bound::Excluded(key) => self.find(key).unwrap_or_else(|place| place),
            Bound::Unbounded => Place {
                chunk: self.chunks.len().saturating_sub(1),
                index: self.chunks.last().map_or(0, Vec::len),
            },
        };
        let Some(first) = self.chunks.get(start.chunk) else { return Range::new(&[], &[], &[]) };
        if start.chunk == end.chunk {
            return Range::new(&first[start.index..end.index], &[], &[]);
        }
        let between = &self.chunks[start.chunk + 1..end.chunk];
        Range::new(&first[start.index..], between, &self.chunks[end.chunk][..end.index])
    }

    /// Where a key is, or else where it belongs.
    fn find<Q: Ord + ?Sized>(&self, key: &Q) -> Result<Place, Place>
    where
        K: Borrow<Q>,
    {
        // Behind all others is where most keys belong that are new. To look there first is not
        // worth its code in a browser, which pays for it once for each type.
        if !cfg!(target_arch = "wasm32")
            && let Some(chunk) = self.chunks.last()
            && chunk.last().is_some_and(|(last, _)| last.borrow() < key)
        {
            return Err(Place { chunk: self.chunks.len() - 1, index: chunk.len() });
        }
        let begun = self.chunks.partition_point(|chunk| chunk[0].0.borrow() <= key);
        let chunk = begun.saturating_sub(1);
        let entries = self.chunks.get(chunk).map_or(&[][..], Vec::as_slice);
        match entries.binary_search_by(|(held, _)| held.borrow().cmp(key)) {
            Ok(index) => Ok(Place { chunk, index }),
            Err(index) => Err(Place { chunk, index }),
        }
    }

    /// Panics if the map is not what it has to be. For tests.
    pub fn check_invariants(&self) {
        assert!(self.keys().zip(self.keys().skip(1)).all(|(a, b)| a < b), "keys ascend");
        assert!(self.chunks.iter().all(|chunk| (1..=CHUNK_MAX).contains(&chunk.len())));
        assert_eq!(self.chunks.iter().map(Vec::len).sum::<usize>(), self.len);
    }
}
