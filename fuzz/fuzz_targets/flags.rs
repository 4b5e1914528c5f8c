//! `cargo +nightly fuzz run flags`: see `src/surfaces/flags.rs`.
#![cfg_attr(fuzzing, no_main)]

crdt_fuzz::target!(flags);
