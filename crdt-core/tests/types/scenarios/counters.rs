//! D1, D5, D6: views, balances, stock.

use super::*;

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
