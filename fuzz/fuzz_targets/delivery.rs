//! `cargo +nightly fuzz run delivery`: see `src/surfaces/delivery.rs`.
#![cfg_attr(fuzzing, no_main)]

crdt_fuzz::target!(delivery);
