//! The counter inside a map, which a removal resets.

use crate::codec::{self, Decode, DecodeError, DecodeErrorKind, Encode, Reader};
use crate::dot_store::{DotFun, Edit};

/// The content of a counter that stands inside a root and can be reset: every movement under
/// the dot of its event.
///
/// It is nested in an [`ObservedRemoveMap`](crate::ObservedRemoveMap). To remove its key, or to
/// [`reset`](Edit::<CounterStore>::reset) it, cancels exactly the movements that were seen:
///
/// | one replica | concurrently, another | after the join |
/// |---|---|---|
/// | `increment(5)` | `increment(3)` | 8 |
/// | 5, then `reset()` or `remove(k)` | `increment(1)` | **1**: the reset cancels what it has seen |
/// | 5, then `reset()` | `reset()` | 0, and the key is absent |
///
/// A sum for each replica would be smaller, and wrong: a reset, which has seen a part of the
/// sum, could cancel only all of it or nothing.
///
/// **State.** One movement of 32 bytes for each increment since the last reset, so count what
/// comes often in steps of more than one, or reset from time to time. A counter that is never
/// reset is a [`PnCounter`](crate::PnCounter), with one cell for each replica. **Cost.** An
/// increment takes O(log n) and moves what is behind it; the value takes O(n).
///
/// Baquero, Almeida, Lerche, *The problem with embedded CRDT counters and a solution* (2016),
/// of which this is the variant with a fresh dot for each increment.
///
/// ```
/// use crdt_core::counter::CounterStore;
/// use crdt_core::{ObservedRemoveMap, ReplicaId};
///
/// let (mut here, mut there) = (ObservedRemoveMap::<_, CounterStore>::new(), ObservedRemoveMap::new());
/// let mut on_here = here.writer(ReplicaId::from_u128(1));
/// let mut on_there = there.writer(ReplicaId::from_u128(2));
/// there.join(here.update("views", &mut on_here, |views| views.increment(5))?);
///
/// let reset = here.remove("views", &mut on_here);
/// let one_more = there.update("views", &mut on_there, |views| views.increment(1))?;
/// here.join(one_more);
/// there.join(reset);
///
/// assert_eq!(here.get("views").map(CounterStore::sum), Some(1));
/// assert_eq!(here, there);
/// # Ok::<(), crdt_core::WriteError>(())
/// ```
pub type CounterStore = DotFun<Movement>;

/// How far one event moves a counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Movement {
    // Never 0.
    amount: i64,
}

impl Movement {
    /// A movement, if there is any.
    #[cfg(any(feature = "arbitrary", feature = "serde"))]
    pub(crate) const fn of(amount: i64) -> Option<Self> {
        if amount == 0 { None } else { Some(Self { amount }) }
    }

    /// The amount, upwards or downwards.
    pub const fn amount(self) -> i64 {
        self.amount
    }
}

impl DotFun<Movement> {
    /// The value. It cannot overflow.
    pub fn sum(&self) -> i128 {
        self.entries().iter().map(|(_, movement)| i128::from(movement.amount)).sum()
    }
}

/// Counters inside a root.
impl Edit<'_, DotFun<Movement>> {
    /// Counts `amount`, upwards or downwards. To count 0 changes nothing.
    pub fn increment(&mut self, amount: i64) {
        if amount != 0 {
            self.put_beside(Movement { amount });
        }
    }

    /// Cancels every movement that was seen here.
    pub fn reset(&mut self) {
        self.take_out();
    }
}

impl Encode for Movement {
    fn encode(&self, out: &mut codec::Writer) {
        out.signed(self.amount);
    }
}

impl Decode for Movement {
    const BYTES_MIN: usize = 1;

    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let at = input.position();
        let amount = input.signed()?;
        if amount == 0 { Err(DecodeErrorKind::NotCanonical.at(at)) } else { Ok(Self { amount }) }
    }
}
