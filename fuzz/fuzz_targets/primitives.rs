//! `cargo +nightly fuzz run primitives`: see `src/surfaces/primitives.rs`.
#![cfg_attr(fuzzing, no_main)]

crdt_fuzz::target!(primitives);
