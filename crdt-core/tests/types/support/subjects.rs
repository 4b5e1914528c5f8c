//! The types under test, each with its sequential specification.
//!
//! The specifications know operations and what happened before what, and nothing of dots,
//! contexts or joins.

use std::collections::{BTreeMap, BTreeSet};

use crdt_core::counter::{BoundedCounterDelta, CounterError, GCounterDelta, PnCounterDelta};
use crdt_core::flag::{DisableWinsFlagDelta, EnableWinsFlagDelta};
use crdt_core::laws::{Arbitrary, Event, Gen, Subject, Version};
use crdt_core::map::LwwMapDelta;
use crdt_core::register::{
    LwwRegisterDelta, MaxRegisterDelta, MinRegisterDelta, MultiValueRegisterDelta, Payload,
    RedactableRegisterDelta,
};
use crdt_core::set::{AddWinsSetDelta, GrowOnlySetDelta, RemoveWinsSetDelta, TwoPhaseSetDelta};
use crdt_core::{
    AddWinsSet, BoundedCounter, DisableWinsFlag, EnableWinsFlag, GCounter, GrowOnlySet, LwwMap,
    LwwRegister, MaxRegister, MinRegister, MultiValueRegister, PnCounter, RedactableRegister,
    RemoveWinsSet, ReplicaId, TwoPhaseSet, Writer,
};

use super::nest::{
    At, DisableWinsAt, EnableWinsAt, FlagOp, Nest, RedactOp, RedactableAt, SiblingOp, SiblingsAt,
    Toggled, all_here, commitment,
};
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

pub(crate) struct EnableWins;

impl Subject for EnableWins {
    type Op = FlagOp;
    type Root = EnableWinsFlag;
    type Delta = EnableWinsFlagDelta;
    type Writer = Writer;
    type Value = Vec<ReplicaId>;

    fn writer(root: &Self::Root, replica: ReplicaId) -> Writer {
        root.writer(replica)
    }

    fn apply(root: &mut Self::Root, op: &FlagOp, writer: &mut Writer) -> Self::Delta {
        match op {
            FlagOp::Enable => root.enable(writer).expect("numbers are left"),
            FlagOp::Disable => root.disable(writer),
        }
    }

    fn value(root: &Self::Root) -> Self::Value {
        assert_eq!(root.is_enabled(), !root.dots().is_empty());
        EnableWinsAt::value(root.store())
    }

    fn check(root: &Self::Root) {
        root.check_invariants();
    }

    fn specified(events: &[Event<FlagOp>], version: Version) -> Self::Value {
        EnableWinsAt::specified(&all_here(events), version).unwrap_or_default()
    }
}

pub(crate) struct DisableWins;

impl Subject for DisableWins {
    type Op = FlagOp;
    type Root = DisableWinsFlag;
    type Delta = DisableWinsFlagDelta;
    type Writer = Writer;
    type Value = Toggled;

    fn writer(root: &Self::Root, replica: ReplicaId) -> Writer {
        root.writer(replica)
    }

    fn apply(root: &mut Self::Root, op: &FlagOp, writer: &mut Writer) -> Self::Delta {
        let delta = match op {
            FlagOp::Enable => root.enable(writer),
            FlagOp::Disable => root.disable(writer),
        };
        delta.expect("numbers are left")
    }

    fn value(root: &Self::Root) -> Toggled {
        (root.is_enabled(), root.conflicts().map(|dot| dot.replica).collect())
    }

    fn check(root: &Self::Root) {
        root.check_invariants();
    }

    fn specified(events: &[Event<FlagOp>], version: Version) -> Toggled {
        DisableWinsAt::specified(&all_here(events), version).unwrap_or_default()
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
