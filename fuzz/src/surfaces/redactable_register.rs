//! `RedactableRegister`, states and deltas, with what was redacted.

use crdt_core::RedactableRegister;

use super::replicas;
use crate::values::{encode, join};

/// Decodes and joins registers.
pub fn run(bytes: &[u8]) {
    join::<RedactableRegister<String, u64>>(bytes, |register| {
        register.check_invariants();
        assert!(register.held().count() <= register.len());
    });
    join::<RedactableRegister<(), ()>>(bytes, RedactableRegister::check_invariants);
}

/// Siblings, with the deltas of writes, of a redaction of one and of all, and of a clearing.
pub fn seeds() -> Vec<Vec<u8>> {
    let mut register: RedactableRegister<String, u64> = RedactableRegister::new();
    let mut seeds = vec![[vec![0], encode(&register), encode(&register)].concat()];
    let mut push = |before: Vec<u8>, delta: Vec<u8>| seeds.push([vec![1], before, delta].concat());
    let base = register.clone();
    for replica in replicas() {
        let mut other = base.clone();
        let mut writer = other.writer(replica);
        let before = encode(&register);
        let delta = other.set("ünïcode".to_owned(), &mut writer).expect("far from the end");
        push(before, encode(&delta));
        register.join(delta);
    }
    let commit = |value: &String| value.len() as u64;
    let mut writer = register.writer(replicas()[1]);
    for step in 0..3 {
        let before = encode(&register);
        let delta = match step {
            0 => {
                let (dot, _) = register.held().next_back().expect("three are held");
                register.redact(dot, commit, &mut writer)
            }
            1 => register.redact_all(commit, &mut writer),
            _ => register.clear(&mut writer),
        };
        push(before, encode(&delta));
    }
    seeds
}
