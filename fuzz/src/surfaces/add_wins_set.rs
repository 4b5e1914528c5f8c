//! `AddWinsSet`, states and deltas.

use crdt_core::AddWinsSet;

use super::replicas;
use crate::values::{encode, join};

/// Decodes and joins sets of strings, and sets of nothing, whose elements cost no bytes.
pub fn run(bytes: &[u8]) {
    join::<AddWinsSet<String>>(bytes, AddWinsSet::check_invariants);
    join::<AddWinsSet<()>>(bytes, AddWinsSet::check_invariants);
}

/// A state with a later state, and with the delta of an addition, a removal, a clearing.
pub fn seeds() -> Vec<Vec<u8>> {
    let mut set = AddWinsSet::new();
    let mut seeds = vec![[vec![0], encode(&set), encode(&set)].concat()];
    for replica in replicas() {
        let mut writer = set.writer(replica);
        for element in ["", "crdt", "ünïcode"] {
            let before = encode(&set);
            let delta = set.add(element.to_owned(), &mut writer).expect("far from the end");
            seeds.push([vec![0], before.clone(), encode(&set)].concat());
            seeds.push([vec![1], before, encode(&delta)].concat());
        }
        let before = encode(&set);
        let delta = set.remove("crdt", &mut writer);
        seeds.push([vec![1], before, encode(&delta)].concat());
    }
    let mut writer = set.writer(replicas()[0]);
    let before = encode(&set);
    let delta = set.clear(&mut writer);
    seeds.push([vec![1], before, encode(&delta)].concat());
    seeds
}
