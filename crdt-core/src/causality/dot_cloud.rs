use super::VersionVector;
use crate::collections::OrderedMap;
use crate::{Dot, DotRange, ReplicaId};

/// Any set of [`Dot`]s, with or without gaps, held as runs of consecutive dots.
///
/// It is the part of a [`CausalContext`](super::CausalContext) that a version vector cannot
/// express: what arrived ahead of its turn. A run costs 16 bytes however long it is;
/// look-ups and changes cost O(log n) for n runs.
///
/// ```
/// use crdt_core::causality::DotCloud;
/// use crdt_core::{Dot, DotRange, ReplicaId};
///
/// let a = ReplicaId::from_u128(1);
/// let mut cloud = DotCloud::from_iter([Dot::new(a, 3), Dot::new(a, 5)]);
/// cloud.insert(Dot::new(a, 4));
/// assert_eq!(cloud.ranges().collect::<Vec<_>>(), [DotRange::new(a, 3, 5)]);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct DotCloud {
    // For each replica, from the first dot of a run to its last. Runs neither overlap nor
    // touch, and no replica is without one, so that equal sets are equal maps.
    runs: OrderedMap<ReplicaId, OrderedMap<u64, u64>>,
}

impl DotCloud {
    /// The set of no dots.
    pub const fn new() -> Self {
        Self { runs: OrderedMap::new() }
    }

    /// Whether there is no dot.
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// Whether `dot` is in the set.
    pub fn contains(&self, dot: Dot) -> bool {
        self.run_at(dot).is_some()
    }

    /// Adds a dot; whether it was absent. A dot numbered 0 names no event and is ignored.
    pub fn insert(&mut self, dot: Dot) -> bool {
        if dot.seq == 0 || self.contains(dot) {
            return false;
        }
        self.insert_range(DotRange::new(dot.replica, dot.seq, dot.seq));
        true
    }

    /// Adds every dot of a range. Costs O(log n) for each run that it swallows.
    pub fn insert_range(&mut self, range: DotRange) {
        let runs = self.runs.entry(range.replica).or_default();
        let (mut first, mut last) = (range.first, range.last);
        // Whatever overlaps the range or touches it becomes one run with it.
        while let Some((&run_first, &run_last)) = runs.range(..=last.saturating_add(1)).next_back()
        {
            if run_last.saturating_add(1) < first {
                break;
            }
            runs.remove(&run_first);
            first = first.min(run_first);
            last = last.max(run_last);
        }
        runs.insert(first, last);
    }

    /// Takes a dot out; whether it was there.
    pub fn remove(&mut self, dot: Dot) -> bool {
        let Some(range) = self.run_at(dot) else { return false };
        let runs = self.runs.get_mut(&dot.replica).expect("the run was found");
        runs.remove(&range.first);
        if range.first < dot.seq {
            runs.insert(range.first, dot.seq - 1);
        }
        if dot.seq < range.last {
            runs.insert(dot.seq + 1, range.last);
        }
        if runs.is_empty() {
            self.runs.remove(&dot.replica);
        }
        true
    }

    /// The runs, in ascending order.
    pub fn ranges(&self) -> impl Iterator<Item = DotRange> + '_ {
        self.runs.iter().flat_map(|(&replica, runs)| {
            runs.iter().map(move |(&first, &last)| DotRange::new(replica, first, last))
        })
    }

    /// The runs of one replica, in ascending order.
    pub fn ranges_of(&self, replica: ReplicaId) -> impl Iterator<Item = DotRange> + '_ {
        self.runs
            .get(&replica)
            .into_iter()
            .flatten()
            .map(move |(&first, &last)| DotRange::new(replica, first, last))
    }

    /// The replicas that have a dot in the set, in ascending order.
    pub fn replicas(&self) -> impl Iterator<Item = ReplicaId> + '_ {
        self.runs.keys().copied()
    }

    /// How many dots of `range` are in the set.
    pub(crate) fn count_in(&self, range: DotRange) -> u64 {
        let Some(runs) = self.runs.get(&range.replica) else { return 0 };
        runs.range(..=range.last)
            .rev()
            .take_while(|&(_, &last)| last >= range.first)
            .map(|(&first, &last)| last.min(range.last) - first.max(range.first) + 1)
            .sum()
    }

    /// Takes out what `vector` covers, and lets `vector` grow over the runs that continue it.
    pub(super) fn drain_into(&mut self, vector: &mut VersionVector) {
        self.runs.retain(|&replica, runs| {
            while let Some(run) = runs.first_entry() {
                if *run.key() > vector.get(replica) + 1 {
                    break;
                }
                vector.observe(replica, run.remove());
            }
            !runs.is_empty()
        });
    }

    /// As [`drain_into`](Self::drain_into), for one replica.
    pub(super) fn drain_replica_into(&mut self, replica: ReplicaId, vector: &mut VersionVector) {
        let Some(runs) = self.runs.get_mut(&replica) else { return };
        while let Some(run) = runs.first_entry() {
            if *run.key() > vector.get(replica) + 1 {
                return;
            }
            vector.observe(replica, run.remove());
        }
        self.runs.remove(&replica);
    }

    /// Panics if two runs overlap or touch, or one is empty.
    pub fn check_invariants(&self) {
        for runs in self.runs.values() {
            assert!(!runs.is_empty(), "a replica without dots is not in the map");
            let mut next_free = 1;
            for (&first, &last) in runs {
                assert!(first >= next_free && first <= last, "runs neither overlap nor touch");
                next_free = last + 2;
            }
        }
    }

    fn run_at(&self, dot: Dot) -> Option<DotRange> {
        let (&first, &last) = self.runs.get(&dot.replica)?.range(..=dot.seq).next_back()?;
        (dot.seq <= last).then(|| DotRange::new(dot.replica, first, last))
    }
}

impl FromIterator<Dot> for DotCloud {
    fn from_iter<I: IntoIterator<Item = Dot>>(dots: I) -> Self {
        let mut cloud = Self::new();
        cloud.extend(dots);
        cloud
    }
}

impl Extend<Dot> for DotCloud {
    fn extend<I: IntoIterator<Item = Dot>>(&mut self, dots: I) {
        for dot in dots {
            self.insert(dot);
        }
    }
}

impl FromIterator<DotRange> for DotCloud {
    fn from_iter<I: IntoIterator<Item = DotRange>>(ranges: I) -> Self {
        let mut cloud = Self::new();
        cloud.extend(ranges);
        cloud
    }
}

impl Extend<DotRange> for DotCloud {
    fn extend<I: IntoIterator<Item = DotRange>>(&mut self, ranges: I) {
        for range in ranges {
            self.insert_range(range);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeSet;
    use alloc::vec::Vec;
    use quickcheck::QuickCheck;

    fn dot((replica, seq): (u8, u8)) -> Dot {
        Dot::new(ReplicaId::from_u128(u128::from(replica % 3)), u64::from(seq % 16))
    }

    fn dots(cloud: &DotCloud) -> BTreeSet<Dot> {
        cloud
            .ranges()
            .flat_map(|r| (r.first..=r.last).map(move |s| Dot::new(r.replica, s)))
            .collect()
    }

    /// Insertions of dots and ranges, and removals, against a plain set of dots.
    #[test]
    fn behaves_as_the_set_of_its_dots() {
        fn law(steps: Vec<(u8, (u8, u8), u8)>) -> bool {
            let (mut cloud, mut model) = (DotCloud::new(), BTreeSet::new());
            steps.into_iter().all(|(kind, name, len)| {
                let dot = dot(name);
                let last = dot.seq + u64::from(len % 8);
                let range = dot.seq..=last;
                let agreed = match kind % 3 {
                    0 => cloud.insert(dot) == (dot.seq > 0 && model.insert(dot)),
                    1 => cloud.remove(dot) == model.remove(&dot),
                    _ if dot.seq > 0 => {
                        let named = range.clone().map(|seq| Dot::new(dot.replica, seq));
                        let held = named.clone().filter(|dot| model.contains(dot)).count();
                        let range = DotRange::new(dot.replica, dot.seq, last);
                        let counted = cloud.count_in(range);
                        cloud.insert_range(range);
                        model.extend(named);
                        counted == held as u64
                    }
                    _ => true,
                };
                cloud.check_invariants();
                agreed
                    && dots(&cloud) == model
                    && cloud == model.iter().copied().collect()
                    && range.clone().all(|seq| {
                        let dot = Dot::new(dot.replica, seq);
                        cloud.contains(dot) == model.contains(&dot)
                    })
            })
        }
        QuickCheck::new().tests(crate::test_support::cases()).quickcheck(law as fn(_) -> _);
    }
}
