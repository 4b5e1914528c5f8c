//! `cargo +nightly fuzz run tree`: see `src/surfaces/tree.rs`.
#![cfg_attr(fuzzing, no_main)]

crdt_fuzz::target!(tree);
