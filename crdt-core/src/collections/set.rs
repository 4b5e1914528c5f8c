use core::borrow::Borrow;
use core::fmt;

use super::OrderedMap;
use super::iter::{IntoKeys, Keys};

/// A set in ascending order: an [`OrderedMap`] without values, used like the standard
/// library's `BTreeSet`.
///
/// ```
/// use crdt_core::collections::OrderedSet;
///
/// let mut set: OrderedSet<u32> = [3, 1, 3].into_iter().collect();
/// assert!(set.insert(2) && !set.insert(1));
/// assert!(set.iter().eq(&[1, 2, 3]));
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrderedSet<T> {
    map: OrderedMap<T, ()>,
}

/// Iterates over an [`OrderedSet`].
pub type SetIter<'a, T> = Keys<'a, T, ()>;

/// Takes the elements out of an [`OrderedSet`].
pub type SetIntoIter<T> = IntoKeys<T, ()>;

impl<T> OrderedSet<T> {
    /// The empty set. Allocates nothing.
    pub const fn new() -> Self {
        Self { map: OrderedMap::new() }
    }

    /// How many elements there are.
    pub const fn len(&self) -> usize {
        self.map.len()
    }

    /// Whether there are no elements.
    pub const fn is_empty(&self) -> bool {
        self.map.is_empty()
    }

    /// The elements, in ascending order.
    pub fn iter(&self) -> SetIter<'_, T> {
        self.map.keys()
    }

    /// The least element.
    pub fn first(&self) -> Option<&T> {
        self.iter().next()
    }

    /// The greatest element.
    pub fn last(&self) -> Option<&T> {
        self.iter().next_back()
    }

    /// Forgets all elements.
    pub fn clear(&mut self) {
        self.map.clear();
    }
}

impl<T: Ord> OrderedSet<T> {
    /// Whether an element is in. O(log n).
    pub fn contains<Q: Ord + ?Sized>(&self, element: &Q) -> bool
    where
        T: Borrow<Q>,
    {
        self.map.contains_key(element)
    }

    /// Puts an element in; whether it was not in before.
    pub fn insert(&mut self, element: T) -> bool {
        self.map.insert(element, ()).is_none()
    }

    /// Takes an element out; whether it was in.
    pub fn remove<Q: Ord + ?Sized>(&mut self, element: &Q) -> bool
    where
        T: Borrow<Q>,
    {
        self.map.remove(element).is_some()
    }

    /// Takes the least element out.
    pub fn pop_first(&mut self) -> Option<T> {
        self.map.pop_first().map(|(element, ())| element)
    }
}

impl<T> Default for OrderedSet<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: fmt::Debug> fmt::Debug for OrderedSet<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

impl<T: Ord> Extend<T> for OrderedSet<T> {
    fn extend<I: IntoIterator<Item = T>>(&mut self, elements: I) {
        for element in elements {
            self.insert(element);
        }
    }
}

impl<T: Ord> FromIterator<T> for OrderedSet<T> {
    fn from_iter<I: IntoIterator<Item = T>>(elements: I) -> Self {
        let mut set = Self::new();
        set.extend(elements);
        set
    }
}

impl<T: Ord, const N: usize> From<[T; N]> for OrderedSet<T> {
    fn from(elements: [T; N]) -> Self {
        Self::from_iter(elements)
    }
}

impl<T> IntoIterator for OrderedSet<T> {
    type Item = T;
    type IntoIter = SetIntoIter<T>;

    fn into_iter(self) -> SetIntoIter<T> {
        self.map.into_keys()
    }
}

impl<'a, T> IntoIterator for &'a OrderedSet<T> {
    type Item = &'a T;
    type IntoIter = SetIter<'a, T>;

    fn into_iter(self) -> SetIter<'a, T> {
        self.iter()
    }
}
