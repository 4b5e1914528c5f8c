//! Random causal histories.

use std::collections::BTreeMap;

use crdt_causal::delivery::Message;
use crdt_core::{Dot, ReplicaId};

/// SplitMix64 (Steele, Lea, Flood): every run is a function of its seed.
#[derive(Clone, Debug)]
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for end in (1..items.len()).rev() {
            items.swap(end, self.below(end as u64 + 1) as usize);
        }
    }
}

pub(crate) fn id(number: u64) -> ReplicaId {
    ReplicaId::from_u128(u128::from(number) + 1)
}

pub(crate) fn message(replica: u64, seq: u64, parents: &[(u64, u64)]) -> Message<Vec<u8>> {
    Message {
        dot: Dot::new(id(replica), seq),
        parents: parents.iter().map(|(replica, seq)| Dot::new(id(*replica), *seq)).collect(),
        payload: format!("{replica} {seq}").into_bytes(),
    }
}

/// Messages of `replicas` replicas, in a causal order. Each follows up to two messages of
/// others, which may be old.
pub(crate) fn history(random: &mut Random, replicas: u64, len: usize) -> Vec<Message<Vec<u8>>> {
    let mut last: BTreeMap<u64, u64> = BTreeMap::new();
    (0..len)
        .map(|_| {
            let replica = random.below(replicas);
            let mut parents = Vec::new();
            for _ in 0..random.below(3) {
                let other = random.below(replicas);
                let newest = last.get(&other).copied().unwrap_or(0);
                if other != replica && newest > 0 {
                    parents.push((other, newest - random.below(newest.min(5))));
                }
            }
            let seq = last.entry(replica).or_default();
            *seq += 1;
            message(replica, *seq, &parents)
        })
        .collect()
}
