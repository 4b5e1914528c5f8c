use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasher as _, RandomState};

use crdt_core::collections::{Entry, OrderedMap, OrderedSet};

use super::passes;

/// More than one piece of memory holds.
const MANY: u32 = 200;

#[test]
fn a_map_is_passed_from_both_ends() {
    let mut map: OrderedMap<u32, u32> = (0..MANY).map(|key| (key, key + 1)).collect();
    let (keys, values): (Vec<u32>, Vec<u32>) = (0..MANY).map(|key| (key, key + 1)).unzip();
    let pairs: Vec<(u32, u32)> = (0..MANY).map(|key| (key, key + 1)).collect();
    passes(map.iter().map(|(&key, &value)| (key, value)), &pairs);
    passes(map.keys().copied(), &keys);
    passes(map.values().copied(), &values);
    assert!(map.clone().into_values().eq(values));

    let mut taken = map.clone().into_iter();
    for passed in 0..MANY / 2 {
        let left = (MANY - 2 * passed) as usize;
        assert_eq!((taken.size_hint(), taken.len()), ((left, Some(left)), left));
        let last = MANY - 1 - passed;
        assert_eq!(taken.next(), Some((passed, passed + 1)));
        assert_eq!(taken.next_back(), Some((last, last + 1)));
    }
    assert_eq!((taken.next(), taken.next_back(), taken.len()), (None, None, 0));
    let mut keys = map.clone().into_keys();
    assert_eq!((keys.len(), keys.next_back(), keys.next()), (200, Some(199), Some(0)));

    assert!(!map.is_empty() && map.len() == 200);
    map.clear();
    assert_eq!((map.is_empty(), map.len()), (true, 0));
    assert!(map.iter().next().is_none());
}

#[test]
fn a_map_is_shown_as_it_is() {
    let mut map = OrderedMap::from([(2, 'b'), (1, 'a')]);
    let same = BTreeMap::from([(1, 'a'), (2, 'b')]);
    assert_eq!(format!("{map:?}"), format!("{same:?}"));
    assert_eq!(format!("{:?}", map.iter()), format!("{:?}", same.iter()));
    assert_eq!(format!("{:?}", map.range(2..)), "[(2, 'b')]");
    assert_eq!(format!("{:?}", map.keys()), format!("{:?}", same.keys()));
    assert_eq!(format!("{:?}", map.values()), format!("{:?}", same.values()));
    let taken =
        [format!("{:?}", map.clone().into_iter()), format!("{:?}", map.clone().into_keys())];
    assert!(taken.iter().all(|words| words.contains("len: 2")), "{taken:?}");
    let there = map.entry(1);
    assert!(matches!(there, Entry::Occupied(_)) && format!("{there:?}").contains("1"));
    let absent = map.entry(3);
    assert!(matches!(absent, Entry::Vacant(_)) && format!("{absent:?}").contains("3"));
}

#[test]
fn maps_hash_by_what_they_hold() {
    let state = RandomState::new();
    let maps: [OrderedMap<u32, u32>; 4] =
        [[].into(), [(1, 1)].into(), [(1, 2)].into(), [(1, 1), (2, 2)].into()];
    let hashes: BTreeSet<u64> = maps.iter().map(|map| state.hash_one(map)).collect();
    assert_eq!(hashes.len(), maps.len());
}

#[test]
fn a_set_is_the_one_that_everyone_knows() {
    let mut set = OrderedSet::from([3, 1, 2, 3]);
    assert_eq!((set.len(), set.first(), set.last()), (3, Some(&1), Some(&3)));
    assert_eq!(format!("{set:?}"), "{1, 2, 3}");
    passes(set.iter().copied(), &[1, 2, 3]);
    assert!(set.remove(&2) && !set.remove(&2) && !set.contains(&2));
    assert_eq!((set.pop_first(), set.pop_first(), set.pop_first()), (Some(1), Some(3), None));
    assert!(set.insert(4) && !set.insert(4));
    set.clear();
    assert!(set.is_empty() && set.first().is_none() && set.last().is_none());
}
