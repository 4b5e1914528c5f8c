//! `EnableWinsFlag` and `DisableWinsFlag`, states and deltas.

use crdt_core::{DisableWinsFlag, EnableWinsFlag};

use super::replicas;
use crate::values::{encode, join};

/// Decodes and joins flags.
pub fn run(bytes: &[u8]) {
    join::<EnableWinsFlag>(bytes, |flag| {
        flag.check_invariants();
        assert_eq!(flag.is_enabled(), !flag.dots().is_empty());
    });
    join::<DisableWinsFlag>(bytes, |flag| {
        flag.check_invariants();
        assert!(!flag.is_enabled() || flag.conflicts().next().is_none());
    });
}

/// Flags that several have enabled and disabled at once, with the delta of each change.
pub fn seeds() -> Vec<Vec<u8>> {
    let (mut one, mut other) = (EnableWinsFlag::new(), DisableWinsFlag::new());
    let mut seeds = vec![[vec![0], encode(&one), encode(&one)].concat()];
    let mut push = |before: Vec<u8>, delta: Vec<u8>| seeds.push([vec![1], before, delta].concat());
    for (index, replica) in replicas().into_iter().enumerate() {
        // Each knows nothing of the others.
        let mut flag = EnableWinsFlag::new();
        let mut writer = flag.writer(replica);
        let delta = flag.enable(&mut writer).expect("far from the end");
        push(encode(&one), encode(&delta));
        one.join(delta);
        let mut flag = DisableWinsFlag::new();
        let mut writer = flag.writer(replica);
        let delta = if index == 1 { flag.disable(&mut writer) } else { flag.enable(&mut writer) };
        let delta = delta.expect("far from the end");
        push(encode(&other), encode(&delta));
        other.join(delta);
    }
    let mut writer = one.writer(replicas()[0]);
    let before = encode(&one);
    let delta = one.disable(&mut writer);
    push(before, encode(&delta));
    seeds
}
