//! `cargo +nightly fuzz run add_wins_set`: see `src/surfaces/add_wins_set.rs`.
#![cfg_attr(fuzzing, no_main)]

crdt_fuzz::target!(add_wins_set);
