//! What types say of themselves: readings, forms for people, conversions between a value and its deltas.

mod codec;
mod collections;
mod counters;
mod flags_and_registers;
mod kernel;
mod lists;
mod maps;
mod sets;

use crdt_core::ReplicaId;

const MUMBAI: ReplicaId = ReplicaId::from_u128(1);
const DELHI: ReplicaId = ReplicaId::from_u128(2);

/// Passes an iterator that knows its length from both ends; it gives what is expected.
fn passes<T: PartialEq + std::fmt::Debug>(
    mut iter: impl ExactSizeIterator<Item = T> + DoubleEndedIterator + Clone,
    expected: &[T],
) {
    assert_eq!(iter.clone().rev().count(), expected.len());
    for (passed, item) in expected.iter().enumerate() {
        assert_eq!(iter.size_hint(), (expected.len() - passed, Some(expected.len() - passed)));
        assert_eq!(iter.clone().next_back().as_ref(), expected.last());
        assert_eq!(iter.next().as_ref(), Some(item));
    }
    assert_eq!((iter.len(), iter.next_back(), iter.next()), (0, None, None));
}
