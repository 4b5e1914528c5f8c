//! The laws of every type of the dotted kernel and of the counters.
//!
//! With `RUSTFLAGS="--cfg canary"` the crate is built with planted bugs (removed dots of a set
//! come back; rights are not checked), and these tests, `--test types laws`, pass only if the
//! laws catch them.

use crdt_core::lattice::Decompose;
use crdt_core::laws::{Subject, check, decomposition, exhaustive};

use crate::support::cases;
use crate::support::list::{ListAt, ListOp, Lists};
use crate::support::nest::{
    CounterAt, CounterOp, DisableWinsAt, EnableWinsAt, FlagOp, KeyOp, LatticeAt, LwwAt, MapOf,
    RedactOp, RedactableAt, RemoveWinsAt, RootMap, SetAt, SiblingOp, SiblingsAt,
};
use crate::support::subjects::{
    Assign, DisableWins, EnableWins, Greatest, GrowOnly, GrowOnlyElements, Least, Map, MapOp,
    Redacting, Register, RemoveWins, Set, SetOp, Siblings, Stock, StockOp, TwoPhase, UpAndDown,
};
use crate::support::tree::{TreeAt, TreeOp, Trees};

/// Random histories, and every history of up to four of these operations on three replicas.
fn laws<S: Subject<Root: Decompose>>(ops: &[S::Op]) {
    check::<S>();
    decomposition::<S>();
    every_history::<S>(ops);
}

/// Every history of up to four operations; of fewer where the laws get no more than a glance.
pub(crate) fn every_history<S: Subject>(ops: &[S::Op]) {
    let events_max = match cases() {
        // An interpreter's.
        ..4 => 1,
        4..16 => 2,
        16..256 => 3,
        _ => 4,
    };
    // How many ways there are for one, two, three and four events to have followed each other.
    let ways = [3, 12, 58, 321];
    let choices = |events| (ops.len() as u64).pow(events);
    let histories: u64 = (1..).zip(&ways[..events_max]).map(|(n, ways)| ways * choices(n)).sum();
    assert_eq!(exhaustive::<S>(ops, events_max), histories);
}

const SET: &[SetOp] = &[SetOp::Add(1), SetOp::Remove(1), SetOp::Add(2), SetOp::Clear];
const FLAG: &[FlagOp] = &[FlagOp::Enable, FlagOp::Disable];

#[test]
#[cfg_attr(canary, should_panic)]
fn add_wins_set() {
    laws::<Set>(SET);
}

#[test]
fn remove_wins_set() {
    laws::<RemoveWins>(SET);
}

#[test]
fn two_phase_set() {
    laws::<TwoPhase>(SET);
}

#[test]
fn grow_only_set() {
    laws::<GrowOnlyElements>(&[1, 2, 3]);
}

#[test]
fn lww_map() {
    let set = |key, stamp| MapOp::Set { key, value: stamp, stamp };
    laws::<Map>(&[set(1, 1), set(1, 2), MapOp::Remove(1), MapOp::Clear]);
}

#[test]
fn lww_register() {
    laws::<Register>(&[1, 2, 3].map(|stamp| Assign { value: 10 + stamp, stamp }));
}

#[test]
fn multi_value_register() {
    laws::<Siblings>(&[SiblingOp::Set(1), SiblingOp::Set(2), SiblingOp::Clear]);
}

const REDACTED: &[RedactOp] = &[RedactOp::Set(1), RedactOp::Redact, RedactOp::Clear];

#[test]
fn redactable_register() {
    laws::<Redacting>(REDACTED);
}

#[test]
fn map_of_redactable_registers() {
    laws::<RootMap<RedactableAt>>(&under_a_key(REDACTED));
}

#[test]
fn map_of_maps_of_redactable_registers() {
    laws::<RootMap<MapOf<RedactableAt>>>(&two_keys_down(&REDACTED[..2]));
}

#[test]
fn max_register() {
    laws::<Greatest>(&[1, 2, 3]);
}

#[test]
fn min_register() {
    laws::<Least>(&[1, 2, 3]);
}

#[test]
#[cfg_attr(canary, should_panic)]
fn enable_wins_flag() {
    laws::<EnableWins>(FLAG);
}

#[test]
fn disable_wins_flag() {
    laws::<DisableWins>(FLAG);
}

#[test]
fn grow_only_counter() {
    laws::<GrowOnly>(&[1, 5, 0]);
}

#[test]
fn pn_counter() {
    laws::<UpAndDown>(&[1, -5, 0]);
}

#[test]
#[cfg_attr(canary, should_panic)]
fn bounded_counter() {
    use StockOp::{Decrement, Increment, Transfer};
    laws::<Stock>(&[Increment(3), Decrement(2), Transfer(2, 1), Transfer(1, 0)]);
}

/// What the histories of a map do under one key, and to it.
fn under_a_key<Op: Clone>(ops: &[Op]) -> Vec<KeyOp<Op>> {
    let below = ops.iter().cloned().map(|op| KeyOp::Update(1, op));
    below.chain([KeyOp::Remove(1), KeyOp::Clear]).collect()
}

/// As [`under_a_key`], for a key that is two maps down: each of them is changed from outside.
fn two_keys_down<Op: Clone>(ops: &[Op]) -> Vec<KeyOp<KeyOp<Op>>> {
    let below = ops.iter().cloned().map(|op| KeyOp::Update(1, KeyOp::Update(1, op)));
    below.chain([KeyOp::Update(1, KeyOp::Remove(1)), KeyOp::Remove(1)]).collect()
}

/// The same for three.
fn three_keys_down<Op: Clone>(ops: &[Op]) -> Vec<KeyOp<KeyOp<KeyOp<Op>>>> {
    let mut below: Vec<_> = two_keys_down(ops).into_iter().map(|op| KeyOp::Update(1, op)).collect();
    below.push(KeyOp::Remove(1));
    below
}

const ELEMENT: &[SetOp] = &[SetOp::Add(1), SetOp::Remove(1)];
const SIBLINGS: &[SiblingOp] = &[SiblingOp::Set(1), SiblingOp::Clear];
const COUNTER: &[CounterOp] = &[CounterOp::Increment(5), CounterOp::Reset];
const WRITES: &[MapOp] = &[MapOp::Set { key: 2, value: 3, stamp: 3 }, MapOp::Remove(2)];

#[test]
#[cfg_attr(canary, should_panic)]
fn map_of_add_wins_sets() {
    laws::<RootMap<SetAt>>(&under_a_key(ELEMENT));
}

#[test]
fn map_of_remove_wins_sets() {
    laws::<RootMap<RemoveWinsAt>>(&under_a_key(ELEMENT));
}

#[test]
fn map_of_multi_value_registers() {
    laws::<RootMap<SiblingsAt>>(&under_a_key(SIBLINGS));
}

#[test]
#[cfg_attr(canary, should_panic)]
fn map_of_enable_wins_flags() {
    laws::<RootMap<EnableWinsAt>>(&under_a_key(FLAG));
}

#[test]
fn map_of_disable_wins_flags() {
    laws::<RootMap<DisableWinsAt>>(&under_a_key(FLAG));
}

#[test]
fn map_of_counters() {
    laws::<RootMap<CounterAt>>(&under_a_key(COUNTER));
}

#[test]
fn map_of_lww_maps() {
    laws::<RootMap<LwwAt>>(&under_a_key(WRITES));
}

#[test]
fn map_of_other_lattices() {
    laws::<RootMap<LatticeAt>>(&under_a_key(&[1, 2]));
}

#[test]
#[cfg_attr(canary, should_panic)]
fn map_of_maps_of_add_wins_sets() {
    laws::<RootMap<MapOf<SetAt>>>(&two_keys_down(ELEMENT));
}

#[test]
fn map_of_maps_of_counters() {
    laws::<RootMap<MapOf<CounterAt>>>(&two_keys_down(COUNTER));
}

#[test]
fn map_of_maps_of_multi_value_registers() {
    laws::<RootMap<MapOf<SiblingsAt>>>(&two_keys_down(SIBLINGS));
}

#[test]
fn map_of_maps_of_remove_wins_sets() {
    laws::<RootMap<MapOf<RemoveWinsAt>>>(&two_keys_down(ELEMENT));
}

#[test]
fn map_of_maps_of_lww_maps() {
    laws::<RootMap<MapOf<LwwAt>>>(&two_keys_down(WRITES));
}

#[test]
fn map_of_maps_of_disable_wins_flags() {
    laws::<RootMap<MapOf<DisableWinsAt>>>(&two_keys_down(FLAG));
}

#[test]
#[cfg_attr(canary, should_panic)]
fn map_of_maps_of_maps_of_add_wins_sets() {
    laws::<RootMap<MapOf<MapOf<SetAt>>>>(&three_keys_down(&[SetOp::Add(1)]));
}

#[test]
fn map_of_maps_of_maps_of_other_lattices() {
    laws::<RootMap<MapOf<MapOf<LatticeAt>>>>(&three_keys_down(&[1]));
}

/// What a few operations of a list can be about: one place, one element.
const LIST: &[ListOp] = &[
    ListOp::Insert { at: 1, value: 1, count: 2 },
    ListOp::Insert { at: 0, value: 3, count: 1 },
    ListOp::Move(0, 1),
    ListOp::Remove(0),
];

#[test]
fn list() {
    laws::<Lists>(LIST);
}

#[test]
fn list_of_moves_and_clearings() {
    let three = ListOp::Insert { at: 1, value: 1, count: 3 };
    every_history::<Lists>(&[three, ListOp::Move(0, 2), ListOp::Move(1, 0), ListOp::Clear]);
}

#[test]
fn map_of_lists() {
    laws::<RootMap<ListAt>>(&under_a_key(&LIST[1..3]));
}

#[test]
fn map_of_maps_of_lists() {
    laws::<RootMap<MapOf<ListAt>>>(&two_keys_down(&LIST[..1]));
}

/// Two nodes, and moves of one below the other.
const TREE: &[TreeOp] = &[
    TreeOp::Create { parent: 0, at: 0, value: 1 },
    TreeOp::Move { node: 0, parent: 2, at: 0 },
    TreeOp::Move { node: 1, parent: 1, at: 0 },
    TreeOp::Remove(0),
];

#[test]
fn tree() {
    laws::<Trees>(TREE);
}

#[test]
fn tree_of_values_and_clearings() {
    let below = TreeOp::Create { parent: 1, at: 0, value: 2 };
    every_history::<Trees>(&[TREE[0].clone(), below, TreeOp::Set(0, 3), TreeOp::Clear]);
}

#[test]
fn map_of_trees() {
    laws::<RootMap<TreeAt>>(&under_a_key(&TREE[..2]));
}

#[test]
fn map_of_maps_of_trees() {
    laws::<RootMap<MapOf<TreeAt>>>(&two_keys_down(&TREE[..1]));
}
