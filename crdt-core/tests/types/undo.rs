//! Taking changes back.

use std::collections::{BTreeMap, BTreeSet};

use crdt_core::counter::{CounterError, CounterStore};
use crdt_core::dot_store::DotMap;
use crdt_core::laws::{UndoSubject, undo};
use crdt_core::register::{MultiValueStore, Payload};
use crdt_core::undo::Undo;
use crdt_core::{
    AddWinsSet, BoundedCounter, DisableWinsFlag, EnableWinsFlag, LwwMap, LwwRegister,
    MultiValueRegister, ObservedRemoveMap, PnCounter, RedactableRegister, RemoveWinsSet, ReplicaId,
    Replicated,
};

use crate::support::bytes;
use crate::support::derived::{
    Everything, EverythingAt, EverythingEdit as _, PairEdit as _, RootOf,
};
use crate::support::nest::{CounterAt, MapOf, RootMap};
use crate::support::subjects::{
    DisableWins, EnableWins, Map, RemoveWins, Set, Siblings, Stock, UpAndDown,
};

const A: ReplicaId = ReplicaId::from_u128(7);
const B: ReplicaId = ReplicaId::from_u128(3);

impl UndoSubject for Set {
    type Seen = BTreeSet<u8>;

    fn seen(root: &AddWinsSet<u8>) -> BTreeSet<u8> {
        root.iter().copied().collect()
    }
}

impl UndoSubject for RemoveWins {
    type Seen = BTreeSet<u8>;

    fn seen(root: &RemoveWinsSet<u8>) -> BTreeSet<u8> {
        root.iter().copied().collect()
    }
}

impl UndoSubject for Map {
    type Seen = BTreeMap<u8, (u8, Vec<u8>)>;

    /// Each key's value, and those that lost.
    fn seen(root: &LwwMap<u8, u8, u8>) -> Self::Seen {
        let of = |(&key, &value): (&u8, &u8)| {
            let mut lost: Vec<u8> = root.conflicts(&key).map(|write| *write.value).collect();
            lost.sort_unstable();
            (key, (value, lost))
        };
        root.iter().map(of).collect()
    }
}

fn sorted(values: &MultiValueStore<u8>) -> Vec<u8> {
    let mut values: Vec<u8> = values.entries().iter().map(|&(_, value)| value).collect();
    values.sort_unstable();
    values
}

impl UndoSubject for Siblings {
    type Seen = Vec<u8>;

    fn seen(root: &MultiValueRegister<u8>) -> Vec<u8> {
        sorted(root.store())
    }
}

impl UndoSubject for EnableWins {
    type Seen = bool;

    fn seen(root: &EnableWinsFlag) -> bool {
        root.is_enabled()
    }
}

impl UndoSubject for DisableWins {
    type Seen = bool;

    fn seen(root: &DisableWinsFlag) -> bool {
        root.is_enabled()
    }
}

impl UndoSubject for UpAndDown {
    type Seen = i128;

    fn seen(root: &PnCounter) -> i128 {
        root.value()
    }
}

impl UndoSubject for Stock {
    type Seen = u128;

    fn seen(root: &BoundedCounter) -> u128 {
        root.value()
    }

    fn may_refuse() -> bool {
        true
    }
}

type Counters = DotMap<u8, CounterStore>;

fn sums(counters: &Counters) -> Vec<(u8, i128)> {
    counters.iter().map(|(&key, counter)| (key, counter.sum())).collect()
}

impl UndoSubject for RootMap<MapOf<CounterAt>> {
    type Seen = Vec<(u8, Vec<(u8, i128)>)>;

    fn seen(root: &ObservedRemoveMap<u8, Counters>) -> Self::Seen {
        root.iter().map(|(&key, counters)| (key, sums(counters))).collect()
    }
}

/// What is read of [`Everything`].
#[derive(Debug, PartialEq)]
pub(crate) struct Read {
    tags: Vec<u8>,
    bans: Vec<(u8, bool)>,
    name: Vec<u8>,
    settings: Vec<(u8, u8)>,
    flags: [bool; 2],
    views: i128,
    seen_by: Option<Vec<u8>>,
    carts: Vec<(u8, Vec<u8>)>,
    limits: (i128, Vec<(u8, i128)>),
    notes: Vec<(u8, bool, Vec<u8>)>,
}

impl UndoSubject for RootOf<EverythingAt> {
    type Seen = Read;

    fn seen(root: &Replicated<Everything>) -> Read {
        let it = root.store();
        let setting = |&key: &u8| (key, *it.settings.winner(&key).expect("it is there").value);
        Read {
            tags: it.tags.keys().copied().collect(),
            bans: it.bans.iter().map(|(&key, ban)| (key, ban.is_enabled())).collect(),
            name: sorted(&it.name),
            settings: it.settings.keys().map(setting).collect(),
            flags: [!it.starred.dots().is_empty(), it.public.is_enabled()],
            views: it.views.sum(),
            seen_by: it.seen_by.joined().map(|seen| seen.into_iter().collect()),
            carts: it
                .carts
                .iter()
                .map(|(&key, cart)| (key, cart.keys().copied().collect()))
                .collect(),
            limits: (it.limits.one.sum(), sums(&it.limits.other)),
            notes: it
                .notes
                .iter()
                .map(|(&key, note)| (key, note.one.dots().is_empty(), sorted(&note.other)))
                .collect(),
        }
    }
}

#[test]
fn sets() {
    undo::<Set>();
    undo::<RemoveWins>();
}

#[test]
fn registers_and_flags() {
    undo::<Siblings>();
    undo::<EnableWins>();
    undo::<DisableWins>();
}

#[test]
fn maps() {
    undo::<Map>();
    undo::<RootMap<MapOf<CounterAt>>>();
}

#[test]
fn counters() {
    undo::<UpAndDown>();
    undo::<Stock>();
}

#[test]
fn a_struct_of_every_store() {
    undo::<RootOf<EverythingAt>>();
}

/// What others have done to what the delta put there is not undone.
#[test]
fn what_was_replaced_since_stays() {
    let (mut here, mut there) = (MultiValueRegister::new(), MultiValueRegister::new());
    let (mut at_a, mut at_b) = (here.writer(A), there.writer(B));
    there.join(here.set("Pune", &mut at_a).unwrap());
    let before = here.clone();
    let moved = here.set("Delhi", &mut at_a).unwrap();
    let inverse = before.inverse(&moved);
    there.join(moved);
    here.join(there.set("Mumbai", &mut at_b).unwrap());
    let undo = here.undo(&inverse, &mut at_a).unwrap();
    assert!(undo.is_empty() && here.single() == Some(&"Mumbai"));

    // A removal of what was added since: nothing comes back.
    let (mut here, mut there) = (AddWinsSet::new(), AddWinsSet::new());
    let (mut at_a, mut at_b) = (here.writer(A), there.writer(B));
    there.join(here.add("crdt", &mut at_a).unwrap());
    let before = here.clone();
    let added = here.add("crdt", &mut at_a).unwrap();
    let inverse = before.inverse(&added);
    there.join(added);
    here.join(there.remove("crdt", &mut at_b));
    assert!(here.undo(&inverse, &mut at_a).unwrap().is_empty() && here.is_empty());
}

/// A small undo of a large value has a small delta.
#[test]
fn an_undo_is_as_large_as_what_it_takes_back() {
    let mut root = Replicated::<Everything>::new();
    let mut writer = root.writer(A);
    let _kept = root.edit(&mut writer, |it| (0..=255).for_each(|tag| it.tags().add(tag)));
    let before = root.clone();
    let delta = root.edit(&mut writer, |it| {
        it.tags().remove(&7);
        it.limits().one().increment(5);
    });
    let inverse = before.inverse(&delta.unwrap());
    let undo = root.undo(&inverse, &mut writer).unwrap();
    assert!(root.store().tags.contains_key(&7) && root.store().limits.one.sum() == 0);
    assert!(bytes(&undo).len() <= 64, "{} bytes", bytes(&undo).len());
}

#[test]
fn rights_that_were_given_are_given_back_by_who_has_them() {
    let mut stock = BoundedCounter::new();
    let (mut at_a, mut at_b) = (stock.writer(A), stock.writer(B));
    let _kept = stock.increment(10, &mut at_a).unwrap();
    let before = stock.clone();
    let transfer = stock.transfer(4, B, &mut at_a).unwrap();
    let inverse = before.inverse(&transfer);
    let refused = stock.undo(&inverse, &mut at_a);
    assert_eq!(refused, Err(CounterError::NotEnoughRights { replica: A, available: 0 }));
    let _kept = stock.undo(&inverse, &mut at_b).unwrap();
    assert_eq!([stock.rights_of(A), stock.rights_of(B)], [10, 0]);
}

#[test]
fn a_register_goes_back_by_a_new_write() {
    let mut register = LwwRegister::<&str>::new();
    let mut writer = register.writer(A);
    let first = register.clone().inverse(&register.set("dark", 1, &mut writer).unwrap());
    assert_eq!(first, None, "a register cannot be emptied");
    let before = register.clone();
    let set = register.set("light", 5, &mut writer).unwrap();
    let inverse = before.inverse(&set).expect("there was a value");
    let _kept = register.undo(&inverse, 6, &mut writer).unwrap();
    assert_eq!(register.get(), Some(&"dark"));
    let again = register.undo(&inverse, 7, &mut writer).unwrap();
    assert!(again == Default::default(), "the write does not stand any more");
    let lost = register.set("sepia", 2, &mut writer).unwrap();
    assert_eq!(register.inverse(&lost), None, "it changes nothing");
}

/// A redaction is for good; what was written and cleared around it goes and comes.
#[test]
fn what_is_redacted_stays_so() {
    let mut register = RedactableRegister::<u8, u8>::new();
    let mut writer = register.writer(A);
    let _kept = register.set(1, &mut writer).unwrap();
    let before = register.clone();
    let set = register.set(2, &mut writer).unwrap();
    let inverse = before.inverse(&set);
    let _kept = register.undo(&inverse, &mut writer).unwrap();
    assert!(matches!(register.store().entries(), [(_, Payload::Held(1))]));

    let before = register.clone();
    let redaction = register.redact_all(|value| *value + 100, &mut writer);
    let inverse = before.inverse(&redaction);
    assert!(inverse.is_empty() && register.undo(&inverse, &mut writer).unwrap().is_empty());
    let before = register.clone();
    let cleared = register.clear(&mut writer);
    let inverse = before.inverse(&cleared);
    let _kept = register.undo(&inverse, &mut writer).unwrap();
    let held: Vec<_> = register.store().entries().iter().map(|(_, payload)| *payload).collect();
    assert_eq!(held, [Payload::Redacted(101)]);
    register.check_invariants();
}
