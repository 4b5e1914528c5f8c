use crate::collections::sort;
use alloc::vec::Vec;

use crate::Dot;
use crate::codec::{Decode, DecodeError, DecodeErrorKind, Encode, Reader, Writer};

/// The maximal events of a version: those that happened before no other event in it.
///
/// Together with the event graph it names the version as exactly as a
/// [`VersionVector`](crate::VersionVector) does, in as many dots as there are concurrent
/// tips: one or two in ordinary use, however many replicas ever wrote.
///
/// The dots are held in ascending order, so that equal frontiers are equal values.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Frontier(Vec<Dot>);

impl Frontier {
    /// The frontier of no events.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// The frontier of dots in ascending order of replicas, each of which stands once.
    #[cfg(feature = "serde")]
    pub(crate) const fn of_ascending(dots: Vec<Dot>) -> Self {
        Self(dots)
    }

    /// The dots, in ascending order.
    pub fn dots(&self) -> &[Dot] {
        &self.0
    }

    /// How many tips there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether this is the frontier of no events.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether an event is one of the tips. O(log n).
    pub fn contains(&self, dot: Dot) -> bool {
        self.0.binary_search(&dot).is_ok()
    }

    /// Iterates over the dots in ascending order.
    pub fn iter(&self) -> core::iter::Copied<core::slice::Iter<'_, Dot>> {
        self.0.iter().copied()
    }
}

impl FromIterator<Dot> for Frontier {
    fn from_iter<I: IntoIterator<Item = Dot>>(dots: I) -> Self {
        let mut dots: Vec<Dot> = dots.into_iter().collect();
        sort(&mut dots);
        dots.dedup();
        Self(dots)
    }
}

impl<'a> IntoIterator for &'a Frontier {
    type Item = Dot;
    type IntoIter = core::iter::Copied<core::slice::Iter<'a, Dot>>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl Encode for Frontier {
    fn encode(&self, out: &mut Writer) {
        out.count(self.0.len());
        for dot in self {
            dot.encode(out);
        }
    }
}

impl Decode for Frontier {
    const BYTES_MIN: usize = 1;

    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let count = input.count(Dot::BYTES_MIN)?;
        let mut dots: Vec<Dot> = Vec::with_capacity(input.capacity(count, size_of::<Dot>()));
        for _ in 0..count {
            let at = input.position();
            let dot = Dot::decode(input)?;
            // One replica's events follow one another, so at most one of them is maximal.
            if dots.last().is_some_and(|last| last.replica >= dot.replica) {
                return Err(DecodeErrorKind::NotAscending.at(at));
            }
            dots.push(dot);
        }
        Ok(Self(dots))
    }
}
