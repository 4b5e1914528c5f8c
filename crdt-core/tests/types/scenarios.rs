//! The scenarios that the types have to show, with their figures.

use crdt_core::counter::{CounterError, GCounterDelta};
use crdt_core::{
    AddWinsSet, GCounter, LwwMap, LwwRegister, PnCounter, ReplicaId, WriteError, Writer,
};

use crate::support::rng::Rng;
use crate::support::{bytes, replica};

const MUMBAI: ReplicaId = ReplicaId::from_u128(1);
const DELHI: ReplicaId = ReplicaId::from_u128(2);

/// D1: views are counted in two cities.
#[test]
fn views_are_counted_in_two_cities() -> Result<(), CounterError> {
    let (mut mumbai, mut delhi) = (GCounter::new(), GCounter::new());
    let (mut in_mumbai, mut in_delhi) = (mumbai.writer(MUMBAI), delhi.writer(DELHI));
    for amount in [100, 50] {
        let _kept = mumbai.increment(amount, &mut in_mumbai)?;
    }
    for amount in [75, 25] {
        let _kept = delhi.increment(amount, &mut in_delhi)?;
    }
    assert_eq!((mumbai.value(), delhi.value()), (150, 100));

    let (sent, back) = (mumbai.clone(), delhi.clone());
    delhi.join(&sent);
    mumbai.join(&back);
    assert_eq!((mumbai.value(), delhi.value()), (250, 250));
    assert!(!mumbai.join(&back) && !delhi.join(&sent), "once more brings no news");
    assert_eq!((mumbai.value(), delhi.value()), (250, 250));
    assert_eq!(bytes(&mumbai), bytes(&delhi));
    Ok(())
}

/// D1: an overflow is an error that changes nothing; an amount cannot be negative by its type.
#[test]
fn counters_refuse_to_overflow() {
    let mut counter = GCounter::new();
    let mut writer = counter.writer(MUMBAI);
    let _kept = counter.increment(u64::MAX - 1, &mut writer).expect("it fits");
    let before = counter.clone();
    let full = CounterError::Overflow { replica: MUMBAI };
    assert_eq!(counter.increment(2, &mut writer), Err(full));
    assert_eq!(counter, before);
    let _kept = counter.increment(1, &mut writer).expect("it fits to the last");
    assert_eq!(counter.increment(1, &mut writer), Err(full));
    let mut other = counter.writer(DELHI);
    let _kept = counter.increment(u64::MAX, &mut other).expect("another replica's part");
    assert_eq!(counter.value(), 2 * u128::from(u64::MAX), "the sum does not overflow");

    let mut counter = PnCounter::new();
    let mut writer = counter.writer(MUMBAI);
    let _kept = counter.decrement(u64::MAX, &mut writer).expect("it fits");
    let before = counter.clone();
    assert_eq!(counter.decrement(1, &mut writer), Err(full));
    assert_eq!(counter, before);
    let _kept = counter.increment(u64::MAX, &mut writer).expect("the other direction");
    assert_eq!(counter.value(), 0);

    let mut counter = PnCounter::new();
    counter.apply(MUMBAI, i64::MIN).expect("2^63 fits");
    assert_eq!(counter.apply(MUMBAI, i64::MIN), Err(full));
    assert_eq!(counter.value(), i128::from(i64::MIN));
}

/// D1: 8 replicas × 10⁵ increments, delivered at random: late, repeated, out of order, some
/// not at all until the end.
#[test]
fn eight_replicas_count_a_hundred_thousand_times_each() {
    const EACH: u64 = 100_000;
    let mut rng = Rng(1);
    let mut replicas: Vec<(GCounter, Writer)> = (0..8)
        .map(|index| {
            let counter = GCounter::new();
            let writer = counter.writer(replica(index));
            (counter, writer)
        })
        .collect();
    let mut counted = 0;
    let mut post: Vec<GCounterDelta> = Vec::new();
    for _ in 0..EACH {
        for (counter, writer) in &mut replicas {
            let amount = rng.next() % 9;
            counted += u128::from(amount);
            post.push(counter.increment(amount, writer).expect("far from overflow"));
        }
        // Whatever is in the post arrives in any order, at anyone; most of it is lost.
        while post.len() > 64 {
            let delta = post.swap_remove(rng.below(post.len()));
            for (counter, _) in &mut replicas {
                if rng.below(4) == 0 {
                    counter.join(&delta);
                }
            }
        }
    }
    // At the end states go round a ring, twice.
    for step in 0..16 {
        let state = replicas[step % 8].0.clone();
        replicas[(step + 1) % 8].0.join(state);
    }
    for (counter, _) in &replicas {
        assert_eq!(counter.value(), counted);
        assert_eq!(bytes(counter), bytes(&replicas[0].0));
    }
}

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
    // Version, count of replicas, twice (number, id, 3-byte count, no runs), no elements.
    assert_eq!(bytes(&here).len(), 2 + 2 * (1 + 16 + 3 + 1) + 1);

    // Live elements cost their own bytes, and a dot each.
    for element in 0..10 {
        let _kept = here.add(element, &mut at_here)?;
    }
    let empty = 2 + 2 * (1 + 16 + 3 + 1) + 1;
    assert_eq!(bytes(&here).len(), empty + 10 * (1 + 1 + 1 + 3));

    // An element added over and over holds one dot.
    let mut set = AddWinsSet::new();
    let mut writer = set.writer(MUMBAI);
    for _ in 0..100_000 {
        let _kept = set.add(7u8, &mut writer)?;
    }
    assert_eq!(set.dots(&7).len(), 1);
    assert_eq!(bytes(&set).len(), 2 + (1 + 16 + 3 + 1) + 1 + (1 + 1 + 1 + 3));
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

/// D5: five regions move one balance while cut off from each other; then they meet.
#[test]
fn balances_of_five_regions_add_up() {
    let mut rng = Rng(5);
    let mut regions: Vec<(PnCounter, Writer)> = (0..5)
        .map(|index| {
            let counter = PnCounter::new();
            let writer = counter.writer(replica(index));
            (counter, writer)
        })
        .collect();
    let mut registers: Vec<(LwwRegister<i128>, Writer)> = (0..5)
        .map(|index| {
            let register = LwwRegister::new();
            let writer = register.writer(replica(index));
            (register, writer)
        })
        .collect();
    let mut balance = 0;
    for movement in 0..1_000 {
        for index in 0..5 {
            let amount = rng.next() % 10_000;
            let (counter, writer) = &mut regions[index];
            let (register, by) = &mut registers[index];
            let (moved, signed) = if rng.below(2) == 0 {
                (counter.increment(amount, writer), i128::from(amount))
            } else {
                (counter.decrement(amount, writer), -i128::from(amount))
            };
            let _kept = moved.expect("far from overflow");
            balance += signed;
            let held = register.get().copied().unwrap_or(0);
            let _kept = register.set(held + signed, movement, by).expect("numbers are left");
        }
    }
    let mut order: Vec<usize> = (0..5).collect();
    rng.shuffle(&mut order);
    let (mut healed, mut register) = (PnCounter::new(), LwwRegister::new());
    for index in order {
        healed.join(&regions[index].0);
        register.join(&registers[index].0);
    }
    assert_eq!(healed.value(), balance);
    // The contrast: a register keeps one region's view and loses the other four.
    assert_eq!(register.get(), registers.iter().max_by_key(|(_, w)| w.replica()).unwrap().0.get());
    assert_ne!(register.get(), Some(&balance));
}

fn permutations(n: usize) -> Vec<Vec<usize>> {
    let Some(last) = n.checked_sub(1) else { return vec![Vec::new()] };
    let mut all = Vec::new();
    for shorter in permutations(last) {
        for place in 0..n {
            let mut order = shorter.clone();
            order.insert(place, last);
            all.push(order);
        }
    }
    all
}

/// D7: three updates of a driver's position, in every order.
#[test]
fn the_latest_position_wins_in_every_order() -> Result<(), WriteError> {
    let updates = [(30, "Connaught Place"), (35, "Delhi cluster"), (32, "Karol Bagh")];
    for order in permutations(3) {
        // Made by three replicas that know nothing of each other, delivered in this order.
        let mut joined = LwwRegister::<&str>::new();
        let mut map = LwwMap::<&str, &str>::new();
        // Made on one replica, in this order.
        let mut alone = LwwRegister::<&str>::new();
        let mut alone_map = LwwMap::<&str, &str>::new();
        let (mut writer, mut map_writer) = (alone.writer(MUMBAI), alone_map.writer(MUMBAI));
        for index in order {
            let (stamp, position) = updates[index];
            let mut origin = LwwRegister::new();
            let mut by = origin.writer(replica(index));
            joined.join(origin.set(position, stamp, &mut by)?);
            let mut origin = LwwMap::new();
            let mut by = origin.writer(replica(index));
            map.join(origin.set("driver", position, stamp, &mut by)?);
            let _kept = alone.set(position, stamp, &mut writer)?;
            let _kept = alone_map.set("driver", position, stamp, &mut map_writer)?;
        }
        for register in [&joined, &alone] {
            assert_eq!((register.get(), register.stamp()), (Some(&"Delhi cluster"), Some(&35)));
        }
        for map in [&map, &alone_map] {
            assert_eq!(map.get("driver"), Some(&"Delhi cluster"));
        }
    }
    Ok(())
}

/// D7: of equal stamps the greater replica id wins, in every order, whoever has seen whom.
#[test]
fn equal_stamps_are_decided_by_the_replica() -> Result<(), WriteError> {
    for order in permutations(3) {
        for has_seen in [false, true] {
            let mut joined = LwwRegister::<u128>::new();
            let mut map = LwwMap::<&str, u128>::new();
            for &index in &order {
                let author = replica(index);
                let mut origin = if has_seen { joined.clone() } else { LwwRegister::new() };
                let mut by = origin.writer(author);
                joined.join(origin.set(author.as_u128(), 9, &mut by)?);
                let mut origin = if has_seen { map.clone() } else { LwwMap::new() };
                let mut by = origin.writer(author);
                map.join(origin.set("driver", author.as_u128(), 9, &mut by)?);
            }
            let greatest = (0..3).map(replica).max();
            assert_eq!(joined.written_by(), greatest);
            assert_eq!(map.get("driver").copied(), greatest.map(ReplicaId::as_u128));
            let lost = if has_seen { map.conflicts("driver").count().min(2) } else { 2 };
            assert_eq!(map.conflicts("driver").count(), lost);
        }
    }
    // Two writes of one replica with one stamp: the later one.
    let mut register = LwwRegister::new();
    let mut writer = register.writer(MUMBAI);
    let first = register.set("first", 1, &mut writer)?;
    let second = register.set("second", 1, &mut writer)?;
    let mut other = LwwRegister::new();
    other.join(second);
    other.join(first);
    assert_eq!((register.get(), other.get()), (Some(&"second"), Some(&"second")));
    Ok(())
}
