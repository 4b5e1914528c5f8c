//! The grow-only set.

use alloc::vec::Vec;
use core::borrow::Borrow;
use core::fmt;

use crate::Lattice;
use crate::codec::{
    self, Decode, DecodeError, DecodeErrorKind, Encode, Reader, decode_beside, encode_beside,
};
use crate::collections::{Keys, OrderedSet};
use crate::lattice::{Decompose, Part};

/// A set that only grows.
///
/// | one replica | concurrently, another | after the join |
/// |---|---|---|
/// | `insert(x)` | `insert(y)` | x and y are in |
/// | `insert(x)` | `insert(x)` | x is in |
///
/// For what happened and cannot be undone: posts of a feed, seen messages, entries of a log.
/// No event is named, so to insert takes no writer, and a reader can do it.
///
/// **State.** The elements. The lattice is the union. **Cost.** `contains`, `insert` and
/// joining its delta take O(log n); joining m elements takes O(m log n).
///
/// Shapiro, Preguiça, Baquero, Zawirski, *A comprehensive study of convergent and commutative
/// replicated data types* (2011), specification 11.
///
/// ```
/// use crdt_core::GrowOnlySet;
///
/// let (mut mumbai, mut delhi) = (GrowOnlySet::new(), GrowOnlySet::new());
/// let post = mumbai.insert("the rain has come");
/// let other = delhi.insert("still waiting");
/// delhi.join(post);
/// mumbai.join(other);
///
/// assert!(mumbai.contains("still waiting"));
/// assert_eq!(mumbai, delhi);
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct GrowOnlySet<E> {
    elements: OrderedSet<E>,
}

/// A part of a [`GrowOnlySet`]: what `insert` returns, or several of those joined.
pub type GrowOnlySetDelta<E> = Part<GrowOnlySet<E>>;

impl<E> GrowOnlySet<E> {
    /// The empty set.
    pub const fn new() -> Self {
        Self { elements: OrderedSet::new() }
    }

    /// How many elements are in the set.
    pub fn len(&self) -> usize {
        self.elements.len()
    }

    /// Whether the set is empty.
    pub fn is_empty(&self) -> bool {
        self.elements.is_empty()
    }

    /// The elements, in ascending order.
    pub fn iter(&self) -> Keys<'_, E, ()> {
        self.elements.iter()
    }
}

impl<E: Ord> GrowOnlySet<E> {
    /// Inserts an element. The delta is empty if it is in.
    pub fn insert(&mut self, element: E) -> GrowOnlySetDelta<E>
    where
        E: Clone,
    {
        let news = !self.elements.contains(&element);
        if news {
            self.elements.insert(element.clone());
        }
        Part(news.then_some(element).into_iter().collect())
    }

    /// Takes in a delta or another set; whether it brought news.
    pub fn join(&mut self, other: impl Into<GrowOnlySetDelta<E>>) -> bool {
        let Part(other) = other.into();
        let mut news = false;
        for element in other.elements {
            news |= self.elements.insert(element);
        }
        news
    }

    /// Whether an element is in the set.
    pub fn contains<Q: Ord + ?Sized>(&self, element: &Q) -> bool
    where
        E: Borrow<Q>,
    {
        self.elements.contains(element)
    }
}

impl<E> Default for GrowOnlySet<E> {
    fn default() -> Self {
        Self::new()
    }
}

impl<E: fmt::Debug> fmt::Debug for GrowOnlySet<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

impl<E: Ord> FromIterator<E> for GrowOnlySet<E> {
    fn from_iter<I: IntoIterator<Item = E>>(elements: I) -> Self {
        Self { elements: elements.into_iter().collect() }
    }
}

impl<'a, E> IntoIterator for &'a GrowOnlySet<E> {
    type Item = &'a E;
    type IntoIter = Keys<'a, E, ()>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<E> IntoIterator for GrowOnlySet<E> {
    type Item = E;
    type IntoIter = <OrderedSet<E> as IntoIterator>::IntoIter;

    fn into_iter(self) -> Self::IntoIter {
        self.elements.into_iter()
    }
}

impl<E: Ord> Lattice for GrowOnlySet<E> {
    type Delta = GrowOnlySetDelta<E>;

    fn join(&mut self, other: impl Into<Self::Delta>) -> bool {
        Self::join(self, other)
    }
}

impl<E: Ord + Clone> Decompose for GrowOnlySet<E> {
    fn decompose(&self) -> Vec<GrowOnlySetDelta<E>> {
        self.iter().map(|element| Part([element.clone()].into_iter().collect())).collect()
    }
}

const VERSION: u8 = 0;

impl<E: Encode> Encode for GrowOnlySet<E> {
    /// The format version, the count, then the elements in ascending order.
    fn encode(&self, out: &mut codec::Writer) {
        out.u8(VERSION);
        out.count(self.len());
        let mut near = None;
        for element in self {
            encode_beside(element, near, out);
            near = Some(element);
        }
    }
}

impl<E: Ord + Decode> Decode for GrowOnlySet<E> {
    const BYTES_MIN: usize = 2;

    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let at = input.position();
        if input.u8()? != VERSION {
            return Err(DecodeErrorKind::UnknownVersion.at(at));
        }
        let mut elements = OrderedSet::new();
        for _ in 0..input.count(E::BYTES_MIN)? {
            let at = input.position();
            let last = elements.last();
            let element = decode_beside(last, input)?;
            if last.is_some_and(|last| *last >= element) {
                return Err(DecodeErrorKind::NotAscending.at(at));
            }
            elements.insert(element);
        }
        Ok(Self { elements })
    }
}
