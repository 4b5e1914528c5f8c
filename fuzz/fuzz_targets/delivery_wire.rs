//! `cargo +nightly fuzz run delivery_wire`: see `src/surfaces/delivery_wire.rs`.
#![cfg_attr(fuzzing, no_main)]

crdt_fuzz::target!(delivery_wire);
