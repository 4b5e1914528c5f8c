//! Tests of the engine with its small test-sized trees, against models that share nothing
//! with it.

mod anchor;
mod difference;
mod folding;
mod fugue_max;
mod history;
mod join;
mod ops;
pub(super) mod random;
mod refused;
mod rope;
mod saved;
pub(super) mod text;
mod walker;
mod worst;
