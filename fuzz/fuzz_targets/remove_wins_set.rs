//! `cargo +nightly fuzz run remove_wins_set`: see `src/surfaces/remove_wins_set.rs`.
#![cfg_attr(fuzzing, no_main)]

crdt_fuzz::target!(remove_wins_set);
