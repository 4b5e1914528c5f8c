//! `LwwMap`, states and deltas.

use crdt_core::LwwMap;

use super::replicas;
use crate::values::{encode, join};

/// Decodes and joins maps.
pub fn run(bytes: &[u8]) {
    join::<LwwMap<String, Vec<u8>>>(bytes, |map| {
        map.check_invariants();
        for key in map.keys() {
            assert!(map.get(key).is_some(), "a key that is listed has a value");
            map.conflicts(key).count();
        }
    });
}

/// A state with the deltas of a write, a lost write, a removal, a clearing.
pub fn seeds() -> Vec<Vec<u8>> {
    let mut map: LwwMap<String, Vec<u8>> = LwwMap::new();
    let mut seeds = vec![[vec![0], encode(&map), encode(&map)].concat()];
    let mut push = |before: Vec<u8>, delta: Vec<u8>| seeds.push([vec![1], before, delta].concat());
    for (replica, stamp) in replicas().into_iter().zip([5, 300, 1]) {
        let mut writer = map.writer(replica);
        for key in ["theme", "ünïcode"] {
            let before = encode(&map);
            let delta = map.set(key.to_owned(), b"dark".to_vec(), stamp, &mut writer);
            push(before, encode(&delta.expect("far from the end")));
        }
    }
    let mut writer = map.writer(replicas()[1]);
    let before = encode(&map);
    let delta = map.remove("theme", &mut writer);
    push(before, encode(&delta));
    let before = encode(&map);
    let delta = map.clear(&mut writer);
    push(before, encode(&delta));
    seeds
}
