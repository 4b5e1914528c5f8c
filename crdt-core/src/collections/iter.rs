use alloc::vec;
use alloc::vec::Vec;
use core::fmt;
use core::iter::Flatten;
use core::slice;

/// Iterates over a range of an [`OrderedMap`](super::OrderedMap): see
/// [`range`](super::OrderedMap::range).
pub struct Range<'a, K, V> {
    front: slice::Iter<'a, (K, V)>,
    chunks: slice::Iter<'a, Vec<(K, V)>>,
    back: slice::Iter<'a, (K, V)>,
}

/// Iterates over an [`OrderedMap`](super::OrderedMap): see [`iter`](super::OrderedMap::iter).
pub struct Iter<'a, K, V> {
    range: Range<'a, K, V>,
    len: usize,
}

/// Iterates over the keys of an [`OrderedMap`](super::OrderedMap): see
/// [`keys`](super::OrderedMap::keys).
pub struct Keys<'a, K, V>(pub(super) Iter<'a, K, V>);

/// Iterates over the values of an [`OrderedMap`](super::OrderedMap): see
/// [`values`](super::OrderedMap::values).
pub struct Values<'a, K, V>(pub(super) Iter<'a, K, V>);

/// Takes the entries out of an [`OrderedMap`](super::OrderedMap), in ascending order of keys.
pub struct IntoIter<K, V> {
    entries: Flatten<vec::IntoIter<Vec<(K, V)>>>,
    len: usize,
}

/// Takes the keys out of an [`OrderedMap`](super::OrderedMap): see
/// [`into_keys`](super::OrderedMap::into_keys).
pub struct IntoKeys<K, V>(pub(super) IntoIter<K, V>);

impl<'a, K, V> Range<'a, K, V> {
    pub(super) fn new(front: &'a [(K, V)], chunks: &'a [Vec<(K, V)>], back: &'a [(K, V)]) -> Self {
        Self { front: front.iter(), chunks: chunks.iter(), back: back.iter() }
    }
}

impl<'a, K, V> Iterator for Range<'a, K, V> {
    type Item = (&'a K, &'a V);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some((key, value)) = self.front.next() {
                return Some((key, value));
            }
            match self.chunks.next() {
                Some(chunk) => self.front = chunk.iter(),
                None => return self.back.next().map(|(key, value)| (key, value)),
            }
        }
    }
}

impl<K, V> DoubleEndedIterator for Range<'_, K, V> {
    fn next_back(&mut self) -> Option<Self::Item> {
        loop {
            if let Some((key, value)) = self.back.next_back() {
                return Some((key, value));
            }
            match self.chunks.next_back() {
                Some(chunk) => self.back = chunk.iter(),
                None => return self.front.next_back().map(|(key, value)| (key, value)),
            }
        }
    }
}

impl<'a, K, V> Iter<'a, K, V> {
    pub(super) fn new(front: &'a [(K, V)], chunks: &'a [Vec<(K, V)>], len: usize) -> Self {
        Self { range: Range::new(front, chunks, &[]), len }
    }
}

impl<'a, K, V> Iterator for Iter<'a, K, V> {
    type Item = (&'a K, &'a V);

    fn next(&mut self) -> Option<Self::Item> {
        let entry = self.range.next()?;
        self.len -= 1;
        Some(entry)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.len, Some(self.len))
    }
}

impl<K, V> DoubleEndedIterator for Iter<'_, K, V> {
    fn next_back(&mut self) -> Option<Self::Item> {
        let entry = self.range.next_back()?;
        self.len -= 1;
        Some(entry)
    }
}

impl<K, V> ExactSizeIterator for Iter<'_, K, V> {}

impl<K, V> Iterator for IntoIter<K, V> {
    type Item = (K, V);

    fn next(&mut self) -> Option<Self::Item> {
        let entry = self.entries.next()?;
        self.len -= 1;
        Some(entry)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.len, Some(self.len))
    }
}

impl<K, V> IntoIter<K, V> {
    pub(super) fn new(chunks: Vec<Vec<(K, V)>>, len: usize) -> Self {
        Self { entries: chunks.into_iter().flatten(), len }
    }
}

impl<K, V> DoubleEndedIterator for IntoIter<K, V> {
    fn next_back(&mut self) -> Option<Self::Item> {
        let entry = self.entries.next_back()?;
        self.len -= 1;
        Some(entry)
    }
}

impl<K, V> ExactSizeIterator for IntoIter<K, V> {}

/// An iterator over one half of what another gives.
macro_rules! half {
    ($name:ident, [$($generics:tt)*], $item:ty, $entry:pat => $part:expr) => {
        impl<$($generics)*> Iterator for $name<$($generics)*> {
            type Item = $item;

            fn next(&mut self) -> Option<Self::Item> {
                self.0.next().map(|$entry| $part)
            }

            fn size_hint(&self) -> (usize, Option<usize>) {
                self.0.size_hint()
            }
        }

        impl<$($generics)*> DoubleEndedIterator for $name<$($generics)*> {
            fn next_back(&mut self) -> Option<Self::Item> {
                self.0.next_back().map(|$entry| $part)
            }
        }

        impl<$($generics)*> ExactSizeIterator for $name<$($generics)*> {}
    };
}
half!(Keys, ['a, K, V], &'a K, (key, _) => key);
half!(Values, ['a, K, V], &'a V, (_, value) => value);
half!(IntoKeys, [K, V], K, (key, _) => key);

// By hand, since a derived one would ask the same of keys and values.
impl<K, V> Clone for Range<'_, K, V> {
    fn clone(&self) -> Self {
        Self { front: self.front.clone(), chunks: self.chunks.clone(), back: self.back.clone() }
    }
}

impl<K, V> Clone for Iter<'_, K, V> {
    fn clone(&self) -> Self {
        Self { range: self.range.clone(), len: self.len }
    }
}

impl<K, V> Clone for Keys<'_, K, V> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<K, V> Clone for Values<'_, K, V> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<K: fmt::Debug, V: fmt::Debug> fmt::Debug for Range<'_, K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.clone()).finish()
    }
}

impl<K: fmt::Debug, V: fmt::Debug> fmt::Debug for Iter<'_, K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.range.fmt(f)
    }
}

impl<K: fmt::Debug, V> fmt::Debug for Keys<'_, K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.clone()).finish()
    }
}

impl<K, V: fmt::Debug> fmt::Debug for Values<'_, K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.clone()).finish()
    }
}

impl<K: fmt::Debug, V: fmt::Debug> fmt::Debug for IntoIter<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IntoIter").field("len", &self.len).finish_non_exhaustive()
    }
}

impl<K: fmt::Debug, V: fmt::Debug> fmt::Debug for IntoKeys<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
