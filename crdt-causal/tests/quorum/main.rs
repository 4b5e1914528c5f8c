//! Quorums, hand-off and the breaker: the scenarios Q1 to Q6, with their numbers.

mod arithmetic;

/// Every subset of `members` as bits.
fn subsets(members: usize) -> impl Iterator<Item = u32> {
    0..1 << members
}

/// The members of a subset.
fn members_of(subset: u32) -> impl Iterator<Item = usize> {
    (0..32).filter(move |member| subset >> member & 1 == 1)
}
