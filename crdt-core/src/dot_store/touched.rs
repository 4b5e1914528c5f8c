use core::borrow::Borrow;

use crate::codec::{
    Decode, DecodeError, DecodeErrorKind, Encode, Reader, Writer, decode_beside, encode_beside,
};
use crate::collections::{OneOrMany, OrderedMap};

/// Where in a store a delta removes: what lets a join go straight there.
///
/// It changes nothing of what a delta means. `()` serves stores that are not divided by keys,
/// [`Touched`] those that are.
pub trait Places: Default {
    /// Whether the store is divided by keys.
    const DIVIDED: bool;

    /// Below a key: whether all of the store is meant. (At the root, no key means nowhere.)
    fn is_whole(&self) -> bool;

    /// Takes in other places at the root; whether there are more now.
    fn extend(&mut self, other: Self) -> bool;

    /// Takes in other places below a key; whether there are more now.
    fn widen(&mut self, other: Self) -> bool {
        if self.is_whole() {
            return false;
        }
        if other.is_whole() {
            *self = other;
            return true;
        }
        self.extend(other)
    }
}

impl Places for () {
    const DIVIDED: bool = false;

    fn is_whole(&self) -> bool {
        true
    }

    fn extend(&mut self, (): Self) -> bool {
        false
    }
}

/// Keys of a [`DotMap`](super::DotMap), each with the places below it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Touched<K, P> {
    // Below a key an empty map stands for everything, so that a removed key needs no list.
    pub(super) keys: OneOrMany<K, P>,
}

impl<K, P> Default for Touched<K, P> {
    fn default() -> Self {
        Self { keys: OneOrMany::new() }
    }
}

impl<K: Ord, P: Places> Places for Touched<K, P> {
    const DIVIDED: bool = true;

    fn is_whole(&self) -> bool {
        self.keys.is_empty()
    }

    fn extend(&mut self, other: Self) -> bool {
        let mut changed = false;
        other.keys.give(|key, places| match self.keys.get_mut(&key) {
            Some(held) => changed |= held.widen(places),
            None => {
                self.keys.many().insert(key, places);
                changed = true;
            }
        });
        changed
    }
}

#[cfg(feature = "serde")]
impl<K, P> Touched<K, P> {
    /// The keys, in ascending order, each with the places below it.
    pub(crate) fn entries(&self) -> crate::collections::Iter<'_, K, P> {
        self.keys.iter()
    }

    pub(crate) fn of_entries(entries: impl IntoIterator<Item = (K, P)>) -> Self
    where
        K: Ord,
    {
        Self { keys: entries.into_iter().collect::<OrderedMap<K, P>>().into() }
    }
}

impl<K: Ord, P> Touched<K, P> {
    /// Takes a key out, with the places below it.
    pub(super) fn take<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<P>
    where
        K: Borrow<Q>,
    {
        if self.keys.is_empty() { None } else { self.keys.many().remove(key) }
    }

    /// Puts a key there that is not, with the places below it.
    pub(super) fn put(&mut self, key: K, places: P) {
        if self.keys.is_empty() {
            self.keys = OneOrMany::of(key, places);
        } else {
            self.keys.many().insert(key, places);
        }
    }
}

impl<K, P: Default> Touched<K, P> {
    /// One key, with everything below it.
    pub(super) fn of(key: K) -> Self {
        Self { keys: OneOrMany::of(key, P::default()) }
    }
}

impl<K: Ord, P: Default> FromIterator<K> for Touched<K, P> {
    fn from_iter<I: IntoIterator<Item = K>>(keys: I) -> Self {
        let keys: OrderedMap<K, P> = keys.into_iter().map(|key| (key, P::default())).collect();
        Self { keys: keys.into() }
    }
}

impl<K: Encode, P: Encode> Encode for Touched<K, P> {
    /// The count, then the keys in ascending order, each with the places below it.
    fn encode(&self, out: &mut Writer) {
        out.count(self.keys.len());
        let mut near = None;
        for (key, places) in self.keys.iter() {
            encode_beside(key, near, out);
            places.encode(out);
            near = Some(key);
        }
    }
}

impl<K: Ord + Decode, P: Decode> Decode for Touched<K, P> {
    const BYTES_MIN: usize = 1;

    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut keys: OrderedMap<K, P> = OrderedMap::new();
        for _ in 0..input.count(K::BYTES_MIN + P::BYTES_MIN)? {
            let at = input.position();
            let last = keys.last_key_value().map(|(last, _)| last);
            let key = decode_beside(last, input)?;
            if last.is_some_and(|last| *last >= key) {
                return Err(DecodeErrorKind::NotAscending.at(at));
            }
            keys.insert(key, P::decode(input)?);
        }
        Ok(Self { keys: keys.into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::{DecodeErrorKind, Writer};
    use alloc::vec;
    use alloc::vec::Vec;

    type Keys = Touched<u8, ()>;
    type Nested = Touched<u8, Keys>;

    fn keys<P>(keys: impl IntoIterator<Item = (u8, P)>) -> Touched<u8, P> {
        Touched { keys: keys.into_iter().collect::<OrderedMap<_, _>>().into() }
    }

    #[test]
    fn more_places_below_a_key_are_a_change() {
        let mut places = keys([(1, keys([(2, ())]))]);
        assert!(places.extend(keys([(1, keys([(3, ())]))])));
        assert!(!places.extend(keys([(1, keys([(2, ()), (3, ())]))])));
        assert!(places.extend(keys([(4, keys([(2, ())])), (1, keys([(2, ())]))])));
        assert_eq!(places, keys([(1, keys([(2, ()), (3, ())])), (4, keys([(2, ())]))]));
        // All that is below it.
        assert!(places.extend(keys([(1, Keys::default())])));
        assert!(places.keys.get(&1).is_some_and(Places::is_whole));
    }

    #[test]
    fn a_count_is_held_against_what_is_left() {
        fn refused<P: Decode>(bytes: &[u8]) -> Option<DecodeErrorKind> {
            Touched::<u8, P>::decode(&mut Reader::new(bytes)).err().map(|error| error.kind)
        }
        // Each key takes a byte, and with places below it two at least.
        assert_eq!(refused::<()>(&[3, 1, 0]), Some(DecodeErrorKind::CountTooLarge));
        assert_eq!(refused::<Keys>(&[2, 1, 0, 0]), Some(DecodeErrorKind::CountTooLarge));
        let nested: Nested = keys([(1, Keys::default()), (2, keys([(7, ())]))]);
        let mut out = Writer::new();
        nested.encode(&mut out);
        let said: Vec<u8> = out.into_bytes();
        assert_eq!(said, vec![2, 1, 0, 2, 1, 7]);
        assert_eq!(Nested::decode(&mut Reader::new(&said)), Ok(nested));
    }
}
