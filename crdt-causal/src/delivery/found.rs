//! Where replicas were found, so that nearly none is searched for.

use alloc::vec::Vec;

use crdt_core::ReplicaId;

use super::slots::NONE;

/// A table from replicas to their indices that need not know all of them.
///
/// Each replica is in one of [`PROBES`] neighbouring places, which bits of its id choose, or nowhere. So
/// a replica is found in a step or two, and whoever chooses ids that all belong into the same places
/// only gets theirs searched for elsewhere, in order.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Indices, or [`NONE`]. As many as a power of two, and at least four times as many as there are
    /// replicas; or none.
    places: Vec<u32>,
}

/// Where a replica may be, of the places from its own one on.
const PROBES: usize = 4;

/// Places for each replica: one of them is rarely another one's.
const SPARSE: usize = 4;

const PLACES_MIN: usize = 512;

impl Found {
    /// The index of a replica, if it is in here and `is_at` that index.
    #[inline]
    pub(super) fn get(&self, id: ReplicaId, is_at: impl Fn(u32) -> bool) -> Option<u32> {
        let index = *self.places.get(self.place(id))?;
        if index != NONE && is_at(index) {
            return Some(index);
        }
        self.get_beyond(id, is_at)
    }

    #[cold]
    fn get_beyond(&self, id: ReplicaId, is_at: impl Fn(u32) -> bool) -> Option<u32> {
        let indices = self.probes(id).map(|place| self.places[place]);
        indices.take_while(|index| *index != NONE).find(|index| is_at(*index))
    }

    /// Takes in a replica of `count` in all, if there is a place for it. Returns whether the table is
    /// large enough for so many; or else all have to be put in anew, after [`clear`](Self::clear).
    pub(super) fn insert(&mut self, id: ReplicaId, index: u32, count: usize) -> bool {
        if SPARSE * count > self.places.len() {
            return false;
        }
        if let Some(place) = self.probes(id).find(|place| self.places[*place] == NONE) {
            self.places[place] = index;
        }
        true
    }

    /// Forgets all, and makes room for so many.
    pub(super) fn clear(&mut self, count: usize) {
        self.places.clear();
        self.places.resize((SPARSE * count).next_power_of_two().max(PLACES_MIN), NONE);
    }

    fn probes(&self, id: ReplicaId) -> impl Iterator<Item = usize> + use<> {
        let (first, mask) = (self.place(id), self.places.len() - 1);
        (first..first + PROBES).map(move |place| place & mask)
    }

    #[inline]
    fn place(&self, id: ReplicaId) -> usize {
        let number = id.as_u128();
        let mixed = ((number >> 64) as u64 ^ number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (mixed >> 40) as usize & self.places.len().wrapping_sub(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ids that all choose one place: the table knows a few of them, and is wrong about none.
    #[test]
    fn a_crowd_in_one_place() {
        let mut found = Found::default();
        let ids: Vec<ReplicaId> = (0..50u128).map(|n| ReplicaId::from_u128(n << 64 | n)).collect();
        assert!(!found.insert(ids[0], 0, 50), "there is no room yet");
        found.clear(50);
        for (index, id) in (0..).zip(&ids) {
            assert!(found.insert(*id, index, 50));
        }
        let known = (0..).zip(&ids).filter(|(index, id)| {
            let got = found.get(**id, |at| ids[at as usize] == **id);
            assert!(got.is_none_or(|got| got == *index));
            got.is_some()
        });
        assert_eq!(known.count(), PROBES);
    }

    #[test]
    fn nearly_all_are_found() {
        let mut found = Found::default();
        let id = |index: u32| ReplicaId::from_u128(u128::from(index) * 0x1234_5678_9abc_def1);
        found.clear(1_000);
        for index in 0..1_000 {
            assert!(found.insert(id(index), index, 1_000));
        }
        let known = (0..1_000).filter(|index| found.get(id(*index), |at| at == *index).is_some());
        assert!(known.count() > 980);
        assert_eq!(found.get(id(1_000), |at| at == 1_000), None);
    }
}
