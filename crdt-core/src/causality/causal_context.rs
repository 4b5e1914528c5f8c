use core::cmp::Ordering;

use super::{DotCloud, VersionVector};
use crate::codec::{
    Decode, DecodeError, DecodeErrorKind, Encode, InternedDecode, InternedEncode, Reader,
    ReceiveTable, SendTable, Writer,
};
use crate::collections::{OrderedSet, Place};
use crate::{Dot, DotRange, ReplicaId, SEQ_MAX};

/// The set of all events that a value has seen: a [`VersionVector`] and, for what arrived
/// ahead of its turn, a [`DotCloud`].
///
/// It is what makes tombstones unnecessary: a dot that the context contains and the store
/// does not hold was removed. Gaps close as deltas arrive, and a context without gaps is a
/// version vector. Look-ups cost O(log n) for n replicas and gaps; joining costs
/// O(m log n) for the m replicas and gaps of the other side.
///
/// `partial_cmp` is set inclusion.
///
/// Almeida, Shoker, Baquero, *Delta state replicated data types* (2018), section 7.
///
/// ```
/// use crdt_core::causality::CausalContext;
/// use crdt_core::{Dot, ReplicaId};
///
/// let a = ReplicaId::from_u128(1);
/// let mut context = CausalContext::from_iter([Dot::new(a, 1), Dot::new(a, 3)]);
/// assert_eq!(context.vector().get(a), 1);
/// assert!(!context.is_gapless());
///
/// context.insert(Dot::new(a, 2));
/// assert_eq!(context.vector().get(a), 3);
/// assert!(context.is_gapless());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct CausalContext {
    vector: VersionVector,
    // No dot of the cloud is in the vector or right behind it, so that equal sets are equal
    // values.
    cloud: DotCloud,
}

impl CausalContext {
    /// The context of no events.
    pub const fn new() -> Self {
        Self { vector: VersionVector::new(), cloud: DotCloud::new() }
    }

    /// The gapless part.
    pub fn vector(&self) -> &VersionVector {
        &self.vector
    }

    /// The events that were seen ahead of their turn.
    pub fn cloud(&self) -> &DotCloud {
        &self.cloud
    }

    /// Whether no event was seen.
    pub fn is_empty(&self) -> bool {
        self.vector.is_empty() && self.cloud.is_empty()
    }

    /// Whether every replica's events were seen without a gap.
    pub fn is_gapless(&self) -> bool {
        self.cloud.is_empty()
    }

    /// Whether the event was seen.
    pub fn contains(&self, dot: Dot) -> bool {
        self.vector.contains(dot) || self.cloud.contains(dot)
    }

    /// Adds an event; whether it is news. A dot numbered 0 names no event and is ignored.
    pub fn insert(&mut self, dot: Dot) -> bool {
        if self.contains(dot) {
            return false;
        }
        self.insert_range(DotRange::new(dot.replica, dot.seq, dot.seq));
        true
    }

    /// Adds all events of a range.
    pub fn insert_range(&mut self, range: DotRange) {
        if self.vector.extend_over(range) {
            self.cloud.drain_replica_into(range.replica, &mut self.vector);
        } else {
            self.cloud.insert_range(range);
        }
    }

    /// The set union; whether it brought news.
    pub fn join(&mut self, other: &Self) -> bool {
        if self.dominates(other) {
            return false;
        }
        if !other.vector.is_empty() {
            self.vector.join(&other.vector);
            self.cloud.drain_into(&mut self.vector);
        }
        for range in other.cloud.ranges() {
            self.insert_range(range);
        }
        true
    }

    /// Whether every event of `other` was seen here.
    pub fn dominates(&self, other: &Self) -> bool {
        // A run that starts within our vector and ends beyond it is not known whole: had we
        // seen the event right behind the vector, the vector would hold it.
        self.vector.dominates(&other.vector)
            && other.cloud.ranges().all(|range| {
                let known = self.vector.get(range.replica);
                range.last <= known
                    || (range.first > known && self.cloud.count_in(range) == range.len())
            })
    }

    /// Whether each side has seen an event that the other has not.
    pub fn concurrent_with(&self, other: &Self) -> bool {
        self.partial_cmp(other).is_none()
    }

    /// The name for the replica's next event: one past the greatest seen, or `None` past
    /// [`SEQ_MAX`].
    pub fn next_dot(&self, replica: ReplicaId) -> Option<Dot> {
        Dot::new(replica, self.last_seq(replica)).next()
    }

    /// The number of the replica's latest event that was seen, 0 if there is none.
    pub fn last_seq(&self, replica: ReplicaId) -> u64 {
        self.vector.get(replica).max(self.cloud.last_seq(replica))
    }

    /// The context of one event.
    pub(crate) fn of(dot: Dot) -> Self {
        Self::from_iter([dot])
    }

    /// As [`last_seq`](Self::last_seq); `near` tells where the replica was found before.
    pub(crate) fn last_seq_near(&self, replica: ReplicaId, near: &mut Place) -> u64 {
        let last = self.vector.get_near(replica, near);
        if self.cloud.is_empty() { last } else { last.max(self.cloud.last_seq(replica)) }
    }

    /// Adds the replica's next event.
    pub(crate) fn insert_next(&mut self, dot: Dot, near: &mut Place) {
        if !(self.cloud.is_empty() && self.vector.advance_near(dot, near)) {
            self.insert(dot);
        }
    }

    /// All events as ranges, each replica's in ascending order, replica by replica.
    pub fn ranges(&self) -> impl Iterator<Item = DotRange> + '_ {
        // Two ascending sequences become one: a replica's gapless part comes before its runs.
        let settled = self.vector.iter().map(|(replica, last)| DotRange::new(replica, 1, last));
        let (mut settled, mut ahead) = (settled.peekable(), self.cloud.ranges().peekable());
        core::iter::from_fn(move || {
            let replica = ahead.peek().map(|range| range.replica);
            settled
                .next_if(|range| replica.is_none_or(|replica| range.replica <= replica))
                .or_else(|| ahead.next())
        })
    }

    /// Panics if the cloud holds what belongs into the vector.
    pub fn check_invariants(&self) {
        self.cloud.check_invariants();
        for range in self.cloud.ranges() {
            assert!(range.first > self.vector.get(range.replica) + 1, "the vector is maximal");
        }
    }

    fn replicas(&self) -> OrderedSet<ReplicaId> {
        self.vector.iter().map(|(replica, _)| replica).chain(self.cloud.replicas()).collect()
    }
}

impl PartialOrd for CausalContext {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        match (self.dominates(other), other.dominates(self)) {
            (true, true) => Some(Ordering::Equal),
            (true, false) => Some(Ordering::Greater),
            (false, true) => Some(Ordering::Less),
            (false, false) => None,
        }
    }
}

impl From<VersionVector> for CausalContext {
    fn from(vector: VersionVector) -> Self {
        Self { vector, cloud: DotCloud::new() }
    }
}

impl From<DotCloud> for CausalContext {
    fn from(mut cloud: DotCloud) -> Self {
        let mut vector = VersionVector::new();
        cloud.drain_into(&mut vector);
        Self { vector, cloud }
    }
}

impl FromIterator<Dot> for CausalContext {
    fn from_iter<I: IntoIterator<Item = Dot>>(dots: I) -> Self {
        let mut context = Self::new();
        context.extend(dots);
        context
    }
}

impl Extend<Dot> for CausalContext {
    fn extend<I: IntoIterator<Item = Dot>>(&mut self, dots: I) {
        for dot in dots {
            self.insert(dot);
        }
    }
}

impl Encode for CausalContext {
    fn encode(&self, out: &mut Writer) {
        self.encode_interned(&mut SendTable::new(), out);
    }
}

impl Decode for CausalContext {
    const BYTES_MIN: usize = 1;

    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Self::decode_interned(&mut ReceiveTable::new(), input)
    }
}

impl InternedEncode for CausalContext {
    /// The count of replicas, then for each, in ascending order: its table entry, the end of
    /// the gapless part, the count of runs behind it, and each run as the dots missing before
    /// it and its own length, both less one.
    fn encode_interned(&self, replicas: &mut SendTable<ReplicaId>, out: &mut Writer) {
        let present = self.replicas();
        out.count(present.len());
        for replica in present {
            replicas.write(&replica, 0, 0, out);
            let mut end = self.vector.get(replica);
            out.varint(end);
            out.count(self.cloud.ranges_of(replica).count());
            for range in self.cloud.ranges_of(replica) {
                out.varint(range.first - end - 2);
                out.varint(range.len() - 1);
                end = range.last;
            }
        }
    }
}

impl InternedDecode for CausalContext {
    const INTERNED_BYTES_MIN: usize = 1;

    fn decode_interned(
        replicas: &mut ReceiveTable<ReplicaId>,
        input: &mut Reader<'_>,
    ) -> Result<Self, DecodeError> {
        let mut context = Self::new();
        let mut previous = None;
        for _ in 0..input.count(3)? {
            let at = input.position();
            let replica = replicas.read_key(input)?;
            if previous.is_some_and(|previous| previous >= replica) {
                return Err(DecodeErrorKind::NotAscending.at(at));
            }
            previous = Some(replica);
            let mut end = input.varint_max(SEQ_MAX)?;
            context.vector.observe(replica, end);
            let runs = input.count(2)?;
            if end == 0 && runs == 0 {
                return Err(DecodeErrorKind::NotCanonical.at(at));
            }
            for _ in 0..runs {
                let at = input.position();
                // Each summand is at most 2^62, so that the sums stay below 2^64.
                let first = end + 2 + input.varint_max(SEQ_MAX)?;
                let last = first.saturating_add(input.varint_max(SEQ_MAX)?);
                if last > SEQ_MAX {
                    return Err(DecodeErrorKind::OutOfRange.at(at));
                }
                context.cloud.insert_range(DotRange::new(replica, first, last));
                end = last;
            }
        }
        Ok(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::laws::trials;
    use alloc::collections::BTreeSet;
    use alloc::vec::Vec;
    use quickcheck::{Arbitrary, Gen};

    impl Arbitrary for CausalContext {
        fn arbitrary(g: &mut Gen) -> Self {
            let dots: Vec<(u8, u8)> = Arbitrary::arbitrary(g);
            dots.into_iter()
                .map(|(id, seq)| {
                    Dot::new(ReplicaId::from_u128(u128::from(id % 3)), u64::from(seq % 8))
                })
                .collect()
        }
    }

    fn dots(context: &CausalContext) -> BTreeSet<Dot> {
        context
            .ranges()
            .flat_map(|range| {
                (range.first..=range.last).map(move |seq| Dot::new(range.replica, seq))
            })
            .collect()
    }

    /// The last event that there can be, in a run of its own or behind others.
    #[test]
    fn the_last_event_travels() {
        let last = Dot::new(ReplicaId::from_u128(1), crate::SEQ_MAX);
        let before = DotRange::new(last.replica, last.seq - 5, last.seq - 1);
        for range in [DotRange::new(last.replica, last.seq, last.seq), before] {
            let mut context = CausalContext::new();
            context.insert_range(range);
            context.insert(last);
            let mut out = crate::codec::Writer::new();
            context.encode(&mut out);
            let mut input = Reader::new(out.as_bytes());
            assert_eq!(CausalContext::decode(&mut input), Ok(context));
            assert!(input.is_empty());
        }
    }

    /// Every operation against the plain set of dots that a context stands for.
    #[test]
    fn behaves_as_the_set_of_its_dots() {
        fn law(a: CausalContext, b: CausalContext) -> bool {
            let (set_a, set_b) = (dots(&a), dots(&b));
            let mut joined = a.clone();
            let news = joined.join(&b);
            for context in [&a, &b, &joined] {
                context.check_invariants();
            }
            let next = |replica| set_a.iter().filter(|d| d.replica == replica).map(|d| d.seq).max();
            let shuffled: CausalContext = set_a.iter().rev().copied().collect();
            dots(&joined) == &set_a | &set_b
                && news != set_b.is_subset(&set_a)
                && shuffled == a
                && a.dominates(&b) == set_b.is_subset(&set_a)
                && (a <= b) == set_a.is_subset(&set_b)
                && set_b.iter().all(|&dot| a.contains(dot) == set_a.contains(&dot))
                && (0..4).map(ReplicaId::from_u128).all(|replica| {
                    a.next_dot(replica) == Some(Dot::new(replica, next(replica).unwrap_or(0) + 1))
                })
        }
        trials().quickcheck(law as fn(_, _) -> _);
    }

    #[test]
    fn encoding_is_the_identity() {
        fn law(a: CausalContext) -> bool {
            let mut out = Writer::new();
            a.encode(&mut out);
            let mut input = Reader::new(out.as_bytes());
            CausalContext::decode(&mut input) == Ok(a) && input.is_empty()
        }
        trials().quickcheck(law as fn(_) -> _);
    }

    #[test]
    fn a_used_up_sequence_has_no_next_dot() {
        let a = ReplicaId::from_u128(1);
        let full = CausalContext::from(VersionVector::from_iter([(a, SEQ_MAX)]));
        assert_eq!(full.next_dot(a), None);
    }

    #[test]
    #[should_panic(expected = "the vector is maximal")]
    fn a_cloud_that_goes_on_from_the_vector_is_noticed() {
        let next = Dot::new(ReplicaId::from_u128(1), 1);
        let cloud = DotCloud::from_iter([next]);
        CausalContext { vector: VersionVector::new(), cloud }.check_invariants();
    }
}
