use alloc::vec::Vec;
use core::cmp::Ordering;
use core::slice;

use super::slot::{Admission, Admissions, Slot};

/// A set of admitted events without gaps: of each server everything up to a position.
///
/// `partial_cmp` is set inclusion; [`join`](Self::join) is union and [`meet`](Self::meet)
/// intersection, so that cuts are a lattice. Comparing and joining are one pass through both, O(S)
/// for S servers, and what is compared lies side by side: some ten nanoseconds for eight servers.
///
/// A cut is any such set. That the cut which a server *has applied* is causally closed is the doing
/// of the server, which applies nothing before its causal past.
///
/// ```
/// use crdt_causal::cut::{Admission, Cut, Slot};
///
/// let (a, b) = (Slot(0), Slot(1));
/// let mut here = Cut::from_iter([(a, 3)]);
/// let there = Cut::from_iter([(a, 1), (b, 2)]);
/// assert!(here.concurrent_with(&there));
/// assert_eq!(there.ahead_of(&here), 2, "two events that are there and not here");
///
/// here.join(&there);
/// assert!(here >= there && here.contains(Admission::new(b, 2)));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Cut {
    /// Ascending by slot, without zeros, so that equal sets are equal vectors.
    last: Vec<(Slot, u64)>,
}

impl Cut {
    /// The cut of nothing.
    pub const fn new() -> Self {
        Self { last: Vec::new() }
    }

    /// The last position of a server, 0 if there is none.
    pub fn get(&self, slot: Slot) -> u64 {
        self.find(slot).map_or(0, |index| self.last[index].1)
    }

    /// Whether the event is in the cut.
    pub fn contains(&self, admission: Admission) -> bool {
        admission.position <= self.get(admission.slot)
    }

    /// How many servers have an event in the cut.
    pub fn len(&self) -> usize {
        self.last.len()
    }

    /// Whether no event is in the cut.
    pub fn is_empty(&self) -> bool {
        self.last.is_empty()
    }

    /// Takes in everything that a server admitted up to a position.
    pub fn observe(&mut self, slot: Slot, position: u64) {
        match self.find(slot) {
            Ok(index) => self.last[index].1 = self.last[index].1.max(position),
            Err(index) if position > 0 => self.last.insert(index, (slot, position)),
            Err(_) => {}
        }
    }

    /// Sets the last position of a server, forgetting what is beyond it.
    pub fn set(&mut self, slot: Slot, position: u64) {
        match self.find(slot) {
            Ok(index) if position == 0 => drop(self.last.remove(index)),
            Ok(index) => self.last[index].1 = position,
            Err(_) => self.observe(slot, position),
        }
    }

    /// Keeps the servers that `keep` wants kept.
    pub fn retain(&mut self, mut keep: impl FnMut(Slot) -> bool) {
        self.last.retain(|&(slot, _)| keep(slot));
    }

    /// Takes in what is in `other`.
    pub fn join(&mut self, other: &Self) {
        let both = self.last.iter_mut().zip(&other.last);
        let same = both
            .map_while(|(own, theirs)| (own.0 == theirs.0).then(|| own.1 = own.1.max(theirs.1)))
            .count();
        if same == other.last.len() {
            return;
        }
        // From there on one side has a server that the other has not.
        let own = self.last.split_off(same);
        let (mut own, mut theirs) =
            (own.into_iter().peekable(), other.last[same..].iter().copied().peekable());
        loop {
            let next = match (own.peek(), theirs.peek()) {
                (Some(mine), Some(other)) => match mine.0.cmp(&other.0) {
                    Ordering::Less => own.next(),
                    Ordering::Greater => theirs.next(),
                    Ordering::Equal => {
                        own.next().zip(theirs.next()).map(|(mine, other)| mine.max(other))
                    }
                },
                (Some(_), None) => own.next(),
                (None, _) => theirs.next(),
            };
            let Some(next) = next else { return };
            self.last.push(next);
        }
    }

    /// Takes in what is in `other` of the servers that are in here.
    pub(crate) fn join_where_present(&mut self, other: &Self) {
        let mut theirs = other.iter().peekable();
        for (slot, last) in &mut self.last {
            *last = (*last).max(position_of(&mut theirs, *slot));
        }
    }

    /// Keeps only what is in `other` too.
    pub fn meet(&mut self, other: &Self) {
        let mut theirs = other.iter().peekable();
        self.last.retain_mut(|(slot, last)| {
            *last = (*last).min(position_of(&mut theirs, *slot));
            *last > 0
        });
    }

    /// Whether everything in `other` is in here.
    #[inline]
    pub fn dominates(&self, other: &Self) -> bool {
        // Slots are given out from 0, so that a server's entry is mostly where its slot says.
        for &(slot, position) in &other.last {
            match self.last.get(usize::from(slot.0)) {
                Some(&(held, last)) if held == slot => {
                    if last < position {
                        return false;
                    }
                }
                _ => return self.dominates_wherever(other),
            }
        }
        true
    }

    /// The same where an entry may stand anywhere.
    #[inline(never)]
    fn dominates_wherever(&self, other: &Self) -> bool {
        let mut own = self.last.iter();
        'servers: for &(slot, position) in &other.last {
            for &(held, last) in own.by_ref() {
                match held.cmp(&slot) {
                    Ordering::Less => {}
                    Ordering::Equal if last >= position => continue 'servers,
                    _ => return false,
                }
            }
            return false;
        }
        true
    }

    /// Whether each side has an event that the other has not.
    pub fn concurrent_with(&self, other: &Self) -> bool {
        self.partial_cmp(other).is_none()
    }

    /// The events in here that are not in `other`.
    pub fn missing_from<'a>(&'a self, other: &'a Self) -> impl Iterator<Item = Admissions> + 'a {
        let mut theirs = other.iter().peekable();
        self.iter().filter_map(move |(slot, last)| {
            let first = position_of(&mut theirs, slot) + 1;
            (first <= last).then_some(Admissions { slot, first, last })
        })
    }

    /// How many events in here are not in `other`.
    pub fn ahead_of(&self, other: &Self) -> u64 {
        let counts = self.missing_from(other).map(|missing| missing.last - missing.first + 1);
        counts.fold(0, u64::saturating_add)
    }

    /// Each server with its last position, in the order of their slots.
    pub fn iter(&self) -> Iter<'_> {
        Iter(self.last.iter())
    }

    /// The same from a vector that ascends and has no zeros.
    pub(crate) fn from_ascending(last: Vec<(Slot, u64)>) -> Self {
        let cut = Self { last };
        debug_assert!(cut.is_canonical());
        cut
    }

    fn find(&self, slot: Slot) -> Result<usize, usize> {
        // Slots are given out from 0, so that a server's entry is mostly where its slot says.
        let guess = usize::from(slot.0);
        if self.last.get(guess).is_some_and(|&(held, _)| held == slot) {
            return Ok(guess);
        }
        self.last.binary_search_by_key(&slot, |&(slot, _)| slot)
    }

    fn is_canonical(&self) -> bool {
        self.last.iter().all(|&(_, position)| position > 0)
            && self.last.windows(2).all(|pair| pair[0].0 < pair[1].0)
    }

    /// Panics if the cut is not what it has to be. For tests.
    pub fn check_invariants(&self) {
        assert!(self.is_canonical(), "ascending, without zeros: {self:?}");
    }
}

/// The position of a server in entries of which those before it are no longer needed.
fn position_of(entries: &mut core::iter::Peekable<Iter<'_>>, slot: Slot) -> u64 {
    while entries.next_if(|&(held, _)| held < slot).is_some() {}
    entries.next_if(|&(held, _)| held == slot).map_or(0, |(_, position)| position)
}

/// Iterates over a [`Cut`]; see [`Cut::iter`].
#[derive(Clone, Debug)]
pub struct Iter<'a>(slice::Iter<'a, (Slot, u64)>);

impl Iterator for Iter<'_> {
    type Item = (Slot, u64);

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next().copied()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl ExactSizeIterator for Iter<'_> {}

impl<'a> IntoIterator for &'a Cut {
    type Item = (Slot, u64);
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

impl PartialOrd for Cut {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        match (self.dominates(other), other.dominates(self)) {
            (true, true) => Some(Ordering::Equal),
            (true, false) => Some(Ordering::Greater),
            (false, true) => Some(Ordering::Less),
            (false, false) => None,
        }
    }
}

impl FromIterator<(Slot, u64)> for Cut {
    fn from_iter<I: IntoIterator<Item = (Slot, u64)>>(entries: I) -> Self {
        let mut cut = Self::new();
        cut.extend(entries);
        cut
    }
}

/// Of several positions of a server the greatest stays.
impl Extend<(Slot, u64)> for Cut {
    fn extend<I: IntoIterator<Item = (Slot, u64)>>(&mut self, entries: I) {
        for (slot, position) in entries {
            self.observe(slot, position);
        }
    }
}

impl Extend<Admission> for Cut {
    fn extend<I: IntoIterator<Item = Admission>>(&mut self, entries: I) {
        self.extend(entries.into_iter().map(|Admission { slot, position }| (slot, position)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeSet;
    use crdt_core::laws::trials;
    use quickcheck::{Arbitrary, Gen};

    impl Arbitrary for Cut {
        fn arbitrary(g: &mut Gen) -> Self {
            let entries: Vec<(u8, u8)> = Arbitrary::arbitrary(g);
            // Few slots, some of them not in a row, and few positions: all cases are met.
            let slots = [0, 1, 2, 3, 7, 900];
            let entry = |(slot, position)| {
                (Slot(slots[usize::from(slot) % slots.len()]), u64::from(position % 4u8))
            };
            entries.into_iter().map(entry).collect()
        }
    }

    fn events(cut: &Cut) -> BTreeSet<Admission> {
        let all = |(slot, last)| (1..=last).map(move |position| Admission { slot, position });
        cut.iter().flat_map(all).collect()
    }

    /// Every operation against the plain set of events that a cut stands for.
    #[test]
    fn behaves_as_the_set_of_its_events() {
        fn law(a: Cut, b: Cut, slot: u8, position: u8) -> bool {
            let (set_a, set_b) = (events(&a), events(&b));
            let (mut joined, mut met, mut set) = (a.clone(), a.clone(), a.clone());
            joined.join(&b);
            met.meet(&b);
            let (slot, position) = (Slot(u16::from(slot % 9)), u64::from(position % 6));
            set.set(slot, position);
            for cut in [&joined, &met, &set] {
                cut.check_invariants();
            }
            let missing: BTreeSet<_> = a
                .missing_from(&b)
                .flat_map(|run| (run.first..=run.last).map(move |at| Admission::new(run.slot, at)))
                .collect();
            let mut set_after: BTreeSet<_> =
                set_a.iter().copied().filter(|event| event.slot != slot).collect();
            set_after.extend((1..=position).map(|position| Admission { slot, position }));
            events(&joined) == &set_a | &set_b
                && events(&met) == &set_a & &set_b
                && events(&set) == set_after
                && missing == &set_a - &set_b
                && a.ahead_of(&b) == missing.len() as u64
                && (a <= b) == set_a.is_subset(&set_b)
                && a.dominates(&b) == set_a.is_superset(&set_b)
                && (a == b) == (set_a == set_b)
                && a.concurrent_with(&b) == (!set_a.is_subset(&set_b) && !set_b.is_subset(&set_a))
                && a.contains(Admission { slot, position })
                    == (position == 0 || set_a.contains(&Admission { slot, position }))
                && a.len() == set_a.iter().map(|event| event.slot).collect::<BTreeSet<_>>().len()
        }
        trials().quickcheck(law as fn(_, _, _, _) -> _);
    }

    /// Union and intersection of sets are a lattice; and so these are.
    #[test]
    fn the_laws_of_a_lattice() {
        fn joined(a: &Cut, b: &Cut) -> Cut {
            let mut joined = a.clone();
            joined.join(b);
            joined
        }
        fn met(a: &Cut, b: &Cut) -> Cut {
            let mut met = a.clone();
            met.meet(b);
            met
        }
        fn law(a: Cut, b: Cut, c: Cut) -> bool {
            joined(&a, &b) == joined(&b, &a)
                && met(&a, &b) == met(&b, &a)
                && joined(&joined(&a, &b), &c) == joined(&a, &joined(&b, &c))
                && met(&met(&a, &b), &c) == met(&a, &met(&b, &c))
                && joined(&a, &a) == a
                && met(&a, &a) == a
                && joined(&a, &met(&a, &b)) == a
                && met(&a, &joined(&a, &b)) == a
        }
        trials().quickcheck(law as fn(_, _, _) -> _);
    }

    #[test]
    fn many_servers_that_came_in_no_order() {
        let mut cut = Cut::new();
        for slot in (0..1000u16).rev() {
            cut.observe(Slot(slot.wrapping_mul(613)), u64::from(slot) + 1);
            cut.check_invariants();
        }
        assert_eq!((cut.len(), cut.get(Slot(0)), cut.get(Slot(613))), (1000, 1, 2));
        cut.retain(|slot| slot.0 % 2 == 0);
        assert_eq!(cut.get(Slot(613)), 0);
    }
}
