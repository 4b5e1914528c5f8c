//! `cargo +nightly fuzz run membership`: see `src/surfaces/membership.rs`.
#![cfg_attr(fuzzing, no_main)]

crdt_fuzz::target!(membership);
