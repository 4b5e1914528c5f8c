//! Registers.

use crdt_core::laws::{Arbitrary, Event, Gen, Subject, Version};
use crdt_core::register::{
    LwwRegisterDelta, MaxRegisterDelta, MinRegisterDelta, MultiValueRegisterDelta, Payload,
    RedactableRegisterDelta,
};
use crdt_core::{
    LwwRegister, MaxRegister, MinRegister, MultiValueRegister, RedactableRegister, ReplicaId,
    Writer,
};

use super::super::nest::{
    Nest, RedactOp, RedactableAt, SiblingOp, SiblingsAt, all_here, commitment,
};
use super::super::replica;

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
    type Writer = Writer;
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

pub(crate) struct Siblings;

impl Subject for Siblings {
    type Op = SiblingOp;
    type Root = MultiValueRegister<u8>;
    type Delta = MultiValueRegisterDelta<u8>;
    type Writer = Writer;
    type Value = Vec<(ReplicaId, u8)>;

    fn writer(root: &Self::Root, replica: ReplicaId) -> Writer {
        root.writer(replica)
    }

    fn apply(root: &mut Self::Root, op: &SiblingOp, writer: &mut Writer) -> Self::Delta {
        match *op {
            SiblingOp::Set(value) => root.set(value, writer).expect("numbers are left"),
            SiblingOp::Clear => root.clear(writer),
        }
    }

    fn value(root: &Self::Root) -> Self::Value {
        assert_eq!(root.values().len(), root.len());
        assert_eq!(root.single().is_some(), root.len() == 1);
        assert_eq!(root.is_empty(), root.values().next().is_none());
        SiblingsAt::value(root.store())
    }

    fn check(root: &Self::Root) {
        root.check_invariants();
    }

    fn specified(events: &[Event<SiblingOp>], version: Version) -> Self::Value {
        SiblingsAt::specified(&all_here(events), version).unwrap_or_default()
    }
}

pub(crate) struct Redacting;

impl Subject for Redacting {
    type Op = RedactOp;
    type Root = RedactableRegister<u8, u8>;
    type Delta = RedactableRegisterDelta<u8, u8>;
    type Writer = Writer;
    type Value = Vec<(ReplicaId, Payload<u8, u8>)>;

    fn writer(root: &Self::Root, replica: ReplicaId) -> Writer {
        root.writer(replica)
    }

    fn apply(root: &mut Self::Root, op: &RedactOp, writer: &mut Writer) -> Self::Delta {
        match *op {
            RedactOp::Set(value) => root.set(value, writer).expect("numbers are left"),
            RedactOp::Clear => root.clear(writer),
            RedactOp::Redact => root.redact_all(commitment, writer),
        }
    }

    fn value(root: &Self::Root) -> Self::Value {
        assert_eq!(root.is_empty(), root.payloads().is_empty());
        assert_eq!(root.len(), root.payloads().len());
        let held = root.payloads().iter().filter(|(_, payload)| payload.redacted().is_none());
        assert!(held.map(|(dot, _)| *dot).eq(root.held().map(|(dot, _)| dot)));
        RedactableAt::value(root.store())
    }

    fn check(root: &Self::Root) {
        root.check_invariants();
    }

    fn specified(events: &[Event<RedactOp>], version: Version) -> Self::Value {
        RedactableAt::specified(&all_here(events), version).unwrap_or_default()
    }
}

pub(crate) struct Greatest;

impl Subject for Greatest {
    type Op = u8;
    type Root = MaxRegister<u8>;
    type Delta = MaxRegisterDelta<u8>;
    type Writer = ();
    type Value = Option<u8>;

    fn writer(_: &Self::Root, _: ReplicaId) {}

    fn apply(root: &mut Self::Root, op: &u8, (): &mut ()) -> Self::Delta {
        root.raise(*op)
    }

    fn value(root: &Self::Root) -> Option<u8> {
        root.get().copied()
    }

    fn specified(events: &[Event<u8>], version: Version) -> Option<u8> {
        version.iter().map(|event| events[event].op).max()
    }
}

pub(crate) struct Least;

impl Subject for Least {
    type Op = u8;
    type Root = MinRegister<u8>;
    type Delta = MinRegisterDelta<u8>;
    type Writer = ();
    type Value = Option<u8>;

    fn writer(_: &Self::Root, _: ReplicaId) {}

    fn apply(root: &mut Self::Root, op: &u8, (): &mut ()) -> Self::Delta {
        root.lower(*op)
    }

    fn value(root: &Self::Root) -> Option<u8> {
        root.get().copied()
    }

    fn specified(events: &[Event<u8>], version: Version) -> Option<u8> {
        version.iter().map(|event| events[event].op).min()
    }
}
