//! `LwwRegister`, states and deltas.

use crdt_core::LwwRegister;

use super::replicas;
use crate::values::{encode, join};

/// Decodes and joins registers.
pub fn run(bytes: &[u8]) {
    join::<LwwRegister<String>>(bytes, |register| {
        assert_eq!(register.get().is_some(), register.written_by().is_some());
    });
}

/// An empty register, and a write upon another.
pub fn seeds() -> Vec<Vec<u8>> {
    let mut register: LwwRegister<String> = LwwRegister::default();
    let mut seeds = vec![[vec![0], encode(&register), encode(&register)].concat()];
    for (replica, stamp) in replicas().into_iter().zip([5, 300, 1]) {
        let before = encode(&register);
        let mut writer = register.writer(replica);
        let delta = register.set(format!("at {stamp}"), stamp, &mut writer);
        let delta = delta.expect("far from the end");
        seeds.push([vec![1], before.clone(), encode(&delta)].concat());
        seeds.push([vec![0], before, encode(&register)].concat());
    }
    seeds
}
