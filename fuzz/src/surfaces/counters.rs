//! `GCounter` and `PnCounter`, states and deltas.

use crdt_core::{GCounter, PnCounter};

use super::replicas;
use crate::values::{encode, join};

/// Decodes and joins counters; the value is defined whatever the cells hold.
pub fn run(bytes: &[u8]) {
    join::<GCounter>(bytes, |counter| {
        counter.check_invariants();
        counter.value();
    });
    join::<PnCounter>(bytes, |counter| {
        counter.check_invariants();
        counter.value();
    });
}

/// States, and states with a delta behind them.
pub fn seeds() -> Vec<Vec<u8>> {
    let mut grow_only = GCounter::default();
    let mut pn = PnCounter::default();
    for (replica, amount) in replicas().into_iter().zip([1, 500, i64::MAX]) {
        grow_only.apply(replica, amount.unsigned_abs()).expect("far from the end");
        pn.apply(replica, amount).expect("far from the end");
        pn.apply(replica, -amount).expect("far from the end");
    }
    let states = [encode(&grow_only), encode(&pn)];
    let twice = |choice: u8, state: &[u8]| [&[choice], state, state].concat();
    states.iter().flat_map(|state| [twice(0, state), twice(1, state)]).collect()
}
