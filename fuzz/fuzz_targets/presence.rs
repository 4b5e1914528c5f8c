//! `cargo +nightly fuzz run presence`: see `src/surfaces/presence.rs`.
#![cfg_attr(fuzzing, no_main)]

crdt_fuzz::target!(presence);
