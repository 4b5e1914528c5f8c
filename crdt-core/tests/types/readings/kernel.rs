use std::collections::BTreeSet;
use std::hash::{BuildHasher as _, RandomState};

use crdt_core::causality::{CausalContext, DotCloud, ParentsError};
use crdt_core::dot_store::{Causal, Delta, DotSet};
use crdt_core::undo::Undo as _;
use crdt_core::{
    Dot, DotRange, EventGraph, MultiValueRegister, RedactableRegister, ReplicaId, SEQ_MAX,
    VersionVector, WriteError,
};

use super::{DELHI, MUMBAI};

#[test]
fn a_dot_has_neighbours() {
    let dot = |seq| Dot::new(MUMBAI, seq);
    assert_eq!((dot(1).next(), dot(SEQ_MAX - 1).next()), (Some(dot(2)), Some(dot(SEQ_MAX))));
    assert_eq!((dot(SEQ_MAX).next(), dot(0).next()), (None, Some(dot(1))));
    assert_eq!(
        [0, 1, 2, 3].map(|seq| dot(seq).previous()),
        [None, None, Some(dot(1)), Some(dot(2))]
    );
}

#[test]
fn a_version_vector() {
    let mut vector = VersionVector::new();
    assert_eq!((vector.is_empty(), vector.len()), (true, 0));
    assert!(vector.iter().size_hint() == (0, Some(0)));
    vector.observe(DELHI, 3);
    vector.observe(MUMBAI, 2);
    let mut iter = vector.iter();
    for (left, expected) in [(2, (MUMBAI, 2)), (1, (DELHI, 3))] {
        assert_eq!((iter.size_hint(), iter.len()), ((left, Some(left)), left));
        assert_eq!(iter.next(), Some(expected));
    }
    assert_eq!((iter.size_hint(), iter.next()), ((0, Some(0)), None));

    let mut other = vector.clone();
    other.observe(MUMBAI, 5);
    assert!(other.dominates(&vector) && !vector.dominates(&other));
    assert!(!vector.concurrent_with(&other) && !vector.concurrent_with(&vector));
    vector.observe(DELHI, 4);
    assert!(vector.concurrent_with(&other) && other.concurrent_with(&vector));
    let missing: Vec<DotRange> = other.missing_from(&vector).collect();
    assert_eq!(missing, [DotRange::new(MUMBAI, 3, 5)]);
}

/// Small vectors beside large ones take ways of their own; all lead to the same.
#[test]
fn version_vectors_of_any_sizes() {
    let of = |range: std::ops::Range<u64>, seq: fn(u64) -> u64| -> VersionVector {
        let mut vector = VersionVector::new();
        range.for_each(|n| vector.observe(ReplicaId::from_u128(n.into()), seq(n)));
        vector
    };
    for size in [1, 7, 8, 9, 15, 16, 17, 40] {
        let here = of(0..size, |_| 5);
        for (others, is_held) in [
            (of(0..1, |_| 5), true),
            (of(0..1, |_| 4), true),
            (of(0..1, |_| 6), false),
            (of(90..91, |_| 1), false),
            (of(0..2, |_| 5), size >= 2),
            (of(0..size + 1, |_| 1), false),
        ] {
            assert_eq!(here.dominates(&others), is_held, "{size}: {others:?}");
            let mut joined = here.clone();
            joined.join(&others);
            assert!(joined.dominates(&here) && joined.dominates(&others));
            assert_eq!(joined == here, is_held);
            let mut met = here.clone();
            met.meet(&others);
            assert!(here.dominates(&met) && others.dominates(&met));
            assert_eq!(met == others, is_held);
        }
    }
}

#[test]
fn a_causal_context() {
    let mut context = CausalContext::new();
    assert!(context.is_empty() && context.is_gapless());
    context.insert(Dot::new(MUMBAI, 1));
    assert!(!context.is_empty() && context.is_gapless());
    context.insert(Dot::new(MUMBAI, 3));
    assert!(!context.is_gapless() && !context.contains(Dot::new(MUMBAI, 2)));
    let other = CausalContext::from_iter([Dot::new(MUMBAI, 1)]);
    assert!(context.dominates(&other) && !context.concurrent_with(&other));
    let other = CausalContext::from_iter([Dot::new(MUMBAI, 1), Dot::new(MUMBAI, 2)]);
    assert!(context.concurrent_with(&other) && other.concurrent_with(&context));
    // What is ahead of its turn is known run by run.
    let ahead = CausalContext::from_iter([Dot::new(DELHI, 4), Dot::new(DELHI, 5)]);
    let further = CausalContext::from_iter([4, 5, 6].map(|seq| Dot::new(DELHI, seq)));
    let begun = CausalContext::from_iter([1, 2].map(|seq| Dot::new(DELHI, seq)));
    assert!(further.dominates(&ahead) && !ahead.dominates(&further));
    assert!(!begun.dominates(&ahead));
    let whole = CausalContext::from_iter((1..=5).map(|seq| Dot::new(DELHI, seq)));
    assert!(whole.dominates(&ahead) && whole.dominates(&begun) && !whole.dominates(&further));
}

#[test]
fn sets_of_dots_hash_by_what_they_hold() {
    let state = RandomState::new();
    let clouds = [
        DotCloud::new(),
        DotCloud::from_iter([Dot::new(MUMBAI, 2)]),
        DotCloud::from_iter([Dot::new(MUMBAI, 2), Dot::new(DELHI, 9)]),
        DotCloud::from_iter([Dot::new(MUMBAI, 3)]),
    ];
    let hashes: BTreeSet<u64> = clouds.iter().map(|cloud| state.hash_one(cloud)).collect();
    assert_eq!(hashes.len(), clouds.len());
    let otherwise = DotCloud::from_iter([Dot::new(DELHI, 9), Dot::new(MUMBAI, 2)]);
    assert_eq!(state.hash_one(&otherwise), state.hash_one(&clouds[2]));
}

/// Graphs are equal by events and causal order, not by the order of arrival.
#[test]
fn an_event_graph() {
    let graph = EventGraph::new();
    assert_eq!((graph.is_empty(), graph.len()), (true, 0));
    let of = |changes: &[(ReplicaId, u32, u32, &[Dot])]| {
        let mut graph = EventGraph::new();
        for &(replica, change_len, count, parents) in changes {
            let parents = graph.full_parents(replica, parents).expect("they are known");
            graph.push(replica, change_len, count, &parents).expect("room");
        }
        assert!(!graph.is_empty());
        graph
    };
    let (a1, a2) = (Dot::new(MUMBAI, 1), Dot::new(MUMBAI, 2));
    let line = of(&[(MUMBAI, 1, 2, &[]), (DELHI, 1, 1, &[a2])]);
    assert_eq!(line, line.clone());
    assert_ne!(line, of(&[(MUMBAI, 1, 2, &[])]));
    assert_ne!(line, of(&[(MUMBAI, 1, 2, &[]), (DELHI, 1, 1, &[a1])]));
    assert_ne!(line, of(&[(MUMBAI, 2, 1, &[]), (DELHI, 1, 1, &[a2])]));
    // Whichever of them is asked.
    let unequal = |one: &EventGraph, other: &EventGraph| {
        [(one, other), (other, one)].iter().all(|(asked, other)| asked != other)
    };
    let early = of(&[(MUMBAI, 1, 2, &[]), (DELHI, 1, 1, &[a1])]);
    let b1 = Dot::new(DELHI, 1);
    let merged = of(&[(MUMBAI, 1, 1, &[]), (DELHI, 1, 1, &[a1]), (MUMBAI, 1, 1, &[b1])]);
    assert!(unequal(&early, &merged) && unequal(&early, &line));
    let (short, long) =
        (of(&[(MUMBAI, 1, 4, &[])]), of(&[(MUMBAI, 1, 2, &[]), (MUMBAI, 2, 1, &[])]));
    assert!(unequal(&short, &long));
    assert_eq!(line.local(&[a2].into_iter().collect()).as_deref(), Ok(&[1][..]));
    assert_eq!(line.local(&[Dot::new(DELHI, 2)].into_iter().collect()), Err(Dot::new(DELHI, 2)));
}

#[test]
fn parents_that_are_refused_are_named() {
    let dot = Dot::new(DELHI, 9);
    let words = [
        ParentsError::Missing(dot),
        ParentsError::OwnEvent(dot),
        ParentsError::Redundant(dot),
        ParentsError::InsideChange(dot),
        ParentsError::BeforeTrim(dot),
    ]
    .map(|error| error.to_string());
    assert!(words.iter().all(|words| words.contains(&dot.to_string())), "{words:?}");
    assert_eq!(BTreeSet::from(words).len(), 5);
}

#[test]
fn stores_say_what_stands_under_a_dot() -> Result<(), WriteError> {
    let mut register = MultiValueRegister::new();
    let mut writer = register.writer(MUMBAI);
    let _delta = register.set("a", &mut writer)?;
    let (there, absent) = (Dot::new(MUMBAI, 1), Dot::new(MUMBAI, 2));
    assert_eq!((register.store().get(there), register.store().get(absent)), (Some(&"a"), None));

    let mut redactable = RedactableRegister::<&str, usize>::new();
    let mut writer = redactable.writer(MUMBAI);
    let _delta = redactable.set("a", &mut writer)?;
    let held = redactable.store().get(there).and_then(|payload| payload.held());
    assert_eq!((held, redactable.store().get(absent)), (Some(&"a"), None));
    Ok(())
}

/// A value of its own by the kernel's parts.
#[test]
fn a_causal_value() -> Result<(), WriteError> {
    let state = RandomState::new();
    let empty = Causal::<DotSet>::new();
    let mut value = Causal::<DotSet>::new();
    let mut writer = value.writer(MUMBAI);
    let delta = value.edit(&mut writer, |flag| flag.enable())?;
    assert_ne!(state.hash_one(&value), state.hash_one(&empty));
    assert_eq!(state.hash_one(&value), state.hash_one(value.clone()));
    assert_eq!(value.clone().into_store(), DotSet::from(Dot::new(MUMBAI, 1)));

    // What a delta did can be taken back, and nothing of one that did nothing.
    let nothing = empty.inverse(&Delta::default());
    let added = empty.inverse(&delta);
    let removal = {
        let mut there = value.clone();
        let mut writer = there.writer(DELHI);
        there.edit(&mut writer, |flag| flag.disable())?
    };
    let removed = value.inverse(&removal);
    assert!(nothing.is_empty() && !added.is_empty() && !removed.is_empty());
    assert_eq!((added.put().dots().len(), added.taken().dots().len()), (1, 0));
    assert_eq!((removed.put().dots().len(), removed.taken().dots().len()), (0, 1));
    Ok(())
}

#[test]
fn names_are_shown_in_words() {
    let id = ReplicaId::from(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef_u128);
    let words = "01234567-89ab-cdef-0123-456789abcdef";
    assert_eq!(id.to_string(), words);
    assert_eq!(format!("{id:?}"), format!("ReplicaId({words})"));
    assert_eq!(format!("{:?}", Dot::new(id, 7)), format!("Dot({words}:7)"));
    assert_eq!(format!("{:?}", DotRange::new(id, 7, 9)), format!("DotRange({words}:7-9)"));
    let exhausted = WriteError::SequenceExhausted { replica: id }.to_string();
    assert!(exhausted.contains(words), "{exhausted}");
}

#[cfg(feature = "uuid")]
#[test]
fn an_id_is_a_uuid() {
    let id = ReplicaId::from(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef_u128);
    let uuid = uuid::Uuid::from(id);
    assert_eq!((uuid.to_string(), ReplicaId::from(uuid)), (id.to_string(), id));
}
