//! `ObservedRemoveMap` with whatever can be nested in it, states and deltas.

use crdt_core::counter::CounterStore;
use crdt_core::dot_store::DotMap;
use crdt_core::map::LatticeStore;
use crdt_core::register::MultiValueStore;
use crdt_core::set::{AddWinsStore, RemoveWinsStore};
use crdt_core::{GCounter, ObservedRemoveMap};

use super::replicas;
use crate::values::{encode, join};

type Counters = ObservedRemoveMap<String, DotMap<u8, CounterStore>>;
type Sets = ObservedRemoveMap<u8, AddWinsStore<String>>;

/// Decodes and joins maps of maps, sets, registers, counters and lattices.
pub fn run(bytes: &[u8]) {
    join::<Counters>(bytes, |map| {
        map.check_invariants();
        let counters = map.values().flat_map(DotMap::values);
        counters.for_each(|counter| assert!(!counter.entries().is_empty() || counter.sum() == 0));
    });
    join::<Sets>(bytes, ObservedRemoveMap::check_invariants);
    join::<ObservedRemoveMap<u8, RemoveWinsStore<u8>>>(bytes, ObservedRemoveMap::check_invariants);
    join::<ObservedRemoveMap<u8, MultiValueStore<String>>>(
        bytes,
        ObservedRemoveMap::check_invariants,
    );
    join::<ObservedRemoveMap<u8, LatticeStore<GCounter>>>(bytes, |map| {
        map.check_invariants();
        assert!(map.values().all(|value| value.joined().is_some()));
    });
}

/// States with the deltas of changes and removals, at every depth.
pub fn seeds() -> Vec<Vec<u8>> {
    let mut map = Counters::new();
    let mut sets = Sets::new();
    let mut seeds = vec![[vec![0], encode(&map), encode(&map)].concat()];
    let mut push = |before: Vec<u8>, delta: Vec<u8>| seeds.push([vec![1], before, delta].concat());
    for (index, replica) in replicas().into_iter().enumerate() {
        let mut writer = map.writer(replica);
        let before = encode(&map);
        let delta = map.update("views".to_owned(), &mut writer, |views| {
            views.update(1, |counter| counter.increment(5));
            views.update(2 + index as u8, |counter| counter.increment(-300));
        });
        push(before, encode(&delta.expect("far from the end")));
        let before = encode(&sets);
        let mut writer = sets.writer(replica);
        let delta = sets.update(index as u8 % 2, &mut writer, |set| set.add("ünïcode".to_owned()));
        push(before, encode(&delta.expect("far from the end")));
    }
    let mut writer = map.writer(replicas()[0]);
    let before = encode(&map);
    let delta = map.edit(&mut writer, |map| {
        map.update("views".to_owned(), |views| {
            views.remove(&2);
            views.update(1, |counter| counter.reset());
        });
    });
    push(before, encode(&delta.expect("far from the end")));
    let before = encode(&map);
    let delta = map.remove("views", &mut writer);
    push(before, encode(&delta));
    let mut writer = sets.writer(replicas()[2]);
    let before = encode(&sets);
    let delta = sets.clear(&mut writer);
    push(before, encode(&delta));
    seeds
}
