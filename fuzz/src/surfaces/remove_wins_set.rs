//! `RemoveWinsSet`, states and deltas.

use crdt_core::RemoveWinsSet;

use super::replicas;
use crate::values::{encode, join};

/// Decodes and joins sets of strings, and sets of nothing, whose elements cost no bytes.
pub fn run(bytes: &[u8]) {
    join::<RemoveWinsSet<String>>(bytes, |set| {
        set.check_invariants();
        assert!(set.iter().all(|element| set.contains(element)));
        assert!(set.removed().all(|element| !set.contains(element)));
    });
    join::<RemoveWinsSet<()>>(bytes, RemoveWinsSet::check_invariants);
}

/// A state with the delta of an addition, a removal that nobody has seen, a clearing.
pub fn seeds() -> Vec<Vec<u8>> {
    let mut set: RemoveWinsSet<String> = RemoveWinsSet::new();
    let mut seeds = vec![[vec![0], encode(&set), encode(&set)].concat()];
    let mut push = |before: Vec<u8>, delta: Vec<u8>| seeds.push([vec![1], before, delta].concat());
    for replica in replicas() {
        let mut alone = RemoveWinsSet::new();
        let mut writer = alone.writer(replica);
        for element in ["", "crdt"] {
            let delta = alone.add(element.to_owned(), &mut writer).expect("far from the end");
            push(encode(&set), encode(&delta));
            set.join(delta);
        }
        let delta = alone.remove("crdt".to_owned(), &mut writer).expect("far from the end");
        push(encode(&set), encode(&delta));
        set.join(delta);
    }
    let mut writer = set.writer(replicas()[0]);
    let before = encode(&set);
    let delta = set.clear(&mut writer).expect("far from the end");
    push(before, encode(&delta));
    seeds
}
