//! Every type against its model, over three replicas: what bytes say they do.
//!
//! The models are those of the laws in `crdt-core/tests/types/support`: each says what a value is from
//! the operations alone. A byte chooses the type, and the others are the steps of a
//! [`History`], which checks the value, the invariants and each delta after
//! every step.

use crdt_core::laws::{Arbitrary, Arrival, Gen, History, Step, Subject};

use crate::models::derived::{EverythingAt, PairOf, RootOf};
use crate::models::list::Lists;
use crate::models::nest::{
    CounterAt, DisableWinsAt, EnableWinsAt, LatticeAt, LwwAt, MapOf, RemoveWinsAt, RootMap, SetAt,
    SiblingsAt,
};
use crate::models::subjects::{
    DisableWins, EnableWins, Greatest, GrowOnly, GrowOnlyElements, Least, Map, Redacting, Register,
    RemoveWins, Set, Siblings, Stock, TwoPhase, UpAndDown,
};
use crate::models::tree::Trees;

/// How large an operation may be.
const OP_SIZE: usize = 8;

/// How long a history may be; a model looks at all of it after every step.
const STEPS_MAX: usize = 96;

/// A step for every three bytes, so that a change of one changes one step.
fn play<S: Subject>(bytes: &[u8]) {
    let step = |bytes: &[u8; 3]| {
        let [a, b, c] = bytes.map(u64::from);
        Step::<S::Op>::arbitrary(&mut Gen::from_size_and_seed(OP_SIZE, a << 16 | b << 8 | c))
    };
    let steps: Vec<_> = bytes.as_chunks().0.iter().take(STEPS_MAX).map(step).collect();
    for arrival in [Arrival::Causal, Arrival::Any] {
        let history = History::<S>::play(&steps, arrival);
        let mut joined = S::Root::default();
        for state in history.states {
            crdt_core::Lattice::join(&mut joined, state);
        }
        let mut told = S::Root::default();
        for delta in history.deltas.into_iter().rev() {
            crdt_core::Lattice::join(&mut told, delta);
        }
        assert_eq!(told, joined, "deltas joined are states joined");
    }
}

const TYPES: &[fn(&[u8])] = &[
    play::<Set>,
    play::<RemoveWins>,
    play::<TwoPhase>,
    play::<GrowOnlyElements>,
    play::<Map>,
    play::<Register>,
    play::<Siblings>,
    play::<Redacting>,
    play::<Greatest>,
    play::<Least>,
    play::<EnableWins>,
    play::<DisableWins>,
    play::<GrowOnly>,
    play::<UpAndDown>,
    play::<Stock>,
    play::<Lists>,
    play::<RootMap<SetAt>>,
    play::<RootMap<MapOf<CounterAt>>>,
    play::<RootMap<LwwAt>>,
    play::<RootMap<MapOf<SiblingsAt>>>,
    play::<RootMap<LatticeAt>>,
    play::<RootMap<PairOf<EnableWinsAt, RemoveWinsAt>>>,
    play::<RootMap<DisableWinsAt>>,
    play::<RootOf<EverythingAt>>,
    play::<Trees>,
];

/// Plays a history of one of the types.
pub fn run(bytes: &[u8]) {
    let Some((&which, steps)) = bytes.split_first() else { return };
    TYPES[usize::from(which) % TYPES.len()](steps);
}

/// A history for each type.
pub fn seeds() -> Vec<Vec<u8>> {
    let steps = (0..36_u8).map(|step| step.wrapping_mul(151) ^ step.rotate_left(3));
    (0..TYPES.len()).map(|which| [which as u8].into_iter().chain(steps.clone()).collect()).collect()
}
