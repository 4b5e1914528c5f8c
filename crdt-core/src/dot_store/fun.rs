use smallvec::{SmallVec, smallvec};

use super::covered::{are_many, covered, drop_covered};
use super::{
    DecodeStore, DotChange, DotStore, EncodeStore, Split, StoreReader, StoreWriter, count_covered,
};
use crate::Dot;
use crate::canary::is_planted;
use crate::causality::CausalContext;
use crate::codec::{Decode, DecodeError, Encode, decode_beside, encode_beside};

/// A store of one value for each dot.
///
/// A dot names one event, so the value of a dot never changes and equal dots have equal
/// values. One dot, the ordinary case, is held in place.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct DotFun<V> {
    // In ascending order of dots.
    entries: SmallVec<[(Dot, V); 1]>,
}

impl<V> Default for DotFun<V> {
    fn default() -> Self {
        Self { entries: SmallVec::new() }
    }
}

// One by one: the derived one is three times the code.
impl<V: Clone> Clone for DotFun<V> {
    fn clone(&self) -> Self {
        let mut entries = SmallVec::with_capacity(self.entries.len());
        self.entries.iter().for_each(|entry| entries.push(entry.clone()));
        Self { entries }
    }
}

impl<V> DotFun<V> {
    /// The function of no dots.
    pub fn new() -> Self {
        Self::default()
    }

    /// `value` under `dot`, and nothing else.
    pub fn of(dot: Dot, value: V) -> Self {
        Self { entries: smallvec![(dot, value)] }
    }

    /// The dots with their values, in ascending order of dots.
    pub fn entries(&self) -> &[(Dot, V)] {
        &self.entries
    }

    /// The value of `dot`.
    pub fn get(&self, dot: Dot) -> Option<&V> {
        let place = self.find(dot).ok()?;
        Some(&self.entries[place].1)
    }

    pub(super) fn get_mut(&mut self, dot: Dot) -> Option<&mut V> {
        let place = self.find(dot).ok()?;
        Some(&mut self.entries[place].1)
    }

    /// Puts a value under a dot that has none; whether it had none.
    pub fn insert(&mut self, dot: Dot, value: V) -> bool {
        match self.find(dot) {
            Ok(_) => false,
            Err(place) => {
                self.entries.insert(place, (dot, value));
                true
            }
        }
    }

    /// Takes every entry out.
    pub(super) fn clear(&mut self) {
        self.entries.clear();
    }

    /// Drops every entry that `keep` refuses.
    pub fn retain_entries(&mut self, mut keep: impl FnMut(Dot, &V) -> bool) {
        self.entries.retain(|(dot, value)| keep(*dot, value));
    }

    fn last_value(&self) -> Option<&V> {
        self.entries.last().map(|(_, value)| value)
    }

    fn find(&self, dot: Dot) -> Result<usize, usize> {
        self.entries.binary_search_by_key(&dot, |&(dot, _)| dot)
    }
}

#[cfg(test)]
impl<V: Clone> DotFun<V> {
    pub(super) fn in_no_order(dot: Dot, value: V) -> Self {
        Self { entries: smallvec![(dot, value.clone()), (dot, value)] }
    }
}

impl<V> DotStore for DotFun<V> {
    type Places = ();

    fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn for_each_dot(&self, visit: &mut dyn FnMut(Dot)) {
        self.entries.iter().map(|&(dot, _)| dot).for_each(visit);
    }

    fn retain(&mut self, keep: &mut dyn FnMut(Dot) -> bool) {
        self.retain_entries(|dot, _| keep(dot));
    }

    fn join(
        &mut self,
        own: &CausalContext,
        other: Self,
        others: &CausalContext,
        report: &mut dyn FnMut(DotChange),
    ) {
        if are_many(&self.entries) {
            let holds = |dot| other.find(dot).is_ok();
            drop_covered(&mut self.entries, |&(dot, _)| dot, others, holds, report);
        } else {
            self.retain_entries(|dot, _| {
                // A planted bug: what was overwritten stays beside what replaces it.
                let stays = other.find(dot).is_ok()
                    || !others.contains(dot)
                    || is_planted("forget-overwrites");
                if !stays {
                    report(DotChange::Removed(dot));
                }
                stays
            });
        }
        for (dot, value) in other.entries {
            if !own.contains(dot) && self.insert(dot, value) {
                report(DotChange::Added(dot));
            }
        }
    }

    fn join_at(
        &mut self,
        own: &CausalContext,
        other: Self,
        others: &CausalContext,
        (): &(),
        report: &mut dyn FnMut(DotChange),
    ) {
        self.join(own, other, others, report);
    }

    fn count_at(&self, _: &Self, others: &CausalContext, (): &()) -> u64 {
        if are_many(&self.entries) {
            return covered(&self.entries, |&(dot, _)| dot, others).len() as u64;
        }
        count_covered(self, others)
    }

    fn check_invariants(&self) {
        assert!(self.entries.is_sorted_by(|a, b| a.0 < b.0), "dots are in ascending order");
    }
}

impl<V> Split for DotFun<V> {
    fn split(self, visit: &mut dyn FnMut(Dot, Self)) {
        self.entries.into_iter().for_each(|(dot, value)| visit(dot, Self::of(dot, value)));
    }
}

impl<V: Encode> EncodeStore for DotFun<V> {
    /// The dots, in ascending order, and their values.
    fn encode_store(&self, near: Option<&Self>, out: &mut StoreWriter) {
        out.leaf(self.entries.iter().map(|&(dot, _)| dot));
        let mut near = near.and_then(Self::last_value);
        for (_, value) in &self.entries {
            encode_beside(value, near, out.body());
            near = Some(value);
        }
    }
}

impl<V: Decode> DecodeStore for DotFun<V> {
    const STORE_BYTES_MIN: usize = V::BYTES_MIN;

    fn decode_store(near: Option<&Self>, input: &mut StoreReader<'_>) -> Result<Self, DecodeError> {
        let mut leaf = input.leaf()?;
        let mut entries: SmallVec<[(Dot, V); 1]> = SmallVec::new();
        while let Some(dot) = input.dot(&mut leaf)? {
            let last = entries.last().map(|(_, value)| value);
            let near = last.or_else(|| near.and_then(Self::last_value));
            let value = decode_beside(near, input.body())?;
            leaf.make_room(&mut entries);
            entries.push((dot, value));
        }
        Ok(Self { entries })
    }
}
