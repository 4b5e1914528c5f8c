//! The last-writer-wins map.

use std::collections::{BTreeMap, BTreeSet};

use crdt_core::laws::{Arbitrary, Event, Gen, Subject, Version};
use crdt_core::map::LwwMapDelta;
use crdt_core::{LwwMap, ReplicaId, Writer};

use super::super::replica;

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
    type Writer = Writer;
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
