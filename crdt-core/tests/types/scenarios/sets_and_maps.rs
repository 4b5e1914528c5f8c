//! D2, D3: categories, preferences, and what neither leaves behind.

use super::*;

/// D2: the two cities' product categories; then an addition against a concurrent removal.
#[test]
fn categories_of_two_cities() -> Result<(), WriteError> {
    let (mut mumbai, mut delhi) = (AddWinsSet::<String>::new(), AddWinsSet::new());
    let (mut in_mumbai, mut in_delhi) = (mumbai.writer(MUMBAI), delhi.writer(DELHI));
    let _kept = mumbai.add("electronics".into(), &mut in_mumbai)?;
    let _kept = delhi.add("mobile".into(), &mut in_delhi)?;
    let _kept = delhi.add("electronics".into(), &mut in_delhi)?;
    mumbai.join(&delhi);
    delhi.join(&mumbai);
    assert_eq!(mumbai, delhi);
    assert!(mumbai.iter().eq(["electronics", "mobile"]));

    let added = mumbai.add("smartphone".into(), &mut in_mumbai)?;
    delhi.join(added);
    let removed = mumbai.remove("smartphone", &mut in_mumbai);
    let again = delhi.add("smartphone".into(), &mut in_delhi)?;
    delhi.join(&removed);
    mumbai.join(&again);
    assert!(mumbai.contains("smartphone") && delhi.contains("smartphone"));
    assert_eq!(bytes(&mumbai), bytes(&delhi));

    // A removal that has seen both additions wins over neither concurrent nor later ones.
    let removed = delhi.remove("smartphone", &mut in_delhi);
    mumbai.join(removed);
    assert!(!mumbai.contains("smartphone"));
    Ok(())
}

/// D2: 10⁵ additions and removals leave nothing behind but the count of them.
#[test]
fn elements_that_come_and_go_leave_no_trace() -> Result<(), WriteError> {
    let (mut here, mut there) = (AddWinsSet::<u32>::new(), AddWinsSet::new());
    let (mut at_here, mut at_there) = (here.writer(MUMBAI), there.writer(DELHI));
    for cycle in 0..50_000 {
        let element = cycle % 100;
        let a = (here.add(element, &mut at_here)?, here.remove(&element, &mut at_here));
        let b = (there.add(element, &mut at_there)?, there.remove(&element, &mut at_there));
        // Each side gets the other's two deltas, one of them in the wrong order.
        here.join(b.1);
        here.join(b.0);
        there.join(a.0);
        there.join(a.1);
    }
    assert!(here.is_empty() && here == there && here.context().is_gapless());
    // Version, count of replicas, twice (number, id, 3-byte count, no runs), and three columns
    // that hold nothing.
    assert_eq!(bytes(&here).len(), 2 + 2 * (1 + 16 + 3 + 1) + 3);

    // Live elements cost their own bytes, and a dot each.
    for element in 0..10 {
        let _kept = here.add(element, &mut at_here)?;
    }
    // One of the dots takes three bytes, from where the others are expected.
    let empty = 2 + 2 * (1 + 16 + 3 + 1) + 3;
    assert_eq!(bytes(&here).len(), empty + 10 * (1 + 1) + 2);

    // An element added over and over holds one dot.
    let mut set = AddWinsSet::new();
    let mut writer = set.writer(MUMBAI);
    for _ in 0..100_000 {
        let _kept = set.add(7u8, &mut writer)?;
    }
    assert_eq!(set.dots(&7).len(), 1);
    assert_eq!(bytes(&set).len(), 2 + (1 + 16 + 3 + 1) + (1 + 3) + 1 + (1 + 1));
    Ok(())
}

/// D3: a key is removed on one side and written on the other: the write stays, whatever the
/// stamps; a key that both removed is gone.
#[test]
fn update_wins_over_removal() -> Result<(), WriteError> {
    for stamp in [1, 5, 9] {
        let (mut here, mut there) = (LwwMap::<&str, &str>::new(), LwwMap::new());
        let (mut on_here, mut on_there) = (here.writer(MUMBAI), there.writer(DELHI));
        let _kept = here.set("theme", "dark", 5, &mut on_here)?;
        there.join(&here);

        let removed = here.remove("theme", &mut on_here);
        // A write that its own side would not take because of its stamp is no update.
        let written = there.set("theme", "light", stamp, &mut on_there)?;
        here.join(&written);
        there.join(&removed);
        assert_eq!(here, there);
        let kept = (!written.is_empty()).then_some(&"light");
        assert_eq!((here.get("theme"), written.is_empty()), (kept, stamp < 5));
    }
    Ok(())
}

/// D3: preferences nested in an observed-remove map: a key is removed while something under it
/// is written. The write stays, and nothing else.
#[test]
fn update_wins_over_removal_of_what_is_around_it() -> Result<(), WriteError> {
    type Users = ObservedRemoveMap<&'static str, DotMap<&'static str, MultiValueStore<u8>>>;
    let (mut here, mut there) = (Users::new(), Users::new());
    let (mut on_here, mut on_there) = (here.writer(MUMBAI), there.writer(DELHI));
    there.join(here.update("asha", &mut on_here, |settings| {
        settings.update("volume", |register| register.set(3));
        settings.update("zoom", |register| register.set(100));
    })?);

    let removed = here.remove("asha", &mut on_here);
    let written = there.update("asha", &mut on_there, |settings| {
        settings.update("zoom", |register| register.set(120));
    })?;
    here.join(&written);
    there.join(&removed);
    assert_eq!(here, there);
    let settings = here.get("asha").expect("the update wins");
    assert!(settings.keys().eq(&["zoom"]), "what the removal has seen is gone");
    assert_eq!(settings.get("zoom").map(|zoom| zoom.entries()[0].1), Some(120));

    // What both removed is gone, with its key.
    let (a, b) = (here.remove("asha", &mut on_here), there.remove("asha", &mut on_there));
    assert!(!here.join(b) && !there.join(a));
    assert!(here.is_empty() && here == there);
    Ok(())
}

/// Two keys overwritten in turn, 10⁵ times, on two replicas that tell each other everything,
/// leave no trace but the count of it.
#[test]
fn overwritten_keys_leave_no_trace() -> Result<(), WriteError> {
    type Map = ObservedRemoveMap<&'static str, MultiValueStore<u64>>;
    let (mut here, mut there) = (Map::new(), Map::new());
    let (mut on_here, mut on_there) = (here.writer(MUMBAI), there.writer(DELHI));
    for turn in 0..50_000 {
        let key = ["x", "y"][turn % 2];
        there.join(here.update(key, &mut on_here, |register| register.set(turn as u64))?);
        here.join(there.update(key, &mut on_there, |register| register.set(turn as u64))?);
    }
    assert_eq!(here, there);
    let encoded = bytes(&here).len();
    assert!(encoded <= 200, "{encoded} bytes");
    // Version, two replicas (number, id, 3-byte count, no runs); the dots, of three bytes and
    // one, and no unusual leaf; two keys, one of them beside the other, and so their values.
    assert_eq!(encoded, 2 + 2 * (1 + 16 + 3 + 1) + (1 + 4 + 1) + 1 + (2 + 3) + (2 + 1));
    Ok(())
}

/// One missed removal in a set of 10,000 elements of ten writers costs at most 64 bytes to send
/// to a side that has told what it holds.
#[test]
fn one_missed_removal_costs_a_few_bytes() -> Result<(), WriteError> {
    let mut here = AddWinsSet::<String>::new();
    let mut writers: Vec<Writer> =
        (0..10).map(|index| here.writer(ReplicaId::from_u128(1 << 100 | index))).collect();
    for element in 0..10_000 {
        let element_of_20_bytes = format!("element {element:012}");
        let _kept = here.add(element_of_20_bytes, &mut writers[element % 10])?;
    }
    // At most the payload and three bytes for each element.
    let encoded = bytes(&here).len();
    println!("{encoded} bytes for 10,000 elements of 20 bytes");

    let mut there = here.clone();
    let _missed = here.remove("element 000000004321", &mut writers[0]);
    let digest = reload(&there.digest());
    let lacking = here.missing_from(&digest);
    let encoded = bytes(&lacking).len();
    assert!(encoded <= 64, "{encoded} bytes");
    assert!(there.join(reload(&lacking)) && there == here);
    assert!(here.missing_from(&there.digest()).is_empty());
    assert!(there.missing_from(&here.digest()).is_empty());
    println!("{encoded} bytes for a missed removal, {} for the digest", bytes(&digest).len());
    Ok(())
}

/// The delta of one change deep inside is small, however much is around it.
#[test]
fn deltas_hold_the_change_and_not_what_is_around_it() -> Result<(), WriteError> {
    type Map = ObservedRemoveMap<u64, DotMap<u64, AddWinsStore<u64>>>;
    let mut map = Map::new();
    let mut writer = map.writer(MUMBAI);
    for element in 0..10_000 {
        let (outer, inner) = (element % 3, element % 7);
        let _kept =
            map.update(outer, &mut writer, |map| map.update(inner, |set| set.add(element)))?;
    }
    let mut other = map.clone();
    type Change = dyn Fn(&mut Edit<'_, DotMap<u64, AddWinsStore<u64>>>);
    let changes: [&Change; 3] = [
        &|map| map.update(2, |set| set.add(5)),
        &|map| map.update(2, |set| _ = set.remove(&9_999)),
        &|map| map.update(2, |set| _ = set.remove(&12)),
    ];
    for change in changes {
        let delta = map.update(0, &mut writer, change)?;
        let encoded = bytes(&delta).len();
        assert!(encoded <= 64, "{encoded} bytes");
        other.join(reload(&delta));
        other.check_invariants();
        assert_eq!(other, map);
    }
    Ok(())
}
