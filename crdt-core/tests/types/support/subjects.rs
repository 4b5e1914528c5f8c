//! The types under test, each with its sequential specification.
//!
//! The specifications know operations and what happened before what, and nothing of dots,
//! contexts or joins.

use std::collections::{BTreeMap, BTreeSet};

use crdt_core::counter::{GCounterDelta, PnCounterDelta};
use crdt_core::map::LwwMapDelta;
use crdt_core::register::LwwRegisterDelta;
use crdt_core::set::AddWinsSetDelta;
use crdt_core::{AddWinsSet, GCounter, LwwMap, LwwRegister, PnCounter, ReplicaId, Writer};
use quickcheck::{Arbitrary, Gen};

use super::history::{Event, Subject, Version};
use super::replica;

#[derive(Clone, Debug)]
pub(crate) enum SetOp {
    Add(u8),
    Remove(u8),
    Clear,
}

impl Arbitrary for SetOp {
    fn arbitrary(g: &mut Gen) -> Self {
        let element = u8::arbitrary(g) % 4;
        match u8::arbitrary(g) % 16 {
            0..=8 => Self::Add(element),
            9..=14 => Self::Remove(element),
            _ => Self::Clear,
        }
    }
}

impl SetOp {
    fn removes(&self, element: u8) -> bool {
        match *self {
            Self::Add(_) => false,
            Self::Remove(removed) => removed == element,
            Self::Clear => true,
        }
    }
}

pub(crate) struct Set;

impl Subject for Set {
    type Op = SetOp;
    type Root = AddWinsSet<u8>;
    type Delta = AddWinsSetDelta<u8>;
    type Value = BTreeSet<u8>;

    fn writer(root: &Self::Root, replica: ReplicaId) -> Writer {
        root.writer(replica)
    }

    fn apply(root: &mut Self::Root, op: &SetOp, writer: &mut Writer) -> Self::Delta {
        match *op {
            SetOp::Add(element) => root.add(element, writer).expect("numbers are left"),
            SetOp::Remove(element) => root.remove(&element, writer),
            SetOp::Clear => root.clear(writer),
        }
    }

    fn value(root: &Self::Root) -> BTreeSet<u8> {
        for element in 0..4 {
            assert_eq!(root.contains(&element), root.iter().any(|&held| held == element));
        }
        assert_eq!(root.iter().count(), root.len());
        root.iter().copied().collect()
    }

    fn is_empty(delta: &Self::Delta) -> bool {
        delta.is_empty()
    }

    fn check(root: &Self::Root) {
        root.check_invariants();
    }

    /// An element is in iff some addition of it is in the past of no removal.
    fn specified(events: &[Event<SetOp>], version: Version) -> BTreeSet<u8> {
        let is_in = |&element: &u8| {
            let removed = version.seen_by(events, |d| events[d].op.removes(element));
            version.iter().any(|add| {
                matches!(events[add].op, SetOp::Add(added) if added == element)
                    && !removed.contains(add)
            })
        };
        (0..4).filter(is_in).collect()
    }
}

#[derive(Clone, Debug)]
pub(crate) enum MapOp {
    Set { key: u8, value: u8, stamp: u8 },
    Remove(u8),
    Clear,
}

impl Arbitrary for MapOp {
    fn arbitrary(g: &mut Gen) -> Self {
        let key = u8::arbitrary(g) % 3;
        match u8::arbitrary(g) % 16 {
            0..=9 => Self::Set { key, value: u8::arbitrary(g), stamp: u8::arbitrary(g) % 8 },
            10..=14 => Self::Remove(key),
            _ => Self::Clear,
        }
    }
}

/// A write as its reader sees it, in the order in which writes win: stamp, replica, and among
/// one replica's writes the later one.
pub(crate) type SeenWrite = (u8, ReplicaId, usize, u8);

pub(crate) struct Map;

impl Map {
    /// The writes of a key that stand at a version: those in the past of no removal, and of no
    /// later write that took effect.
    pub(crate) fn standing(
        events: &[Event<MapOp>],
        effective: Version,
        version: Version,
        wanted: u8,
    ) -> BTreeSet<SeenWrite> {
        let replaces = |d: usize| match events[d].op {
            MapOp::Set { key, .. } => key == wanted && effective.contains(d),
            MapOp::Remove(key) => key == wanted,
            MapOp::Clear => true,
        };
        let replaced = version.seen_by(events, replaces);
        let stands = |w: usize| effective.contains(w) && !replaced.contains(w);
        let writes = version.iter().filter_map(|w| match events[w].op {
            MapOp::Set { key, value, stamp } if key == wanted && stands(w) => {
                Some((stamp, replica(events[w].replica), w, value))
            }
            _ => None,
        });
        writes.collect()
    }

    /// The writes that were not lost at once, against a standing one with a greater stamp.
    pub(crate) fn effective(events: &[Event<MapOp>]) -> Version {
        let mut effective = Version::default();
        for (w, event) in events.iter().enumerate() {
            if let MapOp::Set { key, value, stamp } = event.op {
                let standing = Self::standing(events, effective, event.past, key);
                let write = (stamp, replica(event.replica), w, value);
                if standing.last().is_none_or(|last| *last < write) {
                    effective.insert(w);
                }
            }
        }
        effective
    }
}

impl Subject for Map {
    type Op = MapOp;
    type Root = LwwMap<u8, u8, u8>;
    type Delta = LwwMapDelta<u8, u8, u8>;
    /// For each key its writes, the winner first: value, stamp, author.
    type Value = BTreeMap<u8, Vec<(u8, u8, ReplicaId)>>;

    fn writer(root: &Self::Root, replica: ReplicaId) -> Writer {
        root.writer(replica)
    }

    fn apply(root: &mut Self::Root, op: &MapOp, writer: &mut Writer) -> Self::Delta {
        match *op {
            MapOp::Set { key, value, stamp } => {
                root.set(key, value, stamp, writer).expect("numbers are left")
            }
            MapOp::Remove(key) => root.remove(&key, writer),
            MapOp::Clear => root.clear(writer),
        }
    }

    fn value(root: &Self::Root) -> Self::Value {
        assert_eq!(root.iter().count(), root.len());
        let read = |(&key, &value): (&u8, &u8)| {
            assert!(root.contains_key(&key) && root.get(&key) == Some(&value));
            let writes = root.entry(&key).into_iter().chain(root.conflicts(&key));
            (key, writes.map(|write| (*write.value, *write.stamp, write.dot.replica)).collect())
        };
        root.iter().map(read).collect()
    }

    fn is_empty(delta: &Self::Delta) -> bool {
        delta.is_empty()
    }

    fn check(root: &Self::Root) {
        root.check_invariants();
    }

    fn specified(events: &[Event<MapOp>], version: Version) -> Self::Value {
        let effective = Self::effective(events);
        let mut value = Self::Value::new();
        for key in 0..3 {
            let writes: Vec<_> = Self::standing(events, effective, version, key)
                .into_iter()
                .rev()
                .map(|(stamp, author, _, value)| (value, stamp, author))
                .collect();
            if !writes.is_empty() {
                value.insert(key, writes);
            }
        }
        value
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Assign {
    pub(crate) value: u8,
    pub(crate) stamp: u8,
}

impl Arbitrary for Assign {
    fn arbitrary(g: &mut Gen) -> Self {
        Self { value: u8::arbitrary(g), stamp: u8::arbitrary(g) % 8 }
    }
}

pub(crate) struct Register;

impl Subject for Register {
    type Op = Assign;
    type Root = LwwRegister<u8, u8>;
    type Delta = LwwRegisterDelta<u8, u8>;
    type Value = Option<(u8, ReplicaId, u8)>;

    fn writer(root: &Self::Root, replica: ReplicaId) -> Writer {
        root.writer(replica)
    }

    fn apply(root: &mut Self::Root, op: &Assign, writer: &mut Writer) -> Self::Delta {
        root.set(op.value, op.stamp, writer).expect("numbers are left")
    }

    fn value(root: &Self::Root) -> Self::Value {
        Some((*root.stamp()?, root.written_by()?, *root.get()?))
    }

    fn is_empty(delta: &Self::Delta) -> bool {
        delta.is_empty()
    }

    fn check(_: &Self::Root) {}

    /// The greatest stamp, then replica, then the replica's latest.
    fn specified(events: &[Event<Assign>], version: Version) -> Self::Value {
        version
            .iter()
            .map(|w| (events[w].op.stamp, replica(events[w].replica), w, events[w].op.value))
            .max()
            .map(|(stamp, author, _, value)| (stamp, author, value))
    }
}

pub(crate) struct GrowOnly;

impl Subject for GrowOnly {
    type Op = u16;
    type Root = GCounter;
    type Delta = GCounterDelta;
    type Value = u128;

    fn writer(root: &GCounter, replica: ReplicaId) -> Writer {
        root.writer(replica)
    }

    fn apply(root: &mut GCounter, op: &u16, writer: &mut Writer) -> GCounterDelta {
        root.increment(u64::from(*op), writer).expect("far from overflow")
    }

    fn value(root: &GCounter) -> u128 {
        root.value()
    }

    fn is_empty(delta: &GCounterDelta) -> bool {
        delta.is_empty()
    }

    fn check(root: &GCounter) {
        root.check_invariants();
    }

    fn specified(events: &[Event<u16>], version: Version) -> u128 {
        version.iter().map(|event| u128::from(events[event].op)).sum()
    }
}

pub(crate) struct UpAndDown;

impl Subject for UpAndDown {
    type Op = i16;
    type Root = PnCounter;
    type Delta = PnCounterDelta;
    type Value = i128;

    fn writer(root: &PnCounter, replica: ReplicaId) -> Writer {
        root.writer(replica)
    }

    fn apply(root: &mut PnCounter, op: &i16, writer: &mut Writer) -> PnCounterDelta {
        let amount = u64::from(op.unsigned_abs());
        let moved =
            if *op < 0 { root.decrement(amount, writer) } else { root.increment(amount, writer) };
        moved.expect("far from overflow")
    }

    fn value(root: &PnCounter) -> i128 {
        root.value()
    }

    fn is_empty(delta: &PnCounterDelta) -> bool {
        delta.is_empty()
    }

    fn check(root: &PnCounter) {
        root.check_invariants();
    }

    fn specified(events: &[Event<i16>], version: Version) -> i128 {
        version.iter().map(|event| i128::from(events[event].op)).sum()
    }
}
