//! The counter that goes up and down.

use alloc::vec::Vec;

use super::CounterError;
use crate::canary::is_planted;
use crate::codec::{
    self, Decode, DecodeError, DecodeErrorKind, Encode, InternedDecode, InternedEncode, Reader,
    ReceiveTable, SendTable,
};
use crate::collections::OrderedMap;
use crate::lattice::Decompose;
use crate::{Lattice, ReplicaId, Writer};

/// A counter that goes up and down: how much each replica has counted in either direction.
///
/// | one replica | concurrently, another | after the join |
/// |---|---|---|
/// | `increment(5)` | `increment(3)` | 8 more |
/// | `increment(5)` | `decrement(3)` | 2 more |
/// | `decrement(1)` at 1 | `decrement(1)` at 1 | −1: a limit needs rights, not a counter |
/// | `increment(5)`, delivered twice | – | 5 more |
///
/// No movement is ever lost, which is why balances and stocks belong here and not into a
/// register.
///
/// **State.** Two numbers for each replica that ever counted; the value is the sum of their
/// differences, the join their maximum. O(replicas) memory and bytes, and so is the cost of
/// `value`; a movement, and joining its delta, take O(log replicas).
///
/// Shapiro, Preguiça, Baquero, Zawirski, *A comprehensive study of convergent and commutative
/// replicated data types* (2011), specification 7.
///
/// ```
/// use crdt_core::{PnCounter, ReplicaId};
///
/// let (mut left, mut right) = (PnCounter::new(), PnCounter::new());
/// let mut on_left = left.writer(ReplicaId::from_u128(1));
/// let mut on_right = right.writer(ReplicaId::from_u128(2));
///
/// let credit = left.increment(100, &mut on_left)?;
/// let debit = right.decrement(30, &mut on_right)?;
/// left.join(debit);
/// right.join(credit);
///
/// assert_eq!(left.value(), 70);
/// assert_eq!(left, right);
/// # Ok::<(), crdt_core::counter::CounterError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct PnCounter {
    // Never holds a pair of zeros, so that equal values are equal maps.
    counted: OrderedMap<ReplicaId, Counted>,
}

/// A part of a [`PnCounter`]: what some of its replicas have counted.
#[must_use = "a delta has to reach the other replicas"]
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct PnCounterDelta(pub(crate) PnCounter);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
struct Counted {
    up: u64,
    down: u64,
}

impl PnCounter {
    /// The counter at zero.
    pub const fn new() -> Self {
        Self { counted: OrderedMap::new() }
    }

    /// A writer for `replica`; see [`Writer`].
    pub fn writer(&self, replica: ReplicaId) -> Writer {
        Writer::new(replica, self.position(replica))
    }

    /// The value. It cannot overflow.
    pub fn value(&self) -> i128 {
        self.counted.values().map(|counted| counted.value()).sum()
    }

    /// What `replica` has contributed to the value.
    pub fn counted_by(&self, replica: ReplicaId) -> i128 {
        self.cell(replica).value()
    }

    /// What each replica has counted, upwards and downwards, in ascending order of ids.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (ReplicaId, u64, u64)> + '_ {
        self.counted.iter().map(|(&replica, counted)| (replica, counted.up, counted.down))
    }

    /// Counts `amount` upwards. To count 0 changes nothing, and the delta is empty.
    ///
    /// # Errors
    ///
    /// [`CounterError::Overflow`]; nothing has changed then.
    ///
    /// # Panics
    ///
    /// If the writer was made by another root.
    #[track_caller]
    pub fn increment(
        &mut self,
        amount: u64,
        writer: &mut Writer,
    ) -> Result<PnCounterDelta, CounterError> {
        self.move_by(amount, 0, writer)
    }

    /// Counts `amount` downwards. To count 0 changes nothing, and the delta is empty.
    ///
    /// # Errors
    ///
    /// [`CounterError::Overflow`]; nothing has changed then.
    ///
    /// # Panics
    ///
    /// If the writer was made by another root.
    #[track_caller]
    pub fn decrement(
        &mut self,
        amount: u64,
        writer: &mut Writer,
    ) -> Result<PnCounterDelta, CounterError> {
        self.move_by(0, amount, writer)
    }

    /// An event of `replica` moves the counter, each event once. For counters inside larger
    /// values that apply single events.
    ///
    /// # Errors
    ///
    /// [`CounterError::Overflow`]; nothing has changed then.
    pub fn apply(&mut self, replica: ReplicaId, amount: i64) -> Result<(), CounterError> {
        let (up, down) =
            if amount < 0 { (0, amount.unsigned_abs()) } else { (amount.unsigned_abs(), 0) };
        self.count(replica, up, down).map(|_| ())
    }

    /// Takes in a delta or another counter; whether it brought news.
    pub fn join(&mut self, other: impl Into<PnCounterDelta>) -> bool {
        let PnCounterDelta(other) = other.into();
        let mut news = false;
        for (replica, counted) in other.counted {
            // A planted bug: what a delta tells is added to what is known.
            if is_planted("add-deltas-up") {
                let _ = self.count(replica, counted.up, counted.down);
            }
            news |= self.raise(replica, counted);
        }
        news
    }

    /// Panics if an internal invariant does not hold.
    pub fn check_invariants(&self) {
        assert!(!self.counted.values().any(|&c| c == Counted::default()), "no zero is stored");
    }

    #[track_caller]
    fn move_by(
        &mut self,
        up: u64,
        down: u64,
        writer: &mut Writer,
    ) -> Result<PnCounterDelta, CounterError> {
        let replica = writer.replica();
        writer.meet(self.position(replica));
        let counted = self.count(replica, up, down)?;
        writer.advance(self.position(replica));
        let mut delta = Self::new();
        if up > 0 || down > 0 {
            delta.raise(replica, counted);
        }
        Ok(PnCounterDelta(delta))
    }

    fn count(&mut self, replica: ReplicaId, up: u64, down: u64) -> Result<Counted, CounterError> {
        let before = self.cell(replica);
        let overflow = CounterError::Overflow { replica };
        let counted = Counted {
            up: before.up.checked_add(up).ok_or(overflow)?,
            down: before.down.checked_add(down).ok_or(overflow)?,
        };
        self.raise(replica, counted);
        Ok(counted)
    }

    fn raise(&mut self, replica: ReplicaId, to: Counted) -> bool {
        let before = self.cell(replica);
        let after = Counted { up: before.up.max(to.up), down: before.down.max(to.down) };
        if after == before {
            return false;
        }
        self.counted.insert(replica, after);
        true
    }

    fn cell(&self, replica: ReplicaId) -> Counted {
        self.counted.get(&replica).copied().unwrap_or_default()
    }

    /// What a writer of `replica` is measured by. It only grows, and to stop at the greatest
    /// number at worst hides that a writer is another root's.
    fn position(&self, replica: ReplicaId) -> u64 {
        let cell = self.cell(replica);
        cell.up.saturating_add(cell.down)
    }
}

impl Counted {
    fn value(self) -> i128 {
        i128::from(self.up) - i128::from(self.down)
    }
}

impl PnCounterDelta {
    /// Whether the delta tells nothing, so that it need not be sent.
    pub fn is_empty(&self) -> bool {
        self.0.counted.is_empty()
    }

    /// Takes in another delta; whether it brought news.
    pub fn join(&mut self, other: impl Into<Self>) -> bool {
        self.0.join(other.into())
    }
}

impl From<PnCounter> for PnCounterDelta {
    fn from(counter: PnCounter) -> Self {
        Self(counter)
    }
}

impl From<&PnCounter> for PnCounterDelta {
    fn from(counter: &PnCounter) -> Self {
        Self(counter.clone())
    }
}

impl From<&Self> for PnCounterDelta {
    fn from(delta: &Self) -> Self {
        delta.clone()
    }
}

/// The counter of which each replica has counted upwards and downwards at least so much; the join of all items.
impl FromIterator<(ReplicaId, u64, u64)> for PnCounter {
    fn from_iter<I: IntoIterator<Item = (ReplicaId, u64, u64)>>(items: I) -> Self {
        let mut counter = Self::new();
        for (replica, up, down) in items {
            counter.raise(replica, Counted { up, down });
        }
        counter
    }
}

impl Lattice for PnCounter {
    type Delta = PnCounterDelta;

    fn join(&mut self, other: impl Into<PnCounterDelta>) -> bool {
        Self::join(self, other)
    }
}

impl Lattice for PnCounterDelta {
    type Delta = Self;

    fn join(&mut self, other: impl Into<Self>) -> bool {
        Self::join(self, other)
    }
}

impl Decompose for PnCounter {
    fn decompose(&self) -> Vec<PnCounterDelta> {
        let directions = |(replica, up, down)| [(replica, up, 0), (replica, 0, down)];
        let counted = self.iter().flat_map(directions).filter(|&(_, up, down)| up > 0 || down > 0);
        counted.map(|part| PnCounterDelta(Self::from_iter([part]))).collect()
    }
}

const VERSION: u8 = 0;

impl Encode for PnCounter {
    /// The format version, then the counter with a table of its own.
    fn encode(&self, out: &mut codec::Writer) {
        out.u8(VERSION);
        self.encode_interned(&mut SendTable::new(), out);
    }
}

impl Decode for PnCounter {
    const BYTES_MIN: usize = 2;

    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let at = input.position();
        if input.u8()? != VERSION {
            return Err(DecodeErrorKind::UnknownVersion.at(at));
        }
        Self::decode_interned(&mut ReceiveTable::new(), input)
    }
}

impl InternedEncode for PnCounter {
    /// The count of replicas, then in ascending order each with its amounts up and down.
    fn encode_interned(&self, replicas: &mut SendTable<ReplicaId>, out: &mut codec::Writer) {
        out.count(self.counted.len());
        for (replica, counted) in &self.counted {
            replicas.write(replica, 0, 0, out);
            out.varint(counted.up);
            out.varint(counted.down);
        }
    }
}

impl InternedDecode for PnCounter {
    const INTERNED_BYTES_MIN: usize = 1;

    fn decode_interned(
        replicas: &mut ReceiveTable<ReplicaId>,
        input: &mut Reader<'_>,
    ) -> Result<Self, DecodeError> {
        let mut counter = Self::new();
        for _ in 0..input.count(3)? {
            let at = input.position();
            let replica = replicas.read_key(input)?;
            if counter.counted.last_key_value().is_some_and(|(&last, _)| last >= replica) {
                return Err(DecodeErrorKind::NotAscending.at(at));
            }
            let at = input.position();
            let counted = Counted { up: input.varint()?, down: input.varint()? };
            if counted == Counted::default() {
                return Err(DecodeErrorKind::NotCanonical.at(at));
            }
            counter.counted.insert(replica, counted);
        }
        Ok(counter)
    }
}

impl Encode for PnCounterDelta {
    fn encode(&self, out: &mut codec::Writer) {
        self.0.encode(out);
    }
}

impl Decode for PnCounterDelta {
    const BYTES_MIN: usize = PnCounter::BYTES_MIN;

    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        PnCounter::decode(input).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "no zero is stored")]
    fn a_zero_is_noticed() {
        let counted = [(ReplicaId::from_u128(1), Counted::default())].into();
        PnCounter { counted }.check_invariants();
    }
}
