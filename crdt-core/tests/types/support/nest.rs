//! What stands at one place of a larger value, each kind with its sequential specification.
//!
//! The specifications know operations and what happened before what, and nothing of dots,
//! contexts or joins. A removal of a place from outside is a *reset* of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::hash::Hash;
use std::marker::PhantomData;

use crdt_core::codec::{Decode, Encode};
use crdt_core::counter::CounterStore;
use crdt_core::dot_store::{DecodeStore, DotMap, Edit, EncodeStore, Split};
use crdt_core::flag::{DisableWinsStore, EnableWinsStore};
use crdt_core::laws::{Arbitrary, Event, Gen, Subject, Version};
use crdt_core::map::{LatticeStore, LwwStore, ObservedRemoveMapDelta};
use crdt_core::register::{MultiValueStore, Payload, RedactableStore};
use crdt_core::set::{AddWinsStore, RemoveWinsStore};
use crdt_core::{Dot, GrowOnlySet, ObservedRemoveMap, ReplicaId, Writer};

use super::replica;
use super::subjects::{Map, MapOp, SeenWrite, Set, SetOp};

/// What an event is at one place.
#[derive(Clone, Debug)]
pub(crate) enum At<Op> {
    Here(Op),
    Reset,
    Elsewhere,
}

/// A kind of store, as it stands at a place.
pub(crate) trait Nest: 'static {
    type Op: Clone + Debug + Arbitrary;
    type Store: Split<Places: Clone + PartialEq + Debug + Hash + Encode + Decode>
        + Clone
        + PartialEq
        + Hash
        + Debug
        + EncodeStore
        + DecodeStore;
    type Value: PartialEq + Debug;

    fn edit(edit: &mut Edit<'_, Self::Store>, op: &Self::Op);
    fn value(store: &Self::Store) -> Self::Value;
    /// The value at a version, or none if nothing stands there.
    fn specified(events: &[Event<At<Self::Op>>], version: Version) -> Option<Self::Value>;
}

/// The events as they are somewhere else.
pub(crate) fn seen_as<Op, To>(events: &[Event<Op>], to: impl Fn(&Op) -> To) -> Vec<Event<To>> {
    let see =
        |event: &Event<Op>| Event { replica: event.replica, op: to(&event.op), past: event.past };
    events.iter().map(see).collect()
}

pub(crate) fn all_here<Op: Clone>(events: &[Event<Op>]) -> Vec<Event<At<Op>>> {
    seen_as(events, |op| At::Here(op.clone()))
}

/// The operations at the place that are in the past of no reset, and of no operation that
/// `replaces` another.
fn standing<Op>(
    events: &[Event<At<Op>>],
    version: Version,
    replaces: impl Fn(&Op) -> bool,
) -> Vec<(usize, &Op)> {
    let gone = version.seen_by(events, |d| match &events[d].op {
        At::Here(op) => replaces(op),
        At::Reset => true,
        At::Elsewhere => false,
    });
    let here = |event: usize| match &events[event].op {
        At::Here(op) if !gone.contains(event) => Some((event, op)),
        _ => None,
    };
    version.iter().filter_map(here).collect()
}

/// What `specified` says of a place, or nothing where nobody was: most places of most histories.
fn if_used<Op, V>(
    events: &[Event<At<Op>>],
    specified: impl Fn(&[Event<At<Op>>], Version) -> Option<V>,
    version: Version,
) -> Option<V> {
    let used = events.iter().any(|event| matches!(event.op, At::Here(_)));
    used.then(|| specified(events, version)).flatten()
}

/// In the order of their dots: by replica, and one replica's as they were made.
fn in_order_of_dots<Op, T>(events: &[Event<Op>], mut of: Vec<(usize, T)>) -> Vec<(ReplicaId, T)> {
    of.sort_by_key(|&(event, _)| (replica(events[event].replica), event));
    of.into_iter().map(|(event, value)| (replica(events[event].replica), value)).collect()
}

pub(crate) struct SetAt;

impl Nest for SetAt {
    type Op = SetOp;
    type Store = AddWinsStore<u8>;
    type Value = BTreeSet<u8>;

    fn edit(edit: &mut Edit<'_, Self::Store>, op: &SetOp) {
        match *op {
            SetOp::Add(element) => edit.add(element),
            SetOp::Remove(element) => _ = edit.remove(&element),
            SetOp::Clear => edit.clear(),
        }
    }

    fn value(store: &Self::Store) -> BTreeSet<u8> {
        store.keys().copied().collect()
    }

    fn specified(events: &[Event<At<SetOp>>], version: Version) -> Option<BTreeSet<u8>> {
        let events = seen_as(events, |op| match op {
            At::Here(op) => op.clone(),
            At::Reset => SetOp::Clear,
            At::Elsewhere => SetOp::Remove(u8::MAX),
        });
        Some(Set::value_of(&events, version)).filter(|elements| !elements.is_empty())
    }
}

/// A map of last-writer-wins registers.
pub(crate) struct LwwAt;

impl Nest for LwwAt {
    type Op = MapOp;
    type Store = LwwStore<u8, u8, u8>;
    type Value = Vec<(u8, BTreeSet<SeenWrite>)>;

    fn edit(edit: &mut Edit<'_, Self::Store>, op: &MapOp) {
        match *op {
            MapOp::Set { key, value, stamp } => _ = edit.set(key, value, stamp),
            MapOp::Remove(key) => _ = edit.remove(&key),
            MapOp::Clear => edit.clear(),
        }
    }

    fn value(store: &Self::Store) -> Self::Value {
        // Which write it was is not to be seen; the values of each replica are.
        let seen = |&(dot, (stamp, value)): &(Dot, (u8, u8))| (stamp, dot.replica, 0, value);
        store.iter().map(|(&k, writes)| (k, writes.entries().iter().map(seen).collect())).collect()
    }

    fn specified(events: &[Event<At<MapOp>>], version: Version) -> Option<Self::Value> {
        let events = seen_as(events, |op| match op {
            At::Here(op) => op.clone(),
            At::Reset => MapOp::Clear,
            At::Elsewhere => MapOp::Remove(u8::MAX),
        });
        let effective = Map::effective(&events);
        let mut value = Self::Value::new();
        for key in 0..3 {
            let writes: BTreeSet<SeenWrite> = Map::standing(&events, effective, version, key)
                .into_iter()
                .map(|(stamp, author, _, value)| (stamp, author, 0, value))
                .collect();
            if !writes.is_empty() {
                value.push((key, writes));
            }
        }
        Some(value).filter(|value| !value.is_empty())
    }
}

#[derive(Clone, Debug)]
pub(crate) enum SiblingOp {
    Set(u8),
    Clear,
}

impl Arbitrary for SiblingOp {
    fn arbitrary(g: &mut Gen) -> Self {
        if u8::arbitrary(g) % 6 == 0 { Self::Clear } else { Self::Set(u8::arbitrary(g)) }
    }
}

pub(crate) struct SiblingsAt;

impl Nest for SiblingsAt {
    type Op = SiblingOp;
    type Store = MultiValueStore<u8>;
    type Value = Vec<(ReplicaId, u8)>;

    fn edit(edit: &mut Edit<'_, Self::Store>, op: &SiblingOp) {
        match *op {
            SiblingOp::Set(value) => edit.set(value),
            SiblingOp::Clear => edit.clear(),
        }
    }

    fn value(store: &Self::Store) -> Self::Value {
        store.entries().iter().map(|&(dot, value)| (dot.replica, value)).collect()
    }

    /// The writes that no write and no clearing has seen.
    fn specified(events: &[Event<At<SiblingOp>>], version: Version) -> Option<Self::Value> {
        let value = |(event, op): (usize, &SiblingOp)| match *op {
            SiblingOp::Set(value) => Some((event, value)),
            SiblingOp::Clear => None,
        };
        let writes = standing(events, version, |_| true).into_iter().filter_map(value).collect();
        Some(in_order_of_dots(events, writes)).filter(|writes| !writes.is_empty())
    }
}

#[derive(Clone, Debug)]
pub(crate) enum RedactOp {
    Set(u8),
    Clear,
    /// Redacts all that stands.
    Redact,
}

impl Arbitrary for RedactOp {
    fn arbitrary(g: &mut Gen) -> Self {
        match u8::arbitrary(g) % 8 {
            0 => Self::Clear,
            1..=3 => Self::Redact,
            _ => Self::Set(u8::arbitrary(g)),
        }
    }
}

/// What a value is committed to.
pub(crate) fn commitment(value: &u8) -> u8 {
    value.wrapping_mul(31).wrapping_add(7)
}

pub(crate) struct RedactableAt;

impl Nest for RedactableAt {
    type Op = RedactOp;
    type Store = RedactableStore<u8, u8>;
    type Value = Vec<(ReplicaId, Payload<u8, u8>)>;

    fn edit(edit: &mut Edit<'_, Self::Store>, op: &RedactOp) {
        match *op {
            RedactOp::Set(value) => edit.set(value),
            RedactOp::Clear => edit.clear(),
            RedactOp::Redact => edit.redact_all(commitment),
        }
    }

    fn value(store: &Self::Store) -> Self::Value {
        store.entries().iter().map(|&(dot, payload)| (dot.replica, payload)).collect()
    }

    /// The writes that no write and no clearing has seen, redacted where a redaction has.
    fn specified(events: &[Event<At<RedactOp>>], version: Version) -> Option<Self::Value> {
        let redacted =
            version.seen_by(events, |d| matches!(events[d].op, At::Here(RedactOp::Redact)));
        let payload = |(event, op): (usize, &RedactOp)| match *op {
            RedactOp::Set(value) if redacted.contains(event) => {
                Some((event, Payload::Redacted(commitment(&value))))
            }
            RedactOp::Set(value) => Some((event, Payload::Held(value))),
            RedactOp::Clear | RedactOp::Redact => None,
        };
        let replaces = |op: &RedactOp| !matches!(op, RedactOp::Redact);
        let writes = standing(events, version, replaces).into_iter().filter_map(payload).collect();
        Some(in_order_of_dots(events, writes)).filter(|writes| !writes.is_empty())
    }
}

#[derive(Clone, Debug)]
pub(crate) enum FlagOp {
    Enable,
    Disable,
}

impl Arbitrary for FlagOp {
    fn arbitrary(g: &mut Gen) -> Self {
        if bool::arbitrary(g) { Self::Enable } else { Self::Disable }
    }
}

pub(crate) struct EnableWinsAt;

impl Nest for EnableWinsAt {
    type Op = FlagOp;
    type Store = EnableWinsStore;
    /// Whose enablings stand.
    type Value = Vec<ReplicaId>;

    fn edit(edit: &mut Edit<'_, Self::Store>, op: &FlagOp) {
        match op {
            FlagOp::Enable => edit.enable(),
            FlagOp::Disable => edit.disable(),
        }
    }

    fn value(store: &Self::Store) -> Self::Value {
        store.dots().iter().map(|dot| dot.replica).collect()
    }

    fn specified(events: &[Event<At<FlagOp>>], version: Version) -> Option<Self::Value> {
        let enabling = |(event, op): (usize, &FlagOp)| match op {
            FlagOp::Enable => Some((event, ())),
            FlagOp::Disable => None,
        };
        let enablings = standing(events, version, |_| true).into_iter().filter_map(enabling);
        let by = in_order_of_dots(events, enablings.collect());
        Some(by.into_iter().map(|(by, ())| by).collect::<Vec<_>>()).filter(|by| !by.is_empty())
    }
}

/// Whether a flag is enabled, and whose enablings lost.
pub(crate) type Toggled = (bool, Vec<ReplicaId>);

pub(crate) struct DisableWinsAt;

impl Nest for DisableWinsAt {
    type Op = FlagOp;
    type Store = DisableWinsStore;
    type Value = Toggled;

    fn edit(edit: &mut Edit<'_, Self::Store>, op: &FlagOp) {
        match op {
            FlagOp::Enable => edit.enable(),
            FlagOp::Disable => edit.disable(),
        }
    }

    fn value(store: &Self::Store) -> Toggled {
        (store.is_enabled(), store.overruled().map(|dot| dot.replica).collect())
    }

    fn specified(events: &[Event<At<FlagOp>>], version: Version) -> Option<Toggled> {
        let standing = standing(events, version, |_| true);
        if standing.is_empty() {
            return None;
        }
        let enabled = standing.iter().all(|(_, op)| matches!(op, FlagOp::Enable));
        let enablings = standing.into_iter().filter(|(_, op)| matches!(op, FlagOp::Enable));
        let lost: Vec<_> = if enabled { Vec::new() } else { enablings.collect() };
        Some((enabled, in_order_of_dots(events, lost).into_iter().map(|(by, _)| by).collect()))
    }
}

pub(crate) struct RemoveWinsAt;

impl RemoveWinsAt {
    /// What is known of each element, if something is.
    fn elements(events: &[Event<At<SetOp>>], version: Version) -> Vec<(u8, Toggled)> {
        let of = |element: u8| {
            let flag = seen_as(events, |op| match *op {
                At::Here(SetOp::Add(added)) if added == element => At::Here(FlagOp::Enable),
                At::Here(SetOp::Remove(gone)) if gone == element => At::Here(FlagOp::Disable),
                At::Here(SetOp::Clear) | At::Reset => At::Reset,
                _ => At::Elsewhere,
            });
            Some((element, if_used(&flag, DisableWinsAt::specified, version)?))
        };
        (0..4).filter_map(of).collect()
    }
}

impl Nest for RemoveWinsAt {
    /// To clear forgets what is known of the elements.
    type Op = SetOp;
    type Store = RemoveWinsStore<u8>;
    type Value = Vec<(u8, Toggled)>;

    fn edit(edit: &mut Edit<'_, Self::Store>, op: &SetOp) {
        match *op {
            SetOp::Add(element) => edit.add(element),
            SetOp::Remove(element) => edit.discard(element),
            SetOp::Clear => edit.clear(),
        }
    }

    fn value(store: &Self::Store) -> Self::Value {
        store.iter().map(|(&element, flag)| (element, DisableWinsAt::value(flag))).collect()
    }

    fn specified(events: &[Event<At<SetOp>>], version: Version) -> Option<Self::Value> {
        Some(Self::elements(events, version)).filter(|elements| !elements.is_empty())
    }
}

#[derive(Clone, Debug)]
pub(crate) enum CounterOp {
    Increment(i8),
    Reset,
}

impl Arbitrary for CounterOp {
    fn arbitrary(g: &mut Gen) -> Self {
        if u8::arbitrary(g) % 6 == 0 { Self::Reset } else { Self::Increment(i8::arbitrary(g)) }
    }
}

pub(crate) struct CounterAt;

impl Nest for CounterAt {
    type Op = CounterOp;
    type Store = CounterStore;
    type Value = i128;

    fn edit(edit: &mut Edit<'_, Self::Store>, op: &CounterOp) {
        match *op {
            CounterOp::Increment(amount) => edit.increment(i64::from(amount)),
            CounterOp::Reset => edit.reset(),
        }
    }

    fn value(store: &Self::Store) -> i128 {
        store.sum()
    }

    /// The increments that no reset has seen.
    fn specified(events: &[Event<At<CounterOp>>], version: Version) -> Option<i128> {
        let counted = standing(events, version, |op| matches!(op, CounterOp::Reset));
        let amount = |(_, op): (usize, &CounterOp)| match *op {
            CounterOp::Increment(amount) if amount != 0 => Some(i128::from(amount)),
            _ => None,
        };
        counted.into_iter().filter_map(amount).reduce(|sum, amount| sum + amount)
    }
}

/// A grow-only set, of which the map knows no more than that it is a lattice.
pub(crate) struct LatticeAt;

impl LatticeAt {
    /// What the value was at a version, and by which writes.
    fn whole(
        events: &[Event<At<u8>>],
        version: Version,
        written: &[BTreeSet<u8>],
    ) -> Option<BTreeSet<u8>> {
        let values = standing(events, version, |_| true);
        let values: Vec<_> = values.into_iter().map(|(event, _)| &written[event]).collect();
        (!values.is_empty()).then(|| values.into_iter().flatten().copied().collect())
    }
}

impl Nest for LatticeAt {
    type Op = u8;
    type Store = LatticeStore<GrowOnlySet<u8>>;
    type Value = BTreeSet<u8>;

    fn edit(edit: &mut Edit<'_, Self::Store>, op: &u8) {
        edit.update(|set| _ = set.insert(*op));
    }

    fn value(store: &Self::Store) -> BTreeSet<u8> {
        store.joined().unwrap_or_default().into_iter().collect()
    }

    /// Each write is the whole value that it met, and its element.
    fn specified(events: &[Event<At<u8>>], version: Version) -> Option<BTreeSet<u8>> {
        let mut written: Vec<BTreeSet<u8>> = Vec::new();
        for event in events {
            let At::Here(element) = event.op else {
                written.push(BTreeSet::new());
                continue;
            };
            let mut whole = Self::whole(events, event.past, &written).unwrap_or_default();
            whole.insert(element);
            written.push(whole);
        }
        Self::whole(events, version, &written)
    }
}

#[derive(Clone, Debug)]
pub(crate) enum KeyOp<Op> {
    Update(u8, Op),
    Remove(u8),
    Clear,
}

impl<Op: Arbitrary> Arbitrary for KeyOp<Op> {
    fn arbitrary(g: &mut Gen) -> Self {
        let key = u8::arbitrary(g) % 3;
        match u8::arbitrary(g) % 16 {
            0..=10 => Self::Update(key, Op::arbitrary(g)),
            11..=14 => Self::Remove(key),
            _ => Self::Clear,
        }
    }

    fn shrink(&self) -> Box<dyn Iterator<Item = Self>> {
        match self.clone() {
            Self::Update(key, op) => Box::new(op.shrink().map(move |op| Self::Update(key, op))),
            _ => Box::new(std::iter::empty()),
        }
    }
}

/// A map of whatever stands at its keys.
pub(crate) struct MapOf<N>(PhantomData<N>);

impl<N: Nest> Nest for MapOf<N> {
    type Op = KeyOp<N::Op>;
    type Store = DotMap<u8, N::Store>;
    type Value = BTreeMap<u8, N::Value>;

    fn edit(edit: &mut Edit<'_, Self::Store>, op: &Self::Op) {
        match op {
            KeyOp::Update(key, op) => edit.update(*key, |inner| N::edit(inner, op)),
            KeyOp::Remove(key) => _ = edit.remove(key),
            KeyOp::Clear => edit.clear(),
        }
    }

    fn value(store: &Self::Store) -> Self::Value {
        store.iter().map(|(&key, inner)| (key, N::value(inner))).collect()
    }

    /// A removal of a key resets what stands there, and so does a reset of the map.
    fn specified(events: &[Event<At<Self::Op>>], version: Version) -> Option<Self::Value> {
        let of = |wanted: u8| {
            let inner = seen_as(events, |op| match op {
                At::Here(KeyOp::Update(key, op)) if *key == wanted => At::Here(op.clone()),
                At::Here(KeyOp::Remove(key)) if *key == wanted => At::Reset,
                At::Here(KeyOp::Clear) | At::Reset => At::Reset,
                _ => At::Elsewhere,
            });
            Some((wanted, if_used(&inner, N::specified, version)?))
        };
        let value: Self::Value = (0..3).filter_map(of).collect();
        Some(value).filter(|value| !value.is_empty())
    }
}

/// A root, of which a map is the content.
pub(crate) struct RootMap<N>(PhantomData<N>);

impl<N: Nest> Subject for RootMap<N> {
    type Op = KeyOp<N::Op>;
    type Root = ObservedRemoveMap<u8, N::Store>;
    type Delta = ObservedRemoveMapDelta<u8, N::Store>;
    type Writer = Writer;
    type Value = BTreeMap<u8, N::Value>;

    fn writer(root: &Self::Root, replica: ReplicaId) -> Writer {
        root.writer(replica)
    }

    fn apply(root: &mut Self::Root, op: &Self::Op, writer: &mut Writer) -> Self::Delta {
        match op {
            KeyOp::Update(key, op) => {
                let change = |edit: &mut Edit<'_, N::Store>| N::edit(edit, op);
                root.update(*key, writer, change).expect("numbers are left")
            }
            KeyOp::Remove(key) => root.remove(key, writer),
            KeyOp::Clear => root.clear(writer),
        }
    }

    fn value(root: &Self::Root) -> Self::Value {
        assert_eq!(root.iter().count(), root.len());
        assert_eq!(root.is_empty(), root.iter().next().is_none());
        for (key, inner) in root {
            assert!(root.contains_key(key) && root.get(key) == Some(inner));
        }
        MapOf::<N>::value(root.store())
    }

    fn check(root: &Self::Root) {
        root.check_invariants();
    }

    fn specified(events: &[Event<Self::Op>], version: Version) -> Self::Value {
        MapOf::<N>::specified(&all_here(events), version).unwrap_or_default()
    }
}
