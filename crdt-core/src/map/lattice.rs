//! Other lattices inside a root.

use crate::Lattice;
use crate::codec::{self, Decode, DecodeError, Encode, Reader};
use crate::dot_store::{DotFun, Edit};

/// The content of a place inside a root at which any lattice stands: a whole value for each of
/// the writes that no later one has seen. The value is their join.
///
/// So maxima, minima, grow-only sets, and lattices of your own ride in an
/// [`ObservedRemoveMap`](crate::ObservedRemoveMap):
///
/// | one replica | concurrently, another | after the join |
/// |---|---|---|
/// | `update(f)` | `update(g)` | both, joined |
/// | `remove(k)` | `update(f)` | the other side's **whole value**, with what it held before |
/// | `remove(k)` | `remove(k)` | k is absent |
///
/// The second line is the price for knowing nothing of the lattice. For counters it would mean
/// that a reset is lost, and that a replica which begins anew at zero counts below what it had
/// counted before; use a [`CounterStore`](crate::counter::CounterStore).
///
/// **State.** As many values as there were concurrent writers; one, after the next write.
/// **Cost.** A change joins them, and its delta holds the whole value.
///
/// Baquero, Almeida, Cunha, Ferreira, *Composition in state-based replicated data types* (2017),
/// maps of lattices.
///
/// ```
/// use crdt_core::map::LatticeStore;
/// use crdt_core::{MaxRegister, ObservedRemoveMap, ReplicaId};
///
/// type Scores = ObservedRemoveMap<&'static str, LatticeStore<MaxRegister<u32>>>;
/// let (mut here, mut there) = (Scores::new(), Scores::new());
/// let mut on_here = here.writer(ReplicaId::from_u128(1));
/// let mut on_there = there.writer(ReplicaId::from_u128(2));
/// let low = here.update("asha", &mut on_here, |score| score.update(|max| drop(max.raise(70))))?;
/// let high = there.update("asha", &mut on_there, |score| score.update(|max| drop(max.raise(90))))?;
/// here.join(high);
/// there.join(low);
///
/// let best = here.get("asha").and_then(|score| score.joined()).unwrap_or_default();
/// assert_eq!(best.get(), Some(&90));
/// assert_eq!(here, there);
/// # Ok::<(), crdt_core::WriteError>(())
/// ```
pub type LatticeStore<L> = DotFun<Whole<L>>;

/// A whole value of a lattice, as one write left it behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Whole<L>(pub(crate) L);

impl<L> Whole<L> {
    /// The value.
    pub const fn get(&self) -> &L {
        &self.0
    }
}

impl<L: Lattice + Clone> DotFun<Whole<L>> {
    /// The join of all values that stand side by side, unless there is none.
    pub fn joined(&self) -> Option<L> {
        let mut values = self.entries().iter().map(|(_, Whole(value))| value.clone());
        let mut joined = values.next()?;
        for value in values {
            joined.join(value);
        }
        Some(joined)
    }
}

/// Lattices inside a root.
impl<L: Lattice + Clone + Default> Edit<'_, DotFun<Whole<L>>> {
    /// Changes the joined value, which is the default if there is none, and writes it.
    pub fn update(&mut self, change: impl FnOnce(&mut L)) {
        let mut value = self.get().joined().unwrap_or_default();
        change(&mut value);
        self.put(Whole(value));
    }
}

impl<L: Encode> Encode for Whole<L> {
    fn encode(&self, out: &mut codec::Writer) {
        self.0.encode(out);
    }
}

impl<L: Decode> Decode for Whole<L> {
    const BYTES_MIN: usize = L::BYTES_MIN;

    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        L::decode(input).map(Self)
    }
}
