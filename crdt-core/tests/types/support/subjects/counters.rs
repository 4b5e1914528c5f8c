//! Counters.

use crdt_core::counter::{BoundedCounterDelta, CounterError, GCounterDelta, PnCounterDelta};
use crdt_core::laws::{Arbitrary, Event, Gen, Subject, Version};
use crdt_core::{BoundedCounter, GCounter, PnCounter, ReplicaId, Writer};

use super::super::replica;

pub(crate) struct GrowOnly;

impl Subject for GrowOnly {
    type Op = u16;
    type Root = GCounter;
    type Delta = GCounterDelta;
    type Writer = Writer;
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
    type Writer = Writer;
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

    fn check(root: &PnCounter) {
        root.check_invariants();
    }

    fn specified(events: &[Event<i16>], version: Version) -> i128 {
        version.iter().map(|event| i128::from(events[event].op)).sum()
    }
}

#[derive(Clone, Debug)]
pub(crate) enum StockOp {
    Increment(u8),
    Decrement(u8),
    Transfer(u8, u8),
}

impl Arbitrary for StockOp {
    fn arbitrary(g: &mut Gen) -> Self {
        let amount = u8::arbitrary(g) % 8;
        match u8::arbitrary(g) % 8 {
            0..=2 => Self::Increment(amount),
            3..=5 => Self::Decrement(amount),
            _ => Self::Transfer(amount, u8::arbitrary(g) % 3),
        }
    }
}

pub(crate) struct Stock;

impl Stock {
    /// Who has which rights at a version, of those operations that were accepted.
    fn rights(events: &[Event<StockOp>], version: Version, accepted: Version) -> [i64; 3] {
        let mut rights = [0; 3];
        for event in version.iter().filter(|&event| accepted.contains(event)) {
            let by = events[event].replica;
            match events[event].op {
                StockOp::Increment(amount) => rights[by] += i64::from(amount),
                StockOp::Decrement(amount) => rights[by] -= i64::from(amount),
                StockOp::Transfer(amount, to) => {
                    rights[by] -= i64::from(amount);
                    rights[usize::from(to)] += i64::from(amount);
                }
            }
        }
        rights
    }
}

impl Subject for Stock {
    type Op = StockOp;
    type Root = BoundedCounter;
    type Delta = BoundedCounterDelta;
    type Writer = Writer;
    /// The value, and everybody's rights.
    type Value = (u128, [u128; 3]);

    fn writer(root: &BoundedCounter, replica: ReplicaId) -> Writer {
        root.writer(replica)
    }

    fn apply(root: &mut BoundedCounter, op: &StockOp, writer: &mut Writer) -> BoundedCounterDelta {
        let before = root.clone();
        let available = root.rights_of(writer.replica());
        let (changed, taken) = match *op {
            StockOp::Increment(amount) => (root.increment(u64::from(amount), writer), 0),
            StockOp::Decrement(amount) => (root.decrement(u64::from(amount), writer), amount),
            StockOp::Transfer(amount, to) => {
                let to = replica(usize::from(to));
                (root.transfer(u64::from(amount), to, writer), amount)
            }
        };
        changed.unwrap_or_else(|error| {
            let replica = writer.replica();
            assert_eq!(error, CounterError::NotEnoughRights { replica, available });
            assert!(available < u128::from(taken));
            assert_eq!(*root, before, "what is refused changes nothing");
            BoundedCounterDelta::default()
        })
    }

    fn value(root: &BoundedCounter) -> Self::Value {
        let rights = [0, 1, 2].map(|index| root.rights_of(replica(index)));
        for (holder, held) in root.rights() {
            assert!((0..3).any(|index| replica(index) == holder && rights[index] == held));
        }
        (root.value(), rights)
    }

    fn check(root: &BoundedCounter) {
        root.check_invariants();
    }

    /// An operation is accepted if its replica has the rights, at what it has seen.
    fn specified(events: &[Event<StockOp>], version: Version) -> Self::Value {
        let mut accepted = Version::default();
        for (index, event) in events.iter().enumerate() {
            let available = Self::rights(events, event.past, accepted)[event.replica];
            if let StockOp::Decrement(amount) | StockOp::Transfer(amount, _) = event.op
                && i64::from(amount) > available
            {
                continue;
            }
            accepted.insert(index);
        }
        let rights = Self::rights(events, version, accepted);
        let rights = rights.map(|held| u128::try_from(held).expect("never below zero"));
        (rights.iter().sum(), rights)
    }
}
