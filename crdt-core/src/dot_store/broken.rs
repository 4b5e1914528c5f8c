//! What is broken is noticed: the tests of the tests' own checks.

use super::{Causal, Delta, DotFun, DotMap, DotSet, DotStore, Payload, RedactableStore};
use crate::causality::CausalContext;
use crate::flag::Toggle;
use crate::{
    AddWinsSet, DisableWinsFlag, Dot, EnableWinsFlag, LwwMap, MultiValueRegister,
    ObservedRemoveMap, RedactableRegister, RemoveWinsSet, ReplicaId,
};

const DOT: Dot = Dot::new(ReplicaId::from_u128(1), 1);

fn a_map<S: DotStore>(store: S) -> DotMap<u8, S> {
    DotMap::of(1, store)
}

fn redactable() -> RedactableStore<u8, u8> {
    RedactableStore(DotFun::of(DOT, Payload::Held(1)))
}

fn toggle() -> DotFun<Toggle> {
    DotFun::of(DOT, Toggle { enables: true })
}

/// Each has content that its context does not cover.
macro_rules! uncovered {
    ($($name:ident: $value:expr;)*) => {
        $(
            #[test]
            #[should_panic(expected = "the context covers the store")]
            fn $name() {
                $value.check_invariants();
            }
        )*
    };
}

uncovered! {
    an_add_wins_set: AddWinsSet(Causal::uncovered(a_map(DotSet::from(DOT))));
    a_remove_wins_set: RemoveWinsSet(Causal::uncovered(a_map(toggle())));
    an_enable_wins_flag: EnableWinsFlag(Causal::uncovered(DotSet::from(DOT)));
    a_disable_wins_flag: DisableWinsFlag(Causal::uncovered(toggle()));
    a_last_writer_wins_map: LwwMap(Causal::uncovered(a_map(DotFun::of(DOT, (1_u64, 1)))));
    an_observed_remove_map: ObservedRemoveMap(Causal::uncovered(a_map(DotSet::from(DOT))));
    a_multi_value_register: MultiValueRegister(Causal::uncovered(DotFun::of(DOT, 1)));
    a_redactable_register: RedactableRegister(Causal::uncovered(redactable()));
    a_delta: Delta { store: DotSet::from(DOT), ..Delta::default() };
}

#[test]
#[should_panic(expected = "the live dots are those of the store")]
fn a_dot_that_stands_nowhere() {
    Causal::<DotSet>::with_a_dot_that_stands_nowhere(DOT).check_invariants();
}

#[test]
#[should_panic(expected = "dots are in ascending order")]
fn dots_in_no_order() {
    DotSet::in_no_order(DOT).check_invariants();
}

#[test]
#[should_panic(expected = "dots are in ascending order")]
fn values_in_no_order() {
    DotFun::in_no_order(DOT, 1).check_invariants();
}

#[test]
#[should_panic(expected = "dots are in ascending order")]
fn redactable_values_in_no_order() {
    let store: RedactableStore<u8, u8> =
        RedactableStore(DotFun::in_no_order(DOT, Payload::Held(1)));
    store.check_invariants();
}

#[test]
#[should_panic(expected = "a key without dots is not in the map")]
fn a_key_without_dots() {
    a_map(DotSet::new()).check_invariants();
}

#[test]
#[should_panic(expected = "dots are in ascending order")]
fn what_is_broken_under_a_key() {
    a_map(DotSet::in_no_order(DOT)).check_invariants();
}

/// The checks of a delta reach its store.
#[test]
#[should_panic(expected = "dots are in ascending order")]
fn what_is_broken_in_a_delta() {
    let context = CausalContext::from_iter([DOT]);
    let store = DotSet::in_no_order(DOT);
    Delta { store, context, ..Delta::default() }.check_invariants();
}
