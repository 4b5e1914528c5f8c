//! `BoundedCounter`, states and deltas.

use crdt_core::BoundedCounter;

use super::replicas;
use crate::values::{encode, join};

/// Decodes and joins counters; value and rights are defined whatever the cells hold.
pub fn run(bytes: &[u8]) {
    join::<BoundedCounter>(bytes, |counter| {
        counter.check_invariants();
        counter.value();
        for replica in replicas() {
            counter.rights_of(replica);
        }
    });
}

/// States, and states with the delta of each kind of change.
pub fn seeds() -> Vec<Vec<u8>> {
    let mut counter = BoundedCounter::new();
    let mut seeds = vec![[vec![0], encode(&counter), encode(&counter)].concat()];
    let [first, second, third] = replicas();
    let mut writer = counter.writer(second);
    let mut push = |before: Vec<u8>, delta: Vec<u8>| seeds.push([vec![1], before, delta].concat());
    let before = encode(&counter);
    let delta = counter.increment(1_000, &mut writer).expect("far from the end");
    push(before, encode(&delta));
    for to in [first, third] {
        let before = encode(&counter);
        let delta = counter.transfer(300, to, &mut writer).expect("there are rights");
        push(before, encode(&delta));
        let before = encode(&counter);
        let mut by = counter.writer(to);
        let delta = counter.decrement(7, &mut by).expect("there are rights");
        push(before, encode(&delta));
    }
    let state = encode(&counter);
    seeds.push([vec![0], state.clone(), state].concat());
    seeds
}
