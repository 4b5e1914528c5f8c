//! `cargo +nightly fuzz run changes`: see `src/surfaces/changes.rs`.
#![cfg_attr(fuzzing, no_main)]

crdt_fuzz::target!(changes);
