use alloc::vec::Vec;
use core::cmp::Ordering;

use crate::codec::{Decode, DecodeError, DecodeErrorKind, Encode, Reader, Writer};
use crate::collections::{self, Entry, OrderedMap, Place, are_few};
use crate::{Dot, DotRange, ReplicaId};

/// How many events of each replica are known: a set of [`Dot`]s without gaps, per replica.
///
/// `partial_cmp` is set inclusion, which for the versions of causally closed histories is
/// *happened before*; vectors that are not comparable are concurrent. Joining is union.
/// Look-ups cost O(log R) for R replicas; comparing and joining vectors of about one size is a
/// single pass through both, O(R).
///
/// Mattern, *Virtual time and global states of distributed systems* (1989).
///
/// ```
/// use crdt_core::{Dot, ReplicaId, VersionVector};
///
/// let (a, b) = (ReplicaId::from_u128(1), ReplicaId::from_u128(2));
/// let mut here = VersionVector::from_iter([(a, 3)]);
/// let there = VersionVector::from_iter([(a, 1), (b, 2)]);
/// assert!(here.concurrent_with(&there));
///
/// here.join(&there);
/// assert!(here.contains(Dot::new(b, 2)) && here >= there);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct VersionVector {
    // Never holds a zero, so that equal sets are equal maps.
    last: OrderedMap<ReplicaId, u64>,
}

impl VersionVector {
    /// The vector of no events.
    pub const fn new() -> Self {
        Self { last: OrderedMap::new() }
    }

    /// The number of the last known event of `replica`, 0 if there is none.
    pub fn get(&self, replica: ReplicaId) -> u64 {
        self.last.get(&replica).copied().unwrap_or(0)
    }

    /// Whether the event is known.
    pub fn contains(&self, dot: Dot) -> bool {
        dot.seq <= self.get(dot.replica)
    }

    /// How many replicas have a known event.
    pub fn len(&self) -> usize {
        self.last.len()
    }

    /// Whether no event is known.
    pub fn is_empty(&self) -> bool {
        self.last.is_empty()
    }

    /// Learns all events of `replica` up to `seq`.
    pub fn observe(&mut self, replica: ReplicaId, seq: u64) {
        if seq > 0 {
            let last = self.last.entry(replica).or_insert(seq);
            *last = (*last).max(seq);
        }
    }

    /// As [`get`](Self::get); `near` tells where the replica was found before.
    pub(super) fn get_near(&self, replica: ReplicaId, near: &mut Place) -> u64 {
        self.last.find_near(&replica, near).map_or(0, |place| self.last.at(place).1)
    }

    /// As [`observe`](Self::observe); `near` tells where the replica was found before.
    pub(super) fn observe_near(&mut self, replica: ReplicaId, seq: u64, near: &mut Place) {
        match self.last.find_near(&replica, near) {
            Some(place) => {
                let last = &mut self.last.at_mut(place).1;
                *last = (*last).max(seq);
            }
            None => self.observe(replica, seq),
        }
    }

    /// Learns the replica's next event, if it is known and this is its next; whether it is.
    pub(super) fn advance_near(&mut self, dot: Dot, near: &mut Place) -> bool {
        let Some(place) = self.last.find_near(&dot.replica, near) else { return false };
        let last = &mut self.last.at_mut(place).1;
        let is_next = *last + 1 == dot.seq;
        if is_next {
            *last = dot.seq;
        }
        is_next
    }

    /// Learns the events of `range`, unless there is a gap before it; whether it did.
    pub(super) fn extend_over(&mut self, range: DotRange) -> bool {
        match self.last.entry(range.replica) {
            Entry::Occupied(mut last) => {
                let is_next = range.first <= *last.get() + 1;
                if is_next {
                    *last.get_mut() = range.last.max(*last.get());
                }
                is_next
            }
            Entry::Vacant(entry) => {
                let is_first = range.first == 1;
                if is_first {
                    entry.insert(range.last);
                }
                is_first
            }
        }
    }

    /// Sets the last known event of `replica`, forgetting what is beyond it.
    pub fn set(&mut self, replica: ReplicaId, seq: u64) {
        if seq == 0 {
            self.last.remove(&replica);
        } else {
            self.last.insert(replica, seq);
        }
    }

    /// Learns everything that `other` knows.
    pub fn join(&mut self, other: &Self) {
        if are_few(other.len(), self.len()) {
            for (replica, seq) in other.iter() {
                self.observe(replica, seq);
            }
            return;
        }
        let mut fresh: Vec<(ReplicaId, u64)> = Vec::new();
        let mut own = self.last.iter_mut().peekable();
        for (replica, seq) in other.iter() {
            while own.next_if(|(own, _)| **own < replica).is_some() {}
            match own.next_if(|(own, _)| **own == replica) {
                Some((_, last)) => *last = (*last).max(seq),
                None => fresh.push((replica, seq)),
            }
        }
        drop(own);
        self.last.extend(fresh);
    }

    /// Keeps only what `other` knows too.
    pub fn meet(&mut self, other: &Self) {
        let mut theirs = other.iter().peekable();
        self.last.retain(|&replica, last| {
            while theirs.next_if(|(their, _)| *their < replica).is_some() {}
            let known = theirs.next_if(|(their, _)| *their == replica).map_or(0, |(_, seq)| seq);
            *last = (*last).min(known);
            *last > 0
        });
    }

    /// Whether everything that `other` knows is known here.
    pub fn dominates(&self, other: &Self) -> bool {
        // Each entry of `other` needs one here.
        if other.len() > self.len() {
            return false;
        }
        if are_few(other.len(), self.len()) {
            return other.iter().all(|(replica, seq)| self.get(replica) >= seq);
        }
        let mut own = self.iter().peekable();
        other.iter().all(|(replica, seq)| {
            while own.next_if(|(own, _)| *own < replica).is_some() {}
            own.next().is_some_and(|(own, last)| own == replica && last >= seq)
        })
    }

    /// Whether each side knows an event that the other does not.
    pub fn concurrent_with(&self, other: &Self) -> bool {
        self.partial_cmp(other).is_none()
    }

    /// The events known here that `other` does not know.
    pub fn missing_from<'a>(&'a self, other: &'a Self) -> impl Iterator<Item = DotRange> + 'a {
        let mut theirs = other.iter().peekable();
        self.iter().filter_map(move |(replica, last)| {
            while theirs.next_if(|(their, _)| *their < replica).is_some() {}
            let known = theirs.next_if(|(their, _)| *their == replica).map_or(0, |(_, seq)| seq);
            (known < last).then(|| DotRange::new(replica, known + 1, last))
        })
    }

    /// Each replica with the number of its last known event, in ascending order of ids.
    pub fn iter(&self) -> Iter<'_> {
        Iter(self.last.iter())
    }
}

/// Iterates over a [`VersionVector`]; see [`VersionVector::iter`].
#[derive(Clone, Debug)]
pub struct Iter<'a>(collections::Iter<'a, ReplicaId, u64>);

impl Iterator for Iter<'_> {
    type Item = (ReplicaId, u64);

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next().map(|(&replica, &seq)| (replica, seq))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl ExactSizeIterator for Iter<'_> {}

impl<'a> IntoIterator for &'a VersionVector {
    type Item = (ReplicaId, u64);
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl PartialOrd for VersionVector {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        match (self.dominates(other), other.dominates(self)) {
            (true, true) => Some(Ordering::Equal),
            (true, false) => Some(Ordering::Greater),
            (false, true) => Some(Ordering::Less),
            (false, false) => None,
        }
    }
}

impl FromIterator<(ReplicaId, u64)> for VersionVector {
    fn from_iter<I: IntoIterator<Item = (ReplicaId, u64)>>(entries: I) -> Self {
        let mut vector = Self::new();
        vector.extend(entries);
        vector
    }
}

impl Extend<(ReplicaId, u64)> for VersionVector {
    fn extend<I: IntoIterator<Item = (ReplicaId, u64)>>(&mut self, entries: I) {
        for (replica, seq) in entries {
            self.observe(replica, seq);
        }
    }
}

impl Encode for VersionVector {
    /// The count, then ids in ascending order, each with its number.
    fn encode(&self, out: &mut Writer) {
        out.count(self.len());
        for (replica, seq) in self.iter() {
            Dot::new(replica, seq).encode(out);
        }
    }
}

impl Decode for VersionVector {
    const BYTES_MIN: usize = 1;

    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let count = input.count(Dot::BYTES_MIN)?;
        let mut entries: Vec<(ReplicaId, u64)> =
            Vec::with_capacity(input.capacity(count, size_of::<(ReplicaId, u64)>()));
        for _ in 0..count {
            let at = input.position();
            let dot = Dot::decode(input)?;
            if entries.last().is_some_and(|&(last, _)| last >= dot.replica) {
                return Err(DecodeErrorKind::NotAscending.at(at));
            }
            entries.push((dot.replica, dot.seq));
        }
        Ok(Self { last: entries.into_iter().collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::laws::trials;
    use quickcheck::{Arbitrary, Gen};

    impl Arbitrary for VersionVector {
        fn arbitrary(g: &mut Gen) -> Self {
            let entries: Vec<(u8, u8)> = Arbitrary::arbitrary(g);
            entries
                .into_iter()
                .map(|(id, seq)| (ReplicaId::from_u128(u128::from(id % 5)), u64::from(seq % 4)))
                .collect()
        }
    }

    fn dots(vector: &VersionVector) -> alloc::collections::BTreeSet<Dot> {
        vector
            .iter()
            .flat_map(|(replica, last)| (1..=last).map(move |seq| Dot::new(replica, seq)))
            .collect()
    }

    /// Every operation against the plain set of dots that a vector stands for.
    #[test]
    fn behaves_as_the_set_of_its_dots() {
        fn law(a: VersionVector, b: VersionVector) -> bool {
            let (set_a, set_b) = (dots(&a), dots(&b));
            let mut joined = a.clone();
            joined.join(&b);
            let mut met = a.clone();
            met.meet(&b);
            let missing: alloc::collections::BTreeSet<Dot> = a
                .missing_from(&b)
                .flat_map(|range| {
                    (range.first..=range.last).map(move |seq| Dot::new(range.replica, seq))
                })
                .collect();
            dots(&joined) == &set_a | &set_b
                && dots(&met) == &set_a & &set_b
                && missing == &set_a - &set_b
                && (a <= b) == set_a.is_subset(&set_b)
                && a.concurrent_with(&b) == (!set_a.is_subset(&set_b) && !set_b.is_subset(&set_a))
        }
        trials().quickcheck(law as fn(_, _) -> _);
    }

    #[test]
    fn encoding_is_the_identity() {
        fn law(a: VersionVector) -> bool {
            let mut out = Writer::new();
            a.encode(&mut out);
            let mut input = Reader::new(out.as_bytes());
            VersionVector::decode(&mut input) == Ok(a) && input.is_empty()
        }
        trials().quickcheck(law as fn(_) -> _);
    }
}
