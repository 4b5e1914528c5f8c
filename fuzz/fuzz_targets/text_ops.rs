//! `cargo +nightly fuzz run text_ops`: see `src/surfaces/text_ops.rs`.
#![cfg_attr(fuzzing, no_main)]

crdt_fuzz::target!(text_ops);
