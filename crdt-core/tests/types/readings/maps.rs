use crdt_core::map::{LwwMapDelta, LwwStore, ObservedRemoveMapDelta};
use crdt_core::set::AddWinsStore;
use crdt_core::{Dot, LwwMap, ObservedRemoveMap, WriteError};

use super::{DELHI, MUMBAI, passes};

#[test]
fn a_last_writer_wins_map() -> Result<(), WriteError> {
    let mut map = LwwMap::new();
    assert_eq!((map.is_empty(), map.len()), (true, 0));
    assert!(format!("{map:?}") == "{}");
    let mut writer = map.writer(MUMBAI);
    let mut deltas = LwwMapDelta::default();
    for (stamp, key) in [(7, "c"), (5, "a"), (6, "b")] {
        deltas.join(map.set(key, key.len() as u64 + stamp, stamp, &mut writer)?);
    }
    assert!(!map.is_empty() && map.len() == 3 && map.contains_key("a") && !map.contains_key("d"));
    assert_eq!((map.get("a"), map.get("d")), (Some(&6), None));
    let write = map.entry("b").expect("it was written");
    assert_eq!(Clone::clone(&write), write);
    assert_eq!((write.value, write.stamp, write.dot), (&7, &6, Dot::new(MUMBAI, 3)));
    assert!(map.entry("d").is_none());
    assert_eq!(format!("{map:?}"), r#"{"a": 6, "b": 7, "c": 8}"#);
    passes(map.iter(), &[(&"a", &6), (&"b", &7), (&"c", &8)]);
    assert!((&map).into_iter().eq(map.iter()));
    assert!(map.keys().eq(["a", "b", "c"].iter()) && map.values().rev().eq([8, 7, 6].iter()));
    assert_eq!((map.keys().len(), map.values().len(), map.store().len()), (3, 3, 3));
    assert_eq!(map.context().last_seq(MUMBAI), 3);
    assert_eq!(LwwMapDelta::from(&map), deltas);
    assert_eq!(LwwMapDelta::from(map.clone()), deltas);
    assert_eq!(map.missing_from(&LwwMap::<&str, u64>::new().digest()), deltas);
    assert!(!deltas.is_empty() && map.missing_from(&map.digest()).is_empty());

    // Three at once: the greatest stamp wins, the others lose in their order.
    let mut others = LwwMap::new();
    for (id, stamp) in [(2, 9), (3, 8)] {
        let mut other = LwwMap::new();
        let mut there = other.writer(crdt_core::ReplicaId::from_u128(id));
        others.join(other.set("a", stamp, stamp, &mut there)?);
    }
    map.join(others);
    assert_eq!(map.get("a"), Some(&9));
    let lost: Vec<u64> = map.conflicts("a").map(|lost| *lost.value).collect();
    assert_eq!((lost, map.conflicts("b").count()), (vec![8, 6], 0));
    let _delta = map.clear(&mut writer);
    assert!(map.is_empty());
    Ok(())
}

type Tags = ObservedRemoveMap<&'static str, AddWinsStore<u8>>;

#[test]
fn an_observed_remove_map() -> Result<(), WriteError> {
    let mut map = Tags::new();
    assert_eq!((map.is_empty(), map.len()), (true, 0));
    assert!(format!("{map:?}") == "{}");
    let mut writer = map.writer(MUMBAI);
    let mut deltas = ObservedRemoveMapDelta::default();
    for key in ["b", "a"] {
        deltas.join(map.update(key, &mut writer, |set| set.add(1))?);
    }
    assert!(!map.is_empty() && map.len() == 2 && map.contains_key("a") && !map.contains_key("c"));
    assert!(map.get("a").is_some_and(|set| set.contains_key(&1)) && map.get("c").is_none());
    assert!(map.iter().map(|(key, _)| *key).eq(["a", "b"]) && map.iter().len() == 2);
    assert!(map.keys().eq(["a", "b"].iter()) && map.values().all(|set| set.len() == 1));
    assert_eq!((map.values().len(), map.store().len()), (2, 2));
    assert!((&map).into_iter().map(|(key, _)| *key).eq(["a", "b"]));
    assert!(map.clone().into_iter().map(|(key, _)| key).eq(["a", "b"]));
    assert!(format!("{map:?}").starts_with(r#"{"a": "#), "{map:?}");
    assert_eq!((map.context().last_seq(MUMBAI), map.context().last_seq(DELHI)), (2, 0));
    assert_eq!(ObservedRemoveMapDelta::from(&map), deltas);
    assert_eq!(ObservedRemoveMapDelta::from(map.clone()), deltas);
    assert_eq!(map.missing_from(&Tags::new().digest()), deltas);
    assert!(!deltas.is_empty() && map.missing_from(&map.digest()).is_empty());
    let _delta = map.clear(&mut writer);
    assert!(map.is_empty() && map.keys().len() == 0);
    Ok(())
}

/// Several keys changed as one.
#[test]
fn an_observed_remove_map_is_edited_as_a_whole() -> Result<(), WriteError> {
    let (mut map, mut other) = (Tags::new(), Tags::new());
    let mut writer = map.writer(MUMBAI);
    let delta = map.edit(&mut writer, |keys| {
        keys.update("a", |set| set.add(1));
        keys.update("b", |set| set.add(2));
    })?;
    assert!(other.join(&delta) && map.keys().eq(["a", "b"].iter()));
    assert_eq!(map, other);
    Ok(())
}

type Preferences = ObservedRemoveMap<&'static str, LwwStore<&'static str, u8>>;

/// A write says whether it took effect.
#[test]
fn a_nested_write_with_an_older_stamp_has_lost() -> Result<(), WriteError> {
    let mut map = Preferences::new();
    let mut writer = map.writer(MUMBAI);
    let mut took_effect = Vec::new();
    for (value, stamp) in [(1, 5), (2, 4), (3, 5), (4, 6)] {
        let _delta = map.update("user", &mut writer, |theme| {
            took_effect.push(theme.set("theme", value, stamp));
        })?;
    }
    // Of equal stamps the later event of one writer has the greater dot.
    assert_eq!(took_effect, [true, false, true, true]);
    let winner = map.get("user").and_then(|user| user.winner("theme")).map(|write| *write.value);
    assert_eq!(winner, Some(4));
    Ok(())
}
