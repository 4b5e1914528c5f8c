//! `cargo +nightly fuzz run value`: see `src/surfaces/value.rs`.
#![cfg_attr(fuzzing, no_main)]

crdt_fuzz::target!(value);
