use alloc::vec::Vec;

use super::Undo;
use crate::counter::{BoundedCounterDelta, CounterError, PnCounterDelta};
use crate::{BoundedCounter, PnCounter, ReplicaId, Writer};

impl Undo for PnCounter {
    /// How far the delta moves the counter.
    type Inverse = i128;
    type Error = CounterError;

    fn inverse(&self, delta: &PnCounterDelta) -> i128 {
        let mut after = self.clone();
        after.join(delta);
        after.value() - self.value()
    }

    #[track_caller]
    fn undo(
        &mut self,
        inverse: &i128,
        writer: &mut Writer,
    ) -> Result<PnCounterDelta, CounterError> {
        let replica = writer.replica();
        let amount = inverse.unsigned_abs().try_into();
        let amount = amount.map_err(|_| CounterError::Overflow { replica })?;
        if *inverse < 0 { self.increment(amount, writer) } else { self.decrement(amount, writer) }
    }
}

/// What takes a delta of a [`BoundedCounter`] back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct BoundedCounterInverse {
    created: u128,
    consumed: u128,
    // From whom, to whom, and how much.
    transferred: Vec<(ReplicaId, ReplicaId, u64)>,
}

impl Undo for BoundedCounter {
    type Inverse = BoundedCounterInverse;
    type Error = CounterError;

    fn inverse(&self, delta: &BoundedCounterDelta) -> BoundedCounterInverse {
        let mut inverse = BoundedCounterInverse::default();
        for (&(from, to), &amount) in &delta.get().moved {
            let before = self.moved.get(&(from, to)).copied().unwrap_or(0);
            let more = amount.saturating_sub(before);
            if from == to {
                inverse.created += u128::from(more);
            } else if more > 0 {
                inverse.transferred.push((from, to, more));
            }
        }
        for (replica, &amount) in &delta.get().consumed {
            let before = self.consumed.get(replica).copied().unwrap_or(0);
            inverse.consumed += u128::from(amount.saturating_sub(before));
        }
        inverse
    }

    #[track_caller]
    fn undo(
        &mut self,
        inverse: &BoundedCounterInverse,
        writer: &mut Writer,
    ) -> Result<BoundedCounterDelta, CounterError> {
        let replica = writer.replica();
        let amount =
            |amount: u128| u64::try_from(amount).map_err(|_| CounterError::Overflow { replica });
        // All of it or nothing.
        let (mut after, mut by) = (self.clone(), Writer::new(replica, writer.position()));
        let mut delta = after.increment(amount(inverse.consumed)?, &mut by)?;
        for &(from, to, amount) in &inverse.transferred {
            if to != replica {
                return Err(CounterError::NotEnoughRights { replica, available: 0 });
            }
            delta.join(after.transfer(amount, from, &mut by)?);
        }
        delta.join(after.decrement(amount(inverse.created)?, &mut by)?);
        *self = after;
        writer.advance(by.position());
        Ok(delta)
    }
}
