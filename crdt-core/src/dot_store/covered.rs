//! Which of many dots a context covers, where it covers few of them.
//!
//! Whoever writes where many have written at once, and has seen none of them, would else cost each
//! receiver a look at all of them.

use alloc::vec::Vec;

use smallvec::{Array, SmallVec};

use super::DotChange;
use crate::Dot;
use crate::causality::CausalContext;

/// Of so many a look at each is the shortest way.
const FEW: usize = 16;

/// Whether there are so many entries that those that a context covers are better looked up.
pub(super) const fn are_many<T>(entries: &[T]) -> bool {
    entries.len() > FEW
}

/// The places of the entries whose dots the context covers. The entries are in ascending order of dots; O(r log n) for n of
/// them and r runs in the context, or O(n log r) if that is less.
pub(super) fn covered<T>(
    entries: &[T],
    dot_of: impl Fn(&T) -> Dot,
    context: &CausalContext,
) -> Vec<usize> {
    if context.ranges().nth(entries.len() / 8).is_some() {
        let all = entries.iter().enumerate();
        return all
            .filter(|(_, entry)| context.contains(dot_of(entry)))
            .map(|(at, _)| at)
            .collect();
    }
    let mut places = Vec::new();
    for range in context.ranges() {
        let [first, last] = [range.first, range.last].map(|seq| Dot::new(range.replica, seq));
        let from = entries.partition_point(|entry| dot_of(entry) < first);
        let rest = entries[from..].iter().take_while(|entry| dot_of(entry) <= last);
        places.extend((from..).zip(rest).map(|(at, _)| at));
    }
    places
}

/// Drops the entries that the other side has seen and no longer `holds`.
#[cold]
pub(super) fn drop_covered<A: Array>(
    entries: &mut SmallVec<A>,
    dot_of: impl Fn(&A::Item) -> Dot,
    others: &CausalContext,
    holds: impl Fn(Dot) -> bool,
    report: &mut dyn FnMut(DotChange),
) {
    let mut places = covered(entries, &dot_of, others);
    places.retain(|&at| {
        let dot = dot_of(&entries[at]);
        let goes = !holds(dot);
        if goes {
            report(DotChange::Removed(dot));
        }
        goes
    });
    take_out(entries, &places);
}

/// Takes out the entries at these places, which ascend.
fn take_out<A: Array>(entries: &mut SmallVec<A>, places: &[usize]) {
    if let [place] = *places {
        entries.remove(place);
    } else if !places.is_empty() {
        let (mut at, mut next) = (0, places.iter().peekable());
        entries.retain(|_| {
            let goes = next.next_if(|place| **place == at).is_some();
            at += 1;
            !goes
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ReplicaId;
    use crate::dot_store::{DotFun, DotSet, DotStore};
    use crate::laws::trials;
    use alloc::collections::BTreeSet;

    fn name((replica, seq): (u8, u8)) -> Dot {
        Dot::new(ReplicaId::from_u128(u128::from(replica % 8)), u64::from(seq % 32) + 1)
    }

    /// Stores of as many dots as one likes join as they are defined to.
    #[test]
    fn joins_are_what_they_are_defined_to_be() {
        fn law(held: [Vec<(u8, u8)>; 2], gone: [Vec<(u8, u8)>; 2]) -> bool {
            let held = held.map(|dots| dots.into_iter().map(name).collect::<BTreeSet<Dot>>());
            let [own, others] = [0, 1].map(|side| {
                let gone = gone[side].iter().copied().map(name);
                held[side].iter().copied().chain(gone).collect::<CausalContext>()
            });
            let stays = |dot: &Dot| held[1].contains(dot) || !others.contains(*dot);
            let comes = |dot: &Dot| !own.contains(*dot);
            let kept = held[0].iter().copied().filter(stays);
            let joined: BTreeSet<Dot> = kept.chain(held[1].iter().copied().filter(comes)).collect();
            let changed = |changes: &[DotChange]| {
                let mut told = held[0].clone();
                changes.iter().all(|change| match change {
                    DotChange::Removed(dot) => told.remove(dot),
                    DotChange::Added(dot) => told.insert(*dot),
                    DotChange::Redacted(_) => false,
                }) && told == joined
            };
            let (mut sets, mut funs) = (Vec::new(), Vec::new());
            let [mut set, other] =
                [0, 1].map(|side| held[side].iter().copied().collect::<DotSet>());
            set.join(&own, other, &others, &mut |change| sets.push(change));
            let [mut fun, other] = [0, 1].map(|side| {
                let mut fun = DotFun::new();
                held[side].iter().for_each(|dot| assert!(fun.insert(*dot, dot.seq)));
                fun
            });
            fun.join(&own, other, &others, &mut |change| funs.push(change));
            set.dots().iter().eq(&joined)
                && fun.entries().iter().map(|(dot, _)| dot).eq(&joined)
                && changed(&sets)
                && changed(&funs)
        }
        trials().quickcheck(law as fn(_, _) -> _);
    }

    #[test]
    fn from_seventeen_on_there_are_many() {
        assert!(!are_many::<u8>(&[]) && !are_many(&[0; 16]));
        assert!(are_many(&[0; 17]) && are_many(&[0; 100]));
    }

    #[test]
    fn few_runs_are_looked_up_with_their_ends() {
        let dots = |range: core::ops::RangeInclusive<u8>| range.map(|seq| name((1, seq - 1)));
        let held: Vec<Dot> = dots(1..=32).collect();
        for (first, last) in [(1, 1), (10, 20), (32, 32), (1, 32)] {
            let context: CausalContext = dots(first..=last).collect();
            let places = covered(&held, |dot| *dot, &context);
            assert!(places.into_iter().eq(usize::from(first - 1)..usize::from(last)));
        }
    }

    #[test]
    fn both_ways_find_the_same() {
        fn law(held: BTreeSet<(u8, u8)>, seen: Vec<(u8, u8)>) -> bool {
            let held: BTreeSet<Dot> = held.into_iter().map(name).collect();
            let mut entries: SmallVec<[Dot; 1]> = held.iter().copied().collect();
            let context: CausalContext = seen.into_iter().map(name).collect();
            let places = covered(&entries, |dot| *dot, &context);
            let found: Vec<Dot> = places.iter().map(|&at| entries[at]).collect();
            let (goes, stays): (Vec<Dot>, Vec<Dot>) =
                held.iter().partition(|dot| context.contains(**dot));
            take_out(&mut entries, &places);
            found == goes && entries[..] == stays
        }
        trials().quickcheck(law as fn(_, _) -> _);
    }
}
