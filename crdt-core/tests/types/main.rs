//! Tests of the counters, registers, sets and maps, and of the kernel under them.
//!
//! `CRDT_CASES` sets the number of cases for each law, 4,096 by default.

mod apply;
mod arbitrary_form;
mod derived;
mod golden;
mod hostile;
mod large;
mod laws;
mod memory;
mod own;
#[cfg(canary = "chosen")]
mod planted;
mod readings;
mod regressions;
mod rules;
mod scenarios;
mod serde_form;
mod support;
mod undo;
