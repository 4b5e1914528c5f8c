//! `cargo +nightly fuzz run text`: see `src/surfaces/text.rs`.
#![cfg_attr(fuzzing, no_main)]

crdt_fuzz::target!(text);
