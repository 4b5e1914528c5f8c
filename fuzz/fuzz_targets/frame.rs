//! `cargo +nightly fuzz run frame`: see `src/surfaces/frame.rs`.
#![cfg_attr(fuzzing, no_main)]

crdt_fuzz::target!(frame);
