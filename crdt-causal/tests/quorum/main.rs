//! Quorums, hand-off and the breaker: the scenarios Q1 to Q6, with their numbers.

mod arithmetic;
mod errors;
mod q1_register;
mod q2_tunable;
mod q3_topology;
mod q4_handoff;
mod q5_breaker;
mod q6_majority;

use crdt_core::laws::cases;

/// SplitMix64 (Steele, Lea, Flood): every run is a function of its seed.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}

/// Every subset of `members` as bits.
fn subsets(members: usize) -> impl Iterator<Item = u32> {
    0..1 << members
}

/// The members of a subset.
fn members_of(subset: u32) -> impl Iterator<Item = usize> {
    (0..32).filter(move |member| subset >> member & 1 == 1)
}

/// The sets of a family that are enough and would not be with one replica less. Others only have more in
/// common.
fn least_sets(quorum: &crdt_causal::quorum::Quorum) -> Vec<u32> {
    let is_enough = |set: u32| quorum.is_met_by(members_of(set));
    let all = subsets(quorum.topology().replicas());
    all.filter(|set| is_enough(*set) && members_of(*set).all(|one| !is_enough(set & !(1 << one))))
        .collect()
}
