//! The two-phase set.

use alloc::vec::Vec;
use core::borrow::Borrow;
use core::fmt;

use crate::Lattice;
use crate::codec::{
    self, Decode, DecodeError, DecodeErrorKind, Encode, Reader, decode_beside, encode_beside,
};
use crate::collections::OrderedMap;
use crate::lattice::{Decompose, Part};

/// A set whose elements come once and go once, for ever.
///
/// | one replica | concurrently, another | after the join |
/// |---|---|---|
/// | `add(x)` | `add(x)` | x is in |
/// | `add(x)` | `remove(x)` | x is **out**, and stays out |
/// | `remove(x)`, then `add(x)` | nothing | x is out: nothing comes back |
///
/// For names that are never used again: ids of orders, revoked certificates, one-time codes.
/// Where elements come back, use an [`AddWinsSet`](crate::AddWinsSet) or a
/// [`RemoveWinsSet`](crate::RemoveWinsSet). No event is named, so changes take no writer.
///
/// **State.** Each element with whether it is out: O(elements that ever were), for removed
/// elements are kept. The lattice is *absent*, below *in*, below *out*, for each element.
/// **Cost.** `contains`, changes and joining their deltas take O(log n); joining m elements
/// takes O(m log n); iterating passes over the removed ones too.
///
/// Shapiro, Preguiça, Baquero, Zawirski, *A comprehensive study of convergent and commutative
/// replicated data types* (2011), specification 12.
///
/// ```
/// use crdt_core::TwoPhaseSet;
///
/// let (mut shop, mut gate) = (TwoPhaseSet::new(), TwoPhaseSet::new());
/// gate.join(shop.add("ticket 7"));
/// let used = gate.remove("ticket 7");
/// let sold_again = shop.add("ticket 7");
/// assert!(sold_again.is_empty());
/// shop.join(used);
///
/// assert!(!shop.contains("ticket 7"));
/// assert_eq!(shop, gate);
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct TwoPhaseSet<E> {
    // Each element that ever was, with whether it is out.
    pub(crate) out: OrderedMap<E, bool>,
    // How many are not.
    len: usize,
}

/// A part of a [`TwoPhaseSet`]: what a mutator returns, or several of those joined.
pub type TwoPhaseSetDelta<E> = Part<TwoPhaseSet<E>>;

impl<E> TwoPhaseSet<E> {
    /// The empty set.
    pub const fn new() -> Self {
        Self { out: OrderedMap::new(), len: 0 }
    }

    /// How many elements are in the set.
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether the set is empty.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The elements, in ascending order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &E> {
        self.out.iter().filter(|&(_, &out)| !out).map(|(element, _)| element)
    }

    /// The elements that were removed, in ascending order.
    pub fn removed(&self) -> impl DoubleEndedIterator<Item = &E> {
        self.out.iter().filter(|&(_, &out)| out).map(|(element, _)| element)
    }
}

impl<E: Ord> TwoPhaseSet<E> {
    /// Adds an element. The delta is empty, and nothing has changed, if it is in or was
    /// removed.
    pub fn add(&mut self, element: E) -> TwoPhaseSetDelta<E>
    where
        E: Clone,
    {
        self.change(element, false)
    }

    /// Removes an element for ever, whether it was there or not. The delta is empty if it was
    /// removed before.
    pub fn remove(&mut self, element: E) -> TwoPhaseSetDelta<E>
    where
        E: Clone,
    {
        self.change(element, true)
    }

    /// Takes in a delta or another set; whether it brought news.
    pub fn join(&mut self, other: impl Into<TwoPhaseSetDelta<E>>) -> bool {
        let Part(other) = other.into();
        let mut news = false;
        for (element, out) in other.out {
            news |= self.raise(element, out);
        }
        news
    }

    /// Whether an element is in the set.
    pub fn contains<Q: Ord + ?Sized>(&self, element: &Q) -> bool
    where
        E: Borrow<Q>,
    {
        self.out.get(element) == Some(&false)
    }

    /// Panics if an internal invariant does not hold.
    pub fn check_invariants(&self) {
        assert_eq!(self.len, self.iter().count(), "the length is that of what is in");
    }

    fn change(&mut self, element: E, out: bool) -> TwoPhaseSetDelta<E>
    where
        E: Clone,
    {
        let mut delta = Self::new();
        if self.raise(element.clone(), out) {
            delta.raise(element, out);
        }
        Part(delta)
    }

    pub(crate) fn raise(&mut self, element: E, out: bool) -> bool {
        match self.out.get_mut(&element) {
            Some(held) if *held >= out => false,
            Some(held) => {
                *held = out;
                self.len -= 1;
                true
            }
            None => {
                self.out.insert(element, out);
                self.len += usize::from(!out);
                true
            }
        }
    }
}

impl<E> Default for TwoPhaseSet<E> {
    fn default() -> Self {
        Self::new()
    }
}

impl<E: fmt::Debug> fmt::Debug for TwoPhaseSet<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

/// The set of these elements, none of which was removed.
impl<E: Ord> FromIterator<E> for TwoPhaseSet<E> {
    fn from_iter<I: IntoIterator<Item = E>>(elements: I) -> Self {
        let mut set = Self::new();
        for element in elements {
            set.raise(element, false);
        }
        set
    }
}

impl<E: Ord> Lattice for TwoPhaseSet<E> {
    type Delta = TwoPhaseSetDelta<E>;

    fn join(&mut self, other: impl Into<Self::Delta>) -> bool {
        Self::join(self, other)
    }
}

impl<E: Ord + Clone> Decompose for TwoPhaseSet<E> {
    fn decompose(&self) -> Vec<TwoPhaseSetDelta<E>> {
        let part = |(element, &out): (&E, &bool)| {
            let mut part = Self::new();
            part.raise(element.clone(), out);
            Part(part)
        };
        self.out.iter().map(part).collect()
    }
}

const VERSION: u8 = 0;

impl<E: Encode> Encode for TwoPhaseSet<E> {
    /// The format version, the count of elements that ever were, then in ascending order each
    /// with whether it is out.
    fn encode(&self, out: &mut codec::Writer) {
        out.u8(VERSION);
        out.count(self.out.len());
        let mut near = None;
        for (element, is_out) in &self.out {
            encode_beside(element, near, out);
            is_out.encode(out);
            near = Some(element);
        }
    }
}

impl<E: Ord + Decode> Decode for TwoPhaseSet<E> {
    const BYTES_MIN: usize = 2;

    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let at = input.position();
        if input.u8()? != VERSION {
            return Err(DecodeErrorKind::UnknownVersion.at(at));
        }
        let mut set = Self::new();
        for _ in 0..input.count(E::BYTES_MIN + 1)? {
            let at = input.position();
            let last = set.out.last_key_value().map(|(last, _)| last);
            let element = decode_beside(last, input)?;
            if last.is_some_and(|last| *last >= element) {
                return Err(DecodeErrorKind::NotAscending.at(at));
            }
            set.raise(element, bool::decode(input)?);
        }
        Ok(set)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "the length is that of what is in")]
    fn a_wrong_length_is_noticed() {
        TwoPhaseSet { out: [(1, true)].into(), len: 1 }.check_invariants();
    }
}
