//! The convergence laboratory.

pub mod campaign;
pub mod clock;
pub mod disk;
pub mod document;
pub mod faults;
pub mod journal;
pub mod model;
pub mod network;
pub mod plan;
pub mod random;
pub mod replica;
pub mod trace;
pub mod world;
