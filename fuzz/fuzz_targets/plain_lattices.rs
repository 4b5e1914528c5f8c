//! `cargo +nightly fuzz run plain_lattices`: see `src/surfaces/plain_lattices.rs`.
#![cfg_attr(fuzzing, no_main)]

crdt_fuzz::target!(plain_lattices);
