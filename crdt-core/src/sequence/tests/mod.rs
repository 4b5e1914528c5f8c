//! Tests of the engine with its small test-sized trees, against models that share nothing
//! with it.

mod anchor;
mod difference;
mod folding;
mod fugue_max;
mod history;
mod interleaving;
mod join;
mod ops;
pub(super) mod random;
mod refused;
mod rope;
pub(super) mod saved;
pub(super) mod text;
pub(super) mod trim;
mod walker;
mod worst;
