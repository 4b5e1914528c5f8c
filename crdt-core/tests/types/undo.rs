//! Taking changes back.

use std::collections::{BTreeMap, BTreeSet};

use crdt_core::counter::{CounterError, CounterStore};
use crdt_core::dot_store::DotMap;
use crdt_core::laws::{UndoSubject, undo};
use crdt_core::register::{MultiValueStore, Payload};
use crdt_core::sequence::ListStore;
use crdt_core::tree::TreeStore;
use crdt_core::undo::Undo;
use crdt_core::{
    AddWinsSet, BoundedCounter, DisableWinsFlag, EnableWinsFlag, List, LwwMap, LwwRegister,
    MultiValueRegister, ObservedRemoveMap, PnCounter, RedactableRegister, RemoveWinsSet, ReplicaId,
    Replicated, Tree,
};

use crate::support::bytes;
use crate::support::derived::{
    Everything, EverythingAt, EverythingEdit as _, PairEdit as _, RootOf,
};
use crate::support::list::{ListAt, Lists};
use crate::support::nest::{CounterAt, MapOf, RootMap};
use crate::support::subjects::{
    DisableWins, EnableWins, Map, RemoveWins, Set, Siblings, Stock, UpAndDown,
};
use crate::support::tree::{TreeAt, Trees};

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
    steps: Vec<u8>,
    outline: Vec<Node>,
    pages: Vec<(u8, Vec<u8>)>,
}

/// A list keeps the places of what was taken back, and its key with it.
fn shown<'a>(lists: impl Iterator<Item = (&'a u8, &'a ListStore<u8>)>) -> Vec<(u8, Vec<u8>)> {
    let lists = lists.filter(|(_, list)| !list.is_empty());
    lists.map(|(&key, list)| (key, list.iter().copied().collect())).collect()
}

impl UndoSubject for RootOf<EverythingAt> {
    type Seen = Read;

    fn looks_around() -> bool {
        true
    }

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
            steps: it.steps.iter().copied().collect(),
            outline: nodes(&it.outline),
            pages: shown(it.pages.iter()),
        }
    }
}

impl UndoSubject for Lists {
    type Seen = Vec<u8>;

    fn seen(root: &List<u8>) -> Vec<u8> {
        root.iter().copied().collect()
    }
}

impl UndoSubject for RootMap<ListAt> {
    type Seen = Vec<(u8, Vec<u8>)>;

    fn seen(root: &ObservedRemoveMap<u8, ListStore<u8>>) -> Self::Seen {
        shown(root.iter())
    }
}

/// How deep a node is, its value, which has not come perhaps, and the values that lost against it.
type Node = (usize, Option<u8>, Vec<u8>);

fn nodes(tree: &TreeStore<u8>) -> Vec<Node> {
    let node = |(depth, node)| {
        let lost = tree.conflicts(node).map(|(_, &value)| value).collect();
        (depth, tree.get(node).copied(), lost)
    };
    tree.iter().map(node).collect()
}

impl UndoSubject for Trees {
    type Seen = Vec<Node>;

    fn seen(root: &Tree<u8>) -> Vec<Node> {
        nodes(root.store())
    }

    fn looks_around() -> bool {
        true
    }
}

impl UndoSubject for RootMap<TreeAt> {
    type Seen = Vec<(u8, Vec<Node>)>;

    /// A tree keeps the names of what was taken back, and its key with it.
    fn seen(root: &ObservedRemoveMap<u8, TreeStore<u8>>) -> Self::Seen {
        let trees = root.iter().filter(|(_, tree)| !tree.is_empty());
        trees.map(|(&key, tree)| (key, nodes(tree))).collect()
    }

    fn looks_around() -> bool {
        true
    }
}

#[test]
fn lists() {
    undo::<Lists>();
    undo::<RootMap<ListAt>>();
}

#[test]
fn trees() {
    undo::<Trees>();
    undo::<RootMap<TreeAt>>();
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

/// What another has replaced since is not written by the same event again, so that it is not taken
/// back instead.
#[test]
fn a_later_write_is_not_an_earlier_one() {
    let (mut register, mut other) = (LwwRegister::<&str>::new(), LwwRegister::new());
    let (mut writer, mut others) = (register.writer(A), other.writer(B));
    register.join(other.set("dark", 1, &mut others).unwrap());
    let before = register.clone();
    let inverse = before.inverse(&register.set("light", 2, &mut writer).unwrap()).unwrap();
    register.join(other.set("sepia", 3, &mut others).unwrap());
    let _kept = register.set("grey", 4, &mut writer).unwrap();
    let undone = register.undo(&inverse, 5, &mut writer).unwrap();
    assert!(undone.is_empty() && register.get() == Some(&"grey"));
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

/// What others have done to a list meanwhile stays, and what comes back stands where it stood.
#[test]
fn a_list_among_others() {
    let (mut here, mut there) = (List::new(), List::new());
    let (mut at_a, mut at_b) = (here.writer(A), there.writer(B));
    there.join(here.extend(['a', 'b', 'c', 'd'], &mut at_a).unwrap());

    // Two are removed while somebody writes in front of them.
    let before = here.clone();
    let removal = here.remove_range(1..3, &mut at_a);
    let inverse = before.inverse(&removal);
    assert!(inverse.put().is_empty() && inverse.taken().iter().eq(&['b', 'c']));
    let added = there.insert(1, 'x', &mut at_b).unwrap();
    here.join(added);
    there.join(removal);
    assert!(here.iter().eq(&['a', 'x', 'd']));
    let undo = here.undo(&inverse, &mut at_a).unwrap();
    assert!(here.iter().eq(&['a', 'x', 'b', 'c', 'd']));

    // Who has heard of the undo can take that back in turn.
    let inverse = there.inverse(&undo);
    there.join(undo);
    assert_eq!(here, there);
    let _kept = there.undo(&inverse, &mut at_b).unwrap();
    assert!(there.iter().eq(&['a', 'x', 'd']));
    there.check_invariants();
}

/// A move that was replaced since is not undone; one that lost is.
#[test]
fn a_moved_element_among_others() {
    let (mut here, mut there) = (List::new(), List::new());
    let (mut at_a, mut at_b) = (here.writer(A), there.writer(B));
    there.join(here.extend(['a', 'b', 'c', 'd'], &mut at_a).unwrap());
    there.join(here.move_to(0, 1, &mut at_a).unwrap());
    let before = here.clone();
    let moved = here.move_to(1, 3, &mut at_a).unwrap();
    let inverse = before.inverse(&moved);
    there.join(moved);
    let mut replaced = there.clone();
    let mut writer = replaced.writer(B);
    let _kept = replaced.move_to(3, 0, &mut writer).unwrap();
    let undo = replaced.undo(&inverse, &mut writer).unwrap();
    assert!(undo.is_empty() && replaced.iter().eq(&['a', 'b', 'c', 'd']));

    let _kept = there.undo(&inverse, &mut at_b).unwrap();
    assert!(there.iter().eq(&['b', 'a', 'c', 'd']), "where the move before had put it");
    // Removed wherever it stands, it comes back there.
    let before = there.clone();
    let inverse = before.inverse(&there.remove(1, &mut at_b));
    let _kept = there.undo(&inverse, &mut at_b).unwrap();
    assert!(there.iter().eq(&['b', 'a', 'c', 'd']));
    there.check_invariants();
}

/// A list that was cleared comes back in order, as one run: nothing refers to what is gone.
#[test]
fn a_cleared_list_comes_back() {
    let mut list = List::new();
    let mut writer = list.writer(A);
    for value in 0..100_u8 {
        let _kept =
            list.insert(usize::from(value) * 7 % (list.len() + 1), value, &mut writer).unwrap();
    }
    let _kept = list.move_to(3, 90, &mut writer).unwrap();
    let before = list.clone();
    let inverse = before.inverse(&list.clear(&mut writer));
    let undo = list.undo(&inverse, &mut writer).unwrap();
    assert!(list.iter().eq(before.iter()));
    assert!(bytes(&undo).len() <= 256, "{} bytes", bytes(&undo).len());
    list.check_invariants();
}

/// A removed node comes back under another name, with what still stands below it and what it was
/// given meanwhile; what was moved away stays away.
#[test]
fn a_node_among_others() {
    let (mut here, mut there) = (Tree::new(), Tree::new());
    let (mut at_a, mut at_b) = (here.writer(A), there.writer(B));
    let mut create = |parent, index, value| {
        let (node, delta) = here.create(parent, index, value, &mut at_a).unwrap();
        there.join(delta);
        node
    };
    let folder = create(None, 0, "folder");
    let stays = create(Some(folder), 0, "stays");
    let leaves = create(Some(folder), 1, "leaves");
    let before = here.clone();
    let removal = here.remove(folder, &mut at_a).unwrap();
    let inverse = before.inverse(&removal);
    here.join(there.move_to(leaves, None, 0, &mut at_b).unwrap());
    here.join(there.set_value(folder, "renamed", &mut at_b).unwrap());
    let (_, added) = there.create(Some(stays), 0, "below", &mut at_b).unwrap();
    here.join(added);
    there.join(removal);
    assert!(here.iter().map(|(_, node)| here.get(node)).eq([Some(&"leaves")]));

    let undo = here.undo(&inverse, &mut at_a).unwrap();
    there.join(undo);
    assert_eq!(here, there);
    let shown: Vec<_> =
        here.iter().map(|(depth, node)| (depth, *here.get(node).unwrap())).collect();
    assert_eq!(shown, [(0, "leaves"), (0, "renamed"), (1, "stays"), (2, "below")]);
    assert!(!here.contains(folder) && here.contains(stays));
    here.check_invariants();
}

/// A move is undone while it stands, and if it can be: not below itself.
#[test]
fn a_moved_node_among_others() {
    let (mut tree, mut other) = (Tree::new(), Tree::new());
    let (mut at_a, mut at_b) = (tree.writer(A), other.writer(B));
    let (one, _) = tree.create(None, 0, 1, &mut at_a).unwrap();
    let (two, _) = tree.create(Some(one), 0, 2, &mut at_a).unwrap();
    let before = tree.clone();
    let moved = tree.move_to(two, None, 0, &mut at_a).unwrap();
    let inverse = before.inverse(&moved);

    // Its former parent stands below it by now.
    other.join(&tree);
    let below = other.move_to(one, Some(two), 0, &mut at_b).unwrap();
    let mut circular = tree.clone();
    circular.join(below);
    let undo = circular.undo(&inverse, &mut circular.writer(A)).unwrap();
    assert!(undo.is_empty() && circular.parent(one) == Some(two));

    // Somebody has moved it since.
    let mut moved_on = tree.clone();
    let _kept = moved_on.move_to(two, None, 1, &mut moved_on.writer(A)).unwrap();
    assert!(moved_on.undo(&inverse, &mut moved_on.writer(A)).unwrap().is_empty());

    let undo = tree.undo(&inverse, &mut at_a).unwrap();
    assert!(!undo.is_empty() && tree.parent(two) == Some(one));
    // To forget moves is not undone: it changes nothing.
    let before = tree.clone();
    let stable = tree.context().vector().clone();
    let compacted = tree.compact(&stable, &mut at_a);
    assert!(!compacted.is_empty());
    let inverse = before.inverse(&compacted);
    assert!(tree.undo(&inverse, &mut at_a).unwrap().is_empty());
}
