//! `cargo +nightly fuzz run bounded_counter`: see `src/surfaces/bounded_counter.rs`.
#![cfg_attr(fuzzing, no_main)]

crdt_fuzz::target!(bounded_counter);
