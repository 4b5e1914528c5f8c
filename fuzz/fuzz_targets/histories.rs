//! `cargo +nightly fuzz run histories`: see `src/surfaces/histories.rs`.
#![cfg_attr(fuzzing, no_main)]

crdt_fuzz::target!(histories);
