use core::borrow::Borrow;
use core::fmt;
use core::hash::{Hash, Hasher};
use core::mem;

use super::{Iter, Keys, OrderedMap, Values};

/// A map in ascending order of its keys, made for one entry: that lies in place. What a mutator
/// returns is most often no more, and then it costs no memory of its own.
#[derive(Clone)]
pub(crate) enum OneOrMany<K, V> {
    One([(K, V); 1]),
    Many(OrderedMap<K, V>),
}

impl<K, V> OneOrMany<K, V> {
    pub(crate) const fn new() -> Self {
        Self::Many(OrderedMap::new())
    }

    pub(crate) const fn of(key: K, value: V) -> Self {
        Self::One([(key, value)])
    }

    pub(crate) const fn len(&self) -> usize {
        match self {
            Self::One(_) => 1,
            Self::Many(many) => many.len(),
        }
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(crate) fn iter(&self) -> Iter<'_, K, V> {
        match self {
            Self::One(one) => Iter::new(one, &[], 1),
            Self::Many(many) => many.iter(),
        }
    }

    pub(crate) fn keys(&self) -> Keys<'_, K, V> {
        Keys(self.iter())
    }

    pub(crate) fn values(&self) -> Values<'_, K, V> {
        Values(self.iter())
    }

    pub(crate) fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q> + Ord,
    {
        match self {
            Self::One([(held, value)]) => (held.borrow() == key).then_some(value),
            Self::Many(many) => many.get(key),
        }
    }

    pub(crate) fn get_mut<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q> + Ord,
    {
        match self {
            Self::One([(held, value)]) => (<K as Borrow<Q>>::borrow(held) == key).then_some(value),
            Self::Many(many) => many.get_mut(key),
        }
    }

    /// Passes every entry, in ascending order of keys.
    pub(crate) fn give(self, mut take: impl FnMut(K, V)) {
        match self {
            Self::One([(key, value)]) => take(key, value),
            Self::Many(many) => many.into_iter().for_each(|(key, value)| take(key, value)),
        }
    }

    /// The map, for whatever changes it.
    pub(crate) fn many(&mut self) -> &mut OrderedMap<K, V> {
        if matches!(self, Self::One(_)) {
            *self = Self::Many(mem::take(self).into_many());
        }
        match self {
            Self::Many(many) => many,
            Self::One(_) => unreachable!("it was made many"),
        }
    }

    pub(crate) fn into_many(self) -> OrderedMap<K, V> {
        match self {
            Self::One([(key, value)]) => OrderedMap::of(key, value),
            Self::Many(many) => many,
        }
    }
}

impl<K, V> Default for OneOrMany<K, V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K, V> From<OrderedMap<K, V>> for OneOrMany<K, V> {
    fn from(many: OrderedMap<K, V>) -> Self {
        Self::Many(many)
    }
}

impl<K: fmt::Debug, V: fmt::Debug> fmt::Debug for OneOrMany<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl<K: PartialEq, V: PartialEq> PartialEq for OneOrMany<K, V> {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().eq(other.iter())
    }
}

impl<K: Eq, V: Eq> Eq for OneOrMany<K, V> {}

impl<K: Hash, V: Hash> Hash for OneOrMany<K, V> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_usize(self.len());
        self.iter().for_each(|entry| entry.hash(state));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use std::hash::{BuildHasher as _, RandomState};

    /// One entry is the same, wherever it lies.
    #[test]
    fn one_in_place_is_one_of_many() {
        let one = OneOrMany::of(1, 'a');
        let same = OneOrMany::from(OrderedMap::from([(1, 'a')]));
        let others = [OneOrMany::new(), OneOrMany::of(1, 'b'), OneOrMany::of(2, 'a')];
        let state = RandomState::new();
        assert!(one == same && state.hash_one(&one) == state.hash_one(&same));
        assert_eq!(
            (format!("{one:?}"), format!("{same:?}")),
            ("{1: 'a'}".into(), "{1: 'a'}".into())
        );
        for other in others {
            assert!(one != other && state.hash_one(&one) != state.hash_one(&other), "{other:?}");
        }
    }
}
