//! `List`, states and deltas, with moves and with what was removed.

use crdt_core::List;

use super::replicas;
use crate::values::{encode, join};

/// Decodes and joins lists.
pub fn run(bytes: &[u8]) {
    join::<List<String>>(bytes, |list| {
        list.check_invariants();
        assert_eq!(list.iter().count(), list.len());
    });
    join::<List<()>>(bytes, List::check_invariants);
}

/// Elements of three replicas at one place, moved, removed and cleared, with the deltas.
pub fn seeds() -> Vec<Vec<u8>> {
    let mut list: List<String> = List::new();
    let mut seeds = vec![[vec![0], encode(&list), encode(&list)].concat()];
    let mut push = |before: Vec<u8>, delta: Vec<u8>| seeds.push([vec![1], before, delta].concat());
    let base = list.clone();
    for replica in replicas() {
        let mut other = base.clone();
        let mut writer = other.writer(replica);
        let before = encode(&list);
        let words = ["ünïcode", "", "x"].map(str::to_owned);
        let delta = other.extend(words, &mut writer).expect("far from the end");
        push(before, encode(&delta));
        list.join(delta);
    }
    let mut writer = list.writer(replicas()[1]);
    for step in 0..4 {
        let before = encode(&list);
        let delta = match step {
            0 => list.insert(4, "between".to_owned(), &mut writer),
            1 => list.move_to(0, 6, &mut writer),
            2 => Ok(list.remove_range(2..5, &mut writer)),
            _ => Ok(list.clear(&mut writer)),
        };
        push(before, encode(&delta.expect("far from the end")));
    }
    seeds
}
