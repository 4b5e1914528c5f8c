use core::hash::{Hash, Hasher};

use super::VersionVector;
use crate::collections::{OrderedMap, Place};
use crate::{Dot, DotRange, ReplicaId};

/// Any set of [`Dot`]s, with or without gaps, held as runs of consecutive dots.
///
/// It is the part of a [`CausalContext`](super::CausalContext) that a version vector cannot
/// express: what arrived ahead of its turn. A run costs 32 bytes however long it is;
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
#[derive(Clone, Debug)]
pub struct DotCloud {
    runs: Runs,
}

/// Runs that neither overlap nor touch.
#[derive(Clone, Debug)]
enum Runs {
    /// The only one, in place: what most deltas tell.
    One(DotRange),
    /// The last dot of each, with the number of its first.
    Many(OrderedMap<Dot, u64>),
}

impl DotCloud {
    /// The set of no dots.
    pub const fn new() -> Self {
        Self { runs: Runs::Many(OrderedMap::new()) }
    }

    /// Whether there is no dot.
    pub fn is_empty(&self) -> bool {
        matches!(&self.runs, Runs::Many(runs) if runs.is_empty())
    }

    /// Whether `dot` is in the set.
    pub fn contains(&self, dot: Dot) -> bool {
        match &self.runs {
            Runs::One(run) => run.contains(dot),
            Runs::Many(runs) => runs.seek(&dot).is_some_and(|place| {
                let &(last, first) = runs.at(place);
                last.replica == dot.replica && first <= dot.seq
            }),
        }
    }

    /// Adds a dot; whether it was absent. A dot numbered 0 names no event and is ignored.
    pub fn insert(&mut self, dot: Dot) -> bool {
        if dot.seq == 0 {
            return false;
        }
        if let Runs::One(run) = &mut self.runs
            && run.replica == dot.replica
            && run.last + 1 == dot.seq
        {
            run.last = dot.seq;
            return true;
        }
        if self.is_empty() {
            self.runs = Runs::One(DotRange::new(dot.replica, dot.seq, dot.seq));
            return true;
        }
        let runs = self.many();
        let after = runs.seek(&dot);
        let (mut is_before_next, mut is_behind_last) = (false, false);
        if let Some(place) = after {
            let &(last, first) = runs.at(place);
            if last.replica == dot.replica && first <= dot.seq {
                return false;
            }
            is_before_next = last.replica == dot.replica && first == dot.seq + 1;
        }
        let before = runs.before(after);
        if let Some(place) = before {
            is_behind_last = runs.at(place).0.next() == Some(dot);
        }
        match (before.filter(|_| is_behind_last), after.filter(|_| is_before_next)) {
            (Some(before), Some(after)) => {
                runs.at_mut(after).1 = runs.at(before).1;
                runs.remove_at(before);
            }
            (Some(before), None) => runs.at_mut(before).0 = dot,
            (None, Some(after)) => runs.at_mut(after).1 = dot.seq,
            (None, None) => drop(runs.insert(dot, dot.seq)),
        }
        true
    }

    /// As [`insert`](Self::insert), for the next of dots that mostly follow each other; `near`
    /// tells where the last of them is.
    pub(crate) fn insert_near(&mut self, dot: Dot, near: &mut Place) {
        if let Runs::Many(runs) = &mut self.runs {
            let follows = |&(last, _): &(Dot, u64)| last.next() == Some(dot);
            let next = runs.after(*near);
            // The run behind it may not begin where this one comes to end.
            let is_free =
                |&(last, first): &(Dot, u64)| last.replica != dot.replica || first > dot.seq + 1;
            if runs.try_at(*near).is_some_and(follows) && runs.try_at(next).is_none_or(is_free) {
                runs.at_mut(*near).0 = dot;
                return;
            }
        }
        self.insert(dot);
        if let Runs::Many(runs) = &self.runs
            && let Some(place) = runs.seek(&dot)
        {
            *near = place;
        }
    }

    /// Adds every dot of a range. Costs O(log n) for each run that it swallows.
    pub fn insert_range(&mut self, range: DotRange) {
        if self.is_empty() {
            self.runs = Runs::One(range);
            return;
        }
        let runs = self.many();
        let (mut first, mut last) = (range.first, range.last);
        // Whatever overlaps the range or touches it becomes one run with it.
        while let Some(place) = runs.seek(&Dot::new(range.replica, first - 1)) {
            let &(end, start) = runs.at(place);
            if end.replica != range.replica || start > last.saturating_add(1) {
                break;
            }
            runs.remove_at(place);
            first = first.min(start);
            last = last.max(end.seq);
        }
        runs.insert(Dot::new(range.replica, last), first);
    }

    /// Takes a dot out; whether it was there.
    pub fn remove(&mut self, dot: Dot) -> bool {
        let place = self.many().seek(&dot);
        place.is_some_and(|place| self.remove_from(place, dot))
    }

    /// As [`remove`](Self::remove), of dots that mostly follow each other; `near` tells in which run the last of them was.
    pub(crate) fn remove_near(&mut self, dot: Dot, near: &mut Place) -> bool {
        let has_it = |&(last, first): &(Dot, u64)| {
            last.replica == dot.replica && first <= dot.seq && dot.seq <= last.seq
        };
        let runs = self.many();
        if !runs.try_at(*near).is_some_and(has_it) {
            let Some(place) = runs.seek(&dot) else { return false };
            *near = place;
        }
        self.remove_from(*near, dot)
    }

    /// Takes a dot out of the first run that does not end before it, if it is in there.
    fn remove_from(&mut self, place: Place, dot: Dot) -> bool {
        let runs = self.many();
        let (last, first) = runs.at_mut(place);
        if last.replica != dot.replica || *first > dot.seq {
            return false;
        }
        match (*first == dot.seq, *last == dot) {
            (true, true) => drop(runs.remove_at(place)),
            (true, false) => *first += 1,
            (false, true) => last.seq -= 1,
            (false, false) => {
                let first = core::mem::replace(first, dot.seq + 1);
                runs.insert(Dot::new(dot.replica, dot.seq - 1), first);
            }
        }
        true
    }

    /// The runs, in ascending order.
    pub fn ranges(&self) -> impl DoubleEndedIterator<Item = DotRange> + '_ {
        self.ranges_from(Dot::new(ReplicaId::from_u128(0), 0))
    }

    /// The runs of one replica, in ascending order.
    pub fn ranges_of(&self, replica: ReplicaId) -> impl Iterator<Item = DotRange> + '_ {
        self.ranges_from(Dot::new(replica, 0)).take_while(move |range| range.replica == replica)
    }

    /// The number of the replica's last dot, 0 if it has none.
    pub(super) fn last_seq(&self, replica: ReplicaId) -> u64 {
        match &self.runs {
            Runs::One(run) => (run.replica == replica).then_some(run.last),
            Runs::Many(runs) => {
                let behind = runs.seek(&Dot::new(replica, u64::MAX));
                let last = runs.before(behind).map(|place| runs.at(place).0);
                last.filter(|last| last.replica == replica).map(|last| last.seq)
            }
        }
        .unwrap_or(0)
    }

    /// The replicas that have a dot in the set, in ascending order.
    pub fn replicas(&self) -> impl Iterator<Item = ReplicaId> + '_ {
        let mut last = None;
        self.ranges()
            .map(|range| range.replica)
            .filter(move |&replica| last.replace(replica) != Some(replica))
    }

    /// How many dots of `range` are in the set.
    pub(crate) fn count_in(&self, range: DotRange) -> u64 {
        self.ranges_in(range).map(|run| run.last - run.first + 1).sum()
    }

    /// The dots of `range` that are in the set.
    pub(crate) fn ranges_in(&self, range: DotRange) -> impl Iterator<Item = DotRange> {
        self.ranges_from(Dot::new(range.replica, range.first))
            .take_while(move |run| run.replica == range.replica && run.first <= range.last)
            .map(move |run| {
                let [first, last] = [run.first.max(range.first), run.last.min(range.last)];
                DotRange::new(run.replica, first, last)
            })
    }

    /// Takes out what `vector` covers, and lets `vector` grow over the runs that continue it.
    pub(super) fn drain_into(&mut self, vector: &mut VersionVector) {
        if self.is_empty() {
            return;
        }
        self.many().retain(|&last, first| {
            let continues = *first <= vector.get(last.replica) + 1;
            if continues {
                vector.observe(last.replica, last.seq);
            }
            !continues
        });
    }

    /// As [`drain_into`](Self::drain_into), for one replica.
    pub(super) fn drain_replica_into(&mut self, replica: ReplicaId, vector: &mut VersionVector) {
        if self.is_empty() {
            return;
        }
        let runs = self.many();
        while let Some(place) = runs.seek(&Dot::new(replica, 0)) {
            let &(last, first) = runs.at(place);
            if last.replica != replica || first > vector.get(replica) + 1 {
                break;
            }
            runs.remove_at(place);
            vector.observe(replica, last.seq);
        }
    }

    /// Panics if two runs overlap or touch, or one is empty.
    pub fn check_invariants(&self) {
        let mut previous: Option<DotRange> = None;
        for run in self.ranges() {
            assert!(run.first >= 1 && run.first <= run.last, "no run is empty");
            if let Some(previous) = previous.replace(run).filter(|p| p.replica == run.replica) {
                assert!(run.first > previous.last + 1, "runs neither overlap nor touch");
            }
        }
    }

    /// The runs that end at a dot or behind it, in ascending order.
    fn ranges_from(&self, dot: Dot) -> impl DoubleEndedIterator<Item = DotRange> + '_ {
        let (one, many) = match &self.runs {
            Runs::One(run) => {
                (Some(*run).filter(|run| Dot::new(run.replica, run.last) >= dot), None)
            }
            Runs::Many(runs) => (None, Some(runs.range(dot..))),
        };
        let many = many.into_iter().flatten();
        one.into_iter().chain(many.map(|(last, &first)| DotRange {
            replica: last.replica,
            first,
            last: last.seq,
        }))
    }

    fn many(&mut self) -> &mut OrderedMap<Dot, u64> {
        if let Runs::One(run) = self.runs {
            self.runs = Runs::Many([(Dot::new(run.replica, run.last), run.first)].into());
        }
        match &mut self.runs {
            Runs::Many(runs) => runs,
            Runs::One(_) => unreachable!("it was made many"),
        }
    }
}

impl Default for DotCloud {
    fn default() -> Self {
        Self::new()
    }
}

impl PartialEq for DotCloud {
    fn eq(&self, other: &Self) -> bool {
        self.ranges().eq(other.ranges())
    }
}

impl Eq for DotCloud {}

impl Hash for DotCloud {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.ranges().for_each(|range| range.hash(state));
        u8::MAX.hash(state);
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
    use crate::laws::trials;
    use alloc::collections::BTreeSet;
    use alloc::vec::Vec;

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
            // Where the last of them was put, whatever happened there since.
            let mut near = Place::START;
            steps.into_iter().all(|(kind, name, len)| {
                let dot = dot(name);
                let last = dot.seq + u64::from(len % 8);
                let range = dot.seq..=last;
                let agreed = match kind % 5 {
                    4 => cloud.remove_near(dot, &mut near) == model.remove(&dot),
                    0 => cloud.insert(dot) == (dot.seq > 0 && model.insert(dot)),
                    1 => cloud.remove(dot) == model.remove(&dot),
                    2 => {
                        cloud.insert_near(dot, &mut near);
                        if dot.seq > 0 {
                            model.insert(dot);
                        }
                        true
                    }
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
        trials().quickcheck(law as fn(_) -> _);
    }

    fn cloud_of(runs: &[(u64, u64)]) -> DotCloud {
        let id = ReplicaId::from_u128(1);
        let runs = runs.iter().map(|&(first, last)| (Dot::new(id, last), first)).collect();
        DotCloud { runs: Runs::Many(runs) }
    }

    #[test]
    #[should_panic(expected = "runs neither overlap nor touch")]
    fn runs_that_touch_are_noticed() {
        cloud_of(&[(3, 4), (5, 6)]).check_invariants();
    }

    #[test]
    #[should_panic(expected = "no run is empty")]
    fn an_empty_run_is_noticed() {
        cloud_of(&[(5, 4)]).check_invariants();
    }

    #[test]
    #[should_panic(expected = "no run is empty")]
    fn a_run_before_the_first_event_is_noticed() {
        cloud_of(&[(0, 4)]).check_invariants();
    }
}
