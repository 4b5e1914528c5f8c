//! Numbers of one replica that were given up.

use alloc::vec::Vec;

/// Ranges of sequence numbers: ascending, apart, both ends included.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Holes(Vec<(u64, u64)>);

impl Holes {
    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) const fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = (u64, u64)> + '_ {
        self.0.iter().copied()
    }

    pub(super) fn contains(&self, seq: u64) -> bool {
        self.last_from(seq).is_some()
    }

    /// The last number of the range that holds `seq`, if one does.
    pub(super) fn last_from(&self, seq: u64) -> Option<u64> {
        let at = self.0.partition_point(|(_, last)| *last < seq);
        let (first, last) = *self.0.get(at)?;
        (first <= seq).then_some(last)
    }

    /// Takes in a range. Those that it overlaps or touches become one with it.
    pub(super) fn add(&mut self, first: u64, last: u64) {
        let from = self.0.partition_point(|(_, end)| end.saturating_add(1) < first);
        let to = self.0.partition_point(|(start, _)| *start <= last.saturating_add(1));
        let joined = self.0[from..to]
            .iter()
            .fold((first, last), |sum, range| (sum.0.min(range.0), sum.1.max(range.1)));
        self.0.splice(from..to, [joined]);
    }

    /// Takes out a number.
    pub(super) fn remove(&mut self, seq: u64) {
        let at = self.0.partition_point(|(_, last)| *last < seq);
        let Some(&(first, last)) = self.0.get(at) else { return };
        if first > seq {
            return;
        }
        let before = (first < seq).then(|| (first, seq - 1));
        let after = (seq < last).then(|| (seq + 1, last));
        self.0.splice(at..=at, before.into_iter().chain(after));
    }

    /// The parts of `first..=last` that are in no range.
    pub(super) fn outside(&self, first: u64, last: u64) -> impl Iterator<Item = (u64, u64)> + '_ {
        let from = self.0.partition_point(|(_, end)| *end < first);
        let within = self.0[from..].iter().take_while(move |(start, _)| *start <= last);
        let ends = core::iter::once((last + 1, last));
        let mut next = first;
        within.copied().chain(ends).filter_map(move |(start, end)| {
            let part = (next < start).then(|| (next, start - 1));
            next = next.max(end + 1);
            part
        })
    }

    /// Panics unless the ranges are in order and apart.
    pub(super) fn check_invariants(&self) {
        assert!(self.0.iter().all(|(first, last)| *first >= 1 && first <= last));
        assert!(self.0.windows(2).all(|pair| pair[0].1 + 1 < pair[1].0), "holes are apart");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeSet;
    use crdt_core::laws::trials;

    /// A set of numbers does the same.
    #[test]
    fn behaves_as_a_set_of_numbers() {
        fn law(steps: Vec<(bool, u8, u8)>) -> bool {
            let (mut holes, mut set) = (Holes::default(), BTreeSet::new());
            for (add, first, len) in steps {
                let (first, last) =
                    (u64::from(first) + 1, u64::from(first) + 1 + u64::from(len % 8));
                if add {
                    holes.add(first, last);
                    set.extend(first..=last);
                } else {
                    holes.remove(first);
                    set.remove(&first);
                }
                holes.check_invariants();
                let held: BTreeSet<u64> = holes.iter().flat_map(|(from, to)| from..=to).collect();
                assert_eq!(held, set);
                assert!((0..300).all(|seq| holes.contains(seq) == set.contains(&seq)));
                let outside: Vec<u64> =
                    holes.outside(first, last + 20).flat_map(|(from, to)| from..=to).collect();
                let plain: Vec<u64> =
                    (first..=last + 20).filter(|seq| !set.contains(seq)).collect();
                assert_eq!(outside, plain);
            }
            true
        }
        trials().quickcheck(law as fn(_) -> _);
    }
}
