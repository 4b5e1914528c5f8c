//! The scenarios that the types have to show, with their figures.

use crdt_core::counter::{CounterError, GCounterDelta};
use crdt_core::dot_store::{DotMap, Edit};
use crdt_core::register::MultiValueStore;
use crdt_core::set::AddWinsStore;
use crdt_core::{
    AddWinsSet, BoundedCounter, DisableWinsFlag, EnableWinsFlag, GCounter, LwwMap, LwwRegister,
    MaxRegister, MultiValueRegister, ObservedRemoveMap, PnCounter, RemoveWinsSet, ReplicaId,
    TwoPhaseSet, WriteError, Writer,
};

use crate::support::{bytes, reload, replica};
use crdt_core::laws::Rng;

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
    // Version, two replicas (number, id, 3-byte count, no runs); two keys, each with one dot
    // and a value.
    assert_eq!(encoded, 2 + 2 * (1 + 16 + 3 + 1) + 1 + 2 * (2 + 1 + 1 + 3 + 3));
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

/// D6: 15,000 rights over 8 replicas, 100,000 requests, random partitions. Never more than
/// 15,000 are sold, and after healing and transfers exactly 15,000.
#[test]
fn a_stock_of_fifteen_thousand_is_never_oversold() -> Result<(), CounterError> {
    const REPLICAS: usize = 8;
    const STOCK: u64 = 15_000;
    let mut rng = Rng(6);
    let mut replicas: Vec<(BoundedCounter, Writer)> = (0..REPLICAS)
        .map(|index| {
            let counter = BoundedCounter::new();
            let writer = counter.writer(replica(index));
            (counter, writer)
        })
        .collect();
    // One creates the stock and hands out an eighth to each of the others.
    let (counter, writer) = &mut replicas[0];
    let _kept = counter.increment(STOCK, writer)?;
    for index in 1..REPLICAS {
        let _kept = counter.transfer(STOCK / REPLICAS as u64, replica(index), writer)?;
    }
    let start = counter.clone();
    for (counter, _) in &mut replicas {
        counter.join(&start);
    }

    let (mut sold, mut refused, mut refused_though_in_stock, mut transfers) = (0, 0, 0, 0);
    let mut side = [0; REPLICAS];
    for request in 0..100_000 {
        if request % 500 == 0 {
            // Another partition: replicas hear only those on their side.
            side = std::array::from_fn(|_| rng.below(3));
        }
        // Some are much busier than others.
        let at = rng.below(REPLICAS).min(rng.below(REPLICAS));
        let amount = 1 + rng.below(3) as u64;
        let (counter, writer) = &mut replicas[at];
        match counter.decrement(amount, writer) {
            Ok(delta) => {
                sold += amount;
                for other in 0..REPLICAS {
                    if other != at && side[other] == side[at] && rng.below(4) > 0 {
                        replicas[other].0.join(&delta);
                    }
                }
            }
            Err(CounterError::NotEnoughRights { available, .. }) => {
                assert!(available < u128::from(amount));
                refused += 1;
                refused_though_in_stock += u64::from(STOCK - sold >= amount);
                // It asks the richest it can hear, now and then.
                let hears = |&other: &usize| other != at && side[other] == side[at];
                let richest = (0..REPLICAS)
                    .filter(hears)
                    .max_by_key(|&other| replicas[other].0.rights_of(replica(other)));
                if let Some(giver) = richest.filter(|_| rng.below(8) == 0) {
                    let (counter, writer) = &mut replicas[giver];
                    let half = (counter.rights_of(writer.replica()) / 2) as u64;
                    let delta = counter.transfer(half, replica(at), writer)?;
                    transfers += u64::from(!delta.is_empty());
                    replicas[at].0.join(delta);
                }
            }
            Err(error) => return Err(error),
        }
        assert!(sold <= STOCK, "{sold} sold");
    }

    // All hear all again, and what is left goes to one, which sells it.
    let mut healed = BoundedCounter::new();
    for (counter, _) in &replicas {
        healed.join(counter);
    }
    assert_eq!(healed.value(), u128::from(STOCK - sold));
    for (counter, writer) in &mut replicas[1..] {
        counter.join(&healed);
        let left = counter.rights_of(writer.replica()) as u64;
        healed.join(counter.transfer(left, replica(0), writer)?);
    }
    let (counter, writer) = &mut replicas[0];
    counter.join(&healed);
    let left = counter.rights_of(writer.replica()) as u64;
    let _kept = counter.decrement(left, writer)?;
    sold += left;
    assert_eq!((sold, counter.value()), (STOCK, 0));
    assert!(counter.rights().all(|(_, rights)| rights == 0));
    assert!(counter.decrement(1, writer).is_err());
    counter.check_invariants();
    println!(
        "{sold} sold, 0 oversold; {refused} of 100,000 requests refused, \
         {refused_though_in_stock} of them though in stock; {transfers} transfers"
    );
    Ok(())
}

/// D6: what the rights are good for, against a counter without them.
#[test]
fn without_rights_a_stock_is_oversold() {
    let (mut here, mut there) = (PnCounter::new(), PnCounter::new());
    let (mut on_here, mut on_there) = (here.writer(MUMBAI), there.writer(DELHI));
    there.join(here.increment(1, &mut on_here).expect("far from overflow"));
    for (counter, writer) in [(&mut here, &mut on_here), (&mut there, &mut on_there)] {
        assert!(counter.value() > 0, "the check that is not enough");
        let _kept = counter.decrement(1, writer).expect("far from overflow");
    }
    here.join(&there);
    assert_eq!(here.value(), -1);
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

/// D9: two cities are written at once; both are kept, and who has read both decides.
#[test]
fn a_city_written_twice_is_two_siblings() -> Result<(), WriteError> {
    let (mut here, mut there) = (MultiValueRegister::new(), MultiValueRegister::new());
    let (mut on_here, mut on_there) = (here.writer(MUMBAI), there.writer(DELHI));
    let mumbai = here.set("Mumbai", &mut on_here)?;
    let delhi = there.set("Delhi", &mut on_there)?;
    here.join(delhi);
    there.join(mumbai);
    assert_eq!(here, there);
    assert!(here.values().eq(&["Mumbai", "Delhi"]) && here.single().is_none());

    // Read, then write.
    let decided = there.set("Delhi", &mut on_there)?;
    here.join(decided);
    assert_eq!((here.single(), here.len()), (Some(&"Delhi"), 1));
    assert_eq!(bytes(&here), bytes(&there));
    Ok(())
}

/// D9: 100 clients read and write through three servers in any order. There are never more
/// siblings than clients between their read and their write, and one more that was read.
#[test]
fn interleaved_clients_do_not_multiply_siblings() -> Result<(), WriteError> {
    const CLIENTS: usize = 100;
    let mut rng = Rng(9);
    let mut servers: Vec<(MultiValueRegister<usize>, Writer)> = (0..3)
        .map(|index| {
            let register = MultiValueRegister::new();
            let writer = register.writer(replica(index));
            (register, writer)
        })
        .collect();
    // What a client has read, if it has not written since.
    let mut reads: Vec<Option<crdt_core::causality::CausalContext>> = vec![None; CLIENTS];
    let mut most = 0;
    let mut writers_most = 0;
    for _ in 0..20_000 {
        let (client, at) = (rng.below(CLIENTS), rng.below(3));
        match reads[client].take() {
            Some(seen) => {
                // At another server than where it has read, perhaps.
                let (register, writer) = &mut servers[at];
                let before = register.clone();
                let delta = register.set_after(client, &seen, writer)?;
                register.check_invariants();
                let mut replayed = before;
                assert!(replayed.join(&delta) && replayed == *register);
            }
            None => reads[client] = Some(servers[at].0.context().clone()),
        }
        let from = servers[rng.below(3)].0.clone();
        servers[at].0.join(from);
        let writing = reads.iter().filter(|read| read.is_some()).count();
        let siblings = servers.iter().map(|(register, _)| register.len()).max().unwrap_or(0);
        writers_most = writers_most.max(writing + 1);
        most = most.max(siblings);
    }
    // Alone, a client that reads and writes leaves one.
    let mut healed = servers[0].0.clone();
    for (register, _) in &servers {
        healed.join(register);
    }
    let mut writer = healed.writer(replica(0));
    let seen = healed.context().clone();
    let _kept = healed.set_after(7, &seen, &mut writer)?;
    assert_eq!(healed.single(), Some(&7));
    assert!(most <= writers_most, "{most} siblings of {writers_most} concurrent writers");

    // Two clients that each write over the other's value, always one step behind, make two.
    let mut register = MultiValueRegister::new();
    let mut writer = register.writer(MUMBAI);
    let mut stale = [register.context().clone(), register.context().clone()];
    for turn in 0..1_000 {
        let seen = std::mem::replace(&mut stale[turn % 2], register.context().clone());
        let _kept = register.set_after(turn, &seen, &mut writer)?;
        assert!(register.len() <= 3, "{} siblings", register.len());
    }
    Ok(())
}

/// D10: every pair of an update and a deletion, made concurrently, in both orders of arrival,
/// under every policy that a type stands for.
#[test]
fn conflicts_end_as_their_policy_says() -> Result<(), WriteError> {
    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Act {
        Update,
        Delete,
    }
    use Act::{Delete, Update};
    // Whether something is there in the end, for each policy.
    let table = [
        ((Update, Update), [true, true, true, true, true, true]),
        ((Update, Delete), [true, true, true, false, false, false]),
        ((Delete, Update), [true, true, true, false, false, false]),
        ((Delete, Delete), [false; 6]),
    ];
    macro_rules! outcome {
        ($acts:expr, $order:expr, $new:expr, $update:expr, $delete:expr, $present:expr) => {{
            let mut start = $new;
            let mut writer = start.writer(replica(2));
            let _kept = $update(&mut start, &mut writer, 0);
            let (mut here, mut there) = (start.clone(), start);
            let (mut on_here, mut on_there) = (here.writer(MUMBAI), there.writer(DELHI));
            let one = if $acts.0 == Update {
                $update(&mut here, &mut on_here, 1)
            } else {
                $delete(&mut here, &mut on_here)
            };
            let two = if $acts.1 == Update {
                $update(&mut there, &mut on_there, 2)
            } else {
                $delete(&mut there, &mut on_there)
            };
            let mut third = $new;
            third.join(&here);
            let mut arriving = [one, two];
            if $order {
                arriving.reverse();
            }
            for delta in arriving {
                here.join(&delta);
                there.join(&delta);
                third.join(&delta);
            }
            third.join(&there);
            assert_eq!((&here, &here), (&there, &third));
            $present(&here)
        }};
    }
    for (acts, expected) in table {
        for order in [false, true] {
            let found = [
                outcome!(
                    acts,
                    order,
                    LwwMap::<&str, u8>::new(),
                    |map: &mut LwwMap<_, _>, by: &mut _, v| map
                        .set("k", v, u64::from(v), by)
                        .unwrap(),
                    |map: &mut LwwMap<_, _>, by: &mut _| map.remove("k", by),
                    |map: &LwwMap<_, _>| {
                        if acts == (Update, Update) {
                            assert_eq!(map.get("k"), Some(&2));
                            assert_eq!(
                                map.conflicts("k").map(|lost| *lost.value).collect::<Vec<_>>(),
                                [1]
                            );
                        }
                        map.contains_key("k")
                    }
                ),
                outcome!(
                    acts,
                    order,
                    AddWinsSet::<&str>::new(),
                    |set: &mut AddWinsSet<_>, by: &mut _, _| set.add("k", by).unwrap(),
                    |set: &mut AddWinsSet<_>, by: &mut _| set.remove("k", by),
                    |set: &AddWinsSet<_>| set.contains("k")
                ),
                outcome!(
                    acts,
                    order,
                    EnableWinsFlag::new(),
                    |flag: &mut EnableWinsFlag, by: &mut _, _| flag.enable(by).unwrap(),
                    |flag: &mut EnableWinsFlag, by: &mut _| flag.disable(by),
                    |flag: &EnableWinsFlag| flag.is_enabled()
                ),
                outcome!(
                    acts,
                    order,
                    RemoveWinsSet::<&str>::new(),
                    |set: &mut RemoveWinsSet<_>, by: &mut _, _| set.add("k", by).unwrap(),
                    |set: &mut RemoveWinsSet<_>, by: &mut _| set.remove("k", by).unwrap(),
                    |set: &RemoveWinsSet<_>| {
                        let lost = usize::from(acts.0 != acts.1);
                        assert_eq!(set.conflicts("k").count(), lost);
                        set.contains("k")
                    }
                ),
                outcome!(
                    acts,
                    order,
                    DisableWinsFlag::new(),
                    |flag: &mut DisableWinsFlag, by: &mut _, _| flag.enable(by).unwrap(),
                    |flag: &mut DisableWinsFlag, by: &mut _| flag.disable(by).unwrap(),
                    |flag: &DisableWinsFlag| flag.is_enabled()
                ),
                {
                    let mut start = TwoPhaseSet::new();
                    let _kept = start.add("k");
                    let (mut here, mut there) = (start.clone(), start);
                    for (act, set) in [(acts.0, &mut here), (acts.1, &mut there)] {
                        drop(if act == Update { set.add("k") } else { set.remove("k") });
                    }
                    if order {
                        std::mem::swap(&mut here, &mut there);
                    }
                    here.join(&there);
                    here.contains("k")
                },
            ];
            assert_eq!(found, expected, "{acts:?}, {order}");
        }
    }
    // Several values: an update against an update keeps both, against a deletion itself.
    for (first, second, left) in [(Some(1), Some(2), 2), (Some(1), None, 1), (None, None, 0)] {
        for order in [false, true] {
            let mut here = MultiValueRegister::new();
            let mut by = here.writer(replica(2));
            let _kept = here.set(0, &mut by)?;
            let mut there = here.clone();
            let mut by = [here.writer(MUMBAI), there.writer(DELHI)];
            let acts = if order { [second, first] } else { [first, second] };
            for ((value, side), by) in acts.into_iter().zip([&mut here, &mut there]).zip(&mut by) {
                drop(match value {
                    Some(value) => side.set(value, by)?,
                    None => side.clear(by),
                });
            }
            here.join(&there);
            there.join(&here);
            assert_eq!((here.len(), &here), (left, &there));
        }
    }
    Ok(())
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Order {
    Placed,
    Confirmed,
    Preparing,
    Dispatched,
    Delivered,
}

/// D13: five steps of an order, made by three replicas, arrive in all 120 orders. Whoever looks
/// sees the order go forwards, and everyone sees it delivered in the end.
#[test]
fn an_order_never_goes_back() {
    use Order::{Confirmed, Delivered, Dispatched, Placed, Preparing};
    let steps = [Placed, Confirmed, Preparing, Dispatched, Delivered];
    let mut shops = [const { MaxRegister::new() }; 3];
    // Made in turn, each by a replica that has seen the step before.
    let mut deltas = Vec::new();
    for (turn, step) in steps.into_iter().enumerate() {
        if let Some(last) = deltas.last() {
            shops[turn % 3].join(last);
        }
        deltas.push(shops[turn % 3].raise(step));
    }
    for order in permutations(5) {
        let mut observer = MaxRegister::new();
        let mut seen = Vec::new();
        for index in order {
            let news = observer.join(deltas[index]);
            assert_eq!(news, seen.last() != observer.get());
            if news {
                seen.extend(observer.get().copied());
            }
        }
        assert!(seen.is_sorted_by(|a, b| a < b), "{seen:?}");
        assert_eq!(seen.last(), Some(&Delivered));
        assert!(observer.raise(Preparing).is_empty(), "what is delivered is not prepared again");
        assert_eq!(observer.get(), Some(&Delivered));
    }
}
