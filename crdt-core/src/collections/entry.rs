use core::fmt;

use super::OrderedMap;
use super::map::Place;

/// What an [`OrderedMap`] has, or could have, under a key: see [`OrderedMap::entry`].
#[derive(Debug)]
pub enum Entry<'a, K, V> {
    /// Nothing yet.
    Vacant(VacantEntry<'a, K, V>),
    /// A value.
    Occupied(OccupiedEntry<'a, K, V>),
}

/// A key without a value, and where it would have one.
pub struct VacantEntry<'a, K, V> {
    map: &'a mut OrderedMap<K, V>,
    place: Place,
    key: K,
}

/// A key with its value.
pub struct OccupiedEntry<'a, K, V> {
    map: &'a mut OrderedMap<K, V>,
    place: Place,
}

impl<'a, K, V> Entry<'a, K, V> {
    /// The value, which is `value` if there was none.
    pub fn or_insert(self, value: V) -> &'a mut V {
        self.or_insert_with(|| value)
    }

    /// The value, which is made by `make` if there was none.
    pub fn or_insert_with(self, make: impl FnOnce() -> V) -> &'a mut V {
        match self {
            Self::Occupied(entry) => entry.into_mut(),
            Self::Vacant(entry) => entry.insert(make()),
        }
    }

    /// The value, which is the default if there was none.
    pub fn or_default(self) -> &'a mut V
    where
        V: Default,
    {
        self.or_insert_with(V::default)
    }

    /// Changes the value, if there is one.
    #[must_use]
    pub fn and_modify(mut self, change: impl FnOnce(&mut V)) -> Self {
        if let Self::Occupied(entry) = &mut self {
            change(entry.get_mut());
        }
        self
    }
}

impl<'a, K, V> VacantEntry<'a, K, V> {
    pub(super) const fn new(map: &'a mut OrderedMap<K, V>, place: Place, key: K) -> Self {
        Self { map, place, key }
    }

    /// The key.
    pub const fn key(&self) -> &K {
        &self.key
    }

    /// Gives the key a value.
    pub fn insert(self, value: V) -> &'a mut V {
        let place = self.map.insert_at(self.place, self.key, value);
        &mut self.map.at_mut(place).1
    }
}

impl<'a, K, V> OccupiedEntry<'a, K, V> {
    pub(super) const fn new(map: &'a mut OrderedMap<K, V>, place: Place) -> Self {
        Self { map, place }
    }

    /// The key.
    pub fn key(&self) -> &K {
        &self.map.at(self.place).0
    }

    /// The value.
    pub fn get(&self) -> &V {
        &self.map.at(self.place).1
    }

    /// The value, to be changed.
    pub fn get_mut(&mut self) -> &mut V {
        &mut self.map.at_mut(self.place).1
    }

    /// The value, to be changed for as long as the map is lent.
    pub fn into_mut(self) -> &'a mut V {
        &mut self.map.at_mut(self.place).1
    }

    /// Replaces the value, and returns the one that was there.
    pub fn insert(&mut self, value: V) -> V {
        core::mem::replace(self.get_mut(), value)
    }

    /// Takes the key out, and returns its value.
    pub fn remove(self) -> V {
        self.remove_entry().1
    }

    /// Takes the key out, and returns it with its value.
    pub fn remove_entry(self) -> (K, V) {
        self.map.remove_at(self.place)
    }
}

impl<K: fmt::Debug, V> fmt::Debug for VacantEntry<'_, K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("VacantEntry").field(self.key()).finish()
    }
}

impl<K: fmt::Debug, V: fmt::Debug> fmt::Debug for OccupiedEntry<'_, K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OccupiedEntry").field(self.key()).field(self.get()).finish()
    }
}
