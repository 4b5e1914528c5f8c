//! Sets.

use std::collections::BTreeSet;

use crdt_core::laws::{Arbitrary, Event, Gen, Subject, Version};
use crdt_core::set::{AddWinsSetDelta, GrowOnlySetDelta, RemoveWinsSetDelta, TwoPhaseSetDelta};
use crdt_core::{AddWinsSet, GrowOnlySet, RemoveWinsSet, ReplicaId, TwoPhaseSet, Writer};

use super::super::nest::{At, DisableWinsAt, FlagOp, Nest, Toggled};

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

impl Set {
    /// An element is in iff some addition of it is in the past of no removal.
    pub(crate) fn value_of(events: &[Event<SetOp>], version: Version) -> BTreeSet<u8> {
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

impl Subject for Set {
    type Op = SetOp;
    type Root = AddWinsSet<u8>;
    type Delta = AddWinsSetDelta<u8>;
    type Writer = Writer;
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

    fn check(root: &Self::Root) {
        root.check_invariants();
    }

    fn specified(events: &[Event<SetOp>], version: Version) -> BTreeSet<u8> {
        Self::value_of(events, version)
    }
}

pub(crate) struct RemoveWins;

impl Subject for RemoveWins {
    type Op = SetOp;
    type Root = RemoveWinsSet<u8>;
    type Delta = RemoveWinsSetDelta<u8>;
    type Writer = Writer;
    type Value = Vec<(u8, Toggled)>;

    fn writer(root: &Self::Root, replica: ReplicaId) -> Writer {
        root.writer(replica)
    }

    fn apply(root: &mut Self::Root, op: &SetOp, writer: &mut Writer) -> Self::Delta {
        let delta = match *op {
            SetOp::Add(element) => root.add(element, writer),
            SetOp::Remove(element) => root.remove(element, writer),
            SetOp::Clear => root.clear(writer),
        };
        delta.expect("numbers are left")
    }

    fn value(root: &Self::Root) -> Self::Value {
        assert_eq!(root.iter().count(), root.len());
        assert_eq!(root.is_empty(), root.iter().next().is_none());
        let of = |&element: &u8| {
            let is_in = root.contains(&element);
            assert_eq!(root.iter().any(|&held| held == element), is_in);
            assert_eq!(root.removed().any(|&gone| gone == element), !is_in);
            (element, (is_in, root.conflicts(&element).map(|dot| dot.replica).collect()))
        };
        root.store().keys().map(of).collect()
    }

    fn check(root: &Self::Root) {
        root.check_invariants();
    }

    /// To clear removes the elements that are in at the time.
    fn specified(events: &[Event<SetOp>], version: Version) -> Self::Value {
        let mut value = Self::Value::new();
        for element in 0..4 {
            let mut flag: Vec<Event<At<FlagOp>>> = Vec::new();
            for event in events {
                let is_in = |flag: &[_]| {
                    DisableWinsAt::specified(flag, event.past).is_some_and(|(is_in, _)| is_in)
                };
                let op = match event.op {
                    SetOp::Add(added) if added == element => At::Here(FlagOp::Enable),
                    SetOp::Remove(gone) if gone == element => At::Here(FlagOp::Disable),
                    SetOp::Clear if is_in(&flag) => At::Here(FlagOp::Disable),
                    _ => At::Elsewhere,
                };
                flag.push(Event { replica: event.replica, op, past: event.past });
            }
            value.extend(DisableWinsAt::specified(&flag, version).map(|known| (element, known)));
        }
        value
    }
}

pub(crate) struct GrowOnlyElements;

impl Subject for GrowOnlyElements {
    type Op = u8;
    type Root = GrowOnlySet<u8>;
    type Delta = GrowOnlySetDelta<u8>;
    type Writer = ();
    type Value = BTreeSet<u8>;

    fn writer(_: &Self::Root, _: ReplicaId) {}

    fn apply(root: &mut Self::Root, op: &u8, (): &mut ()) -> Self::Delta {
        root.insert(*op)
    }

    fn value(root: &Self::Root) -> BTreeSet<u8> {
        assert_eq!(root.iter().count(), root.len());
        assert_eq!(root.is_empty(), root.iter().next().is_none());
        assert!(root.iter().all(|element| root.contains(element)));
        root.iter().copied().collect()
    }

    fn specified(events: &[Event<u8>], version: Version) -> BTreeSet<u8> {
        version.iter().map(|event| events[event].op).collect()
    }
}

pub(crate) struct TwoPhase;

impl Subject for TwoPhase {
    /// To clear removes each element.
    type Op = SetOp;
    type Root = TwoPhaseSet<u8>;
    type Delta = TwoPhaseSetDelta<u8>;
    type Writer = ();
    type Value = (BTreeSet<u8>, BTreeSet<u8>);

    fn writer(_: &Self::Root, _: ReplicaId) {}

    fn apply(root: &mut Self::Root, op: &SetOp, (): &mut ()) -> Self::Delta {
        match *op {
            SetOp::Add(element) => root.add(element),
            SetOp::Remove(element) => root.remove(element),
            SetOp::Clear => {
                let mut delta = Self::Delta::default();
                for element in 0..4 {
                    delta.join(root.remove(element));
                }
                delta
            }
        }
    }

    fn value(root: &Self::Root) -> Self::Value {
        assert_eq!(root.iter().count(), root.len());
        assert_eq!(root.is_empty(), root.iter().next().is_none());
        for element in 0..4 {
            assert_eq!(root.contains(&element), root.iter().any(|&held| held == element));
        }
        (root.iter().copied().collect(), root.removed().copied().collect())
    }

    fn check(root: &Self::Root) {
        root.check_invariants();
    }

    /// In if it was ever added and never removed, in whatever order.
    fn specified(events: &[Event<SetOp>], version: Version) -> Self::Value {
        let ever =
            |did: &dyn Fn(&SetOp) -> bool| version.iter().any(|event| did(&events[event].op));
        let removed: BTreeSet<u8> = (0..4).filter(|&x| ever(&|op| op.removes(x))).collect();
        let added = |x: &u8| ever(&|op| matches!(op, SetOp::Add(added) if added == x));
        ((0..4).filter(added).filter(|x| !removed.contains(x)).collect(), removed)
    }
}
