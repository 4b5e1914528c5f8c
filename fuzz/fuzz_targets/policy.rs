//! `cargo +nightly fuzz run policy`: see `src/surfaces/policy.rs`.
#![cfg_attr(fuzzing, no_main)]

crdt_fuzz::target!(policy);
