//! The scenarios that the types have to show, with their figures.

use crdt_core::counter::{CounterError, GCounterDelta};
use crdt_core::dot_store::{DotMap, Edit};
use crdt_core::register::MultiValueStore;
use crdt_core::set::AddWinsStore;
use crdt_core::{
    AddWinsSet, BoundedCounter, DisableWinsFlag, EnableWinsFlag, GCounter, LwwMap, LwwRegister,
    MaxRegister, MultiValueRegister, ObservedRemoveMap, PnCounter, RemoveWinsSet, ReplicaId,
    TwoPhaseSet, WriteError, Writer,
};

use crate::support::{bytes, reload, replica};
use crdt_core::laws::Rng;

const MUMBAI: ReplicaId = ReplicaId::from_u128(1);
const DELHI: ReplicaId = ReplicaId::from_u128(2);

mod counters;
mod policies;
mod redaction;
mod registers;
mod sets_and_maps;

fn permutations(n: usize) -> Vec<Vec<usize>> {
    let Some(last) = n.checked_sub(1) else { return vec![Vec::new()] };
    let mut all = Vec::new();
    for shorter in permutations(last) {
        for place in 0..n {
            let mut order = shorter.clone();
            order.insert(place, last);
            all.push(order);
        }
    }
    all
}
