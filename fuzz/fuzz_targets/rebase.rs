//! `cargo +nightly fuzz run rebase`: see `src/surfaces/rebase.rs`.
#![cfg_attr(fuzzing, no_main)]

crdt_fuzz::target!(rebase);
