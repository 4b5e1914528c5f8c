//! Mistakes of other libraries that must not be made here, and of peers that must do no harm.

use crdt_core::set::AddWinsSetDelta;
use crdt_core::{
    AddWinsSet, Dot, GCounter, Lattice, LwwMap, LwwRegister, PnCounter, ReplicaId, SEQ_MAX,
    WriteError,
};

use crate::support::{parse, reload};

const MUMBAI: ReplicaId = ReplicaId::from_u128(1);
const DELHI: ReplicaId = ReplicaId::from_u128(2);

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

    // Only the last of them has come back: the numbers before it are taken all the same.
    let mut gap = AddWinsSet::<u8>::new();
    gap.join(after.add(4, &mut writer)?);
    let mut writer = gap.writer(MUMBAI);
    let next = gap.add(5, &mut writer)?;
    assert_eq!(
        next.store().get(&5).map(|dots| dots.dots().to_vec()),
        Some(vec![Dot::new(MUMBAI, 5)])
    );
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
