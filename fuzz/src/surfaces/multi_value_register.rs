//! `MultiValueRegister`, states and deltas.

use crdt_core::MultiValueRegister;

use super::replicas;
use crate::values::{encode, join};

/// Decodes and joins registers.
pub fn run(bytes: &[u8]) {
    join::<MultiValueRegister<String>>(bytes, |register| {
        register.check_invariants();
        assert_eq!(register.values().len(), register.len());
    });
    join::<MultiValueRegister<()>>(bytes, MultiValueRegister::check_invariants);
}

/// Siblings, with the deltas of writes, of a write by a client, and of a clearing.
pub fn seeds() -> Vec<Vec<u8>> {
    let mut register: MultiValueRegister<String> = MultiValueRegister::new();
    let mut seeds = vec![[vec![0], encode(&register), encode(&register)].concat()];
    let mut push = |before: Vec<u8>, delta: Vec<u8>| seeds.push([vec![1], before, delta].concat());
    let seen = register.context().clone();
    for replica in replicas() {
        let mut writer = register.writer(replica);
        let before = encode(&register);
        let delta = register.set_after("ünïcode".to_owned(), &seen, &mut writer);
        push(before, encode(&delta.expect("far from the end")));
    }
    let mut writer = register.writer(replicas()[1]);
    let (before, seen) = (encode(&register), register.context().clone());
    let delta = register.set_after("decided".to_owned(), &seen, &mut writer);
    push(before, encode(&delta.expect("far from the end")));
    let before = encode(&register);
    let delta = register.clear(&mut writer);
    push(before, encode(&delta));
    seeds
}
