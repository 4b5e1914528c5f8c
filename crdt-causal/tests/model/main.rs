//! The machines of three nodes in *every* order of steps, by the model checker stateright.
//!
//! A model is a network in which anything may happen next; the nodes in it run the machines of this crate.
//! Each property is checked in the full state space. And for each property there is a model from which
//! the check was taken that it hangs on: there the checker has to find a counterexample, or it would find
//! nothing where it matters either.

mod buffer;
mod cap;
mod retirement;
mod token;

use std::hash::Hash;

use stateright::{Checker, Expectation, Model};

/// Goes through the whole state space; what breaks the properties, by name, and how many states there are.
fn broken<M>(model: M) -> (Vec<&'static str>, usize)
where
    M: Model + Sync + Send + 'static,
    M::State: Hash + PartialEq + Clone + Send + Sync + 'static,
    M::Action: Clone + PartialEq,
{
    let checker = model.checker().spawn_bfs().join();
    assert!(checker.is_done());
    let model = checker.model();
    let mut broken = vec![];
    for property in model.properties() {
        let found = checker.discovery(property.name).is_some();
        match property.expectation {
            Expectation::Sometimes => {
                assert!(found, "{} never happens", property.name);
            }
            _ if found => broken.push(property.name),
            _ => {}
        }
    }
    (broken, checker.unique_state_count())
}
