//! Single events applied to bare stores, as a document applies them: in every causal order
//! they lead to what the specification says, and to what joining the roots' deltas leads to.

use std::collections::BTreeSet;

use crdt_core::laws::trials;
use crdt_core::map::LwwStore;
use crdt_core::set::AddWinsStore;
use crdt_core::{Dot, LwwMap, ReplicaId};

use crate::support::replica;
use crate::support::subjects::{Map, MapOp, Set, SetOp};
use crdt_core::laws::Rng;
use crdt_core::laws::{Arrival, Event, History, Step, Subject, Version};

/// The events in a random order, each behind its past.
fn causal_order<Op>(events: &[Event<Op>], rng: &mut Rng) -> Vec<usize> {
    let mut order = Vec::new();
    let mut applied = Version::default();
    let mut waiting: Vec<usize> = (0..events.len()).collect();
    while !waiting.is_empty() {
        let ready: Vec<usize> =
            (0..waiting.len()).filter(|&at| events[waiting[at]].past.0 & !applied.0 == 0).collect();
        let event = waiting.swap_remove(ready[rng.below(ready.len())]);
        applied.insert(event);
        order.push(event);
    }
    order
}

/// The dot of each event, if those that `named` picks have one.
fn dots<Op>(events: &[Event<Op>], named: impl Fn(&Op) -> bool) -> Vec<Option<Dot>> {
    let mut last = [0; 8];
    let name = |event: &Event<Op>| {
        named(&event.op).then(|| {
            last[event.replica] += 1;
            Dot::new(replica(event.replica), last[event.replica])
        })
    };
    events.iter().map(name).collect()
}

/// Tells of any named event whether it is in a version.
fn seen(dots: &[Option<Dot>], version: Version) -> impl Fn(Dot) -> bool {
    move |dot| {
        let event = dots.iter().position(|&named| named == Some(dot)).expect("a named event");
        version.contains(event)
    }
}

#[test]
fn add_wins_store() {
    fn law(steps: Vec<Step<SetOp>>, seed: u64) -> bool {
        let history = History::<Set>::play(&steps, Arrival::Causal);
        let events = &history.events;
        let dots = dots(events, |op| matches!(op, SetOp::Add(_)));
        let (mut store, mut version) = (AddWinsStore::<u8>::new(), Version::default());
        for event in causal_order(events, &mut Rng(seed)) {
            let seen = seen(&dots, events[event].past);
            let before: BTreeSet<u8> = store.keys().copied().collect();
            version.insert(event);
            let after = Set::specified(events, version);
            match events[event].op {
                SetOp::Add(element) => {
                    let news = store.apply_add(element, dots[event].expect("an addition"), seen);
                    assert_eq!(news, !before.contains(&element));
                }
                SetOp::Remove(element) => {
                    let gone = store.apply_remove(&element, seen);
                    assert_eq!(gone, before.contains(&element) && !after.contains(&element));
                }
                SetOp::Clear => {
                    let gone = store.apply_clear(seen);
                    assert!(gone.iter().eq(before.difference(&after)));
                }
            }
            assert!(store.keys().eq(&after), "after event {event}");
        }
        let mut joined = history.states[0].clone();
        for state in &history.states {
            joined.join(state);
        }
        assert_eq!(store, *joined.store());
        true
    }
    trials().quickcheck(law as fn(_, _) -> _);
}

/// Stamps that follow causality, as a document's do: the Lamport time of each event.
fn lamport(events: &[Event<MapOp>]) -> Vec<u8> {
    let mut times: Vec<u8> = Vec::new();
    for event in events {
        times.push(event.past.iter().map(|seen| times[seen]).max().unwrap_or(0) + 1);
    }
    times
}

/// The writes of a key that stand where an event removes a write if it has seen it, and clears
/// or removes its key or writes it with a greater stamp.
fn standing(
    events: &[Event<MapOp>],
    version: Version,
    wanted: u8,
) -> Vec<(u8, ReplicaId, usize, u8)> {
    let write = |w: usize| match events[w].op {
        MapOp::Set { key, value, stamp } if key == wanted => {
            Some((stamp, replica(events[w].replica), w, value))
        }
        _ => None,
    };
    let removes = |d: usize, removed: usize| {
        events[d].past.contains(removed)
            && match events[d].op {
                MapOp::Set { .. } => write(d) > write(removed),
                MapOp::Remove(key) => key == wanted,
                MapOp::Clear => true,
            }
    };
    let mut writes: Vec<_> = version
        .iter()
        .filter(|&w| !version.iter().any(|d| removes(d, w)))
        .filter_map(write)
        .collect();
    writes.sort_by(|a, b| b.cmp(a));
    writes
}

fn check_lww_store(events: &[Event<MapOp>], seed: u64) -> LwwStore<u8, u8, u8> {
    let dots = dots(events, |op| matches!(op, MapOp::Set { .. }));
    let (mut store, mut version) = (LwwStore::<u8, u8, u8>::new(), Version::default());
    for event in causal_order(events, &mut Rng(seed)) {
        let seen = seen(&dots, events[event].past);
        let winner = |version, key| standing(events, version, key).first().copied();
        let before = version;
        version.insert(event);
        let changed = |key| winner(before, key) != winner(version, key);
        match events[event].op {
            MapOp::Set { key, value, stamp } => {
                let dot = dots[event].expect("a write");
                assert_eq!(store.apply_set(key, dot, stamp, value, seen), changed(key));
            }
            MapOp::Remove(key) => assert_eq!(store.apply_remove(&key, seen), changed(key)),
            MapOp::Clear => {
                let keys: Vec<u8> = (0..3).filter(|&key| changed(key)).collect();
                assert_eq!(store.apply_clear(seen), keys);
            }
        }
        for key in 0..3 {
            let held = store.winner(&key).into_iter().chain(store.losers(&key));
            let held = held.map(|write| (*write.stamp, write.dot, *write.value));
            let specified = standing(events, version, key);
            let specified = specified
                .into_iter()
                .map(|(stamp, _, event, value)| (stamp, dots[event].expect("a write"), value));
            assert!(held.eq(specified), "key {key} after event {event}");
        }
    }
    store
}

#[test]
fn lww_store_with_any_stamps() {
    fn law(steps: Vec<Step<MapOp>>, seed: u64) -> bool {
        let history = History::<Map>::play(&steps, Arrival::Causal);
        check_lww_store(&history.events, seed);
        true
    }
    trials().quickcheck(law as fn(_, _) -> _);
}

#[test]
fn lww_store_with_lamport_stamps_is_the_map() {
    fn law(steps: Vec<Step<MapOp>>, seed: u64) -> bool {
        let mut events = History::<Map>::play(&steps, Arrival::Causal).events;
        let times = lamport(&events);
        for (event, &time) in events.iter_mut().zip(&times) {
            if let MapOp::Set { stamp, .. } = &mut event.op {
                *stamp = time;
            }
        }
        let store = check_lww_store(&events, seed);

        // The same operations on a root, each at the state that it has seen.
        let mut deltas = Vec::new();
        let mut joined = LwwMap::<u8, u8, u8>::new();
        for event in &events {
            let mut root = LwwMap::<u8, u8, u8>::new();
            for seen in event.past.iter() {
                root.join(&deltas[seen]);
            }
            let mut writer = root.writer(replica(event.replica));
            let delta = Map::apply(&mut root, &event.op, &mut writer);
            joined.join(&delta);
            deltas.push(delta);
        }
        assert_eq!(store, *joined.store());
        true
    }
    trials().quickcheck(law as fn(_, _) -> _);
}

/// What a transaction changed is put back key by key.
#[test]
fn a_key_is_restored() {
    let (a, b) = (replica(0), replica(1));
    let mut tags = AddWinsStore::<&str>::new();
    tags.apply_add("crdt", Dot::new(a, 1), |_| true);
    let kept = tags.clone();

    let before = tags.get("crdt").cloned();
    assert!(tags.apply_remove("crdt", |_| true));
    assert!(tags.apply_add("event", Dot::new(b, 1), |_| true));
    tags.restore("event", None);
    tags.restore("crdt", before);
    assert_eq!(tags, kept);
}
