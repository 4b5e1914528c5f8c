use smallvec::{SmallVec, smallvec};

use super::covered::{are_many, covered, drop_covered};
use super::{
    DecodeStore, DotChange, DotStore, EncodeStore, Split, StoreReader, StoreWriter, count_covered,
};
use crate::Dot;
use crate::canary::is_planted;
use crate::causality::CausalContext;
use crate::codec::DecodeError;
use crate::collections::sort;

/// A store of dots without content: that they are there is what is said.
///
/// One dot, the ordinary case, is held in place.
#[derive(Debug, Default, PartialEq, Eq, Hash)]
pub struct DotSet {
    // In ascending order.
    dots: SmallVec<[Dot; 1]>,
}

impl DotSet {
    /// The set of no dots.
    pub fn new() -> Self {
        Self::default()
    }

    /// The dots, in ascending order.
    pub fn dots(&self) -> &[Dot] {
        &self.dots
    }

    /// Whether `dot` is held.
    pub fn contains(&self, dot: Dot) -> bool {
        self.dots.binary_search(&dot).is_ok()
    }

    /// Takes every dot out.
    pub(super) fn clear(&mut self) {
        self.dots.clear();
    }

    /// Adds a dot; whether it was absent.
    pub fn insert(&mut self, dot: Dot) -> bool {
        match self.dots.binary_search(&dot) {
            Ok(_) => false,
            Err(place) => {
                self.dots.insert(place, dot);
                true
            }
        }
    }
}

#[cfg(test)]
impl DotSet {
    pub(super) fn in_no_order(dot: Dot) -> Self {
        Self { dots: smallvec![dot, dot] }
    }
}

// As a whole, and not dot by dot as a derived one would.
impl Clone for DotSet {
    fn clone(&self) -> Self {
        Self { dots: SmallVec::from_slice(&self.dots) }
    }
}

impl From<Dot> for DotSet {
    fn from(dot: Dot) -> Self {
        Self { dots: smallvec![dot] }
    }
}

impl FromIterator<Dot> for DotSet {
    fn from_iter<I: IntoIterator<Item = Dot>>(dots: I) -> Self {
        let mut dots: SmallVec<[Dot; 1]> = dots.into_iter().collect();
        sort(&mut dots);
        dots.dedup();
        Self { dots }
    }
}

impl DotStore for DotSet {
    type Places = ();

    fn is_empty(&self) -> bool {
        self.dots.is_empty()
    }

    fn for_each_dot(&self, visit: &mut dyn FnMut(Dot)) {
        self.dots.iter().copied().for_each(visit);
    }

    fn retain(&mut self, keep: &mut dyn FnMut(Dot) -> bool) {
        self.dots.retain(|dot| keep(*dot));
    }

    fn join(
        &mut self,
        own: &CausalContext,
        other: Self,
        others: &CausalContext,
        report: &mut dyn FnMut(DotChange),
    ) {
        if self.dots == other.dots {
            return;
        }
        if are_many(&self.dots) {
            drop_covered(&mut self.dots, |dot| *dot, others, |dot| other.contains(dot), report);
        } else {
            self.dots.retain(|dot| {
                let stays = other.contains(*dot) || !others.contains(*dot);
                if !stays {
                    report(DotChange::Removed(*dot));
                }
                stays
            });
        }
        for dot in other.dots {
            // A dot that was seen here and is not held was removed. The tests are built once
            // with this rule left out, to see that they notice.
            let removed_here =
                !(cfg!(canary) || is_planted("forget-removals")) && own.contains(dot);
            if !removed_here && self.insert(dot) {
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
        if are_many(&self.dots) {
            return covered(&self.dots, |dot| *dot, others).len() as u64;
        }
        count_covered(self, others)
    }

    fn check_invariants(&self) {
        assert!(self.dots.is_sorted_by(|a, b| a < b), "dots are in ascending order");
    }
}

impl Split for DotSet {
    fn split(self, visit: &mut dyn FnMut(Dot, Self)) {
        self.dots.into_iter().for_each(|dot| visit(dot, dot.into()));
    }
}

impl EncodeStore for DotSet {
    /// The dots, in ascending order.
    fn encode_store(&self, _: Option<&Self>, out: &mut StoreWriter) {
        out.leaf(self.dots.iter().copied());
    }
}

impl DecodeStore for DotSet {
    const STORE_BYTES_MIN: usize = 0;

    fn decode_store(_: Option<&Self>, input: &mut StoreReader<'_>) -> Result<Self, DecodeError> {
        let mut leaf = input.leaf()?;
        let mut dots: SmallVec<[Dot; 1]> = SmallVec::new();
        while let Some(dot) = input.dot(&mut leaf)? {
            leaf.make_room(&mut dots);
            dots.push(dot);
        }
        Ok(Self { dots })
    }
}
