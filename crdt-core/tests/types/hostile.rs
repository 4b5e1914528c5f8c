//! Foreign bytes: whatever they are, decoding them does not panic; what is accepted is
//! canonical, in normal form, and joins without harm.

use std::fmt::Debug;

use crdt_core::Lattice;
use crdt_core::causality::CausalContext;
use crdt_core::codec::{Decode, Encode};
use crdt_core::counter::CounterStore;
use crdt_core::dot_store::{Delta, Digest};
use crdt_core::laws::trials;
use crdt_core::set::AddWinsStore;
use crdt_core::{
    AddWinsSet, BoundedCounter, GrowOnlySet, List, LwwMap, MaxRegister, ObservedRemoveMap,
    RemoveWinsSet, Tree, TwoPhaseSet,
};
use crdt_core::{Dot, ReplicaId};

use crate::support::derived::{EverythingAt, PairOf, RootOf};
use crate::support::list::{ListAt, Lists};
use crate::support::nest::{CounterAt, LatticeAt, MapOf, RedactableAt, RootMap, SetAt, SiblingsAt};
use crate::support::subjects::{
    DisableWins, EnableWins, Greatest, GrowOnly, GrowOnlyElements, Least, Map, Redacting, Register,
    RemoveWins, Set, Siblings, Stock, TwoPhase, UpAndDown,
};
use crate::support::tree::{TreeAt, Trees};
use crate::support::{bytes, parse};
use crdt_core::laws::Rng;
use crdt_core::laws::{Arrival, History, Step, Subject};

/// Damages bytes as a careless or cunning peer would.
fn damage(bytes: &mut Vec<u8>, rng: &mut Rng) {
    for _ in 0..=rng.below(3) {
        let at = rng.below(bytes.len() + 1);
        match rng.below(6) {
            0 if at < bytes.len() => bytes[at] ^= 1 << rng.below(8),
            1 if at < bytes.len() => bytes[at] = [0, 1, 2, 0x7f, 0x80, 0xff][rng.below(6)],
            2 => bytes.truncate(at),
            3 => bytes.insert(at, rng.next() as u8),
            4 if at < bytes.len() => drop(bytes.remove(at)),
            _ => {
                let from = rng.below(bytes.len() + 1);
                let piece = bytes[from.min(at)..from.max(at)].to_vec();
                bytes.splice(at..at, piece);
            }
        }
    }
}

/// What is accepted is written back as it came.
fn accepted<T: Encode + Decode>(input: &[u8]) -> Option<T> {
    let value = parse::<T>(input).ok()?;
    assert_eq!(bytes(&value), input, "only canonical bytes are accepted");
    Some(value)
}

fn check<S: Subject>() {
    fn law<S: Subject>(steps: Vec<Step<S::Op>>, seed: u64) -> bool {
        let mut rng = Rng(seed);
        let history = History::<S>::play(&steps, Arrival::Any);
        let mut state = history.states[0].clone();
        for _ in 0..8 {
            let mut input = match rng.below(2) {
                0 => bytes(&history.states[rng.below(history.states.len())]),
                _ if history.deltas.is_empty() => continue,
                _ => bytes(&history.deltas[rng.below(history.deltas.len())]),
            };
            damage(&mut input, &mut rng);
            if let Some(hostile) = accepted::<S::Root>(&input) {
                S::check(&hostile);
                state.join(hostile);
                S::check(&state);
            }
            if let Some(hostile) = accepted::<S::Delta>(&input) {
                state.join(hostile);
                S::check(&state);
            }
            // What was taken in from a stranger can still be saved and loaded.
            assert_eq!(accepted(&bytes(&state)), Some(state.clone()));
        }
        true
    }
    trials().quickcheck(law::<S> as fn(Vec<Step<S::Op>>, u64) -> bool);
    short::<S::Root>();
    short::<S::Delta>();
}

/// Every input of up to two bytes.
fn short<T: Encode + Decode + Debug>() {
    let _: Option<T> = accepted(&[]);
    for first in 0..=u8::MAX {
        let _: Option<T> = accepted(&[first]);
        for second in 0..=u8::MAX {
            let _: Option<T> = accepted(&[first, second]);
        }
    }
}

/// Each byte of a small value may be any other.
#[test]
fn every_byte_of_a_small_set() {
    let mut sets = [7, 3].map(|id| (AddWinsSet::<u8>::new(), ReplicaId::from_u128(id)));
    for (at, (set, id)) in sets.iter_mut().enumerate() {
        let mut writer = set.writer(*id);
        for element in [5, 1, 9, 1, 4] {
            let _told_later = set.add(element + at as u8, &mut writer).expect("numbers are left");
        }
    }
    let [(mut set, _), (other, _)] = sets;
    set.join(&other);
    let whole = bytes(&set);
    let mut refused = 0;
    for at in 0..whole.len() {
        for byte in 0..=255 {
            let mut damaged = whole.clone();
            damaged[at] = byte;
            match accepted::<AddWinsSet<u8>>(&damaged) {
                Some(set) => set.check_invariants(),
                None => refused += 1,
            }
        }
    }
    assert!(refused > 100 * whole.len(), "{refused} of {}", 256 * whole.len());
}

#[test]
fn add_wins_set() {
    check::<Set>();
}

#[test]
fn remove_wins_set() {
    check::<RemoveWins>();
}

#[test]
fn grow_only_and_two_phase_sets() {
    check::<GrowOnlyElements>();
    check::<TwoPhase>();
}

#[test]
fn flags() {
    check::<EnableWins>();
    check::<DisableWins>();
}

#[test]
fn lww_map() {
    check::<Map>();
}

#[test]
fn multi_value_register() {
    check::<Siblings>();
}

#[test]
fn redactable_register() {
    check::<Redacting>();
    check::<RootMap<RedactableAt>>();
}

#[test]
fn max_and_min_registers() {
    check::<Greatest>();
    check::<Least>();
}

#[test]
fn lww_register() {
    check::<Register>();
}

#[test]
fn observed_remove_maps() {
    check::<RootMap<SetAt>>();
    check::<RootMap<MapOf<CounterAt>>>();
    check::<RootMap<LatticeAt>>();
}

#[test]
fn derived_structs() {
    check::<RootOf<EverythingAt>>();
    check::<RootMap<PairOf<CounterAt, SiblingsAt>>>();
}

#[test]
fn lists() {
    check::<Lists>();
    check::<RootMap<ListAt>>();
}

#[test]
fn trees() {
    check::<Trees>();
    check::<RootMap<TreeAt>>();
}

/// Two elements that each stand behind the other: they are nowhere, and harm nobody.
#[test]
fn a_circle_of_elements() {
    let id = |n: u8| [[0; 15].as_slice(), &[n]].concat();
    let context = [&[0, 2, 0], id(1).as_slice(), &[1, 0, 1], &id(2), &[1, 0]].concat();
    let circle =
        [context.as_slice(), &[12, 0, 1, 1, 1, 0, 0, 1, 1, 0, 1, 1, 0, 0], &[2, 2, 1, 7, 2, 1, 8]]
            .concat();
    let mut list = accepted::<List<u8>>(&circle).expect("it may be so");
    list.check_invariants();
    assert_eq!(
        (
            list.len(),
            list.get(0),
            list.digest().live().contains(Dot::new(ReplicaId::from_u128(1), 1))
        ),
        (0, None, true)
    );
    let mut writer = list.writer(ReplicaId::from_u128(3));
    let delta = list.extend([4, 5], &mut writer).expect("numbers are left");
    let _kept = list.move_to(0, 1, &mut writer).expect("numbers are left");
    assert!(list.iter().eq(&[5, 4]));
    list.check_invariants();
    let mut other = accepted::<List<u8>>(&circle).expect("it may be so");
    other.join(delta);
    other.join(&list);
    other.check_invariants();
    assert_eq!(other, list);
    let _kept = other.clear(&mut writer);
    other.check_invariants();
    assert!(other.is_empty() && other.digest().live().is_empty());
}

/// A peer refers to an event of ours that is still to come.
#[test]
fn an_element_behind_one_that_is_not_there_yet() {
    let id = |n: u8| [[0; 15].as_slice(), &[n]].concat();
    let forged = [
        [0, 1, 0].as_slice(),
        &id(9),
        &[1, 0],
        &[22, 0, 1, 1],
        &id(3),
        &[1, 0, 0, 0],
        &[1, 2, 1, 7],
    ]
    .concat();
    let mut list = accepted::<List<u8>>(&forged).expect("it may be so");
    let mut writer = list.writer(ReplicaId::from_u128(3));
    for value in 0..3 {
        let _kept = list.push(value, &mut writer).expect("numbers are left");
        list.check_invariants();
        assert_eq!(list.len(), 2 + usize::from(value));
    }
}

/// A clone with our id took our next number, for a node that it removed.
#[test]
fn a_move_that_is_a_removed_node_elsewhere() {
    let mut here: Tree<u8> = Tree::new();
    let mut writer = here.writer(ReplicaId::from_u128(3));
    let (first, _kept) = here.create(None, 0, 1, &mut writer).expect("numbers are left");
    let mut clone = here.clone();
    let mut with_our_id = clone.writer(ReplicaId::from_u128(3));
    let _kept = here.move_to(first, None, 0, &mut writer).expect("numbers are left");
    let (gone, _kept) = clone.create(None, 0, 2, &mut with_our_id).expect("numbers are left");
    let _kept = clone.remove(gone, &mut with_our_id).expect("it is there");
    here.join(&clone);
    here.check_invariants();
    assert!(here.iter().eq([(0, first)]), "what was moved is no node that was removed");
    assert_eq!(accepted(&bytes(&here)), Some(here));
}

#[test]
fn bounded_counter() {
    check::<Stock>();
}

#[test]
fn grow_only_counter() {
    check::<GrowOnly>();
}

#[test]
fn pn_counter() {
    check::<UpAndDown>();
}

#[test]
fn causal_context() {
    short::<CausalContext>();
    short::<Digest>();
    fn law(dots: Vec<(u8, u8)>, seed: u64) -> bool {
        let context: CausalContext = dots
            .into_iter()
            .map(|(id, seq)| {
                crdt_core::Dot::new(
                    crate::support::replica(usize::from(id % 3)),
                    u64::from(seq % 20),
                )
            })
            .collect();
        let mut input = bytes(&context);
        damage(&mut input, &mut Rng(seed));
        if let Some(hostile) = accepted::<CausalContext>(&input) {
            hostile.check_invariants();
            let mut joined = context.clone();
            joined.join(&hostile);
            joined.check_invariants();
            assert!(joined >= context && joined >= hostile);
        }
        true
    }
    trials().quickcheck(law as fn(_, _) -> _);
}

/// Each rule of the format, broken by itself.
#[test]
fn every_rule_is_checked() {
    use crdt_core::codec::DecodeErrorKind::{self, *};

    let id = [1u8; 16];
    let body = |parts: &[&[u8]]| parts.concat();
    // Version, one replica (number 0, its id), three events, no runs.
    let context = body(&[&[0, 1, 0], &id, &[3, 0]]);
    // Behind it the dots, the leaves that do not hold just one, and the keys and values.
    let store = |dots: &[u8], unusual: &[u8], keys: &[u8]| {
        let lengths = [[dots.len() as u8], [unusual.len() as u8]];
        body(&[&context, &lengths[0], dots, &lengths[1], unusual, keys])
    };
    // Two elements, 5 and one above, with the first dot and the one after the next.
    let valid = store(&[1, 0x82, 1], &[], &[2, 5, 2]);
    assert_eq!(parse::<AddWinsSet<u8>>(&valid).map(|set| set.len()), Ok(2));
    let two = store(&[1, 0, 3], &[0, 2], &[1, 5]);
    assert_eq!(parse::<AddWinsSet<u8>>(&two).map(|set| set.dots(&5).len()), Ok(2));
    type Columns<'a> = (&'a [u8], &'a [u8], &'a [u8]);
    let broken: [(Columns<'_>, DecodeErrorKind); 20] = [
        ((&[1, 0x82, 1], &[], &[2, 6, 1]), NotAscending),
        ((&[1, 0x82, 1], &[], &[2, 5, 0]), NotAscending),
        ((&[1], &[1, 0], &[2, 5, 2]), NotCanonical), // an element without dots
        ((&[1, 0x81, 1], &[], &[2, 5, 2]), OutOfRange), // one dot at two elements
        ((&[1, 0x84, 1], &[], &[2, 5, 2]), OutOfRange), // not in the context
        ((&[0, 0, 0], &[], &[1, 5]), OutOfRange),    // no event has number 0
        ((&[0, 0, 1], &[], &[1, 5]), NotCanonical),  // it has a place among the others
        ((&[0, 0, 4], &[], &[1, 5]), OutOfRange),    // not in the context
        ((&[0, 2, 1], &[], &[1, 5]), UnknownTableEntry),
        ((&[0x82, 1, 0, 1], &[0, 2], &[1, 5]), NotAscending),
        ((&[0x82, 1, 0, 2], &[0, 2], &[1, 5]), NotAscending),
        ((&[1], &[0, 1], &[1, 5]), NotCanonical),
        ((&[1, 0, 3], &[0, 9], &[1, 5]), CountTooLarge),
        ((&[1, 1, 1], &[], &[2, 5, 2]), TrailingBytes),
        ((&[1, 2], &[], &[2, 5, 2]), NotCanonical),
        ((&[1, 0x7f], &[], &[2, 5, 2]), NotCanonical),
        ((&[1, 0x80, 1], &[], &[2, 5, 2]), NotCanonical), // it was expected,
        ((&[1, 0x82, 1], &[2, 2], &[2, 5, 2]), TrailingBytes),
        ((&[1, 0x82, 1], &[], &[9, 5, 2]), CountTooLarge),
        ((&[1, 0x82, 1], &[], &[2, 5, 2, 0]), TrailingBytes),
    ];
    for ((dots, unusual, keys), kind) in broken {
        assert_eq!(
            parse::<AddWinsSet<u8>>(&store(dots, unusual, keys)).map_err(|e| e.kind).err(),
            Some(kind),
            "{dots:?} {unusual:?} {keys:?}"
        );
    }
    // What text has in common with its neighbour is left out, as far as it goes.
    let second = |set: AddWinsSet<String>| set.iter().next_back().cloned();
    let header = |shared: u8, rest: u8| rest * 12 + shared;
    let accented = &[header(3, 1), b'e'];
    let names = |rest: &[u8]| {
        let keys = body(&[&[2, 3], "né".as_bytes(), rest]);
        parse::<AddWinsSet<String>>(&store(&[1, 1], &[], &keys)).map_err(|error| error.kind)
    };
    assert_eq!(names(accented).map(second), Ok(Some("née".into())));
    assert_eq!(names(&[header(0, 1), b'o']).map(second), Ok(Some("o".into())));
    assert_eq!(names(&[header(0, 2), b'n', b'o']), Err(NotCanonical), "an n in common");
    assert_eq!(names(&[header(4, 1), b'e']), Err(NotCanonical), "more than there is");
    assert_eq!(names(&[header(2, 1), 0xaa]), Err(NotCanonical), "half a character");
    assert_eq!(names(&[header(3, 0)]), Err(NotAscending));
    assert_eq!(names(&[header(3, 2), b'e']), Err(UnexpectedEnd));
    assert_eq!(names(&[252, b'e']), Err(OutOfRange));
    assert_eq!(names(&[header(3, 20), 9, b'e']), Err(CountTooLarge));
    let version = body(&[&[1], &valid[1..]]);
    assert_eq!(parse::<AddWinsSet<u8>>(&version).unwrap_err().kind, UnknownVersion);
    let nothing_seen = body(&[&[0, 1, 0], &id, &[0, 0, 0]]);
    assert_eq!(parse::<AddWinsSet<u8>>(&nothing_seen).unwrap_err().kind, NotCanonical);
    let twice = body(&[&[0, 2, 0], &id, &[3, 0, 1], &id, &[3, 0, 0]]);
    assert_eq!(parse::<AddWinsSet<u8>>(&twice).unwrap_err().kind, NotCanonical);
    let beyond = body(&[&[0, 1, 0], &id, &[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x40]]);
    let beyond = body(&[&beyond, &[1, 0, 0, 0]]);
    assert_eq!(parse::<AddWinsSet<u8>>(&beyond).unwrap_err().kind, OutOfRange);
    let touched = body(&[&valid, &[2, 8, 0]]);
    assert_eq!(parse::<Delta<AddWinsStore<u8>>>(&touched).unwrap_err().kind, NotAscending);
    let touched = body(&[&valid, &[2, 8, 2]]);
    assert!(parse::<Delta<AddWinsStore<u8>>>(&touched).is_ok());
    let ever = |rest: &[u8]| parse::<TwoPhaseSet<u8>>(&body(&[&[0], rest]));
    assert!(ever(&[2, 5, 1, 2, 0]).is_ok_and(|set| set.iter().eq(&[6])));
    assert_eq!(ever(&[2, 6, 1, 1, 0]).unwrap_err().kind, NotAscending);
    assert_eq!(ever(&[1, 6, 2]).unwrap_err().kind, UnknownTag);
    assert_eq!(parse::<GrowOnlySet<u8>>(&[0, 2, 5, 0]).unwrap_err().kind, NotAscending);
    for future in [&[1, 0][..], &[1, 1, 0]] {
        assert_eq!(parse::<GrowOnlySet<u8>>(future).unwrap_err().kind, UnknownVersion);
        assert_eq!(parse::<TwoPhaseSet<u8>>(future).unwrap_err().kind, UnknownVersion);
        assert_eq!(parse::<MaxRegister<u8>>(future).unwrap_err().kind, UnknownVersion);
    }
    let held = body(&[&context, &[1, 0, 4, 0], &[0]]);
    assert_eq!(parse::<Digest>(&held).unwrap_err().kind, OutOfRange);
    assert!(parse::<Digest>(&body(&[&context, &[1, 0, 2, 0], &[1, 0, 1, 0]])).is_ok());
    let redacted = body(&[&context, &[1, 0, 2, 0], &[1, 0, 3, 0]]);
    assert_eq!(parse::<Digest>(&redacted).unwrap_err().kind, OutOfRange);
    let still = store(&[1], &[], &[1, 5, 0]);
    let counters = parse::<ObservedRemoveMap<u8, CounterStore>>(&still);
    assert_eq!(counters.unwrap_err().kind, NotCanonical);
    let empty_inside = store(&[], &[], &[1, 5, 0]);
    let nested = parse::<ObservedRemoveMap<u8, AddWinsStore<u8>>>(&empty_inside);
    assert_eq!(nested.unwrap_err().kind, NotCanonical);
    let stock = |rest: &[u8]| parse::<BoundedCounter>(&body(&[&[0, 1, 0], &id, rest]));
    assert!(stock(&[0, 5, 1, 0, 3]).is_ok_and(|counter| counter.value() == 2));
    assert!(stock(&[0, 5, 1, 0, 9]).is_ok_and(|counter| counter.value() == 0), "forged");
    assert_eq!(stock(&[0, 0, 1, 0, 3]).unwrap_err().kind, NotCanonical);
    assert_eq!(stock(&[0, 5, 2, 0, 3, 0, 4]).unwrap_err().kind, NotAscending);
    let toggled = store(&[1], &[], &[1, 5, 2]);
    assert_eq!(parse::<RemoveWinsSet<u8>>(&toggled).unwrap_err().kind, UnknownTag);
    let two_writes = store(&[0x82, 1, 0, 1], &[0, 2], &[1, 5, 9, 9, 0, 0]);
    assert_eq!(parse::<LwwMap<u8, u8>>(&two_writes).unwrap_err().kind, NotAscending);
}
