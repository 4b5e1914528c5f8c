//! Which of many dots a context covers, where it covers few of them.
//!
//! Whoever writes where many have written at once, and has seen none of them, would else cost each
//! receiver a look at all of them.

use alloc::vec::Vec;

use smallvec::{Array, SmallVec};

use crate::Dot;
use crate::causality::CausalContext;

/// Of so many a look at each is the shortest way.
pub(super) const FEW: usize = 16;

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

/// Takes out the entries at these places, which ascend.
pub(super) fn take_out<A: Array>(entries: &mut SmallVec<A>, places: &[usize]) {
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
    use crate::laws::trials;
    use alloc::collections::BTreeSet;

    #[test]
    fn both_ways_find_the_same() {
        fn law(held: BTreeSet<(u8, u8)>, seen: Vec<(u8, u8)>) -> bool {
            let name = |(replica, seq): (u8, u8)| {
                Dot::new(ReplicaId::from_u128(u128::from(replica % 8)), u64::from(seq % 32) + 1)
            };
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
