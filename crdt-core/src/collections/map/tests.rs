use super::*;
use crate::laws::trials;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use core::ops::RangeInclusive;

/// Whatever is done to it, it holds what the standard library's map does.
#[test]
fn it_is_the_map_that_everyone_knows() {
    fn law(script: Vec<(u8, u8, u16)>, range: RangeInclusive<u8>) -> bool {
        let (mut map, mut model) = (OrderedMap::new(), BTreeMap::new());
        for (operation, key, value) in script {
            match operation % 16 {
                0..7 => assert_eq!(map.insert(key, value), model.insert(key, value)),
                7..10 => assert_eq!(map.remove(&key), model.remove(&key)),
                10 => {
                    map.retain(|key, value| *value & 1 == 0 || *key < 9);
                    model.retain(|key, value| *value & 1 == 0 || *key < 9);
                }
                11 => {
                    let taken = map.take_if(|_, held| *held % 3 == value % 3);
                    let expected: Vec<_> =
                        model.extract_if(.., |_, held| *held % 3 == value % 3).collect();
                    assert_eq!(taken, expected);
                }
                12 => assert_eq!(map.pop_first(), model.pop_first()),
                13 => {
                    *map.entry(key).or_default() ^= value;
                    *model.entry(key).or_default() ^= value;
                }
                14 => {
                    map.values_mut().for_each(|held| *held /= 2);
                    model.values_mut().for_each(|expected| *expected /= 2);
                }
                _ => assert_eq!(map.get_mut(&key).copied(), model.get_mut(&key).copied()),
            }
            map.check_invariants();
        }
        assert!(map.iter().eq(&model) && map.iter().rev().eq(model.iter().rev()));
        assert!(map.keys().eq(model.keys()) && map.values().eq(model.values()));
        assert_eq!(map.iter().len(), model.len());
        assert_eq!(map.first_key_value(), model.first_key_value());
        assert_eq!(map.last_key_value(), model.last_key_value());
        let (start, end) = (*range.start(), *range.end());
        if start < end {
            assert!(map.range(start..=end).eq(model.range(start..=end)));
            assert!(map.range(start..end).rev().eq(model.range(start..end).rev()));
            let open = (Bound::Excluded(start), Bound::Excluded(end));
            assert!(map.range(open).eq(model.range(open)));
        }
        assert!(map.range(start..).eq(model.range(start..)));
        assert!(map.range(..end).rev().eq(model.range(..end).rev()));
        assert_eq!(format!("{map:?}"), format!("{model:?}"));
        assert!(map.clone().into_keys().eq(model.clone().into_keys()));
        map.into_iter().eq(model)
    }
    let law: fn(_, _) -> bool = law;
    trials().quickcheck(law);
}

/// Two maps made one, against the standard library's map.
#[test]
fn a_merge_meets_every_key() {
    fn law(own: BTreeMap<u8, u16>, others: BTreeMap<u8, u16>, dropped: u16) -> bool {
        let mut map: OrderedMap<u8, u16> = own.clone().into_iter().collect();
        let mut met = Vec::new();
        map.merge(others.clone().into_iter().collect(), |value, theirs| {
            met.push((*value, theirs));
            *value = value.wrapping_add(theirs);
            *value % 4 != dropped % 4
        });
        map.check_invariants();
        let keys: BTreeSet<u8> = own.keys().chain(others.keys()).copied().collect();
        let of = |map: &BTreeMap<u8, u16>, key: &u8| map.get(key).copied().unwrap_or_default();
        let pairs = keys.iter().map(|key| (of(&own, key), of(&others, key)));
        assert!(pairs.eq(met), "each key once, in order");
        let sums = keys.iter().map(|&key| (key, of(&own, &key).wrapping_add(of(&others, &key))));
        map.into_iter().eq(sums.filter(|(_, sum)| sum % 4 != dropped % 4))
    }
    trials().quickcheck(law as fn(_, _, _) -> _);
}

/// Places, and passes through two maps, against the standard library's map.
#[test]
fn places_are_where_keys_are() {
    fn law(own: BTreeMap<u8, u16>, others: BTreeMap<u8, u16>, key: u8) -> bool {
        let mut map = OrderedMap::new();
        for (left, (&key, &value)) in (1..=own.len()).rev().zip(&own) {
            map.append(key, value, left);
        }
        map.check_invariants();
        let entry = |place: Option<Place>| place.map(|place| *map.at(place));
        let pair = |(&key, &value): (&u8, &u16)| (key, value);
        let place = map.seek(&key);
        assert_eq!(entry(place), own.range(key..).next().map(pair));
        assert_eq!(entry(map.before(place)), own.range(..key).next_back().map(pair));
        if let Some(place) = place {
            let behind = own.range(key..).nth(1).map(pair);
            assert_eq!(map.try_at(map.after(place)).copied(), behind);
        }
        // Wherever it was before, it is found where it is now.
        for key in [key, key.wrapping_add(1), key] {
            let mut near = place.unwrap_or(Place::START);
            let found = map.find_near(&key, &mut near);
            assert_eq!(entry(found), own.get_key_value(&key).map(pair));
        }
        // Nor does it matter when it is taken out.
        for key in [key, key.wrapping_add(1)] {
            let (mut rest, mut near) = (map.clone(), place.unwrap_or(Place::START));
            let taken = [&key, &key.wrapping_add(1)].map(|key| rest.remove_near(key, &mut near));
            rest.check_invariants();
            let mut model = own.clone();
            assert_eq!(taken, [key, key.wrapping_add(1)].map(|key| model.remove_entry(&key)));
            assert!(rest.iter().eq(&model));
        }
        let (mut met, mut unmet) = (own.clone(), BTreeMap::new());
        let other: OrderedMap<u8, u16> = others.clone().into_iter().collect();
        map.meet(&other, |&key, held, &theirs| match held {
            Some(held) => *held ^= theirs,
            None => drop(unmet.insert(key, theirs)),
        });
        for (key, theirs) in &others {
            met.entry(*key).and_modify(|held| *held ^= theirs);
        }
        unmet.iter().all(|(key, theirs)| !own.contains_key(key) && others[key] == *theirs)
            && unmet.len() == others.keys().filter(|key| !own.contains_key(key)).count()
            && map.iter().eq(&met)
    }
    trials().quickcheck(law as fn(_, _, _) -> _);
}

#[test]
fn both_ends_of_an_iterator_meet() {
    let map: OrderedMap<u32, ()> = (0..100).map(|key| (key, ())).collect();
    let mut iter = map.keys();
    for key in 0..50 {
        assert_eq!((iter.next(), iter.next_back()), (Some(&key), Some(&(99 - key))));
    }
    assert_eq!((iter.next(), iter.next_back(), iter.len()), (None, None, 0));
}

/// Chunks stay well filled whichever way entries come and go, so that memory is O(live).
#[test]
#[cfg_attr(miri, ignore = "minutes, of what the other tests do")]
fn no_trail_of_small_chunks() {
    let map: OrderedMap<u32, u32> = (0..4000).map(|key| (key, key)).collect();
    assert_eq!(map.chunks.len(), 500, "in order, chunks are full");
    let most: Vec<u32> = (0..4000).filter(|key| key % 10 != 0).collect();
    let scattered = |key: &u32| key.wrapping_mul(0x9e37_79b9);
    let mut in_no_order = most.clone();
    in_no_order.sort_by_key(scattered);
    for order in [most.clone(), most.into_iter().rev().collect(), in_no_order] {
        let mut map = map.clone();
        for key in order {
            map.remove(&key);
        }
        map.check_invariants();
        assert!(map.chunks.len() <= 200, "{}", map.chunks.len());
        map.retain(|key, _| key % 100 == 0);
        assert!(map.chunks.len() <= 20 + 1, "{}", map.chunks.len());
    }
}

/// What is put in from end to end takes full chunks, and no more memory than it needs.
#[test]
fn what_comes_in_order_has_as_much_room_as_it_needs() {
    fn check(map: &OrderedMap<u32, u32>) {
        map.check_invariants();
        assert_eq!(map.chunks.len(), map.len().div_ceil(CHUNK_MAX));
        assert_eq!(map.chunks.iter().map(Vec::capacity).sum::<usize>(), map.len());
    }
    for len in 0..40 {
        let mut appended = OrderedMap::new();
        (0..len).for_each(|key| appended.append(key, key, (len - key) as usize));
        check(&appended);
        assert!(appended.chunks.capacity() <= appended.chunks.len());
        for step in 2..4 {
            let (mut one, other): (Vec<u32>, Vec<u32>) = (0..len).partition(|key| key % step == 0);
            let [mut map, other] = [core::mem::take(&mut one), other].map(|keys| {
                keys.into_iter().map(|key| (key, key)).collect::<OrderedMap<u32, u32>>()
            });
            let is_woven = !other.is_empty();
            map.merge(other, |held, told| {
                *held |= told;
                true
            });
            assert!(map.iter().eq(&appended));
            if is_woven {
                check(&map);
            }
        }
    }
}

/// Of chunks that become small at once, no two neighbours stay that would fit into one.
#[test]
#[cfg_attr(miri, ignore = "minutes, of what the other tests do")]
fn what_is_taken_out_leaves_no_small_neighbours() {
    for left in 1..CHUNK_MAX as u32 {
        let mut map: OrderedMap<u32, u32> = (0..800).map(|key| (key, key)).collect();
        let taken = map.take_if(|key, _| key % CHUNK_MAX as u32 >= left);
        map.check_invariants();
        assert_eq!(taken.len() + map.len(), 800);
        let lengths: Vec<usize> = map.chunks.iter().map(Vec::len).collect();
        assert!(lengths.windows(2).all(|pair| pair[0] + pair[1] > CHUNK_MAX / 2), "{lengths:?}");
    }
}

#[test]
fn equal_contents_are_equal_maps() {
    let one: OrderedMap<u32, u32> = (0..50).map(|key| (key, 1)).collect();
    let mut other: OrderedMap<u32, u32> = (0..90).rev().map(|key| (key, 1)).collect();
    assert!(one < other && one != other);
    other.retain(|key, _| *key < 50);
    assert_eq!(one, other);
}

fn of_chunks(chunks: Vec<Vec<(u32, ())>>) -> OrderedMap<u32, ()> {
    let len = chunks.iter().map(Vec::len).sum();
    OrderedMap { chunks, len }
}

#[test]
#[should_panic(expected = "keys ascend")]
fn keys_in_no_order_are_noticed() {
    of_chunks(vec![vec![(1, ()), (1, ())]]).check_invariants();
}

#[test]
#[should_panic(expected = "contains")]
fn an_empty_chunk_is_noticed() {
    of_chunks(vec![vec![]]).check_invariants();
}

#[test]
#[should_panic(expected = "left == right")]
fn a_wrong_length_is_noticed() {
    OrderedMap { len: 1, ..OrderedMap::<u32, ()>::new() }.check_invariants();
}
