//! The scenarios that the types have to show, with their figures, and mistakes of other
//! libraries that must not be made here.

mod support;

use crdt_core::counter::{CounterError, GCounterDelta};
use crdt_core::set::AddWinsSetDelta;
use crdt_core::{
    AddWinsSet, GCounter, Lattice, LwwMap, LwwRegister, PnCounter, ReplicaId, SEQ_MAX, WriteError,
    Writer,
};
use support::rng::Rng;
use support::{bytes, parse, reload, replica};

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

/// rust-crdt 7.3.2, `Map<_, Orswot, _>`: a key is removed at B while A, which wrote it, adds
/// to it. There the states' merge brings back the removed element 1, and the operations do
/// not. Elements here have dots and no clocks of their own.
#[test]
fn a_removed_element_does_not_come_back_with_its_neighbour() -> Result<(), WriteError> {
    let (mut a, mut b) = (AddWinsSet::<(&str, u8)>::new(), AddWinsSet::new());
    let (mut at_a, mut at_b) = (a.writer(MUMBAI), b.writer(DELHI));
    let first = a.add(("key", 1), &mut at_a)?;
    b.join(first);

    let removed = b.remove(&("key", 1), &mut at_b);
    let added = a.add(("key", 2), &mut at_a)?;

    let (mut by_states, mut by_deltas) = (a.clone(), a.clone());
    by_states.join(&b);
    by_deltas.join(&removed);
    b.join(&added);
    for set in [&by_states, &by_deltas, &b] {
        assert!(set.iter().eq([&("key", 2)]));
        assert_eq!(set, &by_states);
    }
    Ok(())
}

/// rust-crdt #10 (2018): values that were reset come back when a stale state is merged.
#[test]
fn what_was_reset_stays_reset_against_a_stale_state() -> Result<(), WriteError> {
    let mut here = LwwMap::<String, u8>::new();
    let mut writer = here.writer(MUMBAI);
    let mut stale = LwwMap::<String, u8>::new();
    let mut there = stale.writer(DELHI);
    let _kept = stale.set("x".into(), 2, 1, &mut there)?;
    let _kept = here.set("x".into(), 1, 1, &mut writer)?;
    here.join(&stale);
    stale.join(&here);
    assert_eq!(stale.conflicts("x").count(), 1);

    let _kept = here.remove("x", &mut writer);
    assert!(!here.join(&stale), "a stale state brings no news");
    assert_eq!(here.get("x"), None);
    stale.join(&here);
    assert_eq!(stale, here);

    // The same after a write in place of the removal, and across a restart.
    let _kept = here.set("x".into(), 3, 2, &mut writer)?;
    let old = reload(&stale);
    let mut here = reload(&here);
    assert!(!here.join(&old));
    assert_eq!(here.get("x"), Some(&3));
    Ok(())
}

/// riak_dt #82, delta_crdt_ex #45: a remove delta that overtakes the addition it removes.
#[test]
fn a_removal_that_arrives_first_still_removes() -> Result<(), WriteError> {
    let mut origin = AddWinsSet::<&str>::new();
    let mut writer = origin.writer(MUMBAI);
    let added = origin.add("x", &mut writer)?;
    let removed = origin.remove("x", &mut writer);
    let mut other = AddWinsSet::new();
    other.join(removed);
    assert!(!other.join(added), "known to be removed");
    assert!(other.is_empty());
    assert_eq!(other, origin);
    Ok(())
}

/// The cost of a delta follows its size: joining a removal a second time, or after another
/// removal of the same element, finds nothing to do. (That it costs little cannot be asserted
/// without a clock; that the shortcut is right is what the laws assert.)
#[test]
fn overlapping_removals_agree() -> Result<(), WriteError> {
    let mut origin = AddWinsSet::<u32>::new();
    let mut writer = origin.writer(MUMBAI);
    for element in 0..1_000 {
        let _kept = origin.add(element, &mut writer)?;
    }
    let mut other = origin.clone();
    let mut at_other = other.writer(DELHI);
    let (one, two) = (origin.remove(&7, &mut writer), other.remove(&7, &mut at_other));
    assert!(!origin.join(&two) && !other.join(&one) && !other.join(&one));
    let cleared = origin.clear(&mut writer);
    let _kept = other.add(3, &mut at_other)?;
    assert!(other.join(&cleared));
    assert!(other.iter().eq([&3]));
    other.check_invariants();
    Ok(())
}

/// A whole state is a delta, and it removes what it does not name.
#[test]
fn a_state_without_hints_removes_too() -> Result<(), WriteError> {
    let mut origin = AddWinsSet::<u32>::new();
    let mut writer = origin.writer(MUMBAI);
    for element in 0..10 {
        let _kept = origin.add(element, &mut writer)?;
    }
    let mut other = origin.clone();
    let _kept = origin.remove(&4, &mut writer);
    let state: AddWinsSetDelta<u32> = reload(&origin).into();
    other.join(state);
    assert_eq!(other, origin);
    other.check_invariants();
    Ok(())
}

/// A peer that forges a replica's events up to the last number cannot make it panic.
#[test]
fn a_forged_sequence_is_an_error_and_no_panic() -> Result<(), WriteError> {
    let exhausted = Err(WriteError::SequenceExhausted { replica: MUMBAI });
    let mut set = AddWinsSet::<u8>::new();
    let mut writer = set.writer(MUMBAI);
    let _kept = set.add(1, &mut writer)?;

    // What a peer sends: version 0, one replica, its id, all numbers to the last, no runs; no
    // elements; no keys.
    let mut forged = vec![0, 1, 0];
    forged.extend_from_slice(MUMBAI.as_bytes());
    let mut out = crdt_core::codec::Writer::new();
    out.varint(SEQ_MAX);
    forged.extend_from_slice(out.as_bytes());
    forged.extend_from_slice(&[0, 0, 0]);
    let delta: AddWinsSetDelta<u8> = parse(&forged).expect("well-formed");
    assert!(set.join(delta));
    assert!(set.is_empty(), "the forger has removed it");
    assert_eq!(set.add(2, &mut writer).map(drop), exhausted.map(|_: ()| ()));
    assert!(set.remove(&1, &mut writer).is_empty() && set.clear(&mut writer).is_empty());
    set.check_invariants();

    // Under a new name it goes on.
    let mut writer = set.writer(DELHI);
    let _kept = set.add(2, &mut writer)?;
    assert!(set.contains(&2));
    Ok(())
}

/// A replica whose own earlier events come back goes on behind them.
#[test]
fn a_writer_goes_on_behind_its_own_lost_events() -> Result<(), WriteError> {
    let mut before = AddWinsSet::<u8>::new();
    let mut writer = before.writer(MUMBAI);
    let lost = [before.add(1, &mut writer)?, before.add(2, &mut writer)?];

    let mut after = AddWinsSet::<u8>::new();
    let mut writer = after.writer(MUMBAI);
    for delta in lost {
        after.join(delta);
    }
    let _kept = after.add(3, &mut writer)?;
    assert!(after.iter().eq([&1, &2, &3]));
    assert_eq!(after.context().vector().get(MUMBAI), 3);
    Ok(())
}

#[test]
#[should_panic(expected = "a writer serves only the root that made it")]
fn a_counter_refuses_a_writer_of_its_fork() {
    let mut counter = PnCounter::new();
    let mut fork = counter.clone();
    let mut writer = counter.writer(MUMBAI);
    let _kept = counter.decrement(5, &mut writer);
    let _lost = fork.increment(7, &mut writer);
}

/// Values can be kept where several threads look at them.
#[test]
fn types_are_send_and_sync() {
    fn check<T: Send + Sync + Lattice>() {}
    check::<AddWinsSet<String>>();
    check::<LwwMap<String, Vec<u8>>>();
    check::<LwwRegister<String>>();
    check::<GCounter>();
    check::<PnCounter>();
}
