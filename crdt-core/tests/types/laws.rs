//! The laws of every type of the dotted kernel and of the counters.
//!
//! With `RUSTFLAGS="--cfg canary"` the crate is built with planted bugs (removed dots of a set
//! come back; rights are not checked), and these tests, `--test types laws`, pass only if the
//! laws catch them.

use crdt_core::lattice::Decompose;
use crdt_core::laws::{Subject, check, decomposition, exhaustive};

use crate::support::nest::{
    CounterAt, CounterOp, DisableWinsAt, EnableWinsAt, FlagOp, KeyOp, LatticeAt, LwwAt, MapOf,
    RemoveWinsAt, RootMap, SetAt, SiblingOp, SiblingsAt,
};
use crate::support::subjects::{
    Assign, DisableWins, EnableWins, Greatest, GrowOnly, GrowOnlyElements, Least, Map, MapOp,
    Register, RemoveWins, Set, SetOp, Siblings, Stock, StockOp, TwoPhase, UpAndDown,
};

/// Random histories, and every history of up to four of these operations on three replicas.
fn laws<S: Subject<Root: Decompose>>(ops: &[S::Op]) {
    check::<S>();
    decomposition::<S>();
    let histories = exhaustive::<S>(ops, 4);
    assert!(histories > 10_000, "{histories} histories");
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
    laws::<RemoveWins>(&[SetOp::Add(1), SetOp::Remove(1), SetOp::Clear]);
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
    let set = |stamp| MapOp::Set { key: 1, value: stamp, stamp };
    laws::<Map>(&[set(1), set(2), MapOp::Remove(1), MapOp::Clear]);
}

#[test]
fn lww_register() {
    laws::<Register>(&[1, 2, 3].map(|stamp| Assign { value: 10 + stamp, stamp }));
}

#[test]
fn multi_value_register() {
    laws::<Siblings>(&[SiblingOp::Set(1), SiblingOp::Set(2), SiblingOp::Clear]);
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
fn under_a_key<Op: Clone>(ops: [Op; 2]) -> [KeyOp<Op>; 3] {
    let [one, other] = ops;
    [KeyOp::Update(1, one), KeyOp::Update(1, other), KeyOp::Remove(1)]
}

#[test]
#[cfg_attr(canary, should_panic)]
fn map_of_add_wins_sets() {
    laws::<RootMap<SetAt>>(&under_a_key([SetOp::Add(1), SetOp::Remove(1)]));
}

#[test]
fn map_of_remove_wins_sets() {
    laws::<RootMap<RemoveWinsAt>>(&under_a_key([SetOp::Add(1), SetOp::Remove(1)]));
}

#[test]
fn map_of_multi_value_registers() {
    laws::<RootMap<SiblingsAt>>(&under_a_key([SiblingOp::Set(1), SiblingOp::Clear]));
}

#[test]
#[cfg_attr(canary, should_panic)]
fn map_of_enable_wins_flags() {
    laws::<RootMap<EnableWinsAt>>(&under_a_key([FlagOp::Enable, FlagOp::Disable]));
}

#[test]
fn map_of_disable_wins_flags() {
    laws::<RootMap<DisableWinsAt>>(&under_a_key([FlagOp::Enable, FlagOp::Disable]));
}

#[test]
fn map_of_counters() {
    laws::<RootMap<CounterAt>>(&under_a_key([CounterOp::Increment(5), CounterOp::Reset]));
}

#[test]
fn map_of_lww_maps() {
    let set = |stamp| MapOp::Set { key: 2, value: stamp, stamp };
    laws::<RootMap<LwwAt>>(&under_a_key([set(3), MapOp::Remove(2)]));
}

#[test]
fn map_of_other_lattices() {
    laws::<RootMap<LatticeAt>>(&under_a_key([1, 2]));
}

#[test]
#[cfg_attr(canary, should_panic)]
fn map_of_maps_of_add_wins_sets() {
    let [add, _, take_out] = under_a_key([SetOp::Add(1), SetOp::Clear]);
    laws::<RootMap<MapOf<SetAt>>>(&[
        KeyOp::Update(1, add),
        KeyOp::Update(1, take_out),
        KeyOp::Remove(1),
    ]);
}

#[test]
fn map_of_maps_of_counters() {
    check::<RootMap<MapOf<CounterAt>>>();
}

#[test]
fn map_of_maps_of_multi_value_registers() {
    check::<RootMap<MapOf<SiblingsAt>>>();
}

#[test]
fn map_of_maps_of_remove_wins_sets() {
    check::<RootMap<MapOf<RemoveWinsAt>>>();
}

#[test]
fn map_of_maps_of_lww_maps() {
    check::<RootMap<MapOf<LwwAt>>>();
}

#[test]
fn map_of_maps_of_disable_wins_flags() {
    check::<RootMap<MapOf<DisableWinsAt>>>();
}

#[test]
#[cfg_attr(canary, should_panic)]
fn map_of_maps_of_maps_of_add_wins_sets() {
    check::<RootMap<MapOf<MapOf<SetAt>>>>();
    decomposition::<RootMap<MapOf<MapOf<SetAt>>>>();
}

#[test]
fn map_of_maps_of_maps_of_other_lattices() {
    check::<RootMap<MapOf<MapOf<LatticeAt>>>>();
}
