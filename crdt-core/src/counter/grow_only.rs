//! The grow-only counter.

use alloc::vec::Vec;

use super::CounterError;
use crate::codec::{
    self, Decode, DecodeError, DecodeErrorKind, Encode, InternedDecode, InternedEncode, Reader,
    ReceiveTable, SendTable,
};
use crate::collections::{OneOrMany, are_few};
use crate::lattice::Decompose;
use crate::{Lattice, ReplicaId, Writer};

/// A counter that only grows: how much each replica has counted.
///
/// | one replica | concurrently, another | after the join |
/// |---|---|---|
/// | `increment(3)` | `increment(4)` | 7 more |
/// | `increment(3)`, delivered twice | – | 3 more |
///
/// **State.** One number for each replica that ever counted; the value is their sum, the
/// join their maximum. O(replicas) memory and bytes, and so is the cost of `value`;
/// `increment`, and joining its delta, take O(log replicas).
///
/// Increments are unsigned, for in a maximum a decrement would be lost; a counter that goes
/// both ways is a [`PnCounter`](crate::PnCounter).
///
/// Shapiro, Preguiça, Baquero, Zawirski, *A comprehensive study of convergent and commutative
/// replicated data types* (2011), specification 6.
///
/// ```
/// use crdt_core::{GCounter, ReplicaId};
///
/// let (mut mumbai, mut delhi) = (GCounter::new(), GCounter::new());
/// let mut in_mumbai = mumbai.writer(ReplicaId::from_u128(1));
/// let mut in_delhi = delhi.writer(ReplicaId::from_u128(2));
///
/// let there = mumbai.increment(150, &mut in_mumbai)?;
/// let back = delhi.increment(100, &mut in_delhi)?;
/// delhi.join(there.clone());
/// delhi.join(there); // once more changes nothing
/// mumbai.join(back);
///
/// assert_eq!(mumbai.value(), 250);
/// assert_eq!(mumbai, delhi);
/// # Ok::<(), crdt_core::counter::CounterError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct GCounter {
    // Never holds a zero, so that equal values are equal maps.
    counted: OneOrMany<ReplicaId, u64>,
}

/// A part of a [`GCounter`]: what some of its replicas have counted.
#[must_use = "a delta has to reach the other replicas"]
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct GCounterDelta(pub(crate) GCounter);

impl GCounter {
    /// The counter at zero.
    pub const fn new() -> Self {
        Self { counted: OneOrMany::new() }
    }

    /// A writer for `replica`; see [`Writer`].
    pub fn writer(&self, replica: ReplicaId) -> Writer {
        Writer::new(replica, self.counted_by(replica))
    }

    /// The value. It cannot overflow.
    pub fn value(&self) -> u128 {
        self.counted.values().copied().map(u128::from).sum()
    }

    /// How much `replica` has counted.
    pub fn counted_by(&self, replica: ReplicaId) -> u64 {
        self.counted.get(&replica).copied().unwrap_or(0)
    }

    /// How much each replica has counted, in ascending order of ids.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (ReplicaId, u64)> + '_ {
        self.counted.iter().map(|(&replica, &counted)| (replica, counted))
    }

    /// Counts `amount`. To count 0 changes nothing, and the delta is empty.
    ///
    /// # Errors
    ///
    /// [`CounterError::Overflow`]; nothing has changed then.
    ///
    /// # Panics
    ///
    /// If the writer was made by another root.
    // Inlined, the result is not written to memory to be read again at once, in other pieces.
    #[inline]
    #[track_caller]
    pub fn increment(
        &mut self,
        amount: u64,
        writer: &mut Writer,
    ) -> Result<GCounterDelta, CounterError> {
        let replica = writer.replica();
        let known = self.counted.many();
        let place = known.find_near(&replica, &mut writer.near().known);
        let held = place.map(|place| &mut known.at_mut(place).1);
        let before = held.as_deref().copied().unwrap_or(0);
        writer.meet(before);
        let counted = before.checked_add(amount).ok_or(CounterError::Overflow { replica })?;
        writer.advance(counted);
        if amount == 0 {
            return Ok(GCounterDelta::default());
        }
        match held {
            Some(held) => *held = counted,
            None => drop(known.insert(replica, counted)),
        }
        Ok(GCounterDelta(Self { counted: OneOrMany::of(replica, counted) }))
    }

    /// An event of `replica` counts `amount`, each event once; returns how much the replica
    /// has counted then. For counters inside larger values that apply single events.
    ///
    /// # Errors
    ///
    /// [`CounterError::Overflow`]; nothing has changed then.
    pub fn apply(&mut self, replica: ReplicaId, amount: u64) -> Result<u64, CounterError> {
        let counted = self
            .counted_by(replica)
            .checked_add(amount)
            .ok_or(CounterError::Overflow { replica })?;
        if counted > 0 {
            self.counted.many().insert(replica, counted);
        }
        Ok(counted)
    }

    /// Takes in a delta or another counter; whether it brought news.
    pub fn join(&mut self, other: impl Into<GCounterDelta>) -> bool {
        let GCounterDelta(other) = other.into();
        let mut news = false;
        if are_few(other.counted.len(), self.counted.len()) {
            other.counted.give(|replica, counted| news |= self.raise(replica, counted));
            return news;
        }
        let mut fresh = Vec::new();
        self.counted.many().meet(
            &other.counted.into_many(),
            |&replica, held, &counted| match held {
                Some(held) if *held >= counted => {}
                Some(held) => {
                    *held = counted;
                    news = true;
                }
                None => fresh.push((replica, counted)),
            },
        );
        news |= !fresh.is_empty();
        self.counted.many().extend(fresh);
        news
    }

    /// Panics if an internal invariant does not hold.
    pub fn check_invariants(&self) {
        assert!(self.counted.values().all(|&counted| counted > 0), "no zero is stored");
    }

    fn raise(&mut self, replica: ReplicaId, to: u64) -> bool {
        if to <= self.counted_by(replica) {
            return false;
        }
        self.counted.many().insert(replica, to);
        true
    }
}

impl GCounterDelta {
    /// Whether the delta tells nothing, so that it need not be sent.
    pub fn is_empty(&self) -> bool {
        self.0.counted.is_empty()
    }

    /// Takes in another delta; whether it brought news.
    pub fn join(&mut self, other: impl Into<Self>) -> bool {
        self.0.join(other.into())
    }
}

impl From<GCounter> for GCounterDelta {
    fn from(counter: GCounter) -> Self {
        Self(counter)
    }
}

impl From<&GCounter> for GCounterDelta {
    fn from(counter: &GCounter) -> Self {
        Self(counter.clone())
    }
}

impl From<&Self> for GCounterDelta {
    fn from(delta: &Self) -> Self {
        delta.clone()
    }
}

/// The counter of which each replica has counted at least so much; the join of all items.
impl FromIterator<(ReplicaId, u64)> for GCounter {
    fn from_iter<I: IntoIterator<Item = (ReplicaId, u64)>>(items: I) -> Self {
        let mut counter = Self::new();
        for (replica, counted) in items {
            counter.raise(replica, counted);
        }
        counter
    }
}

impl Lattice for GCounter {
    type Delta = GCounterDelta;

    fn join(&mut self, other: impl Into<GCounterDelta>) -> bool {
        Self::join(self, other)
    }
}

impl Lattice for GCounterDelta {
    type Delta = Self;

    fn join(&mut self, other: impl Into<Self>) -> bool {
        Self::join(self, other)
    }
}

impl Decompose for GCounter {
    fn decompose(&self) -> Vec<GCounterDelta> {
        self.iter().map(|part| GCounterDelta(Self::from_iter([part]))).collect()
    }
}

const VERSION: u8 = 0;

impl Encode for GCounter {
    /// The format version, then the counter with a table of its own.
    fn encode(&self, out: &mut codec::Writer) {
        out.u8(VERSION);
        self.encode_interned(&mut SendTable::new(), out);
    }
}

impl Decode for GCounter {
    const BYTES_MIN: usize = 2;

    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let at = input.position();
        if input.u8()? != VERSION {
            return Err(DecodeErrorKind::UnknownVersion.at(at));
        }
        Self::decode_interned(&mut ReceiveTable::new(), input)
    }
}

impl InternedEncode for GCounter {
    /// The count of replicas, then in ascending order each with its amount.
    fn encode_interned(&self, replicas: &mut SendTable<ReplicaId>, out: &mut codec::Writer) {
        out.count(self.counted.len());
        for (replica, &counted) in self.counted.iter() {
            replicas.write(replica, 0, 0, out);
            out.varint(counted);
        }
    }
}

impl InternedDecode for GCounter {
    const INTERNED_BYTES_MIN: usize = 1;

    fn decode_interned(
        replicas: &mut ReceiveTable<ReplicaId>,
        input: &mut Reader<'_>,
    ) -> Result<Self, DecodeError> {
        let mut counter = Self::new();
        for _ in 0..input.count(2)? {
            let at = input.position();
            let replica = replicas.read_key(input)?;
            if counter.counted.iter().next_back().is_some_and(|(&last, _)| last >= replica) {
                return Err(DecodeErrorKind::NotAscending.at(at));
            }
            let at = input.position();
            let counted = input.varint()?;
            if counted == 0 {
                return Err(DecodeErrorKind::NotCanonical.at(at));
            }
            counter.counted.many().insert(replica, counted);
        }
        Ok(counter)
    }
}

impl Encode for GCounterDelta {
    fn encode(&self, out: &mut codec::Writer) {
        self.0.encode(out);
    }
}

impl Decode for GCounterDelta {
    const BYTES_MIN: usize = GCounter::BYTES_MIN;

    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        GCounter::decode(input).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "no zero is stored")]
    fn a_zero_is_noticed() {
        let counted = OneOrMany::of(ReplicaId::from_u128(1), 0);
        GCounter { counted }.check_invariants();
    }
}
