//! `cargo +nightly fuzz run list`: see `src/surfaces/list.rs`.
#![cfg_attr(fuzzing, no_main)]

crdt_fuzz::target!(list);
