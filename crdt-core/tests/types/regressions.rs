//! Mistakes of other libraries that must not be made here, and of peers that must do no harm.

use crdt_core::dot_store::DotMap;
use crdt_core::flag::EnableWinsFlagDelta;
use crdt_core::register::MultiValueStore;
use crdt_core::set::{AddWinsSetDelta, AddWinsStore};
use crdt_core::undo::Undo as _;
use crdt_core::{
    AddWinsSet, BoundedCounter, DisableWinsFlag, Dot, EnableWinsFlag, GCounter, GrowOnlySet,
    Lattice, LwwMap, LwwRegister, MaxRegister, MinRegister, MultiValueRegister, ObservedRemoveMap,
    PnCounter, RemoveWinsSet, ReplicaId, SEQ_MAX, TwoPhaseSet, WriteError,
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

type Sets = ObservedRemoveMap<&'static str, AddWinsStore<u8>>;

/// rust-crdt 7.3.2, `Map<_, Orswot, _>`, as it is: the set is nested in the map. There the
/// operations give {2}, and the states {1, 2}.
#[test]
fn an_element_of_a_removed_key_does_not_come_back() -> Result<(), WriteError> {
    let (mut a, mut b) = (Sets::new(), Sets::new());
    let (mut at_a, mut at_b) = (a.writer(MUMBAI), b.writer(DELHI));
    b.join(a.update("key", &mut at_a, |set| set.add(1))?);

    let removed = b.remove("key", &mut at_b);
    let added = a.update("key", &mut at_a, |set| set.add(2))?;

    let (mut by_states, mut by_deltas) = (a.clone(), a.clone());
    by_states.join(&b);
    by_deltas.join(&removed);
    b.join(&added);
    for map in [&by_states, &by_deltas, &b] {
        assert!(map.get("key").is_some_and(|set| set.keys().eq(&[2])));
        assert_eq!(map, &by_states);
    }
    Ok(())
}

/// rust-crdt #10 (`MVReg` in a `Map`): a register that was reset shows its old value again
/// when a stale state is merged.
#[test]
fn a_register_of_a_removed_key_does_not_come_back() -> Result<(), WriteError> {
    type Registers = ObservedRemoveMap<&'static str, MultiValueStore<u8>>;
    let (mut here, mut there) = (Registers::new(), Registers::new());
    let (mut on_here, mut on_there) = (here.writer(MUMBAI), there.writer(DELHI));
    let _kept = here.update("x", &mut on_here, |register| register.set(1))?;
    let _kept = there.update("x", &mut on_there, |register| register.set(2))?;
    here.join(&there);
    there.join(&here);
    let stale = there.clone();
    let _kept = here.remove("x", &mut on_here);
    assert!(!here.join(&stale) && here.is_empty());

    let _kept = here.update("x", &mut on_here, |register| register.set(3))?;
    assert!(!here.join(&stale));
    there.join(&here);
    for map in [&here, &there] {
        let values: Vec<u8> = map.get("x").unwrap().entries().iter().map(|(_, v)| *v).collect();
        assert_eq!(values, [3]);
    }
    Ok(())
}

/// riak_dt #93: a field that is removed is reset, whether or not it is added again: what a
/// concurrent update did stays, and what the removal has seen does not.
#[test]
fn a_removed_key_is_reset_whether_or_not_it_is_used_again() -> Result<(), WriteError> {
    for used_again in [true, false] {
        let (mut a, mut b) = (Sets::new(), Sets::new());
        let (mut at_a, mut at_b) = (a.writer(MUMBAI), b.writer(DELHI));
        b.join(a.update("F", &mut at_a, |set| set.add(b'X'))?);
        let _kept = b.update("F", &mut at_b, |set| set.add(b'Y'))?;
        let _kept = a.remove("F", &mut at_a);
        if used_again {
            let _kept = a.update("F", &mut at_a, |set| set.add(b'Z'))?;
        }
        a.join(&b);
        b.join(&a);
        let left: &[u8] = if used_again { b"YZ" } else { b"Y" };
        assert!(a.get("F").is_some_and(|set| set.keys().eq(left)));
        assert_eq!(a, b);
    }
    Ok(())
}

/// riak_dt #82, of its map: a field that both sides of a merge show, each by an update that
/// the other side has seen removed, is in neither; nor are fields inside it.
#[test]
fn a_key_that_both_sides_show_may_be_removed_all_the_same() -> Result<(), WriteError> {
    type Nested = ObservedRemoveMap<u8, DotMap<u8, AddWinsStore<u8>>>;
    let (mut a, mut b) = (Nested::new(), Nested::new());
    let (mut at_a, mut at_b) = (a.writer(MUMBAI), b.writer(DELHI));
    for (map, writer) in [(&mut a, &mut at_a), (&mut b, &mut at_b)] {
        let _kept = map.update(1, writer, |inner| inner.update(2, |set| set.add(3)))?;
    }
    let c = a.clone();
    let _kept = a.remove(&1, &mut at_a);
    a.join(&b);
    let _kept = b.update(1, &mut at_b, |inner| _ = inner.remove(&2))?;
    assert!(a.contains_key(&1) && c.contains_key(&1) && !b.contains_key(&1));
    a.join(&c);
    b.join(&a);
    assert!(a.contains_key(&1), "the update of b is not removed at a yet");
    a.join(&b);
    assert!(a.is_empty() && a == b);
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

/// riak_dt #54: of two concurrent additions of one element the merge kept one dot, so that a
/// removal that had seen the one took away both.
#[test]
fn a_removal_takes_only_the_addition_it_has_seen() -> Result<(), WriteError> {
    let (mut a, mut b) = (AddWinsSet::<&str>::new(), AddWinsSet::new());
    let (mut at_a, mut at_b) = (a.writer(MUMBAI), b.writer(DELHI));
    let of_a = a.add("x", &mut at_a)?;
    let of_b = b.add("x", &mut at_b)?;
    let removed = a.remove("x", &mut at_a);
    let mut c = AddWinsSet::new();
    c.join(&of_a);
    c.join(&of_b);
    assert_eq!(c.dots("x").len(), 2, "both additions are kept");
    c.join(&removed);
    a.join(&of_b);
    assert!(a.contains("x") && c.contains("x"));
    assert_eq!(a, c);
    Ok(())
}

/// riak_dt #78: a removal does not advance the clock, so that a merge that took the side with
/// the greater clock for the newer one brought the element back.
#[test]
fn a_removal_reaches_a_side_that_has_seen_more() -> Result<(), WriteError> {
    let (mut a, mut b) = (AddWinsSet::<&str>::new(), AddWinsSet::new());
    let (mut at_a, mut at_b) = (a.writer(MUMBAI), b.writer(DELHI));
    let _kept = (a.add("foo", &mut at_a)?, a.add("bar", &mut at_a)?, b.add("baz", &mut at_b)?);
    let mut c = a.clone();
    c.join(&b);
    let _kept = a.remove("bar", &mut at_a);
    let mut d = a.clone();
    d.join(&c);
    c.join(&a);
    assert!(d.iter().eq(["baz", "foo"].iter()));
    assert_eq!(c, d);
    Ok(())
}

/// riak_dt #82: an element, or a flag, that both sides of a merge show, each by an addition
/// that the other side has seen removed, is in neither.
#[test]
fn what_both_sides_show_may_be_removed_all_the_same() -> Result<(), WriteError> {
    let (mut a, mut b) = (AddWinsSet::<&str>::new(), AddWinsSet::new());
    let (mut at_a, mut at_b) = (a.writer(MUMBAI), b.writer(DELHI));
    let _kept = (a.add("x", &mut at_a)?, b.add("x", &mut at_b)?);
    let c = a.clone();
    let _kept = a.remove("x", &mut at_a);
    a.join(&b);
    let _kept = b.remove("x", &mut at_b);
    assert!(a.contains("x") && c.contains("x"));
    a.join(&c);
    b.join(&a);
    assert!(b.is_empty());

    let (mut a, mut b) = (EnableWinsFlag::new(), EnableWinsFlag::new());
    let (mut at_a, mut at_b) = (a.writer(MUMBAI), b.writer(DELHI));
    let _kept = (a.enable(&mut at_a)?, b.enable(&mut at_b)?);
    let mut c = a.clone();
    let _kept = a.disable(&mut at_a);
    a.join(&b);
    let _kept = b.disable(&mut at_b);
    c.join(&b);
    assert!(a.is_enabled() && c.is_enabled());
    a.join(&c);
    assert!(!a.is_enabled());
    Ok(())
}

/// rust-crdt #10 (`MVReg`): siblings that were overwritten come back when a stale state is
/// merged.
#[test]
fn siblings_that_were_overwritten_stay_so_against_a_stale_state() -> Result<(), WriteError> {
    let (mut here, mut there) = (MultiValueRegister::<u8>::new(), MultiValueRegister::new());
    let (mut on_here, mut on_there) = (here.writer(MUMBAI), there.writer(DELHI));
    let _kept = (here.set(1, &mut on_here)?, there.set(2, &mut on_there)?);
    here.join(&there);
    there.join(&here);
    let stale = reload(&there);
    let _kept = here.clear(&mut on_here);
    assert!(!here.join(&stale) && here.is_empty());
    let _kept = here.set(3, &mut on_here)?;
    let mut here = reload(&here);
    assert!(!here.join(&stale));
    assert_eq!(here.single(), Some(&3));
    there.join(&here);
    assert_eq!(there, here);
    Ok(())
}

/// A remove delta that overtakes the addition it removes.
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

/// delta_crdt_ex #45: 100,000 keys are written while another replica, which knows some of them
/// already, joins every delta and sends back its state; the writer lost four of five keys,
/// because a state that had not seen a key was taken for one that had removed it.
#[test]
fn keys_are_not_lost_to_a_neighbour_that_lags_behind() -> Result<(), WriteError> {
    type Map = ObservedRemoveMap<u32, MultiValueStore<u32>>;
    let (mut here, mut there) = (Map::new(), Map::new());
    let mut writer = here.writer(MUMBAI);
    let mut post = Vec::new();
    for key in 0..100_000 {
        post.push(here.update(key, &mut writer, |register| register.set(key))?);
        if key % 10_000 == 0 {
            // Some of the post arrives, the last of it first; the state comes back at once.
            for delta in post.split_off(post.len() / 2).into_iter().rev() {
                there.join(delta);
            }
            here.join(&there);
        }
    }
    assert_eq!(here.len(), 100_000);
    for delta in post.into_iter().rev() {
        there.join(delta);
    }
    assert_eq!(there, here);
    assert!(!here.join(&there) && here.context().is_gapless());
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
    let inverse = other.inverse(&state);
    let before = other.clone();
    other.join(state);
    assert_eq!(other, origin);
    other.check_invariants();
    // And what it has removed can be taken back.
    let mut writer = other.writer(DELHI);
    let _kept = other.undo(&inverse, &mut writer)?;
    assert!(other.iter().eq(before.iter()) && other.contains(&4));
    Ok(())
}

/// The beginning of a delta of one who has seen so many of Mumbai's events.
fn seen_to(last: u64) -> Vec<u8> {
    let mut out = crdt_core::codec::Writer::new();
    out.varint(last);
    [&[0, 1, 0], &MUMBAI.to_bytes()[..], out.as_bytes()].concat()
}

/// A peer that forges a replica's events up to the last number cannot make it panic.
#[test]
fn a_forged_sequence_is_an_error_and_no_panic() -> Result<(), WriteError> {
    let exhausted = Err(WriteError::SequenceExhausted { replica: MUMBAI });
    let mut set = AddWinsSet::<u8>::new();
    let mut writer = set.writer(MUMBAI);
    let _kept = set.add(1, &mut writer)?;

    // What a peer sends: version 0, one replica, its id, all numbers to the last, no runs; no
    // dots, no unusual leaves, no elements; no keys.
    let forged = [seen_to(SEQ_MAX), vec![0, 0, 0, 0, 0]].concat();
    let delta: AddWinsSetDelta<u8> = parse(&forged).expect("well-formed");
    assert!(set.join(delta));
    assert!(set.is_empty(), "the forger has removed it");
    assert_eq!(set.add(2, &mut writer).map(drop), exhausted.map(|_: ()| ()));
    assert!(set.remove(&1, &mut writer).is_empty() && set.clear(&mut writer).is_empty());
    set.check_invariants();

    // What takes an edit needs a little more room; a removal needs none.
    let mut flag = EnableWinsFlag::new();
    let mut writer = flag.writer(MUMBAI);
    let _kept = flag.enable(&mut writer)?;
    let seen = |last| [seen_to(last), vec![0, 0, 2, 0, 0]].concat();
    flag.join(parse::<EnableWinsFlagDelta>(&seen(SEQ_MAX - (1 << 40))).expect("well-formed"));
    assert!(!flag.is_enabled());
    let _kept = flag.enable(&mut writer)?;
    assert!(flag.is_enabled(), "it just fits");
    flag.join(parse::<EnableWinsFlagDelta>(&seen(SEQ_MAX)).expect("well-formed"));
    assert!(!flag.is_enabled());
    assert_eq!(flag.enable(&mut writer).map(drop), exhausted.map(|_: ()| ()));
    assert!(flag.disable(&mut writer).is_empty());
    flag.check_invariants();

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
    check::<MultiValueRegister<String>>();
    check::<MaxRegister<u8>>();
    check::<MinRegister<u8>>();
    check::<EnableWinsFlag>();
    check::<DisableWinsFlag>();
    check::<RemoveWinsSet<String>>();
    check::<GrowOnlySet<String>>();
    check::<TwoPhaseSet<String>>();
    check::<ObservedRemoveMap<String, AddWinsStore<String>>>();
    check::<BoundedCounter>();
    check::<GCounter>();
    check::<PnCounter>();
}
