//! The counter that never falls below zero.

use super::CounterError;
use crate::codec::{
    self, Decode, DecodeError, DecodeErrorKind, Encode, Reader, ReceiveTable, SendTable,
};
use crate::collections::OrderedMap;
use crate::lattice::{Decompose, Part};
use crate::{Lattice, ReplicaId, Writer};
use alloc::vec::Vec;

/// A counter that never falls below zero, though nobody is asked before it is decremented.
///
/// What may be taken is split into *rights*, and each replica takes only from its own: those
/// that it has created by incrementing and those that others have transferred to it. So the
/// check is local, and what two replicas take at once was never the same. The price is that a
/// replica without rights has to refuse while others still have some.
///
/// | one replica | concurrently, another | after the join |
/// |---|---|---|
/// | `decrement(3)` with 5 rights | `decrement(4)` with 5 rights | 7 less, of at least 10 |
/// | `decrement(1)` without rights | anything | [`NotEnoughRights`](CounterError::NotEnoughRights), and nothing has changed |
/// | `transfer(5, to)` | `decrement(3)` | the rights have moved, 3 less |
/// | `transfer(5, to)`, delivered twice | – | moved once |
/// | `increment(5)` | `decrement(3)` | 2 more |
///
/// For stock, seats, budgets and credit. Whoever holds all rights can be the one that sells;
/// who runs out asks for a transfer, and can tell [by whom](Self::rights_of) rights are held.
///
/// **State.** For each replica what it has created and consumed, and for each pair what one has
/// transferred to the other, all of which only grow; the lattice is their maximum. O(pairs that
/// ever transferred) memory and bytes, and so are [`rights_of`](Self::rights_of), `decrement`
/// and `transfer`; `increment`, and joining the delta of one change, take O(log n).
///
/// Balegas, Serra, Duarte, Ferreira, Shapiro, Rodrigues, Preguiça, *Extending eventually
/// consistent cloud databases for enforcing numeric invariants* (2015); O'Neil, *The escrow
/// transactional method* (1986).
///
/// ```
/// use crdt_core::counter::CounterError;
/// use crdt_core::{BoundedCounter, ReplicaId};
///
/// let (mut mumbai, mut delhi) = (BoundedCounter::new(), BoundedCounter::new());
/// let mut in_mumbai = mumbai.writer(ReplicaId::from_u128(1));
/// let mut in_delhi = delhi.writer(ReplicaId::from_u128(2));
///
/// // Ten seats, four of which Delhi may sell.
/// let created = mumbai.increment(10, &mut in_mumbai)?;
/// let moved = mumbai.transfer(4, in_delhi.replica(), &mut in_mumbai)?;
/// delhi.join(created);
/// delhi.join(moved);
///
/// // Cut off from each other, both sell.
/// let in_the_west = mumbai.decrement(6, &mut in_mumbai)?;
/// let in_the_north = delhi.decrement(3, &mut in_delhi)?;
/// assert!(matches!(
///     mumbai.decrement(1, &mut in_mumbai),
///     Err(CounterError::NotEnoughRights { available: 0, .. })
/// ));
/// mumbai.join(in_the_north);
/// delhi.join(in_the_west);
///
/// assert_eq!(mumbai.value(), 1);
/// assert_eq!(mumbai, delhi);
/// # Ok::<(), CounterError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct BoundedCounter {
    // From one replica to another, what was transferred; from a replica to itself, what it has
    // created. Neither map holds a zero, so that equal values are equal maps.
    pub(crate) moved: OrderedMap<(ReplicaId, ReplicaId), u64>,
    pub(crate) consumed: OrderedMap<ReplicaId, u64>,
}

/// A part of a [`BoundedCounter`]: what a mutator returns, or several of those joined.
pub type BoundedCounterDelta = Part<BoundedCounter>;

impl BoundedCounter {
    /// The counter at zero, of which nobody has rights.
    pub const fn new() -> Self {
        Self { moved: OrderedMap::new(), consumed: OrderedMap::new() }
    }

    /// A writer for `replica`; see [`Writer`].
    pub fn writer(&self, replica: ReplicaId) -> Writer {
        Writer::new(replica, self.position(replica))
    }

    /// The value: what was created and is not consumed.
    ///
    /// A decrement that arrives before the increment and the transfers that it lives on shows
    /// less than there is, for the time being, but never less than zero.
    pub fn value(&self) -> u128 {
        let created = |(&(from, to), &amount): (&(ReplicaId, ReplicaId), &u64)| {
            if from == to { u128::from(amount) } else { 0 }
        };
        let created: u128 = self.moved.iter().map(created).sum();
        let consumed: u128 = self.consumed.values().copied().map(u128::from).sum();
        created.saturating_sub(consumed)
    }

    /// How much `replica` may take, as far as is known here. Its own it knows for certain.
    pub fn rights_of(&self, replica: ReplicaId) -> u128 {
        let mut gained = 0;
        let mut lost = u128::from(self.consumed.get(&replica).copied().unwrap_or(0));
        for (&(from, to), &amount) in &self.moved {
            if to == replica {
                gained += u128::from(amount);
            } else if from == replica {
                lost += u128::from(amount);
            }
        }
        gained.saturating_sub(lost)
    }

    /// The replicas that ever had rights, in ascending order of ids, each with those it has
    /// now. Costs O(n²) for n of them.
    pub fn rights(&self) -> impl Iterator<Item = (ReplicaId, u128)> + '_ {
        let holders: crate::collections::OrderedSet<ReplicaId> =
            self.moved.keys().map(|&(_, to)| to).collect();
        holders.into_iter().map(|replica| (replica, self.rights_of(replica)))
    }

    /// Counts `amount` upwards, and gives the rights to the writer. To count 0 changes nothing,
    /// and the delta is empty.
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
    ) -> Result<BoundedCounterDelta, CounterError> {
        let replica = writer.replica();
        writer.meet(self.position(replica));
        self.give(replica, replica, amount, writer)
    }

    /// Counts `amount` downwards, with rights of the writer. To count 0 changes nothing, and
    /// the delta is empty.
    ///
    /// # Errors
    ///
    /// [`CounterError::NotEnoughRights`] and [`CounterError::Overflow`]; nothing has changed
    /// then.
    ///
    /// # Panics
    ///
    /// If the writer was made by another root.
    #[track_caller]
    pub fn decrement(
        &mut self,
        amount: u64,
        writer: &mut Writer,
    ) -> Result<BoundedCounterDelta, CounterError> {
        let replica = writer.replica();
        writer.meet(self.position(replica));
        self.afford(replica, amount)?;
        let consumed = self.consumed.get(&replica).copied().unwrap_or(0);
        let consumed = consumed.checked_add(amount).ok_or(CounterError::Overflow { replica })?;
        let mut delta = Self::new();
        if amount > 0 {
            raise(&mut self.consumed, replica, consumed);
            raise(&mut delta.consumed, replica, consumed);
            writer.advance(self.position(replica));
        }
        Ok(Part(delta))
    }

    /// Gives `amount` of the writer's rights to another replica; the value stays. To transfer 0,
    /// or to itself, changes nothing, and the delta is empty.
    ///
    /// # Errors
    ///
    /// [`CounterError::NotEnoughRights`] and [`CounterError::Overflow`]; nothing has changed
    /// then.
    ///
    /// # Panics
    ///
    /// If the writer was made by another root.
    #[track_caller]
    pub fn transfer(
        &mut self,
        amount: u64,
        to: ReplicaId,
        writer: &mut Writer,
    ) -> Result<BoundedCounterDelta, CounterError> {
        let replica = writer.replica();
        writer.meet(self.position(replica));
        self.afford(replica, amount)?;
        let amount = if to == replica { 0 } else { amount };
        self.give(replica, to, amount, writer)
    }

    /// Takes in a delta or another counter; whether it brought news.
    pub fn join(&mut self, other: impl Into<BoundedCounterDelta>) -> bool {
        let Part(other) = other.into();
        let mut news = false;
        for (pair, amount) in other.moved {
            news |= raise(&mut self.moved, pair, amount);
        }
        for (replica, amount) in other.consumed {
            news |= raise(&mut self.consumed, replica, amount);
        }
        news
    }

    /// Panics if an internal invariant does not hold.
    pub fn check_invariants(&self) {
        let mut amounts = self.moved.values().chain(self.consumed.values());
        assert!(amounts.all(|&amount| amount > 0), "no zero is stored");
    }

    fn afford(&self, replica: ReplicaId, amount: u64) -> Result<(), CounterError> {
        let available = self.rights_of(replica);
        // The tests are built once without this check, to see that they notice.
        if !cfg!(canary) && available < u128::from(amount) {
            return Err(CounterError::NotEnoughRights { replica, available });
        }
        Ok(())
    }

    fn give(
        &mut self,
        from: ReplicaId,
        to: ReplicaId,
        amount: u64,
        writer: &mut Writer,
    ) -> Result<BoundedCounterDelta, CounterError> {
        let given = self.moved.get(&(from, to)).copied().unwrap_or(0);
        let overflow = CounterError::Overflow { replica: from };
        let given = given.checked_add(amount).ok_or(overflow)?;
        let mut delta = Self::new();
        if amount > 0 {
            raise(&mut self.moved, (from, to), given);
            raise(&mut delta.moved, (from, to), given);
            writer.advance(self.position(from));
        }
        Ok(Part(delta))
    }

    /// What a writer of `replica` is measured by: all that it alone can change. To stop at the
    /// greatest number at worst hides that a writer is another root's.
    fn position(&self, replica: ReplicaId) -> u64 {
        let first = (replica, ReplicaId::from_u128(0));
        let last = (replica, ReplicaId::from_u128(u128::MAX));
        let given = self.moved.range(first..=last).map(|(_, &amount)| amount);
        let consumed = self.consumed.get(&replica).copied();
        given.chain(consumed).fold(0, u64::saturating_add)
    }
}

fn raise<K: Ord>(amounts: &mut OrderedMap<K, u64>, key: K, to: u64) -> bool {
    if amounts.get(&key).is_some_and(|&held| held >= to) {
        return false;
    }
    amounts.insert(key, to);
    true
}

impl Lattice for BoundedCounter {
    type Delta = BoundedCounterDelta;

    fn join(&mut self, other: impl Into<Self::Delta>) -> bool {
        Self::join(self, other)
    }
}

impl Decompose for BoundedCounter {
    fn decompose(&self) -> Vec<BoundedCounterDelta> {
        let moved = self.moved.iter().map(|(&pair, &amount)| Self {
            moved: [(pair, amount)].into(),
            consumed: OrderedMap::new(),
        });
        let consumed = self.consumed.iter().map(|(&replica, &amount)| Self {
            moved: OrderedMap::new(),
            consumed: [(replica, amount)].into(),
        });
        moved.chain(consumed).map(Part).collect()
    }
}

const VERSION: u8 = 0;

impl Encode for BoundedCounter {
    /// The format version; the count of pairs, then each in ascending order with the amount;
    /// the count of consumers, then each in ascending order with the amount.
    fn encode(&self, out: &mut codec::Writer) {
        let mut replicas = SendTable::new();
        out.u8(VERSION);
        out.count(self.moved.len());
        for ((from, to), &amount) in &self.moved {
            replicas.write(from, 0, 0, out);
            replicas.write(to, 0, 0, out);
            out.varint(amount);
        }
        out.count(self.consumed.len());
        for (replica, &amount) in &self.consumed {
            replicas.write(replica, 0, 0, out);
            out.varint(amount);
        }
    }
}

impl Decode for BoundedCounter {
    const BYTES_MIN: usize = 3;

    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let at = input.position();
        if input.u8()? != VERSION {
            return Err(DecodeErrorKind::UnknownVersion.at(at));
        }
        let mut replicas = ReceiveTable::new();
        let mut pair =
            |input: &mut Reader<'_>| Ok((replicas.read_key(input)?, replicas.read_key(input)?));
        let moved = amounts(input, 3, &mut pair)?;
        let consumed = amounts(input, 2, &mut |input| replicas.read_key(input))?;
        Ok(Self { moved, consumed })
    }
}

fn amounts<K: Ord>(
    input: &mut Reader<'_>,
    bytes_min: usize,
    key: &mut dyn FnMut(&mut Reader<'_>) -> Result<K, DecodeError>,
) -> Result<OrderedMap<K, u64>, DecodeError> {
    let mut amounts: OrderedMap<K, u64> = OrderedMap::new();
    for _ in 0..input.count(bytes_min)? {
        let at = input.position();
        let key = key(input)?;
        if amounts.last_key_value().is_some_and(|(last, _)| *last >= key) {
            return Err(DecodeErrorKind::NotAscending.at(at));
        }
        let at = input.position();
        let amount = input.varint()?;
        if amount == 0 {
            return Err(DecodeErrorKind::NotCanonical.at(at));
        }
        amounts.insert(key, amount);
    }
    Ok(amounts)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHOP: ReplicaId = ReplicaId::from_u128(1);

    #[test]
    #[should_panic(expected = "no zero is stored")]
    fn a_zero_that_was_moved_is_noticed() {
        let moved = [((SHOP, SHOP), 0)].into();
        BoundedCounter { moved, ..BoundedCounter::new() }.check_invariants();
    }

    #[test]
    #[should_panic(expected = "no zero is stored")]
    fn a_zero_that_was_consumed_is_noticed() {
        let consumed = [(SHOP, 0)].into();
        BoundedCounter { consumed, ..BoundedCounter::new() }.check_invariants();
    }
}
