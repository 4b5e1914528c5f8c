//! `cargo +nightly fuzz run models`: see `src/surfaces/models.rs`.
#![cfg_attr(fuzzing, no_main)]

crdt_fuzz::target!(models);
