//! The types whose parts are values of the same kind: `GrowOnlySet`, `TwoPhaseSet`,
//! `MaxRegister` and `MinRegister`.

use crdt_core::{GrowOnlySet, MaxRegister, MinRegister, TwoPhaseSet};

use crate::values::{encode, join};

/// Decodes and joins values.
pub fn run(bytes: &[u8]) {
    join::<GrowOnlySet<String>>(bytes, |set| assert_eq!(set.iter().count(), set.len()));
    join::<GrowOnlySet<()>>(bytes, |set| assert!(set.len() <= 1));
    join::<TwoPhaseSet<String>>(bytes, TwoPhaseSet::check_invariants);
    join::<TwoPhaseSet<()>>(bytes, TwoPhaseSet::check_invariants);
    join::<MaxRegister<String>>(bytes, |register| {
        assert!(register.clone().raise(String::new()).is_empty() || register.get().is_none());
    });
    join::<MinRegister<i64>>(bytes, |register| {
        assert!(register.clone().lower(i64::MAX).is_empty() || register.get().is_none());
    });
}

/// Each type empty and filled, with a delta behind it.
pub fn seeds() -> Vec<Vec<u8>> {
    let mut grow_only: GrowOnlySet<String> = GrowOnlySet::new();
    let mut two_phase: TwoPhaseSet<String> = TwoPhaseSet::new();
    let mut greatest: MaxRegister<String> = MaxRegister::new();
    let mut least: MinRegister<i64> = MinRegister::new();
    let mut seeds = Vec::new();
    let mut push = |before: Vec<u8>, delta: Vec<u8>| seeds.push([vec![1], before, delta].concat());
    for element in ["", "crdt", "ünïcode"] {
        push(encode(&grow_only), encode(&grow_only.clone().insert(element.to_owned())));
        let _kept = grow_only.insert(element.to_owned());
        push(encode(&two_phase), encode(&two_phase.clone().add(element.to_owned())));
        let _kept = two_phase.add(element.to_owned());
        let before = encode(&greatest);
        push(before, encode(&greatest.raise(element.to_owned())));
        let before = encode(&least);
        push(before, encode(&least.lower(-300 * element.len() as i64)));
    }
    push(encode(&two_phase), encode(&two_phase.clone().remove("crdt".to_owned())));
    seeds
}
