//! `cargo +nightly fuzz run delivery_saved`: see `src/surfaces/delivery_saved.rs`.
#![cfg_attr(fuzzing, no_main)]

crdt_fuzz::target!(delivery_saved);
