//! Causal delivery and synchronisation as sans-I/O machines.
#![no_std]
#![forbid(unsafe_code)]
#![deny(missing_docs)]

extern crate alloc;

pub mod delivery;
pub mod sync;
