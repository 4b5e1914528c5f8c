use crdt_core::counter::{CounterError, GCounterDelta, PnCounterDelta};
use crdt_core::{BoundedCounter, GCounter, PnCounter};

use super::{DELHI, MUMBAI};

#[test]
fn a_grow_only_counter() -> Result<(), CounterError> {
    let mut counter = GCounter::new();
    let mut writer = counter.writer(MUMBAI);
    let nothing = counter.increment(0, &mut writer)?;
    assert!(nothing.is_empty());
    let delta = counter.increment(3, &mut writer)?;
    assert!(!delta.is_empty());
    assert_eq!((counter.value(), counter.counted_by(MUMBAI), counter.counted_by(DELHI)), (3, 3, 0));
    assert!(counter.iter().eq([(MUMBAI, 3)]));

    assert_eq!(GCounterDelta::from(&delta), delta);
    assert_eq!(GCounterDelta::from(&counter), delta);
    assert_eq!(GCounterDelta::from(counter.clone()), delta);
    let mut both = nothing;
    assert!(both.join(&delta) && !both.join(&delta));
    assert_eq!(both, delta);

    // To apply nothing leaves no trace.
    assert_eq!(counter.apply(DELHI, 0), Ok(0));
    assert_eq!(counter.iter().len(), 1);
    assert_eq!((counter.apply(DELHI, 4), counter.apply(DELHI, 5)), (Ok(4), Ok(9)));
    assert_eq!(counter.value(), 12);
    assert_eq!(counter.apply(DELHI, u64::MAX), Err(CounterError::Overflow { replica: DELHI }));
    Ok(())
}

/// A join with few of many writers, of whom some are known: news is what is new, whichever way is taken.
#[test]
fn a_grow_only_counter_says_what_is_news() {
    let replica = |number: u64| crdt_core::ReplicaId::from_u128(number.into());
    for writers in [1, 8, 9, 16, 40] {
        let here: GCounter = (1..=writers).map(|n| (replica(n), 5)).collect();
        for (other, is_news) in [
            (vec![(1, 5)], false),
            (vec![(1, 6)], true),
            (vec![(99, 1)], true),
            (vec![(1, 6), (2, 1)], true),
            (vec![(1, 4), (99, 1)], true),
        ] {
            let there: GCounter = other.iter().map(|&(n, amount)| (replica(n), amount)).collect();
            let mut joined = here.clone();
            assert_eq!(joined.join(&there), is_news, "{writers} {other:?}");
            for (n, amount) in other {
                let known = here.counted_by(replica(n));
                assert_eq!(joined.counted_by(replica(n)), known.max(amount));
            }
            assert!(!joined.join(&there));
        }
    }
}

#[test]
fn a_counter_both_ways() -> Result<(), CounterError> {
    let mut counter = PnCounter::new();
    let mut writer = counter.writer(MUMBAI);
    let nothing = counter.decrement(0, &mut writer)?;
    assert!(nothing.is_empty());
    let delta = counter.decrement(3, &mut writer)?;
    assert!(!delta.is_empty());
    assert_eq!(
        (counter.value(), counter.counted_by(MUMBAI), counter.counted_by(DELHI)),
        (-3, -3, 0)
    );
    assert!(counter.iter().eq([(MUMBAI, 0, 3)]));

    assert_eq!(PnCounterDelta::from(&delta), delta);
    assert_eq!(PnCounterDelta::from(&counter), delta);
    assert_eq!(PnCounterDelta::from(counter.clone()), delta);
    let mut both = nothing;
    assert!(both.join(&delta) && !both.join(&delta));
    assert_eq!(both, delta);

    // To apply nothing leaves no trace.
    assert_eq!(counter.apply(DELHI, 0), Ok(()));
    assert_eq!(counter.iter().len(), 1);
    assert_eq!((counter.apply(DELHI, -1), counter.apply(DELHI, 5)), (Ok(()), Ok(())));
    assert!(counter.iter().eq([(MUMBAI, 0, 3), (DELHI, 5, 1)]));
    Ok(())
}

#[test]
fn a_bounded_counter() -> Result<(), CounterError> {
    let mut counter = BoundedCounter::new();
    let mut writer = counter.writer(MUMBAI);
    let _delta = counter.increment(10, &mut writer)?;
    let _delta = counter.transfer(4, DELHI, &mut writer)?;
    let _delta = counter.decrement(1, &mut writer)?;
    assert_eq!(counter.value(), 9);
    assert_eq!((counter.rights_of(MUMBAI), counter.rights_of(DELHI)), (5, 4));
    assert_eq!(counter.rights().collect::<Vec<_>>(), [(MUMBAI, 5), (DELHI, 4)]);
    Ok(())
}

#[test]
#[should_panic(expected = "a writer serves only the root that made it")]
fn a_bounded_counter_knows_its_writers() {
    let (mut counter, mut fork) = (BoundedCounter::new(), BoundedCounter::new());
    let mut writer = counter.writer(MUMBAI);
    let _delta = counter.increment(10, &mut writer);
    let _delta = fork.increment(10, &mut writer);
}

#[test]
#[should_panic(expected = "a writer serves only the root that made it")]
fn a_bounded_counter_knows_its_writers_by_each_step() {
    let mut counter = BoundedCounter::new();
    let mut writer = counter.writer(MUMBAI);
    let _delta = counter.increment(10, &mut writer);
    let mut fork = counter.clone();
    let _delta = counter.decrement(1, &mut writer);
    let _delta = fork.decrement(1, &mut writer);
}

#[test]
fn what_a_counter_refuses_it_says_in_words() {
    let overflow = CounterError::Overflow { replica: DELHI }.to_string();
    assert!(overflow.contains(&DELHI.to_string()) && overflow.contains("2^64"), "{overflow}");
    let rights = CounterError::NotEnoughRights { replica: DELHI, available: 17 }.to_string();
    assert!(rights.contains(&DELHI.to_string()) && rights.contains("17"), "{rights}");
}
