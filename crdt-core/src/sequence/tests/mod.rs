//! Tests of the engine with its small test-sized trees, against models that share nothing
//! with it.

mod anchor;
mod fugue_max;
mod history;
mod join;
mod ops;
mod random;
mod refused;
mod rope;
mod text;
mod walker;
