//! This library.

use crdt_core::{ReplicaId, Writer};

pub(crate) mod counter;
pub(crate) mod list;
pub(crate) mod lww;
pub(crate) mod map;
pub(crate) mod set;
pub(crate) mod tree;

const WRITERS: u64 = 10;

fn replica(number: u64) -> ReplicaId {
    // As random as the ids that are minted are.
    let spread = u128::from(number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
    ReplicaId::from_u128(spread)
}

/// The writers, who take turns.
fn writers(make: impl Fn(ReplicaId) -> Writer) -> Vec<Writer> {
    (0..WRITERS).map(|number| make(replica(number))).collect()
}

fn keys(count: u64) -> Vec<String> {
    (0..count).map(|number| format!("key-{number:06}")).collect()
}
